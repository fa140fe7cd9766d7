//! The main job from source to state: what survives a crash, what costs nothing, what comes back.

mod crash;
mod facts;
mod kill;
mod kintone;
mod quiet;
mod rebuild;
mod states;
mod variables;

use nenrin::clock::Timestamp;
use serde_json::json;
use simulators::salesforce::Options;

use crate::support::app::{TestApp, at};
use crate::support::org::fields;

/// The fields that most of these tests read.
const FIELDS: &[&str] =
    &["Name", "Type", "CustomerCode__c", "MRR__c", "AnnualizedMRR__c", "Industry", "Rating", "Site"];

/// Ten past midnight in Tokyo on the first of the month, and the last instant of the month before.
const SEPTEMBER: &str = "2026-08-31T15:10:00Z";
const OCTOBER: &str = "2026-09-30T15:10:00Z";
const NOVEMBER: &str = "2026-10-31T15:10:00Z";

fn end_of(month: &str) -> Timestamp {
    let end = match month {
        "2026-08" => "2026-08-31T14:59:59.999999Z",
        "2026-09" => "2026-09-30T14:59:59.999999Z",
        "2026-10" => "2026-10-31T14:59:59.999999Z",
        other => panic!("the tests know nothing of {other}"),
    };
    at(end)
}

/// A project that reads an org with that many accounts, in pages of 200, for the first time in September.
async fn with_accounts(records: u64) -> TestApp {
    TestApp::new(SEPTEMBER).with_salesforce(Options { records, ..Options::default() }, FIELDS).await
}

/// What happens in the org in September: every kind of edit that moves a stamp, on all rows. What is deleted is
/// still in the recycle bin when October's sync comes: it is emptied after 15 days.
fn live_september(app: &TestApp) {
    let org = app.org();
    let ids = app.ids();
    app.set_now("2026-09-05T03:00:00Z");
    org.mass_update("Account", "", &fields(json!({ "Site": "本社" }))).unwrap();
    app.set_now("2026-09-18T03:00:00Z");
    org.update("Account", &ids[0], &fields(json!({ "MRR__c": "120000", "Name": "株式会社青空" }))).unwrap();
    org.delete("Account", &ids[1]).unwrap();
    org.merge("Account", &ids[2], &[&ids[3]]).unwrap();
    org.insert("Account", &fields(json!({ "Name": "新しい取引先", "CustomerCode__c": "C-NEW" }))).unwrap();
    org.delete("Account", &ids[4]).unwrap();
    app.set_now("2026-09-20T03:00:00Z");
    org.undelete("Account", &ids[4]).unwrap();
    org.update("Account", &ids[ids.len() - 1], &fields(json!({ "Industry": null }))).unwrap();
}

/// What happens in October: a few edits with a stamp, and after the month's end one row that changes and one
/// that vanishes without a trace, which only a full pass can tell.
fn live_october(app: &TestApp) {
    let org = app.org();
    let ids = app.ids();
    app.set_now("2026-10-20T03:00:00Z");
    org.update("Account", &ids[10], &fields(json!({ "MRR__c": "1" }))).unwrap();
    org.delete("Account", &ids[11]).unwrap();
    app.set_now("2026-10-31T15:04:00Z");
    org.change_silently("Account", &ids[12], &fields(json!({ "Site": "黙って変わった" }))).unwrap();
    org.hard_delete("Account", &ids[13]).unwrap();
    app.set_now(NOVEMBER);
}
