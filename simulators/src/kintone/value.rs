//! What a field of a record holds.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kintone::time;
use crate::number::Decimal;

/// Values by the slot of their field.
pub(crate) type Values = BTreeMap<u16, Value>;

/// A value of a field. Lists without anything in them are [`Value::Empty`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Empty,
    /// A text that someone wrote.
    Text(Arc<str>),
    /// A text from the tables that the population is made from.
    Word(&'static str),
    Num(Decimal),
    /// Days since 1970-01-01.
    Date(i32),
    /// Minutes since midnight.
    Time(u32),
    /// Seconds since 1970-01-01T00:00:00Z.
    Instant(i64),
    /// Choices, or the codes of people, organizations and groups.
    List(Arc<[Arc<str>]>),
    Files(Arc<[File]>),
    Rows(Arc<[Row]>),
}

/// A file in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Its number in the domain.
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    pub(crate) content_type: Arc<str>,
    pub(crate) size: u64,
}

/// A row of a table in a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Its number, unique in the app.
    pub(crate) id: u64,
    pub(crate) values: Values,
}

impl Value {
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        match text.as_ref() {
            "" => Value::Empty,
            text => Value::Text(Arc::from(text)),
        }
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

    /// The items of a list; none for all else.
    pub(crate) fn items(&self) -> &[Arc<str>] {
        if let Value::List(items) = self { items } else { &[] }
    }

    pub(crate) fn rows(&self) -> &[Row] {
        if let Value::Rows(rows) = self { rows } else { &[] }
    }

    pub(crate) fn files(&self) -> &[File] {
        if let Value::Files(files) = self { files } else { &[] }
    }

    /// The value as one text, the way records carry it; empty for lists.
    pub(crate) fn written(&self) -> String {
        match self {
            Value::Text(text) => text.to_string(),
            Value::Word(text) => (*text).to_owned(),
            Value::Num(number) => number.plain(),
            Value::Date(days) => time::date(*days),
            Value::Time(minutes) => time::clock(*minutes),
            Value::Instant(secs) => time::minute(*secs),
            Value::Empty | Value::List(_) | Value::Files(_) | Value::Rows(_) => String::new(),
        }
    }

    /// Order among values of one field: empty first.
    pub(crate) fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Empty, Value::Empty) => Ordering::Equal,
            (Value::Empty, _) => Ordering::Less,
            (_, Value::Empty) => Ordering::Greater,
            (Value::Num(a), Value::Num(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
            (Value::List(a), Value::List(b)) => a.cmp(b),
            _ => match (self.as_text(), other.as_text()) {
                (Some(a), Some(b)) => a.cmp(b),
                _ => Ordering::Equal,
            },
        }
    }
}
