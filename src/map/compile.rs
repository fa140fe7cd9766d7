//! A mapping as written to a mapping that runs, checked whole before a record is read.
//!
//! All problems of a file are collected, each with its place. A mapping that compiles can be run on every
//! record of its stream: what can still go wrong is a value, and that is held.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{Array, ArrayRef, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::diagnostic::{Places, Problems, child, code, did_you_mean, nearest};
use super::lookup::Lookups;
use super::lower::{Env, Lowered, lower};
use super::model::{FullMapping, MappingConfig, Renamed, VariableMapping};
use super::program::{AsOf, Program};
use super::scope::{Scope, written};
use super::sql_type::{SqlType, variable_type_word};
use crate::clock::Timestamp;
use crate::config::{Place, Problem};
use crate::record::{Field, StreamId};
use crate::schema::model::OnError;
use crate::schema::types::{self, TypeOptions};
use crate::schema::{FiscalYear, ReadAs, VariableConfig, VariableType};
use crate::snapshot::period::day_start;

/// What the project says that conversions and expressions need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time zone of texts that name none, and of the calendar.
    pub timezone: Tz,
    /// The ISO 4217 code of money that names none.
    pub currency: String,
    /// The fiscal year.
    pub fiscal: FiscalYear,
    /// The tables of `lookups/`.
    pub lookups: Arc<Lookups>,
}

impl Default for Settings {
    /// Those of a new project: Asia/Tokyo, yen, the fiscal year from April, no tables.
    fn default() -> Self {
        Settings {
            timezone: chrono_tz::Asia::Tokyo,
            currency: "JPY".to_owned(),
            fiscal: FiscalYear::default(),
            lookups: Arc::default(),
        }
    }
}

impl Settings {
    /// What the values of a variable are in this project.
    pub(crate) fn options_of(&self, variable: &VariableConfig) -> TypeOptions {
        TypeOptions::of(variable, &self.currency, self.timezone).with_fiscal(self.fiscal)
    }
}

/// A stream and the fields that it offers.
#[derive(Debug, Clone, Copy)]
pub struct StreamFields<'a> {
    /// The stream.
    pub stream: &'a StreamId,
    /// Its fields.
    pub fields: &'a [Field],
}

/// What the value of a `ref` variable is the key of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefTarget {
    /// The entity referred to, as its variable says.
    pub entity: Option<String>,
    /// The stream as the mapping names it: `stream` of the same source, or `source/stream`.
    pub stream: Option<String>,
}

/// A mapping that can be run.
#[derive(Debug, Clone)]
pub struct CompiledMapping {
    /// The stream whose records it takes.
    pub stream: StreamId,
    /// The entity they become.
    pub entity: String,
    /// Its variables: those of the file in the order of their names, then custom ones as they were added.
    pub variables: Vec<CompiledVariable>,
    /// Every field that is read, by name, each once.
    pub fields_used: Vec<String>,
    pub(crate) scope: Option<CompiledCondition>,
    pub(crate) effective_from: Option<CompiledVariable>,
    pub(crate) effective_to: Option<CompiledVariable>,
    /// Fields that had another name before.
    pub renamed: Vec<CompiledRename>,
    /// Whether a key that returns after a deletion is another record (B9).
    pub reuses_keys: bool,
    pub(crate) timezone: Tz,
}

/// A field that had another name before (B8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledRename {
    /// Its present name.
    pub field: String,
    /// Its old name, which counts for versions from before `since`.
    pub was: String,
    /// The start of the day of the change.
    pub since: Timestamp,
    /// Where it is declared.
    pub place: Place,
}

/// The condition of `where`.
#[derive(Debug, Clone)]
pub(crate) struct CompiledCondition {
    pub(crate) program: Program,
    pub(crate) fields: Vec<String>,
    pub(crate) place: Place,
}

/// One variable of a mapping, ready to be computed.
#[derive(Debug, Clone)]
pub struct CompiledVariable {
    /// The variable's name.
    pub name: String,
    /// Its type.
    pub kind: VariableType,
    /// How its values lie in memory.
    pub data_type: DataType,
    /// The source fields it reads, in the order of their first use; those of its currency come last.
    pub fields: Vec<String>,
    /// Its position in the variable's own `from` list; 0 for what a mapping file says.
    pub rank: usize,
    /// Where its expression stands.
    pub place: Place,
    /// For `ref`: what it refers to.
    pub ref_target: Option<RefTarget>,
    pub(crate) options: TypeOptions,
    pub(crate) origin: Origin,
    pub(crate) translation: Option<HashMap<String, String>>,
    pub(crate) on_error: Fallback,
    /// For money: what gives the record's currency.
    pub(crate) currency: Option<Origin>,
}

/// Where a value comes from before it is converted.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A field as it is.
    Field(String),
    /// An expression.
    Program(Box<Program>),
}

/// What a value that does not convert becomes.
#[derive(Debug, Clone)]
pub(crate) enum Fallback {
    /// Nothing; it is held.
    Hold,
    /// Nothing.
    Null,
    /// The one value of this array.
    Default(ArrayRef),
}

/// Compiles a mapping file against the fields its stream offers.
///
/// `variables` are all variables of the mapping's entity, built-in and custom. The custom variables that
/// name this stream in their own `from` are added with [`compile_custom`] and [`CompiledMapping::add`].
///
/// # Errors
///
/// All problems of the file, in the order of their places.
pub fn compile(
    mapping: &MappingConfig,
    places: &dyn Places,
    fields: &StreamFields<'_>,
    variables: &[VariableConfig],
    settings: &Settings,
) -> Result<CompiledMapping, Vec<Problem>> {
    let mut compiler = Compiler { scope: Scope::of_stream(fields), settings, problems: Problems::of(places) };
    let mut compiled = Vec::new();
    for (name, written) in &mapping.variables {
        let pointer = child("/variables", name);
        let Some(variable) = compiler.target(name, &pointer, &mapping.entity, variables) else { continue };
        compiled.extend(compiler.variable(&Input::of_mapping(variable, written, pointer)));
    }
    let scope = mapping.r#where.as_deref().and_then(|text| compiler.condition("/where", text));
    let effective_from = mapping
        .effective
        .as_ref()
        .and_then(|effective| compiler.effective("effective.from", "/effective/from", &effective.from));
    let effective_to = mapping
        .effective
        .as_ref()
        .and_then(|effective| effective.to.as_deref())
        .and_then(|text| compiler.effective("effective.to", "/effective/to", text));
    let renamed = mapping.renamed.iter().filter_map(|(field, renamed)| compiler.rename(field, renamed)).collect();
    let problems = compiler.problems.finish();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut mapping = CompiledMapping {
        stream: fields.stream.clone(),
        entity: mapping.entity.clone(),
        variables: compiled,
        fields_used: Vec::new(),
        scope,
        effective_from,
        effective_to,
        renamed,
        reuses_keys: mapping.reuses_keys,
        timezone: settings.timezone,
    };
    mapping.collect_fields();
    Ok(mapping)
}

/// Compiles one entry of a custom variable's `from` against the stream that it names.
///
/// `pointer` is where the variable stands in its file (empty when the file is the variable). The result
/// is one more variable of that stream's mapping; its rank is the entry's position.
///
/// # Errors
///
/// All problems of the entry.
pub fn compile_custom(
    variable: &VariableConfig,
    from_index: usize,
    places: &dyn Places,
    pointer: &str,
    fields: &StreamFields<'_>,
    settings: &Settings,
) -> Result<CompiledVariable, Vec<Problem>> {
    let mut compiler = Compiler { scope: Scope::of_stream(fields), settings, problems: Problems::of(places) };
    let compiled = match variable.from.get(from_index) {
        Some(from) => compiler.variable(&Input {
            variable,
            key: format!("{pointer}/from/{from_index}"),
            text_pointer: format!("{pointer}/from/{from_index}/expr"),
            text: &from.expr,
            values: from.values.iter().collect(),
            on_error: &from.on_error,
            stream: None,
            read_as: &from.read_as,
            currency: from.currency.as_deref(),
            rank: from_index,
        }),
        None => {
            let message = format!("`{}` has no entry {from_index} in `from`", variable.name);
            compiler.problems.at_key(code::ORIGIN, pointer, message, None);
            None
        }
    };
    let problems = compiler.problems.finish();
    match compiled {
        Some(compiled) if problems.is_empty() => Ok(compiled),
        _ => Err(problems),
    }
}

impl CompiledMapping {
    /// Adds a custom variable that takes its value from this stream.
    pub fn add(&mut self, variable: CompiledVariable) {
        self.variables.push(variable);
        self.collect_fields();
    }

    /// The same for every record at any time: identity is over all that ever was, in scope and in effect or not (I1).
    pub(crate) fn of_all_records(&self) -> CompiledMapping {
        CompiledMapping { scope: None, effective_from: None, effective_to: None, ..self.clone() }
    }

    /// The fields that decide whether a record is in scope.
    pub fn scope_fields(&self) -> &[String] {
        self.scope.as_ref().map_or(&[], |scope| &scope.fields)
    }

    /// The fields that decide when a record counts.
    pub fn effective_fields(&self) -> Vec<String> {
        let both = self.effective_from.iter().chain(&self.effective_to);
        both.flat_map(|variable| variable.fields.iter().cloned()).collect()
    }

    fn collect_fields(&mut self) {
        let mut fields: Vec<String> =
            self.variables.iter().flat_map(|variable| &variable.fields).chain(self.scope_fields()).cloned().collect();
        fields.extend(self.effective_fields());
        fields.sort_unstable();
        fields.dedup();
        self.fields_used = fields;
    }
}

/// A variable's expression with all that is said about it.
struct Input<'a> {
    variable: &'a VariableConfig,
    /// The pointer of what `values` and `on_error` stand under.
    key: String,
    text_pointer: String,
    text: &'a str,
    values: HashMap<&'a String, &'a String>,
    on_error: &'a OnError,
    stream: Option<&'a String>,
    read_as: &'a ReadAs,
    currency: Option<&'a str>,
    rank: usize,
}

/// Of texts of which nothing is declared.
static AS_USUAL: ReadAs =
    ReadAs { units: None, percent: None, fiscal: None, serial: None, separators: None, timezone: None };

impl<'a> Input<'a> {
    fn of_mapping(variable: &'a VariableConfig, written: &'a VariableMapping, pointer: String) -> Self {
        match written {
            VariableMapping::Expr(text) => Input {
                variable,
                text_pointer: pointer.clone(),
                key: pointer,
                text,
                values: HashMap::new(),
                on_error: &OnError::Hold,
                stream: None,
                read_as: &AS_USUAL,
                currency: None,
                rank: 0,
            },
            VariableMapping::Full(FullMapping { from, values, on_error, stream, read_as, currency }) => Input {
                variable,
                text_pointer: format!("{pointer}/from"),
                key: pointer,
                text: from,
                values: values.iter().collect(),
                on_error,
                stream: stream.as_ref(),
                read_as,
                currency: currency.as_deref(),
                rank: 0,
            },
        }
    }
}

struct Compiler<'a> {
    scope: Scope,
    settings: &'a Settings,
    problems: Problems<'a>,
}

impl Compiler<'_> {
    /// The variable that a mapping gives a value.
    fn target<'v>(
        &mut self,
        name: &str,
        pointer: &str,
        entity: &str,
        variables: &'v [VariableConfig],
    ) -> Option<&'v VariableConfig> {
        let Some(variable) = variables.iter().find(|variable| variable.name == name) else {
            let known = variables.iter().map(|variable| variable.name.as_str());
            let advice = nearest(name, known).map(did_you_mean);
            let advice = advice.unwrap_or_else(|| format!("to add one, write schemas/variables/{name}.yaml"));
            let message = format!("unknown variable `{name}` of entity `{entity}`");
            self.problems.at_key(code::UNKNOWN_VARIABLE, pointer, message, Some(advice));
            return None;
        };
        if !variable.from.is_empty() || variable.derive.is_some() {
            let where_from = if variable.derive.is_some() { "derive" } else { "from" };
            let message =
                format!("`{name}` has a `{where_from}` in its own file, which says where its value comes from");
            let advice = "add this stream to its `from`, or remove one of the two".to_owned();
            self.problems.at_key(code::NOT_MAPPED_HERE, pointer, message, Some(advice));
            return None;
        }
        Some(variable)
    }

    fn variable(&mut self, input: &Input<'_>) -> Option<CompiledVariable> {
        let before = self.problems.len();
        let variable = input.variable;
        let kind = variable.r#type;
        let options = self.settings.options_of(variable).reading(input.read_as);
        if input.stream.is_some() && kind != VariableType::Ref {
            let message =
                format!("`stream` is for variables of type ref; `{}` is {}", variable.name, variable_type_word(kind));
            self.problems.at_key(code::STREAM_OF_NO_REF, &child(&input.key, "stream"), message, None);
        }
        self.translated_values(input, kind, &options);
        let on_error = self.fallback(input, kind, &options);
        let env = Env::new(self.settings, &options.read_as);
        let lowered = lower(&self.scope, &env, &input.text_pointer, input.text, &mut self.problems);
        self.readable(input, kind, lowered.as_ref().is_some_and(|lowered| !lowered.is_bare));
        let currency = self.currency(input, kind, &env);
        let lowered = lowered?;
        let result = lowered.typed.sql_type;
        if !input.values.is_empty() && !matches!(result, SqlType::Text | SqlType::Null) {
            let message = format!("`values` translates text, but the expression is {}", result.phrase());
            let advice = Some("leave one of the two out, or wrap the expression in `text(…)`".to_owned());
            self.problems.at_key(code::VALUES_OF_NO_TEXT, &child(&input.key, "values"), message, advice);
        } else if !result.fits(kind) {
            let message = format!(
                "the expression is {}, but `{}` is {}",
                result.phrase(),
                variable.name,
                variable_type_word(kind)
            );
            self.problems.at(code::RESULT_TYPE, &input.text_pointer, message, result.advice_for(kind));
        }
        let (origin, mut fields) = self.origin(lowered, &env, &input.text_pointer)?;
        let currency = currency.map(|(origin, of_currency)| {
            fields.extend(of_currency.into_iter().filter(|field| !fields.contains(field)).collect::<Vec<_>>());
            origin
        });
        if self.problems.len() > before {
            return None;
        }
        let translation = (!input.values.is_empty())
            .then(|| input.values.iter().map(|(from, to)| ((*from).clone(), (*to).clone())).collect());
        let ref_target = (kind == VariableType::Ref)
            .then(|| RefTarget { entity: variable.entity.clone(), stream: input.stream.cloned() });
        Some(CompiledVariable {
            name: variable.name.clone(),
            kind,
            data_type: types::data_type(kind, &options),
            fields,
            rank: input.rank,
            place: self.problems.place(&input.text_pointer),
            ref_target,
            options,
            origin,
            translation,
            on_error: on_error?,
            currency,
        })
    }

    /// What `read_as` says must be read by the variable's type, or by a conversion of its expression.
    fn readable(&mut self, input: &Input<'_>, kind: VariableType, in_expression: bool) {
        for (key, message, advice) in input.read_as.faults(kind, in_expression) {
            let pointer = child(&child(&input.key, "read_as"), key);
            self.problems.at_key(code::READ_AS, &pointer, message, Some(advice));
        }
    }

    /// What gives the currency of a record's amount, and the fields that it reads.
    fn currency(&mut self, input: &Input<'_>, kind: VariableType, env: &Env<'_>) -> Option<(Origin, Vec<String>)> {
        let text = input.currency?;
        let pointer = child(&input.key, "currency");
        if kind != VariableType::Money {
            let name = &input.variable.name;
            let message =
                format!("`currency` is for variables of type money; `{name}` is {}", variable_type_word(kind));
            self.problems.at_key(code::CURRENCY, &pointer, message, Some("remove it".to_owned()));
            return None;
        }
        let lowered = lower(&self.scope, env, &pointer, text, &mut self.problems)?;
        let result = lowered.typed.sql_type;
        if result != SqlType::Text {
            let message = format!("`currency` is the record's currency as text; this is {}", result.phrase());
            self.problems.at(code::CURRENCY, &pointer, message, Some("write the field that holds it".to_owned()));
            return None;
        }
        self.origin(lowered, env, &pointer)
    }

    /// What `values` gives must be among an enum's values.
    fn translated_values(&mut self, input: &Input<'_>, kind: VariableType, options: &TypeOptions) {
        if kind != VariableType::Enum {
            return;
        }
        for (from, to) in &input.values {
            if options.values.contains(to) || options.labels.iter().any(|(label, _)| label == *to) {
                continue;
            }
            let known = options.values.iter().map(String::as_str);
            let advice = nearest(to, known).map(did_you_mean);
            let advice = advice.unwrap_or_else(|| format!("the values are {}", quoted(&options.values)));
            let message = format!("`{to}` is not a value of `{}`", input.variable.name);
            let pointer = child(&child(&input.key, "values"), from);
            self.problems.at(code::NOT_IN_ENUM, &pointer, message, Some(advice));
        }
    }

    fn fallback(&mut self, input: &Input<'_>, kind: VariableType, options: &TypeOptions) -> Option<Fallback> {
        let default = match input.on_error {
            OnError::Hold => return Some(Fallback::Hold),
            OnError::Null => return Some(Fallback::Null),
            OnError::Default(default) => default,
        };
        let translated = input.values.get(default).map_or(default.as_str(), |to| to.as_str());
        let converted = types::convert_text(kind, options, &StringArray::from(vec![translated]));
        let pointer = child(&child(&input.key, "on_error"), "default");
        if let Some((_, reason)) = converted.failures.first() {
            let message = format!("the default of `on_error` does not convert: {}", reason.message);
            self.problems.at(code::DEFAULT, &pointer, message, None);
            return None;
        }
        if converted.values.is_null(0) {
            let advice = Some("write `on_error: null`".to_owned());
            self.problems.at(code::DEFAULT, &pointer, "the default is empty".to_owned(), advice);
            return None;
        }
        Some(Fallback::Default(converted.values))
    }

    fn origin(&mut self, lowered: Lowered, env: &Env<'_>, pointer: &str) -> Option<(Origin, Vec<String>)> {
        let fields: Vec<String> = lowered.names.iter().map(|name| name.name.clone()).collect();
        if lowered.is_bare
            && let [field] = fields.as_slice()
        {
            return Some((Origin::Field(field.clone()), fields));
        }
        let program = self.program(lowered, env, pointer)?;
        Some((Origin::Program(Box::new(program)), fields))
    }

    fn program(&mut self, lowered: Lowered, env: &Env<'_>, pointer: &str) -> Option<Program> {
        let program = Program::new(lowered, env.options.clone());
        check_program(&program, self.settings.timezone, pointer, &mut self.problems).then_some(program)
    }

    fn condition(&mut self, pointer: &str, text: &str) -> Option<CompiledCondition> {
        let env = Env::new(self.settings, &AS_USUAL);
        let lowered = lower(&self.scope, &env, pointer, text, &mut self.problems)?;
        let result = lowered.typed.sql_type;
        if !matches!(result, SqlType::Boolean) {
            let advice = (result == SqlType::Text && lowered.is_bare).then(|| {
                let name = written(text.trim());
                format!("write `boolean({name})`, or compare it: `{name} = '…'`")
            });
            let message = format!("`where` needs a condition; this is {}", result.phrase());
            self.problems.within(code::CONDITION, pointer, Span::empty(), message, advice);
            return None;
        }
        let fields = lowered.names.iter().map(|name| name.name.clone()).collect();
        let program = self.program(lowered, &env, pointer)?;
        Some(CompiledCondition { program, fields, place: self.problems.place(pointer) })
    }

    /// A field with its old name. Whether the old one was ever read is for the log to say.
    fn rename(&mut self, field: &str, renamed: &Renamed) -> Option<CompiledRename> {
        let pointer = child("/renamed", field);
        if self.scope.get(field).is_none() {
            let advice = self.scope.nearest(field).map(did_you_mean);
            let message = format!("unknown {} `{field}` of {}", self.scope.what, self.scope.of);
            self.problems.at_key(code::UNKNOWN_FIELD, &pointer, message, advice);
            return None;
        }
        let on = format!("{pointer}/on");
        match chrono::NaiveDate::parse_from_str(&renamed.on, "%Y-%m-%d") {
            Ok(day) => Some(CompiledRename {
                field: field.to_owned(),
                was: renamed.was.clone(),
                since: day_start(day, self.settings.timezone),
                place: self.problems.place(&format!("{pointer}/was")),
            }),
            Err(_) => {
                let message = format!("`{}` is not a day", renamed.on);
                self.problems.at(code::CONSTANT, &on, message, Some("write it as 2026-03-01".to_owned()));
                None
            }
        }
    }

    /// One side of `effective`, which is computed like a variable of type date.
    fn effective(&mut self, name: &str, pointer: &str, text: &str) -> Option<CompiledVariable> {
        let variable = date_variable(name);
        self.variable(&Input {
            variable: &variable,
            key: pointer.to_owned(),
            text_pointer: pointer.to_owned(),
            text,
            values: HashMap::new(),
            on_error: &OnError::Hold,
            stream: None,
            read_as: &AS_USUAL,
            currency: None,
            rank: 0,
        })
    }
}

/// Whether the program can be planned and does not fail whatever the record; else a problem.
pub(super) fn check_program(program: &Program, timezone: Tz, pointer: &str, problems: &mut Problems<'_>) -> bool {
    let as_of = AsOf { instant: Timestamp::from_micros(0), timezone };
    let failure = match program.bind(as_of) {
        Ok(bound) => bound.fails_on_blank(),
        Err(error) => Some(error.render()),
    };
    if let Some(why) = failure {
        let message = format!("the expression fails for every record: {why}");
        let advice = Some("check its constants: patterns, positions, formats".to_owned());
        problems.at(code::ALWAYS_FAILS, pointer, message, advice);
        return false;
    }
    true
}

fn date_variable(name: &str) -> VariableConfig {
    VariableConfig {
        name: name.to_owned(),
        label: Default::default(),
        description: None,
        r#type: VariableType::Date,
        from: Vec::new(),
        derive: None,
        values: Vec::new(),
        value_labels: Default::default(),
        read_as: Default::default(),
        currency: None,
        scale: None,
        entity: None,
        aggregate: None,
        better: None,
    }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
