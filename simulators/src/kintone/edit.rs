//! How records change.

use std::sync::Arc;

use crate::kintone::app::App;
use crate::kintone::field::FieldType;
use crate::kintone::records::{Version, View};
use crate::kintone::refusal::{Answer, no_record, revision_moved};
use crate::kintone::save;
use crate::kintone::state::State;
use crate::kintone::value::{Row, Value, Values};

/// What someone writes into a record.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// New values by slot; what is not here stays.
    pub(crate) values: Values,
    pub(crate) user: Arc<str>,
    /// By how much the revision rises.
    pub(crate) steps: u64,
    /// Stamps set by whoever manages the app.
    pub(crate) created: Option<i64>,
    pub(crate) modified: Option<i64>,
    pub(crate) creator: Option<Arc<str>>,
    /// Whether revision, time and computed fields stay as they are.
    pub(crate) silent: bool,
    /// After how many seconds it can be seen.
    pub(crate) delay_secs: i64,
}

impl Change {
    pub(crate) fn new(user: Arc<str>) -> Self {
        Change {
            values: Values::new(),
            user,
            steps: 1,
            created: None,
            modified: None,
            creator: None,
            silent: false,
            delay_secs: 0,
        }
    }
}

/// A version that cannot be seen yet.
#[derive(Debug)]
pub(crate) struct Pending {
    due: i64,
    app: u64,
    id: u64,
    created: i64,
    creator: Arc<str>,
    version: Version,
}

/// Refuses when the caller believes in another revision; -1 believes in any.
pub(crate) fn check_revision(view: &View<'_>, believed: Option<i64>) -> Answer<()> {
    match believed {
        Some(revision) if revision != -1 && revision != view.revision() as i64 => Err(revision_moved(view.id)),
        _ => Ok(()),
    }
}

/// Adds a record with computed fields filled in; gives its id.
///
/// `id` asks for a certain id, which must be free.
pub(crate) fn insert(state: &mut State, app: usize, mut change: Change, id: Option<u64>) -> Answer<u64> {
    save::look_up(state, app, None, &mut change)?;
    let now = state.now;
    let target = &mut state.apps[app];
    let id = id.unwrap_or_else(|| target.records.next_id());
    target.records.reserve(id);
    let created = change.created.unwrap_or(now);
    let modified = change.modified.unwrap_or(now);
    let creator = change.creator.clone().unwrap_or_else(|| change.user.clone());
    number_rows(target, None, &mut change.values);
    save::compute(target, None, (id, created, modified), &mut change.values);
    let version = Version {
        valid_at: created,
        revision: 1,
        modified,
        modifier: change.user,
        is_gone: false,
        values: Arc::new(change.values),
    };
    put(state, app, id, created, creator, version, change.delay_secs);
    Ok(id)
}

/// Writes into a live record; gives its new revision.
pub(crate) fn update(state: &mut State, app: usize, id: u64, mut change: Change) -> Answer<u64> {
    save::look_up(state, app, Some(id), &mut change)?;
    let now = state.now;
    let counts_idle = state.options.hypotheses.idle_save_counts;
    let target = &mut state.apps[app];
    let (old, created, creator, revision, modified, modifier) = {
        let view = target.records.view(id, None).ok_or_else(|| no_record(id))?;
        let old = view.version.map_or_else(Values::new, |version| Values::clone(&version.values));
        (old, view.created(), view.creator(), view.revision(), view.modified(), view.modifier())
    };
    number_rows(target, Some(id), &mut change.values);
    let is_idle = change.values.iter().all(|(slot, value)| {
        let column = target.live.columns.iter().find(|column| column.slot == *slot);
        let view = target.records.view(id, None);
        column.zip(view).is_some_and(|(column, view)| target.value(&view, column) == *value)
    });
    if is_idle && !counts_idle && !change.silent {
        return Ok(revision);
    }
    let mut values = old;
    values.append(&mut change.values);
    let version = if change.silent {
        Version { valid_at: now, revision, modified, modifier, is_gone: false, values: Arc::new(values) }
    } else {
        let modified = change.modified.unwrap_or(now);
        save::compute(target, Some(id), (id, created, modified), &mut values);
        Version {
            valid_at: modified,
            revision: revision + change.steps,
            modified,
            modifier: change.user,
            is_gone: false,
            values: Arc::new(values),
        }
    };
    let revision = version.revision;
    put(state, app, id, created, creator, version, change.delay_secs);
    Ok(revision)
}

/// Makes a live record vanish; nothing but its unused id tells that it was there.
pub(crate) fn delete(state: &mut State, app: usize, id: u64) -> Answer<()> {
    let now = state.now;
    let target = &mut state.apps[app];
    let view = target.records.view(id, None).ok_or_else(|| no_record(id))?;
    let (created, creator, modifier) = (view.created(), view.creator(), view.modifier());
    let version = Version {
        valid_at: now,
        revision: view.revision(),
        modified: view.modified(),
        modifier,
        is_gone: true,
        values: Arc::default(),
    };
    target.records.push(id, created, &creator, version);
    target.comments.remove(&id);
    Ok(())
}

fn put(state: &mut State, app: usize, id: u64, created: i64, creator: Arc<str>, version: Version, delay_secs: i64) {
    let target = &mut state.apps[app];
    if delay_secs <= 0 {
        target.records.push(id, created, &creator, version);
        return;
    }
    let due = state.now + delay_secs;
    state.pending.push(Pending { due, app: target.id, id, created, creator, version });
}

/// Shows what has become visible by now.
pub(crate) fn commit_pending(state: &mut State) {
    let now = state.now;
    let (due, rest): (Vec<Pending>, Vec<Pending>) =
        std::mem::take(&mut state.pending).into_iter().partition(|late| late.due <= now);
    state.pending = rest;
    for late in due {
        let Some(app) = state.apps.iter_mut().find(|app| app.id == late.app) else { continue };
        // What was deleted while a change to it was on its way stays deleted.
        if !app.records.was_there(late.id) || app.records.view(late.id, None).is_some() {
            app.records.push(late.id, late.created, &late.creator, late.version);
        }
    }
}

/// Gives rows that name no row of the record numbers of their own, and fills what known rows do not name from
/// what they held.
fn number_rows(app: &mut App, id: Option<u64>, values: &mut Values) {
    let tables: Vec<usize> = (0..app.live.columns.len())
        .filter(|&place| app.live.columns[place].spec.field_type == FieldType::Subtable)
        .collect();
    for place in tables {
        let slot = app.live.columns[place].slot;
        let Some(Value::Rows(rows)) = values.get(&slot) else { continue };
        let old = id
            .and_then(|id| app.records.view(id, None))
            .map_or(Value::Empty, |view| app.value(&view, &app.live.columns[place]));
        let merged: Vec<Row> = rows
            .iter()
            .map(|row| match old.rows().iter().find(|known| known.id == row.id) {
                Some(known) => {
                    let mut values = known.values.clone();
                    values.extend(row.values.iter().map(|(slot, value)| (*slot, value.clone())));
                    Row { id: row.id, values }
                }
                None => {
                    let mut values = row.values.clone();
                    for column in &app.live.columns[place].inner {
                        values.entry(column.slot).or_insert_with(|| crate::kintone::input::default(&column.spec));
                    }
                    Row { id: app.records.next_row(), values }
                }
            })
            .collect();
        values.insert(slot, Value::Rows(merged.into()));
    }
}
