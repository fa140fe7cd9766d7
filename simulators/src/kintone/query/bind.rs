//! From names to fields, and from texts to values: what a query means in an app.

use super::ast::{Argument, Condition, Operator, Query, Test};
use super::dates;
use crate::instant::DAY;
use crate::kintone::app::{App, Column};
use crate::kintone::field::FieldType;
use crate::kintone::refusal::{
    Answer, Refusal, bad_query, equals_in_table, invalid_at, limit_too_large, message, no_field_in_query, not_related,
    offset_too_large, undefined_option, wrong_operator,
};
use crate::kintone::state::State;
use crate::kintone::time;
use crate::kintone::value::Value;
use crate::kintone::visit::Visit;
use crate::number::Decimal;

/// What a test looks at.
#[derive(Debug, Clone)]
pub(crate) enum Target<'a> {
    Id,
    Revision,
    Field(&'a Column),
    /// A field of a table's rows, and the table.
    Inner(&'a Column, &'a Column),
    /// A field of the records of another app whose field (the second) equals one of ours (the first).
    Related(&'a App, &'a Column, &'a Column, &'a Column),
}

/// A test with its values.
#[derive(Debug, Clone)]
pub(crate) struct Check<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) kind: FieldType,
    pub(crate) operator: Operator,
    /// What it is compared with: each from the first to the second, both counted.
    pub(crate) values: Vec<(Value, Value)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Filter<'a> {
    All(Vec<Filter<'a>>),
    Any(Vec<Filter<'a>>),
    Check(Check<'a>),
}

/// A query that can be run.
#[derive(Debug, Clone)]
pub(crate) struct Plan<'a> {
    pub(crate) filter: Option<Filter<'a>>,
    /// What to sort by, and whether it rises; `None` is `$id`.
    pub(crate) order: Vec<(Option<&'a Column>, bool)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
}

struct Binder<'a> {
    state: &'a State,
    app: &'a App,
    visible: Vec<&'a Column>,
    user: String,
}

/// Gives a query its meaning for whoever calls.
pub(crate) fn bind<'a>(visit: &'a Visit<'_>, app: &'a App, query: &Query) -> Answer<Plan<'a>> {
    let binder = Binder { state: visit.state, app, visible: visit.columns(app), user: visit.caller.user().to_string() };
    let filter = query.condition.as_ref().map(|condition| binder.condition(condition)).transpose()?;
    let mut order = Vec::new();
    for (field, rises) in &query.order {
        let column = match field.as_str() {
            "$id" => None,
            code => Some(binder.find(code).ok_or_else(|| no_field_in_query(code))?),
        };
        order.push((column, *rises));
    }
    let open = &visit.state.options.hypotheses;
    let negative =
        || invalid_at("query", message("0以上の値を指定してください。", "must be greater than or equal to 0"));
    let limit = match query.limit {
        Some(limit) if limit < 0 || (limit == 0 && !open.limit_zero) => return Err(negative()),
        Some(limit) if limit > 500 => return Err(limit_too_large()),
        limit => limit.map(i64::unsigned_abs),
    };
    let offset = match query.offset {
        Some(offset) if offset < 0 => return Err(negative()),
        Some(offset) if offset > 10_000 => return Err(offset_too_large()),
        offset => offset.unwrap_or(0).unsigned_abs(),
    };
    Ok(Plan { filter, order, limit, offset })
}

impl<'a> Binder<'a> {
    fn find(&self, code: &str) -> Option<&'a Column> {
        self.visible.iter().find(|column| column.spec.code == code).copied()
    }

    fn condition(&self, condition: &Condition) -> Answer<Filter<'a>> {
        let parts = |parts: &[Condition]| parts.iter().map(|part| self.condition(part)).collect::<Answer<Vec<_>>>();
        Ok(match condition {
            Condition::All(list) => Filter::All(parts(list)?),
            Condition::Any(list) => Filter::Any(parts(list)?),
            Condition::Test(test) => Filter::Check(self.test(test)?),
        })
    }

    fn test(&self, test: &Test) -> Answer<Check<'a>> {
        let (target, column) = self.target(&test.field)?;
        let (kind, label) = match column {
            Some(column) => (column.spec.field_type, column.spec.shown().to_owned()),
            None => (FieldType::RecordNumber, test.field.clone()),
        };
        if matches!(target, Target::Inner(..)) && matches!(test.operator, Operator::Equal | Operator::NotEqual) {
            return Err(equals_in_table(&label, test.operator.text()));
        }
        if !allows(kind, test.operator, self.state) {
            return Err(wrong_operator(&label, test.operator.text()));
        }
        let values = test.arguments.iter().map(|argument| self.value(kind, column, argument, test.operator));
        Ok(Check { target, kind, operator: test.operator, values: values.collect::<Answer<_>>()? })
    }

    fn target(&self, code: &str) -> Answer<(Target<'a>, Option<&'a Column>)> {
        let missing = || no_field_in_query(code);
        match code {
            "$id" => return Ok((Target::Id, None)),
            "$revision" if self.state.options.hypotheses.revision_filter => return Ok((Target::Revision, None)),
            _ => {}
        }
        if let Some(column) = self.find(code) {
            return Ok((Target::Field(column), Some(column)));
        }
        let inner = self.visible.iter().find_map(|table| {
            table.inner.iter().find(|column| column.spec.code == code).map(|column| (*table, column))
        });
        if let Some((table, column)) = inner {
            return Ok((Target::Inner(table, column), Some(column)));
        }
        let (outer, field) = code.split_once('.').ok_or_else(missing)?;
        let column = self.find(outer).ok_or_else(missing)?;
        let related = column.spec.related.as_ref().ok_or_else(|| not_related(outer))?;
        let other = self.state.apps.iter().find(|app| app.id == related.app && !app.is_deleted).ok_or_else(missing)?;
        let ours = self.app.live.find(&related.field).ok_or_else(missing)?;
        let theirs = other.live.find(&related.related).ok_or_else(missing)?;
        let wanted = other.live.find(field).ok_or_else(missing)?;
        Ok((Target::Related(other, ours, theirs, wanted), Some(wanted)))
    }

    fn value(
        &self,
        kind: FieldType,
        column: Option<&Column>,
        argument: &Argument,
        operator: Operator,
    ) -> Answer<(Value, Value)> {
        let same = |value: Value| (value.clone(), value);
        let text = match argument {
            Argument::Call(name, arguments) => return self.call(kind, name, arguments),
            Argument::Text(text) => text,
        };
        if text.is_empty() || matches!(operator, Operator::Like | Operator::NotLike) {
            return Ok(same(Value::text(text)));
        }
        let number = |text: &str| Decimal::parse(text).map(Value::Num).ok_or_else(bad_query);
        Ok(same(match kind {
            FieldType::RecordNumber => {
                let prefix = format!("{}-", self.app.code);
                number(text.strip_prefix(&prefix).unwrap_or(text))?
            }
            FieldType::Number | FieldType::Calc => match number(text) {
                Ok(value) => value,
                Err(_) if kind == FieldType::Calc => Value::text(text),
                Err(refusal) => return Err(refusal),
            },
            FieldType::Date => Value::Date(time::read_date(text).ok_or_else(bad_query)?),
            FieldType::Time => Value::Time(time::read_clock(text).ok_or_else(bad_query)?),
            FieldType::Datetime | FieldType::CreatedTime | FieldType::UpdatedTime => {
                Value::Instant(time::read_instant(text).ok_or_else(bad_query)?)
            }
            kind if kind.is_choice() => {
                let spec = column.map(|column| &column.spec);
                if !spec.is_some_and(|spec| spec.options.contains(text)) {
                    return Err(undefined_option(spec.map_or("", |spec| spec.shown()), text));
                }
                Value::text(text)
            }
            kind if kind.is_entity() => {
                if self.state.auth.person(text).is_none() {
                    return Err(unknown_entity(kind, text));
                }
                Value::text(text)
            }
            _ => Value::text(text),
        }))
    }

    fn call(&self, kind: FieldType, name: &str, arguments: &[String]) -> Answer<(Value, Value)> {
        let same = |value: Value| (value.clone(), value);
        let zone = self.state.options.zone_secs;
        match (name, kind) {
            ("LOGINUSER", kind) if kind.is_entity() => Ok(same(Value::text(&self.user))),
            ("PRIMARY_ORGANIZATION", kind) if kind.is_entity() => Ok(same(Value::Empty)),
            ("NOW", FieldType::Datetime | FieldType::CreatedTime | FieldType::UpdatedTime) => {
                Ok(same(Value::Instant(self.state.now)))
            }
            (_, FieldType::Date | FieldType::Datetime | FieldType::CreatedTime | FieldType::UpdatedTime) => {
                let today = (self.state.now + zone).div_euclid(DAY) as i32;
                let (first, last) = dates::span(name, arguments, today)?;
                Ok(match kind {
                    FieldType::Date => (Value::Date(first), Value::Date(last)),
                    _ => {
                        let start = |day: i32| i64::from(day) * DAY - zone;
                        (Value::Instant(start(first)), Value::Instant(start(last) + DAY - 1))
                    }
                })
            }
            _ => Err(bad_query()),
        }
    }
}

fn unknown_entity(kind: FieldType, code: &str) -> Refusal {
    let error = match kind {
        FieldType::OrganizationSelect => "GAIA_IL28",
        FieldType::GroupSelect => "GAIA_IL42",
        _ => "GAIA_IL26",
    };
    Refusal::new(400, error, format!("「{code}」は削除されています。"), format!("{code} has been deleted."))
}

/// Whether a field of that type takes the operator.
fn allows(kind: FieldType, operator: Operator, state: &State) -> bool {
    use Operator as O;
    let is_equality = matches!(operator, O::Equal | O::NotEqual);
    let is_order = matches!(operator, O::Greater | O::Less | O::AtLeast | O::AtMost);
    let is_in = matches!(operator, O::In | O::NotIn);
    let is_like = matches!(operator, O::Like | O::NotLike);
    let is_emptiness = matches!(operator, O::IsEmpty | O::IsNotEmpty);
    match kind {
        FieldType::RecordNumber | FieldType::Number | FieldType::Calc => is_equality || is_order || is_in,
        FieldType::SingleLineText | FieldType::Link => is_equality || is_in || is_like,
        FieldType::MultiLineText | FieldType::RichText | FieldType::File => is_like || is_emptiness,
        FieldType::Date | FieldType::Time | FieldType::Datetime | FieldType::CreatedTime | FieldType::UpdatedTime => {
            is_equality || is_order
        }
        FieldType::Status => is_equality || is_in,
        FieldType::Category => is_in && state.options.hypotheses.category_filter,
        kind if kind.is_choice() || kind.is_entity() => is_in,
        _ => false,
    }
}
