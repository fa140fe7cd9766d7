//! Everything an org knows.

use std::sync::{Mutex, Weak};

use crate::salesforce::auth::Auth;
use crate::salesforce::bulk::Jobs;
use crate::salesforce::cursor::Cursors;
use crate::salesforce::edit::Pending;
use crate::salesforce::fault::Armed;
use crate::salesforce::instant::DAY;
use crate::salesforce::options::Options;
use crate::salesforce::population::{Population, USER_COUNT, org_name, person};
use crate::salesforce::quota::Quota;
use crate::salesforce::store::Store;
use crate::salesforce::table::{Moment, Table};
use crate::salesforce::{catalogue, edit, history};
use crate::wire::CallLog;

/// An org.
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) store: Store,
    /// The number of the last change.
    pub(crate) seq: u64,
    /// The org's clock, in seconds since 1970.
    pub(crate) now: i64,
    pub(crate) pending: Vec<Pending>,
    pub(crate) auth: Auth,
    pub(crate) quota: Quota,
    pub(crate) cursors: Cursors,
    pub(crate) jobs: Jobs,
    pub(crate) faults: Vec<Armed>,
    pub(crate) calls: CallLog,
    /// Rises whenever something is left to chance, so that chance can be repeated.
    pub(crate) chance: u64,
    /// `http://127.0.0.1:port`.
    pub(crate) base_url: String,
    /// `http://localhost:port`.
    pub(crate) login_url: String,
    /// Where all this is kept, for answers that are made while they are sent.
    pub(crate) own: Weak<Mutex<State>>,
}

impl State {
    pub(crate) fn new(options: Options, port: u16, own: &Weak<Mutex<State>>) -> Self {
        let at = options.at.timestamp();
        let tables = catalogue::objects(&options.features)
            .into_iter()
            .map(|spec| {
                let count = if spec.name == "Account" { options.records } else { 0 };
                Table::new(spec, Population { seed: options.seed, count, at, foreign: options.foreign_percent })
            })
            .collect();
        let mut state = State {
            auth: Auth::new(&options),
            quota: Quota::new(&options),
            jobs: Jobs::default(),
            own: own.clone(),
            store: Store { tables, history_secs: options.history_days * DAY },
            options,
            seq: 0,
            now: at,
            pending: Vec::new(),
            cursors: Cursors::default(),
            faults: Vec::new(),
            calls: CallLog::default(),
            chance: 0,
            base_url: format!("http://127.0.0.1:{port}"),
            login_url: format!("http://localhost:{port}"),
        };
        state.resolve_formulas();
        history::set_up(&mut state);
        state.settle_in();
        state
    }

    /// What a reader who comes now sees.
    pub(crate) fn moment(&self) -> Moment {
        Moment { seq: self.seq, now: self.now, as_of: None }
    }

    /// Something that nobody can rely on, but that a second run with the same seed repeats.
    pub(crate) fn next_chance(&mut self) -> u64 {
        self.chance += 1;
        crate::chance::mix(self.options.seed, self.chance, 7)
    }

    /// Moves the clock; what was committed late until then becomes visible.
    pub(crate) fn set_now(&mut self, now: i64) {
        self.now = now;
        self.commit_pending();
    }

    fn resolve_formulas(&mut self) {
        for table in 0..self.store.tables.len() {
            for slot in 0..self.store.tables[table].columns.len() {
                let spec = &self.store.tables[table].columns[slot].spec;
                let Some(formula) = spec.formula.clone() else { continue };
                let calc =
                    self.store.resolve(table, &formula, spec.scale).expect("built-in formulas name built-in fields");
                self.store.tables[table].columns[slot].calcs.push((0, i64::MIN, calc));
            }
        }
    }

    /// The people and the organization that every org has.
    fn settle_in(&mut self) {
        let seed = self.options.seed;
        let company = org_name(seed);
        let born = self.now - 5 * 365 * 86_400;
        for number in 1..=USER_COUNT {
            let (family, given) = person(seed, number);
            let title = if number == 1 { "連携ユーザー" } else { "カスタマーサクセス" };
            let name = if number == 1 { "システム連携".to_owned() } else { format!("{family} {given}") };
            let user = serde_json::json!({
                "Username": format!("user{number}@cloud.example.co.jp"), "LastName": family, "FirstName": given,
                "Name": name, "Email": format!("user{number}@cloud.example.co.jp"), "IsActive": true, "Title": title,
                "Department": "CS 部", "TimeZoneSidKey": "Asia/Tokyo", "LocaleSidKey": "ja_JP", "LanguageLocaleKey": "ja",
            });
            self.settle("User", user, born);
        }
        let organization = serde_json::json!({
            "Name": company, "OrganizationType": "Enterprise Edition", "IsSandbox": false, "InstanceName": "AP5",
            "TimeZoneSidKey": "Asia/Tokyo", "DefaultLocaleSidKey": "ja_JP", "FiscalYearStartMonth": 4,
        });
        self.settle("Organization", organization, born);
        if self.options.features.multi_currency {
            let rates = [("JPY", "1", 0, true), ("USD", "0.0066", 2, false), ("EUR", "0.0057", 2, false)];
            for (code, rate, places, corporate) in rates {
                let currency = serde_json::json!({
                    "IsoCode": code, "ConversionRate": rate, "DecimalPlaces": places, "IsActive": true, "IsCorporate": corporate,
                });
                self.settle("CurrencyType", currency, born);
            }
        }
    }

    fn settle(&mut self, object: &str, fields: serde_json::Value, born: i64) {
        let serde_json::Value::Object(fields) = fields else { return };
        let now = std::mem::replace(&mut self.now, born);
        edit::insert(self, object, &fields).expect("built-in rows fit their objects");
        self.now = now;
    }
}
