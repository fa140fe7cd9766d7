//! Records by the batch.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::hubspot::list::{MOST, MOST_WITH_HISTORY, by_property};
use crate::hubspot::output::Shape;
use crate::hubspot::params::{self, Params};
use crate::hubspot::records::View;
use crate::hubspot::refusal::{Answer, Refusal, invalid};
use crate::hubspot::state::State;
use crate::hubspot::time::iso;
use crate::hubspot::visit::Visit;
use crate::wire::{Reply, Request};

/// `POST /crm/objects/{v}/{type}/batch/read`.
pub(crate) fn read(visit: &mut Visit<'_>, name: &str, request: &Request, params: &Params) -> Answer<Reply> {
    let place = visit.readable(name)?;
    let body = params::body(request)?;
    let history = params::texts(&body, "propertiesWithHistory");
    let inputs = inputs(&body)?;
    let most = if history.is_empty() { MOST } else { MOST_WITH_HISTORY };
    if inputs.len() > most {
        return Err(invalid(format!(
            "The maximum number of inputs supported in a batch request is {most}, but was {}",
            inputs.len()
        )));
    }
    let is_repeated = inputs.iter().collect::<BTreeSet<_>>().len() < inputs.len();
    if is_repeated && visit.state.options.hypotheses.repeated_inputs_refused {
        return Err(invalid("Duplicate IDs found in batch input"));
    }
    let shape = Shape::new(visit.state, &visit.caller, place, &params::texts(&body, "properties")).with_history(
        visit.state,
        &visit.caller,
        &history,
    );
    let id_property = body.get("idProperty").and_then(Json::as_str).filter(|name| *name != "hs_object_id");
    let state = &*visit.state;
    let ids: Vec<Option<u64>> = match id_property {
        Some(property) => by_property(state, place, property, &inputs)?,
        None => inputs.iter().map(|input| input.parse().ok()).collect(),
    };
    let archived = params.flag("archived");
    let (mut results, mut missing) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for (input, id) in inputs.iter().zip(ids) {
        match id.and_then(|id| find(state, place, id, archived)) {
            Some(view) if !seen.insert(view.id) => {}
            Some(view) => results.push(shape.record(state, &view)),
            None => missing.push(input.clone()),
        }
    }
    visit.shuffle(&mut results);
    visit.lose(&mut results);
    visit.rows += results.len() as u64;
    let singular = state.objects[place].kind.singular.to_uppercase();
    let errors = if missing.is_empty() { Vec::new() } else { vec![not_there(&singular, missing)] };
    Ok(answer(state, results, &errors))
}

/// The ids of the inputs, as they were sent.
fn inputs(body: &serde_json::Map<String, Json>) -> Answer<Vec<String>> {
    let list = body
        .get("inputs")
        .and_then(Json::as_array)
        .ok_or_else(|| invalid("Some required fields were not set: [inputs]"))?;
    let id = |input: &Json| input.get("id").and_then(params::text).ok_or_else(|| invalid("an input has no id"));
    list.iter().map(id).collect()
}

/// The record of that id; one that was merged away only where that is assumed.
fn find(state: &State, place: usize, id: u64, archived: bool) -> Option<View<'_>> {
    let records = &state.objects[place].records;
    if archived {
        return records.archived(id, state.now);
    }
    let survivor = || records.survivor(id).filter(|_| state.options.hypotheses.merged_in_batch);
    records.live(id).or_else(|| records.live(survivor()?))
}

fn not_there(singular: &str, ids: Vec<String>) -> Json {
    let message =
        format!("Could not get some {singular} objects, they may be deleted or not exist. Check that ids are valid.");
    Refusal { context: vec![("ids", ids)], ..Refusal::new(404, "OBJECT_NOT_FOUND", message) }.value(None)
}

/// The answer to a batch: whole, or with what went wrong.
pub(crate) fn answer(state: &State, results: Vec<Json>, errors: &[Json]) -> Reply {
    let now = iso(state.now);
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now});
    if state.options.extra_keys {
        body["zzTiming"] = json!({"queued": 0});
    }
    if errors.is_empty() {
        return Reply::value(200, &body);
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = json!(errors);
    Reply::value(state.options.hypotheses.partial_status, &body)
}
