//! Which request is answered by whom, and what stands before all of them.

use crate::salesforce::fault::{self, FaultKind, Strikes};
use crate::salesforce::query::{self, JobTrouble, Tweaks};
use crate::salesforce::reply;
use crate::salesforce::state::State;
use crate::salesforce::{auth, bulk, composite, describe, replicate};
use crate::wire::Request;
use crate::wire::{Delivery, Reply};

/// The longest URI, and the longest request line with headers.
const LONGEST_HEAD: usize = 16_384;
/// The newest version of the API, the oldest, and the oldest that is here to stay.
const NEWEST: u32 = 67;
const OLDEST: u32 = 31;
const OLDEST_STAYING: u32 = 41;

/// Answers a request that is not for the simulator itself.
pub(crate) fn answer(state: &mut State, request: &Request, strikes: &Strikes) -> Reply {
    if request.uri_bytes() > LONGEST_HEAD {
        return bad_message(414);
    }
    if request.head_bytes() > LONGEST_HEAD {
        return bad_message(431);
    }
    let mut tweaks = Tweaks::default();
    for kind in &strikes.kinds {
        match kind {
            FaultKind::Expired => state.auth.expire_sessions(),
            FaultKind::Revoked => state.auth.revoke(),
            FaultKind::Timeout(rows) => tweaks.timeout_above = Some(*rows),
            FaultKind::Repeat => tweaks.repeat = true,
            FaultKind::Short(records) => tweaks.at_most = Some(*records),
            FaultKind::Lose(records) => tweaks.lose = *records,
            FaultKind::StaleLocator => tweaks.stale = true,
            FaultKind::NoLocator => tweaks.no_locator = true,
            FaultKind::Phantoms(records) => tweaks.phantoms = *records,
            FaultKind::JobFails(message) => tweaks.job = Some(JobTrouble::Fails(message.clone())),
            FaultKind::JobSticks => tweaks.job = Some(JobTrouble::Sticks),
            _ => {}
        }
    }
    // What stands before the service (a proxy, the edge) answers without knowing of limits.
    let edge =
        strikes.kinds.iter().find(|kind| matches!(kind, FaultKind::Html(_) | FaultKind::Empty(_) | FaultKind::Reset));
    if let Some(reply) = edge.and_then(fault::instead) {
        return reply;
    }
    let host = request.header("host").unwrap_or_default();
    let is_login_host = host.starts_with("localhost");
    let instead = strikes.kinds.iter().find_map(fault::instead);
    let path = request.path.as_str();
    let mut reply = match path.strip_prefix("/services/oauth2/") {
        Some(endpoint) => instead.unwrap_or_else(|| match endpoint {
            "token" => auth::token(state, request, is_login_host),
            "introspect" => auth::introspect(state, request),
            "revoke" => auth::revoke(state, request),
            _ => Reply::html(404, "URL No Longer Exists"),
        }),
        None if is_login_host || !path.starts_with("/services/data") => Reply::html(404, "URL No Longer Exists"),
        None => data(state, request, tweaks, instead),
    };
    for kind in &strikes.kinds {
        match kind {
            FaultKind::CutChunked(bytes) => reply.delivery = Delivery::CutChunked(*bytes),
            FaultKind::CutLength(bytes) => reply.delivery = Delivery::CutLength(*bytes),
            FaultKind::CutJson(bytes) => reply.delivery = Delivery::CutShort(*bytes),
            FaultKind::Drop => reply.delivery = Delivery::Reset,
            _ => {}
        }
    }
    reply
}

fn bad_message(status: u16) -> Reply {
    let reason = if status == 414 { "URI Too Long" } else { "Request Header Fields Too Large" };
    let body = format!("<h1>Bad Message {status}</h1><pre>reason: {reason}</pre>");
    Reply::text(status, "text/html;charset=iso-8859-1", body)
}

/// The REST API. All answers but the list of versions count against the allowance and tell its state.
fn data(state: &mut State, request: &Request, tweaks: Tweaks, instead: Option<Reply>) -> Reply {
    let rest = request.path.trim_start_matches("/services/data").trim_matches('/');
    if rest.is_empty() {
        return instead.unwrap_or_else(versions);
    }
    let now = state.now;
    let is_used_up = state.quota.calls.left(now) == 0;
    let admitted = auth::admit(state, request);
    if !is_used_up {
        state.quota.calls.count(now, 1);
    }
    let version = rest.split('/').next().unwrap_or_default();
    let reply = match (admitted, instead) {
        (_, Some(reply)) | (Err(reply), None) => reply,
        (Ok(()), None) if is_used_up => reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        (Ok(()), None) => match parse_version(version) {
            Some(number) if number < OLDEST => {
                reply::error(410, "UNSUPPORTED_API_VERSION", "The requested API version has been retired")
            }
            Some(number) if number <= NEWEST => {
                let reply = resource(state, request, version, tweaks);
                if number < OLDEST_STAYING {
                    reply.with("Warning", "299 - \"This API version is deprecated and will be retired by Summer '28\"")
                } else {
                    reply
                }
            }
            _ => reply::not_found(),
        },
    };
    reply.with("Sforce-Limit-Info", state.quota.header(now))
}

fn parse_version(text: &str) -> Option<u32> {
    let (major, minor) = text.strip_prefix('v')?.split_once('.')?;
    (minor == "0").then(|| major.parse().ok().filter(|&number| number >= 7)).flatten()
}

fn versions() -> Reply {
    let seasons = ["Spring", "Summer", "Winter"];
    let list: Vec<serde_json::Value> = (OLDEST..=NEWEST)
        .map(|number| {
            // v66.0 is Spring '26, v67.0 Summer '26, v68.0 Winter '27.
            let year = number / 3 + 4 + number % 3 / 2;
            let label = format!("{} '{year:02}", seasons[(number % 3) as usize]);
            serde_json::json!({"label": label, "url": format!("/services/data/v{number}.0"), "version": format!("{number}.0")})
        })
        .collect();
    Reply::value(200, &serde_json::Value::Array(list))
}

/// A resource below a version; the caller is known and has calls left.
pub(crate) fn resource(state: &mut State, request: &Request, version: &str, tweaks: Tweaks) -> Reply {
    let rest = request.path.trim_start_matches("/services/data/").strip_prefix(version).unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    if parts == ["composite"] {
        return composite::answer(state, request, version, &tweaks);
    }
    if let ["jobs", "query", rest @ ..] = parts.as_slice() {
        return bulk::answer(state, request, version, rest, &tweaks);
    }
    let reply = match parts.as_slice() {
        [] => index(version),
        ["limits"] => Reply::value(200, &state.quota.limits(state.now)),
        ["limits", "recordCount"] => record_count(state, request),
        ["sobjects"] => describe::global(state, version),
        ["sobjects", object, "describe"] => describe::object(state, request, version, object),
        ["sobjects", object, "deleted"] => replicate::deleted(state, request, object),
        ["sobjects", object, "updated"] => replicate::updated(state, request, object),
        ["query"] | ["queryAll"] if is_read(request) => {
            let Some(soql) = request.parameter("q") else {
                return reply::error(400, "MALFORMED_QUERY", "A query string has to be specified");
            };
            query::first_page(state, &soql, parts == ["queryAll"], version, batch_size(request), tweaks)
        }
        ["query" | "queryAll", locator] if is_read(request) => query::next_page(state, locator, tweaks),
        ["query" | "queryAll"] | ["query" | "queryAll", _] => Reply::default(),
        _ => return reply::not_found(),
    };
    if is_read(request) {
        return reply;
    }
    let message = format!("HTTP Method '{}' not allowed. Allowed are GET,HEAD", request.method);
    reply::error(405, "METHOD_NOT_ALLOWED", &message)
}

fn is_read(request: &Request) -> bool {
    request.method == "GET" || request.method == "HEAD"
}

fn index(version: &str) -> Reply {
    let url = |name: &str| format!("/services/data/{version}/{name}");
    let names = ["composite", "jobs", "limits", "query", "queryAll", "sobjects"];
    Reply::value(200, &names.iter().map(|name| ((*name).to_owned(), serde_json::json!(url(name)))).collect())
}

/// The batch size asked for in `Sforce-Query-Options`.
fn batch_size(request: &Request) -> Option<usize> {
    request
        .header("sforce-query-options")?
        .split(',')
        .find_map(|option| option.trim().strip_prefix("batchSize=")?.trim().parse().ok())
}

fn record_count(state: &State, request: &Request) -> Reply {
    let moment = state.moment();
    let names = request.parameter("sObjects").unwrap_or_default();
    let counts: Vec<serde_json::Value> = state
        .store
        .tables
        .iter()
        .filter(|table| names.is_empty() || names.split(',').any(|name| name.trim().eq_ignore_ascii_case(table.name)))
        .filter_map(|table| {
            let soql = format!("SELECT COUNT() FROM {}", table.name);
            let plan = crate::salesforce::soql::bind::bind(&state.store, &soql, false, &moment).ok()?;
            let count = crate::salesforce::soql::select::count(&state.store, &plan, &moment);
            Some(serde_json::json!({"count": count, "name": table.name}))
        })
        .collect();
    Reply::value(200, &serde_json::json!({ "sObjects": counts }))
}
