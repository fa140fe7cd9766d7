//! An answer as a tree, whatever it was written in, with every number as it was written.
//!
//! Numbers never pass through a float (B7): in the tree they are texts with a mark before them. So paths can be evaluated
//! by a library that knows JSON values, and what it finds still has all digits.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::connect::canonical;

/// A value in an answer.
pub(crate) type Tree = Value;

/// Stands before numbers, and before texts that begin with it. A code point that no text may have for a character.
const MARK: char = '\u{10ffff}';
/// How deep an answer may be nested.
const MAX_DEPTH: usize = 100;

/// Reads JSON.
///
/// # Errors
///
/// When it is none, is cut, or is nested too deep.
pub(crate) fn parse(text: &str) -> serde_json::Result<Tree> {
    node(serde_json::from_str::<&RawValue>(text)?, 0)
}

fn node(raw: &RawValue, depth: usize) -> serde_json::Result<Tree> {
    if depth > MAX_DEPTH {
        return Err(serde::de::Error::custom("nested too deep"));
    }
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text)?;
            let nodes = members.0.into_iter().map(|(name, raw)| Ok((name.into_owned(), node(raw, depth + 1)?)));
            Value::Object(nodes.collect::<serde_json::Result<Map<String, Value>>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Value::Array(items.into_iter().map(|raw| node(raw, depth + 1)).collect::<serde_json::Result<_>>()?)
        }
        Some(b'"') => from_text(serde_json::from_str::<String>(text)?),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::String(format!("{MARK}{text}")),
    })
}

/// A text as the tree holds it.
pub(crate) fn from_text(text: String) -> Tree {
    Value::String(if text.starts_with(MARK) { format!("{MARK}{text}") } else { text })
}

/// Whether the value is a number.
fn number(text: &str) -> Option<&str> {
    text.strip_prefix(MARK).filter(|rest| !rest.starts_with(MARK))
}

fn plain(text: &str) -> &str {
    if text.starts_with(MARK) { &text[MARK.len_utf8()..] } else { text }
}

/// The value as text: null is none; a number as a plain decimal; what is nested as JSON with sorted names.
pub(crate) fn text_of(value: &Tree) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(match number(text) {
            Some(number) => canonical::number(number),
            None => Cow::Borrowed(plain(text)),
        }),
        Value::Bool(is_true) => Some(Cow::Borrowed(if *is_true { "true" } else { "false" })),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Array(_) | Value::Object(_) => {
            let mut out = String::new();
            write(value, &mut out);
            Some(Cow::Owned(out))
        }
    }
}

/// The word for the value's type, for people and for drafts of mappings.
pub(crate) fn type_of(value: &Tree) -> Option<&'static str> {
    match value {
        Value::Null => None,
        Value::String(text) if number(text).is_some() => Some("number"),
        Value::String(_) => Some("string"),
        Value::Bool(_) => Some("boolean"),
        Value::Number(_) => Some("number"),
        Value::Array(_) => Some("array"),
        Value::Object(_) => Some("object"),
    }
}

fn write(value: &Tree, out: &mut String) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            out.push('{');
            for (nth, (name, member)) in sorted.into_iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (nth, item) in items.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::String(text) => match number(text) {
            Some(number) => out.push_str(&canonical::number(number)),
            None => out.push_str(&Value::from(plain(text)).to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
}

/// A JSON object's members in the order sent.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk;
        impl<'de> Visitor<'de> for Walk {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some((Name(name), raw)) = map.next_entry()? {
                    members.push((name, raw));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Walk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Option<String> {
        text_of(&parse(json).unwrap()).map(Cow::into_owned)
    }

    #[test]
    fn b7_numbers_keep_every_digit_and_texts_stay_what_they_are() {
        assert_eq!(told("12345678901234567890.10").as_deref(), Some("12345678901234567890.1"));
        assert_eq!(told("1e3").as_deref(), Some("1000"));
        assert_eq!(told(r#""0012.50""#).as_deref(), Some("0012.50"));
        assert_eq!(told(r#"{"b":[1.0,"年\n"],"a":{"x":null}}"#).as_deref(), Some(r#"{"a":{"x":null},"b":[1,"年\n"]}"#));
        let marked = format!("\"{MARK}7\"");
        assert_eq!(told(&marked), Some(format!("{MARK}7")));
        assert_eq!(told("null"), None);
        assert!(parse(&"[".repeat(200)).is_err() && parse(r#"{"a":1"#).is_err());
    }
}
