//! Associations by the batch and one by one, and their labels.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::hubspot::batch::answer;
use crate::hubspot::links::{self, Types};
use crate::hubspot::list::{read_after, write_after};
use crate::hubspot::params::{self, Params};
use crate::hubspot::refusal::{Answer, Refusal, invalid, not_found};
use crate::hubspot::state::State;
use crate::hubspot::visit::Visit;
use crate::wire::{Reply, Request};

/// How many records can be asked about at once.
const MOST: usize = 1_000;

/// `POST /crm/associations/{v}/{from}/{to}/batch/read`.
pub(crate) fn batch(visit: &mut Visit<'_>, from: &str, to: &str, request: &Request) -> Answer<Reply> {
    let (from, to) = (visit.readable(from)?, visit.readable(to)?);
    let body = params::body(request)?;
    let inputs = body
        .get("inputs")
        .and_then(Json::as_array)
        .ok_or_else(|| invalid("Some required fields were not set: [inputs]"))?;
    if inputs.len() > MOST {
        return Err(invalid(format!(
            "The maximum number of inputs supported in a batch request is {MOST}, but was {}",
            inputs.len()
        )));
    }
    let state = &*visit.state;
    let limit = state.options.association_page;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let mut rows = 0;
    for input in inputs {
        let sent = input.get("id").and_then(params::text).ok_or_else(|| invalid("an input has no id"))?;
        let after = input.get("after").and_then(params::text).map_or(Ok(0), |after| read_after(&after))?;
        let linked = sent.parse().map(|id| links::live(state, (from, id), to)).unwrap_or_default();
        if linked.is_empty() {
            errors.push(nothing(state, from, to, sent));
            continue;
        }
        let (list, next) = page(state, &linked, after, limit);
        rows += list.len() as u64;
        let mut result = json!({"from": {"id": sent}, "to": list});
        if let Some(next) = next {
            result["paging"] = next;
        }
        results.push(result);
    }
    visit.shuffle(&mut results);
    visit.lose(&mut results);
    visit.rows += rows;
    Ok(answer(visit.state, results, &errors))
}

fn nothing(state: &State, from: usize, to: usize, id: String) -> Json {
    let (from, to) = (state.objects[from].kind.singular, state.objects[to].kind.singular);
    let refusal = Refusal {
        sub_category: Some("crm.associations.NO_ASSOCIATIONS_FOUND"),
        context: vec![
            ("fromObjectType", vec![from.to_owned()]),
            ("toObjectType", vec![to.to_owned()]),
            ("fromObjectId", vec![id.clone()]),
        ],
        ..Refusal::new(404, "OBJECT_NOT_FOUND", format!("No {to} is associated with {from} {id}."))
    };
    refusal.value(None)
}

/// A page of associations, and what leads to the next.
fn page(state: &State, linked: &BTreeMap<u64, Types>, after: u64, limit: usize) -> (Vec<Json>, Option<Json>) {
    let mut rest = linked.range(after..);
    let list = rest.by_ref().take(limit).map(|(other, types)| association(state, *other, types)).collect();
    let next = rest.next().map(|(next, _)| {
        let after = write_after(*next);
        json!({"next": {"after": after, "link": format!("https://api.hubapi.com/crm/v4/objects?after={after}")}})
    });
    (list, next)
}

fn association(state: &State, other: u64, types: &Types) -> Json {
    let kinds: Vec<Json> = types.iter().map(|&at| label(state, at)).collect();
    let id = if state.options.hypotheses.object_ids_are_text { json!(other.to_string()) } else { json!(other) };
    json!({"toObjectId": id, "associationTypes": kinds})
}

fn label(state: &State, at: usize) -> Json {
    let kind = &state.links.types[at];
    json!({"category": kind.category, "typeId": kind.id, "label": kind.label})
}

/// `GET /crm/objects/{v}/{type}/{id}/associations/{to}`.
pub(crate) fn of_one(visit: &mut Visit<'_>, (from, id, to): (&str, &str, &str), params: &Params) -> Answer<Json> {
    let (from, to) = (visit.readable(from)?, visit.readable(to)?);
    let limit = params.limit(500, 500)?.min(visit.state.options.association_page);
    let after = params.one("after").map_or(Ok(0), |after| read_after(&after))?;
    let state = &*visit.state;
    let id = id.parse().map_err(|_| not_found())?;
    state.objects[from].records.live(id).ok_or_else(not_found)?;
    let (list, next) = page(state, &links::live(state, (from, id), to), after, limit);
    visit.rows += list.len() as u64;
    let mut body = json!({ "results": list });
    if let Some(next) = next {
        body["paging"] = next;
    }
    Ok(body)
}

/// `GET /crm/associations/{v}/{from}/{to}/labels`.
pub(crate) fn labels(visit: &mut Visit<'_>, from: &str, to: &str) -> Answer<Json> {
    let (from, to) = (visit.readable(from)?, visit.readable(to)?);
    let state = &*visit.state;
    let labels: Vec<Json> = state.links.between(from, to).map(|at| label(state, at)).collect();
    Ok(json!({ "results": labels }))
}
