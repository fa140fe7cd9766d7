//! 会計, an accounting service: `/kaikei/…`.
//!
//! Imitates what Japan's accounting services have in common: OAuth 2 with refresh tokens that are good once, pages by
//! offset, by number and by `Link` headers, deleted records that stay in the list with a mark, a limit of calls a
//! minute, and errors as a list of messages.

mod lists;
mod oauth;

use crate::core::auth::enter;
use crate::core::refusal::{Answer, Api, Refusal};
use crate::core::state::State;
use crate::core::visit::Visit;
use crate::wire::Reply;

pub(crate) use oauth::token;

/// Where tokens are had.
pub(crate) const TOKEN_PATH: &str = "/kaikei/oauth/token";

/// Answers a call of the API.
pub(crate) fn answer(visit: &mut Visit<'_>) -> Answer<Reply> {
    count(visit.state)?;
    enter(visit.state, visit.request, Api::Kaikei)?;
    match (visit.request.method.as_str(), visit.request.path.as_str()) {
        ("GET", "/kaikei/api/1/invoices") => lists::invoices(visit),
        ("GET", "/kaikei/api/1/partners") => lists::partners(visit),
        ("GET", "/kaikei/api/1/accounts") => lists::accounts(visit),
        _ => Err(Refusal::not_found()),
    }
}

/// Counts a call, and refuses it beyond the allowance of the clock's minute.
fn count(state: &mut State) -> Answer<()> {
    let minute = state.now.div_euclid(60);
    if state.minute.0 != minute {
        state.minute = (minute, 0);
    }
    state.minute.1 += 1;
    match state.options.calls_a_minute {
        Some(most) if state.minute.1 > most => {
            Err(Refusal::too_many(Some(60 - state.now.rem_euclid(60).unsigned_abs())))
        }
        _ => Ok(()),
    }
}

/// What all answers tell about the allowance, if there is one.
pub(crate) fn metered(state: &State, reply: Reply) -> Reply {
    match state.options.calls_a_minute {
        Some(most) => reply
            .with("X-RateLimit-Limit", most.to_string())
            .with("X-RateLimit-Remaining", most.saturating_sub(state.minute.1).to_string()),
        None => reply,
    }
}
