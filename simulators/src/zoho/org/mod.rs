//! An org in the hands of a test: edits, the clock, faults, and the truth.

mod records;
mod settings;
mod truth;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use crate::instant;
use crate::wire::{Call, Stall, fault};
use crate::zoho::auth::{CLIENT_ID, SCOPES};
use crate::zoho::fault::{Armed, Fault, FaultKind};
use crate::zoho::options::{BulkOptions, Hypotheses, Options};
use crate::zoho::state::State;

/// Why an edit was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError {
    /// What is wrong, in English.
    pub message: String,
}

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EditError {}

type Edited<T> = Result<T, EditError>;

type Edit = Box<dyn FnOnce(&Org) + Send>;

/// Edits that wait for their call: a part of the call's line, how many matching calls still pass, and the edit.
#[derive(Clone, Default)]
struct Hooks(Arc<Mutex<Vec<(String, u64, Edit)>>>);

/// An org. Clones are the same org. Records are named by their module's API name and their id.
#[derive(Clone)]
pub struct Org {
    state: Arc<Mutex<State>>,
    hooks: Hooks,
}

impl std::fmt::Debug for Org {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Org").field(&self.base_url()).finish()
    }
}

fn find(state: &State, module: &str) -> Result<usize, String> {
    state.find(module).ok_or_else(|| format!("there is no module {module}"))
}

impl Org {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        Org { state: Arc::new(Mutex::new(State::new(options, port))), hooks: Hooks::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edit<T>(&self, module: &str, work: impl FnOnce(&mut State, usize) -> Result<T, String>) -> Edited<T> {
        let mut state = self.lock();
        let result = find(&state, module).and_then(|place| work(&mut state, place));
        result.map_err(|message| EditError { message })
    }

    fn edit_one<T>(
        &self,
        module: &str,
        id: &str,
        work: impl FnOnce(&mut State, usize, u64) -> Result<T, String>,
    ) -> Edited<T> {
        self.edit(module, |state, place| {
            let number = state.number_in(place, id).ok_or_else(|| format!("{id} is no id in {module}"))?;
            work(state, place, number)
        })
    }

    /// Where the API is.
    pub fn base_url(&self) -> String {
        self.lock().urls().0
    }

    /// What a connector needs to come in: `accounts_url` (another host than the API), `api_domain`, `client_id`,
    /// `client_secret`, `refresh_token` (of a user from whom fields, records and modules can be hidden), and
    /// `admin_refresh_token` (of one who sees all).
    pub fn credentials(&self) -> Json {
        let state = self.lock();
        let (api, accounts) = state.urls();
        json!({
            "base_url": api, "api_domain": api, "accounts_url": accounts, "client_id": CLIENT_ID,
            "client_secret": state.auth.client_secret, "refresh_token": state.auth.refresh_token,
            "admin_refresh_token": state.auth.admin_refresh_token, "scope": SCOPES, "zgid": state.zgid.to_string(),
            "data_center": "jp", "version": "v8",
        })
    }

    /// What the org's clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        instant::at(self.lock().now)
    }

    /// Sets the org's clock; fractions of a second are cut off. It should not run backwards past changes.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.lock().set_now(now.timestamp());
    }

    /// Moves the org's clock on.
    pub fn advance(&self, secs: i64) {
        let mut state = self.lock();
        let now = state.now + secs;
        state.set_now(now);
    }

    /// Changes what is assumed where no document settles it.
    pub fn assume(&self, change: impl FnOnce(&mut Hypotheses)) {
        change(&mut self.lock().options.hypotheses);
    }

    /// Changes how bulk read jobs go.
    pub fn set_bulk(&self, bulk: BulkOptions) {
        self.lock().options.bulk = bulk;
    }

    /// Sets the credits of 24 hours; `None` takes those of the edition.
    pub fn set_credits(&self, credits: Option<u64>) {
        self.lock().options.credits = credits;
    }

    /// Makes an edit just before the `nth` (first: 1) call that matches is answered: between two pages, say. `pattern` is as
    /// in [`Fault`].
    pub fn before(&self, pattern: &str, nth: u64, edit: impl FnOnce(&Org) + Send + 'static) {
        let hook = (pattern.to_owned(), nth.saturating_sub(1), Box::new(edit) as Edit);
        self.hooks.0.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Makes the edits whose call has come.
    pub(crate) fn run_hooks(&self, line: &str) {
        let mut due = Vec::new();
        {
            let mut hooks = self.hooks.0.lock().unwrap_or_else(PoisonError::into_inner);
            let mut place = 0;
            while place < hooks.len() {
                let (pattern, left, _) = &mut hooks[place];
                match (fault::matches(line, pattern), *left) {
                    (true, 0) => due.push(hooks.remove(place).2),
                    (true, _) => {
                        *left -= 1;
                        place += 1;
                    }
                    (false, _) => place += 1,
                }
            }
        }
        due.into_iter().for_each(|edit| edit(self));
    }

    /// Arms a fault.
    pub fn arm(&self, fault: Fault) {
        self.lock().faults.push(Armed::new(fault));
    }

    /// Makes the next call that matches wait until the gate is opened; it counts as running meanwhile.
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

    /// Forgets all page tokens.
    pub fn drop_page_tokens(&self) {
        self.lock().pages.clear();
    }

    /// Forgets all bulk read jobs and their tokens.
    pub fn drop_jobs(&self) {
        self.lock().jobs.clear();
    }

    /// The most requests that ever ran at once.
    pub fn peak_concurrency(&self) -> u64 {
        self.lock().limits.peak
    }

    /// How many requests run right now, those at a gate included.
    pub fn running(&self) -> u64 {
        self.lock().limits.running
    }

    /// The credits that the last 24 hours took.
    pub fn credits_used(&self) -> u64 {
        let mut state = self.lock();
        let now = state.now;
        state.limits.used(now)
    }

    /// How often the token endpoint was asked to refresh, refusals included.
    pub fn refresh_count(&self) -> u64 {
        self.lock().auth.refreshes
    }

    /// The calls received, oldest first, without those to `/_sim`.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.all()
    }

    /// Forgets the calls received.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }
}
