//! `/_sim/…`: the org in the hands of another process.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::wire::{Reply, Request};
use crate::zoho::fault::parse_fault;
use crate::zoho::input::Fields;
use crate::zoho::org::{EditError, Org};

/// Answers a request to the simulator itself.
pub(crate) fn answer(org: &Org, request: &Request) -> Reply {
    let action = request.path.trim_start_matches("/_sim/");
    let result = if request.method == "GET" { look(org, request, action) } else { act(org, request, action) };
    match result {
        Ok(body) => Reply::value(200, &body),
        Err(message) => Reply::value(400, &json!({ "error": message })),
    }
}

fn look(org: &Org, request: &Request, what: &str) -> Result<Value, String> {
    let module = || request.parameter("module").ok_or("`module` is missing");
    match what {
        "now" => Ok(json!({ "now": org.now().to_rfc3339() })),
        "credentials" => Ok(org.credentials()),
        "calls" => serde_json::to_value(org.calls()).map_err(|error| error.to_string()),
        "truth" => {
            let records = match request.parameter("at") {
                Some(at) => org.truth_at(&module()?, instant(&at)?),
                None => org.truth(&module()?),
            };
            Ok(json!({ "records": records.map_err(|error| error.to_string())? }))
        }
        "deletions" => Ok(json!({ "deletions": org.deletions(&module()?).map_err(|error| error.to_string())? })),
        "counters" => Ok(json!({
            "peak_concurrency": org.peak_concurrency(), "credits_used": org.credits_used(),
            "refreshes": org.refresh_count(), "calls": org.calls().len(),
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
        self.0.get(name).and_then(Value::as_i64).ok_or_else(|| format!("`{name}` is missing or no whole number"))
    }

    fn texts(&self, name: &str) -> Result<Vec<&str>, String> {
        let list = self.0.get(name).and_then(Value::as_array).ok_or_else(|| format!("`{name}` is no list"))?;
        Ok(list.iter().filter_map(Value::as_str).collect())
    }

    fn fields(&self) -> Result<&Fields, String> {
        self.0.get("fields").and_then(Value::as_object).ok_or_else(|| "`fields` is missing or no object".to_owned())
    }

    fn is_on(&self, name: &str, default: bool) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    fn of<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        let value = self.0.get(name).cloned().unwrap_or(Value::Null);
        serde_json::from_value(value).map_err(|error| format!("`{name}`: {error}"))
    }
}

fn edited(result: Result<(), EditError>) -> Result<Value, String> {
    result.map(|()| json!({"ok": true})).map_err(|error| error.to_string())
}

fn inserted(result: Result<String, EditError>) -> Result<Value, String> {
    result.map(|id| json!({ "id": id })).map_err(|error| error.to_string())
}

fn act(org: &Org, request: &Request, action: &str) -> Result<Value, String> {
    let body = Body::read(request)?;
    let done = || Ok(json!({"ok": true}));
    if let Some(result) = act_on_org(org, action, &body) {
        return result.and_then(|()| done());
    }
    let module = body.text("module");
    match action {
        "insert" => inserted(org.insert(module?, body.fields()?)),
        "insert_late" => inserted(org.insert_late(module?, body.fields()?, body.number("delay_seconds")?)),
        "update" => edited(org.update(module?, body.text("id")?, body.fields()?)),
        "update_late" => {
            edited(org.update_late(module?, body.text("id")?, body.fields()?, body.number("delay_seconds")?))
        }
        "change_silently" => edited(org.change_silently(module?, body.text("id")?, body.fields()?)),
        "mass_update" => {
            let count = org.mass_update(module?, body.fields()?).map_err(|error| error.to_string())?;
            Ok(json!({ "count": count }))
        }
        "delete" => edited(org.delete(module?, body.text("id")?)),
        "restore" => edited(org.restore(module?, body.text("id")?)),
        "purge" => edited(org.purge(module?, body.text("id")?)),
        "vanish" => edited(org.vanish(module?, body.text("id")?)),
        "merge" => edited(org.merge(module?, body.text("winner")?, &body.texts("losers")?)),
        "convert_lead" => {
            let made = org.convert_lead(body.text("id")?).map_err(|error| error.to_string())?;
            Ok(json!({"account": made[0], "contact": made[1], "deal": made[2]}))
        }
        "set_stage" => edited(org.set_stage(body.text("id")?, body.text("stage")?)),
        "add_module" => edited(org.add_module(&body.of("spec")?)),
        "access" => edited(org.set_access(module?, body.of("access")?)),
        "add_field" => edited(org.add_field(module?, body.of("field")?)),
        "remove_field" => edited(org.remove_field(module?, body.text("field")?)),
        "rename_field" => edited(org.rename_field(module?, body.text("field")?, body.text("name")?)),
        "relabel_field" => edited(org.relabel_field(module?, body.text("field")?, body.text("label")?)),
        "set_choices" => edited(org.set_choices(module?, body.text("field")?, body.of("choices")?)),
        "change_formula" => edited(org.change_formula(module?, body.text("field")?, body.of("formula")?)),
        "hide_field" => edited(org.hide_field(module?, body.text("field")?, body.is_on("hidden", true))),
        "hide_records" => edited(org.hide_records(module?, &body.texts("ids")?, body.is_on("hidden", true))),
        "grant_code" => Ok(json!({"code": org.grant_code(body.text("scope")?, body.is_on("admin", false))})),
        "access_token" => {
            Ok(json!({"access_token": org.access_token(body.text("scope")?, body.is_on("admin", false))}))
        }
        "consent" => Ok(json!({"refresh_token": org.consent(body.text("scope").ok())})),
        _ => Err(format!("there is no action {action}")),
    }
}

/// An action that needs to be told nothing.
type Plain = fn(&Org);

/// The actions that change nothing in a module; `None` for all others.
fn act_on_org(org: &Org, action: &str, body: &Body) -> Option<Result<(), String>> {
    let plain: [(&str, Plain); 7] = [
        ("disarm", Org::disarm),
        ("open", Org::open_stalls),
        ("expire_sessions", Org::expire_sessions),
        ("revoke_grant", Org::revoke_grant),
        ("drop_page_tokens", Org::drop_page_tokens),
        ("drop_jobs", Org::drop_jobs),
        ("clear_calls", Org::clear_calls),
    ];
    if let Some((_, act)) = plain.into_iter().find(|(name, _)| *name == action) {
        act(org);
        return Some(Ok(()));
    }
    let result = match action {
        "advance" => body.number("seconds").map(|secs| org.advance(secs)),
        "set_now" => body.text("now").and_then(instant).map(|now| org.set_now(now)),
        "assume" => body.of("hypotheses").map(|wanted| org.assume(|open| *open = wanted)),
        "bulk" => body.of("options").map(|options| org.set_bulk(options)),
        "credits" => body.of("credits").map(|credits| org.set_credits(credits)),
        "fault" => body.text("spec").and_then(parse_fault).map(|fault| org.arm(fault)),
        _ => return None,
    };
    Some(result)
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.with_timezone(&Utc))
        .map_err(|_| format!("`{text}` is not like 2026-10-31T15:00:00Z"))
}
