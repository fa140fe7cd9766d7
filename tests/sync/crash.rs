//! A run that is cut off at any step is continued by the next: nothing is lost, nothing doubled (laws 2 to 4).

use std::collections::BTreeSet;

use nenrin::clock::{Clock, Timestamp};
use nenrin::connect::ReadMode;
use nenrin::error::ErrorKind;
use nenrin::record::StreamId;
use nenrin::sync::{Step, SyncOptions};

use super::{NOVEMBER, OCTOBER, SEPTEMBER, end_of, live_october, live_september, with_accounts};
use crate::support::app::{TestApp, accounts, assert_complete, customers};

/// Longer than a lease lasts: the holder of these tests never dies, since it is the test itself.
const LEASE_SECS: i64 = 61;

/// What a cut-off run and all that follows must come to.
struct Expected<'a> {
    stream: StreamId,
    source: &'a str,
    mode: ReadMode,
    /// Where the org tells what was true.
    instants: &'a [Timestamp],
}

/// Runs `app` to the end, then does the same once per step in copies of it that are cut off there, with the
/// cache kept and lost, and lets a new process go on.
async fn cut_off_everywhere(app: &TestApp, expected: &Expected<'_>) {
    let before = app.fork();
    let steps = app.steps(expected.source, expected.mode).await;
    let kinds: BTreeSet<String> = steps.iter().map(|step| format!("{step:?}")).collect();
    assert_eq!(kinds.len(), 6, "the run passes every kind of step: {kinds:?}");
    let lines = app.lines(&expected.stream).await;
    for (cut_at, step) in steps.iter().enumerate() {
        let what = format!("cut off at step {cut_at} of {}, {step:?}", steps.len());
        let victim = before.fork();
        assert!(victim.cut_off(expected.source, expected.mode, cut_at).await, "{what}");
        let cache_lost = cut_at % 2 == 1;
        if cache_lost {
            victim.remove(".nenrin");
        }
        go_on(&victim, expected, cache_lost, &what).await;
        assert_eq!(victim.lines(&expected.stream).await, lines, "{what}");
        for instant in expected.instants {
            victim.assert_true_at(*instant, &[]).await;
        }
        // What the change index was left with tells old from new.
        if matches!(step, Step::Appended | Step::Noted | Step::Committed | Step::Applied) {
            victim.sync_as(expected.source, ReadMode::Full).await;
            assert_eq!(victim.lines(&expected.stream).await, lines, "{what}, then read in full");
        }
    }
}

/// Syncs until the stream is complete. Sightings lost with the cache cost one more pass, and the run says so.
async fn go_on(victim: &TestApp, expected: &Expected<'_>, cache_lost: bool, what: &str) {
    let options = SyncOptions { mode: expected.mode, ..SyncOptions::default() };
    let refused = victim.sync_with(expected.source, &options).await.expect_err("the dead run holds its lease");
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{what}");
    victim.clock.advance_secs(LEASE_SECS);
    let mut report = victim.sync_with(expected.source, &options).await.unwrap();
    if cache_lost && report.exit_code() == 75 {
        let told = &report.first_error().expect("a partial run says why").message;
        assert!(told.contains("done again from its beginning"), "{what}: {told}");
        report = victim.sync_with(expected.source, &SyncOptions::default()).await.unwrap();
    }
    assert_complete(&report);
    assert!(!victim.is_left_prepared(&expected.stream).await, "{what}");
    let ended = victim.select("SELECT outcome AS line FROM runs").await;
    assert!(!ended.contains(&"running".to_owned()), "{what}: {ended:?}");
}

#[tokio::test]
async fn f4_a_bulk_job_is_on_record_before_it_is_waited_for() {
    let app = with_accounts(450).await;
    let source = std::fs::read_to_string(app.path("sources/salesforce.yaml")).unwrap();
    app.write("sources/salesforce.yaml", &source.replace("page_size: 200", "page_size: 200\nbulk_from: 100"));
    // Read by then: a page by REST, the job that was made, a page of its result.
    assert!(app.cut_off_when("salesforce", ReadMode::Incremental, Step::PageRead, 2).await);
    app.clock.advance_secs(LEASE_SECS);
    app.sync("salesforce").await;
    let calls = app.org().calls();
    let jobs = calls.iter().filter(|call| call.method == "POST" && call.path.ends_with("/jobs/query")).count();
    assert_eq!(jobs, 1, "{calls:?}");
    app.assert_true_at(app.clock.now(), &[]).await;
}

#[tokio::test]
async fn f4_a_first_load_cut_off_at_any_step_is_continued() {
    let app = with_accounts(450).await;
    let expected = Expected {
        stream: accounts(),
        source: "salesforce",
        mode: ReadMode::Incremental,
        instants: &[end_of("2026-08")],
    };
    cut_off_everywhere(&app, &expected).await;
    assert_eq!(app.lines(&accounts()).await.len(), 450);
}

#[tokio::test]
async fn f4_a_window_cut_off_at_any_step_is_continued() {
    let app = with_accounts(210).await;
    app.sync("salesforce").await;
    live_september(&app);
    app.set_now(OCTOBER);
    let expected = Expected {
        stream: accounts(),
        source: "salesforce",
        mode: ReadMode::Incremental,
        instants: &[end_of("2026-08"), end_of("2026-09")],
    };
    cut_off_everywhere(&app, &expected).await;
}

#[tokio::test]
async fn e2_a_full_pass_cut_off_at_any_step_still_finds_what_is_gone() {
    let app = with_accounts(210).await;
    app.sync("salesforce").await;
    live_october(&app);
    let now = app.clock.now();
    let expected = Expected {
        stream: accounts(),
        source: "salesforce",
        mode: ReadMode::Full,
        instants: &[end_of("2026-08"), end_of("2026-10"), now],
    };
    cut_off_everywhere(&app, &expected).await;
    let gone: Vec<_> = app.lines(&accounts()).await.into_iter().filter(|line| line.what == "delete absent").collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
}

#[tokio::test]
async fn e2_a_pass_cut_off_twice_concludes_as_much_as_one_in_one_piece() {
    let app = with_accounts(450).await;
    app.sync("salesforce").await;
    live_october(&app);
    let whole = app.fork();
    let steps = whole.steps("salesforce", ReadMode::Full).await;
    assert_eq!(steps.iter().filter(|step| **step == Step::Prepared).count(), 3, "a batch per page: {steps:?}");
    // The first page is landed and the second seen in vain, then the second is landed and the third seen in vain.
    for _ in 0..2 {
        assert!(app.cut_off_when("salesforce", ReadMode::Full, Step::Prepared, 1).await);
        app.clock.advance_secs(LEASE_SECS);
    }
    app.sync_as("salesforce", ReadMode::Full).await;
    assert_eq!(app.lines(&accounts()).await, whole.lines(&accounts()).await);
}

#[tokio::test]
async fn d1_dated_files_cut_off_at_any_step_are_read_to_the_end() {
    let app = TestApp::new(SEPTEMBER).with_core();
    app.export("202608", &[("C1", "青空", "100"), ("C2", "白雲", "50"), ("C3", "大地", "70")]);
    app.sync("core").await;
    // October comes before September, which is late; what October says stays.
    app.set_now(NOVEMBER);
    app.export("202610", &[("C1", "青空", "100"), ("C3", "大地", "80"), ("C4", "新星", "10")]);
    app.sync("core").await;
    app.export("202609", &[("C1", "青空", "150"), ("C2", "白雲", "50"), ("C5", "短命", "5")]);
    app.export("202608", &[("C1", "青空", "110"), ("C2", "白雲", "50"), ("C3", "大地", "70")]);
    let expected = Expected { stream: customers(), source: "core", mode: ReadMode::Incremental, instants: &[] };
    // The org of these files is the files themselves.
    cut_off_everywhere(&app, &expected).await;
    let stated = [
        ("2026-08", vec![("C1", "110"), ("C2", "50"), ("C3", "70")]),
        ("2026-09", vec![("C1", "150"), ("C2", "50"), ("C5", "5")]),
        ("2026-10", vec![("C1", "100"), ("C3", "80"), ("C4", "10")]),
    ];
    for (month, rows) in stated {
        let records = app.records(&customers(), end_of(month), Timestamp::MAX).await;
        let alive: Vec<(&str, &str)> = records
            .iter()
            .filter_map(|(key, record)| Some((key.as_str(), record.as_ref()?["mrr"].as_deref()?)))
            .collect();
        assert_eq!(alive, rows, "{month}");
    }
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_lands_what_it_read_and_the_next_goes_on() {
    let app = with_accounts(450).await;
    let options = SyncOptions::default();
    let stall = app.org().stall("/query/");
    let cancel = options.cancel.clone();
    let (report, ()) = tokio::join!(app.sync_with("salesforce", &options), async {
        stall.reached().await;
        cancel.cancel();
    });
    let report = report.unwrap();
    assert_eq!((report.outcome.as_str(), report.exit_code()), ("partial", 75));
    assert_eq!((report.streams[0].counts.read, report.streams[0].counts.new), (200, 200));
    assert_eq!(app.lines(&accounts()).await.len(), 200);
    stall.open();
    let report = app.sync("salesforce").await;
    assert_eq!((report.counts.read, report.counts.new), (250, 250), "nothing is read twice");
    app.assert_true_at(end_of("2026-08"), &[]).await;
}
