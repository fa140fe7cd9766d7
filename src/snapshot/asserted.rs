//! Records before their first version, as far as facts tell (semantics C2).

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

fn misfit(error: datafusion::arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "facts do not line up with the records they are about").caused_by(error)
}
