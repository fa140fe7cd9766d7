//! How a job is asked for.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::job::{Job, Order, State};
use crate::chance::mix;
use crate::wire::Reply;
use crate::zoho::field::{Column, FieldType};
use crate::zoho::filter::{self, Filter, NoPath, Op, Path, Test};
use crate::zoho::module::Access;
use crate::zoho::people::brief;
use crate::zoho::refusal::{Answer, Refusal, require};
use crate::zoho::visit::Visit;
use crate::zoho::{id, time};

const CONDITIONS: usize = 25;
/// Modules that no job reads.
const REFUSED: [&str; 3] = ["Notes", "Attachments", "Emails"];

fn refused(code: &str, details: Json) -> Refusal {
    Refusal::new(400, code, "the bulk read query seems to be invalid").with(details)
}

/// `POST /crm/bulk/v8/read`.
pub(crate) fn create(visit: &mut Visit<'_>) -> Answer<Reply> {
    if visit.request.header("content-type").is_some_and(|kind| !kind.starts_with("application/json")) {
        return Err(Refusal::new(415, "MEDIA_TYPE_NOT_SUPPORTED", "the media type is not supported"));
    }
    if visit.request.body.is_empty() {
        return Err(refused("REQUEST_BODY_IS_EMPTY", json!({})));
    }
    let body: Json =
        serde_json::from_slice(&visit.request.body).map_err(|_| refused("REQUEST_BODY_NOT_READABLE", json!({})))?;
    let query = require(body.get("query"), || refused("INVALID_BULK_OPERATION", json!({})))?;
    let (order, after, page, skip) = match query.get("page_token").and_then(Json::as_str) {
        Some(token) => {
            let known = visit.state.jobs.tokens.get(token).filter(|(.., until)| *until > visit.state.now);
            let known = require(known, || refused("INVALID_DATA", json!({"param_name": "page_token"})))?;
            (known.0.clone(), known.1, known.2, 0)
        }
        None => {
            let page = query.get("page").and_then(Json::as_u64).unwrap_or(1).max(1);
            let bulk = visit.state.options.bulk;
            if page > bulk.last_page {
                return Err(refused("PAGE_RANGE_EXCEEDED", json!({"max_limit": bulk.last_page})));
            }
            (Arc::new(order(visit, query)?), 0, page, (page - 1) * bulk.page_rows)
        }
    };
    let state = &mut *visit.state;
    state.jobs.made += 1;
    let number = state.jobs.made;
    let job = Job {
        number,
        order,
        user: visit.caller.user,
        page,
        after,
        skip,
        state: State::Added,
        created: state.now,
        changed: state.now,
        polls: 0,
        is_doomed: visit.job_fails || state.options.bulk.failing_job == Some(number),
        sticks: visit.job_sticks,
        moment: state.changes,
        numbers: Vec::new(),
        next: None,
    };
    state.jobs.jobs.insert(number, job);
    let details = json!({
        "id": id::full(state.prefix, id::JOBS, number).to_string(), "operation": "read", "state": "ADDED",
        "created_by": brief(state, visit.caller.user), "created_time": time::stamp(state.now, state.options.zone_secs),
    });
    let entry = json!({"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.", "details": details});
    Ok(Reply::value(201, &json!({"data": [entry], "info": {}})))
}

fn order(visit: &mut Visit<'_>, query: &Json) -> Answer<Order> {
    let name = query.pointer("/module/api_name").and_then(Json::as_str);
    let name = require(name, || refused("MODULE_NOT_AVAILABLE", json!({})))?;
    let place = require(visit.state.find(name), || refused("MODULE_NOT_AVAILABLE", json!({"module": name})))?;
    if REFUSED.contains(&name) || visit.state.modules[place].access == Access::Unsupported {
        return Err(refused("MODULE_NOT_SUPPORTED", json!({"module": name})));
    }
    if query.get("cvid").is_some() {
        return Err(refused("CVID_NOT_SUPPORTED", json!({})));
    }
    let module = visit.readable(name)?;
    let names: Vec<String> = match query.get("fields").and_then(Json::as_array) {
        Some(names) => names.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        None => {
            let columns = visit.state.modules[module].columns.iter();
            let shown = columns.filter(|column| is_supported(column) && visit.sees(column));
            shown.map(|column| column.name().to_owned()).collect()
        }
    };
    let mut columns = Vec::new();
    for name in names.iter().filter(|name| !["id", "Id"].contains(&name.as_str())) {
        columns.push((name.clone(), path(visit, module, name, "FIELD_NOT_AVAILABLE")?));
    }
    if visit.state.options.bulk.columns_shuffled {
        let (seed, count) = (visit.state.options.seed, columns.len() as u64);
        columns.sort_by_key(|(name, _)| mix(seed, name.len() as u64 * 31 + u64::from(name.as_bytes()[0]), count));
    }
    columns.insert(0, ("Id".to_owned(), path(visit, module, "id", "FIELD_NOT_AVAILABLE")?));
    let filter = match query.get("criteria").filter(|criteria| !criteria.is_null()) {
        Some(written) => criteria(visit, module, written)?,
        None => Filter::All,
    };
    if filter.len() > CONDITIONS {
        return Err(refused("CRITERIA_LIMIT_EXCEEDED", json!({"max_limit": CONDITIONS})));
    }
    Ok(Order { module, is_admin: visit.caller.is_admin, columns, filter, query: query.clone() })
}

fn is_supported(column: &Column) -> bool {
    !column.kind().is_rows() && column.kind() != FieldType::Raw && !column.name().starts_with('$')
}

fn path(visit: &Visit<'_>, module: usize, name: &str, missing: &str) -> Answer<Path> {
    let path = Path::read(visit.state, module, name, |column| visit.sees(column)).map_err(|problem| {
        let code = if problem == NoPath::TooDeep { "JOIN_LIMIT_EXCEEDED" } else { missing };
        refused(code, json!({"api_name": name}))
    })?;
    match path.column(visit.state) {
        Some(column) if is_supported(column) => Ok(path),
        _ => Err(refused("FIELD_NOT_SUPPORTED", json!({"api_name": name}))),
    }
}

fn criteria(visit: &Visit<'_>, module: usize, written: &Json) -> Answer<Filter> {
    let invalid = || refused("INVALID_CRITERIA", json!({}));
    if let Some(group) = written.get("group").and_then(Json::as_array) {
        let parts = group.iter().map(|part| criteria(visit, module, part)).collect::<Answer<Vec<_>>>()?;
        let operator = written.get("group_operator").and_then(Json::as_str).unwrap_or_default();
        return match operator.to_lowercase().as_str() {
            "and" => Ok(Filter::And(parts)),
            "or" => Ok(Filter::Or(parts)),
            _ => Err(invalid()),
        };
    }
    let name = require(written.pointer("/field/api_name").and_then(Json::as_str), invalid)?;
    let comparator = require(written.get("comparator").and_then(Json::as_str), invalid)?;
    let path = path(visit, module, name, "FIELD_IN_CRITERIA_NOT_AVAILABLE")?;
    let given = written.get("value").cloned().unwrap_or(Json::Null);
    let (negated, comparator) = match comparator.strip_prefix("not_") {
        Some(comparator) => (true, comparator),
        None => (false, comparator),
    };
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let items = match &given {
        Json::Array(items) => items.iter().map(text).collect(),
        other => vec![text(other)],
    };
    if items.len() > 100 {
        return Err(refused("VALUE_LIMIT_EXCEEDED_IN_CRITERIA", json!({"max_limit": 100})));
    }
    let (op, items) = match comparator {
        "equal" if given == "${EMPTY}" || given.is_null() => (Op::Null, Vec::new()),
        "equal" => (Op::Equal, items),
        "in" => (Op::In, items),
        "less_than" => (Op::Less, items),
        "less_equal" => (Op::LessEqual, items),
        "greater_than" => (Op::Greater, items),
        "greater_equal" => (Op::GreaterEqual, items),
        "between" if items.len() == 2 => (Op::Between, items),
        "contains" => (Op::Like, items.iter().map(|item| format!("%{item}%")).collect()),
        "starts_with" => (Op::Like, items.iter().map(|item| format!("{item}%")).collect()),
        "ends_with" => (Op::Like, items.iter().map(|item| format!("%{item}")).collect()),
        _ => return Err(invalid()),
    };
    let column = require(path.column(visit.state), invalid)?;
    let values =
        items.iter().map(|item| require(filter::literal(column, item), invalid)).collect::<Answer<Vec<_>>>()?;
    Ok(Filter::Test(Test { path, op, negated, values }))
}
