//! What apps tell about themselves.

use serde_json::{Value as Json, json};

use crate::kintone::app::{App, Form};
use crate::kintone::auth::{Caller, Right};
use crate::kintone::form;
use crate::kintone::params::Params;
use crate::kintone::process::Process;
use crate::kintone::refusal::{Answer, at_least_one, invalid_at, message, no_privilege, oauth, token_lacks_right};
use crate::kintone::time;
use crate::kintone::visit::Visit;

/// The settings that are asked for: live ones, or those in preparation, for which one must manage the app.
fn asked(visit: &mut Visit<'_>, id: u64) -> Answer<usize> {
    let right = if visit.is_preview { Right::Manage } else { Right::Form };
    let place = visit.app(id, right)?;
    visit.state.settle_deploy(place, false);
    Ok(place)
}

fn settings<'a>(visit: &'a Visit<'_>, app: &'a App) -> &'a Form {
    if visit.is_preview { app.preview() } else { &app.live }
}

/// `app/form/fields.json`.
pub(crate) fn fields(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let place = asked(visit, params.id("app")?)?;
    let app = &visit.state.apps[place];
    let form = settings(visit, app);
    let hides = visit.caller.is_narrowed() && visit.state.options.hypotheses.form_hides_fields;
    let columns: Vec<_> =
        form.columns.iter().filter(|column| !(hides && app.hidden_fields.contains(&column.spec.code))).collect();
    Ok(json!({"properties": form::properties(&columns), "revision": form.revision.to_string()}))
}

/// `app/form/layout.json`.
pub(crate) fn layout(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let place = asked(visit, params.id("app")?)?;
    Ok(form::layout(settings(visit, &visit.state.apps[place])))
}

/// `app/status.json`.
pub(crate) fn status(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let place = asked(visit, params.id("app")?)?;
    let form = settings(visit, &visit.state.apps[place]);
    Ok(Process::describe(form.process.as_ref(), form.revision))
}

/// `app/settings.json`.
pub(crate) fn general(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let place = asked(visit, params.id("app")?)?;
    let form = settings(visit, &visit.state.apps[place]);
    Ok(json!({
        "name": form.name, "description": "", "icon": {"type": "PRESET", "key": "APP72"}, "theme": "WHITE",
        "titleField": {"selectionMode": "AUTO"}, "enableThumbnails": true, "enableBulkDeletion": false,
        "enableComments": true, "enableDuplicateRecord": true, "enableInlineRecordEditing": true,
        "numberPrecision": {"digits": "16", "decimalPlaces": "4", "roundingMode": "HALF_EVEN"},
        "firstMonthOfFiscalYear": "4", "revision": form.revision.to_string(),
    }))
}

/// `app/views.json`.
pub(crate) fn views(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let place = asked(visit, params.id("app")?)?;
    let form = settings(visit, &visit.state.apps[place]);
    let shown: Vec<&str> = form.columns.iter().take(1).map(|column| column.spec.code.as_str()).collect();
    Ok(json!({"views": {"一覧": {
        "type": "LIST", "name": "一覧", "id": "1", "fields": shown, "filterCond": "", "sort": "レコード番号 desc", "index": "0",
    }}, "revision": form.revision.to_string()}))
}

fn described(app: &App) -> Json {
    let people = json!({"code": "Administrator", "name": "Administrator"});
    let stamp = |secs: i64| time::second(secs).replace('Z', ".000Z");
    json!({
        "appId": app.id.to_string(), "code": app.code, "name": app.live.name, "description": "",
        "spaceId": app.guest_space.map(|space| space.to_string()), "threadId": app.guest_space.map(|space| (space + 1).to_string()),
        "createdAt": stamp(app.created), "creator": people, "modifiedAt": stamp(app.modified), "modifier": people,
    })
}

/// `app.json`.
pub(crate) fn app(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let place = visit.app(params.id("id")?, Right::Form)?;
    visit.state.settle_deploy(place, false);
    Ok(described(&visit.state.apps[place]))
}

/// Refuses whoever is not a person, for what belongs to no app.
fn people_only(visit: &Visit<'_>) -> Answer<()> {
    match &visit.caller {
        Caller::Tokens(_) => Err(token_lacks_right()),
        Caller::OAuth { .. } if !visit.state.options.hypotheses.oauth_apps => Err(oauth(403)),
        Caller::OAuth { .. } => visit.scope("k:app_settings:read"),
        Caller::User { .. } => Ok(()),
    }
}

fn page(params: &Params) -> Answer<(usize, usize)> {
    let limit = params.number("limit")?.unwrap_or(100);
    if limit < 1 {
        return Err(invalid_at("limit", at_least_one()));
    }
    if limit > 100 {
        return Err(invalid_at("limit", message("最大でも100以下です。", "must be less than or equal to 100")));
    }
    Ok((limit as usize, usize::try_from(params.number("offset")?.unwrap_or(0)).unwrap_or(0)))
}

/// `apps.json`.
pub(crate) fn apps(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    people_only(visit)?;
    let (limit, offset) = page(params)?;
    let (ids, spaces) = (params.ids("ids", 100)?, params.ids("spaceIds", 100)?);
    let (codes, name) = (params.texts("codes"), params.text("name").map(str::to_lowercase));
    let narrowed = visit.caller.is_narrowed();
    let list: Vec<Json> = visit
        .state
        .apps
        .iter()
        .filter(|app| !app.is_deleted && (!narrowed || !app.is_closed))
        .filter(|app| visit.space.is_none() || app.guest_space == visit.space)
        .filter(|app| ids.as_ref().is_none_or(|ids| ids.contains(&app.id)))
        .filter(|app| spaces.as_ref().is_none_or(|spaces| app.guest_space.is_some_and(|space| spaces.contains(&space))))
        .filter(|app| codes.as_ref().is_none_or(|codes| codes.contains(&app.code)))
        .filter(|app| name.as_ref().is_none_or(|name| app.live.name.to_lowercase().contains(name)))
        .skip(offset)
        .take(limit)
        .map(described)
        .collect();
    Ok(json!({ "apps": list }))
}

/// `apps/statistics.json`.
pub(crate) fn statistics(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    people_only(visit)?;
    if visit.caller.is_narrowed() {
        return Err(no_privilege());
    }
    let (limit, offset) = page(params)?;
    let now = visit.state.now;
    let (state, mut list) = (&mut *visit.state, Vec::new());
    for app in state.apps.iter().filter(|app| !app.is_deleted).skip(offset).take(limit) {
        list.push(json!({
            "id": app.id.to_string(), "name": app.live.name, "status": "ACTIVATED",
            "recordCount": app.records.count(1, u64::MAX).to_string(), "fieldCount": app.live.columns.len().to_string(),
            "apiRequestCount": state.limits.today(app.id, now).to_string(),
        }));
    }
    Ok(json!({ "apps": list }))
}
