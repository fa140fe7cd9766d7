//! Readings: of one day, and as a search finds them.

use crate::core::kind::Kind;
use crate::core::refusal::{Answer, Refusal};
use crate::core::time;
use crate::core::value::{Object, Value};
use crate::core::visit::{Place, Visit};
use crate::wire::Reply;

/// The most readings that a page of a search may have, and as many as it has when nobody asks.
const LARGEST_SEARCH: u64 = 100;

fn refuse(kind: &'static str, message: &str) -> Refusal {
    Refusal::new(400, kind, message)
}

/// `GET daily`: the readings of one day, by customer; the next page is a URL.
pub(super) fn daily(visit: &mut Visit<'_>) -> Answer<Reply> {
    let read = |name: &str| {
        let text = visit.parameter(name);
        let day = text.as_deref().and_then(time::read_day);
        day.ok_or_else(|| refuse("invalid_date", "from and to must be dates like 2026-10-01"))
    };
    let (from, to) = (read("from")?, read("to")?);
    if from != to {
        return Err(refuse("range_too_long", "at most one day can be asked for"));
    }
    if from > time::day(visit.state.now) {
        return Err(refuse("date_in_future", "the day has not come yet"));
    }
    let place = visit.parameter("page_token").map_or(Ok(Place::default()), |token| Place::parse(&token))?;
    let state = &visit.state;
    let world = &state.world;
    // Customers without a reading on that day take no room on the page.
    let told = |client: u64| {
        let id = world.reading_id(from, client as usize)?;
        Some((client, state.record(Kind::Usage, id, state.seen())?))
    };
    let size = state.options.usage_page.max(1) as usize;
    let mut found: Vec<(u64, Object)> =
        (place.at..world.clients.len() as u64).filter_map(told).take(size.saturating_add(1)).collect();
    let rest = found.split_off(size.min(found.len()));
    let next = visit.next(place, rest.first().map(|(client, _)| *client));
    let url = |token: String| {
        Value::text(format!("{}/usage/v2/daily?from={from}&to={to}&page_token={token}", visit.state.base_url))
    };
    let paging = Object::new([("next", next.map_or(Value::Null, url))]);
    let rows = found.into_iter().map(|(_, row)| row).collect();
    let body = visit.page("data", rows, [("paging", Value::Object(paging))]);
    Ok(Reply::json(200, Value::Object(body).to_json()))
}

/// `POST search`: readings up to today, by day and customer, of one customer or all; pages by cursor.
pub(super) fn search(visit: &mut Visit<'_>) -> Answer<Reply> {
    let text = String::from_utf8_lossy(&visit.request.body);
    let body = match Value::parse(&text) {
        Ok(Value::Object(body)) => body,
        _ => return Err(refuse("invalid_body", "the body must be a JSON object")),
    };
    let member = |name: &str| body.get(name).filter(|value| **value != Value::Null && !visit.ignores(name));
    let size: u64 = match member("size") {
        None => LARGEST_SEARCH,
        Some(Value::Number(text)) => text
            .parse()
            .ok()
            .filter(|size| (1..=LARGEST_SEARCH).contains(size))
            .ok_or_else(|| refuse("invalid_size", "size must be from 1 to 100"))?,
        Some(_) => return Err(refuse("invalid_size", "size must be a number")),
    };
    let place = match member("cursor") {
        None => Place::default(),
        Some(Value::Text(token)) => Place::parse(token)?,
        Some(_) => return Err(refuse("invalid_cursor", "cursor must be a text or null")),
    };
    let state = &visit.state;
    let world = &state.world;
    let wanted = match member("customer") {
        None => None,
        Some(Value::Text(code)) => Some(code.as_str()),
        Some(_) => return Err(refuse("invalid_customer", "customer must be a text")),
    };
    let client = wanted.map(|code| world.clients.iter().position(|client| client.code() == code));
    let clients = world.clients.len() as u64;
    let end = world.reading_id(time::day(state.now), 0).map_or(0, |first| first - 1 + clients);
    let is_wanted =
        |position: &u64| client.is_none_or(|place| place.map(|place| place as u64) == Some(position % clients));
    let told = |position: u64| Some((position, state.record(Kind::Usage, position + 1, state.seen())?));
    let mut found: Vec<(u64, Object)> =
        (place.at..end).filter(is_wanted).filter_map(told).take(size as usize + 1).collect();
    let rest = found.split_off(found.len().min(size as usize));
    let next = visit.next(place, rest.first().map(|(position, _)| *position));
    let has_more = Value::Bool(next.is_some());
    let rows = found.into_iter().map(|(_, row)| row).collect();
    let page =
        visit.page("items", rows, [("next_cursor", next.map_or(Value::Null, Value::Text)), ("has_more", has_more)]);
    Ok(Reply::json(200, Value::Object(page).to_json()))
}
