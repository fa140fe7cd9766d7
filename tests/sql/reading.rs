//! Pages, windows, late commits, deletions.

use nenrin::connect::ReadMode;
use nenrin::sync::SyncOptions;

use super::{KINDS, Kind, Lab};
use crate::support::app::{assert_adds_up, assert_complete};

fn full() -> SyncOptions<'static> {
    SyncOptions { mode: ReadMode::Full, ..SyncOptions::default() }
}

/// One row per number, by a composite key, on few days; `now` gives a time in UTC.
fn table(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Postgres => (
            "CREATE TABLE t (a varchar(20), b int, note text, updated_at timestamptz NOT NULL, PRIMARY KEY (a, b));
             CREATE INDEX ON t (updated_at);
             INSERT INTO t SELECT '顧客' || n % 7, n, 'n' || n, '2025-10-01 00:00:00+00'::timestamptz + (n % 5) * interval '1 day'
             FROM generate_series(1, 100) n",
            "now()",
        ),
        Kind::Maria => (
            "CREATE TABLE t (a varchar(20), b int, note text, updated_at timestamp(6) NOT NULL, PRIMARY KEY (a, b), KEY (updated_at));
             INSERT INTO t SELECT concat('顧客', seq % 7), seq, concat('n', seq), timestamp('2025-10-01') + interval (seq % 5) day
             FROM seq_1_to_100",
            "now(6)",
        ),
        Kind::Sqlite => (
            "CREATE TABLE t (a TEXT NOT NULL, b INTEGER NOT NULL, note TEXT, updated_at TEXT NOT NULL, PRIMARY KEY (a, b));
             WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100)
             INSERT INTO t SELECT '顧客' || (n % 7), n, 'n' || n, datetime('2025-10-01', '+' || (n % 5) || ' days') FROM s",
            "strftime('%Y-%m-%dT%H:%M:%fZ')",
        ),
    }
}

#[tokio::test]
async fn everything_is_read_in_pages_and_then_changes_alone() {
    for &(kind, way) in KINDS {
        let lab = Lab::over(kind, way).await;
        let (create, now) = table(kind);
        lab.run(create).await;
        lab.source("page_rows: 7\nstreams: { t: { cursor: updated_at } }\n");
        let report = lab.sync(&SyncOptions::default()).await;
        assert_complete(&report);
        let stream = &report.streams[0];
        assert_eq!(
            (stream.mode, stream.counts.read, stream.counts.new, stream.requests),
            ("first", 100, 100, 15),
            "{kind:?} {way:?}"
        );
        lab.run(&format!(
            "UPDATE t SET note = '変更', updated_at = {now} WHERE b IN (3, 50, 97);
             INSERT INTO t VALUES ('it''s \\\\', 1000, '新規', {now})"
        ))
        .await;
        let report = lab.sync(&SyncOptions::default()).await;
        assert_complete(&report);
        let counts = &report.streams[0].counts;
        assert_eq!((counts.read, counts.new, counts.changed), (4, 1, 3), "{kind:?} {way:?}");
        assert_adds_up(&report.streams[0]);
        let records = lab.living("t").await;
        assert_eq!(records.len(), 101);
        assert_eq!(records["[\"顧客3\",\"3\"]"]["note"].as_deref(), Some("変更"));
        // A window of many pages, most rows with one stamp.
        lab.run(&format!("UPDATE t SET note = '一括', updated_at = {now}")).await;
        let report = lab.sync(&SyncOptions::default()).await;
        assert_complete(&report);
        // SQLite's rows without a time are asked for besides.
        let requests = if kind == Kind::Sqlite { 16 } else { 15 };
        assert_eq!((report.streams[0].counts.changed, report.streams[0].requests), (101, requests), "{kind:?} {way:?}");
        // Deletions are found by looking at everything.
        lab.run("DELETE FROM t WHERE b <= 10").await;
        let report = lab.sync(&full()).await;
        assert_complete(&report);
        assert_eq!(
            (report.streams[0].counts.deleted_by_absence, report.streams[0].counts.unchanged),
            (10, 91),
            "{kind:?} {way:?}"
        );
        assert_eq!(lab.living("t").await.len(), 91);
    }
}

#[tokio::test]
async fn a_row_that_is_committed_late_is_read_by_the_overlap() {
    let lab = Lab::new(Kind::Postgres).await;
    lab.run("CREATE TABLE t (id int PRIMARY KEY, note text, updated_at timestamptz NOT NULL)").await;
    lab.source("streams: { t: { cursor: updated_at } }\n");
    lab.run("INSERT INTO t VALUES (1, 'x', now())").await;
    lab.sync(&SyncOptions::default()).await;
    lab.run("INSERT INTO t VALUES (2, 'late', now() - interval '500 seconds')").await;
    let report = lab.sync(&SyncOptions::default()).await;
    assert_eq!(report.streams[0].counts.new, 1);
    // Later than the overlap it is found by a look at all keys: its stamp is not the one on record.
    lab.run("INSERT INTO t VALUES (3, 'too late', now() - interval '1 hour')").await;
    lab.run("UPDATE t SET note = 'too late', updated_at = now() - interval '1 hour' WHERE id = 1").await;
    let report = lab.sync(&SyncOptions::default()).await;
    assert_eq!((report.streams[0].counts.new, report.streams[0].counts.changed), (0, 0));
    let report = lab.sync(&full()).await;
    assert_eq!((report.streams[0].counts.new, report.streams[0].counts.changed), (1, 1));
}

#[tokio::test]
async fn rows_without_a_stamp_are_read_in_every_run() {
    for kind in [Kind::Postgres, Kind::Maria] {
        let lab = Lab::new(kind).await;
        lab.run("CREATE TABLE t (id int PRIMARY KEY, note varchar(20), updated_at timestamp NULL)").await;
        lab.run("INSERT INTO t VALUES (1, 'a', NULL), (2, 'b', '2025-10-01 00:00:00'), (3, 'c', NULL)").await;
        lab.source("timezone: UTC\npage_rows: 1\nstreams: { t: { cursor: updated_at } }\n");
        assert_complete(&lab.sync(&SyncOptions::default()).await);
        lab.run("UPDATE t SET note = 'z', updated_at = NULL WHERE id = 3").await;
        let report = lab.sync(&SyncOptions::default()).await;
        assert_complete(&report);
        let counts = &report.streams[0].counts;
        assert_eq!((counts.read, counts.changed), (2, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn a_number_that_only_rises_is_a_cursor_too() {
    for &(kind, way) in KINDS {
        let lab = Lab::over(kind, way).await;
        lab.run("CREATE TABLE t (id int PRIMARY KEY, note varchar(20), version bigint NOT NULL)").await;
        lab.run("INSERT INTO t VALUES (1, 'a', 5), (2, 'b', 100), (3, 'c', 7000)").await;
        lab.source("overlap_numbers: 10\nstreams: { t: { cursor: version } }\n");
        assert_complete(&lab.sync(&SyncOptions::default()).await);
        lab.run("UPDATE t SET note = 'z', version = 7001 WHERE id = 1").await;
        let report = lab.sync(&SyncOptions::default()).await;
        assert_complete(&report);
        let counts = &report.streams[0].counts;
        assert_eq!((counts.read, counts.changed), (2, 1), "{kind:?} {way:?}");
        let report = lab.sync(&SyncOptions::default()).await;
        assert_eq!(report.streams[0].counts.changed, 0, "{kind:?} {way:?}");
    }
}

#[tokio::test]
async fn views_and_queries_conditions_and_columns() {
    for &(kind, way) in KINDS {
        let lab = Lab::over(kind, way).await;
        lab.run(
            "CREATE TABLE t (id int PRIMARY KEY, dept varchar(10), secret varchar(10), gone varchar(1));
             INSERT INTO t VALUES (1, 'A', 'x', '0'), (2, 'B', 'y', '0'), (3, 'A', 'z', '1');
             CREATE VIEW v AS SELECT id, dept FROM t",
        )
        .await;
        lab.source(
            "page_rows: 1\nstreams:\n  v: { view: v, key: [id], where: \"dept = 'A' -- no comment ends this\" }\n  \
             q: { query: \"SELECT dept, count(*) AS n FROM t GROUP BY dept\", key: [dept] }\n  \
             t: { deny: [secret], deleted: \"gone = '1'\" }\n",
        );
        let report = lab.sync(&SyncOptions::default()).await;
        assert_complete(&report);
        assert_eq!(lab.living("v").await.keys().collect::<Vec<_>>(), ["1", "3"], "{kind:?} {way:?}");
        assert_eq!(lab.living("q").await["A"]["n"].as_deref(), Some("2"), "{kind:?} {way:?}");
        let records = lab.records("t").await;
        assert!(records["3"].is_none() && !records["1"].as_ref().unwrap().contains_key("secret"), "{kind:?} {way:?}");
    }
}

#[tokio::test]
async fn rows_are_read_at_the_pace_that_is_asked_for() {
    let lab = Lab::new(Kind::Sqlite).await;
    lab.run(table(Kind::Sqlite).0).await;
    lab.source("rows_per_second: 40\nstreams: { t: {} }\n");
    assert_complete(&lab.sync(&SyncOptions::default()).await);
    let waited: f64 = lab.timer.pauses().iter().map(std::time::Duration::as_secs_f64).sum();
    assert!((2.0..2.2).contains(&waited), "{:?}", lab.timer.pauses());
}
