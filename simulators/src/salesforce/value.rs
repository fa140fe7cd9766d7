//! What a field of a row holds, and how it is written as JSON.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::number::Decimal;
use crate::salesforce::instant;
use crate::wire::json;

/// A value of a field.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Num(Decimal),
    /// A text that someone wrote.
    Text(Arc<str>),
    /// A text from the tables that the population is made from.
    Word(&'static str),
    /// Days since 1970-01-01.
    Date(i32),
    /// Seconds since 1970-01-01T00:00:00Z.
    Instant(i64),
    /// Milliseconds of the day.
    Time(u32),
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Value::Text(Arc::from(text))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text, for values that are texts.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Word(text) => Some(text),
            _ => None,
        }
    }

    /// The number, for values that are numbers.
    pub(crate) fn as_number(&self) -> Option<Decimal> {
        match self {
            Value::Num(number) => Some(*number),
            Value::Int(number) => Some(Decimal::new(i128::from(*number), 0)),
            _ => None,
        }
    }

    /// Appends the value as the REST API writes it.
    pub(crate) fn print(&self, exponents: bool, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => out.push_str(&value.to_string()),
            Value::Num(value) => value.print(exponents, out),
            Value::Text(text) => json::string(text, out),
            Value::Word(text) => json::string(text, out),
            Value::Date(days) => quoted(out, |out| instant::push_date(*days, out)),
            Value::Instant(secs) => quoted(out, |out| instant::push_datetime(*secs, out)),
            Value::Time(millis) => quoted(out, |out| instant::push_time(*millis, out)),
        }
    }

    /// Order among values of one field: null first, text without regard to case.
    pub(crate) fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Less,
            (_, Value::Null) => Ordering::Greater,
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            _ => match (self.as_number(), other.as_number()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => folded(self.as_text()).cmp(&folded(other.as_text())),
            },
        }
    }
}

fn folded(text: Option<&str>) -> String {
    text.unwrap_or_default().to_lowercase()
}

fn quoted(out: &mut String, write: impl FnOnce(&mut String)) {
    out.push('"');
    write(out);
    out.push('"');
}
