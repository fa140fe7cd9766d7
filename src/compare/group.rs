//! Divides customers by the value of a variable.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::join::Pair;
use super::model::Value;
use super::side::{Known, Presence, Side};

/// Which group a customer is in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum GroupKey {
    /// Customers with this value, as text.
    Value(String),
    /// Customers known to have none.
    Empty,
    /// Customers of whom we cannot say it.
    Unknown,
}

/// A group and its customers.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) key: GroupKey,
    /// The value, for [`GroupKey::Value`].
    pub(super) value: Option<Value>,
    /// Indices into the pairs, rising.
    pub(super) pairs: Vec<usize>,
}

/// Divides the pairs by the column: by the value in A, or in B for customers that are not there in A.
///
/// Groups come in the order of `ranks` (the values of an enum), then of the values themselves; then the
/// customers without a value, then those of whom we cannot say it.
pub(super) fn divide(a: &Side<'_>, b: &Side<'_>, pairs: &[Pair], column: usize, ranks: &[String]) -> Vec<Members> {
    let mut groups: HashMap<GroupKey, Members> = HashMap::new();
    for (index, pair) in pairs.iter().enumerate() {
        let (side, known) = match pair.a {
            Presence::Absent => (b, b.known(column, pair.b_row, pair.b)),
            _ => (a, a.known(column, pair.a_row, pair.a)),
        };
        let (key, value) = match known {
            Known::Value(row) => {
                let value = side.columns[column].values.get(row);
                (GroupKey::Value(value.to_string()), Some(value))
            }
            Known::Empty | Known::Absent => (GroupKey::Empty, None),
            Known::Unknown(_) => (GroupKey::Unknown, None),
        };
        let group = groups.entry(key.clone()).or_insert_with(|| Members { key, value, pairs: Vec::new() });
        group.pairs.push(index);
    }
    let mut groups: Vec<Members> = groups.into_values().collect();
    groups.sort_by(|x, y| order(x, y, ranks));
    groups
}

fn order(x: &Members, y: &Members, ranks: &[String]) -> Ordering {
    let rank = |members: &Members| match &members.key {
        GroupKey::Value(text) => (0, ranks.iter().position(|value| value == text).unwrap_or(ranks.len())),
        GroupKey::Empty => (1, 0),
        GroupKey::Unknown => (2, 0),
    };
    rank(x).cmp(&rank(y)).then_with(|| x.value.cmp(&y.value))
}
