//! What a field of a record holds.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::number::Decimal;

/// Values by the slot of their field.
pub(crate) type Values = BTreeMap<u16, Value>;

/// A value of a field. Texts and lists without anything in them are [`Value::Empty`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Empty,
    /// A text that someone wrote.
    Text(Arc<str>),
    /// A text from the tables that the population is made from.
    Word(&'static str),
    Num(Decimal),
    Bool(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Seconds since 1970-01-01T00:00:00Z.
    Instant(i64),
    /// Choices, or names of tags.
    List(Arc<[Arc<str>]>),
    /// The id of a record or user.
    Ref(u64),
    /// Something that is shown as it was given.
    Raw(Arc<Json>),
}

impl Value {
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        match text.as_ref() {
            "" => Value::Empty,
            text => Value::Text(Arc::from(text)),
        }
    }

    pub(crate) fn int(number: i64) -> Self {
        Value::Num(Decimal::new(i128::from(number), 0))
    }

    pub(crate) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Self {
        let items: Vec<Arc<str>> = items.into_iter().map(|item| Arc::from(item.as_ref())).collect();
        if items.is_empty() { Value::Empty } else { Value::List(items.into()) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Value::Empty)
    }

    /// The text, for values that are texts.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Word(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<Decimal> {
        if let Value::Num(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn id(&self) -> Option<u64> {
        if let Value::Ref(id) = self { Some(*id) } else { None }
    }

    /// Order among values of one field: empty first.
    pub(crate) fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Empty, Value::Empty) => Ordering::Equal,
            (Value::Empty, _) => Ordering::Less,
            (_, Value::Empty) => Ordering::Greater,
            (Value::Num(a), Value::Num(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
            (Value::Ref(a), Value::Ref(b)) => a.cmp(b),
            (Value::List(a), Value::List(b)) => a.cmp(b),
            _ => match (self.as_text(), other.as_text()) {
                (Some(a), Some(b)) => a.cmp(b),
                _ => Ordering::Equal,
            },
        }
    }
}
