//! Counts, sums and the like, over all records or group by group.

use serde_json::json;

use super::ast::Aggregate;
use super::bind::{Output, Plan};
use crate::number::Decimal;
use crate::wire::{Reply, json as text};
use crate::zoho::records::{View, When};
use crate::zoho::render::{self, Form};
use crate::zoho::state::State;
use crate::zoho::value::Value;
use crate::zoho::visit::Visit;

/// The answer to a query that sums up records.
pub(crate) fn run(visit: &mut Visit<'_>, plan: &Plan, numbers: &[u64]) -> Reply {
    let state = &*visit.state;
    let records = &state.modules[plan.module].records;
    // What each group has in common, and its records.
    let mut groups: Vec<(Vec<Value>, Vec<View<'_>>)> = Vec::new();
    for view in numbers.iter().filter_map(|&number| records.view(number, When::Now)) {
        let key: Vec<Value> = plan.groups.iter().map(|path| path.value(state, &view)).collect();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, views)) => views.push(view),
            None => groups.push((key, vec![view])),
        }
    }
    if plan.groups.is_empty() && groups.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    let shown: Vec<_> = groups.iter().skip(plan.offset as usize).take(plan.limit as usize).collect();
    if shown.is_empty() {
        return Reply::empty(204);
    }
    let mut body = String::from("{\"data\":[");
    for (nth, (_, views)) in shown.iter().enumerate() {
        body.push_str(if nth > 0 { ",{" } else { "{" });
        for (nth, output) in plan.outputs.iter().enumerate() {
            if nth > 0 {
                body.push(',');
            }
            text::key(&output.name, &mut body);
            summed(state, output, views, &mut body);
        }
        body.push('}');
    }
    let info = json!({"count": shown.len(), "more_records": groups.len() > plan.offset as usize + shown.len()});
    body.push_str(&format!("],\"info\":{info}}}"));
    visit.rows = shown.len() as u64;
    Reply::json(200, body)
}

fn summed(state: &State, output: &Output, views: &[View<'_>], body: &mut String) {
    let values = || views.iter().map(|view| output.path.value(state, view)).filter(|value| !value.is_empty());
    let sum = || {
        let numbers = values().filter_map(|value| value.number());
        numbers.fold(Decimal::new(0, 0), |sum, number| sum.plus(number).unwrap_or(sum))
    };
    let value = match output.sum {
        Some(Aggregate::Count) => return body.push_str(&values().count().to_string()),
        Some(Aggregate::Total) => Value::Num(sum().trimmed()),
        Some(Aggregate::Avg) => {
            let count = values().count() as i128;
            let average = if count == 0 { None } else { sum().over(Decimal::new(count, 0)) };
            average.map_or(Value::Empty, |average| Value::Num(average.rounded(4).trimmed()))
        }
        Some(Aggregate::Min) => values().min_by(Value::order).unwrap_or(Value::Empty),
        Some(Aggregate::Max) => values().max_by(Value::order).unwrap_or(Value::Empty),
        None => views.first().map_or(Value::Empty, |view| output.path.value(state, view)),
    };
    match output.path.column(state) {
        Some(column) => render::value(state, column, &value, Form::Coql, body),
        None => body.push_str("null"),
    }
}
