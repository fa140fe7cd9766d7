//! The lists of the accounting API, each with pages of its own kind.

use crate::core::kind::Kind;
use crate::core::refusal::Answer;
use crate::core::state::State;
use crate::core::value::{Object, Value};
use crate::core::visit::{Place, Visit};
use crate::instant::parse_datetime;
use crate::wire::Reply;

/// The most records that a page may have.
const LARGEST_PAGE: u64 = 100;
/// How many accounts a page has.
const ACCOUNTS_A_PAGE: u64 = 10;

fn respond(body: Object) -> Reply {
    Reply::json(200, Value::Object(body).to_json())
}

/// A part of the records of that kind that callers see now, whose stamp is wanted.
fn part(state: &State, kind: Kind, (offset, limit): (u64, u64), wanted: Option<&dyn Fn(i64) -> bool>) -> Vec<Object> {
    let (first, skipped) = match wanted {
        None => (state.table(kind).id_at(offset, state.seen()), 0),
        Some(_) => (1, usize::try_from(offset).unwrap_or(usize::MAX)),
    };
    let ids = state.ids(kind, first, wanted).skip(skipped).take(limit as usize);
    ids.filter_map(|id| state.record(kind, id, state.seen())).collect()
}

/// `GET invoices`: by id, with `offset` and `limit`; `updated_since` is included. Deleted ones are there.
pub(super) fn invoices(visit: &mut Visit<'_>) -> Answer<Reply> {
    let limit = visit.whole("limit", LARGEST_PAGE, 1..=LARGEST_PAGE)?;
    let offset = visit.whole("offset", 0, 0..=u64::MAX)?;
    let since = visit.read("updated_since", "2026-10-01T09:00:00+09:00", parse_datetime)?;
    let is_since = |stamp: i64| since.is_none_or(|since| since <= stamp);
    let wanted: Option<&dyn Fn(i64) -> bool> = if since.is_some() { Some(&is_since) } else { None };
    let total = visit.state.count(Kind::Invoices, wanted);
    let rows = part(visit.state, Kind::Invoices, (offset, limit), wanted);
    let meta = Object::new([
        ("total_count", Value::number(total)),
        ("limit", Value::number(limit)),
        ("offset", Value::number(offset)),
    ]);
    Ok(respond(visit.page("invoices", rows, [("meta", Value::Object(meta))])))
}

/// `GET partners`: by id, with `page` (first: 1) and `per_page`.
pub(super) fn partners(visit: &mut Visit<'_>) -> Answer<Reply> {
    let size = visit.whole("per_page", 50, 1..=LARGEST_PAGE)?;
    let page = visit.whole("page", 1, 1..=u64::MAX)?;
    let total = visit.state.count(Kind::Partners, None);
    let rows = part(visit.state, Kind::Partners, ((page - 1).saturating_mul(size), size), None);
    let meta = Object::new([
        ("total_pages", Value::number(total.div_ceil(size))),
        ("total_count", Value::number(total)),
        ("current_page", Value::number(page)),
    ]);
    Ok(respond(visit.page("partners", rows, [("meta", Value::Object(meta))])))
}

/// `GET accounts`: by id; the next page is named in a `Link` header, beside the first.
pub(super) fn accounts(visit: &mut Visit<'_>) -> Answer<Reply> {
    let place = visit.parameter("page_token").map_or(Ok(Place::default()), |token| Place::parse(&token))?;
    let rows = part(visit.state, Kind::Accounts, (place.at, ACCOUNTS_A_PAGE), None);
    let end = place.at + ACCOUNTS_A_PAGE;
    let next = visit.next(place, (end < visit.state.count(Kind::Accounts, None)).then_some(end));
    let url = format!("{}{}", visit.state.base_url, visit.request.path);
    let mut link = format!("<{url}>; rel=\"first\"");
    if let Some(token) = next {
        link = format!("<{url}?page_token={token}>; rel=\"next\", {link}");
    }
    Ok(respond(visit.page("accounts", rows, [])).with("Link", link))
}
