//! `/_sim/…`: the domain in the hands of another process.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::kintone::auth::Rights;
use crate::kintone::domain::{Domain, EditError, Fields};
use crate::kintone::fault::parse_fault;
use crate::wire::{Reply, Request};

/// Answers a request to the simulator itself.
pub(crate) fn answer(domain: &Domain, request: &Request) -> Reply {
    let action = request.path.trim_start_matches("/_sim/");
    let result = if request.method == "GET" { look(domain, request, action) } else { act(domain, request, action) };
    match result {
        Ok(body) => Reply::value(200, &body),
        Err(message) => Reply::value(400, &json!({ "error": message })),
    }
}

fn look(domain: &Domain, request: &Request, what: &str) -> Result<Value, String> {
    let app =
        || request.parameter("app").and_then(|app| app.parse::<u64>().ok()).ok_or("`app` is missing or no number");
    match what {
        "now" => Ok(json!({ "now": domain.now().to_rfc3339() })),
        "credentials" => Ok(domain.credentials()),
        "calls" => serde_json::to_value(domain.calls()).map_err(|error| error.to_string()),
        "truth" => {
            let records = match request.parameter("at") {
                Some(at) => domain.truth_at(app()?, instant(&at)?),
                None => domain.truth(app()?),
            };
            Ok(json!({ "records": records.map_err(|error| error.to_string())? }))
        }
        "counters" => {
            let today =
                request.parameter("app").is_some().then(|| app().map(|app| domain.requests_today(app))).transpose()?;
            Ok(json!({
                "live_cursors": domain.live_cursors(), "peak_concurrency": domain.peak_concurrency(), "requests_today": today,
            }))
        }
        "webhooks" => {
            let (sent, dropped) = domain.webhooks();
            Ok(json!({"sent": sent, "dropped": dropped}))
        }
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
        let number = self.0.get(name).and_then(crate::kintone::params::whole);
        number.ok_or_else(|| format!("`{name}` is missing or no whole number"))
    }

    fn id(&self, name: &str) -> Result<u64, String> {
        u64::try_from(self.number(name)?).map_err(|_| format!("`{name}` is negative"))
    }

    fn ids(&self) -> Result<Vec<u64>, String> {
        let list = self.0.get("ids").and_then(Value::as_array).ok_or("`ids` is missing or no list")?;
        let id = |id: &Value| crate::kintone::params::whole(id).and_then(|id| u64::try_from(id).ok());
        list.iter().map(|item| id(item).ok_or_else(|| "`ids` holds something that is no id".to_owned())).collect()
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

fn edited(result: Result<(), EditError>) -> Result<Value, String> {
    result.map(|()| json!({"ok": true})).map_err(|error| error.to_string())
}

fn inserted(result: Result<u64, EditError>) -> Result<Value, String> {
    result.map(|id| json!({"id": id.to_string()})).map_err(|error| error.to_string())
}

fn act(domain: &Domain, request: &Request, action: &str) -> Result<Value, String> {
    let body = Body::read(request)?;
    let done = || Ok(json!({"ok": true}));
    let app = || body.id("app");
    match action {
        "advance" => {
            domain.advance(body.number("seconds")?);
            Ok(json!({ "now": domain.now().to_rfc3339() }))
        }
        "set_now" => {
            domain.set_now(instant(body.text("now")?)?);
            Ok(json!({ "now": domain.now().to_rfc3339() }))
        }
        "assume" => {
            let mut wanted = Ok(());
            domain.assume(|open| match body.of("hypotheses") {
                Ok(hypotheses) => *open = hypotheses,
                Err(error) => wanted = Err(error),
            });
            wanted.and_then(|()| done())
        }
        "insert" => inserted(domain.insert(app()?, body.fields()?)),
        "insert_late" => inserted(domain.insert_late(app()?, body.fields()?, body.number("delay_seconds")?)),
        "update" => edited(domain.update(app()?, body.id("id")?, body.fields()?)),
        "update_late" => {
            edited(domain.update_late(app()?, body.id("id")?, body.fields()?, body.number("delay_seconds")?))
        }
        "change_silently" => edited(domain.change_silently(app()?, body.id("id")?, body.fields()?)),
        "mass_update" => {
            let filter = body.0.get("query").and_then(Value::as_str).unwrap_or_default();
            let count = domain.mass_update(app()?, filter, body.fields()?).map_err(|error| error.to_string())?;
            Ok(json!({ "count": count }))
        }
        "delete" => edited(domain.delete(app()?, body.id("id")?)),
        "comment" => edited(domain.comment(app()?, body.id("id")?, body.text("text")?)),
        "create_app" => Ok(json!({"app": domain.create_app(body.of("spec")?).to_string()})),
        "delete_app" => edited(domain.delete_app(app()?)),
        "restore_app" => edited(domain.restore_app(app()?)),
        "app_code" => edited(domain.set_app_code(app()?, body.text("code")?)),
        "guest_space" => edited(domain.set_guest_space(app()?, body.of("space")?)),
        "close_app" => edited(domain.close_app(app()?, body.is_on("closed"))),
        "add_field" => edited(domain.add_field(app()?, body.of("field")?)),
        "remove_field" => edited(domain.remove_field(app()?, body.text("field")?)),
        "rename_field" => edited(domain.rename_field(app()?, body.text("field")?, body.text("code")?)),
        "relabel_field" => edited(domain.relabel_field(app()?, body.text("field")?, body.text("label")?)),
        "enable_categories" => edited(domain.enable_categories(app()?, body.is_on("enabled"))),
        "change_formula" => edited(domain.change_formula(app()?, body.text("field")?, body.text("expression")?)),
        "rename_option" => {
            edited(domain.rename_option(app()?, body.text("field")?, body.text("option")?, body.text("new")?))
        }
        "hide_field" => edited(domain.hide_field(app()?, body.text("field")?, body.is_on("hidden"))),
        "hide_records" => edited(domain.hide_records(app()?, &body.ids()?, body.is_on("hidden"))),
        "rename_person" => {
            domain.rename_person(body.text("code")?, body.text("name")?);
            done()
        }
        "add_token" => Ok(
            json!({"token": domain.add_token(app()?, body.of::<Option<Rights>>("rights")?.unwrap_or(Rights::view()))}),
        ),
        "remove_token" => {
            domain.remove_token(body.text("token")?);
            done()
        }
        "access_token" => Ok(json!({"access_token": domain.access_token(body.text("scope")?)})),
        "expire_sessions" => {
            domain.expire_sessions();
            done()
        }
        "fault" => {
            domain.arm(parse_fault(body.text("spec")?)?);
            done()
        }
        "disarm" => {
            domain.disarm();
            done()
        }
        "open" => {
            domain.open_stalls();
            done()
        }
        "drop_cursors" => {
            domain.drop_cursors();
            done()
        }
        "webhook_storm" => {
            domain.set_webhook_storm(body.is_on("on"));
            done()
        }
        "clear_calls" => {
            domain.clear_calls();
            done()
        }
        _ => Err(format!("there is no action {action}")),
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.with_timezone(&Utc))
        .map_err(|_| format!("`{text}` is not like 2026-10-31T15:00:00Z"))
}
