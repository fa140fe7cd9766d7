//! A source that tells of no deletion and hides some changes: what its daily sweep brings into the log.

use nenrin::clock::{Clock, Timestamp};
use nenrin::connect::ReadMode;
use nenrin::record::StreamId;
use nenrin::sync::SyncOptions;
use serde_json::json;
use simulators::kintone::{Domain, Options, Server};

use super::SEPTEMBER;
use crate::support::app::{TestApp, assert_complete, at};
use crate::support::org::fields;

/// 顧客管理 of the simulated domain.
const CUSTOMERS: u64 = 1;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Longer than a lease lasts.
const LEASE_SECS: i64 = 61;

fn stream() -> StreamId {
    StreamId::new("kintone", "顧客管理")
}

/// A project that reads a domain with that many customers.
async fn with_customers(records: u64) -> (TestApp, Server) {
    let options = Options { records, at: at(SEPTEMBER).to_datetime(), ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let app = TestApp::new(SEPTEMBER);
    app.write("secrets/kintone", server.credentials()["api_tokens"]["1"].as_str().unwrap());
    let source = format!(
        "apiVersion: nenrin/v1\nkind: Source\nconnector: kintone\nbase_url: {}\npage_size: 200\nstreams:\n  \
         - {{ name: 顧客管理, app: 1, token: \"${{file:secrets/kintone}}\", allow: [会社名, 備考, 顧客コード] }}\n",
        server.base_url(),
    );
    app.write("sources/kintone.yaml", &source);
    (app, server)
}

fn advance(app: &TestApp, domain: &Domain, secs: i64) {
    app.clock.advance_secs(secs);
    domain.advance(secs);
}

/// What no window tells of: a record changed and one added that become visible late, and one deleted. A day later all
/// is visible, and a sweep is due.
fn live(app: &TestApp, domain: &Domain) -> (String, String, String) {
    advance(app, domain, HOUR);
    let ids = domain.ids(CUSTOMERS).unwrap();
    let (changed, gone) = (ids[10], ids[11]);
    domain.update_late(CUSTOMERS, changed, &fields(json!({ "備考": "遅れて" })), 2 * HOUR).unwrap();
    let new = fields(json!({ "会社名": "遅れた会社", "顧客コード": "L1" }));
    let late = domain.insert_late(CUSTOMERS, &new, 2 * HOUR).unwrap();
    domain.insert(CUSTOMERS, &fields(json!({ "会社名": "早い会社", "顧客コード": "L2" }))).unwrap();
    domain.delete(CUSTOMERS, gone).unwrap();
    (changed.to_string(), late.to_string(), gone.to_string())
}

#[tokio::test]
async fn e2_a_daily_sweep_finds_deletions_and_what_came_late_and_a_quiet_one_nothing() {
    let (app, server) = with_customers(450).await;
    let domain = server.domain();
    let report = app.sync("kintone").await;
    assert_eq!((report.counts.new, report.requests), (450, 1 + 3));
    let (changed, late, gone) = live(&app, &domain);
    let then = app.clock.now();
    advance(&app, &domain, HOUR);
    let report = app.sync("kintone").await;
    assert_eq!((report.counts.read, report.requests), (1, 2), "the window shows the early one alone");
    // Saved again as it is: another revision, no version.
    let idle = domain.ids(CUSTOMERS).unwrap()[20];
    domain.update(CUSTOMERS, idle, &fields(json!({}))).unwrap();
    advance(&app, &domain, HOUR + DAY);
    let report = app.sync("kintone").await;
    let counts = report.counts;
    assert_eq!((counts.new, counts.changed, counts.deleted_by_absence), (1, 1, 1), "{counts:?}");
    // Form, window, sweep, the two by key (each page is a batch of its own here), the missing one by key.
    assert_eq!(report.requests, 2 + 3 + 2 + 1);
    let now = app.clock.now();
    let records = app.records(&stream(), now, Timestamp::MAX).await;
    assert!(records[&gone].is_none() && records[&late].is_some());
    // It is dated by its own time, long before any window that could have shown it.
    let before = app.records(&stream(), then, Timestamp::MAX).await;
    assert!(before[&late].is_some());
    assert_eq!(before[&changed].as_ref().unwrap()["備考"].as_deref(), Some("遅れて"));

    let files = app.lake_files();
    for mode in [ReadMode::Incremental, ReadMode::Full, ReadMode::Incremental] {
        advance(&app, &domain, DAY);
        let report = app.sync_as("kintone", mode).await;
        let expected = if mode == ReadMode::Full { 1 + 3 } else { 2 + 3 };
        assert_eq!(report.requests, expected, "{mode:?} reads no record by key");
    }
    assert_eq!(app.lake_files(), files, "law 5: nothing new, nothing written");
    server.shutdown().await;
}

#[tokio::test]
async fn law2_a_sweep_that_is_cut_off_anywhere_is_gone_on_with() {
    let (app, server) = with_customers(450).await;
    let domain = server.domain();
    app.sync("kintone").await;
    live(&app, &domain);
    advance(&app, &domain, DAY);
    let before = app.fork();
    let steps = app.steps("kintone", ReadMode::Incremental).await;
    let lines = app.lines(&stream()).await;
    for (cut_at, step) in steps.iter().enumerate() {
        let what = format!("cut off at step {cut_at} of {}, {step:?}", steps.len());
        let victim = before.fork();
        assert!(victim.cut_off("kintone", ReadMode::Incremental, cut_at).await, "{what}");
        victim.clock.advance_secs(LEASE_SECS);
        assert_complete(&victim.sync_with("kintone", &SyncOptions::default()).await.unwrap());
        assert_eq!(victim.lines(&stream()).await, lines, "{what}");
    }
    server.shutdown().await;
}
