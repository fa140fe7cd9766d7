//! Pages of records: by number up to 2,000 records, by token up to 100,000.
//!
//! A token remembers the record that its page begins after, and reads on from there in what the module is then: a record
//! whose stamp moves meanwhile moves, too.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::chance::secret;
use crate::instant::DAY;
use crate::wire::Reply;
use crate::wire::request::form;
use crate::zoho::field::Column;
use crate::zoho::look;
use crate::zoho::records::{Sort, View, When};
use crate::zoho::refusal::{Answer, Refusal, ambiguous, invalid_data, limit, missing, require};
use crate::zoho::render::{self, Form};
use crate::zoho::time;
use crate::zoho::value::Value;
use crate::zoho::visit::Visit;

/// How many fields can be asked for.
const MOST_FIELDS: usize = 50;
/// How many records pages reach by number, and how many by token.
const BY_NUMBER: u64 = 2_000;
const BY_TOKEN: u64 = 100_000;
/// How many records a page has, unless fewer are asked for.
const PAGE: u64 = 200;
/// How many ids can be asked for.
const MOST_IDS: usize = 100;

/// Where a page begins that a token was given for.
#[derive(Debug, Clone)]
struct Token {
    user: u64,
    /// All that must not change: path, parameters, header.
    bound: String,
    after: Option<(i64, u64)>,
    page: u64,
    /// How many records came before.
    sent: u64,
    until: i64,
    previous: Option<String>,
}

/// The tokens that were given.
#[derive(Debug, Default)]
pub(crate) struct PageTokens(BTreeMap<String, Token>);

impl PageTokens {
    /// Forgets them all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// What is asked for.
struct Wanted {
    module: usize,
    sort: Sort,
    descending: bool,
    since: Option<i64>,
    /// Fields that must hold a truth.
    flags: Vec<(u16, bool)>,
}

/// The places of the fields in `fields`, which must be there.
pub(crate) fn columns(visit: &Visit<'_>, module: usize, most: Option<usize>) -> Answer<Vec<usize>> {
    let names = visit.parameter("fields").filter(|names| !names.is_empty());
    let names = require(names, || missing("fields"))?;
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if let Some(most) = most.filter(|&most| names.len() > most) {
        return Err(limit("fields", most as u64));
    }
    let target = &visit.state.modules[module];
    let mut places = Vec::new();
    for name in names {
        let place = target.columns.iter().position(|column| column.name() == name && visit.sees(column));
        match place {
            Some(place) if !places.contains(&place) => places.push(place),
            None if visit.state.options.hypotheses.unknown_field_refused => return Err(invalid_data("fields")),
            _ => {}
        }
    }
    Ok(places)
}

/// Which records count unless asked otherwise: approved ones that are not converted.
fn flags(visit: &Visit<'_>, module: usize) -> Answer<Vec<(u16, bool)>> {
    let mut flags = Vec::new();
    for (parameter, field, default) in [("converted", "Converted__s", false), ("approved", "$approved", true)] {
        let wanted = match visit.parameter(parameter).as_deref() {
            None => Some(default),
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some("both") => None,
            Some(_) => return Err(invalid_data(parameter)),
        };
        let column = visit.state.modules[module].column(field);
        if let Some((column, wanted)) = column.zip(wanted) {
            flags.push((column.slot, wanted));
        }
    }
    Ok(flags)
}

fn belongs(visit: &Visit<'_>, wanted: &Wanted, view: &View<'_>) -> bool {
    let module = &visit.state.modules[wanted.module];
    let holds = |(slot, truth): &(u16, bool)| {
        let Some(column) = module.columns.iter().find(|column| column.slot == *slot) else { return true };
        // Nothing written: approved, and not converted.
        let usual = column.name() == "$approved";
        let value = look::value(visit.state, wanted.module, view, column);
        *truth == if let Value::Bool(is_true) = value { is_true } else { usual }
    };
    wanted.since.is_none_or(|since| view.modified() >= since)
        && visit.sees_record(module, view)
        && wanted.flags.iter().all(holds)
}

/// `GET /{module}`.
pub(crate) fn records(visit: &mut Visit<'_>, name: &str) -> Answer<Reply> {
    let module = visit.readable(name)?;
    let places = columns(visit, module, Some(MOST_FIELDS))?;
    if let Some(ids) = visit.parameter("ids") {
        return by_ids(visit, module, &places, &ids);
    }
    let since = visit.since()?.filter(|_| visit.state.modules[module].is_stamped());
    let sort = visit.parameter("sort_by");
    if visit.parameter("cvid").is_some() && sort.is_some() {
        return Err(ambiguous("cvid", "sort_by"));
    }
    let sort = require(sort.map_or(Some(Sort::Id), |name| Sort::of(&name)), || invalid_data("sort_by"))?;
    let descending = match visit.parameter("sort_order").as_deref() {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(_) => return Err(invalid_data("sort_order")),
    };
    let wanted = Wanted { module, sort, descending, since, flags: flags(visit, module)? };
    let per_page = visit.whole("per_page", PAGE, PAGE)?;
    let bound = bound(visit);
    let token = visit.parameter("page_token");
    let start = match &token {
        Some(_) if visit.parameter("page").is_some() => return Err(ambiguous("page", "page_token")),
        Some(token) => known(visit, token, &bound)?,
        None => {
            let page = visit.whole("page", 1, u64::MAX)?;
            if page.saturating_mul(per_page) > BY_NUMBER {
                let message = "You can only get the first 2000 records without using page_token param";
                let refusal = Refusal::new(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", message);
                return Err(refusal.with(json!({ "limit": BY_NUMBER })));
            }
            let sent = (page - 1) * per_page;
            Token { user: 0, bound: String::new(), after: None, page, sent, until: 0, previous: None }
        }
    };
    let skip = if token.is_some() { 0 } else { start.sent };
    let shown = visit.short.map_or(per_page, |short| short.min(per_page));
    let (mut numbers, more) = page(visit, &wanted, start.after, skip, shown);
    if numbers.is_empty() {
        return Ok(Reply::empty(if wanted.since.is_some() { 304 } else { 204 }));
    }
    let last = numbers[numbers.len() - 1];
    let next = more.then(|| {
        let sent = start.sent + numbers.len() as u64;
        give(visit, &wanted, &bound, last, (start.page + 1, sent), token.clone())
    });
    numbers.truncate(numbers.len().saturating_sub(visit.lose));
    let mut body = String::from("{\"data\":[");
    append(visit, module, &numbers, &places, Form::List, &mut body);
    let until = next.as_ref().map(|_| time::stamp(visit.state.now + DAY, visit.state.options.zone_secs));
    let info = json!({
        "call": false, "per_page": per_page, "next_page_token": next, "count": numbers.len(), "sort_by": sort.name(),
        "page": start.page, "previous_page_token": start.previous.filter(|_| more), "page_token_expiry": until,
        "sort_order": if descending { "desc" } else { "asc" }, "email": false, "more_records": more,
    });
    body.push_str(&format!("],\"info\":{info}}}"));
    visit.rows = numbers.len() as u64;
    Ok(Reply::json(200, body))
}

/// Appends records, with commas between them.
pub(crate) fn append(
    visit: &Visit<'_>,
    module: usize,
    numbers: &[u64],
    places: &[usize],
    form: Form,
    body: &mut String,
) {
    let state = &*visit.state;
    let target = &state.modules[module];
    let shown: Vec<&Column> = places.iter().filter_map(|&place| target.columns.get(place)).collect();
    let views = numbers.iter().filter_map(|&number| target.records.view(number, When::Now));
    for (nth, view) in views.enumerate() {
        if nth > 0 {
            body.push(',');
        }
        render::record(state, module, &view, &shown, form, body);
    }
}

/// The numbers of a page, and whether more follow.
fn page(visit: &mut Visit<'_>, wanted: &Wanted, after: Option<(i64, u64)>, skip: u64, most: u64) -> (Vec<u64>, bool) {
    let ordered = visit.state.modules[wanted.module].records.ordered(wanted.sort);
    let visit = &*visit;
    let records = &visit.state.modules[wanted.module].records;
    let is_shown = |number: &u64| records.view(*number, When::Now).is_some_and(|view| belongs(visit, wanted, &view));
    let end = match (after, wanted.descending) {
        (None, true) => ordered.len(),
        (None, false) => 0,
        (Some(key), true) => ordered.partition_point(|known| *known < key),
        (Some(key), false) => ordered.partition_point(|known| *known <= key),
    };
    let numbers: Box<dyn Iterator<Item = u64>> = if wanted.descending {
        Box::new(ordered[..end].iter().rev().map(|(_, number)| *number))
    } else {
        Box::new(ordered[end..].iter().map(|(_, number)| *number))
    };
    let mut found: Vec<u64> = numbers.filter(is_shown).skip(skip as usize).take(most as usize + 1).collect();
    let more = found.len() as u64 > most;
    found.truncate(most as usize);
    (found, more)
}

/// What a token is bound to.
fn bound(visit: &Visit<'_>) -> String {
    let mut parameters = form(visit.request.query.as_deref().unwrap_or_default());
    parameters.retain(|(name, _)| name != "page" && name != "page_token");
    parameters.sort();
    let since = visit.request.header("if-modified-since").unwrap_or_default();
    format!("{}?{parameters:?}{since}", visit.request.path)
}

/// The page that a token was given for.
fn known(visit: &Visit<'_>, token: &str, bound: &str) -> Answer<Token> {
    let state = &*visit.state;
    let known = state.pages.0.get(token).filter(|known| known.user == visit.caller.user);
    let known = require(known, || invalid_data("page_token"))?;
    if known.bound != bound {
        let message = "The page_token given seems to be invalid or input param is added or altered or deleted";
        let refusal = Refusal::new(400, "TOKEN_BOUND_DATA_MISMATCH", message);
        return Err(refusal.with(json!({"param_name": "page_token"})));
    }
    if known.until <= state.now {
        let refusal = Refusal::new(400, "EXPIRED_VALUE", "The page_token given is expired");
        return Err(refusal.with(json!({"param_name": "page_token"})));
    }
    if known.sent >= BY_TOKEN {
        let message = "You can only get the first 100000 records using page_token param";
        let refusal = Refusal::new(400, "PAGINATION_LIMIT_EXCEEDED", message);
        return Err(refusal.with(json!({ "limit": BY_TOKEN })));
    }
    Ok(known.clone())
}

/// A token for the page after that record.
fn give(
    visit: &mut Visit<'_>,
    wanted: &Wanted,
    bound: &str,
    last: u64,
    (page, sent): (u64, u64),
    previous: Option<String>,
) -> String {
    let records = &visit.state.modules[wanted.module].records;
    let key = records.view(last, When::Now).map_or((0, last), |view| (wanted.sort.key(&view), last));
    let chance = visit.state.next_chance();
    let text = secret(visit.state.options.seed, chance, 48);
    let token = Token {
        user: visit.caller.user,
        bound: bound.to_owned(),
        after: Some(key),
        page,
        sent,
        until: visit.state.now + DAY,
        previous,
    };
    visit.state.pages.0.insert(text.clone(), token);
    text
}

fn by_ids(visit: &mut Visit<'_>, module: usize, places: &[usize], ids: &str) -> Answer<Reply> {
    let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
    if ids.len() > MOST_IDS {
        return Err(limit("ids", MOST_IDS as u64));
    }
    let target = &visit.state.modules[module];
    let is_there = |number: &u64| {
        let view = target.records.view(*number, When::Now);
        view.is_some_and(|view| visit.sees_record(target, &view))
    };
    let mut numbers: Vec<u64> =
        ids.iter().filter_map(|id| visit.state.number_in(module, id)).filter(is_there).collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers.dedup();
    if numbers.is_empty() {
        return Ok(Reply::empty(204));
    }
    let count = numbers.len();
    numbers.truncate(count.saturating_sub(visit.lose));
    let mut body = String::from("{\"data\":[");
    append(visit, module, &numbers, places, Form::List, &mut body);
    let info: Json = json!({"call": false, "per_page": PAGE, "count": numbers.len(), "page": 1, "email": false, "more_records": false});
    body.push_str(&format!("],\"info\":{info}}}"));
    visit.rows = numbers.len() as u64;
    Ok(Reply::json(200, body))
}

/// `GET /{module}/actions/count`.
pub(crate) fn count(visit: &mut Visit<'_>, name: &str) -> Answer<Reply> {
    let module = visit.readable(name)?;
    let wanted = Wanted { module, sort: Sort::Id, descending: false, since: None, flags: flags(visit, module)? };
    let ordered = visit.state.modules[module].records.ordered(Sort::Id);
    let visit = &*visit;
    let records = &visit.state.modules[module].records;
    let is_shown = |number: u64| records.view(number, When::Now).is_some_and(|view| belongs(visit, &wanted, &view));
    let count = ordered.iter().filter(|(_, number)| is_shown(*number)).count();
    Ok(Reply::value(200, &json!({ "count": count })))
}
