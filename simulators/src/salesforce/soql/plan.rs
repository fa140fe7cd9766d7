//! A query whose names are resolved.

use super::matching::{Route, Test};

/// A query that can be run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) table: usize,
    /// Whether rows in the bin are seen.
    pub(crate) all: bool,
    pub(crate) answer: Answer,
    pub(crate) filter: Option<Test>,
    /// Serials outside cannot pass.
    pub(crate) low: u64,
    pub(crate) high: u64,
    /// Only these serials can pass, by rising serial.
    pub(crate) candidates: Option<Vec<u64>>,
    pub(crate) order: Vec<Key>,
    pub(crate) limit: u64,
    pub(crate) offset: u64,
    /// How many custom long texts are selected; two make pages short.
    pub(crate) long_text_count: usize,
}

impl Plan {
    /// How many queries stand inside each other at most, this one included, and how many are inside it at all.
    pub(crate) fn nesting(&self) -> (usize, usize) {
        let Answer::Records(outputs) = &self.answer else { return (1, 0) };
        let inner = outputs.iter().filter_map(|output| match output {
            Output::Children { plan, .. } => Some(plan.nesting()),
            _ => None,
        });
        let (depth, count) = inner.fold((0, 0), |(deepest, all), (depth, count)| (deepest.max(depth), all + count + 1));
        (depth + 1, count)
    }
}

/// What a query answers with.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Records(Vec<Output>),
    /// `SELECT COUNT()`.
    Total,
    /// One record of figures: key, function, and over what.
    Figures(Vec<(String, Figure, Option<Route>)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Count,
    CountDistinct,
    Min,
    Max,
}

/// A member of each record.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    Field {
        key: String,
        slot: usize,
    },
    /// A compound field: the members' keys and columns.
    Compound {
        key: String,
        parts: Vec<(String, usize)>,
    },
    Parent {
        key: String,
        lookup: usize,
        members: Vec<Output>,
    },
    /// A parent that may be of several objects: what is shown of each, and of those that are not named.
    Which {
        key: String,
        lookup: usize,
        arms: Vec<(usize, Vec<Output>)>,
    },
    /// The name of the object that the row belongs to.
    ObjectName {
        key: String,
    },
    Children {
        key: String,
        lookup: usize,
        plan: Box<Plan>,
    },
}

impl Output {
    pub(super) fn key(&self) -> &str {
        match self {
            Output::Field { key, .. }
            | Output::Compound { key, .. }
            | Output::Parent { key, .. }
            | Output::Which { key, .. }
            | Output::ObjectName { key }
            | Output::Children { key, .. } => key,
        }
    }
}

/// Something to order by.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) route: Route,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
    /// The row's own id, which leaves no ties.
    pub(crate) is_id: bool,
}
