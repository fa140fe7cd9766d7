//! The core systems in the hands of a test: edits, the clock, faults, and the truth.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use crate::core::auth::{CLIENT_ID, LOGIN};
use crate::core::edit::{Edited, Manner, kind};
use crate::core::fault::{Armed, Fault, FaultKind};
use crate::core::kaikei::TOKEN_PATH;
use crate::core::options::Options;
use crate::core::state::State;
use crate::instant;
use crate::wire::{Call, Stall, fault};

type Edit = Box<dyn FnOnce(&Core) + Send>;

/// Edits that wait for their call: its pattern, how many matching calls still pass, and the edit.
#[derive(Clone, Default)]
struct Hooks(Arc<Mutex<Vec<(String, u64, Edit)>>>);

/// The core systems. Clones are the same systems.
///
/// A collection is one of `contracts` (keys like `K0000001`), `lines` (of contracts), `invoices`, `partners`,
/// `accounts` (numbers), `plans` (`P1`) and `usage` (`C01003/2026-10-01`). Fields are a JSON object as text, which
/// [`serde_json::json!`] prints too; written by hand, their numbers reach the wire digit by digit (`{"月額": 1000.50}`).
#[derive(Clone)]
pub struct Core {
    state: Arc<Mutex<State>>,
    hooks: Hooks,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Core").field(&self.lock().base_url).finish()
    }
}

impl Core {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        Core { state: Arc::new(Mutex::new(State::new(options, port))), hooks: Hooks::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where they are.
    pub fn base_url(&self) -> String {
        self.lock().base_url.clone()
    }

    /// What a connector needs to come in: `keiyaku` (`api_key`, or `login` and `password`), `kaikei` (`token_url`,
    /// `client_id`, `client_secret`, `refresh_token`: the newest) and `usage` (`token`, `signing_secret`), each with its
    /// `base_url`.
    pub fn credentials(&self) -> Json {
        let state = self.lock();
        let (base, auth) = (&state.base_url, &state.auth);
        json!({
            "keiyaku": {
                "base_url": format!("{base}/keiyaku/v1"), "api_key": auth.api_key, "login": LOGIN, "password": auth.password,
            },
            "kaikei": {
                "base_url": format!("{base}/kaikei/api/1"), "token_url": format!("{base}{TOKEN_PATH}"),
                "client_id": CLIENT_ID, "client_secret": auth.client_secret, "refresh_token": auth.refresh_token,
            },
            "usage": {
                "base_url": format!("{base}/usage/v2"), "token": auth.usage_token, "signing_secret": auth.signing_secret,
            },
        })
    }

    /// What the clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        instant::at(self.lock().now)
    }

    /// Sets the clock; it should not run backwards past edits.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.lock().now = now.timestamp();
    }

    /// Moves the clock on.
    pub fn advance(&self, seconds: i64) {
        self.lock().now += seconds;
    }

    /// The codes of the customers, in the order in which contracts go round them.
    pub fn customers(&self) -> Vec<String> {
        self.lock().world.clients.iter().map(|client| client.code().to_owned()).collect()
    }

    /// A new record, stamped now; gives its key.
    ///
    /// # Errors
    ///
    /// For a collection that there is not or that is edited only, and for fields that are no JSON object.
    pub fn add(&self, collection: &str, fields: impl Display) -> Edited<String> {
        self.lock().add(kind(collection)?, &fields.to_string(), Manner::default())
    }

    /// A new record that is stamped now, and seen only `delay` seconds later.
    ///
    /// # Errors
    ///
    /// As for [`add`](Self::add).
    pub fn add_late(&self, collection: &str, fields: impl Display, delay: i64) -> Edited<String> {
        self.lock().add(kind(collection)?, &fields.to_string(), Manner { delay_secs: delay, ..Manner::default() })
    }

    /// Changes some fields of a record, and its stamp.
    ///
    /// # Errors
    ///
    /// For a record that there is not, and for fields that are no JSON object.
    pub fn edit(&self, collection: &str, key: &str, fields: impl Display) -> Edited<()> {
        self.lock().edit(kind(collection)?, key, &fields.to_string(), Manner::default())
    }

    /// The same, stamped now, and seen only `delay` seconds later.
    ///
    /// # Errors
    ///
    /// As for [`edit`](Self::edit).
    pub fn edit_late(&self, collection: &str, key: &str, fields: impl Display, delay: i64) -> Edited<()> {
        let manner = Manner { delay_secs: delay, ..Manner::default() };
        self.lock().edit(kind(collection)?, key, &fields.to_string(), manner)
    }

    /// The same, and the stamp stays, as when somebody writes into the database by hand.
    ///
    /// # Errors
    ///
    /// As for [`edit`](Self::edit).
    pub fn change_silently(&self, collection: &str, key: &str, fields: impl Display) -> Edited<()> {
        let manner = Manner { silent: true, ..Manner::default() };
        self.lock().edit(kind(collection)?, key, &fields.to_string(), manner)
    }

    /// Puts other lines in a contract (a JSON array); the contract's stamp stays.
    ///
    /// # Errors
    ///
    /// For a contract that there is not, and for lines that are no JSON array.
    pub fn set_lines(&self, contract: &str, lines: impl Display) -> Edited<()> {
        self.lock().set_lines(contract, &lines.to_string())
    }

    /// Removes a record as its system does: invoices stay as `deleted`, all others vanish.
    ///
    /// # Errors
    ///
    /// For a record that there is not.
    pub fn delete(&self, collection: &str, key: &str) -> Edited<()> {
        self.lock().delete(kind(collection)?, key)
    }

    /// Removes a record without a trace, also an invoice.
    ///
    /// # Errors
    ///
    /// For a record that there is not.
    pub fn erase(&self, collection: &str, key: &str) -> Edited<()> {
        self.lock().erase(kind(collection)?, key)
    }

    /// All records of a collection as they are, in the order of their keys. Numbers are texts as they are written on
    /// the wire; lines have the number of their contract; of usage all days up to today.
    ///
    /// # Errors
    ///
    /// For a collection that there is not.
    pub fn truth(&self, collection: &str) -> Edited<Vec<Map<String, Json>>> {
        let state = self.lock();
        Ok(state.truth(kind(collection)?, state.now))
    }

    /// The same as it was at an instant: edits count from when they were made, late ones too.
    ///
    /// # Errors
    ///
    /// For a collection that there is not.
    pub fn truth_at(&self, collection: &str, at: DateTime<Utc>) -> Edited<Vec<Map<String, Json>>> {
        Ok(self.lock().truth(kind(collection)?, at.timestamp()))
    }

    /// Ends all access tokens of the accounting API.
    pub fn expire_sessions(&self) {
        self.lock().auth.sessions.clear();
    }

    /// Lets everybody in again after `revoked`; gives a new refresh token of the accounting API.
    pub fn consent(&self) -> String {
        let mut state = self.lock();
        state.auth.revoked.clear();
        state.auth.consent()
    }

    /// Limits the calls of the accounting API in a minute of the clock.
    pub fn limit_calls(&self, calls_a_minute: Option<u64>) {
        self.lock().options.calls_a_minute = calls_a_minute;
    }

    /// Makes an edit just before the `nth` (first: 1) call that matches is answered: between two pages, say. `pattern` is
    /// as in [`Fault`].
    pub fn before(&self, pattern: &str, nth: u64, edit: impl FnOnce(&Core) + Send + 'static) {
        let hook = (pattern.to_owned(), nth.saturating_sub(1), Box::new(edit) as Edit);
        self.hooks.0.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Makes the edits whose call has come.
    pub(crate) fn run_hooks(&self, line: &str) {
        let mut due = Vec::new();
        {
            let mut hooks = self.hooks.0.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = std::mem::take(&mut *hooks);
            for (pattern, left, edit) in waiting {
                match (fault::matches(line, &pattern), left) {
                    (true, 0) => due.push(edit),
                    (true, _) => hooks.push((pattern, left - 1, edit)),
                    (false, _) => hooks.push((pattern, left, edit)),
                }
            }
        }
        due.into_iter().for_each(|edit| edit(self));
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

    /// The newest calls, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.all()
    }

    /// Forgets the calls.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }
}
