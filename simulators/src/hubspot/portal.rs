//! A portal in the hands of a test: the clock, faults, credentials and the calls it received.
//!
//! Its records are changed in [`editing`](super::editing), what it is made of in [`shaping`](super::shaping), and what
//! it holds is told in [`truth`](super::truth).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use crate::hubspot::auth::{CLIENT_ID, granted};
use crate::hubspot::fault::{Armed, Fault, FaultKind};
use crate::hubspot::options::{Hypotheses, Options};
use crate::hubspot::refusal::{Refusal, unknown_type};
use crate::hubspot::state::State;
use crate::hubspot::time::SECOND;
use crate::wire::{Call, Stall, fault};

/// Values of a record by the names of its properties. Numbers and booleans become texts, lists are joined by
/// semicolons, `null` takes a value away.
pub type Fields = Map<String, Json>;

/// Why an edit was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError {
    /// As the API names it: `VALIDATION_ERROR`, `OBJECT_NOT_FOUND`, ….
    pub category: String,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.category, self.message)
    }
}

impl std::error::Error for EditError {}

impl From<Refusal> for EditError {
    fn from(refusal: Refusal) -> Self {
        EditError { category: refusal.category.unwrap_or_default().to_owned(), message: refusal.message }
    }
}

pub(crate) type Edited<T> = Result<T, EditError>;

type Edit = Box<dyn FnOnce(&Portal) + Send>;

/// Edits that wait for their call: a part of the call's line, how many matching calls still pass, and the edit.
#[derive(Clone, Default)]
struct Hooks(Arc<Mutex<Vec<(String, u64, Edit)>>>);

/// A portal. Clones are the same portal.
#[derive(Clone)]
pub struct Portal {
    state: Arc<Mutex<State>>,
    hooks: Hooks,
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Portal").field(&self.lock().base_url).finish()
    }
}

impl Portal {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        Portal { state: Arc::new(Mutex::new(State::new(options, port))), hooks: Hooks::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on a type of that name.
    pub(crate) fn edit<T>(&self, name: &str, work: impl FnOnce(&mut State, usize) -> Result<T, Refusal>) -> Edited<T> {
        let mut state = self.lock();
        let place = state.find(name).ok_or_else(|| unknown_type(name))?;
        Ok(work(&mut state, place)?)
    }

    /// Where it is.
    pub fn base_url(&self) -> String {
        self.lock().base_url.clone()
    }

    /// What a connector needs to come in: `base_url`, `private_token`, `oauth` with `client_id`, `client_secret`,
    /// `refresh_token`, `token_url` and `scopes`, `portal_id`, `objects`.
    pub fn credentials(&self) -> Json {
        let state = self.lock();
        let private = state.auth.tokens.get(&state.auth.private);
        let scopes: Vec<String> = private.map(|token| granted(&state, token)).into_iter().flatten().collect();
        let objects: Vec<Json> = state
            .objects
            .iter()
            .map(|object| json!({"name": object.kind.name, "type_id": object.kind.type_id, "label": object.kind.labels.1}))
            .collect();
        json!({
            "base_url": state.base_url,
            "private_token": state.auth.private,
            "oauth": {
                "client_id": CLIENT_ID,
                "client_secret": state.auth.client_secret,
                "refresh_token": state.auth.refresh,
                "token_url": format!("{}/oauth/2026-09/token", state.base_url),
                "scopes": scopes,
            },
            "portal_id": state.options.portal_id,
            "objects": objects,
        })
    }

    /// What the portal's clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.lock().now).unwrap_or_default()
    }

    /// Sets the portal's clock; fractions of a millisecond are cut off.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.lock().set_now(now.timestamp_millis());
    }

    /// Moves the portal's clock on.
    pub fn advance(&self, secs: i64) {
        self.advance_millis(secs * SECOND);
    }

    /// Moves the portal's clock on by so many milliseconds.
    pub fn advance_millis(&self, millis: i64) {
        let mut state = self.lock();
        let now = state.now + millis;
        state.set_now(now);
    }

    /// Changes what is assumed where no document settles it.
    pub fn assume(&self, change: impl FnOnce(&mut Hypotheses)) {
        change(&mut self.lock().options.hypotheses);
    }

    /// Changes how the portal is set up, as far as that can change while it runs.
    pub fn set_options(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.lock().options);
    }

    /// After how many seconds searches find from now on what is written. What they find already, they still find.
    pub fn set_index_lag(&self, secs: i64) {
        let mut state = self.lock();
        state.index_moment();
        state.options.index_lag_secs = secs;
    }

    /// Brings the index of searches up to now.
    pub fn reindex(&self) {
        self.lock().reindex();
    }

    /// A new private token with these scopes.
    pub fn add_token(&self, scopes: &[&str]) -> String {
        self.lock().auth.add_private(scopes.iter().map(|scope| (*scope).to_owned()).collect())
    }

    /// Rotates the private token of the credentials; the old one is good for so many seconds still. Gives the new one.
    pub fn rotate_token(&self, grace_secs: i64) -> String {
        let mut state = self.lock();
        let now = state.now;
        state.auth.rotate(now, grace_secs * SECOND)
    }

    /// Takes a token away, private or not.
    pub fn remove_token(&self, token: &str) {
        self.lock().auth.tokens.remove(token);
    }

    /// A new access token of the OAuth app, with all scopes.
    pub fn access_token(&self) -> String {
        let mut state = self.lock();
        let (now, refresh) = (state.now, state.auth.refresh.clone());
        let scopes = state.auth.grants.get(&refresh).cloned().unwrap_or_default();
        state.auth.issue(scopes, now)
    }

    /// Ends all access tokens of the OAuth app; the refresh token stays.
    pub fn expire_sessions(&self) {
        let mut state = self.lock();
        let now = state.now;
        let sessions = state.auth.tokens.values_mut().filter(|token| token.is_oauth);
        sessions.for_each(|token| token.expires = Some(now));
    }

    /// The OAuth app is uninstalled: all its tokens end.
    pub fn revoke_grant(&self) {
        let mut state = self.lock();
        state.auth.grants.clear();
        state.auth.tokens.retain(|_, token| !token.is_oauth);
    }

    /// The OAuth app is installed again, which gives a new refresh token.
    pub fn consent(&self) -> String {
        let mut state = self.lock();
        let scopes = crate::hubspot::auth::SCOPES.map(str::to_owned).into();
        state.auth.consent(scopes)
    }

    /// A code as the page of consent gives it.
    pub fn consent_code(&self) -> String {
        self.lock().auth.code()
    }

    /// Takes a scope from all tokens.
    pub fn revoke_scope(&self, scope: &str) {
        self.lock().missing_scopes.insert(scope.to_owned());
    }

    /// Gives it back, or gives one of those that nobody has from the start (`crm.objects.TYPE.sensitive.read.v2`).
    pub fn grant_scope(&self, scope: &str) {
        self.lock().missing_scopes.remove(scope);
    }

    /// Makes an edit just before the `nth` (first: 1) call that matches is answered: between two pages, say. `pattern` is as
    /// in [`Fault`].
    pub fn before(&self, pattern: &str, nth: u64, edit: impl FnOnce(&Portal) + Send + 'static) {
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

    /// How many calls of private apps count to the account's day so far.
    pub fn calls_today(&self) -> u64 {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.limits.today(state.now, &state.options)
    }

    /// The most requests that ever ran at once.
    pub fn peak_concurrency(&self) -> u64 {
        self.lock().limits.peak
    }

    /// The most searches that came in a second of the portal's clock, since the calls were last forgotten.
    pub fn most_searches_per_second(&self) -> u64 {
        self.lock().limits.most_searches
    }

    /// The calls received, oldest first, without those to `/_sim`.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.all()
    }

    /// Forgets the calls received.
    pub fn clear_calls(&self) {
        let mut state = self.lock();
        state.calls.clear();
        state.limits.forget_searches();
    }
}
