//! Contracts and their lines.

use crate::core::kind::Kind;
use crate::core::refusal::{Answer, Refusal};
use crate::core::time::read_slashed;
use crate::core::value::{Object, Value};
use crate::core::visit::Visit;
use crate::wire::Reply;
use crate::wire::request::decode;

/// The most contracts that a page may have, and as many as it has when nobody asks.
const LARGEST_PAGE: u64 = 100;

/// `GET contracts`: those behind `after`, by 契約番号. `updated_from` is included, `updated_to` is not.
pub(super) fn list(visit: &mut Visit<'_>) -> Answer<Reply> {
    let limit = visit.whole("limit", LARGEST_PAGE, 1..=LARGEST_PAGE)?;
    let after = visit.read("after", "K0000001", |text| Kind::Contracts.id(text))?.unwrap_or(0);
    let from = visit.read("updated_from", "YYYY/MM/DD HH:MM:SS", read_slashed)?;
    let to = visit.read("updated_to", "YYYY/MM/DD HH:MM:SS", read_slashed)?;
    let lies_between = |stamp: i64| from.is_none_or(|from| from <= stamp) && to.is_none_or(|to| stamp < to);
    let wanted: Option<&dyn Fn(i64) -> bool> = if from.or(to).is_some() { Some(&lies_between) } else { None };
    let state = &visit.state;
    let count = state.count(Kind::Contracts, wanted);
    let ids = state.ids(Kind::Contracts, after + 1, wanted).take(limit as usize);
    let rows: Vec<Object> = ids.filter_map(|id| state.record(Kind::Contracts, id, state.seen())).collect();
    let result = visit.page("rows", rows, []);
    let body = Object::new([("result", Value::Object(result)), ("count", Value::number(count))]);
    Ok(Reply::json(200, Value::Object(body).to_json()))
}

/// `GET contracts/{番号}`
pub(super) fn one(visit: &mut Visit<'_>, number: &str) -> Answer<Reply> {
    let state = &visit.state;
    let row = Kind::Contracts.id(&decode(number)).and_then(|id| state.record(Kind::Contracts, id, state.seen()));
    let row = row.ok_or_else(Refusal::not_found)?;
    visit.rows = 1;
    let result = Object::new([("row", Value::Object(row))]);
    Ok(Reply::json(200, Value::Object(Object::new([("result", Value::Object(result))])).to_json()))
}

/// `GET contracts/{番号}/lines`; there are none of a contract that vanished.
pub(super) fn lines(visit: &mut Visit<'_>, number: &str) -> Answer<Reply> {
    let state = &visit.state;
    let id = Kind::Contracts.id(&decode(number)).ok_or_else(Refusal::not_found)?;
    state.stamp(Kind::Contracts, id, state.seen()).ok_or_else(Refusal::not_found)?;
    let lines = state.lines(id, state.seen());
    Ok(Reply::json(200, visit.list(lines).to_json()))
}
