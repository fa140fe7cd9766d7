//! Runs a compiled mapping over a batch of records.
//!
//! A row of the result depends on that row of the batch alone: a batch gives the same as its rows one by
//! one, in any order. Where nothing fails, no value is looked at twice and nothing is allocated per value.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::Scalar;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, RecordBatch, StringArray, StringBuilder, make_array,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::datatypes::DataType;

use super::compile::{CompiledMapping, CompiledVariable, Fallback, Origin};
use super::held::HeldField;
use super::program::AsOf;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::types::{self, Reason};

/// What a mapping made of a batch; everything has the rows of the batch, in their order.
#[derive(Debug)]
pub struct MappedBatch {
    /// Whether the record is in scope (`where` is true); never null. A record whose `where` cannot be
    /// computed is out of scope and held.
    pub in_scope: BooleanArray,
    /// One per [`CompiledMapping::variables`], in that order; null outside the scope, where held and where
    /// the source has no value.
    pub columns: Vec<ArrayRef>,
    /// The values that could not be converted, by row, then in the order of the variables; none outside
    /// the scope but for those of `where` itself.
    pub held: Vec<HeldField>,
    /// From when on the record counts, a date; `None` when the mapping does not say.
    pub effective_from: Option<ArrayRef>,
    /// Until when it counts, exclusive, a date; `None` when the mapping does not say.
    pub effective_to: Option<ArrayRef>,
}

/// Runs `mapping` over `batch`, which has one text column per field, named exactly as the source names it.
///
/// Only the fields in [`CompiledMapping::fields_used`] need be there. `as_of` is the instant that is asked
/// about: what `now()` means, and its day in the project's time zone what `as_of()` means.
///
/// # Errors
///
/// [`Internal`](ErrorKind::Internal) when a used field is missing from the batch or is no text. Values
/// never make an error: they are held.
pub fn run(mapping: &CompiledMapping, batch: &RecordBatch, as_of: Timestamp) -> Result<MappedBatch> {
    let as_of = AsOf { instant: as_of, timezone: mapping.timezone };
    let rows = batch.num_rows();
    let fields = Fields::of(batch, &mapping.fields_used)?;
    let mut held = Vec::new();

    let in_scope = match &mapping.scope {
        None => BooleanArray::from(vec![true; rows]),
        Some(scope) => {
            let evaluated = scope.program.bind(as_of)?.evaluate(fields.all(&scope.fields)?, rows)?;
            let mut truth = is_true(evaluated.values.as_boolean());
            if !evaluated.failures.is_empty() {
                let failed: Vec<usize> = evaluated.failures.iter().map(|(row, _)| *row).collect();
                truth = without(&truth, &failed);
            }
            for (row, reason) in evaluated.failures {
                held.push((row, 0, fields.held(row, "where", &scope.fields, reason, &scope.place, false)?));
            }
            truth
        }
    };
    let everything = in_scope.true_count() == rows;

    let mut position = 0;
    let mut compute = |variable: &CompiledVariable| -> Result<ArrayRef> {
        position += 1;
        let (values, failures) = values(variable, &fields, rows, as_of)?;
        for (row, reason) in failures {
            if in_scope.value(row) {
                let bare = matches!(variable.origin, Origin::Field(_)) && variable.fields.len() == 1;
                let place = &variable.place;
                held.push((row, position, fields.held(row, &variable.name, &variable.fields, reason, place, bare)?));
            }
        }
        if everything { Ok(values) } else { outside_null(&values, &in_scope) }
    };
    let columns = mapping.variables.iter().map(&mut compute).collect::<Result<Vec<_>>>()?;
    let effective_from = mapping.effective_from.as_ref().map(&mut compute).transpose()?;
    let effective_to = mapping.effective_to.as_ref().map(&mut compute).transpose()?;

    held.sort_by_key(|(row, position, _)| (*row, *position));
    let held = held.into_iter().map(|(_, _, field)| field).collect();
    Ok(MappedBatch { in_scope, columns, held, effective_from, effective_to })
}

/// The values of a variable, and the rows to hold with their reasons.
fn values(
    variable: &CompiledVariable,
    fields: &Fields,
    rows: usize,
    as_of: AsOf,
) -> Result<(ArrayRef, Vec<(usize, Reason)>)> {
    let (input, early) = computed(&variable.origin, fields, rows, as_of)?;
    let input = match &variable.translation {
        Some(translation) if input.data_type() == &DataType::Utf8 => {
            Arc::new(translated(input.as_string::<i32>(), |text| translation.get(text).map(String::as_str)))
        }
        _ => input,
    };
    let converted = types::convert(variable.kind, &variable.options, &input);
    let foreign = match &variable.currency {
        Some(currency) => in_other_currency(variable, currency, &converted.values, fields, as_of)?,
        None => Vec::new(),
    };
    if early.is_empty() && converted.failures.is_empty() && foreign.is_empty() {
        return Ok((converted.values, Vec::new()));
    }
    let mut failures: BTreeMap<usize, Reason> = converted.failures.into_iter().collect();
    failures.extend(foreign);
    failures.extend(early);
    let failed: Vec<usize> = failures.keys().copied().collect();
    let kept = mask(rows, &failed);
    match &variable.on_error {
        Fallback::Hold => Ok((outside_null(&converted.values, &kept)?, failures.into_iter().collect())),
        Fallback::Null => Ok((outside_null(&converted.values, &kept)?, Vec::new())),
        Fallback::Default(value) => {
            let values = zip(&kept, &converted.values, &Scalar::new(Arc::clone(value)));
            Ok((values.map_err(|error| broken("a default", error))?, Vec::new()))
        }
    }
}

/// A field, or what an expression gives, with the rows that could not be computed.
fn computed(origin: &Origin, fields: &Fields, rows: usize, as_of: AsOf) -> Result<(ArrayRef, Vec<(usize, Reason)>)> {
    match origin {
        Origin::Field(name) => Ok((Arc::clone(fields.get(name)?), Vec::new())),
        Origin::Program(program) => {
            let inputs = program.names().map(|name| fields.get(name).map(Arc::clone)).collect::<Result<_>>()?;
            let evaluated = program.bind(as_of)?.evaluate(inputs, rows)?;
            Ok((evaluated.values, evaluated.failures))
        }
    }
}

/// The rows that have an amount whose record does not say that it is in the variable's currency.
fn in_other_currency(
    variable: &CompiledVariable,
    currency: &Origin,
    amounts: &ArrayRef,
    fields: &Fields,
    as_of: AsOf,
) -> Result<Vec<(usize, Reason)>> {
    let (named, early) = computed(currency, fields, amounts.len(), as_of)?;
    let mut failures: BTreeMap<usize, Reason> = early.into_iter().filter(|(row, _)| amounts.is_valid(*row)).collect();
    let own = variable.options.currency.as_deref().unwrap_or("JPY");
    for (row, named) in named.as_string::<i32>().iter().enumerate() {
        if amounts.is_valid(row)
            && let Err(reason) = types::check_currency(named, own)
        {
            failures.entry(row).or_insert(reason);
        }
    }
    Ok(failures.into_iter().collect())
}

/// The texts with those replaced that the translation knows.
fn translated<'t>(input: &StringArray, translate: impl Fn(&str) -> Option<&'t str>) -> StringArray {
    let mut output = StringBuilder::with_capacity(input.len(), input.value_data().len());
    for text in input {
        output.append_option(text.map(|text| translate(text).unwrap_or(text)));
    }
    output.finish()
}

/// All true but for `failed`.
fn mask(rows: usize, failed: &[usize]) -> BooleanArray {
    let mut bits = BooleanBufferBuilder::new(rows);
    bits.append_n(rows, true);
    for row in failed {
        bits.set_bit(*row, false);
    }
    BooleanArray::new(bits.finish(), None)
}

fn without(truth: &BooleanArray, failed: &[usize]) -> BooleanArray {
    BooleanArray::new(truth.values() & mask(truth.len(), failed).values(), None)
}

/// Null as false.
fn is_true(truth: &BooleanArray) -> BooleanArray {
    match truth.nulls() {
        None => truth.clone(),
        Some(nulls) => BooleanArray::new(truth.values() & nulls.inner(), None),
    }
}

/// The values with null where `kept` is false.
fn outside_null(values: &ArrayRef, kept: &BooleanArray) -> Result<ArrayRef> {
    let nulls = NullBuffer::union(values.nulls(), Some(&NullBuffer::new(kept.values().clone())));
    let data = values.to_data().into_builder().nulls(nulls).build();
    data.map(make_array).map_err(|error| broken("a null", error))
}

/// The values with null at the rows of `failed`.
pub(super) fn null_at(values: &ArrayRef, failed: &[usize]) -> Result<ArrayRef> {
    if failed.is_empty() { Ok(Arc::clone(values)) } else { outside_null(values, &mask(values.len(), failed)) }
}

fn broken(what: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, "could not put a value into a mapped column").with("value", what).caused_by(error)
}

/// The used columns of a batch, by name.
struct Fields {
    columns: BTreeMap<String, ArrayRef>,
}

impl Fields {
    fn of(batch: &RecordBatch, used: &[String]) -> Result<Self> {
        let schema = batch.schema_ref();
        let column = |name: &String| {
            let at = schema.fields().iter().position(|field| field.name() == name);
            let column = at.map(|at| batch.column(at)).ok_or_else(|| missing(name))?;
            let column = match column.data_type() {
                DataType::Utf8 => Arc::clone(column),
                DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
                    cast(column, &DataType::Utf8).map_err(|error| missing(name).caused_by(error))?
                }
                _ => return Err(missing(name)),
            };
            Ok((name.clone(), column))
        };
        Ok(Fields { columns: used.iter().map(column).collect::<Result<_>>()? })
    }

    fn get(&self, name: &str) -> Result<&ArrayRef> {
        self.columns.get(name).ok_or_else(|| missing(name))
    }

    fn all(&self, names: &[String]) -> Result<Vec<ArrayRef>> {
        names.iter().map(|name| self.get(name).map(Arc::clone)).collect()
    }

    fn held(
        &self,
        row: usize,
        variable: &str,
        names: &[String],
        reason: Reason,
        place: &crate::config::Place,
        bare: bool,
    ) -> Result<HeldField> {
        let mut raw = String::new();
        for name in names {
            let column = self.get(name)?.as_string::<i32>();
            let value = if column.is_valid(row) { column.value(row) } else { "" };
            if !bare {
                if !raw.is_empty() {
                    raw.push_str("; ");
                }
                raw.push_str(name);
                raw.push('=');
            }
            raw.push_str(value);
        }
        Ok(HeldField {
            row,
            variable: variable.to_owned(),
            field: names.join(", "),
            raw,
            reason_code: reason.code,
            reason: reason.message,
            place: place.clone(),
        })
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::Internal, "a field that the mapping reads is not in the batch as text").with("field", name)
}
