//! Which call is answered by whom, and what stands before all of them.

use serde_json::{Value as Json, json};

use crate::hubspot::fault::{self, FaultKind, Strikes};
use crate::hubspot::params::Params;
use crate::hubspot::refusal::{Answer, Refusal, not_found};
use crate::hubspot::state::State;
use crate::hubspot::visit::{Tricks, Visit};
use crate::hubspot::{associations, auth, batch, describe, limits, list, oauth, owners, search, write};
use crate::wire::{Delivery, Reply, Request};

/// The dated versions that are served.
const DATES: [&str; 2] = ["2026-09", "2026-03"];

/// A path, whatever its version: what it is about, whether its version is a date, and what follows.
struct Path<'a> {
    area: &'static str,
    is_dated: bool,
    version: &'a str,
    rest: Vec<&'a str>,
}

/// The areas as the dated paths begin, and the old ones with their versions.
const AREAS: [(&str, &[&str], &[&str]); 7] = [
    ("objects", &["crm", "objects"], &["crm/v3/objects", "crm/v4/objects"]),
    ("properties", &["crm", "properties"], &["crm/v3/properties"]),
    ("pipelines", &["crm", "pipelines"], &["crm/v3/pipelines"]),
    ("owners", &["crm", "owners"], &["crm/v3/owners"]),
    ("schemas", &["crm-object-schemas"], &["crm-object-schemas/v3", "crm/v3"]),
    ("associations", &["crm", "associations"], &["crm/v4/associations"]),
    ("account", &["account-info"], &["account-info/v3"]),
];

fn parse(path: &str) -> Option<Path<'_>> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    for (area, dated, legacy) in AREAS {
        if parts.starts_with(dated) && parts.get(dated.len()).is_some_and(|version| DATES.contains(version)) {
            let rest = parts[dated.len() + 1..].to_vec();
            return Some(Path { area, is_dated: true, version: parts[dated.len()], rest });
        }
        for old in legacy {
            let old: Vec<&str> = old.split('/').collect();
            let follows = parts.get(old.len()).copied();
            if parts.starts_with(&old) && (area != "schemas" || follows == Some("schemas")) {
                let version = old.iter().find(|part| part.starts_with('v')).copied().unwrap_or_default();
                return Some(Path { area, is_dated: false, version, rest: parts[old.len()..].to_vec() });
            }
        }
    }
    None
}

/// Answers a request that is not for the simulator itself.
pub(crate) fn answer(state: &mut State, request: &Request, strikes: &Strikes) -> Reply {
    if let Some(reply) = strikes.kinds.iter().find_map(fault::edge) {
        return reply;
    }
    if request.uri_bytes() > state.options.longest_url {
        return Reply::html(414, "414 Request-URI Too Large");
    }
    if strikes.kinds.contains(&FaultKind::Expired) {
        let now = state.now;
        let sessions = state.auth.tokens.values_mut().filter(|token| token.is_oauth);
        sessions.for_each(|token| token.expires = Some(now));
    }
    let chance = state.next_chance();
    let correlation = auth::uuid(state.options.seed, 9_000 + chance);
    let result = match strikes.kinds.iter().find_map(|kind| fault::refusal(kind, &state.options, state.now)) {
        Some(refusal) => Err(refusal),
        None => call(state, request, strikes, chance),
    };
    let reply = result.unwrap_or_else(|refusal: Refusal| refusal.reply(&correlation, &state.options));
    let mut reply = reply
        .with("X-HubSpot-Correlation-Id", correlation)
        .with("X-Trace", format!("2B{:030X}", crate::chance::mix(chance, 1, 2)));
    for kind in &strikes.kinds {
        match kind {
            FaultKind::CutChunked(bytes) => reply.delivery = Delivery::CutChunked(*bytes),
            FaultKind::CutLength(bytes) => reply.delivery = Delivery::CutLength(*bytes),
            FaultKind::CutJson(bytes) => reply.body.truncate(*bytes),
            FaultKind::Drop => reply.delivery = Delivery::Reset,
            _ => {}
        }
    }
    reply
}

fn call(state: &mut State, request: &Request, strikes: &Strikes, chance: u64) -> Answer<Reply> {
    if let Some(rest) = request.path.strip_prefix("/oauth/") {
        return authorize(state, request, rest).map(|body| extended(state, 200, body));
    }
    let path = parse(&request.path).ok_or_else(not_found)?;
    let caller = auth::caller(state, request)?;
    let is_search = path.area == "objects" && request.method == "POST" && path.rest.last() == Some(&"search");
    let left = limits::count(state, &caller, is_search)?;
    let is_page = request.method == "GET" || request.path.ends_with("/read") || is_search;
    let last = state.last_pages.get(&request.path).filter(|_| is_page && strikes.kinds.contains(&FaultKind::Repeat));
    let result = match last {
        Some((body, rows)) => Ok(Reply { rows: *rows, ..Reply::json(200, body.clone()) }),
        None => {
            let is_dated = path.is_dated;
            let mut visit = Visit { state, caller, is_dated, chance, tricks: Tricks::of(&strikes.kinds), rows: 0 };
            let result = dispatch(&mut visit, request, &path);
            let rows = visit.rows;
            result.map(|reply| Reply { rows, ..reply })
        }
    };
    // Errors, too, say what is left.
    let options = state.options.clone();
    match result {
        Ok(reply) => {
            if is_page && reply.status < 300 {
                state.last_pages.insert(request.path.clone(), (reply.body.clone(), reply.rows));
            }
            Ok(limits::headed(reply, &left, &options))
        }
        Err(mut refusal) => {
            refusal.headers.extend(limits::headed(Reply::default(), &left, &options).headers);
            Err(refusal)
        }
    }
}

fn authorize(state: &mut State, request: &Request, rest: &str) -> Answer<Json> {
    let parts: Vec<&str> = rest.split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["v1", "token"]) => oauth::token(state, request, true),
        ("POST", [_, "token"]) => oauth::token(state, request, false),
        ("POST", [_, "token", "introspect"]) => oauth::introspect(state, request),
        ("POST", [_, "token", "revoke"]) => oauth::revoke(state, request),
        ("GET", ["v1", "access-tokens", token]) => oauth::access_token(state, token),
        ("GET", ["v1", "refresh-tokens", token]) => oauth::refresh_token(state, token),
        _ => Err(not_found()),
    }
}

/// An answer, with a key that no document knows where those are wanted.
fn extended(state: &State, status: u16, mut body: Json) -> Reply {
    if state.options.extra_keys && body.is_object() {
        body["zzMeta"] = json!({"served": "年輪"});
    }
    Reply::value(status, &body)
}

fn dispatch(visit: &mut Visit<'_>, request: &Request, path: &Path<'_>) -> Answer<Reply> {
    let params = &Params::of(request);
    let method = request.method.as_str();
    if path.area == "objects"
        && let Some(result) = object_reply(visit, request, path, params)
    {
        return result;
    }
    let body = match (path.area, method, path.rest.as_slice()) {
        ("objects", "GET", [name]) => list::list(visit, name, params),
        ("objects", "POST", [name, "search"]) => search::search(visit, name, request),
        ("objects", "GET", [from, id, "associations", to]) => associations::of_one(visit, (from, id, to), params),
        ("objects", "GET", [name, id]) => list::one(visit, name, id, params),
        ("associations", "POST", [from, to, "batch", "read"]) => return associations::batch(visit, from, to, request),
        ("associations", "GET", [from, to, "labels"]) => associations::labels(visit, from, to),
        ("properties", "GET", [name]) => describe::properties(visit, name, params),
        ("properties", "GET", [name, property]) => describe::property(visit, name, property),
        ("pipelines", "GET", [name]) => describe::pipelines(visit, name),
        ("pipelines", "GET", [name, id, rest @ ..]) => describe::pipeline(visit, name, id, rest),
        ("owners", "GET", []) => owners::list(visit, params),
        ("owners", "GET", [id]) => owners::one(visit, id, params),
        ("schemas", "GET", ["schemas"]) => describe::schemas(visit, params),
        ("schemas", "GET", ["schemas", name]) => describe::one_schema(visit, name),
        ("account", "GET", ["details"]) => Ok(describe::account(visit.state)),
        ("account", "GET", ["api-usage", "daily", "private-apps"]) => Ok(describe::usage(visit.state)),
        _ => Err(not_found()),
    };
    body.map(|body| extended(visit.state, 200, body))
}

/// The calls about records that answer with more than a body.
fn object_reply(visit: &mut Visit<'_>, request: &Request, path: &Path<'_>, params: &Params) -> Option<Answer<Reply>> {
    if path.version == "v4" && path.rest.get(2) != Some(&"associations") {
        return Some(Err(not_found()));
    }
    Some(match (request.method.as_str(), path.rest.as_slice()) {
        ("POST", [name, "batch", "read"]) => batch::read(visit, name, request, params),
        ("POST", [name]) => write::create(visit, name, request),
        ("PATCH", [name, id]) => write::change(visit, name, id, request),
        ("DELETE", [name, id]) => write::archive(visit, name, id),
        ("POST", [name, "merge"]) => write::merge(visit, name, request),
        ("POST", [name, "gdpr-delete"]) => write::erase(visit, name, request),
        _ => return None,
    })
}
