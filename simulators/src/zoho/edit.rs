//! How records change.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::instant::DAY;
use crate::zoho::catalogue::probability;
use crate::zoho::field::FieldType;
use crate::zoho::input::{self, Draft, Fields};
use crate::zoho::look;
use crate::zoho::module::Deletion;
use crate::zoho::people::STAFF;
use crate::zoho::records::{Place, Version, When};
use crate::zoho::state::State;
use crate::zoho::value::{Value, Values};

/// How a change is made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Whether the time of change stays as it is, and no history tells of it.
    pub(crate) silent: bool,
    /// After how many seconds it can be seen.
    pub(crate) delay_secs: i64,
}

/// A version that cannot be seen yet.
#[derive(Debug)]
pub(crate) struct Pending {
    due: i64,
    module: usize,
    number: u64,
    created: i64,
    creator: u64,
    version: Version,
}

/// Why an edit was not made, in English.
pub(crate) type Edited<T> = Result<T, String>;

/// Adds a record; gives its number.
pub(crate) fn insert(state: &mut State, module: usize, draft: Draft, manner: Manner) -> Edited<u64> {
    let number = state.modules[module].records.next_number();
    let created = draft.created.unwrap_or(state.now);
    let modified = draft.modified.unwrap_or(state.now.max(created));
    let user = 1 + state.next_chance() % STAFF.len() as u64;
    let version = Version {
        valid_at: created,
        change: 0,
        modified,
        modifier: user,
        place: Place::Live,
        is_silent: false,
        values: Arc::new(draft.values),
    };
    put(state, module, number, (created, user), version, manner.delay_secs);
    for (field, rows) in draft.rows {
        set_rows(state, module, number, &field, &rows)?;
    }
    if manner.delay_secs <= 0 {
        tell_stage(state, module, number, None, modified)?;
    }
    Ok(number)
}

/// Writes into a live record.
pub(crate) fn update(state: &mut State, module: usize, number: u64, draft: Draft, manner: Manner) -> Edited<()> {
    let now = state.now;
    let chance = state.next_chance();
    let view = state.modules[module].records.view(number, When::Now).ok_or("there is no such record")?;
    let (created, creator) = (view.created(), view.creator());
    let old_stage = stage(state, module, number);
    let moves_only_rows = draft.values.is_empty() && !draft.rows.is_empty() && draft.modified.is_none();
    let silent = manner.silent || (moves_only_rows && !state.options.hypotheses.subform_moves);
    let mut values = view.values();
    values.extend(draft.values);
    let (modified, modifier) = match (draft.modified, silent) {
        (Some(modified), _) => (modified, 1 + chance % STAFF.len() as u64),
        (None, true) => (view.modified(), view.modifier()),
        (None, false) => (now, 1 + chance % STAFF.len() as u64),
    };
    let valid_at = if silent { now } else { modified };
    let values = Arc::new(values);
    let version = Version { valid_at, change: 0, modified, modifier, place: Place::Live, is_silent: silent, values };
    put(state, module, number, (created, creator), version, manner.delay_secs);
    for (field, rows) in draft.rows {
        set_rows(state, module, number, &field, &rows)?;
    }
    if !silent && manner.delay_secs <= 0 {
        tell_stage(state, module, number, old_stage, modified)?;
    }
    Ok(())
}

/// Moves a record to another place, with the rows of its sub-forms.
pub(crate) fn send(state: &mut State, module: usize, number: u64, from: Place, to: Place, moves: bool) -> Edited<()> {
    let now = state.now;
    let id = state.id_of(module, number);
    let target = &state.modules[module];
    let view = target.records.trace(number, When::Now).filter(|view| view.place() == from);
    let view = view.ok_or("there is no such record")?;
    let (created, creator) = (view.created(), view.creator());
    let modified = if moves { now } else { view.modified() };
    let values = Arc::new(view.values());
    let version =
        Version { valid_at: now, change: 0, modified, modifier: view.modifier(), place: to, is_silent: !moves, values };
    let rows: Vec<(usize, u64)> = target
        .columns
        .iter()
        .filter(|column| column.kind() == FieldType::Subform)
        .filter_map(|column| state.find(column.spec.module.as_deref()?))
        .flat_map(|child| {
            look::kin(state, child, "Parent_Id", id, When::Now, from).into_iter().map(move |row| (child, row))
        })
        .collect();
    put(state, module, number, (created, creator), version, 0);
    for (child, row) in rows {
        send(state, child, row, from, to, false)?;
    }
    Ok(())
}

/// Puts a record into the recycle bin, and says so in the list of deleted records.
pub(crate) fn delete(state: &mut State, module: usize, number: u64) -> Edited<()> {
    let display_name = look::name_of(state, state.id_of(module, number)).unwrap_or_default();
    let creator = state.modules[module].records.view(number, When::Now).map_or(1, |view| view.creator());
    send(state, module, number, Place::Live, Place::Bin, false)?;
    let by = 1 + state.next_chance() % STAFF.len() as u64;
    let deletion = Deletion { number, display_name, by, creator, deleted: state.now, purged: None };
    state.modules[module].deletions.push(deletion);
    Ok(())
}

/// Takes a record out of the recycle bin, and off the list.
pub(crate) fn restore(state: &mut State, module: usize, number: u64) -> Edited<()> {
    let moves = state.options.hypotheses.restore_moves;
    send(state, module, number, Place::Bin, Place::Live, moves)?;
    state.modules[module].deletions.retain(|deletion| deletion.number != number);
    Ok(())
}

/// Deletes a record for good, from wherever it is.
pub(crate) fn purge(state: &mut State, module: usize, number: u64) -> Edited<()> {
    if state.modules[module].records.view(number, When::Now).is_some() {
        delete(state, module, number)?;
    }
    send(state, module, number, Place::Bin, Place::Gone, false)?;
    let now = state.now;
    for deletion in state.modules[module].deletions.iter_mut().filter(|known| known.number == number) {
        deletion.purged = Some(now);
    }
    Ok(())
}

/// Deletes the losers; what belonged to them belongs to the winner.
pub(crate) fn merge(state: &mut State, module: usize, winner: u64, losers: &[u64]) -> Edited<()> {
    let name = state.modules[module].api_name.clone();
    let to = state.id_of(module, winner);
    state.modules[module].records.view(winner, When::Now).ok_or("there is no such winner")?;
    for &loser in losers {
        let from = state.id_of(module, loser);
        let lookups: Vec<(usize, String, u16)> = state
            .modules
            .iter()
            .enumerate()
            .flat_map(|(place, other)| other.columns.iter().map(move |column| (place, column)))
            .filter(|(_, column)| column.kind() == FieldType::Lookup && column.spec.module.as_deref() == Some(&name))
            .map(|(place, column)| (place, column.name().to_owned(), column.slot))
            .collect();
        for (place, lookup, slot) in lookups {
            for child in look::children(state, place, &lookup, from, When::Now) {
                let draft = Draft { values: Values::from([(slot, Value::Ref(to))]), ..Draft::default() };
                update(state, place, child, draft, Manner::default())?;
            }
        }
        delete(state, module, loser)?;
    }
    update(state, module, winner, Draft::default(), Manner::default())
}

fn put(state: &mut State, module: usize, number: u64, made: (i64, u64), mut version: Version, delay_secs: i64) {
    if delay_secs > 0 {
        let due = state.now + delay_secs;
        state.pending.push(Pending { due, module, number, created: made.0, creator: made.1, version });
        return;
    }
    state.changes += 1;
    version.change = state.changes;
    state.modules[module].records.push(number, made.0, made.1, version);
}

/// Shows what has become visible by now.
pub(crate) fn commit_pending(state: &mut State) {
    let now = state.now;
    let (due, rest): (Vec<Pending>, Vec<Pending>) =
        std::mem::take(&mut state.pending).into_iter().partition(|late| late.due <= now);
    state.pending = rest;
    for late in due {
        let records = &state.modules[late.module].records;
        // What was deleted while a change to it was on its way stays deleted.
        if !records.was_there(late.number) || records.view(late.number, When::Now).is_some() {
            put(state, late.module, late.number, (late.created, late.creator), late.version, 0);
        }
    }
}

/// Makes the rows of a sub-form, or of a multi-select lookup, those that are given: rows that name a known one change
/// it, the others are new, and known ones that are not named go.
fn set_rows(state: &mut State, module: usize, number: u64, field: &str, rows: &[Json]) -> Edited<()> {
    let id = state.id_of(module, number);
    let target = &state.modules[module];
    let column = target.column(field).ok_or("there is no such field")?;
    let is_subform = column.kind() == FieldType::Subform;
    let parent = if is_subform { "Parent_Id".to_owned() } else { target.api_name.clone() };
    let child = column.spec.module.as_deref().and_then(|name| state.find(name)).ok_or("rows have no module")?;
    let known = look::children(state, child, &parent, id, When::Now);
    let mut kept = Vec::new();
    for row in rows {
        let mut fields: Fields = match row {
            Json::Object(fields) => fields.clone(),
            other => Fields::from_iter([(field.to_owned(), other.clone())]),
        };
        let named = fields.remove("id").and_then(|id| state.number_in(child, id.as_str()?));
        fields.insert(parent.clone(), json!(id.to_string()));
        let draft = input::draft(state, child, &fields)?;
        match named.filter(|row| known.contains(row)) {
            Some(row) => {
                kept.push(row);
                update(state, child, row, draft, Manner::default())?;
            }
            None => {
                insert(state, child, draft, Manner::default())?;
            }
        }
    }
    for row in known.into_iter().filter(|row| !kept.contains(row)) {
        send(state, child, row, Place::Live, Place::Gone, false)?;
    }
    Ok(())
}

fn stage(state: &State, module: usize, number: u64) -> Option<Value> {
    let target = &state.modules[module];
    if target.api_name != "Deals" {
        return None;
    }
    let view = target.records.view(number, When::Now)?;
    Some(look::value(state, module, &view, target.column("Stage")?))
}

/// Adds a row to the history of a deal whose stage changed.
fn tell_stage(state: &mut State, module: usize, number: u64, old: Option<Value>, at: i64) -> Edited<()> {
    let Some(new) = stage(state, module, number) else { return Ok(()) };
    let Some(history) = state.find("DealHistory").filter(|_| Some(&new) != old.as_ref()) else { return Ok(()) };
    let deal = state.id_of(module, number);
    let zone = state.options.zone_secs;
    let target = &state.modules[module];
    let Some(view) = target.records.view(number, When::Now) else { return Ok(()) };
    let own = |name: &str| target.column(name).map_or(Value::Empty, |column| look::value(state, module, &view, column));
    let likely = new.as_text().and_then(probability).map_or(own("Probability"), Value::int);
    let values = [
        ("Parent_Id", Value::Ref(deal)),
        ("Stage", new),
        ("Amount", own("Amount")),
        ("Probability", likely),
        ("Closing_Date", own("Closing_Date")),
    ];
    let mut draft = Draft { created: Some(at), modified: Some(at), ..Draft::default() };
    for (name, value) in values {
        if let Some(column) = state.modules[history].column(name) {
            draft.values.insert(column.slot, value);
        }
    }
    // The row before it learns how long it lasted.
    let before = look::children(state, history, "Parent_Id", deal, When::Now).into_iter().next_back();
    let lasted = state.modules[history].column("Stage_Duration_Calendar_Days").map(|column| column.slot);
    if let Some((before, slot)) = before.zip(lasted) {
        let began = state.modules[history].records.view(before, When::Now).map_or(at, |view| view.modified());
        let days = (at + zone).div_euclid(DAY) - (began + zone).div_euclid(DAY);
        let draft = Draft { values: Values::from([(slot, Value::int(days))]), ..Draft::default() };
        update(state, history, before, draft, Manner { silent: true, ..Manner::default() })?;
    }
    insert(state, history, draft, Manner::default()).map(|_| ())
}
