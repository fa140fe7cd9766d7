//! One value of an Arrow array as text: exact, and the same in every format.
//!
//! Decimals keep their written places up to six and lose trailing zeros beyond (a percent is stored with
//! ten). Instants are RFC 3339 in UTC, days ISO 8601, bytes hexadecimal; lists and structures are JSON.

use std::borrow::Cow;
use std::fmt::Write;

use datafusion::arrow::array::{Array, AsArray, OffsetSizeTrait};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use crate::compare::decimal_text;
use crate::error::{Error, ErrorKind, Result};

/// A value ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown<'a> {
    /// No value.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An exact number in plain notation, a JSON token as it is.
    Number(String),
    /// Text, also of days and instants.
    Text(Cow<'a, str>),
    /// A list or structure as JSON.
    Json(String),
}

/// The value of `array` at `row`.
pub(super) fn shown(array: &dyn Array, row: usize) -> Result<Shown<'_>> {
    if array.is_null(row) {
        return Ok(Shown::Null);
    }
    macro_rules! number {
        ($type:ty) => {
            Shown::Number(array.as_primitive::<$type>().value(row).to_string())
        };
    }
    macro_rules! decimal {
        ($type:ty, $scale:expr) => {
            Shown::Number(decimal_text(i128::from(array.as_primitive::<$type>().value(row)), *$scale))
        };
    }
    macro_rules! float {
        ($type:ty) => {{
            let value = array.as_primitive::<$type>().value(row);
            if value.is_finite() { Shown::Number(value.to_string()) } else { Shown::Null }
        }};
    }
    Ok(match array.data_type() {
        DataType::Null => Shown::Null,
        DataType::Boolean => Shown::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => float!(Float32Type),
        DataType::Float64 => float!(Float64Type),
        DataType::Decimal32(_, scale) => decimal!(Decimal32Type, scale),
        DataType::Decimal64(_, scale) => decimal!(Decimal64Type, scale),
        DataType::Decimal128(_, scale) => decimal!(Decimal128Type, scale),
        DataType::Utf8 => text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => text(array.as_string_view().value(row)),
        DataType::Date32 => day(i64::from(array.as_primitive::<Date32Type>().value(row))),
        DataType::Date64 => day(array.as_primitive::<Date64Type>().value(row).div_euclid(86_400_000)),
        DataType::Timestamp(unit, zone) => instant(array, row, *unit, zone.is_some()),
        DataType::Binary => hex(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => hex(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => hex(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => hex(array.as_fixed_size_binary().value(row)),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            return shown(dictionary.values().as_ref(), dictionary.normalized_keys()[row]);
        }
        DataType::List(_) => list(array.as_list::<i32>(), row)?,
        DataType::LargeList(_) => list(array.as_list::<i64>(), row)?,
        DataType::Struct(fields) => {
            let names = fields.iter().map(|field| field.name().as_str());
            let structure = array.as_struct();
            Shown::Json(object(names.zip(structure.columns().iter().map(|column| column.as_ref())), row)?)
        }
        _ => other(array, row)?,
    })
}

/// Writes a value as one JSON token.
pub(super) fn push_json(out: &mut String, value: &Shown<'_>) {
    match value {
        Shown::Null => out.push_str("null"),
        Shown::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Shown::Number(text) | Shown::Json(text) => out.push_str(text),
        Shown::Text(text) => push_json_text(out, text),
    }
}

/// Writes a JSON text token.
pub(super) fn push_json_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// A JSON object of the named columns' values at `row`, in their order.
pub(super) fn object<'a>(columns: impl Iterator<Item = (&'a str, &'a dyn Array)>, row: usize) -> Result<String> {
    let mut out = String::from("{");
    for (name, column) in columns {
        if out.len() > 1 {
            out.push(',');
        }
        push_json_text(&mut out, name);
        out.push(':');
        push_json(&mut out, &shown(column, row)?);
    }
    out.push('}');
    Ok(out)
}

fn text(value: &str) -> Shown<'_> {
    Shown::Text(Cow::Borrowed(value))
}

fn day<'a>(days: i64) -> Shown<'a> {
    let date = i32::try_from(days).ok().and_then(NaiveDate::from_epoch_days);
    date.map_or(Shown::Null, |date| Shown::Text(Cow::Owned(date.to_string())))
}

/// Instants without a zone are shown as they are, without the `Z`: nobody said that they are UTC.
fn instant<'a>(array: &dyn Array, row: usize, unit: TimeUnit, zoned: bool) -> Shown<'a> {
    let instant: Option<DateTime<Utc>> = match unit {
        TimeUnit::Second => DateTime::from_timestamp(array.as_primitive::<TimestampSecondType>().value(row), 0),
        TimeUnit::Millisecond => {
            DateTime::from_timestamp_millis(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        TimeUnit::Microsecond => {
            DateTime::from_timestamp_micros(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        TimeUnit::Nanosecond => {
            Some(DateTime::from_timestamp_nanos(array.as_primitive::<TimestampNanosecondType>().value(row)))
        }
    };
    instant.map_or(Shown::Null, |instant| {
        let mut text = instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        if !zoned {
            text.pop();
        }
        Shown::Text(Cow::Owned(text))
    })
}

fn hex<'a>(bytes: &[u8]) -> Shown<'a> {
    Shown::Text(Cow::Owned(bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })))
}

fn list<'a, O: OffsetSizeTrait>(
    array: &datafusion::arrow::array::GenericListArray<O>,
    row: usize,
) -> Result<Shown<'a>> {
    let items = array.value(row);
    let mut out = String::from("[");
    for item in 0..items.len() {
        if item > 0 {
            out.push(',');
        }
        push_json(&mut out, &shown(items.as_ref(), item)?);
    }
    out.push(']');
    Ok(Shown::Json(out))
}

/// Types that none of our tables has (times, durations, intervals, maps, …): Arrow's own text.
fn other<'a>(array: &dyn Array, row: usize) -> Result<Shown<'a>> {
    let text = ArrayFormatter::try_new(array, &FormatOptions::default())
        .and_then(|formatter| formatter.value(row).try_to_string())
        .map_err(|error| Error::new(ErrorKind::Internal, "could not show a value").caused_by(error))?;
    Ok(match array.data_type() {
        DataType::Decimal256(_, _) => Shown::Number(text),
        _ => Shown::Text(Cow::Owned(text)),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        ArrayRef, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array, ListArray, StringArray,
        StructArray, TimestampMicrosecondArray, UInt64Array,
    };
    use datafusion::arrow::datatypes::{Field, Int32Type};

    use super::*;

    fn json(array: &dyn Array) -> String {
        let mut out = String::new();
        for row in 0..array.len() {
            push_json(&mut out, &shown(array, row).unwrap());
            out.push(' ');
        }
        out.trim_end().to_owned()
    }

    fn decimals(values: &[i128], scale: i8) -> String {
        json(&Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, scale).unwrap())
    }

    #[test]
    fn decimals_are_exact_and_keep_the_places_of_money() {
        assert_eq!(decimals(&[120_050, -5, 0], 2), "1200.50 -0.05 0.00");
        assert_eq!(decimals(&[1_200_000, -1], 0), "1200000 -1");
        assert_eq!(decimals(&[750_000_000_000, 1, -750_000_000_001], 10), "75 0.0000000001 -75.0000000001");
        assert_eq!(decimals(&[12, 0], -3), "12000 0");
        let largest = 10_i128.pow(38) - 1;
        assert_eq!(decimals(&[largest], 2), format!("{}.99", "9".repeat(36)));
    }

    #[test]
    fn whole_numbers_beyond_what_a_float_holds_stay_exact() {
        assert_eq!(json(&UInt64Array::from(vec![u64::MAX])), "18446744073709551615");
    }

    #[test]
    fn a_float_that_json_has_no_word_for_is_null() {
        assert_eq!(json(&Float64Array::from(vec![0.1, f64::NAN, f64::INFINITY])), "0.1 null null");
    }

    #[test]
    fn days_and_instants_are_iso_text() {
        assert_eq!(json(&Date32Array::from(vec![0, 20_377, -1])), r#""1970-01-01" "2025-10-16" "1969-12-31""#);
        let micros = vec![1_761_922_799_999_999, 0];
        let zoned = TimestampMicrosecondArray::from(micros.clone()).with_timezone("UTC");
        assert_eq!(json(&zoned), r#""2025-10-31T14:59:59.999999Z" "1970-01-01T00:00:00Z""#);
        let bare = TimestampMicrosecondArray::from(micros);
        assert_eq!(json(&bare), r#""2025-10-31T14:59:59.999999" "1970-01-01T00:00:00""#);
    }

    #[test]
    fn bytes_are_hexadecimal_and_text_is_escaped() {
        assert_eq!(json(&FixedSizeBinaryArray::try_from_iter([[0xab_u8, 0x01]].into_iter()).unwrap()), r#""ab01""#);
        assert_eq!(json(&StringArray::from(vec!["年輪\n\"x\"\u{1b}"])), r#""年輪\n\"x\"\u001b""#);
    }

    #[test]
    fn lists_and_structures_are_json() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
        assert_eq!(json(&list), "[1,null] null []");
        let name: ArrayRef = Arc::new(StringArray::from(vec![Some("アクメ"), None]));
        let structure = StructArray::from(vec![(Arc::new(Field::new("name", DataType::Utf8, true)), name)]);
        assert_eq!(json(&structure), r#"{"name":"アクメ"} {"name":null}"#);
    }
}
