//! Which call is answered by whom, and what stands before all of them.

use serde_json::Value as Json;

use crate::chance::secret;
use crate::kintone::fault::{self, FaultKind, Strikes};
use crate::kintone::options::Language;
use crate::kintone::params::{LONGEST_URL, Params};
use crate::kintone::refusal::{Answer, Refusal, illegal_request, no_privilege, too_many_at_once};
use crate::kintone::state::State;
use crate::kintone::visit::Visit;
use crate::kintone::{acl, auth, bulk, comments, cursor, deploy, files, oauth, process, read, settings, write};
use crate::wire::{Delivery, Reply, Request};

/// Answers a request that is not for the simulator itself; `running` requests run right now.
pub(crate) fn answer(state: &mut State, request: &Request, strikes: &Strikes, running: u64) -> Reply {
    if let Some(reply) = strikes.kinds.iter().find_map(fault::edge) {
        return reply;
    }
    if request.uri_bytes() > LONGEST_URL {
        return Reply::html(414, "414 Request-URI Too Large");
    }
    if let Some(reply) = auth::gate(state, request) {
        return reply;
    }
    match request.path.as_str() {
        "/oauth2/authorization" => return oauth::authorize(state, request),
        "/oauth2/token" => return oauth::token(state, request),
        _ => {}
    }
    if strikes.kinds.contains(&FaultKind::Expired) {
        state.auth.sessions.clear();
    }
    let language = language(state, request);
    let chance = state.next_chance();
    let error_id = secret(state.options.seed, chance, 20);
    let limit = state.options.concurrency;
    let refusal = strikes.kinds.iter().find_map(fault::refusal);
    let result = match refusal {
        Some(refusal) => Err(refusal),
        None if running > limit => Err(too_many_at_once()),
        None => call(state, request, strikes, (language, chance, &error_id)),
    };
    let is_busy = |refusal: &Refusal| refusal.status == 429 && refusal.code == "GAIA_TO04";
    let mut reply = match result {
        Ok(reply) => measured(reply, limit, running),
        Err(refusal) if is_busy(&refusal) => {
            let reply = measured(refusal.reply(language, &error_id), limit, running.max(limit + 1));
            match state.options.hypotheses.retry_after_secs {
                Some(secs) => reply.with("Retry-After", secs.to_string()),
                None => reply,
            }
        }
        Err(refusal) => refusal.reply(language, &error_id),
    };
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

fn measured(reply: Reply, limit: u64, running: u64) -> Reply {
    reply.with("X-ConcurrencyLimit-Limit", limit.to_string()).with("X-ConcurrencyLimit-Running", running.to_string())
}

/// The language of messages: the best that the caller names, or the domain's.
fn language(state: &State, request: &Request) -> Language {
    let accepted = request.header("accept-language").unwrap_or_default();
    let weighed = accepted.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let language = match parts.next()?.get(..2)?.to_ascii_lowercase().as_str() {
            "ja" => Language::Ja,
            "en" => Language::En,
            _ => return None,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
        Some((quality.to_owned(), language))
    });
    // Among equals the first wins; qualities compare as texts, since all begin with 0 or 1.
    let best = weighed.fold(None, |best: Option<(String, Language)>, (quality, language)| match &best {
        Some((most, _)) if *most >= quality => best,
        _ => Some((quality, language)),
    });
    best.map_or(state.options.hypotheses.default_language, |(_, language)| language)
}

/// The guest space in a path, whether it is about settings in preparation, and the API.
fn parse(path: &str) -> Option<(Option<u64>, bool, &str)> {
    let rest = path.strip_prefix("/k/")?;
    let (space, rest) = match rest.strip_prefix("guest/") {
        Some(rest) => {
            let (space, rest) = rest.split_once('/')?;
            (Some(space.parse().ok()?), rest)
        }
        None => (None, rest),
    };
    let api = rest.strip_prefix("v1/")?;
    match api.strip_prefix("preview/") {
        Some(api) => Some((space, true, api)),
        None => Some((space, false, api)),
    }
}

fn call(
    state: &mut State,
    request: &Request,
    strikes: &Strikes,
    (language, chance, error_id): (Language, u64, &str),
) -> Answer<Reply> {
    let Some((space, is_preview, api)) = parse(&request.path) else {
        return Ok(Reply::html(404, "404 Not Found"));
    };
    if state.options.hypotheses.light_course {
        return Err(no_privilege());
    }
    let caller = auth::caller(state, request)?;
    let params = Params::read(request)?;
    let method = match request.header("x-http-method-override") {
        Some(wanted @ ("GET" | "PUT" | "DELETE")) if request.method == "POST" => wanted,
        Some(_) => return Err(illegal_request()),
        None => request.method.as_str(),
    };
    let page_of = is_page(method, api).then(|| params.id("app").unwrap_or(0));
    let last = page_of.and_then(|app| state.last_pages.get(&app));
    if let Some((body, rows)) = last.filter(|_| strikes.kinds.contains(&FaultKind::Repeat)) {
        return Ok(Reply { rows: *rows, ..Reply::json(200, body.clone()) });
    }
    let lost = |kind: &FaultKind| match kind {
        FaultKind::Lose(records) | FaultKind::Warning(records) => Some(*records),
        _ => None,
    };
    let mut visit = Visit {
        state,
        caller,
        space,
        language,
        is_preview,
        chance,
        lose: strikes.kinds.iter().find_map(lost).unwrap_or(0),
        warning: strikes.kinds.iter().any(|kind| matches!(kind, FaultKind::Warning(_))),
        rows: 0,
        is_part: false,
    };
    let mut reply = dispatch(&mut visit, request, method, api, &params, error_id)?;
    reply.rows = visit.rows;
    if let Some(app) = page_of {
        state.last_pages.insert(app, (reply.body.clone(), reply.rows));
    }
    Ok(reply)
}

fn is_page(method: &str, api: &str) -> bool {
    method == "GET" && matches!(api, "records.json" | "records/cursor.json")
}

type Handler = fn(&mut Visit<'_>, &Params) -> Answer<Json>;

fn dispatch(
    visit: &mut Visit<'_>,
    request: &Request,
    method: &str,
    api: &str,
    params: &Params,
    error_id: &str,
) -> Answer<Reply> {
    if visit.is_preview {
        let handler: Handler = match (method, api) {
            ("POST", "app.json") => deploy::create,
            ("GET", "app/form/fields.json") => settings::fields,
            ("POST", "app/form/fields.json") => deploy::add_fields,
            ("PUT", "app/form/fields.json") => deploy::change_fields,
            ("DELETE", "app/form/fields.json") => deploy::remove_fields,
            ("GET", "app/form/layout.json") => settings::layout,
            ("GET", "app/status.json") => settings::status,
            ("GET", "app/settings.json") => settings::general,
            ("GET", "app/views.json") => settings::views,
            ("POST", "app/deploy.json") => deploy::deploy,
            ("GET", "app/deploy.json") => deploy::status,
            _ => return Ok(Reply::html(404, "404 Not Found")),
        };
        return handler(visit, params).map(|body| Reply::value(200, &body));
    }
    let handler: Handler = match (method, api) {
        ("GET", "record.json") => return read::one(visit, params),
        ("GET", "records.json") => return read::many(visit, params),
        ("POST", "records/cursor.json") => return cursor::create(visit, params),
        ("GET", "records/cursor.json") => return cursor::next(visit, params),
        ("DELETE", "records/cursor.json") => return cursor::delete(visit, params),
        ("GET", "file.json") => return files::download(visit, params),
        ("POST", "file.json") => return files::upload(visit, request),
        ("POST", "bulkRequest.json") => return bulk::answer(visit, params, error_id),
        ("POST", "record.json") => write::add_one,
        ("POST", "records.json") => write::add_many,
        ("PUT", "record.json") => write::change_one,
        ("PUT", "records.json") => write::change_many,
        ("DELETE", "records.json") => write::delete_many,
        ("PUT", "record/status.json") => process::act,
        ("GET", "record/comments.json") => comments::list,
        ("POST", "record/comment.json") => comments::post,
        ("DELETE", "record/comment.json") => comments::delete,
        ("GET", "records/acl/evaluate.json") => acl::evaluate,
        ("GET", "app.json") => settings::app,
        ("GET", "apps.json") => settings::apps,
        ("GET", "apps/statistics.json") => settings::statistics,
        ("GET", "app/form/fields.json") => settings::fields,
        ("GET", "app/form/layout.json") => settings::layout,
        ("GET", "app/status.json") => settings::status,
        ("GET", "app/settings.json") => settings::general,
        ("GET", "app/views.json") => settings::views,
        _ => return Ok(Reply::html(404, "404 Not Found")),
    };
    handler(visit, params).map(|body| Reply::value(200, &body))
}
