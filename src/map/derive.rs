//! `derive`: variables computed from other variables of the same entity.
//!
//! They run after unify, on one row per customer (or contact, …), and see typed values. A derived variable
//! may use another; they are run in an order in which each finds what it reads, and a circle is refused.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;

use super::compile::{Settings, check_program};
use super::diagnostic::{Places, Problems, code};
use super::lower::{Env, lower};
use super::program::{AsOf, Program};
use super::scope::Scope;
use super::sql_type::variable_type_word;
use crate::clock::Timestamp;
use crate::config::{Place, Problem};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::types::{self, Reason, TypeOptions};
use crate::schema::{VariableConfig, VariableType};

/// A variable as expressions over its entity see it.
#[derive(Debug, Clone)]
pub struct TypedVariable {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: VariableType,
    /// How its values lie in memory.
    pub data_type: DataType,
    /// For `enum`: its values in order.
    pub choices: Vec<String>,
}

impl TypedVariable {
    /// What `variable` is in a project with these settings.
    pub fn of(variable: &VariableConfig, settings: &Settings) -> Self {
        let options = settings.options_of(variable);
        let kind = variable.r#type;
        let data_type = types::data_type(kind, &options);
        let choices = if kind == VariableType::Enum { variable.values.clone() } else { Vec::new() };
        TypedVariable { name: variable.name.clone(), kind, data_type, choices }
    }
}

/// A derived variable and where it is written.
#[derive(Clone, Copy)]
pub struct DeriveInput<'a> {
    /// The variable; without `derive` it is passed over.
    pub variable: &'a VariableConfig,
    /// The file.
    pub places: &'a dyn Places,
    /// Where the variable stands in its file; empty when the file is the variable.
    pub pointer: &'a str,
}

/// A derived variable, ready to be computed.
#[derive(Debug, Clone)]
pub struct CompiledDerive {
    /// The variable's name.
    pub name: String,
    /// Its type.
    pub kind: VariableType,
    /// How its values lie in memory.
    pub data_type: DataType,
    /// The variables it reads, in the order of their first use.
    pub reads: Vec<String>,
    /// Where its expression stands.
    pub place: Place,
    options: TypeOptions,
    program: Program,
    timezone: Tz,
}

/// Compiles all derived variables of an entity, in an order in which they can be run.
///
/// `variables` are all variables of the entity, the derived ones among them; `derives` those with a
/// `derive`, in any order. Variables that read nothing of each other keep the order given.
///
/// # Errors
///
/// All problems, in the order of their places; circles among them.
pub fn compile_derives(
    entity: &str,
    variables: &[VariableConfig],
    derives: &[DeriveInput<'_>],
    settings: &Settings,
) -> Result<Vec<CompiledDerive>, Vec<Problem>> {
    let typed: Vec<TypedVariable> = variables.iter().map(|variable| TypedVariable::of(variable, settings)).collect();
    let scope = Scope::of_entity(entity, &typed);
    let mut problems = Vec::new();
    let mut compiled = Vec::new();
    for input in derives {
        match compile_derive(&scope, input, settings) {
            Ok(derive) => compiled.extend(derive.map(|derive| (derive, *input))),
            Err(found) => problems.extend(found),
        }
    }
    let ordered = in_order(compiled).unwrap_or_else(|circles| {
        problems.extend(circles);
        Vec::new()
    });
    if problems.is_empty() {
        return Ok(ordered);
    }
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    Err(problems)
}

fn compile_derive(
    scope: &Scope,
    input: &DeriveInput<'_>,
    settings: &Settings,
) -> Result<Option<CompiledDerive>, Vec<Problem>> {
    let variable = input.variable;
    let Some(text) = &variable.derive else { return Ok(None) };
    let mut problems = Problems::of(input.places);
    let pointer = format!("{}/derive", input.pointer);
    if !variable.from.is_empty() {
        let message = format!("`{}` has both `from` and `derive`", variable.name);
        problems.at_key(code::ORIGIN, &pointer, message, Some("keep one of the two".to_owned()));
    }
    let kind = variable.r#type;
    let options = settings.options_of(variable);
    let env = Env::new(settings, &options.read_as);
    let lowered = lower(scope, &env, &pointer, text, &mut problems);
    let derive = lowered.and_then(|lowered| {
        let result = lowered.typed.sql_type;
        if !result.fits(kind) {
            let message = format!(
                "the expression is {}, but `{}` is {}",
                result.phrase(),
                variable.name,
                variable_type_word(kind)
            );
            problems.at(code::RESULT_TYPE, &pointer, message, result.advice_for(kind));
            return None;
        }
        let program = Program::new(lowered, env.options);
        check_program(&program, settings.timezone, &pointer, &mut problems).then(|| CompiledDerive {
            name: variable.name.clone(),
            kind,
            data_type: types::data_type(kind, &options),
            reads: program.names().map(str::to_owned).collect(),
            place: problems.place(&pointer),
            options,
            program,
            timezone: settings.timezone,
        })
    });
    let problems = problems.finish();
    if problems.is_empty() { Ok(derive) } else { Err(problems) }
}

/// Sorts so that each comes after what it reads; circles are problems.
fn in_order(derives: Vec<(CompiledDerive, DeriveInput<'_>)>) -> Result<Vec<CompiledDerive>, Vec<Problem>> {
    let index: BTreeMap<String, usize> =
        derives.iter().enumerate().map(|(at, (derive, _))| (derive.name.clone(), at)).collect();
    let reads = |at: usize| derives[at].0.reads.iter().filter_map(|name| index.get(name).copied()).collect::<Vec<_>>();
    let mut placed = vec![false; derives.len()];
    let mut order = Vec::new();
    while let Some(next) = (0..derives.len()).find(|at| !placed[*at] && reads(*at).iter().all(|read| placed[*read])) {
        placed[next] = true;
        order.push(next);
    }
    let mut problems = Vec::new();
    let mut told = placed.clone();
    for at in 0..derives.len() {
        if told[at] {
            continue;
        }
        if let Some(circle) = circle_through(at, &reads, &placed) {
            circle.iter().for_each(|member| told[*member] = true);
            let (derive, input) = &derives[at];
            let names: Vec<_> = circle.iter().chain([&at]).map(|at| format!("`{}`", derives[*at].0.name)).collect();
            let mut problem = Problems::of(input.places);
            let message = format!("`{}` derives from itself: {}", derive.name, names.join(" reads "));
            let advice = "compute one of them from other variables".to_owned();
            problem.at(code::CYCLE, &format!("{}/derive", input.pointer), message, Some(advice));
            problems.extend(problem.finish());
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut derives: Vec<_> = derives.into_iter().map(|(derive, _)| Some(derive)).collect();
    Ok(order.into_iter().filter_map(|at| derives[at].take()).collect())
}

/// The shortest way from `start` back to itself, over what is not placed.
fn circle_through(start: usize, reads: &impl Fn(usize) -> Vec<usize>, placed: &[bool]) -> Option<Vec<usize>> {
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in reads(at) {
            if next == start {
                let mut circle = vec![at];
                let mut step = at;
                while step != start {
                    step = *came_from.get(&step)?;
                    circle.push(step);
                }
                circle.reverse();
                return Some(circle);
            }
            if !placed[next] && next != start && !came_from.contains_key(&next) {
                came_from.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

/// Computes a derived variable over `batch`, which has a typed column per variable in
/// [`CompiledDerive::reads`], by name.
///
/// Gives one value per row, and the rows that could not be computed with their reasons; those are null.
///
/// # Errors
///
/// [`Internal`](ErrorKind::Internal) when a variable that it reads is not in the batch.
pub fn run_derive(
    derive: &CompiledDerive,
    batch: &RecordBatch,
    as_of: Timestamp,
) -> Result<(ArrayRef, Vec<(usize, Reason)>)> {
    let as_of = AsOf { instant: as_of, timezone: derive.timezone };
    let inputs = derive.program.inputs(|name, data_type| {
        let column = batch.column_by_name(name);
        let column = column.filter(|column| column.data_type() == data_type || data_type == &DataType::Utf8);
        let wrong = || {
            Error::new(
                ErrorKind::Internal,
                "a variable that another is derived from is not in the batch, or has another type",
            )
            .with("variable", name)
        };
        cast(column.ok_or_else(wrong)?, data_type).map_err(|error| wrong().caused_by(error))
    })?;
    let evaluated = derive.program.bind(as_of)?.evaluate(inputs, batch.num_rows())?;
    let converted = types::convert(derive.kind, &derive.options, &evaluated.values);
    let mut failures: BTreeMap<usize, Reason> = converted.failures.into_iter().collect();
    failures.extend(evaluated.failures);
    let failed: Vec<usize> = failures.keys().copied().collect();
    let values = super::run::null_at(&converted.values, &failed)?;
    Ok((values, failures.into_iter().collect()))
}
