//! Changes of rows, with the stamps that the service gives them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::salesforce::catalogue::Origin;
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::number::Decimal;
use crate::salesforce::state::State;
use crate::salesforce::table::{Deletion, Life, Version};
use crate::salesforce::value::Value;
use crate::salesforce::{id, instant, soql};

/// Why a change was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError {
    /// The service's code, such as `REQUIRED_FIELD_MISSING`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl EditError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        EditError { code, message: message.into() }
    }
}

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for EditError {}

/// What a change yields.
pub(crate) type Edited<T> = Result<T, EditError>;

/// Written values by column.
pub(crate) type Written = BTreeMap<u16, Value>;

/// A change that has its stamp but cannot be seen yet.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    /// When it can be seen.
    pub(crate) due: i64,
    pub(crate) table: usize,
    pub(crate) serial: u64,
    /// The stamp it got.
    pub(crate) stamp: i64,
    pub(crate) is_insert: bool,
    pub(crate) values: Written,
}

/// Inserts a row now and returns its id.
pub(crate) fn insert(state: &mut State, object: &str, fields: &Map<String, Json>) -> Edited<String> {
    let table = find(state, object)?;
    let mut fields = fields.clone();
    let mut audit = |name: &str| fields.remove(name).and_then(|value| instant::parse_datetime(value.as_str()?));
    let created = audit("CreatedDate");
    let modified = audit("LastModifiedDate");
    let values = new_row(state, table, &fields)?;
    let serial = state.store.tables[table].next_serial();
    let now = state.now;
    add(state, table, serial, now, values);
    if created.is_some() || modified.is_some() {
        let created = created.unwrap_or(now);
        state.store.tables[table].backdate(serial, created, modified.unwrap_or(created));
    }
    Ok(id::full(state.store.tables[table].prefix, serial))
}

/// Inserts a row that carries the present as its stamps, but is seen only `delay` seconds later.
pub(crate) fn insert_late(state: &mut State, object: &str, fields: &Map<String, Json>, delay: i64) -> Edited<String> {
    let table = find(state, object)?;
    let values = new_row(state, table, fields)?;
    let serial = state.store.tables[table].next_serial();
    let stamp = state.now;
    state.pending.push(Pending { due: stamp + delay, table, serial, stamp, is_insert: true, values });
    state.commit_pending();
    Ok(id::full(state.store.tables[table].prefix, serial))
}

/// Changes fields of a row, as a person would.
pub(crate) fn update(state: &mut State, object: &str, id: &str, fields: &Map<String, Json>) -> Edited<()> {
    let (table, serial) = live(state, object, id)?;
    let values = convert(state, table, fields)?;
    let now = state.now;
    write(state, table, serial, now, values);
    Ok(())
}

/// Changes fields of a row; it has its stamps at once, but is seen only `delay` seconds later.
pub(crate) fn update_late(
    state: &mut State,
    object: &str,
    id: &str,
    fields: &Map<String, Json>,
    delay: i64,
) -> Edited<()> {
    let (table, serial) = live(state, object, id)?;
    let values = convert(state, table, fields)?;
    let stamp = state.now;
    state.pending.push(Pending { due: stamp + delay, table, serial, stamp, is_insert: false, values });
    state.commit_pending();
    Ok(())
}

/// Changes fields without moving any stamp, as values do that the service computes when it is asked.
pub(crate) fn change_silently(state: &mut State, object: &str, id: &str, fields: &Map<String, Json>) -> Edited<()> {
    let (table, serial) = live(state, object, id)?;
    let values = convert(state, table, fields)?;
    revise(state, table, serial, |version| put(version, values));
    Ok(())
}

/// Moves only the row's `SystemModstamp`.
pub(crate) fn system_touch(state: &mut State, object: &str, id: &str) -> Edited<()> {
    let (table, serial) = live(state, object, id)?;
    let now = state.now;
    revise(state, table, serial, |version| version.stamp = now);
    Ok(())
}

/// Changes all live rows that pass `filter` (the part of a query after `WHERE`; empty for all), with one and
/// the same stamp. Returns how many.
pub(crate) fn mass_update(state: &mut State, object: &str, filter: &str, fields: &Map<String, Json>) -> Edited<u64> {
    let table = find(state, object)?;
    let values = convert(state, table, fields)?;
    let name = state.store.tables[table].name;
    let filter = if filter.trim().is_empty() { String::new() } else { format!(" WHERE {filter}") };
    let moment = state.moment();
    let plan = soql::bind::bind(&state.store, &format!("SELECT Id FROM {name}{filter} ORDER BY Id"), false, &moment)
        .map_err(|complaint| EditError::new(complaint.code, complaint.message))?;
    let rows = soql::select::select(&state.store, &plan, &moment, 0);
    let now = state.now;
    for place in 0..rows.len() {
        if let Some(serial) = rows.get(place) {
            write(state, table, serial, now, values.clone());
        }
    }
    Ok(rows.len())
}

/// Moves a row to the recycle bin, and what belongs to it.
pub(crate) fn delete(state: &mut State, object: &str, id: &str) -> Edited<()> {
    let (table, serial) = live(state, object, id)?;
    deletable(state, table)?;
    bin(state, table, serial, None);
    for (child, row) in children(state, table, serial) {
        let is_live = view_life(state, child, row) == Some(Life::Live);
        if is_live && state.store.tables[child].deletable {
            bin(state, child, row, None);
        }
    }
    Ok(())
}

/// Takes a row out of the recycle bin, and what went there with it.
pub(crate) fn undelete(state: &mut State, object: &str, id: &str) -> Edited<()> {
    let (table, serial) = locate(state, object, id)?;
    let Some(Life::Bin(since)) = view_life(state, table, serial) else {
        return Err(EditError::new("UNDELETE_FAILED", "Entity is not in the recycle bin"));
    };
    let mut rows = vec![(table, serial)];
    rows.extend(children(state, table, serial));
    for (table, serial) in rows {
        if view_life(state, table, serial) == Some(Life::Bin(since)) {
            let now = state.now;
            revise(state, table, serial, |version| {
                version.life = Life::Live;
                version.master = None;
                version.stamp = now;
                version.modified = now;
            });
            state.store.tables[table].deletions.retain(|deletion| deletion.serial != serial);
        }
    }
    Ok(())
}

/// Empties the recycle bin of an object; returns how many rows are gone for good.
pub(crate) fn purge(state: &mut State, object: &str) -> Edited<u64> {
    let table = find(state, object)?;
    let binned: Vec<u64> = state.store.tables[table]
        .touched()
        .filter(|&serial| matches!(view_life(state, table, serial), Some(Life::Bin(_))))
        .collect();
    for &serial in &binned {
        revise(state, table, serial, |version| version.life = Life::Gone);
    }
    Ok(binned.len() as u64)
}

/// Deletes a row past the recycle bin.
pub(crate) fn hard_delete(state: &mut State, object: &str, id: &str) -> Edited<()> {
    let (table, serial) = locate(state, object, id)?;
    deletable(state, table)?;
    let life = view_life(state, table, serial).unwrap_or(Life::Gone);
    if life == Life::Gone {
        return Err(EditError::new("ENTITY_IS_DELETED", "entity is deleted"));
    }
    if life == Life::Live {
        let at = state.now;
        state.store.tables[table].deletions.push(Deletion { at, serial });
    }
    revise(state, table, serial, |version| version.life = Life::Gone);
    Ok(())
}

/// Merges rows into `winner`: the losers go to the bin and name it, their children move over.
pub(crate) fn merge(state: &mut State, object: &str, winner: &str, losers: &[&str]) -> Edited<()> {
    let (table, target) = live(state, object, winner)?;
    if !state.store.tables[table].mergeable {
        return Err(EditError::new("INVALID_OPERATION", format!("{object} cannot be merged")));
    }
    let losers: Vec<u64> =
        losers.iter().map(|loser| live(state, object, loser).map(|(_, serial)| serial)).collect::<Edited<_>>()?;
    if losers.contains(&target) {
        return Err(EditError::new("INVALID_OPERATION", "a row cannot be merged into itself"));
    }
    let now = state.now;
    let winner_id = Value::text(&id::full(state.store.tables[table].prefix, target));
    for loser in losers {
        let loser_id = id::full(state.store.tables[table].prefix, loser);
        for (child, row, slot) in pointers(state, &loser_id) {
            if (child, row) != (table, target) {
                write(state, child, row, now, Written::from([(slot as u16, winner_id.clone())]));
            }
        }
        bin(state, table, loser, Some(target));
    }
    write(state, table, target, now, Written::new());
    Ok(())
}

impl State {
    /// Makes visible what is due.
    pub(crate) fn commit_pending(&mut self) {
        let now = self.now;
        let mut due: Vec<Pending> = self.pending.extract_if(.., |pending| pending.due <= now).collect();
        due.sort_by_key(|pending| pending.due);
        for pending in due {
            if pending.is_insert {
                add(self, pending.table, pending.serial, pending.stamp, pending.values);
            } else {
                write(self, pending.table, pending.serial, pending.stamp, pending.values);
            }
        }
    }
}

/// The object of that name.
pub(crate) fn find(state: &State, object: &str) -> Edited<usize> {
    state
        .store
        .find(object)
        .ok_or_else(|| EditError::new("INVALID_TYPE", format!("sObject type '{object}' is not supported.")))
}

/// The row of that id, in whatever state.
pub(crate) fn locate(state: &State, object: &str, id: &str) -> Edited<(usize, u64)> {
    let table = find(state, object)?;
    let missing = || EditError::new("INVALID_CROSS_REFERENCE_KEY", format!("no {object} with the id {id}"));
    let serial = id::serial(state.store.tables[table].prefix, id).ok_or_else(missing)?;
    state.store.tables[table].view(serial, &state.moment()).ok_or_else(missing)?;
    Ok((table, serial))
}

fn live(state: &State, object: &str, id: &str) -> Edited<(usize, u64)> {
    let (table, serial) = locate(state, object, id)?;
    if state.pending.iter().any(|pending| (pending.table, pending.serial) == (table, serial)) {
        return Err(EditError::new("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"));
    }
    match view_life(state, table, serial) {
        Some(Life::Live) => Ok((table, serial)),
        _ => Err(EditError::new("ENTITY_IS_DELETED", "entity is deleted")),
    }
}

fn view_life(state: &State, table: usize, serial: u64) -> Option<Life> {
    state.store.tables[table].view(serial, &state.moment()).map(|view| view.life())
}

fn deletable(state: &State, table: usize) -> Edited<()> {
    let table = &state.store.tables[table];
    if table.deletable {
        Ok(())
    } else {
        Err(EditError::new("INVALID_OPERATION", format!("{} cannot be deleted", table.name)))
    }
}

fn new_row(state: &State, table: usize, fields: &Map<String, Json>) -> Edited<Written> {
    let mut values = convert(state, table, fields)?;
    let object = &state.store.tables[table];
    let mut missing = Vec::new();
    for (slot, column) in object.columns.iter().enumerate() {
        let spec = &column.spec;
        if column.removed || !matches!(column.origin, Origin::Stored(_)) {
            continue;
        }
        if spec.name == "OwnerId" {
            values.entry(slot as u16).or_insert_with(|| Value::text(&id::full("005", 1)));
        }
        let is_required = !spec.nillable && !spec.read_only && spec.field_type != FieldType::Boolean;
        if is_required && values.get(&(slot as u16)).is_none_or(Value::is_null) {
            missing.push(spec.name.clone());
        }
    }
    if !missing.is_empty() {
        let message = format!("Required fields are missing: [{}]", missing.join(", "));
        return Err(EditError::new("REQUIRED_FIELD_MISSING", message));
    }
    Ok(values)
}

fn add(state: &mut State, table: usize, serial: u64, stamp: i64, mut values: Written) {
    derive(state, table, serial, &mut values, None, stamp);
    state.seq += 1;
    let seq = state.seq;
    let values = Arc::new(values);
    let version = Version { seq, valid_at: stamp, modified: stamp, stamp, life: Life::Live, master: None, values };
    state.store.tables[table].push(serial, stamp, version);
}

/// Changes fields with that stamp; without fields only the stamps move.
fn write(state: &mut State, table: usize, serial: u64, stamp: i64, mut values: Written) {
    let before = state.store.tables[table]
        .view(serial, &state.moment())
        .and_then(|view| view.version.map(|version| Arc::clone(&version.values)));
    derive(state, table, serial, &mut values, before.as_deref(), stamp);
    revise(state, table, serial, |version| {
        version.valid_at = stamp;
        version.modified = stamp;
        version.stamp = stamp;
        put(version, values);
    });
}

fn put(version: &mut Version, values: Written) {
    if !values.is_empty() {
        Arc::make_mut(&mut version.values).extend(values);
    }
}

/// Adds a version to a row: its last one, changed.
fn revise(state: &mut State, table: usize, serial: u64, change: impl FnOnce(&mut Version)) {
    state.seq += 1;
    let (seq, now, moment) = (state.seq, state.now, state.moment());
    let object = &mut state.store.tables[table];
    let Some(view) = object.view(serial, &moment) else { return };
    let created = view.created;
    let mut version = view.version.cloned().unwrap_or_else(|| Version {
        seq,
        valid_at: now,
        modified: object.base.modified(serial),
        stamp: object.base.stamp(serial),
        life: Life::Live,
        master: None,
        values: Arc::default(),
    });
    version.seq = seq;
    version.valid_at = now;
    change(&mut version);
    object.push(serial, created, version);
}

fn bin(state: &mut State, table: usize, serial: u64, master: Option<u64>) {
    let now = state.now;
    revise(state, table, serial, |version| {
        version.life = Life::Bin(now);
        version.stamp = now;
        version.modified = now;
        version.master = master;
    });
    state.store.tables[table].deletions.push(Deletion { at: now, serial });
}

/// Rows of other objects that belong to this one and go where it goes.
fn children(state: &State, table: usize, serial: u64) -> Vec<(usize, u64)> {
    if state.store.tables[table].name != "Account" {
        return Vec::new();
    }
    let own_id = id::full(state.store.tables[table].prefix, serial);
    pointers(state, &own_id)
        .into_iter()
        .filter(|&(child, _, slot)| child != table && state.store.tables[child].columns[slot].spec.name == "AccountId")
        .map(|(child, row, _)| (child, row))
        .collect()
}

/// All touched rows with a lookup that holds `target`: object, row, column.
fn pointers(state: &State, target: &str) -> Vec<(usize, u64, usize)> {
    let moment = state.moment();
    let mut found = Vec::new();
    for (table, object) in state.store.tables.iter().enumerate() {
        for (slot, column) in object.columns.iter().enumerate() {
            let is_lookup =
                column.spec.field_type == FieldType::Reference && matches!(column.origin, Origin::Stored(_));
            if !is_lookup || column.removed {
                continue;
            }
            for serial in object.touched() {
                let points_there = object
                    .view(serial, &moment)
                    .and_then(|view| view.version?.values.get(&(slot as u16))?.as_text().map(|text| text == target));
                if points_there == Some(true) {
                    found.push((table, serial, slot));
                }
            }
        }
    }
    found
}

/// The fields that follow from others.
fn derive(state: &State, table: usize, serial: u64, values: &mut Written, before: Option<&Written>, stamp: i64) {
    let object = &state.store.tables[table];
    let slot = |name: &str| object.slot(name).map(|slot| slot as u16);
    let held = |values: &Written, name: &str| {
        let slot = slot(name)?;
        values.get(&slot).or_else(|| before?.get(&slot)).cloned()
    };
    let mut derived: Vec<(&str, Value)> = Vec::new();
    match object.name {
        "Contact" => {
            let part =
                |name| held(values, name).and_then(|value| value.as_text().map(str::to_owned)).unwrap_or_default();
            let name = format!("{} {}", part("LastName"), part("FirstName"));
            derived.push(("Name", Value::text(name.trim())));
        }
        "Contract" if before.is_none() => {
            derived.push(("ContractNumber", Value::text(&format!("{serial:08}"))));
            derived.push(("StatusCode", Value::Word("Draft")));
        }
        "Opportunity" => {
            let stage = held(values, "StageName");
            let (probability, category, closed, won) = match stage.as_ref().and_then(Value::as_text) {
                Some("Closed Won") => (100, "Closed", true, true),
                Some("Closed Lost") => (0, "Omitted", true, false),
                Some("提案") => (30, "Pipeline", false, false),
                Some("見積提出") => (60, "BestCase", false, false),
                Some("交渉") => (80, "Commit", false, false),
                _ => (10, "Pipeline", false, false),
            };
            let stage_is_new = slot("StageName").is_some_and(|slot| values.contains_key(&slot));
            if stage_is_new {
                derived.push(("LastStageChangeDate", Value::Instant(stamp)));
                if slot("Probability").is_some_and(|slot| !values.contains_key(&slot)) {
                    derived.push(("Probability", Value::Num(Decimal::new(probability, 0))));
                }
            }
            derived.push(("IsClosed", Value::Bool(closed)));
            derived.push(("IsWon", Value::Bool(won)));
            derived.push(("ForecastCategory", Value::Word(category)));
            derived.push(("ForecastCategoryName", Value::Word(category)));
            if let Some(amount) = held(values, "Amount").and_then(|value| value.as_number()) {
                let revenue = amount.times(Decimal::new(probability, 2), 2).map_or(Value::Null, Value::Num);
                derived.push(("ExpectedRevenue", revenue));
            }
            if let Some(Value::Date(days)) = held(values, "CloseDate") {
                let date = instant::at(i64::from(days) * instant::DAY);
                let (year, month) = (chrono::Datelike::year(&date), chrono::Datelike::month(&date) as i32);
                let quarter = (month + 8) % 12 / 3 + 1;
                let fiscal = if month < 4 { year - 1 } else { year };
                derived.push(("FiscalYear", Value::Int(i64::from(fiscal))));
                derived.push(("FiscalQuarter", Value::Int(i64::from(quarter))));
                derived.push(("Fiscal", Value::text(&format!("{fiscal} {quarter}"))));
            }
        }
        _ => {}
    }
    for (name, value) in derived {
        if let Some(slot) = slot(name) {
            values.insert(slot, value);
        }
    }
}

/// Turns JSON into values that fit their fields.
fn convert(state: &State, table: usize, fields: &Map<String, Json>) -> Edited<Written> {
    let object = &state.store.tables[table];
    let mut values = Written::new();
    for (name, json) in fields {
        let slot = object.slot(name).ok_or_else(|| {
            EditError::new("INVALID_FIELD", format!("No such column '{name}' on sobject of type {}", object.name))
        })?;
        let column = &object.columns[slot];
        if column.spec.read_only || !matches!(column.origin, Origin::Stored(_)) {
            let message = format!("Unable to create/update fields: {name}");
            return Err(EditError::new("INVALID_FIELD_FOR_INSERT_UPDATE", message));
        }
        values.insert(slot as u16, fit(&column.spec, json)?);
    }
    Ok(values)
}

fn fit(spec: &FieldSpec, json: &Json) -> Edited<Value> {
    use FieldType as T;
    let wrong = || EditError::new("JSON_PARSER_ERROR", format!("{} does not take {json}", spec.name));
    let text = match json {
        Json::Null => return Ok(Value::Null),
        Json::Bool(value) if spec.field_type == T::Boolean => return Ok(Value::Bool(*value)),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return Err(wrong()),
    };
    Ok(match spec.field_type {
        T::Int => Value::Int(Decimal::parse(&text).and_then(Decimal::to_int).ok_or_else(wrong)?),
        T::Double | T::Currency | T::Percent => {
            let number = Decimal::parse(&text).ok_or_else(wrong)?.rounded(spec.scale);
            if number.whole_digits() > (spec.precision.saturating_sub(spec.scale)) as usize {
                return Err(EditError::new(
                    "NUMBER_OUTSIDE_VALID_RANGE",
                    format!("{}: value outside of valid range", spec.name),
                ));
            }
            Value::Num(number)
        }
        T::Date => Value::Date(instant::parse_date(&text).ok_or_else(wrong)?),
        T::Datetime => Value::Instant(instant::parse_datetime(&text).ok_or_else(wrong)?),
        T::Time => Value::Time(instant::parse_time(&text).ok_or_else(wrong)?),
        T::Reference | T::Id => {
            let id = id::parse(&text).ok_or_else(|| {
                EditError::new("MALFORMED_ID", format!("{}: id value of incorrect type: {text}", spec.name))
            })?;
            let full: String = id.iter().chain(&id::checks(&id)).map(|&byte| byte as char).collect();
            Value::text(&full)
        }
        T::Boolean | T::Address | T::Location => return Err(wrong()),
        _ if json.is_number() => return Err(wrong()),
        _ => {
            if text.chars().count() > spec.length as usize {
                let message = format!("{}: data value too large (max length={})", spec.name, spec.length);
                return Err(EditError::new("STRING_TOO_LONG", message));
            }
            Value::text(&text)
        }
    })
}
