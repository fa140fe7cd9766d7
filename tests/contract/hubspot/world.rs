//! A simulated portal as a world of the suite: its companies.

use std::sync::{Arc, Mutex};

use nenrin::clock::Timestamp;
use nenrin::error::ErrorKind;
use nenrin::record::StreamId;
use serde_json::{Value, json};
use simulators::hubspot::{
    Fault, FaultKind, Fields, Options, Portal, PropertySpec, PropertyType, Server, Stall, parse_fault,
};

use crate::contract::world::{
    Ability, Call, Facts, Form, Sample, Seen, Setup, SignIn, System, Trouble, Truth, World, coped, ends,
};

const OBJECT: &str = "companies";
/// The requests that pages come with.
const PAGES: &str = "/crm/objects/";

pub(crate) const SYSTEM: System = System {
    start: |setup| Box::pin(async move { Arc::new(Companies::start(setup).await) as Arc<dyn World> }),
    facts: &Facts {
        name: "hubspot",
        most_rows: 100,
        asked_besides: &[(Call::Description, 1), (Call::Clock, 1), (Call::Search, 1), (Call::Removed, 1)],
        asked_by_passes: &[],
        lag_secs: 301,
        late_secs: 840,
        sweep_secs: 7 * 86_400,
        sweep_finds_changes: true,
        sweeps_are_passes: true,
        records_tell_merges: true,
        windows_tell_keys: true,
        grain_secs: 1,
        deleted: "archived",
        tells_deletes: true,
        stops_without_a_field: false,
        lacks: &[(Ability::Undelete, "a restored record may move no stamp; the next complete reading finds it")],
        forms,
    },
};

fn forms(trouble: Trouble) -> Vec<Form> {
    match trouble {
        Trouble::Throttled => vec![coped("429"), coped("secondly"), coped("empty=429")],
        Trouble::Unavailable => vec![
            coped("503"),
            coped("500"),
            coped("504"),
            coped("locked"),
            coped("empty=502"),
            coped("524"),
            coped("reset"),
            coped("drop"),
        ],
        Trouble::Html => vec![coped("html=200"), coped("502"), coped("521"), coped("522")],
        Trouble::Truncated => vec![coped("cut-chunked=700"), coped("cut-length=700"), coped("cut-json=700")],
        Trouble::Repeated => vec![coped("repeat")],
        Trouble::Lacking => vec![coped("lose=3"), coped("phantoms=3")],
        Trouble::UsedUp => vec![ends("daily", ErrorKind::Quota)],
    }
}

/// The companies of a portal.
struct Companies {
    server: Server,
    portal: Portal,
    setup: Setup,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    token: String,
    hidden: Vec<String>,
}

impl Companies {
    async fn start(setup: Setup) -> Companies {
        let other = setup.seed.is_multiple_of(2);
        let options = Options {
            seed: setup.seed,
            records: setup.records,
            at: setup.at.to_datetime(),
            extra_keys: other,
            ..Options::default()
        };
        let server = Server::start(options).await.unwrap();
        let portal = server.portal();
        portal.assume(|open| {
            open.rotate_refresh_tokens = setup.sign_in == SignIn::Renewed;
            open.merge_keeps_id = vec![OBJECT.to_owned()];
            // What no document settles, in both ways.
            open.partial_status = if other { 200 } else { 207 };
            open.empty_absent = other;
            open.cleared_null = other;
            open.plain_after = other;
            open.merged_in_batch = other;
            open.bare_errors = other;
        });
        let token = server.credentials()["private_token"].as_str().unwrap().to_owned();
        Companies { server, portal, setup, told: Mutex::new(Told { token, hidden: Vec::new() }) }
    }

    fn records(&self, records: Vec<Fields>) -> Truth {
        let hidden = &self.told.lock().unwrap().hidden;
        let record = |row: Fields| {
            let key = row["hs_object_id"].as_str().unwrap().to_owned();
            let shown = row.iter().filter(|(name, _)| !hidden.contains(name));
            let text = |name: &str, value: &Value| {
                value.as_str().filter(|text| !text.is_empty()).map(|text| as_kept(name, text))
            };
            (key, shown.map(|(name, value)| (name.clone(), text(name, value))).collect())
        };
        records.into_iter().map(record).collect()
    }
}

fn fields(fields: &[(&str, Value)]) -> Fields {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// What the portal keeps as milliseconds or with an exponent, as a log has it.
fn as_kept(name: &str, text: &str) -> String {
    let at = text.parse().ok().filter(|_| text.len() > 10).and_then(chrono::DateTime::from_timestamp_millis);
    match (name, at) {
        ("first_contact_date", Some(at)) => at.format("%Y-%m-%d").to_string(),
        ("last_review_at", Some(at)) => at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        ("last_review_at", None) if !text.contains('.') => text.replace('Z', ".000Z"),
        ("annualrevenue", _) => match text.split_once('E') {
            Some((digits, zeros)) => format!("{digits}{}", "0".repeat(zeros.parse().unwrap())),
            None => text.to_owned(),
        },
        ("exact", _) if text.contains('.') => text.trim_end_matches('0').to_owned(),
        _ => text.to_owned(),
    }
}

fn id(key: &str) -> u64 {
    key.parse().unwrap()
}

impl World for Companies {
    fn stream(&self) -> StreamId {
        StreamId::new("hubspot", OBJECT)
    }

    fn files(&self) -> Vec<(String, String)> {
        let credentials = self.server.credentials();
        let at = |name: &str| credentials.pointer(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut files = Vec::new();
        let auth = if self.setup.sign_in == SignIn::Renewed {
            files.push(("secrets/client".to_owned(), at("/oauth/client_secret")));
            files.push(("secrets/refresh".to_owned(), at("/oauth/refresh_token")));
            format!(
                "oauth: {{ client_id: {}, client_secret: \"${{file:secrets/client}}\", \
                 refresh_token: \"${{file:secrets/refresh}}\" }}",
                at("/oauth/client_id"),
            )
        } else {
            files.push(("secrets/token".to_owned(), self.told.lock().unwrap().token.clone()));
            "token: \"${file:secrets/token}\"".to_owned()
        };
        let allowed = if self.setup.all_fields { "" } else { "name, cs_memo, cs_note" };
        let trail = if self.setup.no_log { "trail_minutes: 0\n" } else { "" };
        let source = format!(
            "apiVersion: nenrin/v1\nkind: Source\nconnector: hubspot\nbase_url: {}\n{auth}\n{trail}page_size: {}\n\
             requests_per_second: 1000\nstreams:\n  - {{ name: {OBJECT}, allow: [{allowed}] }}\n",
            self.server.base_url(),
            self.setup.page_rows,
        );
        files.push(("sources/hubspot.yaml".to_owned(), source));
        files
    }

    fn note(&self) -> &'static str {
        "cs_memo"
    }

    fn quiet(&self) -> &'static str {
        "cs_note"
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.portal.now())
    }

    fn advance(&self, secs: i64) {
        self.portal.advance(secs);
    }

    fn insert(&self, given: &[(&str, Value)]) -> String {
        let mut record = fields(given);
        record.entry("name").or_insert_with(|| json!("新しい会社"));
        self.portal.insert(OBJECT, &record).unwrap().to_string()
    }

    fn insert_late(&self, note: &str, delay_secs: i64) -> String {
        let record = fields(&[("name", json!("遅れた会社")), (self.note(), json!(note))]);
        self.portal.insert_late(OBJECT, &record, delay_secs).unwrap().to_string()
    }

    fn update(&self, key: &str, given: &[(&str, Value)]) -> bool {
        self.portal.update(OBJECT, id(key), &fields(given)).is_ok()
    }

    fn update_all(&self, note: &str) {
        self.portal.update_all(OBJECT, &fields(&[(self.note(), json!(note))])).unwrap();
    }

    fn update_late(&self, key: &str, note: &str, delay_secs: i64) -> bool {
        self.portal.update_late(OBJECT, id(key), &fields(&[(self.note(), json!(note))]), delay_secs).is_ok()
    }

    fn change_silently(&self, key: &str, text: &str) -> bool {
        self.portal.change_silently(OBJECT, id(key), &fields(&[(self.quiet(), json!(text))])).is_ok()
    }

    fn delete(&self, key: &str) -> bool {
        self.portal.archive(OBJECT, id(key)).is_ok()
    }

    fn vanish(&self, key: &str) -> bool {
        self.portal.erase(OBJECT, id(key)).is_ok()
    }

    fn merge(&self, winner: &str, loser: &str) -> Option<bool> {
        Some(self.portal.merge(OBJECT, id(winner), id(loser)).is_ok())
    }

    fn archive(&self, key: &str) -> Option<bool> {
        Some(self.delete(key))
    }

    fn add_field(&self) -> String {
        let name = "added".to_owned();
        self.portal.add_property(OBJECT, PropertySpec::text(&name, "追加")).unwrap();
        name
    }

    fn rename_field(&self, name: &str) -> String {
        let renamed = "renamed".to_owned();
        self.portal.rename_property(OBJECT, name, &renamed).unwrap();
        renamed
    }

    fn remove_field(&self, name: &str) {
        self.portal.archive_property(OBJECT, name).unwrap();
    }

    fn hide_field(&self, name: &str, is_hidden: bool) {
        self.portal.hide_property(OBJECT, name, is_hidden).unwrap();
        let mut told = self.told.lock().unwrap();
        told.hidden.retain(|known| known != name);
        if is_hidden {
            told.hidden.push(name.to_owned());
        }
    }

    fn samples(&self) -> Vec<Sample> {
        let add = |name: &str, kind| self.portal.add_property(OBJECT, PropertySpec::new(name, name, kind)).unwrap();
        add("exact", PropertyType::Number);
        add("day", PropertyType::Date);
        add("instant", PropertyType::DateTime);
        add("flag", PropertyType::Bool);
        let note = |text: &str| Sample::text("cs_memo", text);
        vec![
            Sample::new("cs_memo", Value::Null, None),
            Sample::new("cs_memo", json!(""), None),
            note("引用 \"'` と \\ と\tタブと\n改行"),
            note("N/A"),
            note("null"),
            note("01234"),
            note("👍🏽🏳️‍🌈👨‍👩‍👧"),
            note("𠮷野家で𩸽を食べる"),
            note("e\u{301} ≠ é"),
            Sample::text("cs_note", "<div><b>年輪</b>&amp;\u{3000}</div>"),
            Sample::text("cs_note", &"樹の年輪 𠮷👍🏽\n".repeat(3_000)),
            Sample::text("name", "髙橋﨑商店"),
            Sample::new("exact", json!("123456789012345678"), Some("123456789012345678")),
            Sample::new("exact", json!("-999999999999999999"), Some("-999999999999999999")),
            Sample::new("exact", json!("0"), Some("0")),
            Sample::new("exact", json!(""), None),
            Sample::new("exact", json!("12000000.10"), Some("12000000.1")),
            Sample::new("day", json!("2026-02-28"), Some("2026-02-28")),
            Sample::new("day", json!(""), None),
            Sample::new("instant", json!("2026-02-28T23:59:59.004Z"), Some("2026-02-28T23:59:59.004Z")),
            Sample::new("flag", json!("true"), Some("true")),
            Sample::new("flag", json!("false"), Some("false")),
            Sample::text("phone", "03-1234-5678"),
            Sample::text("website", "https://example.co.jp/?a=1&b=%E5%B9%B4"),
        ]
    }

    fn arm(&self, form: &str, calls: &str) {
        self.portal.arm(parse_fault(&format!("{form}@{PAGES}#{calls}")).unwrap());
    }

    fn ask_for_pause(&self, secs: u64, calls: &str) -> Option<()> {
        self.arm(&format!("429={secs}"), calls);
        Some(())
    }

    fn stall(&self) -> Stall {
        self.portal.stall(PAGES)
    }

    fn disarm(&self) {
        self.portal.disarm();
    }

    fn expire(&self, nth: u64) {
        self.portal.arm(Fault::once(FaultKind::Expired, PAGES).from_call(nth));
    }

    fn revoke(&self) {
        self.portal.remove_token(&self.told.lock().unwrap().token);
    }

    fn admit(&self) {
        let granted = self.server.credentials()["oauth"]["scopes"].clone();
        let scopes: Vec<&str> = granted.as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
        let scopes = if scopes.is_empty() { vec!["crm.objects.companies.read"] } else { scopes };
        self.told.lock().unwrap().token = self.portal.add_token(&scopes);
    }

    fn ration(&self, is_rationed: bool) {
        self.portal.set_options(|options| options.daily_limit = if is_rationed { 9 } else { 650_000 });
    }

    fn truth(&self) -> Truth {
        self.records(self.portal.truth(OBJECT).unwrap())
    }

    fn truth_at(&self, instant: Timestamp) -> Truth {
        self.records(self.portal.truth_at(OBJECT, instant.to_datetime()).unwrap())
    }

    fn calls(&self) -> Vec<Seen> {
        let seen = self.portal.calls().into_iter().map(|call| {
            let kind = if call.path.contains("/oauth/") {
                Call::SignIn
            } else if call.path.contains("/crm/properties/") {
                Call::Description
            } else if call.path.contains("/account-info/") {
                Call::Clock
            } else if call.path.ends_with("/search") {
                Call::Search
            } else if call.query.contains("archived=true") {
                Call::Removed
            } else {
                Call::Records
            };
            Seen { call: kind, rows: call.rows, is_counted: kind != Call::SignIn }
        });
        seen.collect()
    }

    fn clear_calls(&self) {
        self.portal.clear_calls();
    }
}
