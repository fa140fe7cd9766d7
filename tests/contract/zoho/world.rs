//! A simulated org as a world of the suite: its accounts.

use std::sync::{Arc, Mutex};

use nenrin::clock::Timestamp;
use nenrin::error::ErrorKind;
use nenrin::record::StreamId;
use serde_json::{Value, json};
use simulators::zoho::{
    Choice, Fault, FaultKind, FieldSpec, FieldType, Fields, Options, Org, Server, Stall, UnknownId, parse_fault,
};

use crate::contract::world::{
    Ability, Call, Facts, Form, Sample, Seen, Setup, System, Trouble, Truth, World, coped, ends,
};

const MODULE: &str = "Accounts";
/// The requests that pages come with: those that count ask for no order.
const PAGES: &str = "/coql*order by";
/// Zoho gives a grant ten access tokens in ten minutes; a case that dies many times at one instant needs more.
const MOST_REFRESHES: u64 = 8;

pub(crate) const SYSTEM: System = System {
    start: |setup| Box::pin(async move { Arc::new(Accounts::start(setup).await) as Arc<dyn World> }),
    facts: &Facts {
        name: "zoho",
        most_rows: 2_000,
        asked_besides: &[(Call::SignIn, 1), (Call::Description, 1), (Call::Clock, 2)],
        asked_by_passes: &[(Call::Search, 1)],
        lag_secs: 61,
        late_secs: 600,
        sweep_secs: 7 * 86_400,
        sweep_finds_changes: true,
        sweeps_are_passes: true,
        records_tell_merges: false,
        windows_tell_keys: false,
        grain_secs: 1,
        deleted: "deleted",
        tells_deletes: true,
        stops_without_a_field: false,
        lacks: &[
            (Ability::Undelete, "a restored record may move no stamp; the next complete reading finds it"),
            (Ability::Merge, "of the losers Zoho CRM tells only that they were deleted"),
            (Ability::Archive, "Zoho CRM does not put records aside"),
            (Ability::AskForPause, "Zoho CRM never sends the header"),
        ],
        forms,
    },
};

fn forms(trouble: Trouble) -> Vec<Form> {
    match trouble {
        Trouble::Throttled => vec![coped("429"), coped("empty=429")],
        Trouble::Unavailable => vec![
            coped("503"),
            coped("500"),
            coped("504"),
            coped("empty=502"),
            coped("empty=200"),
            coped("reset"),
            coped("drop"),
        ],
        Trouble::Html => vec![coped("html=200"), coped("502"), coped("html=503")],
        Trouble::Truncated => vec![coped("cut-chunked=700"), coped("cut-length=700"), coped("cut-json=700")],
        Trouble::Repeated => vec![coped("repeat")],
        Trouble::Lacking => vec![coped("lose=3"), coped("short=7")],
        Trouble::UsedUp => vec![ends("used-up", ErrorKind::Quota)],
    }
}

/// The accounts of an org.
struct Accounts {
    server: Server,
    org: Org,
    setup: Setup,
    /// Fields that are hidden from the user.
    hidden: Mutex<Vec<String>>,
    /// How many access tokens the grants before the present one gave.
    spent: Mutex<u64>,
}

impl Accounts {
    async fn start(setup: Setup) -> Accounts {
        let options =
            Options { seed: setup.seed, records: setup.records, at: setup.at.to_datetime(), ..Options::default() };
        let other = setup.seed.is_multiple_of(2);
        let server = Server::start(Options { extra_keys: other, ..options }).await.unwrap();
        let org = server.org();
        org.assume(|open| {
            // What no document settles, in both ways.
            open.unknown_id = if other { UnknownId::NotFound } else { UnknownId::NoContent };
            open.exhausted_is_limit = other;
            open.coql_names = other;
            open.whole_with_point = other;
            open.none_placeholder = other;
            open.multiselect_null = !other;
            open.expires_in_millis = other;
            open.token_throttle_status = if other { 400 } else { 200 };
        });
        Accounts { server, org, setup, hidden: Mutex::default(), spent: Mutex::default() }
    }

    fn records(&self, records: Vec<Fields>) -> Truth {
        let hidden = self.hidden.lock().unwrap();
        let record = |row: Fields| {
            let key = row["id"].as_str().unwrap().to_owned();
            let shown = row.iter().filter(|(name, value)| !hidden.contains(name) && is_read(value));
            (key, shown.map(|(name, value)| (name.clone(), as_kept(value))).collect())
        };
        records.into_iter().map(record).collect()
    }
}

/// Objects are values of no field that is read.
fn is_read(value: &Value) -> bool {
    let is_object = |value: &Value| value.is_object();
    !is_object(value) && !value.as_array().is_some_and(|items| items.iter().any(is_object))
}

/// A value of the truth as a log has it.
fn as_kept(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => match chrono::DateTime::parse_from_rfc3339(text) {
            Ok(at) => Timestamp::from(at.to_utc()).to_string(),
            Err(_) => text.clone(),
        },
        Value::Array(items) => {
            let mut items: Vec<&str> = items.iter().map(|item| item.as_str().unwrap()).collect();
            items.sort_unstable();
            items.join("\n")
        }
        other => other.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}

fn fields(fields: &[(&str, Value)]) -> Fields {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

impl World for Accounts {
    fn stream(&self) -> StreamId {
        StreamId::new("zoho", MODULE)
    }

    fn files(&self) -> Vec<(String, String)> {
        let mut spent = self.spent.lock().unwrap();
        if self.org.refresh_count() >= *spent + MOST_REFRESHES {
            *spent = self.org.refresh_count();
            self.org.consent(None);
        }
        let credentials = self.server.credentials();
        let at = |name: &str| credentials[name].as_str().unwrap().to_owned();
        let allowed = if self.setup.all_fields { "" } else { "Account_Name, Description, Ownership" };
        let deleted = if self.setup.no_log { "deleted_minutes: 43200\n" } else { "" };
        let source = format!(
            "apiVersion: nenrin/v1\nkind: Source\nconnector: zoho\naccounts_url: {}\nauth:\n  client_id: {}\n  \
             client_secret: \"${{file:secrets/client}}\"\n  refresh_token: \"${{file:secrets/refresh}}\"\n\
             page_size: {}\nreserve_credits: 2\n{deleted}streams:\n  - {{ name: {MODULE}, allow: [{allowed}] }}\n",
            at("accounts_url"),
            at("client_id"),
            self.setup.page_rows,
        );
        vec![
            ("secrets/client".to_owned(), at("client_secret")),
            ("secrets/refresh".to_owned(), at("refresh_token")),
            ("sources/zoho.yaml".to_owned(), source),
        ]
    }

    fn note(&self) -> &'static str {
        "Description"
    }

    fn quiet(&self) -> &'static str {
        "Ownership"
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.org.now())
    }

    fn advance(&self, secs: i64) {
        self.org.advance(secs);
    }

    fn insert(&self, given: &[(&str, Value)]) -> String {
        let mut record = fields(given);
        record.entry("Account_Name").or_insert_with(|| json!("新しい取引先"));
        self.org.insert(MODULE, &record).unwrap()
    }

    fn insert_late(&self, note: &str, delay_secs: i64) -> String {
        let record = fields(&[("Account_Name", json!("遅れた取引先")), (self.note(), json!(note))]);
        self.org.insert_late(MODULE, &record, delay_secs).unwrap()
    }

    fn update(&self, key: &str, given: &[(&str, Value)]) -> bool {
        self.org.update(MODULE, key, &fields(given)).is_ok()
    }

    fn update_all(&self, note: &str) {
        self.org.mass_update(MODULE, &fields(&[(self.note(), json!(note))])).unwrap();
    }

    fn update_late(&self, key: &str, note: &str, delay_secs: i64) -> bool {
        self.org.update_late(MODULE, key, &fields(&[(self.note(), json!(note))]), delay_secs).is_ok()
    }

    fn change_silently(&self, key: &str, text: &str) -> bool {
        self.org.change_silently(MODULE, key, &fields(&[(self.quiet(), json!(text))])).is_ok()
    }

    fn delete(&self, key: &str) -> bool {
        self.org.delete(MODULE, key).is_ok()
    }

    fn vanish(&self, key: &str) -> bool {
        self.org.vanish(MODULE, key).is_ok()
    }

    fn add_field(&self) -> String {
        let name = "Added".to_owned();
        self.org.add_field(MODULE, FieldSpec::text(&name, "追加")).unwrap();
        name
    }

    fn rename_field(&self, name: &str) -> String {
        let renamed = "Renamed".to_owned();
        self.org.rename_field(MODULE, name, &renamed).unwrap();
        renamed
    }

    fn remove_field(&self, name: &str) {
        self.org.remove_field(MODULE, name).unwrap();
    }

    fn hide_field(&self, name: &str, is_hidden: bool) {
        self.org.hide_field(MODULE, name, is_hidden).unwrap();
        let mut hidden = self.hidden.lock().unwrap();
        hidden.retain(|known| known != name);
        if is_hidden {
            hidden.push(name.to_owned());
        }
    }

    fn samples(&self) -> Vec<Sample> {
        let add = |spec: FieldSpec| self.org.add_field(MODULE, spec).unwrap();
        add(FieldSpec::new("Exact", "正確", FieldType::Double));
        add(FieldSpec::new("Instant", "時刻", FieldType::Datetime));
        let choices = vec![Choice::plain("A;B"), Choice::plain("あ"), Choice::plain("い")];
        add(FieldSpec { choices, ..FieldSpec::new("Several", "複数", FieldType::Multiselectpicklist) });
        let note = |text: &str| Sample::text("Description", text);
        let email = FieldSpec::new("Mail", "メール", FieldType::Email);
        add(email);
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
            note(&"年".repeat(500)),
            Sample::text("Remarks", "<div><b>年輪</b>&amp;\u{3000}</div>"),
            Sample::text("Remarks", &"樹の年輪 𠮷👍🏽\n".repeat(3_000)),
            Sample::text("Account_Name", "髙橋﨑商店"),
            Sample::new("Corporate_Number", json!("123456789012345678"), Some("123456789012345678")),
            Sample::new("Corporate_Number", Value::Null, None),
            Sample::new("Exact", json!("12000000.10"), Some("12000000.1")),
            Sample::new("Exact", json!("-999999999999999999"), Some("-999999999999999999")),
            Sample::new("Exact", json!("0.0"), Some("0")),
            // A field that holds what its type does not say.
            Sample::new("Exact", json!("未定"), Some("未定")),
            Sample::new("Annual_Revenue", json!(1_200_000), Some("1200000")),
            Sample::new("Renewal_Date", json!("2026-02-28"), Some("2026-02-28")),
            Sample::new("Renewal_Date", Value::Null, None),
            Sample::new("Instant", json!("2026-02-28T23:59:59+09:00"), Some("2026-02-28T14:59:59Z")),
            Sample::new("Is_Reference", json!(true), Some("true")),
            Sample::new("Is_Reference", json!(false), Some("false")),
            Sample::new("Rating", json!("A"), Some("A")),
            Sample::new("Rating", json!("一覧にない"), Some("一覧にない")),
            Sample::new("Rating", Value::Null, None),
            Sample::new("Several", json!(["い", "A;B", "あ"]), Some("A;B\nあ\nい")),
            Sample::new("Several", json!([]), None),
            Sample::new("Tag", json!(["VIP", "重要"]), Some("VIP\n重要")),
            Sample::text("Phone", "03-1234-5678"),
            Sample::text("Website", "https://example.co.jp/?a=1&b=%E5%B9%B4"),
            Sample::text("Mail", "a+b@example.co.jp"),
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

    fn expire(&self, nth: u64) {
        self.org.arm(Fault::once(FaultKind::Expired, PAGES).from_call(nth));
    }

    fn revoke(&self) {
        self.org.revoke_grant();
    }

    fn admit(&self) {
        self.org.consent(None);
    }

    fn ration(&self, is_rationed: bool) {
        self.org.set_credits(is_rationed.then_some(9));
    }

    fn truth(&self) -> Truth {
        self.records(self.org.truth(MODULE).unwrap())
    }

    fn truth_at(&self, instant: Timestamp) -> Truth {
        self.records(self.org.truth_at(MODULE, instant.to_datetime()).unwrap())
    }

    fn calls(&self) -> Vec<Seen> {
        let seen = self.org.calls().into_iter().map(|call| {
            let kind = if call.path.starts_with("/oauth/") {
                Call::SignIn
            } else if call.path.ends_with("/settings/fields") {
                Call::Description
            } else if call.path.ends_with("/org") || call.path.ends_with("/users") {
                Call::Clock
            } else if call.path.ends_with("/deleted") {
                Call::Removed
            } else if call.query.contains("COUNT(") || call.query.contains("ids=") {
                Call::Search
            } else {
                Call::Records
            };
            Seen { call: kind, rows: call.rows, is_counted: kind != Call::SignIn }
        });
        seen.collect()
    }

    fn clear_calls(&self) {
        self.org.clear_calls();
    }
}
