//! One text for one value, however a source happens to print it (semantics B7).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Numbers that would need more digits than this stay as they were sent.
const MAX_DIGITS: i64 = 400;

/// How deep a JSON value may be nested.
const MAX_DEPTH: usize = 128;

/// A JSON number in plain notation: no exponent, no zeros that carry nothing, no negative zero.
///
/// Works on the text alone, so that no digit is lost: `9.9213206E7` is `99213206`, `3.0` is `3`, `-0.0`
/// is `0`. Text that is no number is given back as it is.
pub fn number(text: &str) -> Cow<'_, str> {
    match short(text) {
        Some(short) => Cow::Borrowed(short),
        None => plain(text).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

/// The usual forms, as a part of the text itself: digits, perhaps a minus, perhaps a fraction.
fn short(text: &str) -> Option<&str> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')) {
        return None;
    }
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    let unsigned = short.strip_prefix('-').unwrap_or(short);
    let is_usual = match unsigned.as_bytes() {
        [b'0'] => !short.starts_with('-'),
        [b'1'..=b'9', ..] | [b'0', b'.', ..] => true,
        _ => false,
    };
    is_usual.then_some(short)
}

fn plain(text: &str) -> Option<String> {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    // The decimal point stands after this many of `digits`.
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let significant = digits.trim_end_matches('0');
    let leading = significant.len() - significant.trim_start_matches('0').len();
    let significant = &significant[leading..];
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let point = point - i64::try_from(leading).ok()?;
    let length = i64::try_from(significant.len()).ok()?;
    if point.abs() + length > MAX_DIGITS {
        return None;
    }
    Some(if point <= 0 {
        format!("{sign}0.{}{significant}", "0".repeat(usize::try_from(-point).ok()?))
    } else if point >= length {
        format!("{sign}{significant}{}", "0".repeat(usize::try_from(point - length).ok()?))
    } else {
        let (whole, fraction) = significant.split_at(usize::try_from(point).ok()?);
        format!("{sign}{whole}.{fraction}")
    })
}

/// A JSON value with sorted keys, without space, with plain numbers.
///
/// # Errors
///
/// When it is nested deeper than the JSON parser goes, or is no JSON.
pub fn json(value: &RawValue) -> serde_json::Result<String> {
    let mut text = String::with_capacity(value.get().len());
    write_json(value, &mut text, 0)?;
    Ok(text)
}

fn write_json(value: &RawValue, text: &mut String, depth: usize) -> serde_json::Result<()> {
    if depth > MAX_DEPTH {
        return Err(serde::de::Error::custom("nested too deep"));
    }
    let raw = value.get();
    match raw.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(raw)?;
            text.push('{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                text.push_str(&serde_json::to_string(&name)?);
                text.push(':');
                write_json(member, text, depth + 1)?;
            }
            text.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw)?;
            text.push('[');
            for (i, item) in items.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write_json(item, text, depth + 1)?;
            }
            text.push(']');
        }
        Some(b'"') => {
            let string: String = serde_json::from_str(raw)?;
            text.push_str(&serde_json::to_string(&string)?);
        }
        Some(b'-' | b'0'..=b'9') => text.push_str(&number(raw)),
        _ => text.push_str(raw),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_written_plainly_without_losing_a_digit() {
        for (sent, canonical) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0e5", "0"),
            ("3.0", "3"),
            ("75.0", "75"),
            ("-12.50", "-12.5"),
            ("9.9213206E7", "99213206"),
            ("1.0E8", "100000000"),
            ("1.5e-3", "0.0015"),
            ("12e-1", "1.2"),
            ("123456789012345678.12", "123456789012345678.12"),
            ("1.23456789012345678E17", "123456789012345678"),
            ("100", "100"),
            ("1E+2", "100"),
            ("1e999999999", "1e999999999"),
            ("1e99999999999999999999", "1e99999999999999999999"),
        ] {
            assert_eq!(number(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn json_has_sorted_keys_and_plain_numbers() {
        let raw: Box<RawValue> =
            serde_json::from_str(r#"{ "b": [1.0, {"y":null,"x":"é\n"} , []], "a": {}, "京": true }"#).unwrap();
        assert_eq!(json(&raw).unwrap(), r#"{"a":{},"b":[1,{"x":"é\n","y":null},[]],"京":true}"#);
        let deep: Box<RawValue> = serde_json::from_str(&format!("{}{}", "[".repeat(5_000), "]".repeat(5_000))).unwrap();
        assert!(json(&deep).is_err());
        let empty: Box<RawValue> = serde_json::from_str("{ }").unwrap();
        assert_eq!(json(&empty).unwrap(), "{}");
    }

    proptest! {
        #[test]
        fn writing_a_number_plainly_twice_changes_nothing(
            whole in "0|[1-9][0-9]{0,20}", fraction in "(\\.[0-9]{1,12})?", exponent in "([eE][-+]?[0-9]{1,2})?", minus: bool,
        ) {
            let sent = format!("{}{whole}{fraction}{exponent}", if minus { "-" } else { "" });
            let once = number(&sent).into_owned();
            prop_assert_eq!(number(&once).into_owned(), once.clone());
            prop_assert!(!once.contains(['e', 'E']));
            let exact: rust_decimal::Result<rust_decimal::Decimal> = rust_decimal::Decimal::from_scientific(&sent).or_else(|_| sent.parse());
            let read = once.parse::<rust_decimal::Decimal>();
            if let (Ok(exact), Ok(read), true) = (exact, read, once.len() < 25) {
                prop_assert_eq!(exact.normalize(), read.normalize());
            }
        }
    }
}
