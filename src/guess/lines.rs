//! From candidates to lines: which field is taken for which variable, and the expression that reads it.

use std::collections::{BTreeMap, HashSet};

use super::choices::Choices;
use super::evidence::Candidate;
use super::family::Family;
use super::sample::Samples;
use super::shape::is_url;
use super::synonyms::{ExpectedShape, Synonyms};
use super::words::{forms_of_label, forms_of_name};
use super::{DRAFTED_FROM, Input, PROPOSED_FROM};
use crate::map::{FullMapping, VariableMapping, written};
use crate::record::{Choice, FieldClass};
use crate::schema::VariableType;
use crate::schema::model::OnError;

/// Whether a line is part of the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is.
    Drafted,
    /// It stands in a comment, to be taken in by a person.
    Proposed,
}

/// One entry of a picklist with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// The entry, as the source writes it.
    pub from: String,
    /// The enum's value.
    pub to: String,
    /// How it was recognized, where it is not a word for the value; else empty.
    pub how: String,
}

/// One line of a draft: where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The variable.
    pub variable: String,
    /// The expression over the stream's fields.
    pub expression: String,
    /// The fields that it reads.
    pub fields: Vec<String>,
    /// How sure it is, in hundredths.
    pub confidence: u8,
    /// Why.
    pub reason: String,
    /// For enums, the entries whose value is clear.
    pub values: Vec<Translated>,
    /// Entries whose value a person must say; until then they are held.
    pub open: Vec<Choice>,
    /// For `ref`, the stream whose key it is, where that must be said.
    pub stream: Option<String>,
    /// Whether it is part of the mapping.
    pub state: State,
    /// Whether it follows a template.
    pub is_of_template: bool,
}

impl Line {
    /// The line as a mapping has it.
    pub fn to_mapping(&self) -> VariableMapping {
        if self.values.is_empty() && self.stream.is_none() {
            return VariableMapping::Expr(self.expression.clone());
        }
        let values: BTreeMap<String, String> =
            self.values.iter().map(|value| (value.from.clone(), value.to.clone())).collect();
        let (from, stream) = (self.expression.clone(), self.stream.clone());
        VariableMapping::Full(FullMapping { from, values, on_error: OnError::Hold, stream, ..FullMapping::default() })
    }
}

/// Chooses lines from those of a template and the candidates: the surest first, each variable and each field once. The
/// result is in the order of the variables.
pub(super) fn choose(
    input: &Input<'_>,
    from_template: Vec<Line>,
    candidates: Vec<Candidate>,
    synonyms: &Synonyms,
    samples: &Samples,
) -> Vec<Line> {
    let mut all: Vec<Line> = from_template;
    all.extend(parts(input, synonyms));
    all.extend(candidates.into_iter().map(|candidate| line(input, candidate, synonyms, samples)));
    // Stable: of equally sure lines the template's stands first, then that of the earlier field.
    all.sort_by_key(|line| std::cmp::Reverse(line.confidence));
    let (mut variables, mut fields) = (HashSet::new(), HashSet::new());
    let mut chosen: Vec<Line> = Vec::new();
    for line in all {
        let is_free = !variables.contains(&line.variable) && line.fields.iter().all(|field| !fields.contains(field));
        if line.confidence < PROPOSED_FROM || !is_free {
            continue;
        }
        variables.insert(line.variable.clone());
        // What is only proposed keeps no field from being drafted, since surer lines came before.
        fields.extend(line.fields.iter().cloned());
        chosen.push(line);
    }
    let place = |line: &Line| input.variables.iter().position(|variable| variable.name == line.variable);
    chosen.sort_by_key(place);
    chosen
}

fn line(input: &Input<'_>, candidate: Candidate, synonyms: &Synonyms, samples: &Samples) -> Line {
    let variable = &input.variables[candidate.variable];
    let field = &input.stream.fields[candidate.field];
    let (name, family) = (&field.name, Family::of(field));
    let shape = synonyms.of(input.entity, variable).entry.shape;
    let quoted = written(name);
    let expression = match (variable.r#type, family) {
        (VariableType::Text, Family::Users) => format!("split_part({quoted}, chr(10), 1)"),
        (VariableType::Text, family) if shape == Some(ExpectedShape::Url) => {
            host_of(&quoted, samples.values(candidate.field), family)
        }
        (VariableType::Date, Family::Instant) => format!("date(datetime({quoted}))"),
        _ => as_expression(name),
    };
    let Choices { known, open, .. } = candidate.choices;
    Line {
        variable: variable.name.clone(),
        expression,
        fields: vec![name.clone()],
        confidence: candidate.confidence,
        reason: candidate.reason,
        values: known,
        open,
        stream: candidate.stream,
        state: state_of(candidate.confidence),
        is_of_template: false,
    }
}

/// A field's name as an expression of its own: in double quotes where signs in it would mean something. What is no name
/// without the stream's fields at hand (`月額(円)`) is refused by `check --offline`.
pub(super) fn as_expression(name: &str) -> String {
    let is_system = name.strip_prefix('$').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_lowercase()));
    if is_system { name.to_owned() } else { written(name) }
}

/// The host of a web address; of values that have a scheme in front and values that have none, of both.
fn host_of(field: &str, values: &[String], family: Family) -> String {
    let with_scheme = values.iter().filter(|value| is_url(value)).count();
    match values.len() {
        0 if family != Family::Url => format!("lower({field})"),
        count if with_scheme == count => format!("lower(split_part({field}, '/', 3))"),
        _ if with_scheme == 0 => format!("lower(split_part({field}, '/', 1))"),
        _ => format!("lower(split_part(regexp_replace({field}, '^https?://', ''), '/', 1))"),
    }
}

pub(super) fn state_of(confidence: u8) -> State {
    if confidence >= DRAFTED_FROM { State::Drafted } else { State::Proposed }
}

/// Variables whose value stands in two fields, both there by their whole name or label.
fn parts(input: &Input<'_>, synonyms: &Synonyms) -> Vec<Line> {
    let mut lines = Vec::new();
    for variable in input.variables {
        let words = synonyms.of(input.entity, variable);
        let Some(parts) = &words.entry.parts else { continue };
        let found = [0, 1].map(|part| {
            let is_part = |field: &&crate::record::Field| {
                let mut forms = forms_of_name(&field.name);
                forms.extend(field.label.iter().flat_map(|label| forms_of_label(label, None)));
                field.class == FieldClass::Business && forms.iter().any(|form| form.doubt == 0 && parts.is(part, form))
            };
            input.stream.fields.iter().find(is_part).map(|field| field.name.clone())
        });
        let [Some(first), Some(second)] = found else { continue };
        let expression = parts.expr.replace("{first}", &written(&first)).replace("{second}", &written(&second));
        lines.push(Line {
            variable: variable.name.clone(),
            expression,
            reason: format!("{first} and {second} are its two parts, family name first"),
            fields: vec![first, second],
            confidence: 98,
            values: Vec::new(),
            open: Vec::new(),
            stream: None,
            state: State::Drafted,
            is_of_template: false,
        });
    }
    lines
}
