//! Any HTTP API, against the simulated core systems: every way of paging, signing in and going wrong.

mod world;

use nenrin::connect::{Few, ReadMode};
use nenrin::error::{Error, ErrorKind};
use nenrin::record::DeleteKind;
use serde_json::{Value, json};
use simulators::core::{Core, Options, Server, parse_fault};

pub(crate) use world::SYSTEM;

use super::reader::Reader;

/// As a log keeps the truth that the simulator tells.
fn text(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        // The numbers of the simulator that may have zeros that carry nothing.
        Value::String(text) if ["単価", "amount", "tax"].contains(&name) && text.contains('.') => {
            Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
        }
        Value::String(text) => Some(text.clone()),
        Value::Object(members) => {
            let sorted: std::collections::BTreeMap<&String, &Value> = members.iter().collect();
            Some(serde_json::to_string(&sorted).unwrap())
        }
        other => Some(other.to_string()),
    }
}

struct Bench {
    core: Core,
    reader: Reader,
    _server: Server,
}

impl Bench {
    /// The stream `name` of that API, with these settings.
    async fn of(options: Options, api: &str, name: &'static str, settings: Value) -> Bench {
        let server = Server::start(options).await.unwrap();
        let (core, credentials) = (server.core(), server.credentials());
        let told = &credentials[api];
        let auth = match api {
            "keiyaku" => json!({ "type": "basic", "username": told["login"], "password": told["password"] }),
            "kaikei" => json!({
                "type": "oauth2", "token_url": told["token_url"], "client_id": told["client_id"],
                "client_secret": told["client_secret"], "refresh_token": told["refresh_token"],
            }),
            _ => json!({ "type": "bearer", "token": told["token"] }),
        };
        let mut streams = json!({});
        streams[name] = settings;
        let config = json!({
            "base_url": told["base_url"], "auth": auth, "time_zone": "Asia/Tokyo", "streams": streams,
        });
        let reader = Reader::new("rest", config, name);
        reader.clock.set(core.now().into());
        Bench { core, reader, _server: server }
    }

    async fn invoices(records: u64) -> Bench {
        Bench::of(Options { records, ..Options::default() }, "kaikei", "invoices", invoices()).await
    }

    fn advance(&self, secs: i64) {
        self.core.advance(secs);
        self.reader.clock.advance_secs(secs);
    }

    fn arm(&self, fault: &str) {
        self.core.arm(parse_fault(fault).unwrap());
    }

    fn calls(&self, part: &str) -> usize {
        self.core.calls().iter().filter(|call| format!("{}?{}", call.path, call.query).contains(part)).count()
    }

    /// Fails unless what was read is what is so.
    fn assert_true(&self, collection: &str, key: &[&str]) {
        let truth = self.core.truth(collection).unwrap();
        let living = truth.iter().filter(|row| row.get("deleted") != Some(&Value::Bool(true)));
        let mut count = 0;
        for row in living {
            count += 1;
            let parts: Vec<String> = key.iter().map(|name| text(name, &row[*name]).unwrap()).collect();
            let key = if let [one] = parts.as_slice() { one.clone() } else { serde_json::to_string(&parts).unwrap() };
            let known = self.reader.known.get(&key).unwrap_or_else(|| panic!("{key} was not read"));
            assert_eq!(known.deleted, None, "{key}");
            for (name, value) in row.iter().filter(|(_, value)| !value.is_array() && !value.is_object()) {
                assert_eq!(known.values[name], text(name, value), "{name} of {key}");
            }
        }
        let alive = self.reader.known.values().filter(|known| known.deleted.is_none()).count();
        assert_eq!(alive, count);
    }

    async fn refused(&mut self) -> Error {
        self.reader.run().await.unwrap_err()
    }
}

fn invoices() -> Value {
    json!({
        "path": "invoices", "records": "$.invoices", "total": "$.meta.total_count", "key": ["id"], "stamp": "updated_at",
        "deleted": { "field": "deleted" },
        "paging": { "type": "offset", "param": "offset", "size_param": "limit", "size": 20 },
        "window": { "params": { "updated_since": "{{ window.from }}" } },
    })
}

fn contracts() -> Value {
    json!({
        "path": "contracts", "records": "$.result.rows", "key": ["契約番号"],
        "paging": { "type": "keyset", "param": "after", "field": "契約番号", "size_param": "limit", "size": 20 },
    })
}

fn daily() -> Value {
    json!({
        "path": "daily", "records": "$.data", "key": ["customer", "date"],
        "paging": { "type": "next_url", "next": "$.paging.next" },
        "window": {
            "start": "2026-10-20", "step_days": 1, "overlap_secs": 259_200,
            "params": {
                "from": "{{ window.from | date('%Y-%m-%d') }}", "to": "{{ window.last | date('%Y-%m-%d') }}",
            },
        },
    })
}

#[tokio::test]
async fn invoices_by_offset_with_rotating_tokens_and_marks_of_deletion() {
    let mut bench = Bench::invoices(130).await;
    bench.arm("expired@/invoices#3");
    let run = bench.reader.run().await.unwrap();
    // Each page begins with the last record of the one before; one was asked for with a token that had expired.
    assert_eq!((run.pages.len(), bench.calls("offset=")), (7, 8));
    bench.assert_true("invoices", &["id"]);
    bench.advance(3_600);
    bench.core.edit("invoices", "7", r#"{"amount":12345678901234567890.10}"#).unwrap();
    bench.core.delete("invoices", "9").unwrap();
    bench.advance(120);
    bench.core.clear_calls();
    let run = bench.reader.run().await.unwrap();
    assert_eq!((run.read, bench.calls("updated_since")), (2, 1));
    assert_eq!(bench.reader.known["7"].values["amount"].as_deref(), Some("12345678901234567890.1"));
    assert_eq!(bench.reader.known["9"].deleted, Some(DeleteKind::Deleted));
    bench.advance(3_600);
    assert_eq!(bench.reader.run().await.unwrap().read, 2, "a window begins before the last one ended");
    bench.advance(3_600);
    bench.core.clear_calls();
    assert_eq!((bench.reader.run().await.unwrap().read, bench.calls("invoices")), (0, 1), "a quiet run");
}

#[tokio::test]
async fn records_that_go_while_pages_are_read_let_no_other_be_passed_over() {
    let mut bench = Bench::invoices(130).await;
    bench.core.before("offset=38", 1, |core| {
        for key in ["3", "5", "8"] {
            core.erase("invoices", key).unwrap();
        }
    });
    bench.reader.run().await.unwrap();
    for key in ["40", "41", "42", "130"] {
        assert!(bench.reader.known.contains_key(key), "{key}");
    }
}

#[tokio::test]
async fn client_credentials_and_a_withdrawn_credential() {
    let mut bench = Bench::invoices(30).await;
    bench.reader.change(|config| {
        config["auth"].as_object_mut().unwrap().remove("refresh_token");
        config["auth"]["client_in_header"] = json!(true);
    });
    bench.reader.run().await.unwrap();
    bench.assert_true("invoices", &["id"]);
    bench.reader.change(|config| config["auth"]["client_secret"] = json!("wrong"));
    let error = bench.refused().await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.help_text().unwrap().contains("client_secret"), "{}", error.render());
    assert!(!error.render().contains("wrong"), "no secret is told");
}

#[tokio::test]
async fn pages_by_number_and_by_link_header() {
    let partners = json!({
        "path": "partners", "records": "$.partners", "key": ["id"],
        "paging": { "type": "page", "param": "page", "size_param": "per_page", "size": 50 },
    });
    let options = || Options { records: 120, ..Options::default() };
    let mut bench = Bench::of(options(), "kaikei", "partners", partners).await;
    bench.reader.run().await.unwrap();
    bench.assert_true("partners", &["id"]);
    let accounts =
        json!({ "path": "accounts", "records": "$.accounts", "key": ["id"], "paging": { "type": "link_header" } });
    let mut bench = Bench::of(options(), "kaikei", "accounts", accounts).await;
    assert!(bench.reader.run().await.unwrap().pages.len() > 1);
    bench.assert_true("accounts", &["id"]);
}

#[tokio::test]
async fn an_api_that_gives_fewer_than_asked_for_is_read_to_its_end() {
    // It gives 100 at most, and refuses more; asked for 100 of 250, pages are full. Nothing says how many there are.
    let mut settings = invoices();
    settings.as_object_mut().unwrap().remove("total");
    settings["paging"] = json!({ "type": "offset", "param": "offset", "size": 100 });
    let mut bench = Bench::of(Options { records: 250, ..Options::default() }, "kaikei", "invoices", settings).await;
    bench.reader.run().await.unwrap();
    bench.assert_true("invoices", &["id"]);
}

#[tokio::test]
async fn usage_by_days_with_corrections_of_the_last_three() {
    let options = Options { records: 30, usage_page: 20, ..Options::default() };
    let mut bench = Bench::of(options, "usage", "daily", daily()).await;
    let run = bench.reader.run().await.unwrap();
    let days = |core: &Core| core.calls().iter().filter(|call| !call.query.contains("page_token")).count();
    assert_eq!(days(&bench.core), 12, "from October 20 on, a day at a time; November begins just now");
    assert!(run.read > 0);
    let told = bench.core.truth("usage").unwrap();
    let wanted = |row: &&serde_json::Map<String, Value>| row["date"].as_str().unwrap() >= "2026-10-20";
    // November has begun this instant; its first day is read when it is behind the lag.
    let over = |row: &&serde_json::Map<String, Value>| wanted(row) && row["date"].as_str().unwrap() < "2026-11";
    assert_eq!(told.iter().filter(over).count(), bench.reader.known.len());
    assert!(bench.reader.known.values().any(|known| known.values["api_calls"].as_ref().unwrap().len() == 20));
    bench.advance(86_400);
    bench.core.clear_calls();
    bench.reader.run().await.unwrap();
    assert_eq!(days(&bench.core), 5, "three days before the last run's, that day and the new one");
    let over = |row: &&serde_json::Map<String, Value>| wanted(row) && row["date"].as_str().unwrap() < "2026-11-02";
    for row in bench.core.truth("usage").unwrap().iter().filter(over) {
        let key = serde_json::to_string(&[row["customer"].as_str(), row["date"].as_str()]).unwrap();
        assert_eq!(bench.reader.known[&key].values["logins"], text("logins", &row["logins"]), "{key}");
    }
}

#[tokio::test]
async fn a_first_load_by_days_that_was_cut_off_goes_on_with_its_day() {
    let options = Options { records: 10, ..Options::default() };
    let mut bench = Bench::of(options, "usage", "daily", daily()).await;
    bench.reader.run_with(ReadMode::Incremental, 4, |_| ()).await.unwrap();
    bench.core.clear_calls();
    bench.reader.run().await.unwrap();
    assert_eq!(bench.core.calls().len(), 8);
}

#[tokio::test]
async fn a_signed_post_whose_body_carries_the_cursor() {
    let search = json!({
        "path": "search", "method": "post", "records": "$.items", "key": ["customer", "date"],
        "body": r#"{"cursor": {{ page.cursor }}, "size": 50, "customer": {{ vars.customer }}}"#,
        "paging": { "type": "cursor", "next": "$.next_cursor" },
    });
    let options = Options { records: 5, signed: true, ..Options::default() };
    let mut bench = Bench::of(options, "usage", "search", search).await;
    let credentials = bench.core.credentials();
    let customer = bench.core.customers()[0].clone();
    bench.reader.change(|config| {
        config["vars"] = json!({ "secret": credentials["usage"]["signing_secret"], "customer": customer });
        config["auth"] = json!({ "type": "signed", "headers": {
            "Authorization": format!("Bearer {}", credentials["usage"]["token"].as_str().unwrap()),
            "X-Timestamp": "{{ now | epoch }}",
            "X-Signature": "{{ (now | epoch ~ '\n' ~ method ~ '\n' ~ path ~ ('?' ~ query if query else '')) | hmac_sha256(vars.secret) }}",
        } });
    });
    bench.reader.run().await.unwrap();
    let truth = bench.core.truth("usage").unwrap();
    let own = truth.iter().filter(|row| row["customer"].as_str() == Some(&customer)).count();
    assert_eq!((bench.reader.known.len(), bench.core.calls().len()), (own, own.div_ceil(50)));
    bench.reader.change(|config| config["vars"]["secret"] = json!("another"));
    assert_eq!(bench.refused().await.kind(), ErrorKind::Auth);
}

/// The lines of 70 contracts, and the contracts.
async fn lines() -> Bench {
    let settings = json!({
        "path": "contracts/{{ parent.契約番号 }}/lines", "records": "$[*]", "key": ["契約番号", "行"],
        "parent": { "stream": "contracts", "keep": ["契約番号"] },
    });
    let mut bench = Bench::of(Options { records: 70, ..Options::default() }, "keiyaku", "lines", settings).await;
    bench.reader.change(|config| config["streams"]["contracts"] = contracts());
    bench
}

#[tokio::test]
async fn children_of_parents_that_a_list_lacks_are_not_taken_for_gone() {
    let mut bench = lines().await;
    bench.reader.change(|config| config["streams"]["contracts"]["total"] = json!("$.count"));
    bench.reader.run().await.unwrap();
    bench.advance(86_400);
    bench.arm("lose=5@/contracts?*after=K0000060#1");
    bench.reader.run().await.unwrap();
    bench.assert_true("lines", &["契約番号", "行"]);
    bench.advance(86_400);
    bench.arm("lose=5@/contracts?*after=K000006#1+");
    let error = bench.refused().await;
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.render().contains("list: contracts"), "{}", error.render());
    bench.assert_true("lines", &["契約番号", "行"]);
}

#[tokio::test]
async fn lines_of_contracts_and_a_contract_that_vanishes_meanwhile() {
    let mut bench = lines().await;
    bench.core.before("K0000033/lines", 1, |core| core.delete("contracts", "K0000033").unwrap());
    bench.reader.run().await.unwrap();
    bench.assert_true("lines", &["契約番号", "行"]);
    assert!(!bench.reader.known.keys().any(|key| key.contains("K0000033")));
    // Killed after the first parents, it goes on with the next ones.
    bench.advance(86_400);
    bench.core.set_lines("K0000070", json!([{"行": 1, "商品": "新", "数量": 1, "単価": 9}])).unwrap();
    bench.reader.run_with(ReadMode::Incremental, 2, |_| ()).await.unwrap();
    bench.core.clear_calls();
    bench.reader.run().await.unwrap();
    assert!(bench.calls("/lines") < 60, "{}", bench.calls("/lines"));
    bench.assert_true("lines", &["契約番号", "行"]);
}

#[tokio::test]
async fn xml_and_csv_of_one_list_or_of_one_element() {
    for (single_plan, path, key) in [(false, "plans.xml", "@id"), (true, "plans.xml", "@id"), (false, "plans.csv", "")]
    {
        let options = Options { records: 5, single_plan, ..Options::default() };
        let records = if path.ends_with("xml") { "$.plans.plan" } else { "$" };
        let settings = json!({ "path": path, "records": records, "key": [key] });
        let mut bench = Bench::of(options, "keiyaku", "plans", settings).await;
        if key.is_empty() {
            // The header is what the file has: looking tells its names.
            bench.reader.change(|config| config["streams"]["plans"]["key"] = json!(["?"]));
            let source = bench.reader.open().await;
            let stream = source.describe_other("plans").await.unwrap();
            let first = stream.fields.iter().find(|field| field.name != "?").unwrap().name.clone();
            bench.reader.change(|config| config["streams"]["plans"]["key"] = json!([first]));
        }
        bench.reader.run().await.unwrap();
        let expected = bench.core.truth("plans").unwrap().len();
        assert_eq!(bench.reader.known.len(), expected, "{path}");
        let texts: Vec<&str> =
            bench.reader.known.values().flat_map(|known| known.values.values().flatten()).map(String::as_str).collect();
        assert!(texts.iter().any(|text| text.contains(',')), "a price with a comma: {texts:?}");
    }
}

#[tokio::test]
async fn a_selector_that_finds_nothing_names_what_is_there() {
    let mut bench = Bench::invoices(5).await;
    bench.arm("reshape@/invoices#1+");
    let error = bench.refused().await;
    assert_eq!(error.kind(), ErrorKind::BadData);
    let told = error.render();
    assert!(told.contains("$.invoices") && told.contains("invoices_v2") && told.contains("records_optional"), "{told}");
}

#[tokio::test]
async fn lists_without_an_end_are_seen() {
    for (fault, settings, api, name) in [
        ("loop=1@/daily#1+", daily(), "usage", "daily"),
        ("loop=2@/daily#2+", daily(), "usage", "daily"),
        ("ignore=offset@/invoices#1+", invoices(), "kaikei", "invoices"),
        ("ignore=after@/contracts#1+", contracts(), "keiyaku", "contracts"),
    ] {
        let options = Options { records: 90, usage_page: 10, ..Options::default() };
        let mut bench = Bench::of(options, api, name, settings).await;
        bench.arm(fault);
        let error = bench.refused().await;
        assert_eq!(error.kind(), ErrorKind::BadData, "{fault}: {}", error.render());
        assert!(error.render().contains("has no end"), "{fault}: {}", error.render());
        assert!(bench.core.calls().len() < 12, "{fault}: {} calls", bench.core.calls().len());
    }
}

#[tokio::test]
async fn a_page_that_was_sent_before_is_asked_for_again() {
    for (fault, settings, api, name) in [
        ("repeat@/invoices#3", invoices(), "kaikei", "invoices"),
        ("repeat@/contracts#3", contracts(), "keiyaku", "contracts"),
        ("lose=5@/invoices#2", invoices(), "kaikei", "invoices"),
    ] {
        let mut bench = Bench::of(Options { records: 90, ..Options::default() }, api, name, settings).await;
        bench.arm(fault);
        bench.reader.run().await.unwrap();
        assert_eq!(bench.reader.known.len(), 90, "{fault}");
    }
}

#[tokio::test]
async fn errors_in_answers_of_200_are_told_by_rules_alone() {
    let mut bench = Bench::invoices(5).await;
    bench.reader.change(|config| {
        config["errors"] = json!([
            { "body": { "path": "$.errors[0].type" }, "then": "quota", "message": "会計APIの上限" },
        ]);
    });
    bench.arm("error-200@/invoices");
    let error = bench.refused().await;
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert!(error.render().contains("会計APIの上限"), "{}", error.render());
    bench.reader.run().await.unwrap();
    bench.assert_true("invoices", &["id"]);
}

#[tokio::test]
async fn a_template_that_fails_ends_the_stream_before_anything_is_sent() {
    let mut bench = Bench::invoices(5).await;
    bench.reader.change(|config| config["streams"]["invoices"]["params"] = json!({ "x": "{{ window.nowhere }}" }));
    let error = bench.refused().await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.render().contains("params.x"), "{}", error.render());
    assert_eq!(bench.calls("invoices"), 0);
}

#[tokio::test]
async fn a_field_that_is_new_is_read_for_every_record_at_once() {
    let mut bench = Bench::invoices(30).await;
    bench.reader.run().await.unwrap();
    bench.advance(3_600);
    bench.core.change_silently("invoices", "3", r#"{"地域":"関西"}"#).unwrap();
    bench.core.edit("invoices", "4", r#"{"地域":"関東"}"#).unwrap();
    bench.advance(120);
    bench.reader.run().await.unwrap();
    assert_eq!(bench.reader.known["3"].values["地域"].as_deref(), Some("関西"));
    bench.assert_true("invoices", &["id"]);
}

#[tokio::test]
async fn looking_shows_fields_with_types_and_a_few_records() {
    let mut bench = Bench::invoices(30).await;
    let source = bench.reader.open().await;
    assert!(source.check().await.iter().all(|finding| finding.ok));
    let stream = source.describe_other("invoices").await.unwrap();
    let kind = |name: &str| {
        let field = stream.fields.iter().find(|field| field.name == name).unwrap();
        field.source_type.clone()
    };
    assert_eq!((kind("id"), kind("amount"), kind("status")), ("number".into(), "number".into(), "string".into()));
    let records = source.sample(&stream, Few::First(3)).await.unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(source.sample(&stream, Few::Key("25")).await.unwrap().heads()[0].key, "25");
}
