//! Changes of rows, with the stamps that the service gives them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::salesforce::catalogue::Origin;
use crate::salesforce::field::FieldType;
use crate::salesforce::state::State;
use crate::salesforce::table::{Life, Version};
use crate::salesforce::value::Value;
use crate::salesforce::{derive, fit, history, id, instant, person, soql};

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
        let rows = [Some((table, serial)), person::other_half(state, table, serial)];
        for (table, serial) in rows.into_iter().flatten() {
            state.store.tables[table].backdate(serial, created, modified.unwrap_or(created));
        }
    }
    Ok(id::full(state.store.tables[table].prefix, serial))
}

/// Does `edit` as if it were `at`, and says so in all stamps and histories. What is done that way must come in order.
pub(crate) fn in_the_past<T>(state: &mut State, at: i64, edit: impl FnOnce(&mut State) -> Edited<T>) -> Edited<T> {
    if at > state.now {
        return Err(EditError::new("INVALID_OPERATION", "that instant is still to come"));
    }
    let now = std::mem::replace(&mut state.now, at);
    let edited = edit(state);
    state.now = now;
    edited
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
    let values = fit::values(state, table, fields)?;
    let now = state.now;
    write(state, table, serial, now, Arc::new(values));
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
    let values = fit::values(state, table, fields)?;
    let stamp = state.now;
    state.pending.push(Pending { due: stamp + delay, table, serial, stamp, is_insert: false, values });
    state.commit_pending();
    Ok(())
}

/// Changes fields without moving any stamp, as values do that the service computes when it is asked.
pub(crate) fn change_silently(state: &mut State, object: &str, id: &str, fields: &Map<String, Json>) -> Edited<()> {
    let (table, serial) = live(state, object, id)?;
    let values = fit::values(state, table, fields)?;
    if let Some((table, serial, values)) = person::mirrored(state, table, serial, &values) {
        revise(state, table, serial, |version| put(version, Arc::new(values)));
    }
    revise(state, table, serial, |version| put(version, Arc::new(values)));
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
    let values = fit::values(state, table, fields)?;
    let name = state.store.tables[table].name;
    let filter = if filter.trim().is_empty() { String::new() } else { format!(" WHERE {filter}") };
    let moment = state.moment();
    let plan = soql::bind::bind(&state.store, &format!("SELECT Id FROM {name}{filter} ORDER BY Id"), false, &moment)
        .map_err(|complaint| EditError::new(complaint.code, complaint.message))?;
    let rows = soql::select::select(&state.store, &plan, &moment, 0);
    let now = state.now;
    let values = Arc::new(values);
    for serial in (0..rows.len()).filter_map(|place| rows.get(place)) {
        write(state, table, serial, now, Arc::clone(&values));
    }
    Ok(rows.len())
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
                write(self, pending.table, pending.serial, pending.stamp, Arc::new(pending.values));
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

pub(crate) fn live(state: &State, object: &str, id: &str) -> Edited<(usize, u64)> {
    let (table, serial) = locate(state, object, id)?;
    if state.store.tables[table].view(serial, &state.moment()).is_some_and(|view| view.created > state.now) {
        return Err(EditError::new("INVALID_OPERATION", "the row was not there yet"));
    }
    if state.pending.iter().any(|pending| (pending.table, pending.serial) == (table, serial)) {
        return Err(EditError::new("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"));
    }
    match view_life(state, table, serial) {
        Some(Life::Live) => Ok((table, serial)),
        _ => Err(EditError::new("ENTITY_IS_DELETED", "entity is deleted")),
    }
}

pub(crate) fn view_life(state: &State, table: usize, serial: u64) -> Option<Life> {
    state.store.tables[table].view(serial, &state.moment()).map(|view| view.life())
}

fn new_row(state: &State, table: usize, fields: &Map<String, Json>) -> Edited<Written> {
    let mut values = fit::values(state, table, fields)?;
    person::name(state, table, &mut values);
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
        if spec.name == "CurrencyIsoCode" {
            values.entry(slot as u16).or_insert(Value::Word("JPY"));
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
    let shadow = person::shadow(state, table, serial, &mut values);
    let derived = derive::derived(state, table, serial, &values, None, stamp);
    values.extend(derived);
    state.seq += 1;
    let seq = state.seq;
    let values = Arc::new(values);
    let version = Version { seq, valid_at: stamp, modified: stamp, stamp, life: Life::Live, master: None, values };
    state.store.tables[table].push(serial, stamp, version);
    history::created(state, table, serial, stamp);
    if let Some((table, serial, values)) = shadow {
        add(state, table, serial, stamp, values);
    }
}

/// Adds a row to a history.
pub(crate) fn append(state: &mut State, table: usize, stamp: i64, values: Written) {
    let serial = state.store.tables[table].next_serial();
    add(state, table, serial, stamp, values);
}

/// Changes fields with that stamp; without fields only the stamps move. Stamps that are later stay.
pub(crate) fn write(state: &mut State, table: usize, serial: u64, stamp: i64, values: Arc<Written>) {
    if let Some((table, serial, values)) = person::mirrored(state, table, serial, &values) {
        write_one(state, table, serial, stamp, Arc::new(values));
    }
    write_one(state, table, serial, stamp, values);
}

/// The same, for this row alone.
fn write_one(state: &mut State, table: usize, serial: u64, stamp: i64, mut values: Arc<Written>) {
    let before = state.store.tables[table]
        .view(serial, &state.moment())
        .and_then(|view| view.version.map(|version| Arc::clone(&version.values)));
    let derived = derive::derived(state, table, serial, &values, before.as_deref(), stamp);
    if !derived.is_empty() {
        Arc::make_mut(&mut values).extend(derived);
    }
    let before = history::before(state, table, serial, &values);
    revise(state, table, serial, |version| {
        version.valid_at = stamp;
        version.modified = version.modified.max(stamp);
        version.stamp = version.stamp.max(stamp);
        put(version, values);
    });
    history::changed(state, table, serial, stamp, before);
}

/// Rows that get the same values first share them.
fn put(version: &mut Version, values: Arc<Written>) {
    if version.values.is_empty() {
        version.values = values;
    } else if !values.is_empty() {
        Arc::make_mut(&mut version.values).extend(values.iter().map(|(slot, value)| (*slot, value.clone())));
    }
}

/// Adds a version to a row: its last one, changed.
pub(crate) fn revise(state: &mut State, table: usize, serial: u64, change: impl FnOnce(&mut Version)) {
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
