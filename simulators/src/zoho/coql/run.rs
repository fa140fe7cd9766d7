//! Runs a query.

use std::cmp::Ordering;

use serde_json::json;

use super::bind::Plan;
use super::group;
use crate::wire::{Reply, json as text};
use crate::zoho::filter::Path;
use crate::zoho::records::{Sort, View, When};
use crate::zoho::refusal::Answer;
use crate::zoho::render::{self, Form};
use crate::zoho::state::State;
use crate::zoho::value::Value;
use crate::zoho::visit::Visit;

/// The order in which records are looked at, and whether the answer has the same.
fn way(state: &State, plan: &Plan) -> (Sort, bool) {
    let sorts: Vec<(Option<Sort>, bool)> = plan.order.iter().map(|(path, falls)| (path.sort(state), *falls)).collect();
    match sorts.as_slice() {
        [] | [(Some(Sort::Id), false), ..] => (Sort::Id, true),
        [(Some(sort @ (Sort::Modified | Sort::Created)), false)] => (*sort, true),
        [(Some(sort @ (Sort::Modified | Sort::Created)), false), (Some(Sort::Id), false), ..] => (*sort, true),
        _ if plan.filter.least(state, Sort::Modified).is_some() => (Sort::Modified, false),
        _ => (Sort::Id, false),
    }
}

/// The numbers of the records that match, in the order asked for: those to be shown, and one more if there is one.
fn select(visit: &mut Visit<'_>, plan: &Plan, most: usize) -> Vec<u64> {
    let (sort, is_ordered) = way(visit.state, plan);
    let ordered = visit.state.modules[plan.module].records.ordered(sort);
    let visit = &*visit;
    let state = &*visit.state;
    let target = &state.modules[plan.module];
    let least = plan.filter.least(state, sort).unwrap_or(i64::MIN);
    let from = ordered.partition_point(|(key, _)| *key < least);
    let matching = ordered[from..].iter().filter_map(|(_, number)| {
        let view = target.records.view(*number, When::Now)?;
        (visit.sees_record(target, &view) && plan.filter.holds(state, &view)).then_some(*number)
    });
    if is_ordered {
        return matching.skip(plan.offset as usize).take(most).collect();
    }
    let mut keyed: Vec<(Vec<Value>, u64)> = matching
        .map(|number| {
            let view = target.records.view(number, When::Now);
            let key = |(path, _): &(Path, bool)| view.as_ref().map_or(Value::Empty, |view| path.value(state, view));
            (plan.order.iter().map(key).collect(), number)
        })
        .collect();
    keyed.sort_by(|(a, first), (b, second)| {
        let unequal = plan.order.iter().enumerate().map(|(nth, (_, falls))| {
            let order = a[nth].order(&b[nth]);
            if *falls { order.reverse() } else { order }
        });
        unequal.fold(Ordering::Equal, Ordering::then).then(first.cmp(second))
    });
    keyed.into_iter().skip(plan.offset as usize).take(most).map(|(_, number)| number).collect()
}

pub(crate) fn run(visit: &mut Visit<'_>, plan: &Plan) -> Answer<Reply> {
    if plan.outputs.iter().any(|output| output.sum.is_some()) || !plan.groups.is_empty() {
        let all = Plan {
            offset: 0,
            order: Vec::new(),
            outputs: Vec::new(),
            groups: Vec::new(),
            filter: plan.filter.clone(),
            ..*plan
        };
        let numbers = select(visit, &all, usize::MAX);
        return Ok(group::run(visit, plan, &numbers));
    }
    let shown = visit.short.map_or(plan.limit, |short| short.min(plan.limit)) as usize;
    let mut numbers = select(visit, plan, shown + 1);
    let more = numbers.len() > shown;
    numbers.truncate(shown);
    if numbers.is_empty() {
        return Ok(Reply::empty(204));
    }
    numbers.truncate(numbers.len().saturating_sub(visit.lose));
    let state = &*visit.state;
    let target = &state.modules[plan.module];
    let mut body = String::from("{\"data\":[");
    for (nth, view) in numbers.iter().filter_map(|&number| target.records.view(number, When::Now)).enumerate() {
        if nth > 0 {
            body.push(',');
        }
        row(state, plan, &view, &mut body);
    }
    let info = json!({"count": numbers.len(), "more_records": more});
    body.push_str(&format!("],\"info\":{info}}}"));
    visit.rows = numbers.len() as u64;
    Ok(Reply::json(200, body))
}

fn row(state: &State, plan: &Plan, view: &View<'_>, body: &mut String) {
    body.push('{');
    let mut has_id = false;
    for (nth, output) in plan.outputs.iter().enumerate() {
        if nth > 0 {
            body.push(',');
        }
        has_id |= output.name == "id";
        text::key(&output.name, body);
        match output.path.column(state) {
            Some(column) => render::value(state, column, &output.path.value(state, view), Form::Coql, body),
            None => body.push_str("null"),
        }
    }
    if !has_id {
        body.push_str(&format!(",\"id\":\"{}\"", state.id_of(plan.module, view.number)));
    }
    body.push('}');
}
