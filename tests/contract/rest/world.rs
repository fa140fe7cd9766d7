//! A simulated contract API as a world of the suite: its contracts, as a source's file describes them.

use std::sync::{Arc, Mutex};

use nenrin::clock::Timestamp;
use nenrin::error::ErrorKind;
use nenrin::record::StreamId;
use serde_json::{Map, Value, json};
use simulators::core::{Core, Options, Server, Stall, parse_fault};

use super::text;
use crate::contract::world::{
    Ability, Call, Facts, Form, Sample, Seen, Setup, System, Trouble, Truth, World, coped, ends,
};

const CONTRACTS: &str = "contracts";
/// The requests that pages come with.
const PAGES: &str = "/contracts?";

pub(crate) const SYSTEM: System = System {
    start: |setup| Box::pin(async move { Arc::new(Contracts::start(setup).await) as Arc<dyn World> }),
    facts: &Facts {
        name: "rest",
        most_rows: 100,
        asked_besides: &[],
        asked_by_passes: &[],
        // A window ends before what is so old.
        lag_secs: 61,
        late_secs: 500,
        sweep_secs: 7 * 86_400,
        sweep_finds_changes: true,
        sweeps_are_passes: true,
        records_tell_merges: false,
        windows_tell_keys: false,
        grain_secs: 1,
        deleted: "absent",
        tells_deletes: false,
        stops_without_a_field: false,
        lacks: &[
            (Ability::Undelete, "this API cannot bring a record back"),
            (Ability::Merge, "this API does not merge records"),
            (Ability::Archive, "this API does not put records aside"),
            (Ability::Ration, "an API's allowance is told by a rule in `errors`, or by `Retry-After`"),
            (Ability::Describe, "no description tells of fields: what records show is all there is"),
            (Ability::RenewSession, "this API knows a key; OAuth has tests of its own"),
        ],
        forms,
    },
};

fn forms(trouble: Trouble) -> Vec<Form> {
    match trouble {
        Trouble::Throttled => vec![coped("busy"), coped("empty=429")],
        Trouble::Unavailable => vec![coped("500"), coped("503"), coped("empty=503"), coped("reset"), coped("drop")],
        Trouble::Html => vec![coped("html=200"), coped("502"), coped("504")],
        Trouble::Truncated => vec![coped("cut-chunked=300"), coped("cut-length=300"), coped("cut-json=300")],
        Trouble::Repeated => vec![coped("repeat")],
        Trouble::Lacking => vec![coped("lose=3")],
        Trouble::UsedUp => vec![ends("error-200", ErrorKind::Rejected)],
    }
}

/// The contracts of an API.
struct Contracts {
    server: Server,
    core: Core,
    setup: Setup,
    /// The key that the source has.
    key: Mutex<String>,
}

impl Contracts {
    async fn start(setup: Setup) -> Contracts {
        let options =
            Options { seed: setup.seed, records: setup.records, at: setup.at.to_datetime(), ..Options::default() };
        let server = Server::start(options).await.unwrap();
        let core = server.core();
        let key = key_of(&core);
        Contracts { server, core, setup, key: Mutex::new(key) }
    }

    fn records(&self, records: Vec<Map<String, Value>>) -> Truth {
        let record = |row: Map<String, Value>| {
            let key = row["契約番号"].as_str().unwrap().to_owned();
            (key, row.iter().map(|(name, value)| (name.clone(), text(name, value))).collect())
        };
        records.into_iter().map(record).collect()
    }
}

fn key_of(core: &Core) -> String {
    core.credentials()["keiyaku"]["api_key"].as_str().unwrap().to_owned()
}

fn fields(given: &[(&str, Value)]) -> String {
    let given: Map<String, Value> = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Value::Object(given).to_string()
}

impl World for Contracts {
    fn stream(&self) -> StreamId {
        StreamId::new("rest", CONTRACTS)
    }

    fn files(&self) -> Vec<(String, String)> {
        let allowed =
            if self.setup.all_fields { "" } else { "契約番号, 顧客コード, 月額, 備考, 社内メモ" };
        let size = self.setup.page_rows;
        let source = format!(
            r#"apiVersion: nenrin/v1
kind: Source
connector: rest
base_url: {}/keiyaku/v1
auth: {{ type: api_key, header: X-Api-Key, key: "${{file:secrets/key}}" }}
time_zone: Asia/Tokyo
streams:
  {CONTRACTS}:
    path: contracts
    records: $.result.rows
    total: $.count
    key: [契約番号]
    stamp: {{ field: 更新日時, format: "%Y/%m/%d %H:%M:%S" }}
    allow: [{allowed}]
    fields: {{ 備考: {{ type: string }}, 社内メモ: {{ type: string }} }} # no record has them at first
    paging: {{ type: keyset, param: after, field: 契約番号, size_param: limit, size: {size} }}
    window:
      params:
        updated_from: "{{{{ window.from | date('%Y/%m/%d %H:%M:%S') }}}}"
        updated_to: "{{{{ window.until | date('%Y/%m/%d %H:%M:%S') }}}}"
    by_key: {{ path: "contracts/{{{{ key.契約番号 }}}}", record: $.result.row }}
"#,
            self.server.base_url(),
        );
        vec![("secrets/key".to_owned(), self.key.lock().unwrap().clone()), ("sources/rest.yaml".to_owned(), source)]
    }

    fn note(&self) -> &'static str {
        "備考"
    }

    fn quiet(&self) -> &'static str {
        "社内メモ"
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.core.now())
    }

    fn advance(&self, secs: i64) {
        self.core.advance(secs);
    }

    fn insert(&self, given: &[(&str, Value)]) -> String {
        let mut all = vec![("顧客コード", json!("C01003")), ("月額", json!(50_000))];
        all.extend(given.iter().cloned());
        self.core.add(CONTRACTS, fields(&all)).unwrap()
    }

    fn insert_late(&self, note: &str, delay_secs: i64) -> String {
        let all = [("顧客コード", json!("C01003")), ("月額", json!(50_000)), (self.note(), json!(note))];
        self.core.add_late(CONTRACTS, fields(&all), delay_secs).unwrap()
    }

    fn update(&self, key: &str, given: &[(&str, Value)]) -> bool {
        self.core.edit(CONTRACTS, key, fields(given)).is_ok()
    }

    fn update_all(&self, note: &str) {
        for key in self.truth().into_keys() {
            self.update(&key, &[(self.note(), json!(note))]);
        }
    }

    fn update_late(&self, key: &str, note: &str, delay_secs: i64) -> bool {
        self.core.edit_late(CONTRACTS, key, fields(&[(self.note(), json!(note))]), delay_secs).is_ok()
    }

    fn change_silently(&self, key: &str, text: &str) -> bool {
        self.core.change_silently(CONTRACTS, key, fields(&[(self.quiet(), json!(text))])).is_ok()
    }

    fn delete(&self, key: &str) -> bool {
        self.core.delete(CONTRACTS, key).is_ok()
    }

    fn vanish(&self, key: &str) -> bool {
        self.core.erase(CONTRACTS, key).is_ok()
    }

    fn add_field(&self) -> String {
        "追加".to_owned()
    }

    fn rename_field(&self, _name: &str) -> String {
        unreachable!("no description tells of fields")
    }

    fn remove_field(&self, _name: &str) {
        unreachable!("no description tells of fields")
    }

    fn hide_field(&self, _name: &str, _is_hidden: bool) {
        unreachable!("no description tells of fields")
    }

    fn samples(&self) -> Vec<Sample> {
        let note = |text: &str| Sample::text("備考", text);
        vec![
            Sample::new("備考", Value::Null, None),
            Sample::new("備考", json!(""), None),
            note("引用 \"'` と \\ と\tタブと\n改行"),
            note("null"),
            note("01234"),
            note("👍🏽🏳️‍🌈👨‍👩‍👧"),
            note("𠮷野家で𩸽を食べる"),
            note("e\u{301} ≠ é"),
            note(&"樹の年輪 𠮷👍🏽\n".repeat(6_000)),
            Sample::new("月額", json!(123_456_789_012_345_678_u64), Some("123456789012345678")),
            Sample::new("月額", json!(-1), Some("-1")),
            Sample::new("月額", json!(0), Some("0")),
            Sample::new("割引率", json!("0.10"), Some("0.10")),
            Sample::new("自動更新", json!(true), Some("true")),
            Sample::new("自動更新", json!(false), Some("false")),
            Sample::new("請求先", json!({"部署": "経理", "担当": null}), Some(r#"{"担当":null,"部署":"経理"}"#)),
            Sample::new("オプション", json!(["分析", "連携"]), Some(r#"["分析","連携"]"#)),
            Sample::new("オプション", json!([]), Some("[]")),
        ]
    }

    fn arm(&self, form: &str, calls: &str) {
        self.core.arm(parse_fault(&format!("{form}@{PAGES}#{calls}")).unwrap());
    }

    fn ask_for_pause(&self, secs: u64, calls: &str) -> Option<()> {
        self.arm(&format!("busy={secs}"), calls);
        Some(())
    }

    fn stall(&self) -> Stall {
        self.core.stall(PAGES)
    }

    fn disarm(&self) {
        self.core.disarm();
    }

    fn expire(&self, _nth: u64) {
        unreachable!("a key does not expire")
    }

    fn revoke(&self) {
        self.core.arm(parse_fault(&format!("revoked@{PAGES}")).unwrap());
    }

    fn admit(&self) {
        self.core.consent();
        *self.key.lock().unwrap() = key_of(&self.core);
    }

    fn ration(&self, _is_rationed: bool) {
        unreachable!("the API knows no allowance")
    }

    fn truth(&self) -> Truth {
        self.records(self.core.truth(CONTRACTS).unwrap())
    }

    fn truth_at(&self, instant: Timestamp) -> Truth {
        self.records(self.core.truth_at(CONTRACTS, instant.to_datetime()).unwrap())
    }

    fn calls(&self) -> Vec<Seen> {
        let seen = self.core.calls().into_iter().map(|call| {
            let is_page = call.path.ends_with("/contracts");
            Seen { call: if is_page { Call::Records } else { Call::Search }, rows: call.rows, is_counted: true }
        });
        seen.collect()
    }

    fn clear_calls(&self) {
        self.core.clear_calls();
    }
}
