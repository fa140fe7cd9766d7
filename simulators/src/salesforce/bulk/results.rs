//! Pages of results, written while they are sent.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::csv;
use super::found::Found;
use super::job::{Job, Order, Stage};
use crate::salesforce::id;
use crate::salesforce::query::Tweaks;
use crate::salesforce::reply;
use crate::salesforce::state::State;
use crate::wire::{Reply, Request, Rest};

/// How many URLs a list of pages gives at once.
const LISTED: u64 = 5;
/// How much is written at once.
const PIECE: usize = 64 << 10;

/// A place in a result as clients get it.
pub(super) fn locator(place: u64) -> String {
    URL_SAFE_NO_PAD.encode(place.to_string())
}

/// The place that a locator names.
pub(super) fn place(locator: &str) -> Option<u64> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(locator).ok()?).ok()?.parse().ok()
}

/// Where a page begins and how long pages are.
struct Window {
    from: u64,
    size: u64,
    total: u64,
}

/// `GET …/results`.
pub(super) fn page(state: &State, job: &Job, request: &Request, version: u32, tweaks: &Tweaks) -> Reply {
    let Window { from, size, total } = match window(state, job, request, version, tweaks) {
        Ok(window) => window,
        Err(reply) => return reply,
    };
    let end = total.min(from.saturating_add(size));
    let next = if tweaks.repeat && total > 0 { Some(from) } else { (end < total).then_some(end) };
    let end = end.saturating_sub(tweaks.lose as u64).max(from);
    let bulk = &state.options.bulk;
    let is_bare = (bulk.header_once && from > 0) || (bulk.empty_without_header && total == 0);
    let sheet = Sheet {
        own: state.own.clone(),
        order: Arc::clone(&job.order),
        found: Arc::clone(&job.found),
        next: from,
        end,
        needs_header: !is_bare,
    };
    let reply = Reply { rows: end - from, rest: Some(Rest::new(sheet)), ..Reply::text(200, "text/csv", "") }
        .with("Sforce-NumberOfRecords", (end - from + tweaks.phantoms).to_string());
    if tweaks.no_locator {
        return reply;
    }
    reply.with("Sforce-Locator", next.map_or("null".to_owned(), locator))
}

/// `GET …/resultPages`: where the next pages are.
pub(super) fn pages(state: &State, job: &Job, request: &Request, version: &str, number: u32, tweaks: &Tweaks) -> Reply {
    let Window { from, size, total } = match window(state, job, request, number, tweaks) {
        Ok(window) => window,
        Err(reply) => return reply,
    };
    let base = format!("/services/data/{version}/jobs/query/{}", id::full(super::PREFIX, job.number));
    let tail = request.parameter("maxRecords").map_or(String::new(), |most| format!("&maxRecords={most}"));
    let places: Vec<u64> = (0..LISTED).map(|at| from + at * size).filter(|&at| at < total.max(1)).collect();
    let urls: Vec<Value> = places
        .iter()
        .map(|&at| json!({ "resultUrl": format!("{base}/results?locator={}{tail}", locator(at)) }))
        .collect();
    let next = from + LISTED * size;
    let next_url = (next < total).then(|| format!("{base}/resultPages?locator={}{tail}", locator(next)));
    Reply::value(200, &json!({"resultPages": urls, "nextRecordsUrl": next_url, "done": next >= total}))
}

fn window(state: &State, job: &Job, request: &Request, version: u32, tweaks: &Tweaks) -> Result<Window, Reply> {
    if version != job.order.version {
        let message = format!("Results must be read with version {}.0, that of the job", job.order.version);
        return Err(reply::error(409, "API_ERROR", &message));
    }
    if job.stage != Stage::JobComplete {
        return Err(too_early(state, job.stage));
    }
    let invalid = |what: &str| reply::error(400, "API_ERROR", what);
    let bulk = &state.options.bulk;
    let mut size = bulk.page_size.max(1);
    if let Some(text) = request.parameter("maxRecords") {
        let most: u64 = text.parse().ok().filter(|&most| most > 0).ok_or_else(|| invalid("maxRecords is invalid"))?;
        size = size.min(most);
    }
    if let Some(most) = tweaks.at_most {
        size = size.min(most.max(1) as u64);
    }
    let total = job.found.len();
    let from = match request.parameter("locator").filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => place(&text)
            .filter(|&at| at < total.max(1) && !tweaks.stale)
            .ok_or_else(|| reply::error(400, "INVALID_QUERY_LOCATOR", "invalid query locator"))?,
    };
    Ok(Window { from, size, total })
}

fn too_early(state: &State, stage: Stage) -> Reply {
    if state.options.bulk.early_status == 204 {
        return Reply::empty(204);
    }
    let status = match stage {
        Stage::UploadComplete => "UPLOAD_COMPLETE",
        Stage::InProgress => "IN_PROGRESS",
        Stage::JobComplete => "JOB_COMPLETE",
        Stage::Failed => "FAILED",
        Stage::Aborted => "ABORTED",
    };
    let message = format!(
        "can only download query results of successfully completed bulk job with status: JOB_COMPLETE. Current status: {status}"
    );
    reply::error(state.options.bulk.early_status, "JOB_NOT_COMPLETE", &message)
}

/// The lines of a page that are still to be written.
struct Sheet {
    own: Weak<Mutex<State>>,
    order: Arc<Order>,
    found: Arc<Found>,
    next: u64,
    end: u64,
    needs_header: bool,
}

impl Iterator for Sheet {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.next >= self.end && !self.needs_header {
            return None;
        }
        let own = self.own.upgrade()?;
        let state = own.lock().unwrap_or_else(PoisonError::into_inner);
        let mut piece = String::with_capacity(PIECE + 4_096);
        if std::mem::take(&mut self.needs_header) {
            let names = self.order.columns.iter().map(|column| column.header.as_str());
            csv::push_header(names, &self.order.style, &mut piece);
        }
        while self.next < self.end && piece.len() < PIECE {
            self.found.push_line(&state.store, &self.order, self.next, &mut piece);
            self.next += 1;
        }
        Some(piece.into_bytes())
    }
}
