//! A simulated domain as a world of the suite: the records of its app 顧客管理.

use std::sync::{Arc, Mutex};

use nenrin::clock::Timestamp;
use nenrin::error::ErrorKind;
use nenrin::record::StreamId;
use serde_json::{Value, json};
use simulators::kintone::{
    CalcFormat, Domain, Fault, FaultKind, FieldSpec, Fields, Options, Rights, Server, Stall, parse_fault,
};

use super::text;
use crate::contract::world::{
    Ability, Call, Facts, Form, Sample, Seen, Setup, SignIn, System, Trouble, Truth, World, coped, ends,
};

const APP: u64 = 1;
const STREAM: &str = "顧客管理";
/// The requests that pages come with.
const PAGES: &str = "records.json";
/// Shown to the minute, and with the app's code; the simulator's truth has seconds and no code.
const SHOWN_OTHERWISE: [&str; 3] = ["作成日時", "更新日時", "レコード番号"];

pub(crate) const SYSTEM: System = System {
    start: |setup| Box::pin(async move { Arc::new(Customers::start(setup).await) as Arc<dyn World> }),
    facts: &Facts {
        name: "kintone",
        most_rows: 500,
        asked_besides: &[(Call::Description, 1)],
        asked_by_passes: &[],
        lag_secs: 120,
        late_secs: 240,
        sweep_secs: 86_400,
        sweep_finds_changes: true,
        sweeps_are_passes: false,
        records_tell_merges: false,
        windows_tell_keys: false,
        grain_secs: 60,
        deleted: "absent",
        tells_deletes: false,
        stops_without_a_field: true,
        lacks: &[
            (Ability::Undelete, "a deleted record cannot be brought back"),
            (Ability::Merge, "kintone does not merge records"),
            (Ability::Archive, "kintone does not put records aside"),
        ],
        forms,
    },
};

fn forms(trouble: Trouble) -> Vec<Form> {
    match trouble {
        Trouble::Throttled => vec![coped("busy"), coped("empty=429")],
        Trouble::Unavailable => vec![
            coped("maintenance"),
            coped("500"),
            coped("empty=503"),
            coped("empty=520"),
            coped("code=GAIA_DA02"),
            coped("code=GAIA_LT01"),
            coped("legacy=GAIA_LT01"),
            coped("reset"),
            coped("drop"),
        ],
        Trouble::Html => vec![coped("html=200"), coped("502"), coped("504")],
        Trouble::Truncated => vec![coped("cut-chunked=700"), coped("cut-length=700"), coped("cut-json=700")],
        // Pages are asked for by id: one that was read before is none that was asked for.
        Trouble::Repeated => vec![ends("repeat", ErrorKind::BadData)],
        Trouble::Lacking => vec![coped("lose=3"), ends("warning=3", ErrorKind::BadData)],
        // kintone counts the requests of a day, and refuses none.
        Trouble::UsedUp => Vec::new(),
    }
}

/// The records of an app.
struct Customers {
    server: Server,
    domain: Domain,
    setup: Setup,
    told: Mutex<Told>,
}

/// What a person wrote into the source's file since, and what is hidden.
#[derive(Default)]
struct Told {
    token: String,
    gone: Vec<String>,
    is_rationed: bool,
    hidden: Vec<String>,
}

impl Customers {
    async fn start(setup: Setup) -> Customers {
        let other = setup.seed.is_multiple_of(2);
        let options = Options {
            seed: setup.seed,
            records: setup.records,
            at: setup.at.to_datetime(),
            extra_keys: other,
            ..Options::default()
        };
        let server = Server::start(options).await.unwrap();
        let domain = server.domain();
        domain.assume(|open| {
            open.rotate_refresh_tokens = setup.sign_in == SignIn::Renewed;
            // What no document settles, in both ways.
            open.filter_sees_seconds = other;
            open.datetime_null = other;
            open.radio_null = other;
            open.number_null = other;
            open.calc_absent = other;
        });
        let token = first_token(&server);
        Customers { server, domain, setup, told: Mutex::new(Told { token, ..Told::default() }) }
    }

    fn records(&self, records: Vec<Fields>) -> Truth {
        let hidden = &self.told.lock().unwrap().hidden;
        let is_shown = |name: &str| !SHOWN_OTHERWISE.contains(&name) && !hidden.iter().any(|known| known == name);
        let record = |row: Fields| {
            let key = row["$id"].as_str().unwrap().to_owned();
            let shown = row.iter().filter(|(name, _)| is_shown(name));
            (key, shown.map(|(name, value)| (name.clone(), text(value))).collect())
        };
        records.into_iter().map(record).collect()
    }
}

/// The token that reads the app.
fn first_token(server: &Server) -> String {
    server.credentials()["api_tokens"]["1"].as_str().unwrap().to_owned()
}

fn fields(fields: &[(&str, Value)]) -> Fields {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn id(key: &str) -> u64 {
    key.parse().unwrap()
}

impl World for Customers {
    fn stream(&self) -> StreamId {
        StreamId::new("kintone", STREAM)
    }

    fn files(&self) -> Vec<(String, String)> {
        let credentials = self.server.credentials();
        let at = |name: &str| credentials.pointer(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let told = self.told.lock().unwrap();
        let secret = |name: &str, text: String| (format!("secrets/{name}"), text);
        let mut files = Vec::new();
        let (mut top, mut token) = (String::new(), "");
        match self.setup.sign_in {
            SignIn::Plain => {
                files.push(secret("token", told.token.clone()));
                token = ", token: \"${file:secrets/token}\"";
            }
            SignIn::Renewed => {
                files.push(secret("client", at("/oauth/client_secret")));
                files.push(secret("refresh", at("/oauth/refresh_token")));
                top = format!(
                    "oauth: {{ client_id: {}, client_secret: \"${{file:secrets/client}}\", \
                     refresh_token: \"${{file:secrets/refresh}}\" }}\n",
                    at("/oauth/client_id"),
                );
            }
            SignIn::Person => {
                files.push(secret("password", at("/password")));
                top = format!("login: {{ user: {}, password: \"${{file:secrets/password}}\" }}\n", at("/login"));
            }
        }
        if told.is_rationed {
            top.push_str("daily_requests: 6\n");
        }
        let allowed = if self.setup.all_fields { "" } else { "会社名, 備考, FAX, 顧客ランク" };
        let gone = told.gone.join(", ");
        let source = format!(
            "apiVersion: nenrin/v1\nkind: Source\nconnector: kintone\nbase_url: {}\n{top}page_size: {}\nstreams:\n  \
             - {{ name: {STREAM}, app: {APP}{token}, allow: [{allowed}], gone: [{gone}] }}\n",
            self.server.base_url(),
            self.setup.page_rows,
        );
        files.push(("sources/kintone.yaml".to_owned(), source));
        files
    }

    fn note(&self) -> &'static str {
        "備考"
    }

    fn quiet(&self) -> &'static str {
        "FAX"
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.domain.now())
    }

    fn advance(&self, secs: i64) {
        self.domain.advance(secs);
    }

    fn insert(&self, given: &[(&str, Value)]) -> String {
        let mut record = fields(given);
        record.entry("会社名").or_insert_with(|| json!("新しい会社"));
        self.domain.insert(APP, &record).unwrap().to_string()
    }

    fn insert_late(&self, note: &str, delay_secs: i64) -> String {
        let record = fields(&[("会社名", json!("遅れた会社")), (self.note(), json!(note))]);
        self.domain.insert_late(APP, &record, delay_secs).unwrap().to_string()
    }

    fn update(&self, key: &str, given: &[(&str, Value)]) -> bool {
        self.domain.update(APP, id(key), &fields(given)).is_ok()
    }

    fn update_all(&self, note: &str) {
        self.domain.mass_update(APP, "", &fields(&[(self.note(), json!(note))])).unwrap();
    }

    fn update_late(&self, key: &str, note: &str, delay_secs: i64) -> bool {
        self.domain.update_late(APP, id(key), &fields(&[(self.note(), json!(note))]), delay_secs).is_ok()
    }

    fn change_silently(&self, key: &str, text: &str) -> bool {
        self.domain.change_silently(APP, id(key), &fields(&[(self.quiet(), json!(text))])).is_ok()
    }

    fn delete(&self, key: &str) -> bool {
        self.domain.delete(APP, id(key)).is_ok()
    }

    fn vanish(&self, key: &str) -> bool {
        self.delete(key)
    }

    fn add_field(&self) -> String {
        let code = "追加".to_owned();
        self.domain.add_field(APP, FieldSpec::text(&code)).unwrap();
        code
    }

    fn rename_field(&self, name: &str) -> String {
        let renamed = "改名".to_owned();
        self.domain.rename_field(APP, name, &renamed).unwrap();
        renamed
    }

    fn remove_field(&self, name: &str) {
        self.domain.remove_field(APP, name).unwrap();
    }

    fn hide_field(&self, name: &str, is_hidden: bool) {
        self.domain.hide_field(APP, name, is_hidden).unwrap();
        let mut told = self.told.lock().unwrap();
        told.hidden.retain(|known| known != name);
        if is_hidden {
            told.hidden.push(name.to_owned());
        }
    }

    fn accept_gone(&self, name: &str) {
        self.told.lock().unwrap().gone.push(name.to_owned());
    }

    fn samples(&self) -> Vec<Sample> {
        // Records that were never saved since have no key for it.
        self.domain.add_field(APP, FieldSpec::calc("後から", "従業員数 * 2", CalcFormat::Number)).unwrap();
        let note = |text: &str| Sample::text("備考", text);
        vec![
            Sample::new("備考", Value::Null, None),
            Sample::new("備考", json!(""), None),
            note("引用 \"'` と \\ と\tタブと\n改行"),
            note("N/A"),
            note("null"),
            note("01234"),
            note("👍🏽🏳️‍🌈👨‍👩‍👧"),
            note("𠮷野家で𩸽を食べる"),
            note("e\u{301} ≠ é"),
            note(&"樹の年輪 𠮷👍🏽\n".repeat(6_000)),
            Sample::text("会社名", "髙橋﨑商店"),
            Sample::text("メモ", "<div><b>年輪</b>&amp;\u{3000}</div>"),
            Sample::new("資本金", json!("123456789012345678"), Some("123456789012345678")),
            Sample::new("資本金", json!("-999999999999999999"), Some("-999999999999999999")),
            Sample::new("資本金", json!("0"), Some("0")),
            Sample::new("資本金", json!(""), None),
            Sample::new("資本金", json!("1234567890123456.78"), Some("1234567890123456.78")),
            Sample::new("資本金", json!("12000000.10"), Some("12000000.1")),
            Sample::text("顧客ランク", "A"),
            Sample::new("顧客ランク", Value::Null, None),
            Sample::new("業種", Value::Null, None),
            Sample::new("対応項目", json!(["訪問", "電話"]), Some("訪問\n電話")),
            Sample::new("対応項目", json!([]), None),
            Sample::new("製品", json!(["顧客管理", "分析"]), Some("分析\n顧客管理")),
            Sample::new("解約日", json!("2026-02-28"), Some("2026-02-28")),
            Sample::new("受付時刻", json!("09:05"), Some("09:05")),
            Sample::new("次回面談", json!("2026-02-28T23:59:00Z"), Some("2026-02-28T23:59:00Z")),
            Sample::new("次回面談", Value::Null, None),
            Sample::text("TEL", "03-1234-5678"),
            Sample::text("Web", "https://example.co.jp/?a=1&b=%E5%B9%B4"),
            Sample::new("CS担当", json!(["kato", "guest/mori"]), Some("guest/mori\nkato")),
            Sample::new("CS担当", json!([]), None),
            Sample::new("部署", json!(["sales"]), Some("sales")),
            Sample::new("添付", json!([]), None),
        ]
    }

    fn arm(&self, form: &str, calls: &str) {
        self.domain.arm(parse_fault(&format!("{form}@{PAGES}#{calls}")).unwrap());
    }

    fn ask_for_pause(&self, secs: u64, calls: &str) -> Option<()> {
        self.domain.assume(|open| open.retry_after_secs = Some(secs));
        self.arm("busy", calls);
        Some(())
    }

    fn stall(&self) -> Stall {
        self.domain.stall(PAGES)
    }

    fn disarm(&self) {
        self.domain.disarm();
    }

    fn expire(&self, nth: u64) {
        self.domain.arm(Fault::once(FaultKind::Expired, PAGES).from_call(nth));
    }

    fn revoke(&self) {
        self.domain.remove_token(&first_token(&self.server));
    }

    fn admit(&self) {
        self.told.lock().unwrap().token = self.domain.add_token(APP, Rights::view());
    }

    fn ration(&self, is_rationed: bool) {
        self.told.lock().unwrap().is_rationed = is_rationed;
    }

    fn truth(&self) -> Truth {
        self.records(self.domain.truth(APP).unwrap())
    }

    fn truth_at(&self, instant: Timestamp) -> Truth {
        self.records(self.domain.truth_at(APP, instant.to_datetime()).unwrap())
    }

    fn calls(&self) -> Vec<Seen> {
        let seen = self.domain.calls().into_iter().map(|call| {
            let kind = if call.path.contains("/oauth2/") {
                Call::SignIn
            } else if call.path.ends_with("form/fields.json") {
                Call::Description
            } else if call.query.contains(r#""fields":["$id","$revision"]"#) {
                Call::Keys
            } else {
                Call::Records
            };
            Seen { call: kind, rows: call.rows, is_counted: kind != Call::SignIn }
        });
        seen.collect()
    }

    fn clear_calls(&self) {
        self.domain.clear_calls();
    }
}
