//! Finds the rows of a query.

use std::cmp::Ordering;

use super::matching::follow;
use super::plan::{Key, Plan};
use super::rows::{Collector, Rows};
use crate::chance::mix;
use crate::salesforce::store::Store;
use crate::salesforce::table::{Moment, Segment, View};
use crate::salesforce::value::Value;

/// The rows of `plan` at `moment`, ordered, windowed and fixed. Whatever the query leaves open about their
/// order is decided by `chance`.
pub(crate) fn select(store: &Store, plan: &Plan, moment: &Moment, chance: u64) -> Rows {
    let wanted = plan.offset.saturating_add(plan.limit);
    let by_id = plan.order.first().is_some_and(|key| key.is_id);
    if plan.order.is_empty() || by_id {
        // Only rising ids may stop early; any other order needs to know all rows.
        let enough = if by_id && !plan.order[0].descending { wanted } else { u64::MAX };
        let found = matching(store, plan, moment, enough);
        let rows = match plan.order.first() {
            None => found.shuffled(chance),
            Some(key) if key.descending => found.falling(),
            Some(_) => found.rising(),
        };
        return rows.window(plan.offset, plan.limit);
    }
    let found = matching(store, plan, moment, u64::MAX).rising();
    Rows::listed(sorted(store, plan, moment, &found, wanted, chance)).window(plan.offset, plan.limit)
}

/// How many rows the query has.
pub(crate) fn count(store: &Store, plan: &Plan, moment: &Moment) -> u64 {
    let wanted = plan.offset.saturating_add(plan.limit);
    matching(store, plan, moment, wanted).total().saturating_sub(plan.offset)
}

/// The first `enough` rows that pass, by rising id.
fn matching(store: &Store, plan: &Plan, moment: &Moment, enough: u64) -> Collector {
    let table = &store.tables[plan.table];
    let mut found = Collector::default();
    let passes_view = |view: View<'_>| {
        !table.unshared.contains(&view.serial)
            && store.is_visible(plan.table, &view, plan.all, moment)
            && plan.filter.as_ref().is_none_or(|test| test.passes(store, plan.table, &view, moment))
    };
    let passes = |serial: u64| table.view(serial, moment).is_some_and(passes_view);
    if let Some(candidates) = &plan.candidates {
        for &serial in candidates.iter().filter(|&&serial| serial >= plan.low && serial <= plan.high) {
            if passes(serial) {
                found.push(serial, 1);
            }
        }
        found.truncate(enough);
        return found;
    }
    for segment in table.segments(plan.low, plan.high) {
        if found.total() >= enough {
            break;
        }
        match segment {
            Segment::Run(first, last) if plan.filter.is_none() && table.unshared.is_empty() => {
                found.push(first, last - first + 1);
            }
            Segment::Run(first, last) => {
                for serial in first..=last {
                    if passes_view(table.untouched(serial)) {
                        found.push(serial, 1);
                        if found.total() >= enough {
                            break;
                        }
                    }
                }
            }
            Segment::One(serial) => {
                if passes(serial) {
                    found.push(serial, 1);
                }
            }
        }
    }
    found.truncate(enough);
    found
}

/// A row among others.
struct Placed {
    first: Value,
    rest: Vec<Value>,
    /// Decides ties.
    tie: u64,
    serial: u64,
}

fn sorted(store: &Store, plan: &Plan, moment: &Moment, found: &Rows, wanted: u64, chance: u64) -> Vec<u64> {
    let id_place = plan.order.iter().position(|key| key.is_id).unwrap_or(plan.order.len());
    let keys = &plan.order[..id_place];
    let id_descending = plan.order.get(id_place).map(|key| key.descending);
    let table = &store.tables[plan.table];
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let order = |a: &Placed, b: &Placed| {
        compare_keys(keys, a, b).then_with(|| match id_descending {
            Some(true) => b.serial.cmp(&a.serial),
            Some(false) => a.serial.cmp(&b.serial),
            None => a.tie.cmp(&b.tie),
        })
    };
    let mut placed: Vec<Placed> = Vec::new();
    let serials = (0..found.len()).filter_map(|place| found.get(place));
    for serial in serials {
        let Some(view) = table.view(serial, moment) else { continue };
        let mut values = keys.iter().map(|key| follow(store, plan.table, &view, &key.route, moment));
        let first = values.next().unwrap_or(Value::Null);
        placed.push(Placed { first, rest: values.collect(), tie: mix(chance, serial, 1), serial });
        // Of a long table only the wanted few are kept.
        if wanted < usize::MAX / 4 && placed.len() >= 2 * wanted + 1_024 {
            placed.select_nth_unstable_by(wanted, order);
            placed.truncate(wanted);
        }
    }
    placed.sort_unstable_by(order);
    placed.iter().map(|row| row.serial).collect()
}

fn compare_keys(keys: &[Key], a: &Placed, b: &Placed) -> Ordering {
    let values = |row: &'_ Placed, at: usize| if at == 0 { row.first.clone() } else { row.rest[at - 1].clone() };
    for (at, key) in keys.iter().enumerate() {
        let (left, right) = (values(a, at), values(b, at));
        let order = match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if key.nulls_last {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, true) => {
                if key.nulls_last {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, false) if key.descending => right.order(&left),
            (false, false) => left.order(&right),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}
