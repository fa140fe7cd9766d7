//! Values as the APIs write them. Numbers keep their text, so that `1000.50` and twenty digits reach the wire as they are.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use crate::wire::json;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As it is written in JSON.
    Number(String),
    Text(String),
    List(Vec<Value>),
    Object(Object),
}

/// Named values in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Object(Vec<(String, Value)>);

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    pub(crate) fn number(number: impl ToString) -> Self {
        Value::Number(number.to_string())
    }

    /// A hundredth of that number, with two digits after the point.
    pub(crate) fn hundredths(number: i64) -> Self {
        Value::Number(format!("{}.{:02}", number / 100, number % 100))
    }

    /// Reads JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let read = |error: serde_json::Error| error.to_string();
        let raw: &RawValue = serde_json::from_str(text).map_err(read)?;
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(read)?;
                let member = |(name, raw): (String, &RawValue)| Ok((name, Value::parse(raw.get())?));
                Value::Object(Object(members.into_iter().map(member).collect::<Result<_, String>>()?))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(read)?;
                Value::List(items.into_iter().map(|raw| Value::parse(raw.get())).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Value::Text(serde_json::from_str(text).map_err(read)?),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => Value::Null,
            _ => Value::Number(text.to_owned()),
        })
    }

    /// Appends it as JSON.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Number(text) => out.push_str(text),
            Value::Text(text) => json::string(text, out),
            Value::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(object) => {
                out.push('{');
                for (place, (name, value)) in object.0.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    json::key(name, out);
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// It as JSON.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// It as the truth has it: numbers are texts as they are written on the wire.
    pub(crate) fn truth(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Number(text) | Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Value::truth).collect()),
            Value::Object(object) => Json::Object(object.truth()),
        }
    }
}

impl Object {
    pub(crate) fn new<const N: usize>(members: [(&str, Value); N]) -> Self {
        Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Takes out the value of that name.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    /// The text (or number, as written) of that name; empty without one.
    pub(crate) fn word(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Value::Text(text) | Value::Number(text)) => text,
            _ => "",
        }
    }

    /// Puts a value in the place of that name, or last.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Puts in all values of another.
    pub(crate) fn merge(&mut self, other: &Object) {
        other.0.iter().for_each(|(name, value)| self.set(name, value.clone()));
    }

    pub(crate) fn truth(&self) -> Map<String, Json> {
        self.0.iter().map(|(name, value)| (name.clone(), value.truth())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text_and_the_rest_its_meaning() {
        let text = r#"{"a":1000.50,"b":[12345678901234567890,null,true,false,"年\n"],"c":{"d":-0.0,"e":1e3}}"#;
        assert_eq!(Value::parse(text).unwrap().to_json(), text);
        assert!(Value::parse("{\"a\":").is_err() && Value::parse("1 2").is_err());
        assert_eq!(Value::hundredths(12_005), Value::number("120.05"));
        assert_eq!(Value::parse("[1.50]").unwrap().truth(), serde_json::json!(["1.50"]));
    }

    #[test]
    fn a_value_is_set_in_its_place() {
        let mut object = Object::new([("a", Value::Null), ("b", Value::Bool(true))]);
        object.merge(&Object::new([("a", Value::number(2)), ("c", Value::text("x"))]));
        assert_eq!(Value::Object(object.clone()).to_json(), r#"{"a":2,"b":true,"c":"x"}"#);
        assert_eq!((object.word("a"), object.word("c"), object.word("z")), ("2", "x", ""));
    }
}
