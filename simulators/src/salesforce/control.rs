//! `/_sim/…`: the org in the hands of another process.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::salesforce::fault::parse_fault;
use crate::salesforce::field::{FieldSpec, Formula};
use crate::salesforce::options::BulkOptions;
use crate::salesforce::org::Org;
use crate::wire::Reply;
use crate::wire::Request;

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
    match what {
        "now" => Ok(json!({ "now": org.now().to_rfc3339() })),
        "credentials" => Ok(org.credentials()),
        "calls" => serde_json::to_value(org.calls()).map_err(|error| error.to_string()),
        "truth" => {
            let object = request.parameter("object").ok_or("`object` is missing")?;
            let rows = match request.parameter("at") {
                Some(at) => org.truth_at(&object, instant(&at)?),
                None => org.truth(&object),
            };
            Ok(json!({ "rows": rows.map_err(|error| error.to_string())? }))
        }
        _ => Err(format!("there is nothing to see at {what}")),
    }
}

fn act(org: &Org, request: &Request, action: &str) -> Result<Value, String> {
    let body: Map<String, Value> = if request.body.is_empty() {
        Map::new()
    } else {
        serde_json::from_slice(&request.body).map_err(|error| format!("the body is no JSON object: {error}"))?
    };
    let text =
        |name: &str| body.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is missing or no text"));
    let fields = || body.get("fields").and_then(Value::as_object).ok_or("`fields` is missing or no object".to_owned());
    let number = |name: &str| {
        body.get(name).and_then(Value::as_i64).ok_or_else(|| format!("`{name}` is missing or no whole number"))
    };
    let texts = |name: &str| -> Result<Vec<&str>, String> {
        let list = body.get(name).and_then(Value::as_array).ok_or_else(|| format!("`{name}` is missing or no list"))?;
        list.iter().map(|id| id.as_str().ok_or_else(|| format!("`{name}` holds something that is no text"))).collect()
    };
    let at = || body.get("at").and_then(Value::as_str).map(instant).transpose();
    let done = json!({"ok": true});
    let edited = |result: Result<(), crate::salesforce::EditError>| {
        result.map(|()| json!({"ok": true})).map_err(|error| error.to_string())
    };
    let inserted = |result: Result<String, crate::salesforce::EditError>| {
        result.map(|id| json!({ "id": id })).map_err(|error| error.to_string())
    };
    let counted = |result: Result<u64, crate::salesforce::EditError>| {
        result.map(|count| json!({ "count": count })).map_err(|error| error.to_string())
    };
    match action {
        "advance" => {
            org.advance(number("seconds")?);
            Ok(json!({ "now": org.now().to_rfc3339() }))
        }
        "set_now" => {
            org.set_now(instant(text("now")?)?);
            Ok(json!({ "now": org.now().to_rfc3339() }))
        }
        "insert" => inserted(match at()? {
            Some(at) => org.insert_at(text("object")?, fields()?, at),
            None => org.insert(text("object")?, fields()?),
        }),
        "insert_late" => inserted(org.insert_late(text("object")?, fields()?, number("delay_seconds")?)),
        "update" => edited(match at()? {
            Some(at) => org.update_at(text("object")?, text("id")?, fields()?, at),
            None => org.update(text("object")?, text("id")?, fields()?),
        }),
        "track_fields" => edited(org.track_fields(text("object")?, &texts("fields")?)),
        "update_late" => edited(org.update_late(text("object")?, text("id")?, fields()?, number("delay_seconds")?)),
        "change_silently" => edited(org.change_silently(text("object")?, text("id")?, fields()?)),
        "system_touch" => edited(org.system_touch(text("object")?, text("id")?)),
        "mass_update" => {
            let filter = body.get("where").and_then(Value::as_str).unwrap_or_default();
            counted(org.mass_update(text("object")?, filter, fields()?))
        }
        "delete" => edited(org.delete(text("object")?, text("id")?)),
        "undelete" => edited(org.undelete(text("object")?, text("id")?)),
        "purge" => counted(org.purge(text("object")?)),
        "hard_delete" => edited(org.hard_delete(text("object")?, text("id")?)),
        "merge" => edited(org.merge(text("object")?, text("winner")?, &texts("losers")?)),
        "add_object" => {
            let fields = body.get("fields").cloned().unwrap_or(json!([]));
            let fields: Vec<FieldSpec> =
                serde_json::from_value(fields).map_err(|error| format!("`fields`: {error}"))?;
            edited(org.add_object(text("object")?, text("label")?, fields))
        }
        "add_field" => {
            let spec = body.get("field").cloned().unwrap_or(Value::Null);
            let spec: FieldSpec = serde_json::from_value(spec).map_err(|error| format!("`field`: {error}"))?;
            edited(org.add_field(text("object")?, spec))
        }
        "remove_field" => edited(org.remove_field(text("object")?, text("field")?)),
        "rename_field" => edited(org.rename_field(text("object")?, text("field")?, text("name")?)),
        "hide_field" => edited(org.hide_field(text("object")?, text("field")?)),
        "unhide_field" => edited(org.unhide_field(text("object")?, text("field")?)),
        "change_formula" => {
            let formula = body.get("formula").cloned().unwrap_or(Value::Null);
            let formula: Formula = serde_json::from_value(formula).map_err(|error| format!("`formula`: {error}"))?;
            edited(org.change_formula(text("object")?, text("field")?, formula))
        }
        "hide_rows" => edited(org.hide_rows(text("object")?, &texts("ids")?)),
        "unhide_rows" => edited(org.unhide_rows(text("object")?, &texts("ids")?)),
        "trim_delete_log" => edited(org.trim_delete_log(text("object")?)),
        "fault" => {
            org.arm(parse_fault(text("spec")?)?);
            Ok(done)
        }
        "disarm" => {
            org.disarm();
            Ok(done)
        }
        "open" => {
            org.open_stalls();
            Ok(done)
        }
        "expire_sessions" => {
            org.expire_sessions();
            Ok(done)
        }
        "revoke_grant" => {
            org.revoke_grant();
            Ok(done)
        }
        "consent" => {
            org.consent();
            Ok(org.credentials())
        }
        "drop_cursors" => {
            org.drop_cursors();
            Ok(done)
        }
        "daily_requests" => {
            org.set_daily_requests(number("max")?.unsigned_abs());
            Ok(done)
        }
        "bulk" => {
            let options = body.get("options").cloned().unwrap_or(json!({}));
            let options: BulkOptions =
                serde_json::from_value(options).map_err(|error| format!("`options`: {error}"))?;
            org.set_bulk(|bulk| *bulk = options);
            Ok(done)
        }
        "refuse_bulk" => {
            let refused = body.get("refused").and_then(Value::as_bool).unwrap_or(true);
            edited(org.refuse_bulk(text("object")?, refused))
        }
        "drop_jobs" => {
            org.drop_jobs();
            Ok(done)
        }
        "clear_calls" => {
            org.clear_calls();
            Ok(done)
        }
        _ => Err(format!("there is no action {action}")),
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.with_timezone(&Utc))
        .map_err(|_| format!("`{text}` is not like 2026-10-31T15:00:00Z"))
}
