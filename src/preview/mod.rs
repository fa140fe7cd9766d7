//! Records beside what a mapping makes of them, with nothing written.
//!
//! The mapping is the one on disk, compiled against the fields that the source offers now (or that the log has). What it
//! makes of a record is what a sync would: the same conversions, the same reasons for what is held.

mod compiled;
mod live;
mod stored;

use datafusion::arrow::array::{Array, RecordBatch};

use crate::clock::Timestamp;
use crate::error::Result;
use crate::map::{CompiledMapping, HeldField, run};
use crate::schema::VariableType;
use crate::schema::types::format_cell;

pub use compiled::{OnDisk, compile_on_disk};
pub use live::batch_of;
pub use stored::{Stored, read_stored};

/// Why a value is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it was for: a variable, `where`, or a side of `effective`.
    pub what: String,
    /// A stable word to count by.
    pub code: &'static str,
    /// What is wrong and what is accepted.
    pub reason: String,
    /// Where the mapping says it.
    pub place: String,
}

/// One variable of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The variable.
    pub name: String,
    /// Its type.
    pub kind: VariableType,
    /// Its value as text; `None` where the source has none, and where it is held.
    pub value: Option<String>,
    /// The fields that it is read from.
    pub fields: Vec<String>,
    /// Why there is no value although the source has one.
    pub held: Option<Held>,
}

/// One record with what a mapping makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previewed {
    /// The record's key.
    pub key: String,
    /// Where in the source it stands, where the source says so.
    pub place: String,
    /// Whether `where` lets it in.
    pub in_scope: bool,
    /// From which day on it counts; outer `None` where the mapping does not say.
    pub effective_from: Option<Option<String>>,
    /// Until which day, exclusive.
    pub effective_to: Option<Option<String>>,
    /// All its fields as sent, in the source's order.
    pub raw: Vec<(String, Option<String>)>,
    /// The variables, in the entity's order.
    pub variables: Vec<Mapped>,
    /// What could not be computed beside variables.
    pub held: Vec<Held>,
}

/// Maps records: row `i` of `batch` has the key and place `heads[i]`.
///
/// # Errors
///
/// Internal when the batch lacks a field that the mapping reads.
pub fn map(
    mapping: &CompiledMapping,
    order: &[String],
    batch: &RecordBatch,
    heads: &[(String, String)],
    as_of: Timestamp,
) -> Result<Vec<Previewed>> {
    let mapped = run(mapping, batch, as_of)?;
    let mut held: Vec<Vec<&HeldField>> = vec![Vec::new(); batch.num_rows()];
    for field in &mapped.held {
        held[field.row].push(field);
    }
    let mut places: Vec<usize> = (0..mapping.variables.len()).collect();
    places.sort_by_key(|at| order.iter().position(|name| *name == mapping.variables[*at].name));
    let previewed = heads.iter().zip(held).enumerate().map(|(row, ((key, place), held))| {
        let of = |what: &str| held.iter().find(|field| field.variable == what).map(|field| why(field));
        let variables = places.iter().map(|at| {
            let variable = &mapping.variables[*at];
            Mapped {
                name: variable.name.clone(),
                kind: variable.kind,
                value: format_cell(&mapped.columns[*at], row),
                fields: variable.fields.clone(),
                held: of(&variable.name),
            }
        });
        let raw = batch.schema_ref().fields().iter().zip(batch.columns());
        Previewed {
            key: key.clone(),
            place: place.clone(),
            in_scope: mapped.in_scope.value(row),
            effective_from: mapped.effective_from.as_ref().map(|days| format_cell(days, row)),
            effective_to: mapped.effective_to.as_ref().map(|days| format_cell(days, row)),
            raw: raw.map(|(field, column)| (field.name().clone(), text(column.as_ref(), row))).collect(),
            variables: variables.collect(),
            held: ["where", "effective.from", "effective.to"].into_iter().filter_map(of).collect(),
        }
    });
    Ok(previewed.collect())
}

fn text(column: &dyn Array, row: usize) -> Option<String> {
    format_cell(column, row)
}

fn why(field: &HeldField) -> Held {
    Held {
        what: field.variable.clone(),
        code: field.reason_code,
        reason: field.reason.clone(),
        place: field.place.to_string(),
    }
}
