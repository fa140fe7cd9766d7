//! Reading the same thing again costs nothing and changes no answer (laws 5 and 7).

use std::collections::BTreeMap;

use nenrin::connect::ReadMode;

use super::{OCTOBER, SEPTEMBER, live_september, with_accounts};
use crate::support::app::TestApp;

/// Answers for past, present and between, to the byte.
async fn answers(app: &TestApp) -> Vec<BTreeMap<String, Vec<u8>>> {
    let mut answers = Vec::new();
    for instant in ["2026-08", "2026-09-18T04:00:00Z", "2026-09", "2026-10-02"] {
        answers.push(app.state_bytes(instant).await);
    }
    answers
}

#[tokio::test]
async fn law5_an_unchanged_source_adds_no_file_no_commit_and_no_ledger_entry() {
    let app = with_accounts(210).await.with_core().linked();
    app.export("202608", &[("C1", "青空", "100"), ("C2", "白雲", "未定")]);
    app.sync("salesforce").await;
    app.sync("core").await;
    live_september(&app);
    app.set_now(OCTOBER);
    app.export("202609", &[("C1", "青空", "120"), ("C3", "新星", "30")]);
    app.sync("salesforce").await;
    app.sync("core").await;
    let (files, before) = (app.lake_files(), answers(&app).await);
    assert!(before.iter().all(|state| !state["customer"].is_empty()));
    assert_ne!(before[0], before[2], "the answers can tell months apart");

    let modes = [ReadMode::Incremental, ReadMode::Full, ReadMode::Full, ReadMode::Incremental];
    for (round, mode) in modes.into_iter().enumerate() {
        app.advance(3_600);
        if round == 2 {
            app.remove(".nenrin");
        }
        for source in ["salesforce", "core"] {
            let report = app.sync_as(source, mode).await;
            let counts = report.counts;
            assert_eq!((counts.new, counts.changed, counts.deleted_by_absence), (0, 0, 0), "{source}, {mode:?}");
            if mode == ReadMode::Full && source == "salesforce" {
                assert!(counts.read > 200, "everything was read again: {counts:?}");
            }
        }
        assert_eq!(app.lake_files(), files, "{mode:?} in round {round} wrote to the lake");
    }
    assert_eq!(answers(&app).await, before);
}

#[allow(clippy::type_complexity)] // a table of months, written once
#[tokio::test]
async fn law7_the_same_history_read_in_other_pieces_gives_the_same_answers() {
    // One project syncs after every month, the other reads the same files all at once.
    let often = TestApp::new(SEPTEMBER).with_core();
    let once = TestApp::new(OCTOBER).with_core();
    let months: [(&str, &[(&str, &str, &str)]); 3] = [
        ("202606", &[("C1", "青空", "100"), ("C2", "白雲", "50")]),
        ("202607", &[("C1", "青空", "100")]),
        ("202608", &[("C2", "白雲", "60"), ("C1", "青空", "100"), ("C3", "新星", "1")]),
    ];
    for (month, rows) in months {
        often.export(month, rows);
        often.sync("core").await;
        let mut turned = rows.to_vec();
        turned.reverse();
        once.export(month, &turned);
    }
    once.sync("core").await;
    for instant in ["2026-05", "2026-06", "2026-07", "2026-08"] {
        assert_eq!(often.state_bytes(instant).await, once.state_bytes(instant).await, "{instant}");
    }
}
