//! Conditions on records, as queries and bulk read jobs have them.

use std::cmp::Ordering;

use crate::instant::{parse_date, parse_datetime};
use crate::number::Decimal;
use crate::zoho::field::{Column, FieldType};
use crate::zoho::look;
use crate::zoho::records::{Sort, View};
use crate::zoho::state::State;
use crate::zoho::value::Value;

/// A field of the record, or of one that it looks up: module and place of each step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) steps: Vec<(usize, usize)>,
}

/// Why a path is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoPath {
    Unknown,
    TooDeep,
}

/// How many lookups a path may follow.
const DEEPEST: usize = 2;

impl Path {
    /// Reads `Account_Name.Owner`.
    pub(crate) fn read(
        state: &State,
        module: usize,
        text: &str,
        sees: impl Fn(&Column) -> bool,
    ) -> Result<Path, NoPath> {
        let mut steps = Vec::new();
        let mut at = Some(module);
        for name in text.split('.') {
            let place = at.ok_or(NoPath::Unknown)?;
            let columns = &state.modules[place].columns;
            let is_named = |column: &Column| column.name() == name || (name == "Id" && column.name() == "id");
            let column = columns.iter().position(|column| is_named(column) && sees(column));
            let column = column.ok_or(NoPath::Unknown)?;
            steps.push((place, column));
            at = columns[column]
                .spec
                .module
                .as_deref()
                .filter(|_| columns[column].kind() == FieldType::Lookup)
                .and_then(|name| state.find(name));
        }
        if steps.len() > DEEPEST + 1 { Err(NoPath::TooDeep) } else { Ok(Path { steps }) }
    }

    /// The field at its end.
    pub(crate) fn column<'a>(&self, state: &'a State) -> Option<&'a Column> {
        let (module, place) = self.steps.last()?;
        state.modules[*module].columns.get(*place)
    }

    /// What it leads to; empty where a lookup is.
    pub(crate) fn value(&self, state: &State, view: &View<'_>) -> Value {
        let mut view = *view;
        let mut value = Value::Empty;
        for (nth, (module, place)) in self.steps.iter().enumerate() {
            if nth > 0 {
                let target = value.id().and_then(|id| state.place_of(id)).filter(|(found, _)| found == module);
                let next = target.and_then(|(found, number)| state.modules[found].records.view(number, view.when));
                let Some(next) = next else { return Value::Empty };
                view = next;
            }
            value = look::value(state, *module, &view, &state.modules[*module].columns[*place]);
        }
        value
    }

    /// The order that it is part of, when it is a stamp or the id of the record itself.
    pub(crate) fn sort(&self, state: &State) -> Option<Sort> {
        self.column(state).filter(|_| self.steps.len() == 1).and_then(|column| Sort::of(column.name()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Between,
    /// With `%` for any text.
    Like,
    Null,
}

/// A condition on one field.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) path: Path,
    pub(crate) op: Op,
    pub(crate) negated: bool,
    pub(crate) values: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(crate) enum Filter {
    All,
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Test(Test),
}

impl Filter {
    pub(crate) fn holds(&self, state: &State, view: &View<'_>) -> bool {
        match self {
            Filter::All => true,
            Filter::And(parts) => parts.iter().all(|part| part.holds(state, view)),
            Filter::Or(parts) => parts.iter().any(|part| part.holds(state, view)),
            Filter::Test(test) => test.holds(state, view),
        }
    }

    /// How many conditions it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Filter::All => 0,
            Filter::And(parts) | Filter::Or(parts) => parts.iter().map(Filter::len).sum(),
            Filter::Test(_) => 1,
        }
    }

    /// The least instant or number that a record must have there, as far as the filter says so plainly.
    pub(crate) fn least(&self, state: &State, sort: Sort) -> Option<i64> {
        match self {
            Filter::And(parts) => parts.iter().filter_map(|part| part.least(state, sort)).max(),
            Filter::Test(test)
                if !test.negated
                    && matches!(test.op, Op::Greater | Op::GreaterEqual | Op::Equal | Op::Between)
                    && test.path.sort(state) == Some(sort) =>
            {
                match test.values.first() {
                    Some(Value::Instant(secs)) => Some(*secs),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl Test {
    fn holds(&self, state: &State, view: &View<'_>) -> bool {
        let value = self.path.value(state, view);
        if self.op == Op::Null {
            return value.is_empty() != self.negated;
        }
        // Nothing is like an empty field, and nothing unlike it.
        if value.is_empty() {
            return false;
        }
        let order = |nth: usize| self.values.get(nth).map(|other| value.order(other));
        let is = |nth: usize, wanted: &[Ordering]| order(nth).is_some_and(|order| wanted.contains(&order));
        use Ordering::{Equal, Greater, Less};
        let any = |wanted: &Value| match (&value, wanted) {
            (Value::List(items), Value::Text(text)) => items.iter().any(|item| item == text),
            _ => value.order(wanted) == Equal,
        };
        let holds = match self.op {
            Op::Equal | Op::In => self.values.iter().any(any),
            Op::Less => is(0, &[Less]),
            Op::LessEqual => is(0, &[Less, Equal]),
            Op::Greater => is(0, &[Greater]),
            Op::GreaterEqual => is(0, &[Greater, Equal]),
            Op::Between => is(0, &[Greater, Equal]) && is(1, &[Less, Equal]),
            Op::Like => {
                let pattern = self.values.first().and_then(Value::as_text).unwrap_or_default();
                value.as_text().is_some_and(|text| is_like(&text.to_lowercase(), &pattern.to_lowercase()))
            }
            Op::Null => true,
        };
        holds != self.negated
    }
}

fn is_like(text: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('%');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(piece) = last.replace(piece) {
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
    }
    match last {
        Some(last) => rest.ends_with(last),
        None => rest.is_empty(),
    }
}

/// A literal as a value of that field; `None` when it can be none.
pub(crate) fn literal(column: &Column, text: &str) -> Option<Value> {
    use FieldType::{
        Bigint, Boolean, Currency, Date, Datetime, Double, Formula, Integer, Lookup, Ownerlookup, Percent,
        RollupSummary, Userlookup,
    };
    if column.name() == "id" {
        return text.parse().ok().map(Value::Ref);
    }
    match column.kind() {
        Integer | Bigint | Double | Percent | Currency | Formula | RollupSummary => {
            Decimal::parse(text).map(Value::Num)
        }
        Boolean => text.parse().ok().map(Value::Bool),
        Date => parse_date(text).map(Value::Date),
        Datetime => parse_datetime(text).map(Value::Instant),
        Lookup | Ownerlookup | Userlookup => text.parse().ok().map(Value::Ref),
        _ => Some(Value::Text(text.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn percent_signs_stand_for_any_text() {
        for (text, pattern, is) in [
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("abc", "a%", true),
            ("abc", "%b%", true),
            ("abc", "%c", true),
            ("abc", "%b", false),
            ("株式会社青葉", "%青%葉%", true),
        ] {
            assert_eq!(is_like(text, pattern), is, "{text} {pattern}");
        }
    }
}
