//! What is computed can be deleted and comes back equal; what was restored from a backup is taken up again
//! without losing or doubling anything (laws 1 and 4, semantics F4).

use std::collections::BTreeMap;

use nenrin::snapshot::Origin;

use super::{NOVEMBER, OCTOBER, SEPTEMBER, end_of, live_october, live_september, with_accounts};
use crate::support::app::{Line, TestApp, accounts, customers};

const MONTHS: [&str; 2] = ["2026-08", "2026-09"];

/// Two months of both systems, published.
async fn two_months() -> TestApp {
    let app = with_accounts(210).await.with_core().linked();
    app.export("202608", &[("C1", "青空", "100"), ("C2", "白雲", "50")]);
    app.sync("salesforce").await;
    app.sync("core").await;
    live_september(&app);
    app.set_now(OCTOBER);
    app.export("202609", &[("C1", "青空", "120"), ("C3", "新星", "30")]);
    app.sync("salesforce").await;
    app.sync("core").await;
    app
}

async fn states(app: &TestApp) -> Vec<BTreeMap<String, Vec<u8>>> {
    let mut states = Vec::new();
    for month in MONTHS {
        states.push(app.state_bytes(month).await);
    }
    states
}

async fn logs(app: &TestApp) -> Vec<Vec<Line>> {
    vec![app.lines(&accounts()).await, app.lines(&customers()).await]
}

#[tokio::test]
async fn law1_snapshots_published_tables_and_the_change_index_come_back_equal() {
    let app = two_months().await;
    let computed = app.kept("2026-09").await;
    let kept = app.kept("2026-09").await;
    assert_eq!((computed.origin, kept.origin), (Origin::Computed, Origin::Kept));
    assert_eq!(computed.state.entities, kept.state.entities, "a kept state reads as it was computed");
    app.publish().await;
    let rows = "SELECT customer_id || ' ' || _row_hash AS line FROM customer";
    let (before, published, lines) = (states(&app).await, app.select(rows).await, logs(&app).await);
    assert!(published.len() > 200);

    app.remove("lake/snapshot");
    app.remove(".nenrin");
    app.execute("DROP TABLE customer").await;
    assert_eq!(app.kept("2026-09").await.origin, Origin::Computed);
    assert_eq!(states(&app).await, before);
    app.publish().await;
    assert_eq!(app.select(rows).await, published);
    app.sync("salesforce").await;
    app.sync("core").await;
    assert_eq!(logs(&app).await, lines);
}

#[tokio::test]
async fn without_its_control_database_everything_is_read_again_and_nothing_doubled() {
    let app = two_months().await;
    let (before, lines) = (states(&app).await, logs(&app).await);
    app.remove_control();
    let report = app.sync("salesforce").await;
    assert_eq!((report.mode, report.counts.new, report.counts.changed), ("first", 0, 0));
    assert!(report.counts.unchanged > 200);
    assert_eq!(app.sync("core").await.counts.new, 0);
    assert_eq!(logs(&app).await, lines);
    assert_eq!(states(&app).await, before);
    // The next run goes on from there.
    live_october(&app);
    app.sync("salesforce").await;
    app.assert_true_at(end_of("2026-10"), &[]).await;
}

#[tokio::test]
async fn f4_a_lake_restored_to_an_older_copy_is_read_up_to_date_again() {
    let app = with_accounts(210).await.with_core().linked();
    app.export("202608", &[("C1", "青空", "100"), ("C2", "白雲", "50")]);
    app.sync("salesforce").await;
    app.sync("core").await;
    app.copy("lake", "backup");
    live_september(&app);
    app.set_now(OCTOBER);
    app.export("202609", &[("C1", "青空", "120"), ("C3", "新星", "30")]);
    app.sync("salesforce").await;
    app.sync("core").await;
    let (before, lines) = (states(&app).await, logs(&app).await);

    app.copy("backup", "lake");
    assert_ne!(logs(&app).await, lines, "the backup is older");
    let report = app.sync("salesforce").await;
    assert_eq!(report.mode, "incremental", "it goes on from the newest checkpoint that the lake has");
    assert!(report.counts.changed > 200);
    assert_eq!(app.sync("core").await.counts.changed, 1);
    assert_eq!(logs(&app).await, lines);
    assert_eq!(states(&app).await, before);
    let states = app.select("SELECT stream || ' ' || state AS line FROM checkpoints WHERE state <> 'committed'").await;
    assert!(states.contains(&"Account rolled_back".to_owned()), "{states:?}");
}

#[tokio::test]
async fn f4_an_older_lake_that_lacks_only_a_statement_gets_it_again() {
    // September's file says the same as August's: it is a statement, and no version.
    let rows: &[(&str, &str, &str)] = &[("C1", "青空", "100"), ("C2", "白雲", "50")];
    let app = TestApp::new(SEPTEMBER).with_core();
    app.export("202608", rows);
    app.sync("core").await;
    app.copy("lake", "backup");
    app.set_now(OCTOBER);
    app.export("202609", rows);
    app.sync("core").await;
    assert!(app.state("2026-09").await.settled);
    let before = states(&app).await;
    app.copy("backup", "lake");
    assert!(!app.state("2026-09").await.settled);
    app.sync("core").await;
    assert!(app.state("2026-09").await.settled, "what the lake lost was read again");
    assert_eq!(states(&app).await, before);
}

#[tokio::test]
async fn f4_a_control_database_restored_to_an_older_copy_doubles_nothing() {
    let app = with_accounts(210).await.with_core().linked();
    app.export("202608", &[("C1", "青空", "100"), ("C2", "白雲", "50")]);
    app.sync("salesforce").await;
    app.sync("core").await;
    app.copy("nenrin.db", "backup.db");
    live_september(&app);
    app.set_now(OCTOBER);
    app.export("202609", &[("C1", "青空", "120"), ("C3", "新星", "30")]);
    app.sync("salesforce").await;
    app.sync("core").await;
    let (before, lines) = (states(&app).await, logs(&app).await);

    app.remove_control();
    app.copy("backup.db", "nenrin.db");
    let report = app.sync("salesforce").await;
    assert_eq!((report.mode, report.counts.new, report.counts.changed), ("incremental", 0, 0));
    assert!(report.counts.unchanged > 200, "it was read again: {:?}", report.counts);
    app.sync("core").await;
    assert_eq!(logs(&app).await, lines);
    assert_eq!(states(&app).await, before);
    live_october(&app);
    app.set_now(NOVEMBER);
    app.sync("salesforce").await;
    app.assert_true_at(end_of("2026-10"), &[]).await;
}
