//! What files promise. They have no requests, stamps or sessions, so most of the suite cannot be asked of them; what can is
//! here, under the names that it has there. `docs/connectors/contract.md` lists both.

use std::collections::BTreeMap;

use nenrin::clock::Timestamp;
use nenrin::connect::ReadMode;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::app::{Record, TestApp, assert_complete, at, customers};

const NOW: &str = "2026-02-10T00:00:00Z";
/// More than two pages.
const ROWS: usize = 12_000;

fn source(settings: &str) -> String {
    format!(
        "apiVersion: nenrin/v1\nkind: Source\nconnector: file\npath: core/\nstreams:\n  customers: {{ key: [code], {settings} }}\n"
    )
}

fn app(settings: &str) -> TestApp {
    TestApp::new(NOW).with("sources/core.yaml", &source(settings))
}

fn dated() -> TestApp {
    app("files: 'c_{yyyymm}.csv'")
}

fn month(app: &TestApp, month: &str, text: &str) {
    app.write(&format!("core/c_{month}.csv"), text);
}

/// Customers as a month-end file has them.
fn many(price: impl Fn(usize) -> usize) -> String {
    (0..ROWS).fold("code,name,mrr\n".to_owned(), |text, i| text + &format!("C{i:05},客{i},{}\n", price(i)))
}

async fn states(app: &TestApp, instants: &[&str]) -> Vec<BTreeMap<String, Record>> {
    let stream = customers();
    let mut states = Vec::new();
    for instant in instants {
        let mut records = app.records(&stream, at(instant), Timestamp::MAX).await;
        // Gone, or never there: the same to whoever asks for that day.
        records.retain(|_, record| record.is_some());
        states.push(records);
    }
    states
}

fn value(record: &Record, field: &str) -> Option<String> {
    record.as_ref().and_then(|fields| fields.get(field).cloned().flatten())
}

#[tokio::test]
async fn a_first_load_is_all_there_is() {
    let app = dated();
    month(&app, "202601", &many(|i| i));
    let report = app.sync("core").await;
    assert_eq!((report.counts.read, report.counts.new, report.source_total), (12_000, 12_000, Some(12_000)));
    let files = app.lake_files();
    for mode in [ReadMode::Incremental, ReadMode::Full] {
        let report = app.sync_as("core", mode).await;
        assert_eq!((report.counts.new, report.counts.changed), (0, 0));
        assert_eq!(app.lake_files(), files, "{mode:?} wrote to the lake");
    }
}

#[tokio::test]
async fn an_empty_stream_is_read_and_then_filled() {
    let app = dated();
    month(&app, "202512", "code,name,mrr\n");
    assert_eq!(app.sync("core").await.counts.read, 0);
    month(&app, "202601", "code,name,mrr\nC1,青葉,10\n");
    assert_eq!(app.sync("core").await.counts.new, 1);
    let states = states(&app, &["2025-12-31T14:59:59Z", "2026-01-31T14:59:59.999999Z"]).await;
    assert_eq!(states.iter().map(BTreeMap::len).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn changes_are_read_alone() {
    let app = dated();
    month(&app, "202512", &many(|i| i));
    app.sync("core").await;
    month(&app, "202601", &many(|i| if i == 7 { 0 } else { i }));
    let counts = app.sync("core").await.counts;
    assert_eq!((counts.read, counts.changed, counts.unchanged, counts.new), (12_000, 1, 11_999, 0));
}

#[tokio::test]
async fn e2_what_vanishes_without_a_trace_is_absent_after_the_next_look_at_all_keys() {
    let app = dated();
    month(&app, "202512", "code,name\nC1,青葉\nC2,桜\n");
    month(&app, "202601", "code,name\nC1,青葉\n");
    let report = app.sync("core").await;
    assert_eq!(report.counts.deleted_by_absence, 1);
    let states = states(&app, &["2025-12-31T14:59:59.999999Z", "2026-01-31T14:59:59.999999Z"]).await;
    assert!(states[0].contains_key("C2") && !states[1].contains_key("C2"));
}

#[tokio::test]
async fn b5_a_field_added_is_read_for_every_record_and_one_removed_keeps_what_it_was() {
    let app = dated();
    month(&app, "202511", "code,name\nC1,青葉\n");
    month(&app, "202512", "code,name,phase\nC1,青葉,導入\n");
    app.sync("core").await;
    month(&app, "202601", "code,name\nC1,青葉\n");
    let counts = app.sync("core").await.counts;
    assert_eq!((counts.changed, counts.unchanged), (0, 1), "a column that is gone changes no record");
    let states = states(&app, &["2025-11-30T14:59:59.999999Z", "2026-01-31T14:59:59.999999Z"]).await;
    assert_eq!(value(&states[0]["C1"], "phase"), None);
    assert_eq!(value(&states[1]["C1"], "phase").as_deref(), Some("導入"));
}

#[tokio::test]
async fn b7_values_of_every_type_are_kept_as_they_were_given() {
    let app = app("files: c.jsonl");
    let long = "長".repeat(30_000);
    app.write(
        "core/c.jsonl",
        &format!(
            "{{\"code\":\"C1\",\"big\":123456789012345678,\"exact\":1.10,\"emoji\":\"👩‍👩‍👧𠮷\",\"empty\":\"\",\"none\":null,\"long\":\"{long}\",\"lines\":\"a\\r\\nb\"}}\n"
        ),
    );
    app.sync("core").await;
    let records = app.records(&customers(), at(NOW), Timestamp::MAX).await;
    let kept = |field: &str| value(&records["C1"], field);
    for (field, text) in [
        ("big", Some("123456789012345678")),
        ("exact", Some("1.10")),
        ("emoji", Some("👩‍👩‍👧𠮷")),
        ("empty", None),
        ("none", None),
        ("long", Some(long.as_str())),
        ("lines", Some("a\r\nb")),
    ] {
        assert_eq!(kept(field).as_deref(), text, "{field}");
    }
}

#[tokio::test]
async fn a_first_load_killed_at_any_page_is_gone_on_with() {
    let app = dated();
    month(&app, "202512", &many(|i| i));
    month(&app, "202601", &many(|i| i / 2));
    let untouched = app.fork();
    let steps = app.steps("core", ReadMode::Incremental).await.len();
    let lines = app.lines(&customers()).await;
    for cut_at in (0..steps).step_by(5) {
        let victim = untouched.fork();
        assert!(victim.cut_off("core", ReadMode::Incremental, cut_at).await);
        victim.clock.advance_secs(61);
        let report = victim.sync_with("core", &nenrin::sync::SyncOptions::default()).await.unwrap();
        assert_complete(&report);
        assert_eq!(victim.lines(&customers()).await, lines, "cut off at step {cut_at} of {steps}");
    }
}

/// Files by month; what is known of every month-end at last must not depend on the order in which they arrive.
async fn any_order(settings: &str, files: &[(&str, &str)]) {
    const ENDS: [&str; 5] = [
        "2025-08-31T14:59:59.999999Z",
        "2025-09-30T14:59:59.999999Z",
        "2025-10-31T14:59:59.999999Z",
        "2025-11-30T14:59:59.999999Z",
        "2025-12-31T14:59:59.999999Z",
    ];
    let in_order = app(settings);
    for (name, text) in files {
        month(&in_order, name, text);
        in_order.sync("core").await;
    }
    let wanted = states(&in_order, &ENDS).await;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for round in 0..8 {
        let mut order: Vec<usize> = (0..files.len()).collect();
        for at in (1..order.len()).rev() {
            let other = random.next_u32() as usize % (at + 1);
            order.swap(at, other);
        }
        let shuffled = app(settings);
        for at in &order {
            month(&shuffled, files[*at].0, files[*at].1);
            let report = shuffled.sync_with("core", &nenrin::sync::SyncOptions::default()).await.unwrap();
            assert_eq!(report.streams[0].outcome, "complete", "{report:?}");
        }
        assert_eq!(states(&shuffled, &ENDS).await, wanted, "round {round}: {order:?}");
        let files_before = shuffled.lake_files();
        shuffled.sync("core").await;
        assert_eq!(shuffled.lake_files(), files_before, "a quiet run wrote");
    }
}

#[tokio::test]
async fn d1_full_files_tell_the_same_past_in_whatever_order_they_arrive() {
    any_order(
        "files: 'c_{yyyymm}.csv'",
        &[
            ("202508", "code,mrr\nC1,100\nC2,1\n"),
            ("202509", "code,mrr\nC1,150\nC2,1\nC3,7\n"),
            ("202510", "code,mrr\nC1,100\nC3,7\n"),
            ("202511", "code,mrr\nC1,100\nC2,2\n"),
            ("202512", "code,mrr\nC1,100\nC2,2\n"),
        ],
    )
    .await;
}

#[tokio::test]
async fn d1_deltas_tell_the_same_past_in_whatever_order_they_arrive() {
    any_order(
        "files: 'c_{yyyymm}.csv', mode: delta, deletes: { column: del, values: ['1'] }",
        &[
            ("202508", "code,mrr,del\nC1,100,\nC2,1,\n"),
            ("202509", "code,mrr,del\nC1,150,\nC3,7,\n"),
            ("202510", "code,mrr,del\nC1,100,\nC2,1,1\n"),
            ("202511", "code,mrr,del\nC2,2,\nC3,7,\n"),
            ("202512", "code,mrr,del\nC1,100,\nC1,90,\n"),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_a_delta_leaves_out_is_as_it_was() {
    let app = app("files: 'c_{yyyymm}.csv', mode: delta");
    month(&app, "202512", "code,mrr,name\nC1,10,青葉\nC2,20,桜\n");
    month(&app, "202601", "code,mrr\nC1,11\n");
    let report = app.sync("core").await;
    assert_eq!((report.counts.changed, report.counts.deleted_by_absence), (1, 0));
    let states = states(&app, &["2026-01-31T14:59:59.999999Z"]).await;
    let shown = |key: &str| (value(&states[0][key], "mrr"), value(&states[0][key], "name"));
    assert_eq!(shown("C1"), (Some("11".into()), Some("青葉".into())));
    assert_eq!(shown("C2"), (Some("20".into()), Some("桜".into())));
}
