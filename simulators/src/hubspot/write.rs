//! Writes over the API, as far as a test needs them to make its data.

use serde_json::{Map, Value as Json};

use crate::hubspot::edit::{self, When};
use crate::hubspot::output::Shape;
use crate::hubspot::params;
use crate::hubspot::refusal::{Answer, invalid, not_found};
use crate::hubspot::visit::Visit;
use crate::wire::{Reply, Request};

fn fields(body: &Map<String, Json>) -> Answer<&Map<String, Json>> {
    let missing = || invalid("Some required fields were not set: [properties]");
    body.get("properties").and_then(Json::as_object).ok_or_else(missing)
}

fn writable(visit: &Visit<'_>, name: &str) -> Answer<usize> {
    let place = visit.readable(name)?;
    if visit.state.objects[place].kind.read_only {
        return Err(invalid(format!("{name} cannot be written")));
    }
    Ok(place)
}

/// A record as it is now, with what was written.
fn shown(visit: &Visit<'_>, place: usize, id: u64, names: &[String], status: u16) -> Answer<Reply> {
    let view = visit.state.objects[place].records.live(id).ok_or_else(not_found)?;
    let shape = Shape::new(visit.state, &visit.caller, place, names);
    Ok(Reply::value(status, &shape.record(visit.state, &view)))
}

/// `POST /crm/objects/{v}/{type}`.
pub(crate) fn create(visit: &mut Visit<'_>, name: &str, request: &Request) -> Answer<Reply> {
    let place = writable(visit, name)?;
    let body = params::body(request)?;
    let fields = fields(&body)?;
    let draft = edit::draft(&visit.state.objects[place], fields, false)?;
    let when = When { stamp: visit.state.now, delay: 0 };
    let id = edit::insert(visit.state, place, draft, when);
    shown(visit, place, id, &fields.keys().cloned().collect::<Vec<_>>(), 201)
}

/// `PATCH /crm/objects/{v}/{type}/{id}`; by the id of a record that was merged, the survivor is written to.
pub(crate) fn change(visit: &mut Visit<'_>, name: &str, id: &str, request: &Request) -> Answer<Reply> {
    let place = writable(visit, name)?;
    let id: u64 = id.parse().map_err(|_| not_found())?;
    let id = visit.state.objects[place].records.survivor(id).unwrap_or(id);
    let body = params::body(request)?;
    let fields = fields(&body)?;
    let draft = edit::draft(&visit.state.objects[place], fields, false)?;
    let when = When { stamp: visit.state.now, delay: 0 };
    edit::update(visit.state, place, id, draft, when)?;
    shown(visit, place, id, &fields.keys().cloned().collect::<Vec<_>>(), 200)
}

/// `DELETE /crm/objects/{v}/{type}/{id}`.
pub(crate) fn archive(visit: &mut Visit<'_>, name: &str, id: &str) -> Answer<Reply> {
    let place = writable(visit, name)?;
    // What is gone already is as it should be.
    if let Ok(id) = id.parse() {
        let _ = edit::archive(visit.state, place, id);
    }
    Ok(Reply::empty(204))
}

/// `POST /crm/objects/{v}/{type}/merge`.
pub(crate) fn merge(visit: &mut Visit<'_>, name: &str, request: &Request) -> Answer<Reply> {
    let place = writable(visit, name)?;
    let body = params::body(request)?;
    let id = |name: &str| {
        let text = body.get(name).and_then(params::text);
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| invalid(format!("Some required fields were not set: [{name}]")))
    };
    let heir = edit::merge(visit.state, place, id("primaryObjectId")?, id("objectIdToMerge")?)?;
    shown(visit, place, heir, &["hs_merged_object_ids".to_owned()], 200)
}

/// `POST /crm/objects/{v}/{type}/gdpr-delete`.
pub(crate) fn erase(visit: &mut Visit<'_>, name: &str, request: &Request) -> Answer<Reply> {
    let place = writable(visit, name)?;
    let body = params::body(request)?;
    let id = body.get("objectId").and_then(params::text).and_then(|text| text.parse().ok());
    edit::erase(visit.state, place, id.ok_or_else(|| invalid("Some required fields were not set: [objectId]"))?)?;
    Ok(Reply::empty(204))
}
