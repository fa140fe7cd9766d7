//! A query as written. Places are character offsets in its text, for complaints.

use crate::number::Decimal;

#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) items: Vec<Item>,
    pub(crate) from: Name,
    /// The short name in `FROM Account a`.
    pub(crate) alias: Option<String>,
    pub(crate) filter: Option<Condition>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

/// A name and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: usize,
}

/// `Account.Owner.Name` and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) parts: Vec<String>,
    pub(crate) at: usize,
}

impl Path {
    pub(crate) fn text(&self) -> String {
        self.parts.join(".")
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Item {
    Field(Path),
    /// `COUNT()`.
    CountAll,
    /// `MAX(SystemModstamp) newest`.
    Aggregate {
        function: Name,
        path: Option<Path>,
        alias: Option<String>,
    },
    /// `FIELDS(ALL)`.
    Fields(Name),
    /// `TYPEOF What WHEN Account THEN Phone ELSE Name END`.
    Typeof {
        lookup: Path,
        arms: Vec<(Name, Vec<Path>)>,
        otherwise: Vec<Path>,
    },
    /// `(SELECT Id FROM Contacts)`.
    Children(Box<Query>),
}

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) path: Path,
    pub(crate) descending: bool,
    /// `None`: nulls where the direction puts them.
    pub(crate) nulls_last: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Like,
}

#[derive(Debug, Clone)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare { path: Path, operator: Operator, literal: Literal },
    In { path: Path, negated: bool, literals: Vec<Literal> },
    InQuery { path: Path, negated: bool, query: Box<Query> },
    Includes { path: Path, negated: bool, literals: Vec<Literal> },
}

/// A literal and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    pub(crate) value: Constant,
    pub(crate) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(String),
    Date(i32),
    Instant(i64),
    /// Whole days relative to today: from the first day to the last, today being 0.
    Days(i64, i64),
}
