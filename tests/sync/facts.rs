//! History from before the first sync: what Salesforce's own history objects tell (semantics C).

use nenrin::snapshot::Coverage;
use serde_json::json;
use simulators::salesforce::{Fields, Options, Org};

use super::NOVEMBER;
use super::states::{by, coverages, known, map, texts};
use crate::support::app::{TestApp, at};
use crate::support::org::fields;

const MAPPING: &str = "\
apiVersion: nenrin/v1
kind: Mapping
source: salesforce
stream: Account
entity: customer
variables:
  name: Name
  customer_code: CustomerCode__c
  mrr: MRR__c
  industry: Industry
  owner: OwnerId
";

/// A project that reads accounts and their history for the first time in November 2026.
async fn with_history(past: impl FnOnce(&Org)) -> TestApp {
    let options = Options {
        tracked_fields: [("Account".to_owned(), ["MRR__c", "OwnerId", "Name"].map(str::to_owned).to_vec())].into(),
        ..Options::default()
    };
    let app = TestApp::new(NOVEMBER)
        .with_salesforce(options, &["Name", "MRR__c", "CustomerCode__c", "Industry", "OwnerId"])
        .await;
    let source = std::fs::read_to_string(app.path("sources/salesforce.yaml")).unwrap();
    app.write("sources/salesforce.yaml", &format!("{}  - AccountHistory\n", source));
    app.write("mappings/salesforce/Account.yaml", MAPPING);
    past(&app.org());
    app
}

fn when(text: &str) -> chrono::DateTime<chrono::Utc> {
    at(text).to_datetime()
}

fn insert(org: &Org, name: &str, mrr: &str, at: &str) -> String {
    let row: Fields = fields(json!({ "Name": name, "MRR__c": mrr, "CustomerCode__c": name, "Industry": "製造" }));
    org.insert_at("Account", &row, when(at)).unwrap()
}

fn update(org: &Org, id: &str, row: serde_json::Value, at: &str) {
    org.update_at("Account", id, &fields(row), when(at)).unwrap();
}

#[tokio::test]
async fn c2_last_october_has_values_although_it_was_never_read() {
    let app = with_history(|org| {
        let blue = insert(org, "青空", "100", "2025-08-01T00:00:00Z");
        update(org, &blue, json!({ "MRR__c": "150" }), "2025-09-10T00:00:00Z");
        update(org, &blue, json!({ "MRR__c": "200" }), "2026-02-10T00:00:00Z");
        update(org, &blue, json!({ "Industry": "小売" }), "2026-03-10T00:00:00Z");
        insert(org, "白雲", "30", "2026-01-05T00:00:00Z");
        let red = insert(org, "赤城", "70", "2025-08-02T00:00:00Z");
        update(org, &red, json!({ "Industry": "小売" }), "2026-04-10T00:00:00Z");
    })
    .await;
    let report = app.sync_with("salesforce", &nenrin::sync::SyncOptions::default()).await.unwrap();
    assert_eq!(report.streams.len(), 2);
    // October 2025: changes of the amount were on record by then, so who has none had what he has.
    let october = app.state("2025-10").await;
    assert_eq!(by(&october, "customer_code", "mrr").len(), 1, "the code is not tracked, so nobody knows it");
    let mut amounts = texts(&october, "mrr");
    amounts.sort();
    assert_eq!(amounts, ["150", "70"]);
    assert_eq!(texts(&october, "industry"), ["?not_read", "?not_read"]);
    assert_eq!(coverages(&october), [Coverage::Asserted, Coverage::Asserted]);
    // August: the trail begins in September; what the first change changed is known, the rest is not.
    let mut amounts = texts(&app.state("2025-08").await, "mrr");
    amounts.sort();
    assert_eq!(amounts, ["100", "?not_read"]);
    // From its first version on, the record speaks for itself (C3).
    let march = app.state("2026-03").await;
    assert_eq!(by(&march, "name", "industry").get("青空").map(String::as_str), Some("小売"));
    assert_eq!(by(&march, "name", "mrr").get("白雲").map(String::as_str), Some("30"));
    // As known before the facts were read, nothing is known of October.
    let before = known(&app, "2025-10", at("2026-10-31T15:00:00Z")).await;
    assert_eq!(texts(&before, "mrr"), [""; 0]);
    // Read once more, the facts are what they were.
    let again = app
        .sync_with(
            "salesforce",
            &nenrin::sync::SyncOptions { mode: nenrin::connect::ReadMode::Full, ..Default::default() },
        )
        .await
        .unwrap();
    let history = again.streams.iter().find(|stream| stream.stream == "AccountHistory").unwrap();
    assert_eq!((history.counts.new, history.counts.changed), (0, 0));
}

#[tokio::test]
async fn c2_a_calculated_field_has_what_facts_tell_until_it_was_first_read() {
    let app = with_history(|org| {
        let blue = insert(org, "青空", "100", "2025-08-01T00:00:00Z");
        update(org, &blue, json!({ "MRR__c": "150" }), "2026-02-10T00:00:00Z");
        update(org, &blue, json!({ "Industry": "小売" }), "2026-06-10T00:00:00Z");
        let white = insert(org, "白雲", "30", "2026-01-05T00:00:00Z");
        update(org, &white, json!({ "Industry": "小売" }), "2026-03-10T00:00:00Z");
        update(org, &white, json!({ "MRR__c": "40" }), "2026-08-10T00:00:00Z");
    })
    .await;
    let source = std::fs::read_to_string(app.path("sources/salesforce.yaml")).unwrap();
    let source =
        source.replace("name: Account,", "name: Account, classes: { Industry: calculated, MRR__c: calculated },");
    assert!(source.contains("calculated"), "{source}");
    app.write("sources/salesforce.yaml", &source);
    app.sync_with("salesforce", &nenrin::sync::SyncOptions::default()).await.unwrap();
    let mrr = |state| by(&state, "name", "mrr");
    // Both versions are older than July, but calculated fields were first read in November.
    let july = app.state("2026-07").await;
    assert_eq!(by(&july, "name", "industry").get("青空").map(String::as_str), Some("?observed_later"));
    let (july, september) = (mrr(july), mrr(app.state("2026-09").await));
    assert_eq!(july.get("青空").map(String::as_str), Some("150"));
    // Its version is of August; July is before it, and the trail tells of it all the same.
    assert_eq!(september.get("白雲").map(String::as_str), Some("40"));
    // From its first reading on it speaks for itself.
    assert_eq!(mrr(app.state("2026-11-30").await).get("青空").map(String::as_str), Some("150"));
}

#[tokio::test]
async fn c2_look_ups_are_told_by_their_ids() {
    let mut owners = Vec::new();
    let app = with_history(|org| {
        let users = org.truth("User").unwrap();
        owners = users.iter().map(|user| user["Id"].as_str().unwrap().to_owned()).collect();
        let id = insert(org, "青空", "100", "2025-08-01T00:00:00Z");
        update(org, &id, json!({ "OwnerId": owners[1] }), "2025-08-02T00:00:00Z");
        update(org, &id, json!({ "OwnerId": owners[2] }), "2026-02-10T00:00:00Z");
    })
    .await;
    app.sync_with("salesforce", &nenrin::sync::SyncOptions::default()).await.unwrap();
    assert_eq!(texts(&app.state("2025-10").await, "owner"), [owners[1].clone()]);
    assert_eq!(texts(&app.state("2026-02").await, "owner"), [owners[2].clone()]);
}

#[tokio::test]
async fn c3_a_survivor_of_a_merge_has_no_facts_from_before_it() {
    let app = with_history(|org| {
        let winner = insert(org, "青空", "100", "2025-08-01T00:00:00Z");
        let loser = insert(org, "青空支店", "10", "2025-08-01T00:00:00Z");
        update(org, &winner, json!({ "MRR__c": "110" }), "2025-09-01T00:00:00Z");
        update(org, &winner, json!({ "MRR__c": "120" }), "2026-08-01T00:00:00Z");
        org.merge("Account", &winner, &[&loser]).unwrap();
    })
    .await;
    app.sync_with("salesforce", &nenrin::sync::SyncOptions::default()).await.unwrap();
    let october = app.state("2025-10").await;
    assert_eq!(texts(&october, "mrr").iter().filter(|mrr| *mrr == "110").count(), 0, "{:?}", texts(&october, "mrr"));
}

#[tokio::test]
async fn j2_new_facts_about_the_time_before_the_first_reading_restate_what_was_kept() {
    let app = with_history(|org| {
        let blue = insert(org, "青空", "100", "2025-08-01T00:00:00Z");
        update(org, &blue, json!({ "MRR__c": "150" }), "2025-09-10T00:00:00Z");
        update(org, &blue, json!({ "Industry": "小売" }), "2026-03-10T00:00:00Z");
    })
    .await;
    let only_accounts = std::fs::read_to_string(app.path("sources/salesforce.yaml")).unwrap();
    app.write("sources/salesforce.yaml", &only_accounts.replace("  - AccountHistory\n", ""));
    app.sync("salesforce").await;
    assert_eq!(texts(&app.state("2025-10").await, "mrr"), ["?not_read"]);
    app.write("sources/salesforce.yaml", &only_accounts);
    app.advance(3_600);
    app.sync_with("salesforce", &nenrin::sync::SyncOptions::default()).await.unwrap();
    assert_eq!(texts(&app.state("2025-10").await, "mrr"), ["150"]);
    assert_eq!(by(&app.state("2026-03").await, "name", "mrr"), map([("青空", "150")]));
}
