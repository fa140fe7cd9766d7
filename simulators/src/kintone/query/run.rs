//! Finds the records that a plan asks for.

use std::cell::Cell;
use std::cmp::Ordering;

use super::ast::Operator;
use super::bind::{Check, Filter, Plan, Target};
use super::matching::Matcher;
use crate::chance::mix;
use crate::kintone::app::App;
use crate::kintone::value::Value;
use crate::kintone::visit::Visit;

/// What a query found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) ids: Vec<u64>,
    /// How many there are in all, if that was asked.
    pub(crate) total: Option<u64>,
    /// Whether `like` gave up: the ids are only a part.
    pub(crate) is_part: bool,
}

/// Runs a plan; without a limit of its own it gives at most `most`.
pub(crate) fn run(visit: &Visit<'_>, app: &App, plan: &Plan<'_>, most: u64, with_total: bool) -> Found {
    let matcher = Matcher { state: visit.state, app, candidates: Cell::new(0) };
    let (low, high, is_exact) = bounds(plan.filter.as_ref());
    let give_up = visit.state.options.like_limit;
    let is_cut = || matcher.candidates.get() >= give_up;
    let passes = |id: u64| {
        visit.sees(app, id)
            && app
                .records
                .view(id, None)
                .is_some_and(|view| is_exact || plan.filter.as_ref().is_none_or(|filter| matcher.passes(filter, &view)))
    };
    let limit = plan.limit.unwrap_or(most);
    let by_id = plan.order.first().is_none_or(|(column, _)| column.is_none());
    if by_id {
        let rises = plan.order.first().is_some_and(|(_, rises)| *rises);
        let is_counted = is_exact && (!visit.caller.is_narrowed() || app.hidden_records.is_empty());
        let enough = if with_total && !is_counted { u64::MAX } else { plan.offset.saturating_add(limit) };
        let mut found = Found::default();
        let mut count = 0;
        let ids: Box<dyn Iterator<Item = u64>> =
            if rises { Box::new(app.records.ids(low, high)) } else { Box::new(app.records.ids(low, high).rev()) };
        for id in ids {
            if count >= enough || is_cut() {
                break;
            }
            if passes(id) {
                if count >= plan.offset && (found.ids.len() as u64) < limit {
                    found.ids.push(id);
                }
                count += 1;
            }
        }
        found.is_part = is_cut();
        found.total = with_total.then(|| if is_counted { app.records.count(low, high) } else { count });
        return found;
    }
    let mut rows: Vec<(Vec<Value>, u64)> = Vec::new();
    for id in app.records.ids(low, high) {
        if is_cut() {
            break;
        }
        if !passes(id) {
            continue;
        }
        let Some(view) = app.records.view(id, None) else { continue };
        let key = |column: &Option<&crate::kintone::app::Column>| {
            column.map_or(Value::Empty, |column| app.value(&view, column))
        };
        rows.push((plan.order.iter().map(|(column, _)| key(column)).collect(), id));
    }
    let shuffle = visit.state.options.shuffle_ties;
    rows.sort_by(|(a, a_id), (b, b_id)| {
        for (place, (column, rises)) in plan.order.iter().enumerate() {
            let order = if column.is_none() { a_id.cmp(b_id) } else { a[place].order(&b[place]) };
            let order = if *rises { order } else { order.reverse() };
            if order != Ordering::Equal {
                return order;
            }
        }
        match shuffle {
            true => mix(visit.chance, *a_id, 9).cmp(&mix(visit.chance, *b_id, 9)),
            false => b_id.cmp(a_id),
        }
    });
    let total = with_total.then_some(rows.len() as u64);
    let page = rows.into_iter().skip(plan.offset as usize).take(usize::try_from(limit).unwrap_or(usize::MAX));
    Found { ids: page.map(|(_, id)| id).collect(), total, is_part: is_cut() }
}

/// The ids between which all matches lie, and whether the filter says nothing else.
fn bounds(filter: Option<&Filter<'_>>) -> (u64, u64, bool) {
    let everything = (1, u64::MAX);
    match filter {
        None => (1, u64::MAX, true),
        Some(Filter::Check(check)) => match bound(check) {
            Some((low, high)) => (low, high, true),
            None => (everything.0, everything.1, false),
        },
        Some(Filter::All(parts)) => parts.iter().fold((1, u64::MAX, true), |(low, high, exact), part| {
            let (other_low, other_high, other_exact) = bounds(Some(part));
            (low.max(other_low), high.min(other_high), exact && other_exact)
        }),
        Some(Filter::Any(_)) => (everything.0, everything.1, false),
    }
}

fn bound(check: &Check<'_>) -> Option<(u64, u64)> {
    if !matches!(check.target, Target::Id) {
        return None;
    }
    let (Value::Num(number), _) = check.values.first()? else { return None };
    let id = number.to_int()?;
    let clip = |id: i64| u64::try_from(id).unwrap_or(0);
    Some(match check.operator {
        Operator::Greater => (clip(id.saturating_add(1)), u64::MAX),
        Operator::AtLeast => (clip(id), u64::MAX),
        Operator::Less => (1, clip(id.saturating_sub(1))),
        Operator::AtMost => (1, clip(id)),
        Operator::Equal => (clip(id), clip(id)),
        _ => return None,
    })
}
