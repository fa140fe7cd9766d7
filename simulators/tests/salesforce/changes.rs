//! Lines 32 to 40: how rows change.

use serde_json::{Value, json};
use simulators::salesforce::{FieldSpec, FieldType, Formula, Options};

use crate::client::{Session, fields};

const START: &str = "2026-10-31T15:00:00.000+0000";

fn one(session: &Session, id: &str, field: &str) -> Value {
    let soql = format!("SELECT {field} FROM Account WHERE Id = '{id}'");
    session.drain(session.query_all(&soql)).first().map_or(json!("absent"), |row| row[field].clone())
}

fn stamps(session: &Session, id: &str) -> [Value; 3] {
    ["CreatedDate", "LastModifiedDate", "SystemModstamp"].map(|field| one(session, id, field))
}

fn update(session: &Session, id: &str, values: Value) {
    session.org.update("Account", id, &fields(values)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn line_32_people_move_both_stamps_and_the_system_one() {
    let session = Session::empty().await;
    let id = session.account("刻印");
    assert_eq!(stamps(&session, &id), [json!(START), json!(START), json!(START)]);
    session.org.advance(5);
    update(&session, &id, json!({"Phone": "03-1"}));
    let edited = json!("2026-10-31T15:00:05.000+0000");
    assert_eq!(stamps(&session, &id), [json!(START), edited.clone(), edited.clone()]);
    session.org.advance(5);
    session.org.system_touch("Account", &id).unwrap();
    assert_eq!(stamps(&session, &id), [json!(START), edited, json!("2026-10-31T15:00:10.000+0000")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_33_a_mass_update_gives_one_stamp_to_thousands() {
    let session = Session::with_accounts(5_000).await;
    session.org.advance(1);
    let count =
        session.org.mass_update("Account", "Plan__c = 'スタンダード'", &fields(json!({"Rating": "Hot"}))).unwrap();
    assert!(count > 1_000);
    let found =
        session.query("SELECT COUNT() FROM Account WHERE SystemModstamp = 2026-10-31T15:00:01Z AND Rating = 'Hot'");
    assert_eq!(found.json()["totalSize"], count);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_34_a_late_commit_has_an_early_stamp() {
    let session = Session::empty().await;
    let old = session.account("前から");
    session.org.advance(60);
    let late = session.org.insert_late("Account", &fields(json!({"Name": "遅れて"})), 120).unwrap();
    session.org.update_late("Account", &old, &fields(json!({"Phone": "03-9"})), 120).unwrap();
    let locked = session.org.update("Account", &old, &fields(json!({"Fax": "1"}))).unwrap_err();
    assert_eq!(locked.code, "UNABLE_TO_LOCK_ROW");
    session.org.advance(119);
    assert_eq!((one(&session, &late, "Id"), one(&session, &old, "Phone")), (json!("absent"), Value::Null));
    assert_eq!(session.org.truth("Account").unwrap().len(), 1);
    session.org.advance(1);
    let stamp = json!("2026-10-31T15:01:00.000+0000");
    assert_eq!(stamps(&session, &late), [stamp.clone(), stamp.clone(), stamp.clone()]);
    assert_eq!((one(&session, &old, "Phone"), one(&session, &old, "SystemModstamp")), (json!("03-9"), stamp));
    let then = session.org.truth_at("Account", "2026-10-31T15:01:00Z".parse().unwrap()).unwrap();
    assert_eq!(then.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_35_formulas_and_new_fields_leave_stamps_alone() {
    let session = Session::empty().await;
    let id = session.org.insert("Account", &fields(json!({"Name": "数式", "MRR__c": 1000}))).unwrap();
    assert_eq!(one(&session, &id, "AnnualizedMRR__c"), json!(12_000.0));
    session.org.advance(60);
    let formula = Formula::Times { field: "MRR__c".into(), factor: "1.1".into() };
    session.org.change_formula("Account", "AnnualizedMRR__c", formula).unwrap();
    assert_eq!(one(&session, &id, "AnnualizedMRR__c"), json!(1_100.0));
    session.org.add_field("Account", FieldSpec::new("Region__c", "地域", FieldType::String)).unwrap();
    assert_eq!(one(&session, &id, "Region__c"), Value::Null);
    session.org.change_silently("Account", &id, &fields(json!({"Region__c": "関東"}))).unwrap();
    assert_eq!(one(&session, &id, "Region__c"), json!("関東"));
    assert_eq!(stamps(&session, &id), [json!(START), json!(START), json!(START)]);

    let deal = json!({"Name": "更新", "StageName": "提案", "CloseDate": "2026-12-31", "AccountId": id});
    session.org.insert("Opportunity", &fields(deal)).unwrap();
    session.org.advance(60);
    update(&session, &id, json!({"Name": "改名"}));
    let deal = session.records("SELECT AccountName__c, SystemModstamp FROM Opportunity").remove(0);
    assert_eq!(
        (&deal["AccountName__c"], &deal["SystemModstamp"]),
        (&json!("改名"), &json!("2026-10-31T15:01:00.000+0000"))
    );

    let past = session.org.truth_at("Account", "2026-10-31T15:00:30Z".parse().unwrap()).unwrap().remove(0);
    assert_eq!(
        (&past["AnnualizedMRR__c"], &past["Region__c"], &past["Name"]),
        (&json!(12_000.0), &Value::Null, &json!("数式"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_35_a_renamed_or_removed_field_is_gone() {
    let session = Session::with_accounts(1).await;
    session.org.rename_field("Account", "Plan__c", "Course__c").unwrap();
    assert_eq!(session.query("SELECT Plan__c FROM Account").code(), "INVALID_FIELD");
    assert_eq!(session.query("SELECT Course__c FROM Account").status, 200);
    session.org.remove_field("Account", "NPS__c").unwrap();
    assert_eq!(session.query("SELECT NPS__c FROM Account").code(), "INVALID_FIELD");
    session.org.add_field("Account", FieldSpec::number("NPS__c", "NPS", FieldType::Double, 3, 0)).unwrap();
    assert_eq!(session.column("SELECT NPS__c FROM Account", "NPS__c"), [Value::Null]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_36_deleted_rows_go_to_the_bin_and_out_of_it() {
    let session = Session::start(Options { session_secs: 10_000_000, ..Options::default() }).await;
    let [kept, purged, hard] = ["戻る", "消える", "すぐ消える"].map(|name| session.account(name));
    let contact = session.org.insert("Contact", &fields(json!({"LastName": "山田", "AccountId": kept}))).unwrap();
    session.org.advance(60);
    session.org.delete("Account", &kept).unwrap();
    session.org.delete("Account", &purged).unwrap();
    session.org.hard_delete("Account", &hard).unwrap();
    assert_eq!((one(&session, &kept, "IsDeleted"), one(&session, &hard, "Id")), (json!(true), json!("absent")));
    assert_eq!(one(&session, &kept, "SystemModstamp"), json!("2026-10-31T15:01:00.000+0000"));
    assert_eq!(session.query("SELECT COUNT() FROM Contact").json()["totalSize"], 0);
    assert_eq!(session.org.update("Account", &kept, &fields(json!({}))).unwrap_err().code, "ENTITY_IS_DELETED");
    session.org.advance(60);
    session.org.undelete("Account", &kept).unwrap();
    assert_eq!(
        (one(&session, &kept, "IsDeleted"), one(&session, &kept, "SystemModstamp")),
        (json!(false), json!("2026-10-31T15:02:00.000+0000"))
    );
    assert_eq!(session.column("SELECT Id FROM Contact", "Id"), [json!(contact)]);
    assert_eq!(session.org.purge("Account").unwrap(), 1);
    assert_eq!(one(&session, &purged, "Id"), json!("absent"));
    assert_eq!(session.org.truth("Account").unwrap().len(), 1);
    let log = session.data("sobjects/Account/deleted?start=2026-10-31T15:00:00Z&end=2026-10-31T15:02:00Z").json();
    let mut ids: Vec<&str> =
        log["deletedRecords"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [purged.as_str(), hard.as_str()]);

    session.org.delete("Account", &kept).unwrap();
    session.org.advance(15 * 86_400 - 1);
    assert_eq!(one(&session, &kept, "IsDeleted"), json!(true));
    session.org.advance(1);
    assert_eq!(one(&session, &kept, "Id"), json!("absent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_37_a_merge_leaves_a_trace_and_moves_children() {
    let session = Session::empty().await;
    let [winner, loser] = ["勝ち", "負け"].map(|name| session.account(name));
    let contact = session.org.insert("Contact", &fields(json!({"LastName": "鈴木", "AccountId": loser}))).unwrap();
    session.org.advance(60);
    session.org.merge("Account", &winner, &[&loser]).unwrap();
    let stamp = json!("2026-10-31T15:01:00.000+0000");
    assert_eq!(
        (one(&session, &loser, "MasterRecordId"), one(&session, &loser, "IsDeleted")),
        (json!(winner), json!(true))
    );
    assert_eq!(one(&session, &winner, "SystemModstamp"), stamp);
    let moved = session.records("SELECT Id, AccountId, SystemModstamp FROM Contact").remove(0);
    assert_eq!(
        (&moved["Id"], &moved["AccountId"], &moved["SystemModstamp"]),
        (&json!(contact), &json!(winner), &stamp)
    );
    let redirect = "SELECT Id FROM Account WHERE IsDeleted = true AND MasterRecordId != null";
    assert_eq!(session.drain(session.query_all(redirect)).len(), 1);
    session.org.undelete("Account", &loser).unwrap();
    assert_eq!(
        (one(&session, &loser, "MasterRecordId"), session.column("SELECT AccountId FROM Contact", "AccountId")),
        (Value::Null, vec![json!(winner)])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_38_the_logs_of_deletes_and_updates_have_their_limits() {
    let session = Session::start(Options { replication_cap: 2, session_secs: 10_000_000, ..Options::default() }).await;
    let log =
        |what: &str, start: &str, end: &str| session.data(&format!("sobjects/Account/{what}/?start={start}&end={end}"));
    let ids: Vec<String> = ["一", "二", "三"].map(|name| session.account(name)).to_vec();
    session.org.advance(300);
    let late = session.org.insert_late("Account", &fields(json!({"Name": "遅れ"})), 600).unwrap();
    session.org.delete("Account", &ids[0]).unwrap();
    session.org.advance(300);
    let deleted = log("deleted", "2026-10-31T15:00:00%2B00:00", "2026-10-31T15:10:00Z").json();
    assert_eq!(deleted["deletedRecords"], json!([{"id": ids[0], "deletedDate": "2026-10-31T15:05:00.000+0000"}]));
    assert_eq!(
        (&deleted["earliestDateAvailable"], &deleted["latestDateCovered"]),
        (&json!("2026-10-16T15:10:00.000+0000"), &json!("2026-10-31T15:05:00.000+0000"))
    );
    let updated = log("updated", "2026-10-31T15:00:00Z", "2026-10-31T15:10:00Z").json();
    assert_eq!(
        (&updated["ids"], &updated["latestDateCovered"]),
        (&json!([ids[1], ids[2]]), &json!("2026-10-31T15:05:00.000+0000"))
    );
    session.org.advance(300);
    let updated = log("updated", "2026-10-31T15:05:00Z", "2026-10-31T15:15:00Z").json();
    assert_eq!(
        (&updated["ids"], &updated["latestDateCovered"]),
        (&json!([late]), &json!("2026-10-31T15:15:00.000+0000"))
    );

    let codes = |what: &str, start: &str, end: &str| log(what, start, end).code();
    assert_eq!(codes("updated", "2026-10-31T15:00:00Z", "2026-10-31T15:15:00Z"), "EXCEEDED_ID_LIMIT");
    assert_eq!(codes("deleted", "2026-10-31T15:10:00Z", "2026-10-31T15:10:30Z"), "INVALID_REPLICATION_DATE");
    assert_eq!(codes("deleted", "2026-10-15T15:00:00Z", "2026-10-31T15:10:00Z"), "INVALID_REPLICATION_DATE");
    assert_eq!(log("updated", "2026-10-15T15:00:00Z", "2026-10-31T14:10:00Z").status, 200);
    assert_eq!(codes("updated", "2026-09-30T15:00:00Z", "2026-10-31T14:10:00Z"), "INVALID_REPLICATION_DATE");
    session.org.advance(10_000);
    session.org.trim_delete_log("Account").unwrap();
    assert_eq!(codes("deleted", "2026-10-31T15:00:00Z", "2026-10-31T15:10:00Z"), "INVALID_REPLICATION_DATE");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_40_rows_that_are_not_shared_are_silently_missing() {
    let session = Session::with_accounts(10).await;
    let id = session.column("SELECT Id FROM Account ORDER BY Id LIMIT 1", "Id").remove(0);
    let id = id.as_str().unwrap();
    session.org.insert("Contact", &fields(json!({"LastName": "佐藤", "AccountId": id}))).unwrap();
    session.org.hide_rows("Account", &[id]).unwrap();
    assert_eq!(session.query_all("SELECT COUNT() FROM Account").json()["totalSize"], 9);
    assert_eq!(session.records("SELECT Id FROM Account").len(), 9);
    assert_eq!(one(&session, id, "Id"), json!("absent"));
    assert!(session.records("SELECT Account.Name FROM Contact")[0]["Account"].is_null());
    assert_eq!(session.org.truth("Account").unwrap().len(), 10);
    session.org.unhide_rows("Account", &[id]).unwrap();
    assert_eq!(session.records("SELECT Id FROM Account").len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_makes_the_same_org() {
    let make = |seed| async move {
        let session = Session::start(Options { seed, records: 20, ..Options::default() }).await;
        (session.org.truth("Account").unwrap(), session.org.truth("User").unwrap())
    };
    assert_eq!(make(5).await, make(5).await);
    assert_ne!(make(5).await.0, make(6).await.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_edits_are_refused_with_a_reason() {
    let session = Session::empty().await;
    let insert = |object: &str, values: Value| session.org.insert(object, &fields(values)).unwrap_err().code;
    assert_eq!(insert("Bogus", json!({})), "INVALID_TYPE");
    assert_eq!(insert("Account", json!({})), "REQUIRED_FIELD_MISSING");
    assert_eq!(insert("Account", json!({"Name": "a", "Bogus": 1})), "INVALID_FIELD");
    assert_eq!(
        insert("Account", json!({"Name": "a", "SystemModstamp": "2026-01-01T00:00:00Z"})),
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    );
    assert_eq!(insert("Account", json!({"Name": "a".repeat(256)})), "STRING_TOO_LONG");
    assert_eq!(insert("Account", json!({"Name": "a", "MRR__c": "12a"})), "JSON_PARSER_ERROR");
    assert_eq!(insert("Account", json!({"Name": "a", "HealthScore__c": 1000})), "NUMBER_OUTSIDE_VALID_RANGE");
    assert_eq!(insert("Contact", json!({"LastName": "a", "AccountId": "x"})), "MALFORMED_ID");
}
