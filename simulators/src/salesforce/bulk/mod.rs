//! Bulk API 2.0 query jobs: made with one call, watched with polls, their results read as pages of CSV.

mod create;
mod csv;
mod found;
mod job;
mod results;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::salesforce::id;
use crate::salesforce::instant::DAY;
use crate::salesforce::query::Tweaks;
use crate::salesforce::reply;
use crate::salesforce::state::State;
use crate::wire::{Reply, Request};

use job::{Job, Stage};

/// How long a job is remembered after it has ended.
const LIFE_SECS: i64 = 7 * DAY;
/// The first version of the API with query jobs, and the first with lists of result pages.
const FIRST: u32 = 47;
const FIRST_WITH_PAGES: u32 = 58;
/// How many jobs a list gives at once.
const LISTED: usize = 1_000;
/// What the ids of jobs begin with.
const PREFIX: &str = "750";

/// The query jobs of an org.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    known: BTreeMap<u64, Job>,
    last: u64,
    /// Objects that refuse bulk queries besides those that always do, in lower case.
    pub(crate) refused: BTreeSet<String>,
}

impl Jobs {
    /// Forgets all jobs.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }

    fn expire(&mut self, now: i64) {
        self.known.retain(|_, job| job.ended.is_none_or(|ended| now - ended < LIFE_SECS));
    }
}

/// Answers a request below `…/jobs/query`.
pub(crate) fn answer(state: &mut State, request: &Request, version: &str, rest: &[&str], tweaks: &Tweaks) -> Reply {
    let number = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if number < FIRST {
        return reply::not_found();
    }
    let now = state.now;
    state.jobs.expire(now);
    let (name, part) = match rest {
        [] => return collection(state, request, version, number, tweaks),
        [name] => (*name, ""),
        [name, part] => (*name, *part),
        _ => return reply::not_found(),
    };
    // Taken out while it is worked on, since it looks at the rest of the org.
    let Some(mut job) = id::serial(PREFIX, name).and_then(|number| state.jobs.known.remove(&number)) else {
        return reply::not_found();
    };
    let mut keep = true;
    let reply = match (request.method.as_str(), part) {
        ("GET", "") => {
            job.poll(state, tweaks);
            Reply::value(200, &job.described(tweaks.phantoms))
        }
        ("PATCH", "") => abort(&mut job, request, now),
        ("DELETE", "") => {
            keep = job.stage.is_live();
            if keep {
                let message = "Error encountered when deleting the job because the job is not terminated";
                reply::error(400, "API_ERROR", message)
            } else {
                Reply::empty(204)
            }
        }
        ("GET", "results") => results::page(state, &job, request, number, tweaks),
        ("GET", "resultPages") if number >= FIRST_WITH_PAGES => {
            results::pages(state, &job, request, version, number, tweaks)
        }
        (_, "" | "results") => not_allowed(&request.method),
        _ => reply::not_found(),
    };
    if keep {
        state.jobs.known.insert(job.number, job);
    }
    reply
}

fn not_allowed(method: &str) -> Reply {
    reply::error(405, "METHOD_NOT_ALLOWED", &format!("HTTP Method '{method}' not allowed."))
}

fn collection(state: &mut State, request: &Request, version: &str, number: u32, tweaks: &Tweaks) -> Reply {
    match request.method.as_str() {
        "GET" => list(state, request, version),
        "POST" => match create::create(state, request, number, tweaks) {
            Ok(job) => {
                let reply = Reply::value(200, &job.created_as());
                state.jobs.known.insert(job.number, job);
                reply
            }
            Err(reply) => reply,
        },
        method => not_allowed(method),
    }
}

fn abort(job: &mut Job, request: &Request, now: i64) -> Reply {
    let body: Option<Value> = serde_json::from_slice(&request.body).ok();
    if body.as_ref().and_then(|body| body.get("state")).and_then(Value::as_str) != Some("Aborted") {
        return reply::error(400, "API_ERROR", "The state of a query job can only be set to Aborted");
    }
    if !job.stage.is_live() {
        let message = format!("Aborting a job that is {} is not allowed", job.stage.name());
        return reply::error(400, "INVALIDJOBSTATE", &message);
    }
    job.end(Stage::Aborted, now);
    Reply::value(200, &job.described(0))
}

/// `GET …/jobs/query`: the oldest jobs first.
fn list(state: &State, request: &Request, version: &str) -> Reply {
    let kind = request.parameter("jobType").filter(|kind| !kind.is_empty());
    let after: u64 = request.parameter("queryLocator").and_then(|text| results::place(&text)).unwrap_or(0);
    let mut jobs: Vec<&Job> = state
        .jobs
        .known
        .values()
        .filter(|job| job.number > after && kind.as_deref().is_none_or(|kind| kind == "V2Query"))
        .take(LISTED + 1)
        .collect();
    let has_more = jobs.len() > LISTED;
    jobs.truncate(LISTED);
    let next = jobs
        .last()
        .filter(|_| has_more)
        .map(|last| format!("/services/data/{version}/jobs/query?queryLocator={}", results::locator(last.number)));
    let records: Vec<Value> = jobs.iter().map(|job| job.listed()).collect();
    Reply::value(200, &json!({"done": !has_more, "records": records, "nextRecordsUrl": next}))
}
