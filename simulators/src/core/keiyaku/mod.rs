//! 契約管理, the contract API that somebody in house wrote: `/keiyaku/v1/…`.
//!
//! Imitates what Japanese information departments put in front of an old contract database: Japanese names of members,
//! stamps without a zone, a keyset instead of pages, price lists as XML and as CSV in CP932, and no word on deletions.

mod contracts;
mod plans;

use crate::core::refusal::{Answer, Refusal};
use crate::core::visit::Visit;
use crate::wire::Reply;

/// Answers a call of somebody who may come in.
pub(crate) fn answer(visit: &mut Visit<'_>) -> Answer<Reply> {
    let parts: Vec<&str> = visit.request.path.split('/').skip(2).collect();
    match (visit.request.method.as_str(), parts.as_slice()) {
        ("GET", ["v1", "contracts"]) => contracts::list(visit),
        ("GET", ["v1", "contracts", number]) => contracts::one(visit, number),
        ("GET", ["v1", "contracts", number, "lines"]) => contracts::lines(visit, number),
        ("GET", ["v1", "plans.xml"]) => Ok(plans::xml(visit)),
        ("GET", ["v1", "plans.csv"]) => Ok(plans::csv(visit)),
        _ => Err(Refusal::not_found()),
    }
}
