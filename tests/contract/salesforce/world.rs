//! A simulated org as a world of the suite: its accounts.

use std::sync::{Arc, Mutex};

use nenrin::clock::Timestamp;
use nenrin::error::ErrorKind;
use nenrin::record::StreamId;
use serde_json::{Value, json};
use simulators::salesforce::{
    Fault, FaultKind, FieldSpec, FieldType, Fields, Options, Org, Server, Stall, parse_fault,
};

use crate::contract::world::{
    Ability, Call, Facts, Form, Sample, Seen, Setup, SignIn, System, Trouble, Truth, World, coped, ends,
};
use crate::support::org::text;

const OBJECT: &str = "Account";
/// The requests that pages come with.
const PAGES: &str = "/query";
/// The fewest records that can be asked for per page; the org may send fewer.
const FEWEST_ROWS: u64 = 200;
/// From here on the truth is not told exactly: its numbers come as floating-point ones.
const INEXACT: f64 = 1e13;

pub(crate) const SYSTEM: System = System {
    start: |setup| Box::pin(async move { Arc::new(Accounts::start(setup).await) as Arc<dyn World> }),
    facts: &Facts {
        name: "salesforce",
        most_rows: 2_000,
        asked_besides: &[(Call::SignIn, 1), (Call::Description, 1), (Call::Clock, 1)],
        asked_by_passes: &[],
        lag_secs: 301,
        late_secs: 840,
        sweep_secs: 7 * 86_400,
        sweep_finds_changes: false,
        sweeps_are_passes: false,
        records_tell_merges: false,
        windows_tell_keys: false,
        grain_secs: 1,
        deleted: "deleted",
        tells_deletes: true,
        stops_without_a_field: false,
        lacks: &[
            (Ability::Archive, "only activities are archived, and those are not simulated yet"),
            (Ability::AskForPause, "Salesforce never sends the header"),
        ],
        forms,
    },
};

fn forms(trouble: Trouble) -> Vec<Form> {
    match trouble {
        Trouble::Throttled => vec![coped("concurrent-limit"), coped("429")],
        Trouble::Unavailable => {
            vec![coped("unavailable"), coped("unknown"), coped("empty=503"), coped("406"), coped("420"), coped("reset")]
        }
        Trouble::Html => vec![coped("html=200"), coped("html=420"), coped("502"), coped("503"), coped("504")],
        Trouble::Truncated => vec![coped("cut-chunked=3000"), coped("cut-length=3000"), coped("cut-json=3000")],
        Trouble::Repeated => vec![coped("repeat")],
        Trouble::Lacking => vec![coped("short=7"), coped("lose=3")],
        Trouble::UsedUp => vec![ends("daily-limit", ErrorKind::Quota)],
    }
}

/// The accounts of an org.
struct Accounts {
    server: Server,
    org: Org,
    setup: Setup,
    /// Fields that are hidden from the user.
    hidden: Mutex<Vec<String>>,
}

impl Accounts {
    async fn start(setup: Setup) -> Accounts {
        let options = Options {
            seed: setup.seed,
            records: setup.records,
            at: setup.at.to_datetime(),
            page_size: usize::try_from(setup.page_rows).unwrap(),
            ragged_pages: setup.seed.is_multiple_of(2),
            rotate_refresh_tokens: setup.sign_in == SignIn::Renewed,
            ..Options::default()
        };
        let server = Server::start(options).await.unwrap();
        let org = server.org();
        Accounts { server, org, setup, hidden: Mutex::default() }
    }

    fn rows(&self, rows: Vec<Fields>) -> Truth {
        let hidden = self.hidden.lock().unwrap();
        let living = rows.into_iter().filter(|row| row["IsDeleted"] != true);
        let record = |row: Fields| {
            let key = row["Id"].as_str().unwrap().to_owned();
            let is_told = |value: &Value| value.as_f64().is_none_or(|number| number.abs() < INEXACT);
            let shown = row.iter().filter(|(name, value)| !hidden.contains(name) && is_told(value));
            (key, shown.map(|(name, value)| (name.clone(), text(value))).collect())
        };
        living.map(record).collect()
    }
}

fn fields(fields: &[(&str, Value)]) -> Fields {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

impl World for Accounts {
    fn stream(&self) -> StreamId {
        StreamId::new("salesforce", OBJECT)
    }

    fn files(&self) -> Vec<(String, String)> {
        let credentials = self.server.credentials();
        let told = |name: &str| credentials[name].as_str().unwrap().to_owned();
        let mut files = vec![("secrets/client".to_owned(), told("client_secret"))];
        let mut auth = format!("client_id: {}, client_secret: \"${{file:secrets/client}}\"", told("client_id"));
        if self.setup.sign_in == SignIn::Renewed {
            files.push(("secrets/refresh".to_owned(), told("refresh_token")));
            auth.push_str(", refresh_token: \"${file:secrets/refresh}\"");
        }
        let allowed = if self.setup.all_fields { "" } else { "Name, Site, AccountNumber, Rating" };
        let log = if self.setup.no_log { "delete_log_hours: 0\n" } else { "" };
        let source = format!(
            "apiVersion: nenrin/v1\nkind: Source\nconnector: salesforce\nlogin_url: {}\nauth: {{ {auth} }}\n\
             page_size: {}\n{log}streams:\n  - {{ name: {OBJECT}, allow: [{allowed}] }}\n",
            told("login_url"),
            self.setup.page_rows.max(FEWEST_ROWS),
        );
        files.push(("sources/salesforce.yaml".to_owned(), source));
        files
    }

    fn note(&self) -> &'static str {
        "Site"
    }

    fn quiet(&self) -> &'static str {
        "AccountNumber"
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.org.now())
    }

    fn advance(&self, secs: i64) {
        self.org.advance(secs);
    }

    fn insert(&self, given: &[(&str, Value)]) -> String {
        let mut row = fields(given);
        row.entry("Name").or_insert_with(|| json!("新しい取引先"));
        self.org.insert(OBJECT, &row).unwrap()
    }

    fn insert_late(&self, note: &str, delay_secs: i64) -> String {
        let row = fields(&[("Name", json!("遅れた取引先")), (self.note(), json!(note))]);
        self.org.insert_late(OBJECT, &row, delay_secs).unwrap()
    }

    fn update(&self, key: &str, given: &[(&str, Value)]) -> bool {
        self.org.update(OBJECT, key, &fields(given)).is_ok()
    }

    fn update_all(&self, note: &str) {
        self.org.mass_update(OBJECT, "", &fields(&[(self.note(), json!(note))])).unwrap();
    }

    fn update_late(&self, key: &str, note: &str, delay_secs: i64) -> bool {
        self.org.update_late(OBJECT, key, &fields(&[(self.note(), json!(note))]), delay_secs).is_ok()
    }

    fn change_silently(&self, key: &str, text: &str) -> bool {
        self.org.change_silently(OBJECT, key, &fields(&[(self.quiet(), json!(text))])).is_ok()
    }

    fn delete(&self, key: &str) -> bool {
        self.org.delete(OBJECT, key).is_ok()
    }

    fn vanish(&self, key: &str) -> bool {
        self.org.hard_delete(OBJECT, key).is_ok()
    }

    fn undelete(&self, key: &str) -> Option<bool> {
        Some(self.org.undelete(OBJECT, key).is_ok())
    }

    fn merge(&self, winner: &str, loser: &str) -> Option<bool> {
        Some(self.org.merge(OBJECT, winner, &[loser]).is_ok())
    }

    fn add_field(&self) -> String {
        let name = "Added__c".to_owned();
        self.org.add_field(OBJECT, FieldSpec::text(&name, "追加", 80)).unwrap();
        name
    }

    fn rename_field(&self, name: &str) -> String {
        let renamed = "Renamed__c".to_owned();
        self.org.rename_field(OBJECT, name, &renamed).unwrap();
        renamed
    }

    fn remove_field(&self, name: &str) {
        self.org.remove_field(OBJECT, name).unwrap();
    }

    fn hide_field(&self, name: &str, is_hidden: bool) {
        let mut hidden = self.hidden.lock().unwrap();
        hidden.retain(|known| known != name);
        if is_hidden {
            hidden.push(name.to_owned());
            self.org.hide_field(OBJECT, name).unwrap();
        } else {
            self.org.unhide_field(OBJECT, name).unwrap();
        }
    }

    fn samples(&self) -> Vec<Sample> {
        let add = |spec: FieldSpec| self.org.add_field(OBJECT, spec).unwrap();
        let number = |name: &str, kind, digits, scale| add(FieldSpec::number(name, name, kind, digits, scale));
        add(FieldSpec::textarea("Long__c", "長文", 131_072));
        add(FieldSpec::new("Flag__c", "旗", FieldType::Boolean));
        add(FieldSpec::new("Mail__c", "メール", FieldType::Email));
        number("Whole__c", FieldType::Double, 18, 0);
        number("Exact__c", FieldType::Currency, 18, 2);
        let id = self.org.truth(OBJECT).unwrap()[0]["Id"].clone();
        let note = |text: &str| Sample::text("Description", text);
        vec![
            Sample::new("Description", Value::Null, None),
            Sample::new("Description", json!(""), None),
            note("引用 \"'` と \\ と\tタブと\n改行"),
            note("N/A"),
            note("null"),
            note("01234"),
            note("👍🏽🏳️‍🌈👨‍👩‍👧"),
            note("𠮷野家で𩸽を食べる"),
            note("e\u{301} ≠ é"),
            Sample::text("Long__c", &"樹の年輪 𠮷👍🏽\n".repeat(6_000)[..]),
            Sample::new("Whole__c", json!("123456789012345678"), Some("123456789012345678")),
            Sample::new("Whole__c", json!("-999999999999999999"), Some("-999999999999999999")),
            Sample::new("Whole__c", json!("0"), Some("0")),
            Sample::new("Exact__c", json!("1234567890123456.78"), Some("1234567890123456.78")),
            Sample::new("Exact__c", json!("12000000.10"), Some("12000000.1")),
            Sample::new("LoginRate__c", json!("12.5"), Some("12.5")),
            Sample::new("NumberOfEmployees", json!(10_000_000), Some("10000000")),
            Sample::new("Flag__c", json!(true), Some("true")),
            Sample::new("Flag__c", json!(false), Some("false")),
            Sample::new("ChurnDate__c", json!("2026-02-28"), Some("2026-02-28")),
            Sample::new("LastLoginAt__c", json!("2026-02-28T23:59:59Z"), Some("2026-02-28T23:59:59.000Z")),
            Sample::new("SupportStart__c", json!("08:30:00.000Z"), Some("08:30:00.000Z")),
            Sample::text("Plan__c", "スターター"),
            Sample::text("Products__c", "分析;顧客管理"),
            Sample::text("Phone", "03-1234-5678"),
            Sample::text("Website", "https://example.co.jp/?a=1&b=%E5%B9%B4"),
            Sample::text("Mail__c", "info@example.co.jp"),
            Sample::new("ParentId", id.clone(), id.as_str()),
        ]
    }

    fn arm(&self, form: &str, calls: &str) {
        self.org.arm(parse_fault(&format!("{form}@{PAGES}#{calls}")).unwrap());
    }

    fn stall(&self) -> Stall {
        self.org.stall(PAGES)
    }

    fn disarm(&self) {
        self.org.disarm();
    }

    fn forget_places(&self) {
        self.org.drop_cursors();
    }

    fn expire(&self, nth: u64) {
        self.org.arm(Fault::once(FaultKind::Expired, PAGES).from_call(nth));
    }

    fn revoke(&self) {
        self.org.revoke_grant();
    }

    fn admit(&self) {
        self.org.consent();
    }

    fn ration(&self, is_rationed: bool) {
        self.org.set_daily_requests(if is_rationed { 8 } else { 100_000 });
    }

    fn truth(&self) -> Truth {
        self.rows(self.org.truth(OBJECT).unwrap())
    }

    fn truth_at(&self, instant: Timestamp) -> Truth {
        self.rows(self.org.truth_at(OBJECT, instant.to_datetime()).unwrap())
    }

    fn calls(&self) -> Vec<Seen> {
        let mut query = Call::Records;
        let mut seen = Vec::new();
        for call in self.org.calls() {
            let kind = if call.path.contains("/oauth2/") {
                Call::SignIn
            } else if call.path.ends_with("/describe") {
                Call::Description
            } else if call.path.trim_end_matches('/').ends_with("/services/data") {
                Call::Clock
            } else {
                if call.query.contains("SELECT") {
                    query = if call.query.contains("SELECT Id FROM") { Call::Keys } else { Call::Records };
                }
                // A place in a result is of the query that was asked last.
                query
            };
            // What a run asks before its first page is not in its report.
            let is_counted = !matches!(kind, Call::SignIn | Call::Description);
            seen.push(Seen { call: kind, rows: call.rows, is_counted });
        }
        seen
    }

    fn clear_calls(&self) {
        self.org.clear_calls();
    }
}
