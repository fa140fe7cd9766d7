//! An org in the hands of a test: edits, the clock, faults, and the truth.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use crate::instant;
use crate::wire::{Call, Stall, fault};
use crate::zoho::auth::{CLIENT_ID, SCOPES};
use crate::zoho::edit::{self, Manner};
use crate::zoho::fault::{Armed, Fault, FaultKind};
use crate::zoho::field::{Choice, FieldSpec, Source};
use crate::zoho::input::{self, Fields};
use crate::zoho::module::{Access, Module, ModuleSpec};
use crate::zoho::options::{BulkOptions, Hypotheses, Options};
use crate::zoho::population::Population;
use crate::zoho::records::{Place, When};
use crate::zoho::state::State;
use crate::zoho::{look, truth};

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

    /// Adds a record and gives its id. `Created_Time` and `Modified_Time` may be back-dated; required fields may be
    /// left out.
    ///
    /// # Errors
    ///
    /// When a field is unknown or takes no such value.
    pub fn insert(&self, module: &str, fields: &Fields) -> Edited<String> {
        self.insert_late(module, fields, 0)
    }

    /// Adds a record that is stamped now but can be seen only `delay_secs` later. Gives its id.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_late(&self, module: &str, fields: &Fields, delay_secs: i64) -> Edited<String> {
        self.edit(module, |state, place| {
            let draft = input::draft(state, place, fields)?;
            let number = edit::insert(state, place, draft, Manner { delay_secs, ..Manner::default() })?;
            Ok(state.id_of(place, number).to_string())
        })
    }

    fn change(&self, module: &str, id: &str, fields: &Fields, manner: Manner) -> Edited<()> {
        self.edit_one(module, id, |state, place, number| {
            let draft = input::draft(state, place, fields)?;
            edit::update(state, place, number, draft, manner)
        })
    }

    /// Changes fields of a record: `Modified_Time` moves, unless only rows of a sub-form are given. Without fields it
    /// moves, too.
    ///
    /// # Errors
    ///
    /// When there is no such record, or a field does not take the value.
    pub fn update(&self, module: &str, id: &str, fields: &Fields) -> Edited<()> {
        self.change(module, id, fields, Manner::default())
    }

    /// The same, stamped now but seen only `delay_secs` later. What is saved in between is lost.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_late(&self, module: &str, id: &str, fields: &Fields, delay_secs: i64) -> Edited<()> {
        self.change(module, id, fields, Manner { delay_secs, ..Manner::default() })
    }

    /// Changes what a record holds, but not its time of change; also formulas. No history tells of it.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn change_silently(&self, module: &str, id: &str, fields: &Fields) -> Edited<()> {
        self.change(module, id, fields, Manner { silent: true, ..Manner::default() })
    }

    /// Changes these fields of all records, with one stamp; gives how many.
    ///
    /// # Errors
    ///
    /// When a field is unknown or takes no such value.
    pub fn mass_update(&self, module: &str, fields: &Fields) -> Edited<u64> {
        self.edit(module, |state, place| {
            let numbers: Vec<u64> = state.modules[place].records.numbers(When::Now).collect();
            for &number in &numbers {
                let draft = input::draft(state, place, fields)?;
                edit::update(state, place, number, draft, Manner::default())?;
            }
            Ok(numbers.len() as u64)
        })
    }

    /// Puts a record into the recycle bin.
    ///
    /// # Errors
    ///
    /// When there is no such record.
    pub fn delete(&self, module: &str, id: &str) -> Edited<()> {
        self.edit_one(module, id, edit::delete)
    }

    /// Takes a record out of the recycle bin.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn restore(&self, module: &str, id: &str) -> Edited<()> {
        self.edit_one(module, id, edit::restore)
    }

    /// Deletes a record for good, from the module or from the recycle bin.
    ///
    /// # Errors
    ///
    /// When it is gone, or never was.
    pub fn purge(&self, module: &str, id: &str) -> Edited<()> {
        self.edit_one(module, id, edit::purge)
    }

    /// Deletes a record so that no list tells of it.
    ///
    /// # Errors
    ///
    /// When there is no such record.
    pub fn vanish(&self, module: &str, id: &str) -> Edited<()> {
        self.edit_one(module, id, |state, place, number| {
            edit::send(state, place, number, Place::Live, Place::Gone, false)
        })
    }

    /// Merges records: the losers go to the recycle bin, and what looked them up looks up the winner.
    ///
    /// # Errors
    ///
    /// When a record is not there.
    pub fn merge(&self, module: &str, winner: &str, losers: &[&str]) -> Edited<()> {
        self.edit_one(module, winner, |state, place, number| {
            let loser = |id: &&str| state.number_in(place, id).ok_or_else(|| format!("{id} is no id in {module}"));
            let losers = losers.iter().map(loser).collect::<Result<Vec<u64>, String>>()?;
            edit::merge(state, place, number, &losers)
        })
    }

    /// Converts a lead: gives the ids of the account, the contact and the deal that it becomes.
    ///
    /// # Errors
    ///
    /// When there is no such lead.
    pub fn convert_lead(&self, lead: &str) -> Edited<[String; 3]> {
        let record = self.record("Leads", lead)?.ok_or_else(|| EditError { message: format!("no lead {lead}") })?;
        let fields = |value: Json| value.as_object().cloned().unwrap_or_default();
        let account = self.insert("Accounts", &fields(json!({"Account_Name": record["Company"]})))?;
        let contact = json!({"Full_Name": record["Full_Name"], "Last_Name": record["Last_Name"], "First_Name": record["First_Name"], "Email": record["Email"], "Account_Name": account});
        let contact = self.insert("Contacts", &fields(contact))?;
        let deal = json!({"Deal_Name": record["Company"], "Stage": "Qualification", "Type": "新規", "Account_Name": account, "Contact_Name": contact});
        let deal = self.insert("Deals", &fields(deal))?;
        let converted = json!({"Converted__s": true, "Converted_Date_Time": self.now().to_rfc3339(), "Converted_Account": account, "Converted_Contact": contact, "Converted_Deal": deal});
        self.update("Leads", lead, &fields(converted))?;
        Ok([account, contact, deal])
    }

    /// Moves a deal to another stage, which its history tells of.
    ///
    /// # Errors
    ///
    /// When there is no such deal.
    pub fn set_stage(&self, deal: &str, stage: &str) -> Edited<()> {
        self.update("Deals", deal, &Fields::from_iter([("Stage".to_owned(), stage.into())]))
    }

    /// Adds a module, without records.
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub fn add_module(&self, spec: &ModuleSpec) -> Edited<()> {
        let mut state = self.lock();
        if state.find(&spec.api_name).is_some() {
            return Err(EditError { message: format!("there is a module {}", spec.api_name) });
        }
        let number = state.modules.iter().map(|module| module.number).max().unwrap_or_default() + 1;
        let base = Population::none(state.options.at.timestamp());
        state.modules.push(Module::new(number, spec, base));
        Ok(())
    }

    /// What becomes of calls for the records of a module from now on.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn set_access(&self, module: &str, access: Access) -> Edited<()> {
        self.edit(module, |state, place| {
            state.modules[place].access = access;
            Ok(())
        })
    }

    /// Adds a field; records keep their stamps.
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub fn add_field(&self, module: &str, spec: FieldSpec) -> Edited<()> {
        self.edit(module, |state, place| {
            if state.modules[place].column(&spec.api_name).is_some() {
                return Err(format!("{module} has a field {}", spec.api_name));
            }
            state.modules[place].add(spec, Source::Stored, true);
            Ok(())
        })
    }

    /// Takes a field away, with its values; one added under the same name later does not have them.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn remove_field(&self, module: &str, field: &str) -> Edited<()> {
        self.edit(module, |state, place| {
            let columns = &mut state.modules[place].columns;
            let known = columns.iter().position(|column| column.name() == field);
            columns.remove(known.ok_or_else(|| format!("{module} has no field {field}"))?);
            Ok(())
        })
    }

    fn change_field(&self, module: &str, field: &str, change: impl FnOnce(&mut FieldSpec, &mut bool)) -> Edited<()> {
        self.edit(module, |state, place| {
            let column = state.modules[place].columns.iter_mut().find(|column| column.name() == field);
            let column = column.ok_or_else(|| format!("{module} has no field {field}"))?;
            change(&mut column.spec, &mut column.is_hidden);
            Ok(())
        })
    }

    /// Gives a field another API name; its values stay.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn rename_field(&self, module: &str, field: &str, name: &str) -> Edited<()> {
        self.change_field(module, field, |spec, _| name.clone_into(&mut spec.api_name))
    }

    /// Gives a field another label.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn relabel_field(&self, module: &str, field: &str, label: &str) -> Edited<()> {
        self.change_field(module, field, |spec, _| label.clone_into(&mut spec.label))
    }

    /// Gives a picklist other values; records keep what they hold.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn set_choices(&self, module: &str, field: &str, choices: Vec<Choice>) -> Edited<()> {
        self.change_field(module, field, |spec, _| spec.choices = choices)
    }

    /// Computes a field otherwise; no record moves.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn change_formula(&self, module: &str, field: &str, formula: crate::zoho::Formula) -> Edited<()> {
        self.change_field(module, field, |spec, _| spec.formula = Some(formula))
    }

    /// Hides a field from everybody but administrators, in the description and in records, or shows it again.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn hide_field(&self, module: &str, field: &str, is_hidden: bool) -> Edited<()> {
        self.change_field(module, field, |_, hidden| *hidden = is_hidden)
    }

    /// Hides records from everybody but administrators, as a change of sharing does, or shows them again.
    ///
    /// # Errors
    ///
    /// When there is no such module, or an id is none in it.
    pub fn hide_records(&self, module: &str, ids: &[&str], is_hidden: bool) -> Edited<()> {
        self.edit(module, |state, place| {
            for id in ids {
                let number = state.number_in(place, id).ok_or_else(|| format!("{id} is no id in {module}"))?;
                let hidden = &mut state.modules[place].hidden;
                if is_hidden {
                    hidden.insert(number)
                } else {
                    hidden.remove(&number)
                };
            }
            Ok(())
        })
    }

    /// A grant code of a Self Client, for these scopes (with commas between them).
    pub fn grant_code(&self, scope: &str, is_admin: bool) -> String {
        let mut state = self.lock();
        let now = state.now;
        state.auth.code(scope, is_admin, None, now)
    }

    /// An access token for these scopes (with commas between them), without asking the token endpoint.
    pub fn access_token(&self, scope: &str, is_admin: bool) -> String {
        let mut state = self.lock();
        let now = state.now;
        state.auth.access_token(scope, is_admin, now)
    }

    /// Ends all access tokens; refresh tokens stay.
    pub fn expire_sessions(&self) {
        self.lock().auth.expire_sessions();
    }

    /// Withdraws the grant of the connector's user, with its access tokens.
    pub fn revoke_grant(&self) {
        self.lock().auth.withdraw();
    }

    /// Consents again: gives the connector's user a new refresh token, which the credentials have from now on.
    pub fn consent(&self, scope: Option<&str>) -> String {
        self.lock().auth.consent(scope.unwrap_or(SCOPES))
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

    /// The ids of all records, rising.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn ids(&self, module: &str) -> Edited<Vec<String>> {
        self.edit(module, |state, place| {
            let numbers = state.modules[place].records.numbers(When::Now);
            Ok(numbers.map(|number| state.id_of(place, number).to_string()).collect())
        })
    }

    /// A record as it is now, in the form of [`truth`](Self::truth); `None` when it is in the recycle bin or gone.
    ///
    /// # Errors
    ///
    /// When there is no such module, or the id is none in it.
    pub fn record(&self, module: &str, id: &str) -> Edited<Option<Fields>> {
        self.edit_one(module, id, |state, place, number| {
            let view = state.modules[place].records.view(number, When::Now);
            Ok(view.map(|view| truth::record(state, place, &view)))
        })
    }

    /// All records as they are now, by id, in a form of their own: see the crate's README. Hidden records and fields
    /// are there; records that cannot be seen yet are not.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn truth(&self, module: &str) -> Edited<Vec<Fields>> {
        self.edit(module, |state, place| Ok(truth::records(state, place, When::Now)))
    }

    /// All records as they were at `instant`, with the present fields: records count from their `Created_Time`, changes
    /// from their `Modified_Time`, silent changes and deletions from when they were made. Formulas are computed by
    /// today's clock.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn truth_at(&self, module: &str, instant: DateTime<Utc>) -> Edited<Vec<Fields>> {
        let when = When::At(instant.timestamp());
        self.edit(module, |state, place| Ok(truth::records(state, place, when)))
    }

    /// The list of deleted records by now: `id`, `display_name`, `type`, `deleted_time`, `purged_time`.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn deletions(&self, module: &str) -> Edited<Vec<Json>> {
        self.edit(module, |state, place| Ok(truth::deletions(state, place)))
    }

    /// What a deal's stages were, oldest first: records of `DealHistory`.
    ///
    /// # Errors
    ///
    /// When the id is none of a deal.
    pub fn stage_history(&self, deal: &str) -> Edited<Vec<Fields>> {
        self.edit_one("Deals", deal, |state, place, number| {
            let history = find(state, "DealHistory")?;
            let records = &state.modules[history].records;
            let numbers = look::children(state, history, "Parent_Id", state.id_of(place, number), When::Now);
            let views = numbers.into_iter().filter_map(|number| records.view(number, When::Now));
            Ok(views.map(|view| truth::record(state, history, &view)).collect())
        })
    }
}
