//! The usage API, in which the product counts who uses it: `/usage/v2/…`.
//!
//! Imitates usage and metering services: a bearer token and on request a signature of each call, a day a call, readings
//! that grow for days after they are first told, the next page as a URL or as a cursor, and counts beyond 63 bits.

mod readings;

use crate::core::refusal::{Answer, Refusal};
use crate::core::visit::Visit;
use crate::wire::Reply;

/// Answers a call of somebody who may come in.
pub(crate) fn answer(visit: &mut Visit<'_>) -> Answer<Reply> {
    match (visit.request.method.as_str(), visit.request.path.as_str()) {
        ("GET", "/usage/v2/daily") => readings::daily(visit),
        ("POST", "/usage/v2/search") => readings::search(visit),
        _ => Err(Refusal::new(404, "not_found", "there is nothing here")),
    }
}
