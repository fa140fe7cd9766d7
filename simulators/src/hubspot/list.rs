//! Records by list, and one by one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use crate::hubspot::output::Shape;
use crate::hubspot::params::Params;
use crate::hubspot::property::Origin;
use crate::hubspot::records::View;
use crate::hubspot::refusal::{Answer, invalid, not_found};
use crate::hubspot::state::State;
use crate::hubspot::value;
use crate::hubspot::visit::Visit;

/// How many records a page holds at most, and with histories.
pub(crate) const MOST: usize = 100;
/// The same where histories are shown.
pub(crate) const MOST_WITH_HISTORY: usize = 50;

/// What a request wants to see.
fn shape(visit: &Visit<'_>, place: usize, params: &Params) -> Answer<Shape> {
    let mut to = Vec::new();
    for name in params.all("associations") {
        to.push(visit.readable(&name)?);
    }
    let shape = Shape::new(visit.state, &visit.caller, place, &params.all("properties"));
    Ok(shape.with_history(visit.state, &visit.caller, &params.all("propertiesWithHistory")).with_associations(to))
}

/// `GET /crm/objects/{v}/{type}`.
pub(crate) fn list(visit: &mut Visit<'_>, name: &str, params: &Params) -> Answer<Json> {
    let place = visit.readable(name)?;
    let most = if params.all("propertiesWithHistory").is_empty() { MOST } else { MOST_WITH_HISTORY };
    let limit = visit.page(params.limit(10, most)?);
    let from = params.one("after").map_or(Ok(0), |after| read_after(&after))?;
    let shape = shape(visit, place, params)?;
    let state = &*visit.state;
    let records = &state.objects[place].records;
    let mut ids: Vec<u64> = if params.flag("archived") {
        records
            .touched()
            .filter(|id| *id >= from && records.archived(*id, state.now).is_some())
            .take(limit + 1)
            .collect()
    } else {
        records.ids(from, u64::MAX).filter(|id| records.live(*id).is_some()).take(limit + 1).collect()
    };
    let next = ids.get(limit).copied();
    ids.truncate(limit);
    let views = ids.iter().filter_map(|id| records.view(*id, crate::hubspot::records::Moment::Now));
    let mut results: Vec<Json> = views.map(|view| shape.record(state, &view)).collect();
    visit.lose(&mut results);
    visit.rows += results.len() as u64;
    let mut body = json!({ "results": results });
    if let Some(next) = next.filter(|_| !visit.tricks.no_next) {
        let after = if state.options.hypotheses.plain_after { next.to_string() } else { write_after(next) };
        let path = other_path(state, visit.is_dated, place);
        body["paging"] = json!({"next": {"after": after, "link": format!("https://api.hubapi.com{path}?limit={limit}&after={after}")}});
    }
    Ok(body)
}

/// The path of the list under another version than the one called.
fn other_path(state: &State, is_dated: bool, place: usize) -> String {
    let name = state.objects[place].kind.name;
    if is_dated { format!("/crm/v3/objects/{name}") } else { format!("/crm/objects/2026-03/{name}") }
}

/// The id that a page begins with, for those who do not look.
pub(crate) fn write_after(id: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{id}"))
}

/// What [`write_after`] wrote, or the id itself.
pub(crate) fn read_after(after: &str) -> Answer<u64> {
    if let Ok(id) = after.parse() {
        return Ok(id);
    }
    let decoded = URL_SAFE_NO_PAD.decode(after).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let id = decoded.and_then(|text| text.strip_prefix("after:")?.parse().ok());
    id.ok_or_else(|| invalid(format!("Invalid paging token: {after}")))
}

/// `GET /crm/objects/{v}/{type}/{id}`.
pub(crate) fn one(visit: &mut Visit<'_>, name: &str, id: &str, params: &Params) -> Answer<Json> {
    let place = visit.readable(name)?;
    let shape = shape(visit, place, params)?;
    let state = &*visit.state;
    let view = match params.one("idProperty").filter(|property| property != "hs_object_id") {
        Some(property) => by_property(state, place, &property, &[id.to_owned()])?.pop().flatten(),
        None => id.parse().ok(),
    };
    let view = view.and_then(|id| find(state, place, id, params.flag("archived"))).ok_or_else(not_found)?;
    let body = shape.record(state, &view);
    visit.rows += 1;
    Ok(body)
}

/// The record of that id, or the survivor that it was merged into.
fn find(state: &State, place: usize, id: u64, archived: bool) -> Option<View<'_>> {
    let records = &state.objects[place].records;
    if archived {
        return records.archived(id, state.now);
    }
    records.live(id).or_else(|| records.live(records.survivor(id)?))
}

/// The live records whose unique property holds these texts, by their ids and in their order.
pub(crate) fn by_property(state: &State, place: usize, name: &str, texts: &[String]) -> Answer<Vec<Option<u64>>> {
    let object = &state.objects[place];
    let property =
        object.property(name).filter(|property| property.spec.unique || matches!(property.origin, Origin::Id));
    let property = property.ok_or_else(|| invalid(format!("idProperty {name} is not a unique property")))?;
    let mut found = vec![None; texts.len()];
    for id in object.records.ids(0, u64::MAX) {
        let Some(view) = object.records.live(id) else { continue };
        let Some(held) = value::raw(state, place, &view, property) else { continue };
        for (text, found) in texts.iter().zip(&mut found) {
            if held.eq_ignore_ascii_case(text) {
                *found = Some(id);
            }
        }
    }
    Ok(found)
}
