//! What a state says of past instants: when it is settled and kept, who is one customer, whose value counts, and
//! what nobody can know.

use std::collections::BTreeMap;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::UInt8Type;
use nenrin::clock::{Clock, Timestamp};
use nenrin::connect::ReadMode;
use nenrin::control::RunOutcome;
use nenrin::log::Ledger;
use nenrin::schema::types::format_cell;
use nenrin::snapshot::{Cell, Coverage, Origin, State};
use nenrin::sync::SyncOptions;
use serde_json::json;
use simulators::salesforce::{Formula, Options};

use super::{NOVEMBER, OCTOBER, SEPTEMBER, end_of};
use crate::support::app::{TestApp, accounts, at, close, customers};
use crate::support::org::fields;

/// The texts of a column of the customers, unknown cells as `?` with their reason; `-` where there is none.
pub(super) fn texts(state: &State, column: &str) -> Vec<String> {
    let batch = &state.entities["customer"];
    let values = batch.column_by_name(column).unwrap();
    let cells = batch.column_by_name(&format!("{column}$cell"));
    (0..batch.num_rows())
        .map(|row| {
            let cell = cells.map(|cells| Cell::from_u8(cells.as_primitive::<UInt8Type>().value(row)).unwrap());
            match cell {
                Some(cell) if cell.is_unknown() => format!("?{}", cell.as_str()),
                _ => format_cell(&**values, row).unwrap_or_else(|| "-".to_owned()),
            }
        })
        .collect()
}

/// `value` by `key`, for every customer.
pub(super) fn by(state: &State, key: &str, value: &str) -> BTreeMap<String, String> {
    texts(state, key).into_iter().zip(texts(state, value)).collect()
}

pub(super) fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

pub(super) fn coverages(state: &State) -> Vec<Coverage> {
    let column = state.entities["customer"].column_by_name("_coverage").unwrap();
    column.as_primitive::<UInt8Type>().values().iter().map(|number| Coverage::from_u8(*number).unwrap()).collect()
}

pub(super) async fn known(app: &TestApp, instant: &str, known_at: Timestamp) -> State {
    let workspace = app.open().await;
    let model = workspace.model().await.unwrap();
    let instant = workspace.instant(instant).unwrap();
    let state = workspace.state(&model, instant, Some(known_at)).await.unwrap().state;
    close(workspace).await;
    state
}

#[tokio::test]
async fn j2_a_closed_month_is_kept_until_its_past_or_a_definition_changes() {
    let app = TestApp::new(OCTOBER).with_core();
    let origin = async |month: &str| app.kept(month).await.origin;
    app.export("202607", &[("C1", "青空", "100")]);
    app.export("202608", &[("C1", "青空", "110")]);
    app.sync("core").await;
    assert_eq!(origin("2026-08").await, Origin::Computed);
    assert_eq!(origin("2026-08").await, Origin::Kept);
    assert_eq!(origin("2026-09").await, Origin::Provisional, "j1: its file has not come");
    assert_eq!(origin("2026-09").await, Origin::Provisional, "and so it is not kept");
    // A later month, and a quiet run, leave it alone.
    app.export("202609", &[("C1", "青空", "120"), ("C2", "白雲", "50")]);
    app.sync("core").await;
    app.sync("core").await;
    assert_eq!(origin("2026-08").await, Origin::Kept);
    assert_eq!(origin("2026-09").await, Origin::Computed);
    // The month before is corrected: whoever reads it or a later month gets the correction, or what it left alone.
    app.export("202607", &[("C1", "青空", "101")]);
    app.sync("core").await;
    let kept = app.kept("2026-08").await;
    assert_eq!(kept.origin, Origin::Restated);
    assert_eq!(texts(&kept.state, "mrr"), ["110"], "its own file has said what it says");
    // A definition changes, and back.
    let mapping = std::fs::read_to_string(app.path("mappings/core/customers.yaml")).unwrap();
    app.write("mappings/core/customers.yaml", &mapping.replace("mrr: mrr", "mrr: concat(mrr, '0')"));
    let kept = app.kept("2026-08").await;
    assert_eq!((kept.origin, texts(&kept.state, "mrr")), (Origin::Restated, vec!["1100".to_owned()]));
    app.write("mappings/core/customers.yaml", &mapping);
    assert_eq!(origin("2026-08").await, Origin::Restated);
    assert_eq!(origin("2026-08").await, Origin::Kept);
}

#[tokio::test]
async fn j2_a_changed_look_up_table_restates_the_past() {
    let app = TestApp::new(OCTOBER).with_core();
    app.export("202608", &[("C1", "青空", "100")]);
    app.write("lookups/prices.csv", "plan,price\n100,1000\n");
    let mapping = std::fs::read_to_string(app.path("mappings/core/customers.yaml")).unwrap();
    app.write("mappings/core/customers.yaml", &mapping.replace("mrr: mrr", "mrr: lookup('prices', mrr)"));
    app.sync("core").await;
    let kept = app.kept("2026-08").await;
    assert_eq!((kept.origin, texts(&kept.state, "mrr")), (Origin::Computed, vec!["1000".to_owned()]));
    assert_eq!(app.kept("2026-08").await.origin, Origin::Kept);
    app.write("lookups/prices.csv", "plan,price\n100,1200\n");
    let kept = app.kept("2026-08").await;
    assert_eq!((kept.origin, texts(&kept.state, "mrr")), (Origin::Restated, vec!["1200".to_owned()]));
}

/// An org with two customers that have been read since September.
async fn two_accounts() -> (TestApp, [String; 2]) {
    let app = TestApp::new("2026-08-03T00:00:00Z").with_salesforce(Options::default(), &[]).await;
    let org = app.org();
    let insert = |name: &str, mrr: &str| {
        org.insert("Account", &fields(json!({ "Name": name, "MRR__c": mrr, "Site": "東京" }))).unwrap()
    };
    let ids = [insert("青空", "100"), insert("白雲", "20")];
    app.set_now(SEPTEMBER);
    app.sync("salesforce").await;
    (app, ids)
}

#[tokio::test]
async fn i1_a_merge_makes_one_customer_of_the_past_too_as_known_from_then_on() {
    let (app, ids) = two_accounts().await;
    assert_eq!(app.kept("2026-08").await.origin, Origin::Computed);
    let before = app.clock.now();
    app.set_now("2026-09-25T03:00:00Z");
    app.org().merge("Account", &ids[0], &[&ids[1]]).unwrap();
    app.set_now(OCTOBER);
    app.sync("salesforce").await;
    // j2: nothing of August changed but who is who.
    let kept = app.kept("2026-08").await;
    assert_eq!(kept.origin, Origin::Restated);
    assert_eq!(texts(&kept.state, "customer_id").len(), 1);
    assert_eq!(app.kept("2026-08").await.origin, Origin::Kept);
    assert_eq!(texts(&app.state("2026-09").await, "name"), ["青空"]);
    assert_eq!(texts(&known(&app, "2026-08", before).await, "customer_id").len(), 2);
    let two = texts(&known(&app, "2026-08", before).await, "customer_id");
    let one = texts(&kept.state, "customer_id");
    assert!(two.contains(&one[0]), "i2: the customer keeps the id of the first record");
}

#[tokio::test]
async fn k3_the_more_recent_value_wins_not_the_more_recent_record() {
    let rules = "apiVersion: nenrin/v1\nkind: Identity\nrules:\n  - { match: name }\n";
    let app = TestApp::new(OCTOBER).with_core().with("identity.yaml", rules);
    app.export("202606", &[("C1", "青空", "100"), ("C2", "青空", "200")]);
    app.export("202607", &[("C1", "青空", "100"), ("C2", "青空", "250")]);
    app.export("202608", &[("C1", "株式会社青空", "100"), ("C2", "青空", "250")]);
    app.sync("core").await;
    let august = app.state("2026-08").await;
    assert_eq!(by(&august, "name", "mrr"), map([("株式会社青空", "250")]), "one customer, each value the latest");
    assert_eq!(texts(&app.state("2026-07").await, "mrr"), ["250"]);
}

#[tokio::test]
async fn b9_a_key_that_is_given_again_is_another_customer() {
    let app = TestApp::new(OCTOBER).with_core();
    app.export("202606", &[("C1", "青空", "100"), ("C2", "不動", "1")]);
    app.export("202607", &[("C2", "不動", "1")]);
    app.export("202608", &[("C1", "白雲", "30"), ("C2", "不動", "1")]);
    app.sync("core").await;
    let ids = async |month: &str| by(&app.state(month).await, "name", "customer_id");
    assert_eq!(ids("2026-06").await["青空"], ids("2026-08").await["白雲"], "nobody said that keys are given again");
    let mapping = std::fs::read_to_string(app.path("mappings/core/customers.yaml")).unwrap();
    app.write("mappings/core/customers.yaml", &format!("{mapping}reuses_keys: true\n"));
    let (june, august) = (ids("2026-06").await, ids("2026-08").await);
    assert_ne!(june["青空"], august["白雲"]);
    assert_eq!(june["不動"], august["不動"]);
    assert_eq!(ids("2026-07").await.len(), 1);
}

#[tokio::test]
async fn b8_a_renamed_field_is_read_under_its_new_name_in_the_past_too() {
    let app = TestApp::new(OCTOBER).with_core();
    app.export("202607", &[("C1", "青空", "100")]);
    app.write("core/customers_202608.csv", "code,name,月額\nC1,青空,110\n");
    app.sync("core").await;
    let mapping = std::fs::read_to_string(app.path("mappings/core/customers.yaml")).unwrap();
    let mapping = mapping.replace("mrr: mrr", "mrr: 月額");
    app.write("mappings/core/customers.yaml", &mapping);
    assert_eq!(texts(&app.state("2026-07").await, "mrr"), ["?not_offered"]);
    let renamed = |was: &str| format!("{mapping}renamed: {{ 月額: {{ was: {was}, on: 2026-08-01 }} }}\n");
    app.write("mappings/core/customers.yaml", &renamed("mrr"));
    assert_eq!(texts(&app.state("2026-07").await, "mrr"), ["100"]);
    assert_eq!(texts(&app.state("2026-08").await, "mrr"), ["110"]);
    app.write("mappings/core/customers.yaml", &renamed("mmr"));
    let workspace = app.open().await;
    let refused = workspace.model().await.unwrap_err().render();
    close(workspace).await;
    assert!(refused.contains("nothing was ever read under the name `mmr`"), "{refused}");
    assert!(refused.contains("did you mean `mrr`?"), "{refused}");
}

#[tokio::test]
async fn h3_what_was_entered_later_than_it_took_effect_counts_and_says_so() {
    let app = TestApp::new(OCTOBER).with_core();
    let mapping = std::fs::read_to_string(app.path("mappings/core/customers.yaml")).unwrap();
    app.write(
        "mappings/core/customers.yaml",
        &format!("{mapping}effective: {{ from: date(since), to: date(until) }}\n"),
    );
    app.write("core/customers_202607.csv", "code,name,mrr,since,until\nC1,青空,100,2026-01-01,\n");
    let august =
        "code,name,mrr,since,until\nC1,青空,100,2026-01-01,\nC2,白雲,50,2026-07-15,\nC3,星,7,2026-07-01,2026-08-31\n";
    app.write("core/customers_202608.csv", august);
    app.sync("core").await;
    let july = app.state("2026-07").await;
    assert_eq!(by(&july, "name", "mrr"), map([("青空", "100"), ("白雲", "50"), ("星", "7")]));
    let mut how: Vec<Coverage> = coverages(&july);
    how.sort_unstable();
    assert_eq!(how, [Coverage::Asserted, Coverage::Backdated, Coverage::Backdated]);
    assert_eq!(texts(&app.state("2026-06").await, "name"), ["青空"], "the others had not begun");
    assert_eq!(by(&app.state("2026-08").await, "name", "mrr"), map([("青空", "100"), ("白雲", "50")]), "one has ended");
}

#[tokio::test]
async fn i1_a_record_that_left_the_scope_is_still_there_in_the_past() {
    let app = TestApp::new(OCTOBER).with_core();
    let mapping = std::fs::read_to_string(app.path("mappings/core/customers.yaml")).unwrap();
    app.write("mappings/core/customers.yaml", &format!("{mapping}where: mrr <> '0'\n"));
    app.export("202607", &[("C1", "青空", "100"), ("C2", "白雲", "0")]);
    app.export("202608", &[("C1", "青空", "0"), ("C2", "白雲", "5")]);
    app.sync("core").await;
    assert_eq!(by(&app.state("2026-07").await, "name", "mrr"), map([("青空", "100")]));
    assert_eq!(by(&app.state("2026-08").await, "name", "mrr"), map([("白雲", "5")]));
}

#[tokio::test]
async fn b6_a_calculated_value_counts_only_from_its_reading_on() {
    let (app, _) = two_accounts().await;
    app.write(
        "schemas/variables/annual.yaml",
        "apiVersion: nenrin/v1\nkind: Variable\nentity: customer\nname: annual\ntype: decimal\n\
         from:\n  - { source: salesforce, stream: Account, expr: AnnualizedMRR__c }\n",
    );
    let before = app.state("2026-08-20").await;
    assert_eq!(by(&before, "name", "mrr"), map([("青空", "100"), ("白雲", "20")]), "its stamp says so");
    assert_eq!(texts(&before, "annual"), ["?observed_later", "?observed_later"]);
    assert_eq!(coverages(&before), [Coverage::Stamped, Coverage::Stamped]);
    let after = app.state("2026-09-02").await;
    assert_eq!(by(&after, "name", "annual"), map([("青空", "1200"), ("白雲", "240")]));
    assert_eq!(coverages(&after), [Coverage::Observed, Coverage::Observed]);
}

#[tokio::test]
async fn e3_a_record_first_seen_deleted_is_unknown_from_its_birth_to_its_end() {
    let (app, _) = two_accounts().await;
    let org = app.org();
    app.set_now("2026-09-20T03:00:00Z");
    let id = org.insert("Account", &fields(json!({ "Name": "短命", "MRR__c": "9" }))).unwrap();
    app.set_now("2026-09-28T03:00:00Z");
    org.delete("Account", &id).unwrap();
    app.set_now(OCTOBER);
    app.sync("salesforce").await;
    let counts = async |instant: &str| {
        let how = coverages(&app.state(instant).await);
        (how.iter().filter(|how| **how != Coverage::Unknown).count(), how.len())
    };
    assert_eq!(counts("2026-09-19").await, (2, 2));
    assert_eq!(counts("2026-09-25").await, (2, 3), "it was there, and nobody can say how");
    assert_eq!(counts("2026-09-29").await, (2, 2));
}

#[tokio::test]
async fn e2_what_vanished_without_a_trace_is_found_by_a_sweep_and_its_time_is_left_open() {
    let (app, ids) = two_accounts().await;
    let org = app.org();
    org.insert("Account", &fields(json!({ "Name": "静か", "MRR__c": "1" }))).unwrap();
    app.set_now("2026-09-03T00:00:00Z");
    org.hard_delete("Account", &ids[1]).unwrap();
    app.set_now("2026-09-04T00:00:00Z");
    let report = app.sync("salesforce").await;
    assert_eq!((report.mode, report.counts.deleted_by_absence), ("incremental", 0), "the ids were all seen lately");
    assert_eq!(app.kept("2026-08").await.origin, Origin::Computed);
    app.set_now(OCTOBER);
    org.clear_calls();
    let report = app.sync("salesforce").await;
    assert_eq!((report.mode, report.counts.deleted_by_absence, report.counts.read), ("incremental", 1, 0));
    let asked = |text: &str| org.calls().iter().filter(|call| call.query.contains(text)).count();
    assert_eq!(asked("SELECT Id FROM Account ORDER"), 1, "{:?}", org.calls());
    assert_eq!(asked("SELECT Id FROM Account WHERE Id IN"), 1, "it is asked for before it is believed");
    // When it went nobody can say: since the sweep it is gone, and before that the states say so.
    let september = app.state("2026-09").await;
    assert!(september.settled);
    assert_eq!(by(&september, "name", "mrr"), map([("青空", "100"), ("白雲", "20"), ("静か", "1")]));
    assert_eq!(september.uncertain().len(), 1, "{:?}", september.streams);
    assert!(september.uncertain()[0].starts_with("1 record of salesforce/Account that is gone today"));
    assert_eq!(app.state("2026-08").await.uncertain(), Vec::<String>::new(), "all were seen at August's end");
    assert_eq!(texts(&app.state("2026-10-02").await, "name").len(), 2);
    assert_eq!(app.sync("salesforce").await.counts.deleted_by_absence, 0);
}

#[tokio::test]
async fn b6_values_that_change_without_a_stamp_are_read_again_once_a_week() {
    let app = TestApp::new(SEPTEMBER).with_salesforce(Options::default(), super::FIELDS).await;
    let source = std::fs::read_to_string(app.path("sources/salesforce.yaml")).unwrap();
    app.write("sources/salesforce.yaml", &source.replace("refresh_days: 0", "refresh_days: 7"));
    let id = app.org().insert("Account", &fields(json!({ "Name": "青空", "MRR__c": "100" }))).unwrap();
    app.set_now("2026-09-01T00:00:00Z");
    app.sync("salesforce").await;
    app.set_now("2026-09-02T00:00:00Z");
    let formula = Formula::Times { field: "MRR__c".into(), factor: "24".into() };
    app.org().change_formula("Account", "AnnualizedMRR__c", formula).unwrap();
    app.set_now("2026-09-05T00:00:00Z");
    let report = app.sync("salesforce").await;
    assert_eq!((report.mode, report.counts.changed), ("incremental", 0), "it was read four days ago");
    app.set_now("2026-09-09T00:00:00Z");
    let report = app.sync("salesforce").await;
    assert_eq!((report.mode, report.counts.read, report.counts.changed), ("full", 1, 1));
    // What nobody stamped is dated by its reading.
    let lines = app.lines(&accounts()).await;
    let dates: Vec<Timestamp> = lines.iter().filter(|line| line.key == id).map(|line| line.valid_from).collect();
    assert_eq!(dates, [at(SEPTEMBER), at("2026-09-09T00:00:00Z")]);
    app.set_now("2026-09-10T00:00:00Z");
    assert_eq!(app.sync("salesforce").await.mode, "incremental");
}

#[tokio::test]
async fn e2_a_record_that_left_the_recycle_bin_between_two_runs_is_gone_and_not_forgotten() {
    let (app, ids) = two_accounts().await;
    app.set_now("2026-09-02T00:00:00Z");
    app.org().delete("Account", &ids[1]).unwrap();
    app.set_now(NOVEMBER);
    let report = app.sync("salesforce").await;
    assert_eq!(report.counts.deleted + report.counts.deleted_by_absence, 1);
    assert_eq!(texts(&app.state("2026-11-02").await, "name"), ["青空"]);
}

#[tokio::test]
async fn f5_a_braked_reading_takes_nothing_for_gone_and_the_next_run_begins_where_it_began() {
    let app =
        TestApp::new(SEPTEMBER).with_salesforce(Options { records: 900, ..Options::default() }, super::FIELDS).await;
    app.sync("salesforce").await;
    let (ids, lines) = (app.ids(), app.lines(&accounts()).await);
    let hidden: Vec<&str> = ids[..700].iter().map(String::as_str).collect();
    app.org().hide_rows("Account", &hidden).unwrap();
    app.set_now("2026-09-02T00:00:00Z");
    let full = SyncOptions { mode: ReadMode::Full, ..SyncOptions::default() };
    let report = app.sync_with("salesforce", &full).await.unwrap();
    assert_eq!(report.outcome, RunOutcome::Failed);
    assert_eq!(report.streams[0].error.as_ref().unwrap().code, "E0540");
    assert_eq!(app.lines(&accounts()).await, lines);
    // Somebody gives the permission back. Nothing but the ordinary window is read, and nothing is missing.
    app.org().unhide_rows("Account", &hidden).unwrap();
    app.org().update("Account", &ids[5], &fields(json!({ "Site": "大阪" }))).unwrap();
    app.advance(3_600);
    let report = app.sync("salesforce").await;
    assert_eq!((report.mode, report.counts.read, report.counts.changed), ("incremental", 1, 1));
    // Or the records are really gone.
    app.org().hide_rows("Account", &hidden).unwrap();
    let allowed = SyncOptions { mode: ReadMode::Full, allow_deletes: true, ..SyncOptions::default() };
    let report = app.sync_with("salesforce", &allowed).await.unwrap();
    assert_eq!(report.streams[0].counts.deleted_by_absence, 700);
}

#[tokio::test]
async fn f5_a_braked_file_leaves_the_file_before_it_alone() {
    let app = TestApp::new(OCTOBER).with_core();
    // Longer than a page, so that July is landed in two batches.
    let codes: Vec<String> = (0..6_000).map(|number| format!("C{number:04}")).collect();
    let all: Vec<(&str, &str, &str)> = codes.iter().map(|code| (code.as_str(), "青空", "1")).collect();
    app.export("202607", &all);
    app.export("202608", &all[..10]);
    let report = app.sync_with("core", &SyncOptions::default()).await.unwrap();
    assert_eq!(report.streams[0].error.as_ref().unwrap().code, "E0540");
    let lines = app.lines(&customers()).await;
    assert_eq!(lines.len(), 6_000);
    // Nobody mends it: the same again, and nothing of July is read or lost.
    let report = app.sync_with("core", &SyncOptions::default()).await.unwrap();
    assert_eq!(report.streams[0].error.as_ref().unwrap().code, "E0540");
    assert_eq!((report.streams[0].counts.read, app.lines(&customers()).await), (0, lines));
    // Somebody does.
    app.export("202608", &all[1..]);
    let report = app.sync("core").await;
    assert_eq!((report.counts.unchanged, report.counts.deleted_by_absence), (5_999, 1));
}

#[tokio::test]
async fn f5_a_braked_sweep_does_not_keep_changes_out() {
    let app =
        TestApp::new(SEPTEMBER).with_salesforce(Options { records: 900, ..Options::default() }, super::FIELDS).await;
    app.sync("salesforce").await;
    let ids = app.ids();
    let hidden: Vec<&str> = ids[..700].iter().map(String::as_str).collect();
    app.org().hide_rows("Account", &hidden).unwrap();
    for (now, site) in [("2026-09-10T00:00:00Z", "大阪"), ("2026-09-11T00:00:00Z", "京都")] {
        app.org().update("Account", &ids[800], &fields(json!({ "Site": site }))).unwrap();
        app.set_now(now);
        let report = app.sync_with("salesforce", &SyncOptions::default()).await.unwrap();
        assert_eq!(report.streams[0].error.as_ref().unwrap().code, "E0540");
        assert_eq!((report.streams[0].counts.changed, report.streams[0].counts.deleted_by_absence), (1, 0), "{site}");
    }
    app.org().unhide_rows("Account", &hidden).unwrap();
    let report = app.sync("salesforce").await;
    assert_eq!((report.counts.changed, report.counts.deleted_by_absence), (0, 0));
}

#[tokio::test]
async fn a1_what_is_recorded_later_says_so_even_when_the_clock_goes_back() {
    let app = TestApp::new(OCTOBER).with_core();
    for (month, now) in [("202607", OCTOBER), ("202608", SEPTEMBER), ("202609", "2026-07-01T00:00:00Z")] {
        app.clock.set(at(now));
        app.export(month, &[("C1", "青空", month)]);
        app.sync("core").await;
    }
    let workspace = app.open().await;
    let ledger = Ledger::read(&workspace.lake, &customers()).await.unwrap();
    close(workspace).await;
    let recorded: Vec<Timestamp> = ledger.entries().iter().map(|entry| entry.recorded_at).collect();
    assert_eq!(recorded[0], at(OCTOBER));
    assert!(recorded.len() == 3 && recorded.windows(2).all(|two| two[0] < two[1]), "{recorded:?}");
    assert_eq!(end_of("2026-09"), app.state("2026-09").await.at);
}
