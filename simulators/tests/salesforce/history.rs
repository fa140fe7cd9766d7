//! Line 39: what was, as the service itself tells it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use simulators::salesforce::{FieldSpec, FieldType, Options};

use crate::client::{Session, fields};

const ROWS: &str = "SELECT AccountId, Field, DataType, OldValue, NewValue, CreatedDate FROM AccountHistory ORDER BY Id";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Field, type, old and new value of each row.
fn rows(session: &Session) -> Vec<[Value; 4]> {
    let told = ["Field", "DataType", "OldValue", "NewValue"];
    session.records(ROWS).iter().map(|row| told.map(|name| row[name].clone())).collect()
}

fn update(session: &Session, object: &str, id: &str, values: Value) {
    session.org.update(object, id, &fields(values)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_only_tracked_fields_have_a_history() {
    let session = Session::empty().await;
    let id = session.account("年輪");
    session.org.advance(60);
    update(&session, "Account", &id, json!({"MRR__c": "5000.50", "Seats__c": 12, "Fax": "03-1", "Name": "年輪"}));
    update(&session, "Account", &id, json!({"RenewalDate__c": "2027-01-31", "MRR__c": null, "Name": "年輪堂"}));
    session.org.change_silently("Account", &id, &fields(json!({"Rating": "Hot"}))).unwrap();
    let row = |field: &str, kind: &str, old: Value, new: Value| [json!(field), json!(kind), old, new];
    assert_eq!(
        rows(&session),
        [
            row("created", "Text", Value::Null, Value::Null),
            row("MRR__c", "Currency", Value::Null, json!(5000.5)),
            row("Seats__c", "Double", Value::Null, json!(12.0)),
            row("Name", "Text", json!("年輪"), json!("年輪堂")),
            row("MRR__c", "Currency", json!(5000.5), Value::Null),
            row("RenewalDate__c", "DateOnly", Value::Null, json!("2027-01-31")),
        ]
    );
    let first = session.records(ROWS).remove(1);
    assert_eq!((&first["AccountId"], &first["CreatedDate"]), (&json!(id), &json!("2026-10-31T15:01:00.000+0000")));
    let ids = session.column("SELECT Id FROM AccountHistory", "Id");
    assert!(ids.iter().all(|id| id.as_str().unwrap().starts_with("017")));

    session.org.track_fields("Account", &["Fax"]).unwrap();
    update(&session, "Account", &id, json!({"Fax": "03-2", "Name": "年輪"}));
    assert_eq!(rows(&session).last(), Some(&row("Fax", "Text", json!("03-1"), json!("03-2"))));
    let many: Vec<&str> = vec!["Fax"; 21];
    assert_eq!(session.org.track_fields("Account", &many).unwrap_err().code, "LIMIT_EXCEEDED");
    assert_eq!(session.org.track_fields("Account", &["Nothing"]).unwrap_err().code, "INVALID_FIELD");
    assert_eq!(session.org.track_fields("User", &["Name"]).unwrap_err().code, "INVALID_TYPE");

    let tracked_fields = BTreeMap::from([("Account".to_owned(), vec!["Fax".to_owned()])]);
    let session = Session::start(Options { tracked_fields, ..Options::default() }).await;
    let id = session.account("指定");
    update(&session, "Account", &id, json!({"Fax": "03-1", "Name": "改名"}));
    assert_eq!(rows(&session).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_long_texts_have_no_values_and_lookups_two_rows() {
    let session = Session::empty().await;
    let [id, parent] = ["子", "親"].map(|name| session.account(name));
    let user = session.column("SELECT Id FROM User WHERE Name != 'システム連携' ORDER BY Id", "Id").remove(0);
    session.org.track_fields("Account", &["CsmNote__c", "Products__c", "OwnerId", "ParentId"]).unwrap();
    let values = json!({"CsmNote__c": "長い\n話", "Products__c": "分析", "OwnerId": user, "ParentId": parent});
    update(&session, "Account", &id, values);
    let told = rows(&session);
    let by_field = |name: &str| told.iter().filter(|row| row[0] == name).collect::<Vec<_>>();
    assert_eq!(by_field("CsmNote__c"), [&[json!("CsmNote__c"), json!("TextArea"), Value::Null, Value::Null]]);
    assert_eq!(by_field("Products__c"), [&[json!("Products__c"), json!("MultiEnum"), Value::Null, Value::Null]]);
    assert_eq!(
        by_field("Parent"),
        [
            &[json!("Parent"), json!("Text"), Value::Null, json!("親")],
            &[json!("Parent"), json!("EntityId"), Value::Null, json!(parent)]
        ]
    );
    assert_eq!((by_field("Owner")[0][2].clone(), by_field("Owner")[1][3].clone()), (json!("システム連携"), user));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_values_are_of_any_type_and_no_filter() {
    let session = Session::empty().await;
    let id = session.account("型");
    session.org.track_fields("Account", &["MRR__c"]).unwrap();
    update(&session, "Account", &id, json!({"MRR__c": 1}));
    let described = session.data("sobjects/AccountHistory/describe").json();
    assert_eq!((&described["keyPrefix"], &described["createable"]), (&json!("017"), &json!(false)));
    let old = described["fields"].as_array().unwrap().iter().find(|field| field["name"] == "OldValue").unwrap();
    assert_eq!(
        (&old["type"], &old["filterable"], &old["soapType"]),
        (&json!("anyType"), &json!(false), &json!("xsd:anyType"))
    );
    assert_eq!(session.query("SELECT Id FROM AccountHistory WHERE NewValue = 'x'").code(), "INVALID_FIELD");
    assert_eq!(session.query("SELECT Id FROM AccountHistory ORDER BY OldValue").code(), "MALFORMED_QUERY");
    let nested = session.records("SELECT Id, (SELECT Field FROM Histories) FROM Account").remove(0);
    assert_eq!(nested["Histories"]["totalSize"], 2);
    let parent = session.records("SELECT Account.Name FROM AccountHistory WHERE Field = 'MRR__c'").remove(0);
    assert_eq!(parent["Account"]["Name"], "型");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_a_deal_keeps_its_stages() {
    let session = Session::empty().await;
    let deal = json!({"Name": "更新", "StageName": "提案", "CloseDate": "2026-12-31", "Amount": 100});
    let id = session.org.insert("Opportunity", &fields(deal)).unwrap();
    session.org.advance(60);
    update(&session, "Opportunity", &id, json!({"NextStep": "電話"}));
    update(&session, "Opportunity", &id, json!({"StageName": "Closed Won", "Amount": 250}));
    update(&session, "Opportunity", &id, json!({"CloseDate": "2026-11-30"}));
    let told = session.records(
        "SELECT StageName, Amount, ExpectedRevenue, CloseDate, Probability, ForecastCategory, PrevAmount, PrevCloseDate, \
         CreatedDate, SystemModstamp FROM OpportunityHistory ORDER BY Id",
    );
    let values = |row: &Value| {
        [
            "StageName",
            "Amount",
            "ExpectedRevenue",
            "CloseDate",
            "Probability",
            "ForecastCategory",
            "PrevAmount",
            "PrevCloseDate",
        ]
        .map(|name| row[name].clone())
    };
    let expected = [
        json!(["提案", 100.0, 30.0, "2026-12-31", 30.0, "Pipeline", null, null]),
        json!(["Closed Won", 250.0, 250.0, "2026-12-31", 100.0, "Closed", 100.0, "2026-12-31"]),
        json!(["Closed Won", 250.0, 250.0, "2026-11-30", 100.0, "Closed", 250.0, "2026-12-31"]),
    ];
    assert_eq!(json!(told.iter().map(values).collect::<Vec<_>>()), json!(expected));
    assert_eq!(
        (&told[1]["CreatedDate"], &told[1]["SystemModstamp"]),
        (&json!("2026-10-31T15:01:00.000+0000"), &told[1]["CreatedDate"])
    );
    let ids = session.column("SELECT Id FROM OpportunityHistory", "Id");
    assert!(ids.iter().all(|id| id.as_str().unwrap().starts_with("008")));
    let tracked = session.column("SELECT Field FROM OpportunityFieldHistory ORDER BY Id", "Field");
    assert_eq!(tracked, ["created", "NextStep", "StageName", "Amount", "Probability", "CloseDate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_a_past_can_be_made() {
    let session = Session::with_accounts(3).await;
    let base = session.column("SELECT Id FROM Account ORDER BY Id LIMIT 1", "Id").remove(0);
    let base = base.as_str().unwrap();
    let held =
        session.column(&format!("SELECT Name, SystemModstamp FROM Account WHERE Id = '{base}'"), "SystemModstamp");
    session.org.update_at("Account", base, &fields(json!({"Name": "新しい名前"})), at("2026-09-01T00:00:00Z")).unwrap();
    let id = session.org.insert_at("Account", &fields(json!({"Name": "昔の客"})), at("2026-03-01T00:00:00Z")).unwrap();
    for (month, mrr) in [(4, 100), (5, 200), (6, 300)] {
        let then = at(&format!("2026-{month:02}-01T00:00:00Z"));
        session.org.update_at("Account", &id, &fields(json!({"MRR__c": mrr})), then).unwrap();
    }
    let told = session.records(&format!(
        "SELECT CreatedDate, Field, NewValue FROM AccountHistory WHERE AccountId = '{id}' ORDER BY CreatedDate, Id"
    ));
    let steps: Vec<(&str, &Value)> =
        told.iter().map(|row| (&row["CreatedDate"].as_str().unwrap()[..7], &row["NewValue"])).collect();
    assert_eq!(
        steps,
        [("2026-03", &Value::Null), ("2026-04", &json!(100.0)), ("2026-05", &json!(200.0)), ("2026-06", &json!(300.0))]
    );
    let row = session.records(&format!("SELECT CreatedDate, SystemModstamp FROM Account WHERE Id = '{id}'")).remove(0);
    assert_eq!(
        (&row["CreatedDate"], &row["SystemModstamp"]),
        (&json!("2026-03-01T00:00:00.000+0000"), &json!("2026-06-01T00:00:00.000+0000"))
    );
    let mrr = |instant: &str| {
        let truth = session.org.truth_at("Account", at(instant)).unwrap();
        truth.iter().find(|row| row["Id"] == id.as_str()).map(|row| row["MRR__c"].clone())
    };
    assert_eq!(mrr("2026-02-28T00:00:00Z"), None);
    assert_eq!(mrr("2026-05-31T00:00:00Z"), Some(json!(200.0)));
    let base_row = session.records(&format!("SELECT Name, SystemModstamp FROM Account WHERE Id = '{base}'")).remove(0);
    assert_eq!(base_row["Name"], "新しい名前");
    assert!(base_row["SystemModstamp"].as_str() >= held[0].as_str());

    let early = session.org.update_at("Account", &id, &fields(json!({"Fax": "1"})), at("2026-02-01T00:00:00Z"));
    assert_eq!(early.unwrap_err().code, "INVALID_OPERATION");
    assert!(session.org.insert_at("Account", &fields(json!({"Name": "未来"})), at("2027-01-01T00:00:00Z")).is_err());
    let made_up = json!({"AccountId": id, "Field": "Rating", "OldValue": "Hot", "NewValue": true, "CreatedDate": "2026-05-05T00:00:00Z"});
    session.org.insert("AccountHistory", &fields(made_up)).unwrap();
    let row =
        session.records("SELECT OldValue, NewValue, CreatedDate FROM AccountHistory WHERE Field = 'Rating'").remove(0);
    assert_eq!((&row["OldValue"], &row["NewValue"]), (&json!("Hot"), &json!(true)));
    assert_eq!(row["CreatedDate"], "2026-05-05T00:00:00.000+0000");

    let body = json!({"object": "Account", "id": id, "fields": {"MRR__c": 400}, "at": "2026-07-01T00:00:00Z"});
    let url = format!("{}/_sim/update", session.base);
    assert_eq!(crate::client::send(&url, "POST", &[], body.to_string().as_bytes()).status, 200);
    assert_eq!(session.records("SELECT Id FROM AccountHistory WHERE CreatedDate = 2026-07-01T00:00:00Z").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_a_history_ends_with_its_time_its_row_and_its_field() {
    let session = Session::start(Options { session_secs: 100_000_000, ..Options::default() }).await;
    let [id, loser] = ["残る", "負ける"].map(|name| session.account(name));
    session.org.add_field("Account", FieldSpec::new("Rank__c", "ランク", FieldType::String)).unwrap();
    session.org.track_fields("Account", &["Rank__c", "Rating"]).unwrap();
    update(&session, "Account", &id, json!({"Rank__c": "A", "Rating": "Hot"}));
    let count = |all: bool| {
        let soql = "SELECT COUNT() FROM AccountHistory";
        let answer = if all { session.query_all(soql) } else { session.query(soql) };
        answer.json()["totalSize"].as_u64().unwrap()
    };
    assert_eq!(count(false), 4);
    session.org.remove_field("Account", "Rank__c").unwrap();
    assert_eq!(count(true), 3);
    session.org.delete("Account", &id).unwrap();
    assert_eq!((count(false), count(true)), (1, 3));
    let binned = session.drain(session.query_all("SELECT IsDeleted FROM AccountHistory WHERE IsDeleted = true"));
    assert_eq!(binned.len(), 2);
    session.org.undelete("Account", &id).unwrap();
    assert_eq!(count(false), 3);
    session.org.hide_rows("Account", &[&id]).unwrap();
    assert_eq!(count(true), 1);
    session.org.unhide_rows("Account", &[&id]).unwrap();

    session.org.merge("Account", &id, &[&loser]).unwrap();
    assert_eq!(rows(&session).last().unwrap()[0], "accountMerged");
    assert_eq!((count(false), count(true)), (3, 4));
    session.org.purge("Account").unwrap();
    assert_eq!(count(true), 3);
    session.org.advance(730 * 86_400 - 1);
    assert_eq!(count(true), 3);
    session.org.advance(1);
    assert_eq!(count(true), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_a_history_is_read_in_bulk() {
    let session = Session::empty().await;
    let id = session.account("一括");
    update(&session, "Account", &id, json!({"MRR__c": 98000}));
    let body = json!({"operation": "query", "query": "SELECT Field, OldValue, NewValue FROM AccountHistory WHERE Field = 'MRR__c'"});
    let job = session.send("POST", "jobs/query", &body).json()["id"].as_str().unwrap().to_owned();
    let _ = (session.data(&format!("jobs/query/{job}")), session.data(&format!("jobs/query/{job}")));
    let text = session.data(&format!("jobs/query/{job}/results")).text();
    assert_eq!(text, "\"Field\",\"OldValue\",\"NewValue\"\n\"MRR__c\",\"\",\"98000.0\"\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_a_custom_object_has_a_history_too() {
    let session = Session::empty().await;
    let account = session.account("年輪");
    let lookup = FieldSpec::lookup("Account__c", "取引先", &["Account"]);
    let score = FieldSpec::number("Score__c", "点数", FieldType::Double, 5, 1);
    session.org.add_object("Health__c", "健康診断", vec![lookup, score]).unwrap();
    assert_eq!(
        session.org.add_object("Health__c", "健康診断", Vec::new()).unwrap_err().code,
        "DUPLICATE_DEVELOPER_NAME"
    );
    assert_eq!(session.org.add_object("Health", "健康診断", Vec::new()).unwrap_err().code, "INVALID_TYPE");
    session.org.track_fields("Health__c", &["Score__c"]).unwrap();
    let values = json!({"Name": "十月", "Account__c": account, "Score__c": 80});
    let id = session.org.insert("Health__c", &fields(values)).unwrap();
    assert!(id.starts_with("a00"));
    update(&session, "Health__c", &id, json!({"Score__c": "72.5"}));
    let told =
        session.records("SELECT ParentId, Parent.Name, Field, NewValue FROM Health__History ORDER BY Id").remove(1);
    assert_eq!((&told["ParentId"], &told["Parent"]["Name"]), (&json!(id), &json!("十月")));
    assert_eq!((&told["Field"], &told["NewValue"]), (&json!("Score__c"), &json!(72.5)));
    let described = session.data("sobjects/Health__History/describe").json();
    assert_eq!(
        (&described["associateEntityType"], &described["associateParentEntity"]),
        (&json!("History"), &json!("Health__c"))
    );
    assert_eq!(session.data("sobjects/Health__c/describe").json()["custom"], true);
    let joined = session.records("SELECT Account__r.Name, (SELECT Field FROM Histories) FROM Health__c").remove(0);
    assert_eq!((&joined["Account__r"]["Name"], &joined["Histories"]["totalSize"]), (&json!("年輪"), &json!(2)));
}
