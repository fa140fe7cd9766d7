//! An org in the hands of a test: edits, the clock, faults, and the truth.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use crate::salesforce::catalogue::Origin;
use crate::salesforce::edit::{self, Edited};
use crate::salesforce::fault::{Armed, Fault, FaultKind};
use crate::salesforce::field::{FieldSpec, Formula};
use crate::salesforce::options::{BulkOptions, LoginHost, Options};
use crate::salesforce::state::State;
use crate::salesforce::table::{Life, Moment, Segment};
use crate::salesforce::{auth, history, instant, removal, schema};
use crate::wire::{Call, Stall, fault, json};

/// Fields of a row by their API names, as JSON. Decimals may be given as texts, to stay exact.
pub type Fields = Map<String, Json>;

/// An org. Clones are the same org.
#[derive(Clone)]
pub struct Org(Arc<Mutex<State>>);

impl std::fmt::Debug for Org {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Org").field(&self.lock().base_url).finish()
    }
}

impl Org {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        Org(Arc::new_cyclic(|own| Mutex::new(State::new(options, port, own))))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where its data is.
    pub fn base_url(&self) -> String {
        self.lock().base_url.clone()
    }

    /// What a connector needs to come in.
    pub fn credentials(&self) -> Json {
        auth::credentials(&self.lock())
    }

    /// What the org's clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        instant::at(self.lock().now)
    }

    /// Sets the org's clock; fractions of a second are cut off.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.lock().set_now(now.timestamp());
    }

    /// Moves the org's clock on.
    pub fn advance(&self, secs: i64) {
        let mut state = self.lock();
        let now = state.now + secs;
        state.set_now(now);
    }

    /// Inserts a row and returns its id. `CreatedDate` and `LastModifiedDate` may be back-dated.
    ///
    /// # Errors
    ///
    /// When a field is unknown, not writable, of another type or missing.
    pub fn insert(&self, object: &str, fields: &Fields) -> Edited<String> {
        edit::insert(&mut self.lock(), object, fields)
    }

    /// Inserts a row as if it were `at`: all its stamps and its history say so, and [`truth_at`](Self::truth_at) too.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert), and when `at` is still to come.
    pub fn insert_at(&self, object: &str, fields: &Fields, at: DateTime<Utc>) -> Edited<String> {
        edit::in_the_past(&mut self.lock(), at.timestamp(), |state| edit::insert(state, object, fields))
    }

    /// Changes fields as if it were `at`: history rows are of that instant, stamps that are later stay. Changes of a
    /// row must be made in their order.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), when `at` is still to come, and when the row was not there yet.
    pub fn update_at(&self, object: &str, id: &str, fields: &Fields, at: DateTime<Utc>) -> Edited<()> {
        edit::in_the_past(&mut self.lock(), at.timestamp(), |state| edit::update(state, object, id, fields))
    }

    /// Keeps the history of these fields of an object from now on, and of no others; at most 20.
    ///
    /// # Errors
    ///
    /// When the object has no history or not those fields, or there are too many.
    pub fn track_fields(&self, object: &str, fields: &[&str]) -> Edited<()> {
        history::track(&mut self.lock(), object, fields)
    }

    /// Inserts a row that is stamped now but can be seen only `delay_secs` later. Returns its id.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_late(&self, object: &str, fields: &Fields, delay_secs: i64) -> Edited<String> {
        edit::insert_late(&mut self.lock(), object, fields, delay_secs)
    }

    /// Changes fields of a live row.
    ///
    /// # Errors
    ///
    /// When there is no such live row, or a field does not take the value.
    pub fn update(&self, object: &str, id: &str, fields: &Fields) -> Edited<()> {
        edit::update(&mut self.lock(), object, id, fields)
    }

    /// Changes fields of a live row: stamped now, seen only `delay_secs` later. Until then it is locked.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_late(&self, object: &str, id: &str, fields: &Fields, delay_secs: i64) -> Edited<()> {
        edit::update_late(&mut self.lock(), object, id, fields, delay_secs)
    }

    /// Changes fields of a live row and no stamp.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn change_silently(&self, object: &str, id: &str, fields: &Fields) -> Edited<()> {
        edit::change_silently(&mut self.lock(), object, id, fields)
    }

    /// Moves only `SystemModstamp` of a live row.
    ///
    /// # Errors
    ///
    /// When there is no such live row.
    pub fn system_touch(&self, object: &str, id: &str) -> Edited<()> {
        edit::system_touch(&mut self.lock(), object, id)
    }

    /// Changes all live rows that pass `filter` (what follows `WHERE`; empty for all) with one stamp; returns how many.
    ///
    /// # Errors
    ///
    /// When the filter or a field is wrong.
    pub fn mass_update(&self, object: &str, filter: &str, fields: &Fields) -> Edited<u64> {
        edit::mass_update(&mut self.lock(), object, filter, fields)
    }

    /// Moves a row to the recycle bin, with what belongs to it.
    ///
    /// # Errors
    ///
    /// When there is no such live row, or the object's rows are never deleted.
    pub fn delete(&self, object: &str, id: &str) -> Edited<()> {
        removal::delete(&mut self.lock(), object, id)
    }

    /// Takes a row out of the recycle bin.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn undelete(&self, object: &str, id: &str) -> Edited<()> {
        removal::undelete(&mut self.lock(), object, id)
    }

    /// Empties the object's recycle bin; returns how many rows are gone.
    ///
    /// # Errors
    ///
    /// When there is no such object.
    pub fn purge(&self, object: &str) -> Edited<u64> {
        removal::purge(&mut self.lock(), object)
    }

    /// Deletes a row past the bin, or out of it.
    ///
    /// # Errors
    ///
    /// When there is no such row.
    pub fn hard_delete(&self, object: &str, id: &str) -> Edited<()> {
        removal::hard_delete(&mut self.lock(), object, id)
    }

    /// Merges rows into `winner`: losers go to the bin and name it, their children move over.
    ///
    /// # Errors
    ///
    /// When one of them is not live, or the object cannot be merged.
    pub fn merge(&self, object: &str, winner: &str, losers: &[&str]) -> Edited<()> {
        removal::merge(&mut self.lock(), object, winner, losers)
    }

    /// Adds a custom object with a `Name` and these fields. Nothing of it is tracked yet, but `X__History` is there.
    ///
    /// # Errors
    ///
    /// When the name does not end in `__c` or is taken, or a field is wrong.
    pub fn add_object(&self, name: &str, label: &str, fields: Vec<FieldSpec>) -> Edited<()> {
        schema::add_object(&mut self.lock(), name, label, fields)
    }

    /// Adds a field; rows keep their stamps.
    ///
    /// # Errors
    ///
    /// When the object has one of that name, or its formula does not resolve.
    pub fn add_field(&self, object: &str, spec: FieldSpec) -> Edited<()> {
        schema::add_field(&mut self.lock(), object, spec)
    }

    /// Takes a custom field away, with its values.
    ///
    /// # Errors
    ///
    /// When there is no such custom field.
    pub fn remove_field(&self, object: &str, field: &str) -> Edited<()> {
        schema::remove_field(&mut self.lock(), object, field)
    }

    /// Gives a custom field another API name; values stay.
    ///
    /// # Errors
    ///
    /// When there is no such custom field, or the name is taken.
    pub fn rename_field(&self, object: &str, field: &str, name: &str) -> Edited<()> {
        schema::rename_field(&mut self.lock(), object, field, name)
    }

    /// Hides a field from the integration user.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn hide_field(&self, object: &str, field: &str) -> Edited<()> {
        schema::set_hidden(&mut self.lock(), object, field, true)
    }

    /// Shows a hidden field again.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn unhide_field(&self, object: &str, field: &str) -> Edited<()> {
        schema::set_hidden(&mut self.lock(), object, field, false)
    }

    /// Gives a formula field another formula; values change, stamps do not.
    ///
    /// # Errors
    ///
    /// When there is no such formula field, or the formula does not resolve.
    pub fn change_formula(&self, object: &str, field: &str, formula: Formula) -> Edited<()> {
        schema::change_formula(&mut self.lock(), object, field, formula)
    }

    /// Takes rows out of the integration user's sight.
    ///
    /// # Errors
    ///
    /// When there is no such row.
    pub fn hide_rows(&self, object: &str, ids: &[&str]) -> Edited<()> {
        schema::share_rows(&mut self.lock(), object, ids, false)
    }

    /// Puts hidden rows back in sight.
    ///
    /// # Errors
    ///
    /// When there is no such row.
    pub fn unhide_rows(&self, object: &str, ids: &[&str]) -> Edited<()> {
        schema::share_rows(&mut self.lock(), object, ids, true)
    }

    /// Trims the delete log: it now begins two hours ago.
    ///
    /// # Errors
    ///
    /// When there is no such object.
    pub fn trim_delete_log(&self, object: &str) -> Edited<()> {
        let mut state = self.lock();
        let table = edit::find(&state, object)?;
        state.store.tables[table].log_start = state.now - 7_200;
        Ok(())
    }

    /// Arms a fault.
    pub fn arm(&self, fault: Fault) {
        self.lock().faults.push(Armed::new(fault));
    }

    /// Makes the next call that matches wait until the gate is opened.
    pub fn stall(&self, pattern: &str) -> Stall {
        let armed = Armed::new(Fault::once(FaultKind::Stall, pattern));
        let stall = armed.stall.clone().expect("a stall has a gate");
        self.lock().faults.push(armed);
        stall
    }

    /// Opens all gates.
    pub fn open_stalls(&self) {
        fault::open_stalls(&mut self.lock().faults);
    }

    /// Forgets all armed faults, opening all gates.
    pub fn disarm(&self) {
        self.open_stalls();
        self.lock().faults.clear();
    }

    /// Ends all sessions.
    pub fn expire_sessions(&self) {
        self.lock().auth.expire_sessions();
    }

    /// Withdraws the app's access: sessions end and no new one is given.
    pub fn revoke_grant(&self) {
        self.lock().auth.revoke();
    }

    /// Gives the app access again; the credentials hold a new refresh token.
    pub fn consent(&self) {
        let mut state = self.lock();
        let seed = state.options.seed;
        state.auth.consent(seed);
    }

    /// Whether sessions are refused by the REST API, however new they are.
    pub fn forbid_rest(&self, forbidden: bool) {
        self.lock().auth.rest_forbidden = forbidden;
    }

    /// Whether the app has a user to run as.
    pub fn set_run_as_user(&self, is_set: bool) {
        self.lock().auth.has_run_as_user = is_set;
    }

    /// Whether each refresh token works once.
    pub fn set_rotation(&self, rotate: bool) {
        self.lock().auth.rotate = rotate;
    }

    /// What kind of host answers at `login_url`.
    pub fn set_login_host(&self, host: LoginHost) {
        self.lock().auth.login_host = host;
    }

    /// How many REST calls are allowed in any 24 hours.
    pub fn set_daily_requests(&self, max: u64) {
        self.lock().quota.calls.max = max;
    }

    /// Changes how the Bulk API behaves; for jobs to come and those that are not done.
    pub fn set_bulk(&self, change: impl FnOnce(&mut BulkOptions)) {
        let mut state = self.lock();
        change(&mut state.options.bulk);
        let bulk = state.options.bulk;
        state.quota.bulk_jobs.max = bulk.daily_jobs;
        state.quota.bulk_kilobytes.max = bulk.daily_kilobytes;
    }

    /// Whether an object refuses bulk queries, besides those that always do.
    ///
    /// # Errors
    ///
    /// When there is no such object.
    pub fn refuse_bulk(&self, object: &str, refused: bool) -> Edited<()> {
        let mut state = self.lock();
        edit::find(&state, object)?;
        let name = object.to_lowercase();
        if refused {
            state.jobs.refused.insert(name);
        } else {
            state.jobs.refused.remove(&name);
        }
        Ok(())
    }

    /// Forgets all bulk jobs, with their results.
    pub fn drop_jobs(&self) {
        self.lock().jobs.clear();
    }

    /// Forgets all running queries, so that their locators are invalid.
    pub fn drop_cursors(&self) {
        self.lock().cursors.clear();
    }

    /// The calls received, oldest first, without those to `/_sim`.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.all()
    }

    /// Forgets the calls received.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }

    /// All rows of an object as they are now, by id; those in the bin with `IsDeleted`. Rows that cannot be seen
    /// yet or not any more are left out, hidden rows and fields are not.
    ///
    /// # Errors
    ///
    /// When there is no such object.
    pub fn truth(&self, object: &str) -> Edited<Vec<Fields>> {
        let state = self.lock();
        let moment = state.moment();
        rows(&state, edit::find(&state, object)?, &moment)
    }

    /// All rows as they were at `instant`, as the stamps tell it: changes count from their `SystemModstamp`,
    /// silent ones from when they were made.
    ///
    /// # Errors
    ///
    /// When there is no such object.
    pub fn truth_at(&self, object: &str, instant: DateTime<Utc>) -> Edited<Vec<Fields>> {
        let state = self.lock();
        let moment = Moment { as_of: Some(instant.timestamp()), ..state.moment() };
        rows(&state, edit::find(&state, object)?, &moment)
    }
}

fn rows(state: &State, index: usize, moment: &Moment) -> Edited<Vec<Fields>> {
    let table = &state.store.tables[index];
    let mut rows = Vec::new();
    let serials = table.segments(1, u64::MAX).flat_map(|segment| match segment {
        Segment::Run(first, last) => first..=last,
        Segment::One(serial) => serial..=serial,
    });
    for serial in serials {
        let Some(view) = table.view(serial, moment) else { continue };
        if view.life() == Life::Gone || !state.store.is_visible(index, &view, true, moment) {
            continue;
        }
        let mut text = String::from("{");
        for (slot, column) in table.columns.iter().enumerate() {
            if column.removed || matches!(column.origin, Origin::Compound) {
                continue;
            }
            if text.len() > 1 {
                text.push(',');
            }
            json::key(&column.spec.name, &mut text);
            state.store.value(index, &view, slot, moment).print(false, &mut text);
        }
        text.push('}');
        rows.push(
            serde_json::from_str(&text)
                .map_err(|error| edit::EditError::new("UNKNOWN_EXCEPTION", error.to_string()))?,
        );
    }
    Ok(rows)
}
