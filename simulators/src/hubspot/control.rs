//! `/_sim/…`: the portal in the hands of another process.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::hubspot::fault::parse_fault;
use crate::hubspot::params;
use crate::hubspot::portal::{Edited, Fields, Portal};
use crate::wire::{Reply, Request};

/// Answers a request to the simulator itself.
pub(crate) fn answer(portal: &Portal, request: &Request) -> Reply {
    let action = request.path.trim_start_matches("/_sim/");
    let result = if request.method == "GET" { look(portal, request, action) } else { act(portal, request, action) };
    match result {
        Ok(body) => Reply::value(200, &body),
        Err(message) => Reply::value(400, &json!({ "error": message })),
    }
}

fn said<T>(result: Edited<T>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn told<T: serde::Serialize>(result: Edited<T>) -> Result<Value, String> {
    serde_json::to_value(said(result)?).map_err(|error| error.to_string())
}

fn look(portal: &Portal, request: &Request, what: &str) -> Result<Value, String> {
    let text = |name: &str| request.parameter(name).ok_or_else(|| format!("`{name}` is missing"));
    let id = || text("id")?.parse::<u64>().map_err(|_| "`id` is no number".to_owned());
    let of = || text("type");
    match what {
        "now" => Ok(json!({ "now": portal.now().to_rfc3339() })),
        "credentials" => Ok(portal.credentials()),
        "calls" => serde_json::to_value(portal.calls()).map_err(|error| error.to_string()),
        "truth" => {
            let records = match request.parameter("at") {
                Some(at) => portal.truth_at(&of()?, instant(&at)?),
                None => portal.truth(&of()?),
            };
            Ok(json!({ "records": said(records)? }))
        }
        "archived" => Ok(json!({ "archived": told(portal.archived(&of()?))? })),
        "merged" => Ok(json!({ "merged": told(portal.merged(&of()?))? })),
        "history" => Ok(json!({ "history": told(portal.history(&of()?, id()?, &text("property")?))? })),
        "associations" => Ok(json!({ "associations": told(portal.associations((&of()?, id()?), &text("to")?))? })),
        "counters" => Ok(json!({
            "peak_concurrency": portal.peak_concurrency(), "calls_today": portal.calls_today(),
            "most_searches_per_second": portal.most_searches_per_second(),
        })),
        _ => Err(format!("there is nothing to see at {what}")),
    }
}

/// The body of an action.
struct Body(Map<String, Value>);

impl Body {
    fn read(request: &Request) -> Result<Body, String> {
        if request.body.is_empty() {
            return Ok(Body(Map::new()));
        }
        serde_json::from_slice(&request.body).map(Body).map_err(|error| format!("the body is no JSON object: {error}"))
    }

    fn text(&self, name: &str) -> Result<&str, String> {
        self.0.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is missing or no text"))
    }

    fn number(&self, name: &str) -> Result<i64, String> {
        let number = self.0.get(name).and_then(params::text).and_then(|text| text.parse().ok());
        number.ok_or_else(|| format!("`{name}` is missing or no whole number"))
    }

    fn id(&self, name: &str) -> Result<u64, String> {
        u64::try_from(self.number(name)?).map_err(|_| format!("`{name}` is negative"))
    }

    fn fields(&self) -> Result<&Fields, String> {
        self.0.get("fields").and_then(Value::as_object).ok_or_else(|| "`fields` is missing or no object".to_owned())
    }

    fn is_on(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(true)
    }

    fn of<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        let value = self.0.get(name).cloned().unwrap_or(Value::Null);
        serde_json::from_value(value).map_err(|error| format!("`{name}`: {error}"))
    }
}

fn edited(result: Edited<()>) -> Result<Value, String> {
    said(result).map(|()| json!({"ok": true}))
}

fn made(result: Edited<u64>) -> Result<Value, String> {
    said(result).map(|id| json!({"id": id.to_string()}))
}

fn act(portal: &Portal, request: &Request, action: &str) -> Result<Value, String> {
    let body = Body::read(request)?;
    if let Some(result) = act_on_records(portal, &body, action).or_else(|| act_on_shape(portal, &body, action)) {
        return result;
    }
    match action {
        "advance" => portal.advance(body.number("seconds")?),
        "set_now" => portal.set_now(instant(body.text("now")?)?),
        "assume" => {
            let hypotheses = body.of("hypotheses")?;
            portal.assume(|open| *open = hypotheses);
        }
        "index_lag" => portal.set_index_lag(body.number("seconds")?),
        "reindex" => portal.reindex(),
        "daily_limit" => {
            let max = body.id("max")?;
            portal.set_options(|options| options.daily_limit = max);
        }
        "rate_limits" => portal.set_options(|options| options.rate_limits = body.is_on("on")),
        "rotate_token" => return Ok(json!({"private_token": portal.rotate_token(body.number("grace_seconds")?)})),
        "add_token" => {
            let scopes: Vec<String> = body.of("scopes")?;
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            return Ok(json!({"token": portal.add_token(&scopes)}));
        }
        "remove_token" => portal.remove_token(body.text("token")?),
        "expire_sessions" => portal.expire_sessions(),
        "revoke_grant" => portal.revoke_grant(),
        "consent" => return Ok(json!({"refresh_token": portal.consent()})),
        "revoke_scope" => portal.revoke_scope(body.text("scope")?),
        "grant_scope" => portal.grant_scope(body.text("scope")?),
        "fault" => portal.arm(parse_fault(body.text("spec")?)?),
        "disarm" => portal.disarm(),
        "open" => portal.open_stalls(),
        "clear_calls" => portal.clear_calls(),
        _ => return Err(format!("there is no action {action}")),
    }
    Ok(json!({ "now": portal.now().to_rfc3339() }))
}

/// What is done to records; `None` where the action is another.
fn act_on_records(portal: &Portal, body: &Body, action: &str) -> Option<Result<Value, String>> {
    let of = || body.text("type");
    let id = || body.id("id");
    let run = || match action {
        "insert" => match body.0.get("at") {
            Some(_) => made(portal.insert_at(of()?, body.fields()?, instant(body.text("at")?)?)),
            None => made(portal.insert(of()?, body.fields()?)),
        },
        "update" => match body.0.get("at") {
            Some(_) => edited(portal.update_at(of()?, id()?, body.fields()?, instant(body.text("at")?)?)),
            None => edited(portal.update(of()?, id()?, body.fields()?)),
        },
        "insert_late" => made(portal.insert_late(of()?, body.fields()?, body.number("delay_seconds")?)),
        "update_late" => edited(portal.update_late(of()?, id()?, body.fields()?, body.number("delay_seconds")?)),
        "update_all" => said(portal.update_all(of()?, body.fields()?)).map(|count| json!({ "count": count })),
        "change_silently" => edited(portal.change_silently(of()?, id()?, body.fields()?)),
        "recalculate" => edited(portal.recalculate(of()?, id()?, body.fields()?)),
        "touch" => edited(portal.touch(of()?, id()?)),
        "archive" => edited(portal.archive(of()?, id()?)),
        "restore" => edited(portal.restore(of()?, id()?)),
        "erase" => edited(portal.erase(of()?, id()?)),
        "merge" => made(portal.merge(of()?, body.id("primary")?, body.id("loser")?)),
        "straggle" => edited(portal.straggle(of()?, id()?, body.number("seconds")?)),
        "associate" | "dissociate" => {
            let (from, to) = ((of()?, id()?), (body.text("to_type")?, body.id("to")?));
            let label = body.0.get("label").and_then(Value::as_str);
            let relate = if action == "associate" { Portal::associate } else { Portal::dissociate };
            edited(relate(portal, from, to, label))
        }
        _ => Err(String::new()),
    };
    known(run())
}

/// What is done to the shape of the portal; `None` where the action is another.
fn act_on_shape(portal: &Portal, body: &Body, action: &str) -> Option<Result<Value, String>> {
    let of = || body.text("type");
    let property = || body.text("property");
    let pipeline = || body.text("pipeline");
    let run = || match action {
        "add_property" => edited(portal.add_property(of()?, body.of("property")?)),
        "archive_property" => edited(portal.archive_property(of()?, property()?)),
        "restore_property" => edited(portal.restore_property(of()?, property()?)),
        "rename_property" => edited(portal.rename_property(of()?, property()?, body.text("name")?)),
        "relabel_property" => edited(portal.relabel_property(of()?, property()?, body.text("label")?)),
        "hide_property" => edited(portal.hide_property(of()?, property()?, body.is_on("hidden"))),
        "add_pipeline" => edited(portal.add_pipeline(of()?, pipeline()?, body.text("label")?)),
        "archive_pipeline" => edited(portal.archive_pipeline(of()?, pipeline()?)),
        "relabel_pipeline" => edited(portal.relabel_pipeline(of()?, pipeline()?, body.text("label")?)),
        "add_stage" => {
            let (stage, label) = (body.text("stage")?, body.text("label")?);
            edited(portal.add_stage(of()?, pipeline()?, stage, label, body.text("probability")?))
        }
        "relabel_stage" => edited(portal.relabel_stage(of()?, pipeline()?, body.text("stage")?, body.text("label")?)),
        "archive_stage" => edited(portal.archive_stage(of()?, pipeline()?, body.text("stage")?)),
        "add_label" => {
            let id = said(portal.add_label(of()?, body.text("to_type")?, body.text("label")?))?;
            Ok(json!({ "type_id": id }))
        }
        "add_owner" => {
            let id = portal.add_owner(body.text("email")?, body.text("family_name")?, body.text("given_name")?);
            Ok(json!({"id": id.to_string()}))
        }
        "archive_owner" => {
            portal.archive_owner(body.id("id")?, body.is_on("archived"));
            Ok(json!({"ok": true}))
        }
        _ => Err(String::new()),
    };
    known(run())
}

/// An empty complaint is about an action that is not known here.
fn known(result: Result<Value, String>) -> Option<Result<Value, String>> {
    if result.as_ref().is_err_and(String::is_empty) { None } else { Some(result) }
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.with_timezone(&Utc))
        .map_err(|_| format!("`{text}` is not like 2026-10-31T15:00:00Z"))
}
