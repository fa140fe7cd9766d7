//! Whether a row passes a filter whose names are resolved.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::ast::Operator;
use crate::number::Decimal;
use crate::salesforce::id::{self, Id15};
use crate::salesforce::store::Store;
use crate::salesforce::table::{Moment, View};
use crate::salesforce::value::Value;

/// The way from a row to a value: over lookups, then a column.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) hops: Vec<usize>,
    pub(crate) slot: usize,
}

/// A literal that fits its field.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Null,
    Bool(bool),
    Number(Decimal),
    /// Lower case.
    Text(String),
    Id(Id15),
    /// Days, first and last.
    Dates(i32, i32),
    /// Seconds, first and last.
    Instants(i64, i64),
}

/// A filter.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Compare(Route, Operator, Operand),
    Like(Route, Vec<Pattern>),
    In(Route, bool, Vec<Operand>),
    InIds(Route, bool, HashSet<Id15>),
    Includes(Route, bool, Vec<Vec<String>>),
}

/// A piece of a LIKE pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pattern {
    One(char),
    AnyOne,
    AnyRun,
}

/// The pieces of `text`, with `\%` and `\_` standing for themselves.
pub(crate) fn pattern(text: &str) -> Vec<Pattern> {
    let mut pieces = Vec::new();
    let lower = text.to_lowercase();
    let mut characters = lower.chars().peekable();
    while let Some(c) = characters.next() {
        pieces.push(match c {
            '%' => Pattern::AnyRun,
            '_' => Pattern::AnyOne,
            '\\' if matches!(characters.peek(), Some('%' | '_')) => Pattern::One(characters.next().unwrap_or('%')),
            c => Pattern::One(c),
        });
    }
    pieces
}

/// What the route leads to from this row; null where a lookup on the way is empty.
pub(crate) fn follow(store: &Store, table: usize, view: &View<'_>, route: &Route, moment: &Moment) -> Value {
    match route.hops.split_first() {
        None => store.value(table, view, route.slot, moment),
        Some((&lookup, rest)) => match store.parent(table, view, lookup, moment) {
            None => Value::Null,
            Some((parent_table, parent)) => {
                let rest = Route { hops: rest.to_vec(), slot: route.slot };
                follow(store, parent_table, &parent, &rest, moment)
            }
        },
    }
}

impl Test {
    /// Whether the row passes.
    pub(crate) fn passes(&self, store: &Store, table: usize, view: &View<'_>, moment: &Moment) -> bool {
        let value = |route: &Route| follow(store, table, view, route, moment);
        match self {
            Test::All(tests) => tests.iter().all(|test| test.passes(store, table, view, moment)),
            Test::Any(tests) => tests.iter().any(|test| test.passes(store, table, view, moment)),
            Test::Not(test) => !test.passes(store, table, view, moment),
            Test::Compare(route, operator, operand) => compare(&value(route), *operator, operand),
            Test::Like(route, pieces) => value(route).as_text().is_some_and(|text| {
                let characters: Vec<char> = text.to_lowercase().chars().collect();
                is_like(&characters, pieces)
            }),
            Test::In(route, negated, operands) => {
                let value = value(route);
                operands.iter().any(|operand| compare(&value, Operator::Equal, operand)) != *negated
            }
            Test::InIds(route, negated, ids) => {
                let value = value(route);
                value.as_text().and_then(id::parse).is_some_and(|id| ids.contains(&id)) != *negated
            }
            Test::Includes(route, negated, groups) => {
                let value = value(route);
                let chosen: Vec<String> = value
                    .as_text()
                    .map(|text| text.to_lowercase().split(';').map(str::to_owned).collect())
                    .unwrap_or_default();
                groups.iter().any(|group| group.iter().all(|wanted| chosen.contains(wanted))) != *negated
            }
        }
    }
}

fn compare(value: &Value, operator: Operator, operand: &Operand) -> bool {
    if let Operand::Null = operand {
        return match operator {
            Operator::Equal => value.is_null(),
            Operator::NotEqual => !value.is_null(),
            _ => false,
        };
    }
    // Against the first and the last of what the literal covers; one and the same for most.
    let orders = match (value, operand) {
        (Value::Instant(value), Operand::Instants(first, last)) => Some((value.cmp(first), value.cmp(last))),
        (Value::Date(value), Operand::Dates(first, last)) => Some((value.cmp(first), value.cmp(last))),
        (Value::Bool(value), Operand::Bool(wanted)) => Some(twice(value.cmp(wanted))),
        (_, Operand::Number(wanted)) => value.as_number().map(|number| twice(number.cmp(wanted))),
        (_, Operand::Text(wanted)) => value.as_text().map(|text| twice(fold_cmp(text, wanted))),
        (_, Operand::Id(wanted)) => {
            value.as_text().and_then(|text| text.as_bytes().get(..15)).map(|id| twice(id.cmp(wanted.as_slice())))
        }
        _ => None,
    };
    let Some((first, last)) = orders else { return operator == Operator::NotEqual };
    match operator {
        Operator::Equal => first.is_ge() && last.is_le(),
        Operator::NotEqual => first.is_lt() || last.is_gt(),
        Operator::Less => first.is_lt(),
        Operator::LessEqual => last.is_le(),
        Operator::Greater => last.is_gt(),
        Operator::GreaterEqual => first.is_ge(),
        Operator::Like => false,
    }
}

fn twice(order: Ordering) -> (Ordering, Ordering) {
    (order, order)
}

fn fold_cmp(text: &str, lower: &str) -> Ordering {
    if text.is_ascii() {
        text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(lower.bytes())
    } else {
        text.to_lowercase().as_str().cmp(lower)
    }
}

fn is_like(text: &[char], pieces: &[Pattern]) -> bool {
    match pieces.split_first() {
        None => text.is_empty(),
        Some((Pattern::AnyRun, rest)) => (0..=text.len()).any(|skipped| is_like(&text[skipped..], rest)),
        Some((Pattern::AnyOne, rest)) => !text.is_empty() && is_like(&text[1..], rest),
        Some((Pattern::One(c), rest)) => text.first() == Some(c) && is_like(&text[1..], rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_its_wildcards_and_their_escapes() {
        let like = |text: &str, shape: &str| is_like(&text.to_lowercase().chars().collect::<Vec<_>>(), &pattern(shape));
        assert!(like("株式会社青葉", "株式会社%"));
        assert!(like("ABC", "a_c"));
        assert!(!like("ABC", "a_"));
        assert!(like("50%", r"50\%"));
        assert!(!like("500", r"50\%"));
    }
}
