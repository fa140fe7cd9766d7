//! Which call is answered by whom, and what stands before all of them.

use crate::wire::{Delivery, Reply, Request};
use crate::zoho::credit::HEAVY;
use crate::zoho::fault::{self, FaultKind, Strikes};
use crate::zoho::refusal::{Answer, no_such_url, too_many, used_up, wrong_method};
use crate::zoho::state::State;
use crate::zoho::visit::Visit;
use crate::zoho::{auth, bulk, coql, deleted, list, metadata, people, single, timeline};

/// Whether a request is of those of which fewer may run at once.
pub(crate) fn is_heavy(request: &Request) -> bool {
    let has = |name: &str| request.parameter(name).is_some();
    request.path.ends_with("/coql") || has("sort_by") || has("cvid")
}

/// How many credits a call takes.
fn cost(request: &Request, path: &[&str]) -> u64 {
    match path {
        ["bulk", "v8", "read"] => 50,
        [_, "coql"] => match coql::statement(&request.body).map_or(0, |statement| coql::limit(&statement)) {
            0..=200 => 1,
            201..=1_000 => 2,
            _ => 3,
        },
        [_, _, "deleted"] => 2,
        _ if request.parameter("cvid").is_some() => 3,
        _ => 1,
    }
}

/// Answers a request that is not for the simulator itself; so many run right now, and so many heavy ones.
pub(crate) fn answer(state: &mut State, request: &Request, strikes: &Strikes, running: (u64, u64)) -> Reply {
    if let Some(reply) = strikes.kinds.iter().find_map(fault::edge) {
        return reply;
    }
    for kind in &strikes.kinds {
        match kind {
            FaultKind::Expired => state.auth.expire_sessions(),
            FaultKind::Revoked => {
                state.auth.withdraw();
                state.auth.expire_sessions();
            }
            _ => {}
        }
    }
    let is_accounts = request.header("host").is_some_and(|host| host.starts_with("localhost"));
    let mut reply = if is_accounts {
        auth::accounts(state, request, &strikes.kinds)
    } else {
        match gate(state, request, strikes, running) {
            Ok(reply) => reply,
            Err(refusal) => refused(state, &refusal),
        }
    };
    for kind in &strikes.kinds {
        match kind {
            FaultKind::CutChunked(bytes) => reply.delivery = Delivery::CutChunked(*bytes),
            FaultKind::CutLength(bytes) => reply.delivery = Delivery::CutLength(*bytes),
            FaultKind::CutShort(bytes) => reply.body.truncate(*bytes),
            FaultKind::Drop => reply.delivery = Delivery::Reset,
            _ => {}
        }
    }
    reply
}

fn refused(state: &State, refusal: &crate::zoho::refusal::Refusal) -> Reply {
    let reply = refusal.reply();
    match state.options.hypotheses.retry_after_secs.filter(|_| refusal.status == 429) {
        Some(secs) => reply.with("Retry-After", secs.to_string()),
        None => reply,
    }
}

fn gate(state: &mut State, request: &Request, strikes: &Strikes, running: (u64, u64)) -> Answer<Reply> {
    let path = request.path.strip_prefix("/crm/").ok_or_else(no_such_url)?;
    let path: Vec<&str> = path.split('/').collect();
    if let Some(refusal) = strikes.kinds.iter().find_map(fault::refusal) {
        return Err(refusal);
    }
    let Some(caller) = auth::caller(state, request)? else { return Ok(Reply::empty(200)) };
    if running.0 > state.options.edition.concurrency() || running.1 > HEAVY {
        return Err(too_many());
    }
    let (now, daily) = (state.now, state.options.daily_credits());
    let cost = cost(request, &path);
    if state.limits.used(now) + cost > daily {
        let is_limit = state.options.hypotheses.exhausted_is_limit;
        return Err(used_up(if is_limit { "LIMIT_EXCEEDED" } else { "TOO_MANY_REQUESTS" }));
    }
    state.limits.count(now, cost);
    let last = state.last_pages.get(&request.path).filter(|_| strikes.kinds.contains(&FaultKind::Repeat));
    if let Some((body, rows)) = last {
        return Ok(Reply { rows: *rows, ..Reply::json(200, body.clone()) });
    }
    let has = |wanted: FaultKind| strikes.kinds.contains(&wanted);
    let (mut lose, mut short) = (0, None);
    for kind in &strikes.kinds {
        match kind {
            FaultKind::Lose(records) => lose = *records,
            FaultKind::Short(records) => short = Some(*records),
            _ => {}
        }
    }
    let (job_fails, job_sticks) = (has(FaultKind::JobFails), has(FaultKind::JobSticks));
    let ragged = has(FaultKind::Ragged);
    let mut visit = Visit { state, request, caller, lose, short, job_fails, job_sticks, ragged, rows: 0 };
    let result = dispatch(&mut visit, &path);
    let rows = visit.rows;
    let used = state.limits.used(now);
    let mut reply = result.unwrap_or_else(|refusal| refused(state, &refusal));
    reply.rows = rows;
    if rows > 0 && reply.status == 200 && !request.path.ends_with("/result") {
        state.last_pages.insert(request.path.clone(), (reply.body.clone(), rows));
    }
    if used * 2 >= daily {
        reply = reply.with("X-API-CREDITS-REMAINING", (daily - used.min(daily)).to_string());
    }
    Ok(reply)
}

fn dispatch(visit: &mut Visit<'_>, path: &[&str]) -> Answer<Reply> {
    if let ["bulk", "v8", rest @ ..] = path {
        return bulk::answer(visit, rest);
    }
    let ["v7" | "v8", rest @ ..] = path else { return Err(no_such_url()) };
    let wanted = if *rest == ["coql"] { "POST" } else { "GET" };
    if visit.request.method != wanted {
        return Err(wrong_method());
    }
    match rest {
        ["coql"] => coql::query(visit),
        ["org"] => people::org(visit),
        ["org", "currencies"] => people::currencies(visit),
        ["users"] => people::users(visit),
        ["users", id] => people::user(visit, id),
        ["settings", rest @ ..] => metadata::settings(visit, rest),
        [module] if !module.is_empty() => list::records(visit, module),
        [module, "deleted"] => deleted::deleted(visit, module),
        [module, "actions", "count"] => list::count(visit, module),
        [module, "actions", "fetch_full_data"] => single::full_data(visit, module, None),
        [module, id, "actions", "fetch_full_data"] => single::full_data(visit, module, Some(id)),
        [module, id, "__timeline"] => timeline::timeline(visit, module, id),
        [module, id] if !id.is_empty() => single::record(visit, module, id),
        [module, id, list] => single::related(visit, module, id, list),
        _ => Err(no_such_url()),
    }
}
