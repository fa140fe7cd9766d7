//! Taps as processes: shell scripts that say what a tap says, and a real one from the Python registry.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nenrin::clock::{Clock, Timestamp};
use nenrin::connect::ReadMode;
use nenrin::control::RunOutcome;
use nenrin::error::ErrorKind;
use nenrin::record::{FieldClass, StreamId};
use nenrin::sync::{RunReport, SyncOptions};
use simulators::core::{Options, Server};

use crate::support::app::{TestApp, at};

const CATALOG: &str = r#"{"streams":[{"tap_stream_id":"orders","stream":"orders","key_properties":["id"],
  "schema":{"properties":{"id":{"type":"integer"},"amount":{"type":"number"},"memo":{"type":["null","string"]}}},"metadata":[]}]}"#;

/// Says its catalog; else what stands in the file `says` after noting the state that it was given.
const TAP: &str = r#"#!/bin/sh
here=$(dirname "$0")
state=none
while [ $# -gt 0 ]; do
    case "$1" in
    --discover) cat "$here/catalog.json"; exit 0 ;;
    --state) state=$(cat "$2"); shift ;;
    --config) grep -q geheim-9731 "$2" || exit 9; shift ;;
    --catalog) grep -q '"selected":true' "$2" || exit 8; shift ;;
    esac
    shift
done
echo "$state" >>"$here/states"
cat "$here/says"
[ ! -f "$here/dies" ] || { echo "cannot go on with geheim-9731" >&2; exit 3; }
"#;

struct Bench(TestApp);

fn record(id: u64, amount: &str, memo: &str) -> String {
    format!(r#"{{"type":"RECORD","stream":"orders","record":{{"id":{id},"amount":{amount},"memo":"{memo}"}}}}"#)
}

fn state(at: &str) -> String {
    format!(r#"{{"type":"STATE","value":{{"at":"{at}"}}}}"#)
}

impl Bench {
    fn new() -> Bench {
        let app = TestApp::new("2026-10-01T00:00:00Z").with("tap/catalog.json", CATALOG).with("tap/tap", TAP);
        let program = app.path("tap/tap");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let source = format!(
            "apiVersion: nenrin/v1\nkind: Source\nconnector: singer\ncommand: [{}]\nconfig: {{ password: \"${{file:secret}}\" }}\n\
             streams:\n  orders: {{}}\n",
            program.display()
        );
        Bench(app.with("sources/tap.yaml", &source).with("secret", "geheim-9731"))
    }

    fn says(&self, lines: &[String]) {
        self.0.write("tap/says", &(lines.join("\n") + "\n"));
    }

    fn states(&self) -> Vec<String> {
        let told = fs::read_to_string(self.0.path("tap/states")).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    async fn run(&self, mode: ReadMode) -> RunReport {
        self.0.sync_with("tap", &SyncOptions { mode, ..SyncOptions::default() }).await.unwrap()
    }

    async fn sync(&self) -> RunReport {
        self.0.advance(60);
        let report = self.run(ReadMode::Incremental).await;
        assert_eq!(report.outcome, RunOutcome::Complete, "{:?}", report.first_error());
        report
    }

    /// The values of `field`, by key.
    async fn values(&self, field: &str) -> Vec<(String, Option<String>)> {
        let stream = StreamId::new("tap", "orders");
        let now = self.0.clock.now();
        let records = self.0.records_at(&stream, &[now], Timestamp::MAX, FieldClass::is_hashed).await;
        let records = records.into_iter().next().unwrap();
        records.into_iter().filter_map(|(key, record)| Some((key, record?[field].clone()))).collect()
    }
}

fn some(values: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
    values.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect()
}

#[tokio::test]
async fn the_taps_state_is_the_checkpoint() {
    let bench = Bench::new();
    bench.says(&[record(1, "12345678901234567890.10", "a"), record(2, "2", "b"), state("one")]);
    let report = bench.sync().await;
    assert_eq!((report.streams[0].mode, report.streams[0].counts.new), ("first", 2));
    assert_eq!(bench.values("amount").await, some(&[("1", "12345678901234567890.1"), ("2", "2")]));
    bench.says(&[record(2, "2", "B"), state("two")]);
    let report = bench.sync().await;
    assert_eq!((report.streams[0].counts.changed, report.streams[0].counts.deleted), (1, 0));
    bench.says(&[]);
    let report = bench.sync().await;
    assert_eq!(report.streams[0].counts.read, 0, "a quiet run");
    assert_eq!(bench.states(), ["none", r#"{"at":"one"}"#, r#"{"at":"two"}"#]);
    assert_eq!(bench.values("memo").await, some(&[("1", "a"), ("2", "B")]));
    // Everything once more, without a state: what is not sent is gone.
    bench.says(&[record(2, "2", "B"), state("three")]);
    bench.0.advance(60);
    bench.run(ReadMode::Full).await;
    assert_eq!(bench.values("memo").await, some(&[("2", "B")]));
    assert_eq!(bench.states().last().unwrap(), "none");
}

#[tokio::test]
async fn a_tap_that_dies_keeps_what_it_sent_before_its_last_state_and_tells_no_secret() {
    let bench = Bench::new();
    let mut lines: Vec<String> = (1..=2_500).map(|id| record(id, "1", "x")).collect();
    lines.push(state("half"));
    lines.push(record(9_999, "1", "lost"));
    bench.says(&lines);
    bench.0.write("tap/dies", "");
    bench.0.advance(60);
    let report = bench.run(ReadMode::Incremental).await;
    let error = report.first_error().unwrap();
    assert_eq!((report.outcome, error.kind), (RunOutcome::Failed, Some(ErrorKind::Unavailable)));
    assert!(error.rendered.contains("cannot go on with ***") && !error.rendered.contains("9731"), "{}", error.rendered);
    assert_eq!(bench.values("memo").await.len(), 2_500, "what is before a state is kept");
    bench.0.remove("tap/dies");
    bench.says(&[record(2_501, "1", "y"), state("whole")]);
    bench.sync().await;
    assert_eq!(bench.states(), ["none", r#"{"at":"half"}"#]);
}

#[tokio::test]
async fn rubbish_between_messages_is_told_and_loses_no_record() {
    let bench = Bench::new();
    let mut lines = vec!["INFO hello".to_owned(), record(1, "1", "a"), "{\"type\":\"RECORD\"".to_owned()];
    lines.extend([r#"{"type":"RECORD","stream":"orders","record":{"amount":1}}"#.to_owned(), record(2, "2", "b")]);
    bench.says(&lines);
    bench.0.advance(60);
    let report = bench.run(ReadMode::Incremental).await;
    assert_eq!((report.streams[0].counts.new, report.streams[0].counts.rejected), (2, 3), "{:?}", report.first_error());
    bench.says(&vec!["no tap".to_owned(); 1_002]);
    bench.0.advance(60);
    let report = bench.run(ReadMode::Incremental).await;
    let error = report.first_error().unwrap();
    assert!(error.rendered.contains("other things than messages"), "{}", error.rendered);
}

#[tokio::test]
async fn a_full_table_is_read_whole_each_time_and_what_it_lacks_is_gone() {
    let bench = Bench::new();
    let version = r#"{"type":"ACTIVATE_VERSION","stream":"orders","version":1}"#.to_owned();
    bench.says(&[record(1, "1", "a"), record(2, "2", "b"), state("v"), version.clone()]);
    bench.sync().await;
    bench.says(&[record(1, "1", "a"), state("v"), version]);
    bench.sync().await;
    assert_eq!(bench.values("memo").await, some(&[("1", "a")]));
    assert_eq!(bench.states(), ["none", "none"]);
}

#[tokio::test]
async fn a_program_that_is_not_there_says_what_to_do() {
    let bench = Bench::new();
    let source =
        "apiVersion: nenrin/v1\nkind: Source\nconnector: singer\ncommand: [tap-nobody-has]\nstreams: { orders: {} }\n";
    bench.0.write("sources/tap.yaml", source);
    let report = bench.run(ReadMode::Incremental).await;
    let error = report.first_error().unwrap();
    assert_eq!(error.kind, Some(ErrorKind::Config));
    assert!(error.rendered.contains("tap-nobody-has") && error.rendered.contains("pipx install"), "{}", error.rendered);
}

/// `tap-rest-api-msdk` of the Python registry, as `scripts/test` installs it.
#[tokio::test]
async fn a_real_tap_reads_the_accounting_api() {
    let program = std::env::var("TEST_SINGER_TAP")
        .expect("TEST_SINGER_TAP names tap-rest-api-msdk: run the tests by scripts/test, which installs it");
    let server = Server::start(Options { records: 45, ..Options::default() }).await.unwrap();
    let core = server.core();
    let told = server.credentials()["keiyaku"].clone();
    let app = TestApp::new("2026-10-01T00:00:00Z").with("secret", told["api_key"].as_str().unwrap());
    let source = format!(
        r#"apiVersion: nenrin/v1
kind: Source
connector: singer
command: [{program}]
config:
  api_url: {}
  headers: {{ X-Api-Key: "${{file:secret}}" }}
  streams:
    - name: contracts
      path: /contracts
      records_path: "$.result.rows[*]"
      primary_keys: [契約番号]
      num_inference_records: 50
streams:
  contracts: {{}}
"#,
        told["base_url"].as_str().unwrap(),
    );
    let app = app.with("sources/tap.yaml", &source);
    let report = app.sync("tap").await;
    assert_eq!(report.counts.new, 45);
    core.edit("contracts", "K0000003", r#"{"月額":77000}"#).unwrap();
    core.delete("contracts", "K0000004").unwrap();
    app.advance(3_600);
    let report = app.sync_as("tap", ReadMode::Full).await;
    assert_eq!((report.counts.changed, report.counts.deleted_by_absence), (1, 1));
    let stream = StreamId::new("tap", "contracts");
    let now = at("2026-10-01T02:00:00Z");
    let records = app.records_at(&stream, &[now], Timestamp::MAX, FieldClass::is_hashed).await;
    assert_eq!(records[0]["K0000003"].as_ref().unwrap()["月額"].as_deref(), Some("77000"));
}
