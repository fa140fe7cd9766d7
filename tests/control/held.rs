//! Values that did not convert, and rows that are no records.

use nenrin::control::{HeldChange, HeldField, HeldFilter, HeldScope, HeldState};
use nenrin::error::ErrorKind;
use nenrin::record::{Rejected, StreamId};

use super::{Bench, at};

on_both! {
    a_held_value_keeps_all_that_a_person_needs,
    what_converts_now_is_resolved_and_what_does_not_keeps_its_first_run,
    a_value_that_is_held_anew_counts_from_anew,
    a_replacement_touches_its_own_mapping_only,
    what_mappings_held_that_are_gone_is_resolved,
    a_value_outside_the_scope_is_a_bug,
    many_values_are_held_in_one_go_and_grouped_by_reason,
    a_value_given_twice_is_held_once_as_given_last,
    a_nul_in_a_value_does_not_stop_it_from_being_held,
    a_rejected_row_is_kept_once_and_forgotten_when_its_file_is_mended,
}

const MAPPING: &str = "mappings/sf/Account.yaml";

fn account() -> StreamId {
    StreamId::new("sf", "Account")
}

fn held(key: &str, raw: &str) -> HeldField {
    HeldField {
        stream: account(),
        key: key.to_owned(),
        entity: "customer".to_owned(),
        variable: "mrr".to_owned(),
        field: "MRR__c".to_owned(),
        raw: Some(raw.to_owned()),
        reason: "not a number".to_owned(),
        code: "V101".to_owned(),
        mapping: MAPPING.to_owned(),
        mapping_place: format!("{MAPPING}:8:8"),
    }
}

fn scope() -> HeldScope {
    HeldScope { stream: account(), entity: "customer".to_owned(), mapping: Some(MAPPING.to_owned()) }
}

async fn a_held_value_keeps_all_that_a_person_needs(bench: Bench) {
    bench.control.held().upsert("r1", &[held("001", "約120万")]).await.unwrap();
    let listed = bench.control.held().list(&HeldFilter::default()).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].held, held("001", "約120万"));
    assert_eq!(listed[0].first_seen_run, "r1");
    assert_eq!(listed[0].last_seen_at, at("2026-10-01T12:00:00Z"));
    assert_eq!(listed[0].state, HeldState::Open);
}

async fn what_converts_now_is_resolved_and_what_does_not_keeps_its_first_run(bench: Bench) {
    let table = bench.control.held();
    let first = table.replace(&scope(), "r1", &[held("001", "abc"), held("002", "def")]).await.unwrap();
    assert_eq!(first, HeldChange { opened: 2, still_open: 0, resolved: 0 });
    bench.clock.advance_secs(60);
    let second = table.replace(&scope(), "r2", &[held("002", "ghi"), held("003", "jkl")]).await.unwrap();
    assert_eq!(second, HeldChange { opened: 1, still_open: 1, resolved: 1 });
    let open = table.list(&HeldFilter::default()).await.unwrap();
    let seen: Vec<_> =
        open.iter().map(|row| (row.held.key.as_str(), row.held.raw.as_deref(), row.first_seen_run.as_str())).collect();
    assert_eq!(seen, [("002", Some("ghi"), "r1"), ("003", Some("jkl"), "r2")]);
    assert_eq!(open[0].last_seen_at, at("2026-10-01T12:01:00Z"));
    let all = table.list(&HeldFilter { with_resolved: true, ..Default::default() }).await.unwrap();
    assert_eq!(all[0].state, HeldState::Resolved);
    // The same run may map again.
    let third = table.replace(&scope(), "r2", &[]).await.unwrap();
    assert_eq!(third, HeldChange { opened: 0, still_open: 0, resolved: 2 });
}

async fn a_value_that_is_held_anew_counts_from_anew(bench: Bench) {
    let table = bench.control.held();
    table.replace(&scope(), "r1", &[held("001", "abc")]).await.unwrap();
    table.replace(&scope(), "r2", &[]).await.unwrap();
    bench.clock.advance_secs(60);
    table.replace(&scope(), "r3", &[held("001", "abc")]).await.unwrap();
    let open = table.list(&HeldFilter::default()).await.unwrap();
    assert_eq!(open[0].first_seen_run, "r3");
    assert_eq!(open[0].first_seen_at, at("2026-10-01T12:01:00Z"));
}

async fn a_replacement_touches_its_own_mapping_only(bench: Bench) {
    let table = bench.control.held();
    let custom = HeldField {
        variable: "login_rate".to_owned(),
        mapping: "schemas/variables/login_rate.yaml".to_owned(),
        ..held("001", "x")
    };
    let contact = HeldField { stream: StreamId::new("sf", "Contact"), ..held("001", "x") };
    table.upsert("r1", &[custom.clone(), contact.clone(), held("001", "abc")]).await.unwrap();
    table.replace(&scope(), "r2", &[]).await.unwrap();
    let left: Vec<_> = table.list(&HeldFilter::default()).await.unwrap().into_iter().map(|row| row.held).collect();
    assert_eq!(left, [custom, contact]);
    let whole = HeldScope { mapping: None, ..scope() };
    assert_eq!(table.replace(&whole, "r3", &[]).await.unwrap().resolved, 1);
}

async fn what_mappings_held_that_are_gone_is_resolved(bench: Bench) {
    let table = bench.control.held();
    let contact = HeldField { stream: StreamId::new("sf", "Contact"), ..held("003", "ghi") };
    let elsewhere = HeldField { stream: StreamId::new("core", "Account"), ..held("004", "jkl") };
    let deal = HeldField { entity: "deal".to_owned(), ..held("005", "mno") };
    table.upsert("r1", &[held("001", "abc"), contact, elsewhere, deal]).await.unwrap();
    let open = |rows: Vec<nenrin::control::HeldRow>| {
        let still = rows.into_iter().filter(|row| row.state == HeldState::Open);
        still.map(|row| row.held.key).collect::<Vec<_>>()
    };
    let source = account().source;
    assert_eq!(table.resolve_others(&source, &[HeldScope { mapping: None, ..scope() }]).await.unwrap(), 2);
    assert_eq!(open(table.list(&HeldFilter::default()).await.unwrap()), ["004", "001"]);
    assert_eq!(table.resolve_others(&source, &[]).await.unwrap(), 1);
    assert_eq!(open(table.list(&HeldFilter::default()).await.unwrap()), ["004"]);
}

async fn a_value_outside_the_scope_is_a_bug(bench: Bench) {
    let outside = HeldField { entity: "contact".to_owned(), ..held("001", "x") };
    let error = bench.control.held().replace(&scope(), "r1", &[outside]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

async fn many_values_are_held_in_one_go_and_grouped_by_reason(bench: Bench) {
    let table = bench.control.held();
    let mut many: Vec<HeldField> = (0..2_500).map(|i| held(&format!("{i:05}"), "n/a")).collect();
    many.extend((0..3).map(|i| HeldField {
        variable: "renewal_date".to_owned(),
        field: "Renewal__c".to_owned(),
        code: "V201".to_owned(),
        reason: "not a date".to_owned(),
        ..held(&format!("{i:05}"), &format!("2026/13/{i}"))
    }));
    let change = table.replace(&scope(), "r1", &many).await.unwrap();
    assert_eq!(change.opened, 2_503);
    let groups = table.groups(&HeldFilter { source: Some("sf"), ..Default::default() }).await.unwrap();
    let shown: Vec<_> = groups
        .iter()
        .map(|group| (group.variable.as_str(), group.reason.as_str(), group.count, group.example.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [("mrr", "not a number", 2_500, Some("n/a")), ("renewal_date", "not a date", 3, Some("2026/13/0"))]
    );
    assert_eq!(table.open_by_source().await.unwrap(), [(account().source, 2_503)]);
    assert!(table.groups(&HeldFilter { source: Some("core"), ..Default::default() }).await.unwrap().is_empty());
    let some = table.list(&HeldFilter { code: Some("V101"), limit: Some(2), ..Default::default() }).await.unwrap();
    assert_eq!(some.len(), 2);
    assert_eq!(some[1].held.key, "00001");
}

async fn a_value_given_twice_is_held_once_as_given_last(bench: Bench) {
    bench.control.held().upsert("r1", &[held("001", "first"), held("001", "last")]).await.unwrap();
    let listed = bench.control.held().list(&HeldFilter::default()).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].held.raw.as_deref(), Some("last"));
}

async fn a_nul_in_a_value_does_not_stop_it_from_being_held(bench: Bench) {
    bench.control.held().upsert("r1", &[held("0\u{0}1", "a\0b")]).await.unwrap();
    let listed = bench.control.held().list(&HeldFilter::default()).await.unwrap();
    assert_eq!(listed[0].held.raw.as_deref(), Some("a␀b"));
}

async fn a_rejected_row_is_kept_once_and_forgotten_when_its_file_is_mended(bench: Bench) {
    let table = bench.control.rejected();
    let stream = StreamId::new("core", "customers");
    let rejected = |file: &str, line: u32, reason: &str| Rejected {
        place: format!("{file}:{line}"),
        key: None,
        reason: reason.to_owned(),
        raw: "株式会社アクメ,,".to_owned(),
    };
    let rows = [
        rejected("customers_202510.csv", 7, "the row has no key"),
        rejected("customers_202510.csv", 9, "the row has no key"),
        rejected("customersX202510.csv", 3, "the row has too few fields"),
    ];
    table.keep(&stream, "r1", &rows).await.unwrap();
    bench.clock.advance_secs(60);
    table.keep(&stream, "r2", &[rows[0].clone(), rows[0].clone()]).await.unwrap();
    let listed = table.list(Some("core"), None).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[1].rejected, rows[0]);
    assert_eq!((listed[1].run_id.as_str(), listed[1].first_seen_at), ("r2", at("2026-10-01T12:00:00Z")));
    let groups = table.groups(None).await.unwrap();
    let shown: Vec<_> = groups.iter().map(|group| (group.reason.as_str(), group.count)).collect();
    assert_eq!(shown, [("the row has no key", 2), ("the row has too few fields", 1)]);
    // Only the file that was read again, in which `_` is no wildcard.
    assert_eq!(table.forget_others(&stream, "customers_202510.csv:", "r2").await.unwrap(), 1);
    let left: Vec<_> = table.list(None, None).await.unwrap().into_iter().map(|row| row.rejected).collect();
    assert_eq!(left, [rows[2].clone(), rows[0].clone()]);
    assert_eq!(table.forget_others(&stream, "", "r3").await.unwrap(), 2);
}
