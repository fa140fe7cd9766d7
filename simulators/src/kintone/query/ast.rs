//! A query as written.

/// A whole query.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Query {
    pub(crate) condition: Option<Condition>,
    /// Field, and whether it rises.
    pub(crate) order: Vec<(String, bool)>,
    pub(crate) limit: Option<i64>,
    pub(crate) offset: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test(Test),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    pub(crate) field: String,
    pub(crate) operator: Operator,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    In,
    NotIn,
    Like,
    NotLike,
    IsEmpty,
    IsNotEmpty,
}

impl Operator {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Greater => ">",
            Operator::Less => "<",
            Operator::AtLeast => ">=",
            Operator::AtMost => "<=",
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::Like => "like",
            Operator::NotLike => "not like",
            Operator::IsEmpty => "is empty",
            Operator::IsNotEmpty => "is not empty",
        }
    }

    /// Whether it asks for something not to be so.
    pub(crate) fn is_negative(self) -> bool {
        matches!(self, Operator::NotEqual | Operator::NotIn | Operator::NotLike | Operator::IsNotEmpty)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    /// A text in quotes, or a bare number.
    Text(String),
    Call(String, Vec<String>),
}
