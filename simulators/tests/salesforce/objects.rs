//! Lines 20 and 21 for activities and what is around them: objects with parents of several kinds, and old ones.

use serde_json::{Value, json};
use simulators::salesforce::{Features, Options};

use crate::client::{Session, encode, fields};

fn insert(session: &Session, object: &str, values: Value) -> String {
    session.org.insert(object, &fields(values)).unwrap_or_else(|error| panic!("{object}: {error}"))
}

fn deal(session: &Session, account: &str) -> String {
    let values =
        json!({"Name": "更新", "StageName": "提案", "CloseDate": "2026-12-31", "Amount": 100, "AccountId": account});
    insert(session, "Opportunity", values)
}

fn task(session: &Session, values: Value) -> String {
    let mut all = json!({"Status": "Not Started", "Priority": "Normal", "Subject": "電話"});
    for (name, value) in fields(values) {
        all[name] = value;
    }
    insert(session, "Task", all)
}

#[tokio::test(flavor = "multi_thread")]
async fn line_20_parents_may_be_of_several_objects() {
    let session = Session::empty().await;
    let account = session.account("年輪");
    let opportunity = deal(&session, &account);
    for what in [Some(&account), Some(&opportunity), None] {
        task(&session, json!({"WhatId": what}));
    }
    let soql = "SELECT TYPEOF What WHEN Account THEN Phone, Name WHEN Opportunity THEN Amount, Account.Name END, Id \
                FROM Task ORDER BY Id";
    let told = session.records(soql);
    assert_eq!((&told[0]["What"]["attributes"]["type"], &told[0]["What"]["Name"]), (&json!("Account"), &json!("年輪")));
    assert!(told[0]["What"].get("Amount").is_none() && told[0]["What"]["Phone"].is_null());
    assert_eq!((&told[1]["What"]["Amount"], &told[1]["What"]["Account"]["Name"]), (&json!(100.0), &json!("年輪")));
    assert!(told[2]["What"].is_null());
    let told = session.records("SELECT TYPEOF What WHEN Account THEN Phone ELSE Name END FROM Task ORDER BY Id");
    assert_eq!((told[0]["What"].get("Name"), &told[1]["What"]["Name"]), (None, &json!("更新")));
    let told = session.records("SELECT TYPEOF What WHEN Account THEN Phone END FROM Task ORDER BY Id");
    assert!(told[1]["What"].is_null());
    let told = session.records("SELECT What.Name, What.Type, Account.Name FROM Task ORDER BY Id");
    assert_eq!((&told[1]["What"]["Name"], &told[1]["What"]["Type"]), (&json!("更新"), &json!("Opportunity")));
    assert_eq!((&told[1]["Account"]["Name"], &told[2]["Account"]), (&json!("年輪"), &Value::Null));
    for (soql, code) in [
        ("SELECT TYPEOF Account WHEN Account THEN Name END FROM Task", "INVALID_FIELD"),
        ("SELECT TYPEOF What WHEN User THEN Name END FROM Task", "INVALID_TYPE"),
        ("SELECT TYPEOF What WHEN Account THEN Nothing END FROM Task", "INVALID_FIELD"),
        ("SELECT TYPEOF What END FROM Task", "MALFORMED_QUERY"),
        ("SELECT What.Nothing FROM Task", "INVALID_FIELD"),
    ] {
        assert_eq!(session.query(soql).code(), code, "{soql}");
    }
    let bulk = session.send("POST", "jobs/query", &json!({"operation": "query", "query": soql}));
    assert_eq!(bulk.code(), "FUNCTIONALITY_NOT_ENABLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_20_subqueries_nest_and_their_pages_too() {
    let session = Session::empty().await;
    let account = session.account("年輪");
    let opportunity = deal(&session, &account);
    let other = deal(&session, &account);
    for at in 0..450 {
        let values = json!({"OpportunityId": opportunity, "Quantity": 2, "UnitPrice": 10, "SortOrder": at});
        insert(&session, "OpportunityLineItem", values);
    }
    let soql = "SELECT Id, (SELECT Id, (SELECT TotalPrice FROM OpportunityLineItems) FROM Opportunities ORDER BY Id), \
                (SELECT Id FROM Contacts) FROM Account";
    let path = format!("/services/data/v66.0/query?q={}", encode(soql));
    let page = session.get_with(&path, &[("Sforce-Query-Options", "batchSize=200")]).json();
    let record = &page["records"][0];
    let deals = &record["Opportunities"];
    assert_eq!((&deals["totalSize"], &record["Contacts"]), (&json!(2), &Value::Null));
    assert_eq!(
        (&deals["records"][1]["Id"], &deals["records"][1]["OpportunityLineItems"]),
        (&json!(other), &Value::Null)
    );
    let lines = &deals["records"][0]["OpportunityLineItems"];
    assert_eq!((&lines["totalSize"], &lines["done"]), (&json!(450), &json!(false)));
    let mut count = lines["records"].as_array().unwrap().len();
    assert_eq!(lines["records"][0]["TotalPrice"], json!(20.0));
    count += session.drain(session.get(lines["nextRecordsUrl"].as_str().unwrap())).len();
    assert_eq!(count, 450);
    let early = session.get(&format!("/services/data/v57.0/query?q={}", encode(soql)));
    assert_eq!((early.status, early.code().as_str()), (400, "MALFORMED_QUERY"));
    let many = ["(SELECT Id FROM Contacts)"; 2].join(", ");
    assert_eq!(session.query(&format!("SELECT Id, {many} FROM Account")).code(), "INVALID_FIELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_21_old_activities_are_archived() {
    let session = Session::start(Options { session_secs: 1_000_000_000, ..Options::default() }).await;
    let account = session.account("年輪");
    let done = task(&session, json!({"WhatId": account, "Status": "Completed", "ActivityDate": "2026-10-31"}));
    let open = task(&session, json!({"WhatId": account, "ActivityDate": "2020-01-01"}));
    let event = json!({"WhatId": account, "Subject": "定例会", "StartDateTime": "2026-10-31T15:00:00Z", "DurationInMinutes": 60});
    let event = insert(&session, "Event", event);
    let old = json!({"Subject": "昔", "StartDateTime": "2024-01-01T00:00:00Z", "DurationInMinutes": 30});
    let old = insert(&session, "Event", old);
    let seen = |object: &str, all: bool| {
        let soql = format!("SELECT Id, IsArchived FROM {object} ORDER BY Id");
        let first = if all { session.query_all(&soql) } else { session.query(&soql) };
        session.drain(first).iter().map(|row| (row["Id"].clone(), row["IsArchived"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(seen("Task", false), [(json!(done), json!(false)), (json!(open), json!(false))]);
    assert_eq!(seen("Event", false), [(json!(event), json!(false))]);
    assert_eq!(seen("Event", true), [(json!(event), json!(false)), (json!(old), json!(true))]);
    session.org.advance(365 * 86_400 + 3_600);
    assert_eq!(seen("Task", false), [(json!(open), json!(false))]);
    assert_eq!(seen("Event", false), [(json!(event), json!(false))]);
    session.org.advance(1);
    assert_eq!(seen("Event", false), []);
    assert_eq!(seen("Task", true), [(json!(done), json!(true)), (json!(open), json!(false))]);
    let ended = session.drain(session.query_all("SELECT EndDateTime, ActivityDate FROM Event ORDER BY Id")).remove(0);
    assert_eq!(
        (&ended["EndDateTime"], &ended["ActivityDate"]),
        (&json!("2026-10-31T16:00:00.000+0000"), &json!("2026-10-31"))
    );
    let body = json!({"operation": "queryAll", "query": "SELECT Id FROM Task WHERE IsArchived = true"});
    let job = session.send("POST", "jobs/query", &body).json()["id"].as_str().unwrap().to_owned();
    let _ = session.data(&format!("jobs/query/{job}"));
    assert_eq!(session.data(&format!("jobs/query/{job}")).json()["numberRecordsProcessed"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_customer_success_hold_what_follows_from_them() {
    let features = Features { multi_currency: true, person_accounts: true, ..Features::default() };
    let session = Session::start(Options { features, session_secs: 100_000, ..Options::default() }).await;
    let account = session.account("年輪");
    let opportunity = deal(&session, &account);
    let contact = insert(&session, "Contact", json!({"LastName": "山田", "AccountId": account}));
    let product = insert(&session, "Product2", json!({"Name": "基本プラン", "IsActive": true}));
    let book = insert(&session, "Pricebook2", json!({"Name": "標準", "IsStandard": true}));
    let entry = json!({"Pricebook2Id": book, "Product2Id": product, "UnitPrice": 1000});
    let entry = insert(&session, "PricebookEntry", entry);
    let line = json!({"OpportunityId": opportunity, "PricebookEntryId": entry, "Product2Id": product, "Quantity": "2.5",
        "UnitPrice": 1000, "Discount": 10});
    insert(&session, "OpportunityLineItem", line);
    insert(
        &session,
        "OpportunityContactRole",
        json!({"OpportunityId": opportunity, "ContactId": contact, "IsPrimary": true}),
    );
    let asset = json!({"Name": "契約 001", "AccountId": account, "Product2Id": product, "CurrentMrr": 980, "CurrencyIsoCode": "EUR"});
    insert(&session, "Asset", asset);
    let case = json!({"Subject": "入れない", "Status": "New", "AccountId": account, "ContactId": contact});
    let case = insert(&session, "Case", case);
    task(&session, json!({"WhoId": contact, "Priority": "High"}));
    let lead = insert(
        &session,
        "Lead",
        json!({"LastName": "鈴木", "FirstName": "一", "Company": "新会社", "Status": "Open", "City": "港区"}),
    );
    let campaign = insert(&session, "Campaign", json!({"Name": "秋のセミナー"}));
    let member =
        insert(&session, "CampaignMember", json!({"CampaignId": campaign, "LeadId": lead, "Status": "Responded"}));
    let one = |soql: &str| session.records(soql).remove(0);
    assert_eq!(one("SELECT TotalPrice FROM OpportunityLineItem")["TotalPrice"], json!(2250.0));
    assert_eq!(one("SELECT Product2.Name FROM Asset WHERE CurrencyIsoCode = 'EUR'")["Product2"]["Name"], "基本プラン");
    let told = one("SELECT AccountId, IsHighPriority, Subject FROM Task WHERE Subject LIKE '電%'");
    assert_eq!((&told["AccountId"], &told["IsHighPriority"]), (&json!(account), &json!(true)));
    assert_eq!(one("SELECT Name, Address FROM Lead")["Address"]["city"], "港区");
    let told = one("SELECT HasResponded, Type, LeadOrContactId FROM CampaignMember");
    assert_eq!(
        (&told["HasResponded"], &told["Type"], &told["LeadOrContactId"]),
        (&json!(true), &json!("Lead"), &json!(lead))
    );
    let subject = session.data("sobjects/Task/describe").json();
    let subject =
        subject["fields"].as_array().unwrap().iter().find(|field| field["name"] == "Subject").unwrap().clone();
    assert_eq!((&subject["type"], &subject["label"]), (&json!("combobox"), &json!("件名")));
    let nested = one("SELECT (SELECT Id FROM Cases), (SELECT Id FROM Assets), (SELECT Id FROM Histories) FROM Account");
    let sizes = ["Cases", "Assets", "Histories"].map(|name| nested[name]["totalSize"].clone());
    assert_eq!(sizes, [1, 1, 1]);

    session.org.advance(60);
    session.org.update("Case", &case, &fields(json!({"Status": "Closed"}))).unwrap();
    let closed = one("SELECT CaseNumber, IsClosed, ClosedDate FROM Case");
    assert_eq!((&closed["CaseNumber"], &closed["IsClosed"]), (&json!("00000001"), &json!(true)));
    assert_eq!(closed["ClosedDate"], "2026-10-31T15:01:00.000+0000");
    assert_eq!(session.column("SELECT Field FROM CaseHistory ORDER BY Id", "Field"), ["created", "Status"]);
    session.org.delete("CampaignMember", &member).unwrap();
    assert!(session.drain(session.query_all("SELECT Id FROM CampaignMember")).is_empty());
    session.org.delete("Account", &account).unwrap();
    for object in ["Opportunity", "OpportunityLineItem", "OpportunityContactRole", "Case", "Asset", "Task", "Contact"] {
        assert!(session.records(&format!("SELECT Id FROM {object}")).is_empty(), "{object}");
        assert_eq!(session.drain(session.query_all(&format!("SELECT Id FROM {object}"))).len(), 1, "{object}");
    }
    session.org.undelete("Account", &account).unwrap();
    assert_eq!(session.records("SELECT Id FROM OpportunityLineItem").len(), 1);
}
