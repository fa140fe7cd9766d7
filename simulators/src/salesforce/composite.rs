//! `POST …/composite`: several queries in one call, whose text travels in the body.

use serde_json::{Value, json};

use crate::salesforce::query::Tweaks;
use crate::salesforce::reply;
use crate::salesforce::route;
use crate::salesforce::state::State;
use crate::wire::Reply;
use crate::wire::Request;

const MOST_REQUESTS: usize = 25;
const MOST_QUERIES: usize = 5;

/// Answers each part; always 200 when the envelope can be read.
pub(crate) fn answer(state: &mut State, request: &Request, version: &str, tweaks: &Tweaks) -> Reply {
    if request.method != "POST" {
        return reply::error(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed. Allowed are POST");
    }
    let body: Option<Value> = serde_json::from_slice(&request.body).ok();
    let Some(parts) = body.as_ref().and_then(|body| body.get("compositeRequest")).and_then(Value::as_array) else {
        return reply::error(400, "JSON_PARSER_ERROR", "compositeRequest is missing");
    };
    let url = |part: &Value| part.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    let query_count = parts.iter().filter(|part| url(part).contains("/query")).count();
    if parts.len() > MOST_REQUESTS || query_count > MOST_QUERIES {
        let message = format!("Cannot exceed the limit of {MOST_REQUESTS} subrequests, {MOST_QUERIES} of them queries");
        return reply::error(400, "LIMIT_EXCEEDED", &message);
    }
    let mut answers = Vec::new();
    let mut rows = 0;
    for part in parts {
        let url = url(part);
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (url.clone(), None),
        };
        let method = part.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
        let inner = Request { method, path, query, headers: request.headers.clone(), body: Vec::new() };
        let reply = if inner.path.ends_with("/composite") || inner.path.contains("/jobs/") {
            reply::error(400, "INVALID_REQUEST", "this resource cannot be part of a composite")
        } else if inner.path.starts_with(&format!("/services/data/{version}/")) {
            route::resource(state, &inner, version, tweaks.clone())
        } else {
            reply::not_found()
        };
        rows += reply.rows;
        answers.push(json!({
            "body": serde_json::from_slice::<Value>(&reply.body).unwrap_or(Value::Null),
            "httpHeaders": {},
            "httpStatusCode": reply.status,
            "referenceId": part.get("referenceId").cloned().unwrap_or(Value::Null),
        }));
    }
    Reply { rows, ..Reply::value(200, &json!({ "compositeResponse": answers })) }
}
