//! What a portal is made of: properties, schemas, pipelines, the account.

use serde_json::{Value as Json, json};

use crate::hubspot::limits::midnight;
use crate::hubspot::object::Object;
use crate::hubspot::params::Params;
use crate::hubspot::property::{Choice, Property};
use crate::hubspot::refusal::{Answer, invalid, missing_scope, not_found};
use crate::hubspot::state::{State, sensitive_scope};
use crate::hubspot::time::iso;
use crate::hubspot::visit::{Visit, sees};

/// The definition of a property; a stage's options are those of the pipelines.
fn defined(object: &Object, property: &Property) -> Json {
    let is_stage = object.stage_property().is_some_and(|stage| stage.slot == property.slot);
    if !is_stage {
        return property.json();
    }
    let mut property = property.clone();
    let stages = object.pipelines.iter().flat_map(|pipeline| &pipeline.stages).filter(|stage| !stage.archived);
    property.spec.options =
        stages.map(|stage| Choice { value: stage.id.clone(), label: stage.label.clone() }).collect();
    property.json()
}

/// `GET /crm/properties/{v}/{type}`.
pub(crate) fn properties(visit: &mut Visit<'_>, name: &str, params: &Params) -> Answer<Json> {
    let place = visit.described(name)?;
    let object = &visit.state.objects[place];
    let level = params.one("dataSensitivity").unwrap_or_else(|| "non_sensitive".to_owned());
    match level.as_str() {
        "non_sensitive" => {}
        "sensitive" | "highly_sensitive" => {
            let scope = sensitive_scope(object.kind.name, &level);
            if !visit.caller.has(&scope) {
                return Err(missing_scope(&scope));
            }
        }
        _ => return Err(invalid(format!("{level} is not a valid dataSensitivity"))),
    }
    let archived = params.flag("archived");
    let listed = object.properties.iter().filter(|property| {
        property.archived_at.is_some() == archived
            && property.sensitivity().name() == level
            && sees(&visit.caller, object, property)
    });
    let results: Vec<Json> = listed.map(|property| defined(object, property)).collect();
    Ok(json!({ "results": results }))
}

/// `GET /crm/properties/{v}/{type}/{name}`.
pub(crate) fn property(visit: &mut Visit<'_>, name: &str, property: &str) -> Answer<Json> {
    let place = visit.described(name)?;
    let object = &visit.state.objects[place];
    let known = object.property(property).filter(|known| sees(&visit.caller, object, known));
    known.map(|known| defined(object, known)).ok_or_else(not_found)
}

fn schema(state: &State, place: usize) -> Json {
    let object = &state.objects[place];
    let kind = &object.kind;
    let shown = object.properties.iter().filter(|property| property.archived_at.is_none());
    let stamp = iso(1_735_689_600_000);
    let associations: Vec<Json> = (0..state.links.types.len())
        .filter(|&at| state.links.types[at].from == place)
        .map(|at| {
            let kind = &state.links.types[at];
            let name = format!("{}_to_{}", object.kind.singular, state.objects[kind.to].kind.singular);
            json!({
                "id": kind.id.to_string(), "fromObjectTypeId": object.kind.type_id,
                "toObjectTypeId": state.objects[kind.to].kind.type_id, "name": name, "createdAt": stamp, "updatedAt": stamp,
            })
        })
        .collect();
    json!({
        "id": kind.type_id.trim_start_matches("2-"), "objectTypeId": kind.type_id, "name": kind.name,
        "fullyQualifiedName": kind.full_name, "labels": {"singular": kind.labels.0, "plural": kind.labels.1},
        "primaryDisplayProperty": kind.display, "secondaryDisplayProperties": [], "requiredProperties": [kind.display],
        "searchableProperties": [kind.display], "properties": shown.map(|property| defined(object, property)).collect::<Vec<_>>(),
        "associations": associations, "archived": false, "createdAt": stamp, "updatedAt": stamp, "createdByUserId": 9_586_501,
    })
}

/// `GET /crm-object-schemas/{v}/schemas`: custom objects alone.
pub(crate) fn schemas(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    visit.needs("crm.schemas.custom.read")?;
    let state = &*visit.state;
    let custom = (0..state.objects.len()).filter(|&place| state.objects[place].kind.full_name.is_some());
    let results: Vec<Json> =
        if params.flag("archived") { Vec::new() } else { custom.map(|place| schema(state, place)).collect() };
    Ok(json!({ "results": results }))
}

/// `GET /crm-object-schemas/{v}/schemas/{type}`.
pub(crate) fn one_schema(visit: &mut Visit<'_>, name: &str) -> Answer<Json> {
    visit.needs("crm.schemas.custom.read")?;
    let state = &*visit.state;
    let place = state.find(name).filter(|&place| state.objects[place].kind.full_name.is_some());
    place.map(|place| schema(state, place)).ok_or_else(not_found)
}

/// `GET /crm/pipelines/{v}/{type}`.
pub(crate) fn pipelines(visit: &mut Visit<'_>, name: &str) -> Answer<Json> {
    let place = visit.readable(name)?;
    let live = visit.state.objects[place].pipelines.iter().filter(|pipeline| !pipeline.archived);
    let results: Vec<Json> = live.enumerate().map(|(order, pipeline)| pipeline.json(order)).collect();
    Ok(json!({ "results": results }))
}

/// `GET /crm/pipelines/{v}/{type}/{pipeline}`, with what follows it.
pub(crate) fn pipeline(visit: &mut Visit<'_>, name: &str, id: &str, rest: &[&str]) -> Answer<Json> {
    let place = visit.readable(name)?;
    let portal = visit.state.options.portal_id;
    let pipelines = &visit.state.objects[place].pipelines;
    let (order, pipeline) =
        (0..).zip(pipelines).find(|(_, pipeline)| pipeline.id == id && !pipeline.archived).ok_or_else(not_found)?;
    let audit = |identifier: &str| {
        let changes = pipeline.changes.iter().rev().filter(|change| change.identifier == identifier);
        json!({"results": changes.map(|change| change.json(portal)).collect::<Vec<_>>()})
    };
    match rest {
        [] => Ok(pipeline.json(order)),
        ["audit"] => Ok(audit(id)),
        ["stages"] => Ok(json!({"results": pipeline.json(order)["stages"]})),
        ["stages", stage, "audit"] => Ok(audit(stage)),
        _ => Err(not_found()),
    }
}

/// `GET /account-info/{v}/details`.
pub(crate) fn account(state: &State) -> Json {
    let zone = state.options.zone_secs;
    let sign = if zone < 0 { '-' } else { '+' };
    let minutes = zone.abs() / 60;
    json!({
        "portalId": state.options.portal_id, "accountType": "STANDARD",
        "timeZone": if zone == 32_400 { "Asia/Tokyo" } else { "Etc/Unknown" },
        "companyCurrency": "JPY", "additionalCurrencies": ["USD"],
        "utcOffset": format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60), "utcOffsetMilliseconds": zone * 1_000,
        "uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
    })
}

/// `GET /account-info/{v}/api-usage/daily/private-apps`.
pub(crate) fn usage(state: &mut State) -> Json {
    let used = state.limits.today(state.now, &state.options);
    json!({"results": [{
        "name": "private-apps-api-calls-daily", "usageLimit": state.options.daily_limit, "currentUsage": used,
        "collectedAt": iso(state.now), "fetchStatus": "SUCCESS", "resetsAt": iso(midnight(state.now, &state.options)),
    }]})
}
