//! What comes before what, type by type.

use std::cmp::Ordering;

use super::{TypeOptions, Value, VariableType, choice, set};

/// How two values of a variable compare: numbers and dates by value, `false` before `true`, an enum as its `values` are
/// listed, a set before those that contain it, all else by the numbers of its characters in Unicode.
///
/// `None` where there is no order: between sets of which none contains the other, and between values that are not both
/// of the type.
pub fn compare(kind: VariableType, options: &TypeOptions, a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => match kind {
            VariableType::Enum => Some(choice::order(a, b, &options.values)),
            VariableType::Set => set::order(a, b),
            _ => Some(a.cmp(b)),
        },
        (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
        (Value::Decimal(a), Value::Decimal(b))
        | (Value::Money(a), Value::Money(b))
        | (Value::Percent(a), Value::Percent(b)) => Some(a.cmp(b)),
        (Value::Boolean(a), Value::Boolean(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Datetime(a), Value::Datetime(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// How two texts of an enum compare, by the variable's `values`.
pub fn compare_choices(values: &[String], a: &str, b: &str) -> Ordering {
    choice::order(a, b, values)
}
