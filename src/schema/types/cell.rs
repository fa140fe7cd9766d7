//! The canonical text of typed values, used by every output.

use chrono::{DateTime, NaiveDate, SecondsFormat};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::util::display::array_value_to_string;

use super::{DECIMAL_SCALE, TypeOptions, Value};

/// The text of a cell, `None` when it is null: decimals in plain notation without trailing zeros, dates
/// `2025-10-01`, instants RFC 3339 with `Z` (a timestamp without zone: none), booleans `true` and `false`.
/// Of the values of a variable, [`parse`](super::parse) gives the same value back.
pub fn format_cell(array: &dyn Array, row: usize) -> Option<String> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Null => return None,
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
        DataType::Utf8View => array.as_string_view().value(row).to_owned(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int8 => plain::<Int8Type>(array, row),
        DataType::Int16 => plain::<Int16Type>(array, row),
        DataType::Int32 => plain::<Int32Type>(array, row),
        DataType::Int64 => plain::<Int64Type>(array, row),
        DataType::UInt8 => plain::<UInt8Type>(array, row),
        DataType::UInt16 => plain::<UInt16Type>(array, row),
        DataType::UInt32 => plain::<UInt32Type>(array, row),
        DataType::UInt64 => plain::<UInt64Type>(array, row),
        DataType::Float32 => plain::<Float32Type>(array, row),
        DataType::Float64 => plain::<Float64Type>(array, row),
        DataType::Decimal128(_, scale) => decimal_text(array.as_primitive::<Decimal128Type>().value(row), *scale),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Date32Type::to_naive_date_opt(days).map_or_else(|| days.to_string(), date_text)
        }
        DataType::Timestamp(unit, zone) => {
            let value = match unit {
                TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
                TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
                TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
                TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
            };
            instant_text(value, *unit, zone.is_some())
        }
        // Lists, structs and the like, which only a free query gives.
        _ => array_value_to_string(array, row).unwrap_or_default(),
    })
}

/// The text of one value, as [`format_cell`] writes it.
pub fn format_value(value: &Value, options: &TypeOptions) -> String {
    let scale = |scale: u8| i8::try_from(scale).unwrap_or(i8::MAX);
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(number) | Value::Percent(number) => decimal_text(*number, scale(DECIMAL_SCALE)),
        Value::Money(number) => decimal_text(*number, scale(options.scale)),
        Value::Boolean(value) => value.to_string(),
        Value::Date(date) => date_text(*date),
        Value::Datetime(instant) => instant_text(instant.micros(), TimeUnit::Microsecond, true),
    }
}

fn plain<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> String
where
    T::Native: std::fmt::Display,
{
    array.as_primitive::<T>().value(row).to_string()
}

/// `value` × 10^-`scale` in plain notation, without zeros behind the last decimal.
fn decimal_text(value: i128, scale: i8) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + 3);
    if value < 0 {
        text.push('-');
    }
    let Ok(places) = usize::try_from(scale) else {
        // A negative scale counts zeros before the point.
        text.push_str(&digits);
        if value != 0 {
            text.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs())));
        }
        return text;
    };
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (integer, fraction) = digits.split_at(digits.len() - places);
    text.push_str(integer);
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

fn date_text(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

/// The instant `value` units after 1970, with as many fraction digits as it has.
fn instant_text(value: i64, unit: TimeUnit, has_zone: bool) -> String {
    let instant = match unit {
        TimeUnit::Second => DateTime::from_timestamp(value, 0),
        TimeUnit::Millisecond => DateTime::from_timestamp_millis(value),
        TimeUnit::Microsecond => DateTime::from_timestamp_micros(value),
        TimeUnit::Nanosecond => Some(DateTime::from_timestamp_nanos(value)),
    };
    let Some(instant) = instant else {
        return value.to_string();
    };
    let mut text = instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    if !has_zone {
        text.truncate(text.len() - 1);
    }
    text
}
