//! A query as written.

use crate::zoho::filter::Op;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Total,
    Min,
    Max,
    Avg,
}

impl Aggregate {
    pub(crate) const ALL: [Aggregate; 5] =
        [Aggregate::Count, Aggregate::Total, Aggregate::Min, Aggregate::Max, Aggregate::Avg];

    /// As queries and answers have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Aggregate::Count => "COUNT",
            Aggregate::Total => "SUM",
            Aggregate::Min => "MIN",
            Aggregate::Max => "MAX",
            Aggregate::Avg => "AVG",
        }
    }
}

/// A column that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) path: String,
    pub(crate) sum: Option<Aggregate>,
    pub(crate) alias: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Test { path: String, op: Op, negated: bool, values: Vec<String> },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    pub(crate) items: Vec<Item>,
    pub(crate) module: String,
    pub(crate) condition: Condition,
    pub(crate) group_by: Vec<String>,
    /// What it is ordered by, and whether falling.
    pub(crate) order_by: Vec<(String, bool)>,
    pub(crate) offset: u64,
    pub(crate) limit: Option<u64>,
}
