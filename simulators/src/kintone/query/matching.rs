//! Whether a record passes a filter.

use std::cell::Cell;

use super::ast::Operator;
use super::bind::{Check, Filter, Target};
use crate::kintone::app::{App, Column};
use crate::kintone::field::FieldType;
use crate::kintone::records::View;
use crate::kintone::state::State;
use crate::kintone::time;
use crate::kintone::value::Value;
use crate::number::Decimal;

/// What filters need to know besides the record.
#[derive(Debug)]
pub(crate) struct Matcher<'a> {
    pub(crate) state: &'a State,
    pub(crate) app: &'a App,
    /// How many records `like` has found.
    pub(crate) candidates: Cell<u64>,
}

impl Matcher<'_> {
    pub(crate) fn passes(&self, filter: &Filter<'_>, view: &View<'_>) -> bool {
        match filter {
            Filter::Any(parts) => parts.iter().any(|part| self.passes(part, view)),
            Filter::Check(check) => self.all(&[check], view),
            Filter::All(_) => {
                let (mut checks, mut others) = (Vec::new(), Vec::new());
                flatten(filter, &mut checks, &mut others);
                self.all(&checks, view) && others.into_iter().all(|part| self.passes(part, view))
            }
        }
    }

    /// Whether all checks hold; those on rows of one table must hold on the same row, except that what asks for
    /// something not to be so must hold on all rows.
    fn all(&self, checks: &[&Check<'_>], view: &View<'_>) -> bool {
        let mut tables: Vec<&Column> = Vec::new();
        for check in checks {
            match check.target {
                Target::Inner(table, _) if tables.iter().any(|known| known.slot == table.slot) => {}
                Target::Inner(table, _) => tables.push(table),
                _ if !self.holds(check, view) => return false,
                _ => {}
            }
        }
        tables.into_iter().all(|table| {
            let held = self.app.value(view, table);
            let of_table =
                |check: &&&Check<'_>| matches!(check.target, Target::Inner(own, _) if own.slot == table.slot);
            let (negative, positive): (Vec<&Check<'_>>, Vec<&Check<'_>>) =
                checks.iter().filter(of_table).copied().partition(|check| check.operator.is_negative());
            let cell = |check: &Check<'_>, row: &crate::kintone::value::Row| {
                let Target::Inner(_, column) = check.target else { return false };
                self.compare(check, row.values.get(&column.slot).unwrap_or(&Value::Empty))
            };
            let rows = held.rows();
            !rows.is_empty()
                && rows.iter().all(|row| negative.iter().all(|check| cell(check, row)))
                && (positive.is_empty() || rows.iter().any(|row| positive.iter().all(|check| cell(check, row))))
        })
    }

    fn holds(&self, check: &Check<'_>, view: &View<'_>) -> bool {
        let number = |number: u64| Value::Num(Decimal::new(i128::from(number), 0));
        match &check.target {
            Target::Id => self.compare(check, &number(view.id)),
            Target::Revision => self.compare(check, &number(view.revision())),
            Target::Field(column) if matches!(check.operator, Operator::Like | Operator::NotLike) => {
                self.finds(check, column, view)
            }
            Target::Field(column) if column.spec.field_type == FieldType::RecordNumber => {
                self.compare(check, &number(view.id))
            }
            Target::Field(column) => self.compare(check, &self.app.value(view, column)),
            Target::Inner(..) => false,
            Target::Related(other, ours, theirs, wanted) => {
                let key = self.app.value(view, ours);
                !key.is_empty()
                    && other.records.ids(1, u64::MAX).any(|id| {
                        other.records.view(id, None).is_some_and(|view| {
                            other.value(&view, theirs) == key && self.compare(check, &other.value(&view, wanted))
                        })
                    })
            }
        }
    }

    /// A word search in an index that is some seconds behind.
    fn finds(&self, check: &Check<'_>, column: &Column, view: &View<'_>) -> bool {
        let indexed = self.app.records.view(view.id, Some(self.state.now - self.state.options.like_lag_secs));
        let Some(indexed) = indexed else { return false };
        let value = self.app.value(&indexed, column);
        let text = match value.files() {
            [] => value.written(),
            files => files.iter().map(|file| &*file.name).collect::<Vec<_>>().join("\n"),
        };
        let key = check.values.first().map(|(value, _)| value.written()).unwrap_or_default();
        let found = has_word(&text, &key);
        if found {
            self.candidates.set(self.candidates.get() + 1);
        }
        found != check.operator.is_negative()
    }

    fn compare(&self, check: &Check<'_>, value: &Value) -> bool {
        let is_stamp = matches!(check.kind, FieldType::CreatedTime | FieldType::UpdatedTime);
        let seen = |value: &Value| match value {
            Value::Instant(secs) if is_stamp && !self.state.options.hypotheses.filter_sees_seconds => {
                Value::Instant(time::floor(*secs))
            }
            other => other.clone(),
        };
        let value = seen(value);
        let is = |wanted: &(Value, Value)| match &value {
            Value::List(items) => items.iter().any(|item| wanted.0.as_text() == Some(item)),
            held if held.is_empty() || wanted.0.is_empty() => held.is_empty() && wanted.0.is_empty(),
            held => {
                !held.order(&seen(&wanted.0)).is_lt()
                    && !held.order(&seen(&wanted.1)).is_gt()
                    && comparable(held, &wanted.0)
            }
        };
        let bounds = check.values.first();
        let ordered = |test: &dyn Fn(&Value, &Value, &Value) -> bool| {
            bounds.is_some_and(|(low, high)| {
                let (low, high) = (seen(low), seen(high));
                !value.is_empty() && !low.is_empty() && comparable(&value, &low) && test(&value, &low, &high)
            })
        };
        match check.operator {
            Operator::Equal | Operator::In => check.values.iter().any(is),
            Operator::NotEqual | Operator::NotIn => !check.values.iter().any(is),
            Operator::Greater => ordered(&|value, _, high| value.order(high).is_gt()),
            Operator::AtLeast => ordered(&|value, low, _| !value.order(low).is_lt()),
            Operator::Less => ordered(&|value, low, _| value.order(low).is_lt()),
            Operator::AtMost => ordered(&|value, _, high| !value.order(high).is_gt()),
            Operator::IsEmpty => is_blank(&value),
            Operator::IsNotEmpty => !is_blank(&value),
            Operator::Like | Operator::NotLike => {
                let key = check.values.first().map(|(value, _)| value.written()).unwrap_or_default();
                has_word(&value.written(), &key) != check.operator.is_negative()
            }
        }
    }
}

fn comparable(held: &Value, wanted: &Value) -> bool {
    std::mem::discriminant(held) == std::mem::discriminant(wanted)
        || (held.as_text().is_some() && wanted.as_text().is_some())
}

fn is_blank(value: &Value) -> bool {
    value.is_empty() || value.as_text().is_some_and(|text| text.trim().is_empty())
}

fn flatten<'a, 'b>(filter: &'b Filter<'a>, checks: &mut Vec<&'b Check<'a>>, others: &mut Vec<&'b Filter<'a>>) {
    match filter {
        Filter::All(parts) => parts.iter().for_each(|part| flatten(part, checks, others)),
        Filter::Check(check) => checks.push(check),
        Filter::Any(_) => others.push(filter),
    }
}

/// Whether `text` has the words of `key`: whole words where letters are Latin, any place where they are not.
fn has_word(text: &str, key: &str) -> bool {
    let (text, key) = (text.to_lowercase(), key.to_lowercase());
    if key.is_empty() {
        return false;
    }
    if !key.is_ascii() {
        return text.contains(&key);
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric();
    text.match_indices(&key).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + key.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn like_finds_words_not_parts_of_them() {
        assert!(super::has_word("The KEY word", "key"));
        assert!(!super::has_word("keyword", "key"));
        assert!(super::has_word("株式会社青葉商事", "商事"));
    }
}
