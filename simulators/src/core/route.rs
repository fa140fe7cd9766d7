//! Which call is answered by whom, and what faults make of the answer.

use crate::core::auth::enter;
use crate::core::fault::{self, FaultKind, Strikes};
use crate::core::refusal::{Answer, Api, Refusal};
use crate::core::state::State;
use crate::core::visit::Visit;
use crate::core::{kaikei, keiyaku, usage};
use crate::wire::{Delivery, Reply, Request};

/// Answers a request that is not for the simulator itself.
pub(crate) fn answer(state: &mut State, request: &Request, strikes: &Strikes) -> Reply {
    if let Some(reply) = strikes.kinds.iter().find_map(fault::edge) {
        return reply;
    }
    let Some(api) = Api::of(&request.path) else { return Reply::html(404, "404 Not Found") };
    let is_token = request.path == kaikei::TOKEN_PATH;
    let expires = strikes.kinds.contains(&FaultKind::Expired);
    if expires && api == Api::Kaikei {
        state.auth.sessions.clear();
    }
    if strikes.kinds.contains(&FaultKind::Revoked) {
        state.auth.revoke(api);
    }
    let struck = strikes.kinds.iter().find_map(fault::refusal);
    let mut reply = match struck {
        Some((refusal, silent)) => refusal.reply(api, silent),
        None if expires && api != Api::Kaikei => Refusal::of_status(401).reply(api, false),
        None if is_token => kaikei::token(state, request),
        None => {
            let silent = api == Api::Kaikei && state.options.errors_with_200;
            call(state, request, strikes, api).unwrap_or_else(|refusal| refusal.reply(api, silent))
        }
    };
    if api == Api::Kaikei && !is_token {
        reply = kaikei::metered(state, reply);
    }
    for kind in &strikes.kinds {
        match kind {
            FaultKind::CutChunked(bytes) => reply.delivery = Delivery::CutChunked(*bytes),
            FaultKind::CutLength(bytes) => reply.delivery = Delivery::CutLength(*bytes),
            FaultKind::CutJson(bytes) => reply.body.truncate(*bytes),
            FaultKind::Drop => reply.delivery = Delivery::Reset,
            _ => {}
        }
    }
    reply
}

fn call(state: &mut State, request: &Request, strikes: &Strikes, api: Api) -> Answer<Reply> {
    let is_list = is_list(&request.path);
    let mut visit = Visit { state, request, faults: &strikes.kinds, rows: 0 };
    let mut reply = match api {
        Api::Kaikei => kaikei::answer(&mut visit)?,
        Api::Keiyaku => {
            enter(visit.state, request, api)?;
            keiyaku::answer(&mut visit)?
        }
        Api::Usage => {
            enter(visit.state, request, api)?;
            usage::answer(&mut visit)?
        }
    };
    reply.rows = visit.rows;
    if !is_list {
        return Ok(reply);
    }
    let last = state.last_pages.get(&request.path);
    if let Some((headers, body, rows)) = last.filter(|_| strikes.kinds.contains(&FaultKind::Repeat)) {
        return Ok(Reply {
            status: 200,
            headers: headers.clone(),
            body: body.clone(),
            rows: *rows,
            ..Reply::default()
        });
    }
    state.last_pages.insert(request.path.clone(), (reply.headers.clone(), reply.body.clone(), reply.rows));
    Ok(reply)
}

/// Whether a path has pages.
fn is_list(path: &str) -> bool {
    let known = ["/contracts", "/invoices", "/partners", "/accounts", "/daily", "/search"];
    known.iter().any(|name| path.ends_with(name))
}
