//! Changes to records.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::hubspot::links;
use crate::hubspot::object::Object;
use crate::hubspot::params;
use crate::hubspot::property::Origin;
use crate::hubspot::records::{Entry, MERGE, Moment, Standing, Values, Version, Writer};
use crate::hubspot::refusal::{Answer, Refusal, invalid, not_found, unknown_property};
use crate::hubspot::state::State;
use crate::hubspot::{time, value};

/// What is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    values: Values,
    created: Option<i64>,
    modified: Option<i64>,
}

/// When something is written: stamped then, visible so many milliseconds after now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) stamp: i64,
    pub(crate) delay: i64,
}

/// A write that cannot be seen yet.
#[derive(Debug)]
pub(crate) struct Pending {
    due: i64,
    place: usize,
    id: u64,
    draft: Draft,
    stamp: i64,
    is_new: bool,
}

/// Reads fields as they are written; `by_force` also those that only HubSpot writes.
pub(crate) fn draft(object: &Object, fields: &Map<String, Json>, by_force: bool) -> Answer<Draft> {
    let mut draft = Draft::default();
    for (name, given) in fields {
        let property = object.property(name).ok_or_else(|| unknown_property(name))?;
        if (property.read_only || property.spec.calculated) && !by_force {
            return Err(invalid(format!("Property \"{name}\" is read only: READ_ONLY_VALUE")));
        }
        let text = match given {
            Json::Null => String::new(),
            Json::Array(items) => items.iter().filter_map(params::text).collect::<Vec<_>>().join(";"),
            other => params::text(other).ok_or_else(|| invalid(format!("{name} holds no text")))?,
        };
        let instant = || time::parse(&text).ok_or_else(|| invalid(format!("{text} was not a valid long.")));
        match property.origin {
            Origin::Id => return Err(invalid("hs_object_id cannot be written")),
            Origin::Created => draft.created = Some(instant()?),
            Origin::Modified => draft.modified = Some(instant()?),
            _ => {
                draft.values.insert(property.slot, Arc::from(text));
            }
        }
    }
    Ok(draft)
}

/// Adds a record and gives its id.
pub(crate) fn insert(state: &mut State, place: usize, draft: Draft, when: When) -> u64 {
    let id = state.objects[place].records.next_id();
    schedule(state, Pending { due: state.now + when.delay, place, id, draft, stamp: when.stamp, is_new: true });
    id
}

/// Writes to a record.
pub(crate) fn update(state: &mut State, place: usize, id: u64, draft: Draft, when: When) -> Answer<()> {
    state.objects[place].records.live(id).ok_or_else(not_found)?;
    schedule(state, Pending { due: state.now + when.delay, place, id, draft, stamp: when.stamp, is_new: false });
    Ok(())
}

fn schedule(state: &mut State, pending: Pending) {
    if pending.due > state.now {
        state.pending.push(pending);
    } else {
        commit(state, pending);
    }
}

/// Makes visible what is due.
pub(crate) fn commit_pending(state: &mut State) {
    let now = state.now;
    let mut due: Vec<Pending> = state.pending.extract_if(.., |pending| pending.due <= now).collect();
    due.sort_by_key(|pending| pending.due);
    due.into_iter().for_each(|pending| commit(state, pending));
}

fn commit(state: &mut State, pending: Pending) {
    let Pending { place, id, draft, stamp, is_new, due } = pending;
    if is_new {
        let created = draft.created.unwrap_or(stamp);
        let version = Version {
            at: stamp,
            seen_at: due,
            modified: draft.modified.unwrap_or(stamp),
            standing: Standing::Live,
            values: Arc::new(draft.values.clone()),
        };
        let record = state.objects[place].records.push(id, created, version);
        for (slot, value) in draft.values {
            note(&mut record.history, slot, Entry { value, at: stamp, writer: crate::hubspot::records::PERSON });
        }
        return;
    }
    let Some(view) = state.objects[place].records.live(id) else { return };
    let (created, modified) = (view.created(), view.modified());
    let mut values = (*view.values()).clone();
    let held: BTreeMap<u32, Option<String>> = state.objects[place]
        .properties
        .iter()
        .filter(|property| draft.values.contains_key(&property.slot))
        .map(|property| (property.slot, value::raw(state, place, &view, property)))
        .collect();
    values.extend(draft.values.clone());
    let modified = draft.modified.unwrap_or(modified.max(stamp));
    let version = Version { at: stamp, seen_at: due, modified, standing: Standing::Live, values: Arc::new(values) };
    let record = state.objects[place].records.push(id, created, version);
    for (slot, value) in draft.values {
        if held.get(&slot).and_then(Option::as_deref).unwrap_or_default() != &*value {
            let writer = if stamp == due { crate::hubspot::records::PERSON } else { crate::hubspot::records::PROGRAM };
            note(&mut record.history, slot, Entry { value, at: stamp, writer });
        }
    }
}

fn note(history: &mut BTreeMap<u32, Vec<Entry>>, slot: u32, entry: Entry) {
    history.entry(slot).or_default().push(entry);
}

/// Writes to a record without moving its stamp; `writer` leaves a trace in the history.
pub(crate) fn silently(state: &mut State, place: usize, id: u64, draft: Draft, writer: Option<Writer>) -> Answer<()> {
    let now = state.now;
    let view = state.objects[place].records.live(id).ok_or_else(not_found)?;
    let (created, modified) = (view.created(), draft.modified.unwrap_or(view.modified()));
    let mut values = (*view.values()).clone();
    values.extend(draft.values.clone());
    let version = Version { at: now, seen_at: now, modified, standing: Standing::Live, values: Arc::new(values) };
    let record = state.objects[place].records.push(id, created, version);
    if let Some(writer) = writer {
        for (slot, value) in draft.values {
            note(&mut record.history, slot, Entry { value, at: now, writer });
        }
    }
    Ok(())
}

/// Lets a record stand otherwise; its values stay.
fn stand(state: &mut State, place: usize, id: u64, standing: Standing, touches: bool) -> Answer<()> {
    let now = state.now;
    let records = &mut state.objects[place].records;
    let view = records.view(id, Moment::Now).ok_or_else(not_found)?;
    let (created, modified, values) = (view.created(), view.modified(), view.values());
    let modified = if touches { now } else { modified };
    records.push(id, created, Version { at: now, seen_at: now, modified, standing, values });
    Ok(())
}

/// Moves a record's stamp, and nothing that can be seen.
pub(crate) fn touch(state: &mut State, place: usize, id: u64) -> Answer<()> {
    state.objects[place].records.live(id).ok_or_else(not_found)?;
    stand(state, place, id, Standing::Live, true)
}

/// Puts a record into the archive.
pub(crate) fn archive(state: &mut State, place: usize, id: u64) -> Answer<()> {
    state.objects[place].records.live(id).ok_or_else(not_found)?;
    let now = state.now;
    stand(state, place, id, Standing::Archived(now), false)
}

/// Brings an archived record back.
pub(crate) fn restore(state: &mut State, place: usize, id: u64) -> Answer<()> {
    let now = state.now;
    state.objects[place].records.archived(id, now).ok_or_else(not_found)?;
    let touches = state.options.hypotheses.restore_touches;
    stand(state, place, id, Standing::Live, touches)
}

/// Makes a record vanish, archived or not.
pub(crate) fn erase(state: &mut State, place: usize, id: u64) -> Answer<()> {
    let view = state.objects[place].records.view(id, Moment::Now).ok_or_else(not_found)?;
    if !matches!(view.standing(), Standing::Live | Standing::Archived(_)) {
        return Err(not_found());
    }
    stand(state, place, id, Standing::Erased, false)
}

/// Merges a record into another; gives the id of what comes of it.
pub(crate) fn merge(state: &mut State, place: usize, primary: u64, loser: u64) -> Answer<u64> {
    let cannot = |message: &str| -> Refusal { invalid(message) };
    if primary == loser {
        return Err(cannot("Cannot merge an object with itself"));
    }
    let now = state.now;
    let object = &state.objects[place];
    let first = object.records.live(primary).ok_or_else(not_found)?;
    let second = object.records.live(loser).ok_or_else(not_found)?;
    let keeps = state.options.hypotheses.merge_keeps_id.iter().any(|name| name == object.kind.name);
    let mut values = if keeps { (*first.values()).clone() } else { Values::new() };
    let mut history: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
    for property in &object.properties {
        let is_held = matches!(property.origin, Origin::Stored | Origin::Made(_));
        let written = first.written(property.slot).or(second.written(property.slot)).is_some();
        if !is_held && !written {
            continue;
        }
        let filled = |text: &String| !text.is_empty();
        let mine = value::raw(state, place, &first, property).filter(filled);
        let theirs = value::raw(state, place, &second, property).filter(filled);
        let surviving = mine.clone().or(theirs);
        if let Some(text) = surviving.as_deref().filter(|_| !keeps || mine.is_none()) {
            values.insert(property.slot, Arc::from(text));
        }
        let mut entries = crate::hubspot::history::all(state, place, &second, property);
        if !keeps {
            entries.extend(crate::hubspot::history::all(state, place, &first, property));
        }
        entries.sort_by_key(|entry| entry.at);
        let newest = entries.last().map(|entry| entry.value.to_string());
        if let Some(value) = surviving.filter(|text| newest.as_ref().is_some_and(|newest| newest != text)) {
            entries.push(Entry { value: Arc::from(value), at: now, writer: MERGE });
        }
        history.insert(property.slot, entries);
    }
    let created = first.created().min(second.created());
    let ancestors = |record: Option<&crate::hubspot::records::Record>| record.map(|record| record.merged.clone());
    let (of_first, of_second) = (ancestors(first.record), ancestors(second.record));
    let heir = if keeps { primary } else { state.objects[place].records.next_id() };
    let version = Version { at: now, seen_at: now, modified: now, standing: Standing::Live, values: Arc::new(values) };
    let record = state.objects[place].records.push(heir, created, version);
    for (slot, entries) in history {
        let known = record.history.entry(slot).or_default();
        known.extend(entries);
        known.sort_by_key(|entry| entry.at);
    }
    if keeps {
        record.merged.extend(of_second.into_iter().flatten());
    } else {
        record.merged = of_first.into_iter().chain(of_second).flatten().collect();
        record.merged.push((primary, now));
    }
    record.merged.push((loser, now));
    for old in [primary, loser].into_iter().filter(|old| *old != heir) {
        links::inherit(state, place, heir, old);
        stand(state, place, old, Standing::Merged(heir), false)?;
    }
    Ok(heir)
}
