//! Records before their first version, and calculated fields before their first reading, as far as facts tell (semantics
//! C2).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use super::facts::{FactTable, Said};
use super::model::StreamModel;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// Rows at an instant before their first version.
pub(super) struct Asserted {
    /// Those of which anything is known, with the values of then.
    pub(super) known: RecordBatch,
    /// By field, the rows of `known` whose value of then is not known.
    pub(super) unknown: HashMap<String, HashSet<usize>>,
    /// Those of which nothing is known, as they came.
    pub(super) silent: RecordBatch,
}

/// Puts the values of `at` into `first`, the earliest versions of records: keys in its first column, `_valid_from` in
/// its second, fields from position `fields_from` on.
pub(super) fn asserted(
    model: &StreamModel,
    first: &RecordBatch,
    fields_from: usize,
    table: &FactTable,
    at: Timestamp,
) -> Result<Asserted> {
    let schema = first.schema();
    let rows = first.num_rows();
    let keys = first.column(0).as_string::<i32>();
    let dates = first.column(1).as_primitive::<TimestampMicrosecondType>();
    let mut columns: Vec<ArrayRef> = first.columns().to_vec();
    let mut unknown: HashMap<String, HashSet<usize>> = HashMap::new();
    let mut says_anything = vec![false; rows];
    for (position, column) in columns.iter_mut().enumerate().skip(fields_from) {
        let field = schema.field(position).name();
        let values = first.column(position).as_string::<i32>();
        let mut then = StringBuilder::new();
        let of_field = unknown.entry(field.clone()).or_default();
        for (row, says_anything) in says_anything.iter_mut().enumerate() {
            match table.at(keys.value(row), field, at.micros(), dates.value(row)) {
                Said::Value(value) => then.append_option(value),
                Said::AsFirst => then.append_option(values.is_valid(row).then(|| values.value(row))),
                Said::Unknown => {
                    then.append_null();
                    of_field.insert(row);
                    continue;
                }
            }
            *says_anything = true;
        }
        *column = Arc::new(then.finish());
    }
    // A value of then dates from then at the latest; when exactly it came about is of no matter before a first version.
    let dated: TimestampMicrosecondArray =
        dates.iter().map(|date| date.map(|date| date.min(at.micros()))).collect::<TimestampMicrosecondArray>();
    columns[1] = Arc::new(dated.with_data_type(schema.field(1).data_type().clone()));
    // Whether a record of which the condition cannot be told counts is not known either.
    let condition: &[String] = model.mapping.scope.as_ref().map_or(&[], |scope| &scope.fields);
    let is_known: BooleanArray = (0..rows)
        .map(|row| {
            let is_in_doubt = condition.iter().any(|field| unknown.get(field).is_some_and(|rows| rows.contains(&row)));
            Some(says_anything[row] && !is_in_doubt)
        })
        .collect();
    let is_silent = datafusion::arrow::compute::not(&is_known).map_err(misfit)?;
    let then = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(misfit)?;
    let mut place = 0;
    let moved: HashMap<usize, usize> = (0..rows)
        .filter(|row| is_known.value(*row))
        .map(|row| {
            place += 1;
            (row, place - 1)
        })
        .collect();
    for rows in unknown.values_mut() {
        *rows = rows.iter().filter_map(|row| moved.get(row).copied()).collect();
    }
    Ok(Asserted {
        known: filter_record_batch(&then, &is_known).map_err(misfit)?,
        unknown,
        silent: filter_record_batch(first, &is_silent).map_err(misfit)?,
    })
}

/// Calculated fields that were read later than the instant, with the values that facts tell of then.
pub(super) struct Calculated {
    /// The rows, with these values.
    pub(super) rows: RecordBatch,
    /// By field, the rows that have them.
    pub(super) told: HashMap<String, HashSet<usize>>,
}

/// Puts the values of `at` into the calculated fields of `rows`, versions that count at `at`: keys in the first column,
/// `_observed_at` in the third, fields from position `fields_from` on. `first_read` says of the keys that were first read
/// later than `at` when that was; of others a reading answers, not a fact.
pub(super) fn calculated(
    model: &StreamModel,
    rows: RecordBatch,
    fields_from: usize,
    table: &FactTable,
    first_read: &HashMap<String, i64>,
    at: Timestamp,
) -> Result<Calculated> {
    let mut told: HashMap<String, HashSet<usize>> = HashMap::new();
    if first_read.is_empty() {
        return Ok(Calculated { rows, told });
    }
    let schema = rows.schema();
    let keys = rows.column(0).as_string::<i32>();
    let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
    for (position, column) in columns.iter_mut().enumerate().skip(fields_from) {
        let field = schema.field(position).name();
        if model.log.columns().class_of(field) != Some(FieldClass::Calculated) {
            continue;
        }
        let values = rows.column(position).as_string::<i32>();
        let mut then = StringBuilder::new();
        let of_field = told.entry(field.clone()).or_default();
        for row in 0..rows.num_rows() {
            let as_read = values.is_valid(row).then(|| values.value(row));
            let first = first_read.get(keys.value(row));
            let said = first.map_or(Said::Unknown, |first| table.at(keys.value(row), field, at.micros(), *first));
            match said {
                Said::Value(value) => then.append_option(value),
                Said::AsFirst | Said::Unknown => then.append_option(as_read),
            }
            if said != Said::Unknown {
                of_field.insert(row);
            }
        }
        *column = Arc::new(then.finish());
    }
    Ok(Calculated { rows: RecordBatch::try_new(schema, columns).map_err(misfit)?, told })
}

fn misfit(error: datafusion::arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "facts do not line up with the records they are about").caused_by(error)
}
