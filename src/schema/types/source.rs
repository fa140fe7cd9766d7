//! Conversion of what a SQL expression gives, which may be typed already.
//!
//! Nothing is coerced where a reader of the mapping would not see it: a float has lost its decimals, a
//! timestamp without zone is no instant, and a number is no date. The reason says what to write instead.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveBuilder, StringBuilder, new_null_array};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};

use super::cell::format_cell;
use super::column::{convert_text, convert_texts};
use super::integer;
use super::number::Number;
use super::{Converted, DECIMAL_SCALE, Reason, TypeOptions, VariableType, data_type};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Converts a column of any type that a SQL expression can give; text as [`convert_text`] does.
pub fn convert(kind: VariableType, options: &TypeOptions, input: &ArrayRef) -> Converted {
    let array = input.as_ref();
    match array.data_type() {
        DataType::Utf8 => convert_text(kind, options, array.as_string::<i32>()),
        DataType::LargeUtf8 => convert_texts(kind, options, array.as_string::<i64>().iter()),
        DataType::Utf8View => convert_texts(kind, options, array.as_string_view().iter()),
        DataType::Null => {
            Converted { values: new_null_array(&data_type(kind, options), array.len()), failures: Vec::new() }
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let reason = Reason::new(
                "float",
                "the expression gives a binary float, which cannot hold most decimals; write decimal(x) around its fields",
            );
            Converted::refuse(kind, options, array, &reason)
        }
        DataType::Boolean if kind == VariableType::Boolean => same(input),
        DataType::Date32 if kind == VariableType::Date => same(input),
        DataType::Timestamp(unit, zone) => timestamps(kind, options, input, *unit, zone.is_some()),
        DataType::Int8 => numbers::<Int8Type>(kind, options, input, |value| value.into()),
        DataType::Int16 => numbers::<Int16Type>(kind, options, input, |value| value.into()),
        DataType::Int32 => numbers::<Int32Type>(kind, options, input, |value| value.into()),
        DataType::Int64 if kind == VariableType::Integer => same(input),
        DataType::Int64 => numbers::<Int64Type>(kind, options, input, |value| value.into()),
        DataType::UInt8 => numbers::<UInt8Type>(kind, options, input, |value| value.into()),
        DataType::UInt16 => numbers::<UInt16Type>(kind, options, input, |value| value.into()),
        DataType::UInt32 => numbers::<UInt32Type>(kind, options, input, |value| value.into()),
        DataType::UInt64 => numbers::<UInt64Type>(kind, options, input, |value| value.into()),
        given @ DataType::Decimal128(..) if *given == data_type(kind, options) => same(input),
        DataType::Decimal128(..) => numbers::<Decimal128Type>(kind, options, input, |value| value),
        DataType::Boolean | DataType::Date32 => as_text(kind, options, input),
        _ => Converted::refuse(kind, options, array, &unfit(kind, array.data_type())),
    }
}

fn same(input: &ArrayRef) -> Converted {
    Converted { values: Arc::clone(input), failures: Vec::new() }
}

/// Whole or decimal numbers, as numbers of the variable's type.
fn numbers<T: ArrowPrimitiveType>(
    kind: VariableType,
    options: &TypeOptions,
    input: &ArrayRef,
    widen: fn(T::Native) -> i128,
) -> Converted {
    let places = match input.data_type() {
        DataType::Decimal128(_, scale) => i32::from(*scale),
        _ => 0,
    };
    let number = |value| {
        let value = widen(value);
        Number { negative: value < 0, digits: value.unsigned_abs(), places }
    };
    let values = input.as_primitive::<T>();
    match kind {
        VariableType::Integer => each::<T, Int64Type>(kind, options, values, |value| integer::whole(number(value))),
        VariableType::Money => {
            each::<T, Decimal128Type>(kind, options, values, |value| number(value).scaled(options.scale))
        }
        // Quotients rarely end: beyond the places that these types keep, a computed number is rounded.
        VariableType::Decimal | VariableType::Percent => each::<T, Decimal128Type>(kind, options, values, |value| {
            number(value).rounded(DECIMAL_SCALE).scaled(DECIMAL_SCALE)
        }),
        _ => as_text(kind, options, input),
    }
}

/// Converts value by value; both arrays are primitive.
fn each<T: ArrowPrimitiveType, R: ArrowPrimitiveType>(
    kind: VariableType,
    options: &TypeOptions,
    values: &datafusion::arrow::array::PrimitiveArray<T>,
    read: impl Fn(T::Native) -> Result<R::Native, Reason>,
) -> Converted {
    let mut out = PrimitiveBuilder::<R>::with_capacity(values.len()).with_data_type(data_type(kind, options));
    let mut failures = Vec::new();
    for (row, value) in values.iter().enumerate() {
        match value.map(&read).transpose() {
            Ok(value) => out.append_option(value),
            Err(reason) => {
                out.append_null();
                failures.push((row, reason));
            }
        }
    }
    Converted { values: Arc::new(out.finish()), failures }
}

/// Numbers, days and truth values for a variable that is text: their canonical text, if it is one that the
/// variable accepts. For any other variable they are refused.
fn as_text(kind: VariableType, options: &TypeOptions, input: &ArrayRef) -> Converted {
    let is_text =
        matches!(kind, VariableType::Text | VariableType::Enum | VariableType::Ref | VariableType::CorporateNumber);
    if !is_text {
        return Converted::refuse(kind, options, input, &unfit(kind, input.data_type()));
    }
    let mut texts = StringBuilder::with_capacity(input.len(), input.len() * 12);
    for row in 0..input.len() {
        texts.append_option(format_cell(input, row));
    }
    convert_text(kind, options, &texts.finish())
}

fn timestamps(
    kind: VariableType,
    options: &TypeOptions,
    input: &ArrayRef,
    unit: TimeUnit,
    has_zone: bool,
) -> Converted {
    match (kind, has_zone) {
        (VariableType::Datetime, true) | (VariableType::Date, false) => {}
        (VariableType::Datetime, false) => {
            let reason = Reason::new(
                "zone_missing",
                "the expression gives a timestamp without a time zone; write datetime(x) instead of a cast or to_timestamp(x)",
            );
            return Converted::refuse(kind, options, input, &reason);
        }
        (VariableType::Date, true) => {
            let reason =
                Reason::new("has_time", "the expression gives an instant; say which day it counts for: date(x)");
            return Converted::refuse(kind, options, input, &reason);
        }
        _ => return Converted::refuse(kind, options, input, &unfit(kind, input.data_type())),
    }
    match unit {
        TimeUnit::Second => instants::<TimestampSecondType>(kind, options, input, |value| value.checked_mul(1_000_000)),
        TimeUnit::Millisecond => {
            instants::<TimestampMillisecondType>(kind, options, input, |value| value.checked_mul(1_000))
        }
        TimeUnit::Microsecond => instants::<TimestampMicrosecondType>(kind, options, input, Some),
        TimeUnit::Nanosecond => {
            instants::<TimestampNanosecondType>(kind, options, input, |value| Some(value.div_euclid(1_000)))
        }
    }
}

fn instants<T: ArrowPrimitiveType<Native = i64>>(
    kind: VariableType,
    options: &TypeOptions,
    input: &ArrayRef,
    micros: fn(i64) -> Option<i64>,
) -> Converted {
    let values = input.as_primitive::<T>();
    let micros = |value| micros(value).ok_or_else(|| Reason::new("out_of_range", "the instant is too far away"));
    if kind == VariableType::Datetime {
        return each::<T, TimestampMicrosecondType>(kind, options, values, micros);
    }
    each::<T, Date32Type>(kind, options, values, |value| {
        let micros = micros(value)?;
        if micros.rem_euclid(MICROS_PER_DAY) != 0 {
            return Err(Reason::new("has_time", "the expression gives a day with a time of day; write date(x)"));
        }
        i32::try_from(micros.div_euclid(MICROS_PER_DAY))
            .map_err(|_| Reason::new("out_of_range", "the day is too far away"))
    })
}

fn unfit(kind: VariableType, given: &DataType) -> Reason {
    let given = match given {
        DataType::Boolean => "yes or no",
        DataType::Date32 | DataType::Date64 => "a date",
        DataType::Timestamp(..) => "an instant",
        other if other.is_numeric() => "a number",
        DataType::List(_) | DataType::LargeList(_) => "a list",
        _ => "something else",
    };
    let (wanted, advice) = match kind {
        VariableType::Text | VariableType::Ref | VariableType::Enum => ("text", "text(x)"),
        VariableType::Set => ("a set", "the field that holds it"),
        VariableType::Url => ("a URL", "the field that holds it"),
        VariableType::Phone => ("a telephone number", "the field that holds it"),
        VariableType::PostalCode => ("a postal code", "the field that holds it"),
        VariableType::Email => ("an e-mail address", "the field that holds it"),
        VariableType::CorporateNumber => ("a corporate number", "the field that holds it"),
        VariableType::Integer => ("an integer", "integer(x)"),
        VariableType::Decimal | VariableType::Money | VariableType::Percent => ("a number", "decimal(x)"),
        VariableType::Boolean => ("yes or no", "a comparison such as x = 1"),
        VariableType::Date => ("a date", "date(x)"),
        VariableType::Datetime => ("an instant", "datetime(x)"),
    };
    Reason::new("wrong_type", format!("the expression gives {given}, but the variable is {wanted}; write {advice}"))
}
