//! How a column's values are written: what of the database's text is kept, and what is put in one form.
//!
//! The database's own text is kept to the last digit. Only what can be written in more than one way without meaning
//! anything else is given one form: times as ISO 8601 (`2025-10-01T09:00:00.5`, with `Z` where the column has a zone),
//! truth as `true` and `false`, bytes as base64, floating point numbers without an exponent, JSON with sorted keys,
//! the padding of `char(n)` taken away.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{NaiveDate, TimeZone};
use chrono_tz::Tz;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::connect::canonical;

/// What kind of values a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Text, and whatever the database writes in one way only.
    Text,
    /// Text of a fixed width, whose padding means nothing.
    Padded,
    Boolean,
    Integer,
    Decimal,
    /// A floating point number in its shortest form.
    Float,
    /// A single precision number that was read as a double one.
    Single,
    /// A double precision number that was read with more digits than it needs.
    #[cfg_attr(not(feature = "odbc"), allow(dead_code, reason = "only what is read through ODBC has it"))]
    Double,
    /// A number with a currency's sign, read as a plain one (PostgreSQL `money`).
    Money,
    /// A time with a zone; read in UTC.
    Instant,
    /// A time without a zone.
    Moment,
    /// A time without a zone, to the second (Oracle's `DATE`).
    #[cfg_attr(not(feature = "odbc"), allow(dead_code, reason = "only what is read through ODBC has it"))]
    Second,
    Date,
    /// `\x6869` of PostgreSQL; other databases' readers make base64 themselves.
    Bytes,
    Json,
    /// A bit field (MySQL), read as a number.
    Bits,
    /// A shape, read as text (MySQL).
    Geometry,
    /// Each value has a type of its own (SQLite).
    Dynamic,
}

impl Form {
    /// Whether its literals are digits without quotes.
    pub(super) fn is_number(self) -> bool {
        matches!(
            self,
            Form::Integer | Form::Decimal | Form::Float | Form::Single | Form::Double | Form::Bits | Form::Money
        )
    }

    /// Whether values can be told apart and put in an order, so that they can make a key.
    pub(super) fn makes_keys(self) -> bool {
        !matches!(
            self,
            Form::Json | Form::Geometry | Form::Single | Form::Double | Form::Float | Form::Money | Form::Bits
        )
    }

    /// The text that is kept of a value as the database wrote it.
    pub(super) fn kept(self, raw: &str) -> Cow<'_, str> {
        match self {
            Form::Text | Form::Integer | Form::Date | Form::Money | Form::Bits | Form::Geometry | Form::Dynamic => {
                Cow::Borrowed(raw)
            }
            Form::Decimal => led(raw),
            Form::Padded => Cow::Borrowed(raw.trim_end_matches(' ')),
            Form::Boolean => Cow::Borrowed(match raw {
                "t" => "true",
                "f" => "false",
                other => other,
            }),
            Form::Float => canonical::number(raw),
            Form::Single => match raw.parse::<f32>() {
                Ok(number) => Cow::Owned(canonical::number(&number.to_string()).into_owned()),
                Err(_) => Cow::Borrowed(raw),
            },
            Form::Double => match raw.parse::<f64>() {
                Ok(number) => Cow::Owned(canonical::number(&format!("{number:?}")).into_owned()),
                Err(_) => Cow::Borrowed(raw),
            },
            Form::Instant => iso(raw, true),
            Form::Moment | Form::Second => iso(raw, false),
            Form::Bytes => match raw.strip_prefix("\\x").and_then(unhex) {
                Some(bytes) => Cow::Owned(STANDARD.encode(bytes)),
                None => Cow::Borrowed(raw),
            },
            Form::Json => {
                let parsed: Result<&RawValue, _> = serde_json::from_str(raw);
                match parsed.and_then(canonical::json) {
                    Ok(text) => Cow::Owned(text),
                    Err(_) => Cow::Borrowed(raw),
                }
            }
        }
    }

    /// The instant that a kept text of this form names; times without a zone are in `zone`.
    pub(super) fn instant(self, kept: &str, zone: Option<Tz>) -> Option<Timestamp> {
        let (text, is_utc) = match kept.strip_suffix('Z') {
            Some(text) => (text, true),
            None => (kept, self == Form::Instant),
        };
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<u32> {
            let digits = bytes.get(from..to)?;
            digits
                .iter()
                .try_fold(0u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
        };
        let sign = |at: usize, sign: &[u8]| bytes.get(at).is_some_and(|byte| sign.contains(byte));
        if !(sign(4, b"-") && sign(7, b"-")) {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
        let (mut hour, mut minute, mut second, mut micros) = (0, 0, 0, 0);
        if bytes.len() > 10 {
            if !(sign(10, b"T ") && sign(13, b":") && sign(16, b":")) {
                return None;
            }
            (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
            if bytes.len() > 19 {
                let digits = bytes.len() - 20;
                if !sign(19, b".") || digits == 0 || digits > 9 {
                    return None;
                }
                let kept = digits.min(6);
                micros = number(20, 20 + kept)? * 10u32.pow(6 - u32::try_from(kept).ok()?);
                if digits > 6 {
                    number(26, 20 + digits)?;
                }
            }
        }
        let moment = date.and_hms_micro_opt(hour, minute, second, micros)?;
        if is_utc {
            return Some(Timestamp::from(moment.and_utc()));
        }
        let zone = zone?;
        // Of an hour that comes twice the earlier one counts; one that is left out is read as if the clock had gone on.
        let local = zone.from_local_datetime(&moment);
        let instant = local.earliest().or_else(|| {
            zone.from_local_datetime(&(moment - chrono::TimeDelta::hours(1)))
                .earliest()
                .map(|before| before + chrono::TimeDelta::hours(1))
        })?;
        Some(Timestamp::from(instant.to_utc()))
    }
}

/// `.5` as `0.5`: Oracle and SQL Server's driver leave the zero out.
fn led(raw: &str) -> Cow<'_, str> {
    let (sign, digits) = match raw.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", raw),
    };
    if digits.starts_with('.') { Cow::Owned(format!("{sign}0{digits}")) } else { Cow::Borrowed(raw) }
}

/// `2025-10-01 09:00:00.500000+00` as `2025-10-01T09:00:00.5Z`. What is not of that form (`infinity`, years before
/// Christ) stays as it is.
fn iso(raw: &str, has_zone: bool) -> Cow<'_, str> {
    let text = if has_zone { raw.strip_suffix("+00").unwrap_or(raw) } else { raw };
    let bytes = text.as_bytes();
    let is_usual = bytes.len() >= 19
        && bytes[10] == b' '
        && bytes.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b' '));
    if !is_usual {
        return Cow::Borrowed(raw);
    }
    let time = &text[11..];
    let time = if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time };
    let mut iso = String::with_capacity(text.len() + 1);
    iso.push_str(&text[..10]);
    iso.push('T');
    iso.push_str(time);
    if has_zone {
        iso.push('Z');
    }
    Cow::Owned(iso)
}

/// The bytes that hexadecimal digits name.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Bytes that are no text, as they are kept.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a kept value.
pub(super) fn unbase64(kept: &str) -> Option<Vec<u8>> {
    STANDARD.decode(kept).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_as_written_but_for_what_has_several_forms() {
        for (form, raw, kept) in [
            (Form::Text, "  そのまま  ", "  そのまま  "),
            (Form::Padded, "C01   ", "C01"),
            (Form::Boolean, "t", "true"),
            (Form::Decimal, "123456789012345678.1200", "123456789012345678.1200"),
            (Form::Decimal, ".50", "0.50"),
            (Form::Decimal, "-.5", "-0.5"),
            (Form::Double, "1.0000000000000001e-001", "0.1"),
            (Form::Double, "1.0000000000000000e+020", "100000000000000000000"),
            (Form::Second, "2025-10-01 09:00:00", "2025-10-01T09:00:00"),
            (Form::Second, "-0044-03-15 00:00:00", "-0044-03-15 00:00:00"),
            (Form::Float, "1e+20", "100000000000000000000"),
            (Form::Float, "NaN", "NaN"),
            (Form::Single, "0.10000000149011612", "0.1"),
            (Form::Single, "16777216", "16777216"),
            (Form::Instant, "2025-10-01 09:00:00.120000+00", "2025-10-01T09:00:00.12Z"),
            (Form::Instant, "2025-10-01 09:00:00", "2025-10-01T09:00:00Z"),
            (Form::Instant, "infinity", "infinity"),
            (Form::Instant, "0044-03-15 00:00:00+00 BC", "0044-03-15 00:00:00+00 BC"),
            (Form::Moment, "2025-10-01 09:00:00.000000", "2025-10-01T09:00:00"),
            (Form::Moment, "0000-00-00 00:00:00", "0000-00-00T00:00:00"),
            (Form::Bytes, "\\x6869", "aGk="),
            (Form::Bytes, "\\x", ""),
            (Form::Json, "{\"b\": 1.0, \"a\": [] }", "{\"a\":[],\"b\":1}"),
            (Form::Json, "no json", "no json"),
        ] {
            assert_eq!(form.kept(raw), kept, "{form:?} {raw}");
        }
    }

    #[test]
    fn instants_are_read_in_their_zone() {
        let tokyo = Some(chrono_tz::Asia::Tokyo);
        for (form, kept, zone, instant) in [
            (Form::Instant, "2025-10-01T09:00:00.12Z", None, Some("2025-10-01T09:00:00.120Z")),
            (Form::Moment, "2025-10-01T09:00:00", tokyo, Some("2025-10-01T00:00:00Z")),
            (Form::Moment, "2025-10-01T09:00:00", None, None),
            (Form::Date, "2025-10-01", tokyo, Some("2025-09-30T15:00:00Z")),
            (Form::Moment, "2025-10-01 09:00:00.123456789", tokyo, Some("2025-10-01T00:00:00.123456Z")),
            (Form::Moment, "0000-00-00T00:00:00", tokyo, None),
            (Form::Instant, "infinity", None, None),
            // An hour that is left out in New York.
            (Form::Moment, "2025-03-09T02:30:00", Some(chrono_tz::America::New_York), Some("2025-03-09T07:30:00Z")),
        ] {
            let read = form.instant(kept, zone).map(|instant| instant.to_string());
            assert_eq!(read.as_deref(), instant, "{kept}");
        }
    }
}
