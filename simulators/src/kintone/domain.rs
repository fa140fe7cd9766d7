//! A domain in the hands of a test: edits, the clock, faults, and the truth.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use crate::instant;
use crate::kintone::app::{App, AppSpec};
use crate::kintone::auth::{Caller, Rights};
use crate::kintone::canonical;
use crate::kintone::comments;
use crate::kintone::deploy;
use crate::kintone::edit::{self, Change};
use crate::kintone::events::Event;
use crate::kintone::fault::{Armed, Fault, FaultKind};
use crate::kintone::field::{FieldSpec, FieldType};
use crate::kintone::input::Care;
use crate::kintone::oauth;
use crate::kintone::options::{Hypotheses, Language, Options};
use crate::kintone::people::{ADMINISTRATOR, READER, STAFF};
use crate::kintone::query;
use crate::kintone::refusal::{Refusal, bad_query, no_app, no_field_in_settings, no_record};
use crate::kintone::state::State;
use crate::kintone::value::Value;
use crate::kintone::visit::Visit;
use crate::kintone::write::Draft;
use crate::wire::{Call, Stall, fault};

/// Fields of a record by their codes: plain JSON values (`"会社名": "青葉商事"`) or as the API has them
/// (`{"value": …}`). Numbers may be texts, people are their codes, rows of tables objects of fields, with `id` to
/// keep a row.
pub type Fields = Map<String, Json>;

/// Why an edit was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError {
    /// As the API names it.
    pub code: String,
    /// What is wrong, in English.
    pub message: String,
}

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for EditError {}

impl From<Refusal> for EditError {
    fn from(refusal: Refusal) -> Self {
        let places: Vec<String> =
            refusal.errors.iter().map(|(place, message)| format!(" {place}: {}", message.text(Language::En))).collect();
        let message = refusal.message.text(Language::En).to_owned() + &places.concat();
        EditError { code: refusal.code, message }
    }
}

type Edited<T> = Result<T, EditError>;

type Edit = Box<dyn FnOnce(&Domain) + Send>;

/// Edits that wait for their call: a part of the call's line, how many matching calls still pass, and the edit.
#[derive(Clone, Default)]
struct Hooks(Arc<Mutex<Vec<(String, u64, Edit)>>>);

/// A domain. Clones are the same domain.
#[derive(Clone)]
pub struct Domain {
    state: Arc<Mutex<State>>,
    hooks: Hooks,
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Domain").field(&self.lock().base_url).finish()
    }
}

fn find(state: &State, app: u64) -> Result<usize, Refusal> {
    state.apps.iter().position(|known| known.id == app).ok_or_else(|| no_app(app))
}

impl Domain {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        Domain { state: Arc::new(Mutex::new(State::new(options, port))), hooks: Hooks::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edit<T>(&self, app: u64, work: impl FnOnce(&mut State, usize) -> Result<T, Refusal>) -> Edited<T> {
        let mut state = self.lock();
        let place = find(&state, app)?;
        Ok(work(&mut state, place)?)
    }

    /// Where it is.
    pub fn base_url(&self) -> String {
        self.lock().base_url.clone()
    }

    /// What a connector needs to come in: `api_tokens` by app, `api_token` (all of them, with commas), `login` and
    /// `password` (a user whom access lists narrow), `admin_login` and `admin_password`, `oauth`, `basic`, `apps`.
    pub fn credentials(&self) -> Json {
        let state = self.lock();
        let live = || state.apps.iter().filter(|app| !app.is_deleted);
        let tokens: Map<String, Json> =
            live().filter_map(|app| Some((app.id.to_string(), state.reading_token(app.id)?.into()))).collect();
        let password = |code: &str| state.auth.person(code).and_then(|person| person.password.clone());
        let apps: Vec<Json> = live()
            .map(|app| json!({"app": app.id.to_string(), "name": app.live.name, "guest_space_id": app.guest_space.map(|space| space.to_string())}))
            .collect();
        let all: Vec<&str> = tokens.values().filter_map(Json::as_str).collect();
        json!({
            "base_url": state.base_url,
            "api_token": all.join(","),
            "api_tokens": tokens,
            "login": READER,
            "password": password(READER),
            "admin_login": ADMINISTRATOR,
            "admin_password": password(ADMINISTRATOR),
            "oauth": {
                "client_id": oauth::CLIENT_ID,
                "client_secret": state.auth.client_secret,
                "refresh_token": state.auth.grants.keys().next(),
                "authorization_url": format!("{}/oauth2/authorization", state.base_url),
                "token_url": format!("{}/oauth2/token", state.base_url),
                "scope": oauth::SCOPES,
            },
            "basic": state.options.basic.as_ref().map(|(login, password)| json!({"login": login, "password": password})),
            "apps": apps,
        })
    }

    /// What the domain's clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        instant::at(self.lock().now)
    }

    /// Sets the domain's clock; fractions of a second are cut off.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.lock().set_now(now.timestamp());
    }

    /// Moves the domain's clock on.
    pub fn advance(&self, secs: i64) {
        let mut state = self.lock();
        let now = state.now + secs;
        state.set_now(now);
    }

    /// Changes what is assumed where no document settles it.
    pub fn assume(&self, change: impl FnOnce(&mut Hypotheses)) {
        change(&mut self.lock().options.hypotheses);
    }

    /// Changes how the domain is set up, as far as that can change while it runs.
    pub fn set_options(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.lock().options);
    }

    /// Adds an app, live at once; gives its id. It has no token yet.
    pub fn create_app(&self, spec: AppSpec) -> u64 {
        self.lock().create_app(spec)
    }

    /// Deletes an app with all that is in it; it can be restored.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn delete_app(&self, app: u64) -> Edited<()> {
        self.edit(app, |state, place| {
            state.apps[place].is_deleted = true;
            Ok(())
        })
    }

    /// Brings a deleted app back, under its old id.
    ///
    /// # Errors
    ///
    /// When there was no such app.
    pub fn restore_app(&self, app: u64) -> Edited<()> {
        self.edit(app, |state, place| {
            state.apps[place].is_deleted = false;
            Ok(())
        })
    }

    /// Gives an app an app code, which record numbers then begin with; empty takes it away.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn set_app_code(&self, app: u64, code: &str) -> Edited<()> {
        self.edit(app, |state, place| {
            code.clone_into(&mut state.apps[place].code);
            Ok(())
        })
    }

    /// Puts an app into a guest space, or out of it.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn set_guest_space(&self, app: u64, space: Option<u64>) -> Edited<()> {
        self.edit(app, |state, place| {
            state.apps[place].guest_space = space;
            Ok(())
        })
    }

    /// Whether people without administrator's rights are kept out of an app.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn close_app(&self, app: u64, is_closed: bool) -> Edited<()> {
        self.edit(app, |state, place| {
            state.apps[place].is_closed = is_closed;
            Ok(())
        })
    }

    fn draft(state: &mut State, app: usize, id: Option<u64>, fields: &Fields) -> Result<Change, Refusal> {
        let draft = Draft { app, id, fields, place: "record", care: Care::Type, sets_stamps: true };
        let unknown = fields.keys().find(|code| state.apps[app].live.find(code).is_none());
        if let Some(code) = unknown {
            return Err(no_field_in_settings(code));
        }
        draft.read(state, Arc::from(STAFF[0].0))
    }

    /// Adds a record and gives its id. 作成日時 and 更新日時 may be back-dated. Required fields may be left out, as in
    /// records that are older than the rule.
    ///
    /// # Errors
    ///
    /// When a field is unknown or of another type, or a look-up finds nothing.
    pub fn insert(&self, app: u64, fields: &Fields) -> Edited<u64> {
        self.insert_late(app, fields, 0)
    }

    /// Adds a record that is stamped now but can be seen only `delay_secs` later. Gives its id.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_late(&self, app: u64, fields: &Fields, delay_secs: i64) -> Edited<u64> {
        self.edit(app, |state, place| {
            let change = Domain::draft(state, place, None, fields)?;
            edit::insert(state, place, Change { delay_secs, ..change }, None)
        })
    }

    /// Adds a record under an id that no record ever had.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert), and when the id was used before.
    pub fn insert_as(&self, app: u64, id: u64, fields: &Fields) -> Edited<()> {
        self.edit(app, |state, place| {
            if state.apps[place].records.was_there(id) {
                return Err(no_record(id));
            }
            let change = Domain::draft(state, place, None, fields)?;
            edit::insert(state, place, change, Some(id)).map(|_| ())
        })
    }

    /// Saves a record with these fields changed: revision and 更新日時 move, computed fields are computed. Without
    /// fields it is a save that changes nothing.
    ///
    /// # Errors
    ///
    /// When there is no such record, or a field does not take the value.
    pub fn update(&self, app: u64, id: u64, fields: &Fields) -> Edited<()> {
        self.update_late(app, id, fields, 0)
    }

    /// The same, stamped now but seen only `delay_secs` later. What is saved in between is lost.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_late(&self, app: u64, id: u64, fields: &Fields, delay_secs: i64) -> Edited<()> {
        self.edit(app, |state, place| {
            let change = Domain::draft(state, place, Some(id), fields)?;
            edit::update(state, place, id, Change { delay_secs, ..change }).map(|_| ())
        })
    }

    /// Changes what a record holds, but neither revision nor time; also fields that only a save fills in.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn change_silently(&self, app: u64, id: u64, fields: &Fields) -> Edited<()> {
        self.edit(app, |state, place| {
            let calculated: Vec<(u16, Json)> = fields
                .iter()
                .filter_map(|(code, value)| {
                    let column = state.apps[place].live.find(code)?;
                    (column.spec.field_type == FieldType::Calc).then(|| (column.slot, value.clone()))
                })
                .collect();
            let mut change = Domain::draft(state, place, Some(id), fields)?;
            for (slot, value) in calculated {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let number = crate::number::Decimal::parse(&text).map_or_else(|| Value::text(&text), Value::Num);
                change.values.insert(slot, number);
            }
            edit::update(state, place, id, Change { silent: true, ..change }).map(|_| ())
        })
    }

    /// Saves all records that a query (as in the API, empty for all) finds, in the same second; gives how many.
    ///
    /// # Errors
    ///
    /// When the query or a field is wrong.
    pub fn mass_update(&self, app: u64, filter: &str, fields: &Fields) -> Edited<u64> {
        self.edit(app, |state, place| {
            let ids = matching(state, place, filter)?;
            for &id in &ids {
                let change = Domain::draft(state, place, Some(id), fields)?;
                edit::update(state, place, id, change)?;
            }
            Ok(ids.len() as u64)
        })
    }

    /// Makes a record vanish.
    ///
    /// # Errors
    ///
    /// When there is no such record.
    pub fn delete(&self, app: u64, id: u64) -> Edited<()> {
        self.edit(app, |state, place| edit::delete(state, place, id))
    }

    /// Adds a comment to a record.
    ///
    /// # Errors
    ///
    /// When there is no such record.
    pub fn comment(&self, app: u64, id: u64, text: &str) -> Edited<()> {
        self.edit(app, |state, place| {
            state.apps[place].records.view(id, None).ok_or_else(|| no_record(id))?;
            comments::add(state, place, id, STAFF[1].0, text).map(|_| ())
        })
    }

    /// Changes the settings of an app and makes them live at once.
    fn settle(&self, app: u64, change: impl FnOnce(&mut App) -> Result<(), Refusal>) -> Edited<()> {
        self.edit(app, |state, place| {
            let now = state.now;
            let app = &mut state.apps[place];
            change(app)?;
            app.preview_mut().revision += 1;
            deploy::go_live(app, now);
            Ok(())
        })
    }

    /// Adds a field; records keep their revisions.
    ///
    /// # Errors
    ///
    /// When the code is taken, or the formula names what is not there.
    pub fn add_field(&self, app: u64, spec: FieldSpec) -> Edited<()> {
        self.settle(app, |app| deploy::add_field(app, spec))
    }

    /// Takes a field away, with its values; one added under the same code later does not have them.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn remove_field(&self, app: u64, code: &str) -> Edited<()> {
        self.settle(app, |app| deploy::remove(app, code))
    }

    /// Gives a field another code; values stay, formulas and look-ups of the app follow.
    ///
    /// # Errors
    ///
    /// When there is no such field, or the code is taken.
    pub fn rename_field(&self, app: u64, code: &str, new: &str) -> Edited<()> {
        self.settle(app, |app| deploy::rename(app, code, new))
    }

    /// Gives a field another label.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn relabel_field(&self, app: u64, code: &str, label: &str) -> Edited<()> {
        self.settle(app, |app| {
            let column = app.preview_mut().anywhere_mut(code).ok_or_else(|| no_field_in_settings(code))?;
            label.clone_into(&mut column.spec.label);
            Ok(())
        })
    }

    /// Switches categories on, or off again: records then have the field, or not.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn enable_categories(&self, app: u64, enabled: bool) -> Edited<()> {
        self.settle(app, |app| {
            let columns = app.preview_mut().columns.iter_mut();
            columns
                .filter(|column| column.spec.field_type == FieldType::Category)
                .for_each(|column| column.spec.enabled = enabled);
            Ok(())
        })
    }

    /// Gives a computed field another formula; records keep what they hold until they are saved.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn change_formula(&self, app: u64, code: &str, expression: &str) -> Edited<()> {
        self.settle(app, |app| {
            let column = app.preview_mut().anywhere_mut(code).ok_or_else(|| no_field_in_settings(code))?;
            expression.clone_into(&mut column.spec.expression);
            Ok(())
        })
    }

    /// Renames an option of a choice.
    ///
    /// # Errors
    ///
    /// When there is no such field or option.
    pub fn rename_option(&self, app: u64, code: &str, option: &str, new: &str) -> Edited<()> {
        let open = self.lock().options.hypotheses.clone();
        let now = self.lock().now;
        if open.option_rename_touches {
            let escaped = option.replace('\\', "\\\\").replace('"', "\\\"");
            self.mass_update(app, &format!("{code} in (\"{escaped}\")"), &Fields::new())?;
        }
        self.settle(app, |app| {
            let column = app.preview_mut().anywhere_mut(code).ok_or_else(|| no_field_in_settings(code))?;
            let known = column.spec.options.iter_mut().find(|known| *known == option);
            new.clone_into(known.ok_or_else(|| no_field_in_settings(option))?);
            if open.option_rename_rewrites {
                column.renamed.push((now, option.to_owned(), new.to_owned()));
            }
            Ok(())
        })
    }

    /// Hides a field from people without administrator's rights, or shows it again. API tokens always see it.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn hide_field(&self, app: u64, code: &str, is_hidden: bool) -> Edited<()> {
        self.edit(app, |state, place| {
            let app = &mut state.apps[place];
            app.live.find(code).ok_or_else(|| no_field_in_settings(code))?;
            if is_hidden {
                app.hidden_fields.insert(code.to_owned())
            } else {
                app.hidden_fields.remove(code)
            };
            Ok(())
        })
    }

    /// Hides records from people without administrator's rights, or shows them again. API tokens always see them.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn hide_records(&self, app: u64, ids: &[u64], is_hidden: bool) -> Edited<()> {
        self.edit(app, |state, place| {
            let hidden = &mut state.apps[place].hidden_records;
            for id in ids {
                if is_hidden {
                    hidden.insert(*id)
                } else {
                    hidden.remove(id)
                };
            }
            Ok(())
        })
    }

    /// Makes a token of an app, which works at once.
    pub fn add_token(&self, app: u64, rights: Rights) -> String {
        self.lock().add_token(app, rights)
    }

    /// Makes a token of an app that works only after the app's next deploy.
    pub fn add_undeployed_token(&self, app: u64, rights: Rights) -> String {
        let mut state = self.lock();
        let token = state.add_token(app, rights);
        if let Some(known) = state.auth.tokens.get_mut(&token) {
            known.is_deployed = false;
        }
        token
    }

    /// Takes a token away.
    pub fn remove_token(&self, token: &str) {
        self.lock().auth.tokens.remove(token);
    }

    /// A new OAuth access token with these scopes (with blanks between them).
    pub fn access_token(&self, scopes: &str) -> String {
        oauth::grant(&mut self.lock(), scopes.split_whitespace().map(str::to_owned).collect())
    }

    /// Ends all OAuth access tokens; refresh tokens stay.
    pub fn expire_sessions(&self) {
        self.lock().auth.sessions.clear();
    }

    /// Gives a person another password.
    pub fn set_password(&self, login: &str, password: &str) {
        let mut state = self.lock();
        state.auth.people.iter_mut().filter(|person| *person.code == *login).for_each(|person| {
            person.password = Some(password.to_owned());
        });
    }

    /// Whether a person needs a second factor, which keeps them from logging in with a password alone.
    pub fn set_two_factor(&self, login: &str, is_needed: bool) {
        let mut state = self.lock();
        state
            .auth
            .people
            .iter_mut()
            .filter(|person| *person.code == *login)
            .for_each(|person| person.two_factor = is_needed);
    }

    /// Gives a person, organization or group another name; records that name them read differently without a save.
    pub fn rename_person(&self, code: &str, name: &str) {
        let mut state = self.lock();
        state.auth.people.iter_mut().filter(|person| *person.code == *code).for_each(|person| {
            name.clone_into(&mut person.name);
        });
    }

    /// Makes an edit just before the `nth` (first: 1) call that matches is answered: between two pages, say. `pattern` is as
    /// in [`Fault`].
    pub fn before(&self, pattern: &str, nth: u64, edit: impl FnOnce(&Domain) + Send + 'static) {
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

    /// Forgets all cursors.
    pub fn drop_cursors(&self) {
        self.lock().cursors.clear();
    }

    /// How many cursors there are.
    pub fn live_cursors(&self) -> usize {
        let mut state = self.lock();
        let now = state.now;
        state.cursors.live(now)
    }

    /// How many requests to an app were counted today (in UTC).
    pub fn requests_today(&self, app: u64) -> u64 {
        let mut state = self.lock();
        let now = state.now;
        state.limits.today(app, now)
    }

    /// The most requests that ever ran at once.
    pub fn peak_concurrency(&self) -> u64 {
        self.lock().limits.peak
    }

    /// The webhooks that would have been sent, and how many were dropped for being too many in a minute.
    pub fn webhooks(&self) -> (Vec<Event>, u64) {
        let state = self.lock();
        (state.events.sent.iter().cloned().collect(), state.events.dropped)
    }

    /// Whether webhooks are sent twice, and for operations that should not send any.
    pub fn set_webhook_storm(&self, is_on: bool) {
        self.lock().events.storm = is_on;
    }

    /// The calls received, oldest first, without those to `/_sim`.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.all()
    }

    /// Forgets the calls received.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }

    /// The ids of all records, rising.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn ids(&self, app: u64) -> Edited<Vec<u64>> {
        self.edit(app, |state, place| Ok(state.apps[place].records.ids(1, u64::MAX).collect()))
    }

    /// All records as they are now, by id, in a form of their own: see the crate's README. Hidden records and fields are
    /// there; records that cannot be seen yet are not.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn truth(&self, app: u64) -> Edited<Vec<Fields>> {
        self.told(app, None)
    }

    /// All records as they were at `instant`, under the present field codes: records count from their 作成日時, saves from
    /// their 更新日時 (with its seconds), silent changes and deletions from when they were made.
    ///
    /// # Errors
    ///
    /// When there is no such app.
    pub fn truth_at(&self, app: u64, instant: DateTime<Utc>) -> Edited<Vec<Fields>> {
        self.told(app, Some(instant.timestamp()))
    }

    fn told(&self, app: u64, as_of: Option<i64>) -> Edited<Vec<Fields>> {
        self.edit(app, |state, place| {
            let app = &state.apps[place];
            let views = (1..=app.records.last_id()).filter_map(|id| app.records.view(id, as_of));
            Ok(views.map(|view| canonical::record(app, &view)).collect())
        })
    }
}

/// The ids that a query finds for someone who sees everything.
fn matching(state: &mut State, place: usize, filter: &str) -> Result<Vec<u64>, Refusal> {
    let parsed = query::parse(filter, false).ok_or_else(bad_query)?;
    let caller = Caller::User { code: Arc::from(ADMINISTRATOR), is_admin: true };
    let visit = Visit {
        state,
        caller,
        space: None,
        language: Language::En,
        is_preview: false,
        chance: 0,
        lose: 0,
        warning: false,
        rows: 0,
        is_part: false,
    };
    let app = &visit.state.apps[place];
    let plan = query::bind(&visit, app, &parsed)?;
    Ok(query::run(&visit, app, &plan, u64::MAX, false).ids)
}
