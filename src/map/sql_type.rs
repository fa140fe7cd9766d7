//! The types that an expression can have, and how they meet.
//!
//! Seven types are enough for every variable, so that there is no question of precision or time zone
//! inside an expression: numbers are `Int64` or `Decimal128(38, 10)`, never floating point; dates are
//! days; instants are microseconds in UTC. Text and numbers never turn into each other unasked.

use datafusion::arrow::datatypes::{DataType, TimeUnit};

use crate::schema::VariableType;

/// Digits of a decimal inside an expression, and how many of them are decimal places.
pub(crate) const DECIMAL: (u8, i8) = (38, 10);

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SqlType {
    /// Text, as every field is.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number with ten decimal places.
    Decimal,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Datetime,
    /// A span of months and days, to be added to a date.
    Interval,
    /// Only ever empty; goes with every type.
    Null,
}

impl SqlType {
    /// How values of this type are kept in memory.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            SqlType::Text => DataType::Utf8,
            SqlType::Integer => DataType::Int64,
            SqlType::Decimal => DataType::Decimal128(DECIMAL.0, DECIMAL.1),
            SqlType::Boolean => DataType::Boolean,
            SqlType::Date => DataType::Date32,
            SqlType::Datetime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            SqlType::Interval => DataType::Interval(datafusion::arrow::datatypes::IntervalUnit::MonthDayNano),
            SqlType::Null => DataType::Null,
        }
    }

    /// The type that values of `data_type` have after a lossless change of representation.
    ///
    /// `None` for what expressions do not compute with: floating point, lists, binary data, times of day.
    pub(crate) fn of(data_type: &DataType) -> Option<SqlType> {
        Some(match data_type {
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => SqlType::Text,
            data_type if data_type.is_integer() => SqlType::Integer,
            data_type if data_type.is_decimal() => SqlType::Decimal,
            DataType::Boolean => SqlType::Boolean,
            DataType::Date32 | DataType::Date64 => SqlType::Date,
            DataType::Timestamp(_, _) => SqlType::Datetime,
            DataType::Interval(_) => SqlType::Interval,
            DataType::Null => SqlType::Null,
            _ => return None,
        })
    }

    /// The type under which a variable is seen by expressions that derive another.
    pub(crate) fn of_variable(kind: VariableType) -> SqlType {
        match kind {
            VariableType::Text
            | VariableType::Enum
            | VariableType::Set
            | VariableType::Url
            | VariableType::Email
            | VariableType::Phone
            | VariableType::PostalCode
            | VariableType::CorporateNumber
            | VariableType::Ref => SqlType::Text,
            VariableType::Integer => SqlType::Integer,
            VariableType::Decimal | VariableType::Money | VariableType::Percent => SqlType::Decimal,
            VariableType::Boolean => SqlType::Boolean,
            VariableType::Date => SqlType::Date,
            VariableType::Datetime => SqlType::Datetime,
        }
    }

    /// Whether a variable of `kind` can be made of this type; everything can be made of text.
    pub(crate) fn fits(self, kind: VariableType) -> bool {
        use VariableType as V;
        match self {
            SqlType::Text | SqlType::Null => true,
            SqlType::Integer => {
                let as_key = matches!(kind, V::Text | V::Enum | V::Ref | V::CorporateNumber);
                as_key || matches!(kind, V::Integer | V::Decimal | V::Money | V::Percent)
            }
            SqlType::Decimal => matches!(kind, V::Integer | V::Decimal | V::Money | V::Percent | V::Text),
            SqlType::Boolean => matches!(kind, V::Boolean | V::Text | V::Enum),
            SqlType::Date => matches!(kind, V::Date | V::Text),
            SqlType::Datetime => matches!(kind, V::Datetime),
            SqlType::Interval => false,
        }
    }

    /// How an expression of this type can be made to fit a variable of `kind`.
    pub(crate) fn advice_for(self, kind: VariableType) -> Option<String> {
        use VariableType as V;
        Some(match (self, kind) {
            (SqlType::Datetime, V::Date) => "say which day it counts for: wrap it in `date(…)`".to_owned(),
            (SqlType::Datetime, V::Text) => "write `text(date(…))`".to_owned(),
            (SqlType::Integer | SqlType::Decimal, V::Boolean) => "write a comparison such as `… > 0`".to_owned(),
            _ => return None,
        })
    }

    /// Whether it counts.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, SqlType::Integer | SqlType::Decimal)
    }

    /// The type that values of both can be given without asking: equal types, or an integer beside a decimal.
    pub(crate) fn meet(self, other: SqlType) -> Option<SqlType> {
        match (self, other) {
            (a, b) if a == b => Some(a),
            (SqlType::Null, other) | (other, SqlType::Null) => Some(other),
            (a, b) if a.is_number() && b.is_number() => Some(SqlType::Decimal),
            _ => None,
        }
    }

    /// The word for it in messages, with its article.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            SqlType::Text => "text",
            SqlType::Integer => "an integer",
            SqlType::Decimal => "a decimal",
            SqlType::Boolean => "a boolean",
            SqlType::Date => "a date",
            SqlType::Datetime => "a datetime",
            SqlType::Interval => "an interval",
            SqlType::Null => "null",
        }
    }

    /// The function that converts to it, for advice.
    pub(crate) fn function(self) -> Option<&'static str> {
        Some(match self {
            SqlType::Text => "text",
            SqlType::Integer | SqlType::Decimal => "decimal",
            SqlType::Boolean => "boolean",
            SqlType::Date => "date",
            SqlType::Datetime => "datetime",
            SqlType::Interval | SqlType::Null => return None,
        })
    }
}

/// The word for a variable's type as it is written in its definition.
pub(crate) fn variable_type_word(kind: VariableType) -> &'static str {
    kind.word()
}
