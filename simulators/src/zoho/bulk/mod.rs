//! Bulk read: jobs that put a module into a file.

mod create;
mod csv;
mod job;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::wire::Reply;
use crate::zoho::id;
use crate::zoho::refusal::{Answer, Refusal, no_such_url, require, wrong_method};
use crate::zoho::visit::Visit;
use crate::zoho::{time, zip};
use job::{Job, Order};

/// How long a result is kept, in seconds.
const KEPT_SECS: i64 = 86_400;

/// The jobs of an org.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    jobs: BTreeMap<u64, Job>,
    made: u64,
    /// Tokens for next pages: the order, where its page begins, and until when.
    tokens: BTreeMap<String, (Arc<Order>, u64, u64, i64)>,
}

impl Jobs {
    /// Forgets them all.
    pub(crate) fn clear(&mut self) {
        *self = Jobs { made: self.made, ..Jobs::default() };
    }
}

/// `/crm/bulk/v8/…`.
pub(crate) fn answer(visit: &mut Visit<'_>, rest: &[&str]) -> Answer<Reply> {
    visit.needs("bulk")?;
    match (visit.request.method.as_str(), rest) {
        ("POST", ["read"]) => create::create(visit),
        ("GET", ["read", id]) => status(visit, id),
        ("GET", ["read", id, "result"]) => result(visit, id),
        (_, ["read", ..]) => Err(wrong_method()),
        _ => Err(no_such_url()),
    }
}

fn number(visit: &Visit<'_>, text: &str) -> Answer<u64> {
    let id = text.parse().ok().and_then(|id| id::parts(visit.state.prefix, id));
    let number = id.filter(|(module, _)| *module == id::JOBS).map(|(_, number)| number);
    require(number.filter(|number| visit.state.jobs.jobs.contains_key(number)), no_such_job)
}

fn no_such_job() -> Refusal {
    Refusal::new(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.")
}

fn status(visit: &mut Visit<'_>, text: &str) -> Answer<Reply> {
    let number = number(visit, text)?;
    let mut job = require(visit.state.jobs.jobs.remove(&number), no_such_job)?;
    job.is_doomed |= visit.job_fails;
    job.sticks |= visit.job_sticks;
    job.poll(visit.state);
    if let Some((token, next)) = job.next.as_ref().filter(|_| job.is_done()) {
        let until = visit.state.now + KEPT_SECS;
        visit.state.jobs.tokens.entry(token.clone()).or_insert((job.order.clone(), *next, job.page + 1, until));
    }
    let body = json!({"data": [described(visit, &job)]});
    visit.state.jobs.jobs.insert(number, job);
    Ok(Reply::value(200, &body))
}

fn described(visit: &Visit<'_>, job: &Job) -> Json {
    let state = &*visit.state;
    let id = id::full(state.prefix, id::JOBS, job.number);
    let mut body = json!({
        "id": id.to_string(), "operation": "read", "state": job.state.name(), "query": job.order.query,
        "created_by": crate::zoho::people::brief(state, job.user),
        "created_time": time::stamp(job.created, state.options.zone_secs), "file_type": "csv",
    });
    if job.is_done() {
        body["result"] = json!({
            "page": job.page, "per_page": state.options.bulk.page_rows, "count": job.numbers.len(),
            "download_url": format!("/crm/bulk/v8/read/{id}/result"), "more_records": job.next.is_some(),
            "next_page_token": job.next.as_ref().map(|(token, _)| token),
        });
    }
    if job.state == job::State::Failure {
        body["result"] = json!({"error_message": {
            "code": "INTERNAL_SERVER_ERROR", "details": {}, "message": "Unable to process the job", "status": "error",
        }});
    }
    body
}

fn result(visit: &mut Visit<'_>, text: &str) -> Answer<Reply> {
    let number = number(visit, text)?;
    let state = &*visit.state;
    let status = if state.options.bulk.not_ready_missing { 404 } else { 400 };
    let job = require(state.jobs.jobs.get(&number), no_such_job)?;
    if !job.is_done() {
        return Err(Refusal::new(status, "RESOURCE_NOT_FOUND", "The result of the job is not ready."));
    }
    if state.now >= job.changed + KEPT_SECS {
        return Err(Refusal::new(status, "RESOURCE_NOT_FOUND", "The result of the job is gone."));
    }
    let kept = job.numbers.len().saturating_sub(visit.lose);
    let mut content = csv::write(state, &job.order, &job.numbers[..kept], job.moment);
    if let Some(cell) = content.rfind(',').filter(|_| visit.ragged) {
        content.truncate(cell);
    }
    let reply = Reply::text(200, "application/x-download", zip::pack(&format!("{text}.csv"), content.as_bytes()));
    visit.rows = kept as u64;
    Ok(reply.with("Content-Disposition", format!("attachment;filename={text}.zip")))
}
