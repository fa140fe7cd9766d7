//! The kintone connector against the simulated domain.

mod world;

use std::collections::BTreeMap;

use nenrin::clock::Timestamp;
use nenrin::error::ErrorKind;
use nenrin::record::{DeleteKind, Next, Page, Reading};
use serde_json::{Value, json};
use simulators::kintone::{Domain, Fault, FaultKind, Fields, Options, Server};

pub(crate) use world::SYSTEM;

use super::reader::Reader;

/// 顧客管理 of the simulated domain.
const CUSTOMERS: u64 = 1;
const STREAM: &str = "顧客管理";
const TABLE: &str = "顧客管理.契約";

struct Bench {
    server: Server,
    domain: Domain,
    reader: Reader,
}

impl Bench {
    async fn of(records: u64) -> Bench {
        Bench::with(Options { records, ..Options::default() }, STREAM, |_| ()).await
    }

    async fn with(options: Options, stream: &'static str, change: impl FnOnce(&mut Value)) -> Bench {
        let server = Server::start(options).await.unwrap();
        let domain = server.domain();
        let credentials = server.credentials();
        let mut config = json!({
            "base_url": credentials["base_url"],
            "streams": [{ "name": STREAM, "app": CUSTOMERS, "token": credentials["api_tokens"]["1"], "tables": ["契約"] }],
        });
        change(&mut config);
        Bench { reader: Reader::new("kintone", config, stream), server, domain }
    }

    /// Fails unless what was read is what the domain holds.
    fn assert_true(&self) {
        let truth = self.domain.truth(CUSTOMERS).unwrap();
        let truth: BTreeMap<&str, &Fields> = truth.iter().map(|row| (row["$id"].as_str().unwrap(), row)).collect();
        let lost: Vec<_> = truth.keys().filter(|key| !self.reader.known.contains_key(**key)).collect();
        assert!(lost.is_empty(), "{} records were not read, such as {:?}", lost.len(), lost.first());
        for (key, known) in &self.reader.known {
            let row = truth.get(key.as_str());
            assert_eq!(known.deleted.is_some(), row.is_none(), "{key}");
            let Some(row) = row else { continue };
            for (name, value) in known.values.iter().filter(|(name, _)| !name.ends_with(".name")) {
                // Shown to the minute, and with the app's code; true to the second, and without.
                if ["作成日時", "更新日時", "レコード番号"].contains(&name.as_str()) {
                    continue;
                }
                let expected = row.get(name.as_str()).unwrap_or_else(|| panic!("the domain has no {name}"));
                assert_eq!(value.as_deref(), text(expected).as_deref(), "{name} of {key}");
            }
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.domain.now())
    }

    fn an_id(&self, nth: usize) -> u64 {
        self.domain.ids(CUSTOMERS).unwrap()[nth]
    }
}

/// A value as a log keeps it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) if items[0].is_string() => {
            let mut items: Vec<&str> = items.iter().map(|item| item.as_str().unwrap()).collect();
            items.sort_unstable();
            Some(items.join("\n"))
        }
        Value::Array(files) => {
            let file = |file: &Value| {
                format!(r#"{{"contentType":{},"name":{},"size":{}}}"#, file["contentType"], file["name"], file["size"])
            };
            Some(format!("[{}]", files.iter().map(file).collect::<Vec<_>>().join(",")))
        }
        other => Some(other.to_string()),
    }
}

fn fields(value: Value) -> Fields {
    value.as_object().unwrap().clone()
}

fn last(pages: &[Page]) -> &Page {
    pages.last().unwrap()
}

fn complete_through(pages: &[Page]) -> Option<Timestamp> {
    match &last(pages).next {
        Next::Done { complete_through, .. } => *complete_through,
        Next::More(_) => None,
    }
}

fn readings(pages: &[Page]) -> String {
    let kind = |page: &Page| match page.reading {
        Some(Reading::Pass { .. }) => 'p',
        Some(Reading::Sweep { .. }) => 's',
        Some(Reading::Window { .. }) => 'w',
        _ => '?',
    };
    pages.iter().map(kind).collect()
}

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

#[tokio::test]
async fn a_run_says_how_far_it_has_read_and_how_many_records_there_are() {
    let mut bench = Bench::of(700).await;
    for kinds in ["pp", "w"] {
        let run = bench.reader.run().await.unwrap();
        assert_eq!(readings(&run.pages), kinds);
        let through = complete_through(&run.pages).unwrap();
        assert!(through <= bench.now().plus_secs(-60) && through > bench.now().plus_secs(-120));
        assert_eq!(last(&run.pages).source_total, Some(if kinds == "pp" { 700 } else { 0 }));
        bench.domain.advance(HOUR);
    }
    assert_eq!(bench.domain.requests_today(CUSTOMERS), 2 + 1 + 1 + 1);
}

#[tokio::test]
async fn changes_within_the_minute_of_a_reading_are_read_by_the_next() {
    for filter_sees_seconds in [false, true] {
        let mut bench = Bench::of(20).await;
        bench.domain.assume(|open| open.filter_sees_seconds = filter_sees_seconds);
        bench.reader.run().await.unwrap();
        for step in 0..30 {
            bench.domain.advance(7);
            let id = bench.an_id(step % 20);
            bench.domain.update(CUSTOMERS, id, &fields(json!({ "備考": format!("第{step}版") }))).unwrap();
            bench.domain.advance(step as i64 % 5 * 11);
            let run = bench.reader.run().await.unwrap();
            assert!(readings(&run.pages).starts_with('w'));
            bench.assert_true();
        }
    }
}

#[tokio::test]
async fn a_record_added_with_an_old_time_of_change_is_read_by_the_next_window() {
    let mut bench = Bench::of(50).await;
    bench.reader.run().await.unwrap();
    bench.domain.advance(HOUR);
    let old = fields(
        json!({ "会社名": "移行した会社", "顧客コード": "M1", "作成日時": "2019-04-01T00:00:00Z", "更新日時": "2019-04-01T00:00:00Z" }),
    );
    bench.domain.insert(CUSTOMERS, &old).unwrap();
    bench.reader.run().await.unwrap();
    bench.assert_true();
}

#[tokio::test]
async fn deleted_records_are_found_once_a_day_and_asked_for_before_they_count() {
    let mut bench = Bench::of(600).await;
    bench.reader.run().await.unwrap();
    let (gone, kept) = (bench.an_id(3), bench.an_id(4));
    bench.domain.advance(DAY);
    bench.domain.delete(CUSTOMERS, gone).unwrap();
    // A page that lacks its last records, as if they did not exist.
    bench.domain.arm(Fault::once(FaultKind::Lose(100), "records.json").from_call(2));
    bench.reader.run().await.unwrap();
    let known = |id: u64| bench.reader.known[&id.to_string()].deleted;
    assert_eq!((known(gone), known(kept)), (Some(DeleteKind::Absent), None));
    bench.assert_true();
}

#[tokio::test]
async fn rows_of_a_table_are_records_and_removed_ones_are_found() {
    let mut bench = Bench::with(Options { records: 700, ..Options::default() }, TABLE, |_| ()).await;
    let assert_rows_true = |bench: &Bench| {
        let truth = bench.domain.truth(CUSTOMERS).unwrap();
        let mut rows: BTreeMap<String, (usize, &Value)> = BTreeMap::new();
        for record in &truth {
            for (position, row) in record["契約"].as_array().unwrap().iter().enumerate() {
                rows.insert(json!([record["$id"], row["$row"]]).to_string(), (position, row));
            }
        }
        assert!(rows.keys().all(|key| bench.reader.known.contains_key(key)), "rows were not read");
        for (key, known) in &bench.reader.known {
            assert_eq!(known.deleted.is_some(), !rows.contains_key(key), "{key}");
            let Some((position, row)) = rows.get(key) else { continue };
            for (name, value) in &known.values {
                let expected = match name.as_str() {
                    "$parent" => Some(serde_json::from_str::<Vec<String>>(key).unwrap()[0].clone()),
                    "$position" => Some(position.to_string()),
                    other => text(&row[other]),
                };
                assert_eq!(*value, expected, "{name} of {key}");
            }
        }
        rows.len() as u64
    };
    let run = bench.reader.run().await.unwrap();
    assert_eq!((run.read, run.requests), (assert_rows_true(&bench), 2 + 1));
    bench.domain.advance(HOUR);
    let truth = bench.domain.truth(CUSTOMERS).unwrap();
    let several = truth.iter().find(|record| record["契約"].as_array().unwrap().len() > 1).unwrap();
    let id: u64 = several["$id"].as_str().unwrap().parse().unwrap();
    let kept = json!([{ "id": several["契約"][1]["$row"], "value": { "数量": { "value": "77" } } }]);
    bench.domain.update(CUSTOMERS, id, &fields(json!({ "契約": { "value": kept } }))).unwrap();
    let run = bench.reader.run().await.unwrap();
    assert_eq!((run.read, readings(&run.pages).as_str()), (1, "w"));
    bench.domain.advance(DAY);
    let run = bench.reader.run().await.unwrap();
    assert_eq!(readings(&run.pages), "pp");
    assert_rows_true(&bench);
}

#[tokio::test]
async fn a_renamed_field_stops_the_stream_until_a_person_says_so() {
    let mut bench = Bench::of(40).await;
    bench.reader.run().await.unwrap();
    bench.domain.rename_field(CUSTOMERS, "会社名", "顧客名称").unwrap();
    let before = bench.domain.calls().len();
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.render().contains("`会社名` may be `顧客名称`"), "{}", error.render());
    assert_eq!(bench.domain.calls().len(), before + 1, "the form, and no record");
    bench.reader.change(|config| config["streams"][0]["gone"] = json!(["会社名"]));
    let run = bench.reader.run().await.unwrap();
    assert_eq!(readings(&run.pages), "p");
    bench.assert_true();
}

#[tokio::test]
async fn a_new_option_or_formula_reads_everything_again_and_a_new_label_nothing() {
    let mut bench = Bench::of(40).await;
    bench.reader.run().await.unwrap();
    bench.domain.relabel_field(CUSTOMERS, "備考", "メモ書き").unwrap();
    assert_eq!(readings(&bench.reader.run().await.unwrap().pages), "w");
    bench.domain.rename_option(CUSTOMERS, "顧客ランク", "A", "S").unwrap();
    assert_eq!(readings(&bench.reader.run().await.unwrap().pages), "p");
    bench.assert_true();
}

#[tokio::test]
async fn a_wrong_password_is_asked_with_once() {
    let mut bench = Bench::of(1).await;
    bench.reader.change(|config| {
        config["streams"][0]["token"] = Value::Null;
        config["login"] = json!({ "user": "kato", "password": "wrong" });
    });
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(bench.domain.calls().len(), 1);
}

#[tokio::test]
async fn an_app_in_a_guest_space_is_asked_for_there() {
    let mut bench = Bench::of(3).await;
    bench.domain.set_guest_space(CUSTOMERS, Some(5)).unwrap();
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Config, "the app is in a guest space"));
    bench.reader.change(|config| config["streams"][0]["guest_space"] = json!(5));
    bench.reader.run().await.unwrap();
    bench.assert_true();
}

#[tokio::test]
async fn a_deleted_app_takes_no_record_with_it_and_is_read_on_when_it_is_back() {
    let mut bench = Bench::of(30).await;
    bench.reader.run().await.unwrap();
    bench.domain.delete_app(CUSTOMERS).unwrap();
    bench.domain.advance(DAY);
    assert_eq!(bench.reader.run().await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(bench.reader.known.values().all(|known| known.deleted.is_none()));
    bench.domain.restore_app(CUSTOMERS).unwrap();
    let run = bench.reader.run().await.unwrap();
    assert_eq!(readings(&run.pages), "ws");
    bench.assert_true();
}

#[tokio::test]
async fn a_field_hidden_from_the_user_stops_the_stream() {
    let mut bench = Bench::of(10).await;
    let credentials = bench.server.credentials();
    bench.reader.change(|config| {
        config["streams"][0]["token"] = Value::Null;
        config["login"] = json!({ "user": credentials["login"], "password": credentials["password"] });
    });
    for form_hides_fields in [false, true] {
        bench.domain.hide_field(CUSTOMERS, "備考", false).unwrap();
        bench.domain.assume(|open| open.form_hides_fields = form_hides_fields);
        bench.reader.run().await.unwrap();
        bench.domain.hide_field(CUSTOMERS, "備考", true).unwrap();
        bench.domain.update(CUSTOMERS, 1, &fields(json!({ "備考": "見えない" }))).unwrap();
        bench.domain.advance(60);
        let error = bench.reader.run().await.unwrap_err();
        let expected = if form_hides_fields { ErrorKind::Config } else { ErrorKind::Permission };
        assert_eq!(error.kind(), expected, "{}", error.render());
        assert!(error.render().contains("備考"), "{}", error.render());
    }
}

#[tokio::test]
async fn check_tells_about_each_app_and_its_tables() {
    let mut bench = Bench::with(Options { records: 12, ..Options::default() }, STREAM, |config| {
        let mut other = config["streams"][0].clone();
        (other["name"], other["app"], other["tables"]) = (json!("ない"), json!(99), json!([]));
        config["streams"].as_array_mut().unwrap().push(other);
    })
    .await;
    let findings = bench.reader.open().await.check().await;
    let shown: Vec<(bool, &str)> = findings.iter().map(|found| (found.ok, found.what.as_str())).collect();
    assert_eq!(shown, [(true, "app 1 (顧客管理)"), (true, "table 契約 of app 1"), (false, "app 99")], "{findings:#?}");
    assert!(findings[0].detail.starts_with("12 records, "), "{}", findings[0].detail);
}
