//! `POST bulkRequest.json`: up to twenty writes, all or none.

use serde_json::{Value as Json, json};

use crate::kintone::params::{Params, too_long};
use crate::kintone::refusal::{Answer, illegal_request, invalid_at, required};
use crate::kintone::visit::Visit;
use crate::kintone::{process, write};
use crate::wire::Reply;

const MOST: usize = 20;

/// Runs the parts in order. After a failure nothing was written, and the answer has the error in its place.
pub(crate) fn answer(visit: &mut Visit<'_>, params: &Params, error_id: &str) -> Answer<Reply> {
    let parts = params.list("requests").ok_or_else(|| invalid_at("requests", required()))?;
    if parts.len() > MOST {
        return Err(too_long("requests", MOST));
    }
    let apps: Vec<usize> = (0..visit.state.apps.len()).collect();
    let mut results: Vec<Json> = Vec::with_capacity(parts.len());
    visit.is_part = true;
    let outcome = write::atomically(visit, &apps, |visit| {
        for part in &parts {
            results.push(run(visit, part)?);
        }
        Ok(())
    });
    let Err(refusal) = outcome else { return Ok(Reply::value(200, &json!({ "results": results }))) };
    let failed = results.len();
    let body: Vec<Json> = (0..parts.len())
        .map(|place| if place == failed { refusal.value(visit.language, error_id) } else { json!({}) })
        .collect();
    Ok(Reply::value(refusal.status, &json!({ "results": body })))
}

fn run(visit: &mut Visit<'_>, part: &Json) -> Answer<Json> {
    let text = |name: &str| part.get(name).and_then(Json::as_str).unwrap_or_default();
    let payload = Params(part.get("payload").and_then(Json::as_object).cloned().unwrap_or_default());
    let api = text("api").rsplit_once("/v1/").map_or("", |(_, api)| api);
    match (text("method"), api) {
        ("POST", "record.json") => write::add_one(visit, &payload),
        ("POST", "records.json") => write::add_many(visit, &payload),
        ("PUT", "record.json") => write::change_one(visit, &payload),
        ("PUT", "records.json") => write::change_many(visit, &payload),
        ("DELETE", "records.json") => write::delete_many(visit, &payload),
        ("PUT", "record/status.json") => process::act(visit, &payload),
        _ => Err(illegal_request()),
    }
}
