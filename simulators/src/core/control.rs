//! `/_sim/…`: the core systems in the hands of another process.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use crate::core::edit::EditError;
use crate::core::fault::parse_fault;
use crate::core::systems::Core;
use crate::core::value::{Object, Value};
use crate::wire::{Reply, Request};

/// Answers a request to the simulator itself.
pub(crate) fn answer(core: &Core, request: &Request) -> Reply {
    let action = request.path.trim_start_matches("/_sim/");
    let result = if request.method == "GET" { look(core, request, action) } else { act(core, request, action) };
    match result {
        Ok(body) => Reply::value(200, &body),
        Err(message) => Reply::value(400, &json!({ "error": message })),
    }
}

fn look(core: &Core, request: &Request, what: &str) -> Result<Json, String> {
    match what {
        "now" => Ok(json!({ "now": core.now().to_rfc3339() })),
        "credentials" => Ok(core.credentials()),
        "customers" => Ok(json!({ "customers": core.customers() })),
        "calls" => serde_json::to_value(core.calls()).map_err(|error| error.to_string()),
        "truth" => {
            let collection = request.parameter("collection").ok_or("`collection` is missing")?;
            let records = match request.parameter("at") {
                Some(at) => core.truth_at(&collection, instant(&at)?),
                None => core.truth(&collection),
            };
            Ok(json!({ "records": records.map_err(|error| error.to_string())? }))
        }
        _ => Err(format!("there is nothing to see at {what}")),
    }
}

/// The body of an action.
struct Body(Object);

impl Body {
    fn read(request: &Request) -> Result<Body, String> {
        if request.body.is_empty() {
            return Ok(Body(Object::default()));
        }
        match Value::parse(&String::from_utf8_lossy(&request.body)) {
            Ok(Value::Object(object)) => Ok(Body(object)),
            Ok(_) => Err("the body is no JSON object".to_owned()),
            Err(why) => Err(format!("the body is no JSON object: {why}")),
        }
    }

    fn text(&self, name: &str) -> Result<&str, String> {
        match self.0.get(name) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(format!("`{name}` is missing or no text")),
        }
    }

    fn number(&self, name: &str) -> Result<i64, String> {
        match self.0.get(name) {
            Some(Value::Number(text)) => text.parse().map_err(|_| format!("`{name}` is no whole number")),
            _ => Err(format!("`{name}` is missing or no whole number")),
        }
    }

    /// What is there as JSON, its numbers as they were sent.
    fn json(&self, name: &str) -> Result<String, String> {
        self.0.get(name).map(Value::to_json).ok_or_else(|| format!("`{name}` is missing"))
    }
}

fn edited(result: Result<(), EditError>) -> Result<Json, String> {
    result.map(|()| json!({"ok": true})).map_err(|error| error.to_string())
}

fn added(result: Result<String, EditError>) -> Result<Json, String> {
    result.map(|key| json!({ "key": key })).map_err(|error| error.to_string())
}

fn act(core: &Core, request: &Request, action: &str) -> Result<Json, String> {
    let body = Body::read(request)?;
    let done = || Ok(json!({"ok": true}));
    let (collection, key) = (|| body.text("collection"), || body.text("key"));
    let (fields, delay) = (|| body.json("fields"), || body.number("delay_seconds"));
    match action {
        "advance" => {
            core.advance(body.number("seconds")?);
            Ok(json!({ "now": core.now().to_rfc3339() }))
        }
        "set_now" => {
            core.set_now(instant(body.text("now")?)?);
            Ok(json!({ "now": core.now().to_rfc3339() }))
        }
        "add" => added(core.add(collection()?, fields()?)),
        "add_late" => added(core.add_late(collection()?, fields()?, delay()?)),
        "edit" => edited(core.edit(collection()?, key()?, fields()?)),
        "edit_late" => edited(core.edit_late(collection()?, key()?, fields()?, delay()?)),
        "change_silently" => edited(core.change_silently(collection()?, key()?, fields()?)),
        "set_lines" => edited(core.set_lines(body.text("contract")?, body.json("lines")?)),
        "delete" => edited(core.delete(collection()?, key()?)),
        "erase" => edited(core.erase(collection()?, key()?)),
        "expire_sessions" => {
            core.expire_sessions();
            done()
        }
        "consent" => Ok(json!({"refresh_token": core.consent()})),
        "limit_calls" => {
            let most = body.number("calls_a_minute").ok().map(|most| u64::try_from(most).unwrap_or(0));
            core.limit_calls(most);
            done()
        }
        "fault" => {
            core.arm(parse_fault(body.text("spec")?)?);
            done()
        }
        "disarm" => {
            core.disarm();
            done()
        }
        "open" => {
            core.open_stalls();
            done()
        }
        "clear_calls" => {
            core.clear_calls();
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
