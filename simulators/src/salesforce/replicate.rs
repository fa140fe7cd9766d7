//! The logs of what was deleted and what was updated.

use serde_json::{Value, json};

use crate::salesforce::id;
use crate::salesforce::instant::{self, DAY};
use crate::salesforce::reply;
use crate::salesforce::soql::bind;
use crate::salesforce::soql::select;
use crate::salesforce::state::State;
use crate::wire::Reply;
use crate::wire::Request;

/// `GET …/sobjects/X/deleted/?start=&end=`.
pub(crate) fn deleted(state: &State, request: &Request, name: &str) -> Reply {
    let Some(index) = state.store.find(name) else { return reply::not_found() };
    let (start, end) = match range(state, request, 15) {
        Ok(range) => range,
        Err(reply) => return reply,
    };
    let table = &state.store.tables[index];
    let earliest = table.log_start.max(state.now - 15 * DAY);
    if start < table.log_start {
        let message = format!("startDate before org replication enabled date: {}", instant::datetime(table.log_start));
        return reply::error(400, "INVALID_REPLICATION_DATE", &message);
    }
    let records: Vec<Value> = table
        .deletions
        .iter()
        .filter(|deletion| deletion.at >= start && deletion.at < end && deletion.at >= earliest)
        .filter(|deletion| !table.unshared.contains(&deletion.serial))
        .map(|deletion| {
            json!({"id": id::full(table.prefix, deletion.serial), "deletedDate": instant::datetime(deletion.at)})
        })
        .collect();
    if records.len() > state.options.replication_cap {
        return too_many();
    }
    Reply::value(
        200,
        &json!({
            "deletedRecords": records,
            "earliestDateAvailable": instant::datetime(earliest),
            "latestDateCovered": instant::datetime(covered(state, index, end)),
        }),
    )
}

/// `GET …/sobjects/X/updated/?start=&end=`.
pub(crate) fn updated(state: &State, request: &Request, name: &str) -> Reply {
    let Some(index) = state.store.find(name) else { return reply::not_found() };
    let (start, end) = match range(state, request, 30) {
        Ok(range) => range,
        Err(reply) => return reply,
    };
    let table = &state.store.tables[index];
    let moment = state.moment();
    let (from, until) = (bind::literal(start), bind::literal(end));
    let soql = format!("SELECT Id FROM {name} WHERE SystemModstamp >= {from} AND SystemModstamp < {until} ORDER BY Id");
    let plan = match bind::bind(&state.store, &soql, false, &moment) {
        Ok(plan) => plan,
        Err(complaint) => return reply::error(400, complaint.code, &complaint.message),
    };
    let rows = select::select(&state.store, &plan, &moment, 0);
    if rows.len() > state.options.replication_cap as u64 {
        return too_many();
    }
    let ids: Vec<String> = (0..rows.len()).filter_map(|place| Some(id::full(table.prefix, rows.get(place)?))).collect();
    Reply::value(200, &json!({"ids": ids, "latestDateCovered": instant::datetime(covered(state, index, end))}))
}

fn too_many() -> Reply {
    reply::error(400, "EXCEEDED_ID_LIMIT", "too many ids in the date range; use a smaller one")
}

/// Up to where the log is complete: not past what has begun but cannot be seen yet.
fn covered(state: &State, table: usize, end: i64) -> i64 {
    let pending = state.pending.iter().filter(|pending| pending.table == table).map(|pending| pending.stamp).min();
    let complete = end.min(state.now - state.now.rem_euclid(60));
    pending.map_or(complete, |stamp| complete.min(stamp - stamp.rem_euclid(60)))
}

/// The range asked for, in whole minutes.
fn range(state: &State, request: &Request, days: i64) -> Result<(i64, i64), Reply> {
    let read = |name: &str| -> Result<i64, Reply> {
        let text = request.parameter(name).unwrap_or_default();
        let secs = instant::parse_datetime(&text).ok_or_else(|| {
            reply::error(400, "INVALID_FIELD", &format!("{name} is not a valid date and time: {text}"))
        })?;
        Ok(secs - secs.rem_euclid(60))
    };
    let (start, end) = (read("start")?, read("end")?);
    if end - start < 60 {
        return Err(reply::error(
            400,
            "INVALID_REPLICATION_DATE",
            "startDate must be more than one minute before endDate",
        ));
    }
    if start < state.now - days * DAY - 60 {
        let message = format!("startDate cannot be more than {days} days ago");
        return Err(reply::error(400, "INVALID_REPLICATION_DATE", &message));
    }
    Ok((start, end))
}
