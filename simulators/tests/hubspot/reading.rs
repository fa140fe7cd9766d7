//! Lines 7 to 18: lists, single records and batches.

use serde_json::{Value, json};
use simulators::hubspot::{Options, PropertySpec, PropertyType};

use crate::client::{Session, fields};

#[tokio::test(flavor = "multi_thread")]
async fn line_7_pages_hold_ten_and_at_most_a_hundred() {
    let session = Session::with_companies(150).await;
    assert_eq!(session.list("companies", "").ids().len(), 10);
    assert_eq!(session.list("companies", "limit=100").ids().len(), 100);
    for limit in ["101", "0", "-1", "many"] {
        assert_eq!(session.list("companies", &format!("limit={limit}")).error(), (400, "VALIDATION_ERROR".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_8_pages_with_history_hold_fifty() {
    let session = Session::with_companies(80).await;
    assert_eq!(session.list("companies", "limit=50&propertiesWithHistory=mrr").ids().len(), 50);
    assert_eq!(session.list("companies", "limit=51&propertiesWithHistory=mrr").status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_9_lists_go_by_id_and_end_without_paging() {
    let session = Session::with_companies(25).await;
    let first = session.list("companies", "limit=20");
    assert!(first.ids().is_sorted() && first.ids()[0] == 501);
    let after = first.after().unwrap();
    assert!(after.parse::<u64>().is_err(), "{after}");
    let link = first.json()["paging"]["next"]["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://api.hubapi.com/crm/v3/objects/companies?"), "{link}");
    let last = session.list("companies", &format!("limit=20&after={after}"));
    assert_eq!((last.ids().len(), last.json().get("paging")), (5, None));
    let old = session.get("/crm/v3/objects/companies?limit=5").json();
    assert!(old["paging"]["next"]["link"].as_str().unwrap().contains("/crm/objects/2026-03/"));
    session.portal.assume(|open| open.plain_after = true);
    assert_eq!(session.list("companies", "limit=9").after().as_deref(), Some("511"));
    assert_eq!(session.list("companies", "after=nonsense").status, 400);
    assert_eq!(Session::empty().await.list("companies", "").json(), json!({"results": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_10_properties_are_asked_for_by_list_or_repeatedly() {
    let session = Session::with_companies(1).await;
    let by_list = session.list("companies", "properties=name,phone,no_such_thing,cs_memo").json();
    let repeated =
        session.list("companies", "properties=name&properties=phone&properties=no_such_thing&properties=cs_memo");
    assert_eq!(repeated.json(), by_list);
    let properties = by_list["results"][0]["properties"].as_object().unwrap();
    assert_eq!(properties.get("no_such_thing"), None);
    assert_eq!(properties.get("cs_memo"), Some(&Value::Null));
    session.portal.assume(|open| open.empty_absent = true);
    assert_eq!(session.record("companies", 501, "properties=cs_memo")["properties"].get("cs_memo"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_11_stamps_and_defaults_come_unasked() {
    let session = Session::with_all().await;
    let expected: [(&str, &[&str]); 7] = [
        ("contacts", &["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"]),
        ("companies", &["createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"]),
        (
            "deals",
            &[
                "amount",
                "closedate",
                "createdate",
                "dealname",
                "dealstage",
                "hs_lastmodifieddate",
                "hs_object_id",
                "pipeline",
            ],
        ),
        ("products", &["createdate", "description", "hs_lastmodifieddate", "hs_object_id", "name", "price"]),
        ("line_items", &["amount", "createdate", "hs_lastmodifieddate", "hs_object_id", "price", "quantity"]),
        ("calls", &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"]),
        ("environments", &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"]),
    ];
    let keys = |record: &Value| {
        let mut keys: Vec<String> = record["properties"].as_object().unwrap().keys().cloned().collect();
        keys.sort_unstable();
        keys
    };
    for (name, names) in expected {
        assert_eq!(keys(&session.list(name, "limit=1").results()[0]), names, "{name}");
    }
    let record = session.record("companies", 501, "properties=phone");
    assert_eq!(keys(&record), ["createdate", "hs_lastmodifieddate", "hs_object_id", "phone"]);
    assert_eq!(record["createdAt"], record["properties"]["createdate"]);
    assert_eq!(record["updatedAt"], record["properties"]["hs_lastmodifieddate"]);
    assert_eq!(record["id"], record["properties"]["hs_object_id"]);
    assert!(record["createdAt"].as_str().unwrap().ends_with('Z') && record.get("archivedAt").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_12_all_values_are_texts_or_null() {
    let session = Session::with_all().await;
    let types = [
        "contacts",
        "companies",
        "deals",
        "tickets",
        "products",
        "line_items",
        "calls",
        "emails",
        "feedback_submissions",
        "environments",
    ];
    for name in types {
        let defined = session.get(&format!("/crm/properties/2026-09/{name}")).results();
        let names: Vec<&str> = defined.iter().map(|property| property["name"].as_str().unwrap()).collect();
        for record in session.list(name, &format!("limit=60&properties={}", names.join(","))).results() {
            let properties = record["properties"].as_object().unwrap();
            assert_eq!(properties.len(), names.len(), "{name}");
            assert!(properties.values().all(|value| value.is_string() || value.is_null()), "{name}: {record}");
        }
    }
    let id =
        session.company(json!({"is_key_account": true, "services": ["crm", "training"], "mrr": 12.5, "plan": null}));
    let record = session.record("companies", id, "properties=is_key_account,services,mrr,plan")["properties"].clone();
    assert_eq!(
        (&record["is_key_account"], &record["services"], &record["mrr"], &record["plan"]),
        (&json!("true"), &json!("crm;training"), &json!("12.5"), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_kind_survive() {
    let session = Session::empty().await;
    session.portal.add_property("companies", PropertySpec::new("big", "大", PropertyType::Number)).unwrap();
    let long = "樹の年輪 𠮷👍🏽\n".repeat(3_000);
    let values = [
        ("cs_memo", "引用 \"'` と \\ と\tタブと\n改行"),
        ("cs_memo", "👍🏽🏳️‍🌈👨‍👩‍👧 𠮷野家で𩸽 e\u{301} ≠ é"),
        ("cs_memo", &long),
        ("cs_memo", ""),
        ("big", "123456789012345678"),
        ("big", "-0.10"),
        ("big", "1E7"),
        ("renewal_date", "2026-02-28"),
        ("last_review_at", "2026-02-28T23:59:59.004Z"),
        ("services", "analytics;crm"),
        ("customer_code", "01234"),
    ];
    for (property, value) in values {
        let id = session.company(json!({property: value}));
        assert_eq!(session.value("companies", id, property), value, "{property}");
    }
    let id = session.company(json!({"cs_memo": "あった"}));
    session.update("companies", id, json!({"cs_memo": null}));
    assert_eq!(session.value("companies", id, "cs_memo"), "");
    session.portal.assume(|open| open.cleared_null = true);
    assert_eq!(session.value("companies", id, "cs_memo"), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_13_the_archive_keeps_records_for_ninety_days() {
    let session = Session::with_companies(5).await;
    session.portal.advance(60);
    session.portal.archive("companies", 503).unwrap();
    assert_eq!(session.listed("companies", ""), [501, 502, 504, 505]);
    let archived = session.list("companies", "archived=true").results();
    assert_eq!((archived.len(), &archived[0]["id"], &archived[0]["archived"]), (1, &json!("503"), &json!(true)));
    assert_eq!(archived[0]["archivedAt"], "2026-10-31T15:01:00.000Z");
    session.portal.advance(90 * 86_400 - 1);
    assert_eq!(session.listed("companies", "archived=true"), [503]);
    session.portal.advance(1);
    assert!(session.listed("companies", "archived=true").is_empty());
    assert!(session.portal.restore("companies", 503).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_long_urls_are_refused_and_long_bodies_are_not() {
    let session = Session::start(Options { records: 2, padding: 500, ..Options::default() }).await;
    let defined = session.get("/crm/properties/2026-09/companies").results();
    let names: Vec<&str> = defined.iter().map(|property| property["name"].as_str().unwrap()).collect();
    let refused = session.list("companies", &format!("properties={}", names.join(",")));
    assert!(names.len() > 500 && refused.status == 414);
    assert!(serde_json::from_slice::<Value>(&refused.body).is_err());
    let body = json!({"properties": names, "inputs": [{"id": "501"}]});
    let read = session.batch("companies", body).results();
    assert_eq!(read[0]["properties"].as_object().unwrap().len(), names.len());
    session.portal.set_options(|options| options.longest_url = 40);
    assert_eq!(session.list("companies", "properties=name,domain").status, 414);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_a_list_is_read_while_it_changes() {
    let session = Session::with_companies(12).await;
    session.portal.before("/companies?limit=5&after", 1, |portal| {
        portal.archive("companies", 508).unwrap();
        portal.archive("companies", 502).unwrap();
        portal.update("companies", 501, &fields(json!({"name": "改名"}))).unwrap();
        portal.insert("companies", &fields(json!({"name": "途中"}))).unwrap();
    });
    let mut ids = Vec::new();
    let mut query = "limit=5".to_owned();
    loop {
        let page = session.list("companies", &query);
        ids.extend(page.ids());
        let Some(after) = page.after() else { break };
        query = format!("limit=5&after={after}");
    }
    assert_eq!(ids, [501, 502, 503, 504, 505, 506, 507, 509, 511, 512, 513, 514]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_16_archived_records_are_gone_and_merged_ones_lead_to_the_survivor() {
    let session = Session::with_companies(6).await;
    session.portal.archive("companies", 501).unwrap();
    let survivor = session.portal.merge("companies", 502, 503).unwrap();
    let path = "/crm/objects/2026-09/companies";
    let gone = session.get(&format!("{path}/501"));
    assert_eq!(
        (gone.error(), &gone.json()["message"]),
        ((404, "OBJECT_NOT_FOUND".into()), &json!("resource not found"))
    );
    assert_eq!(session.record("companies", 501, "archived=true")["archived"], true);
    for old in [502, 503] {
        assert_eq!(session.record("companies", old, "")["id"], survivor.to_string());
    }
    assert_eq!(session.get(&format!("{path}/99999")).status, 404);
    let code = session.value("companies", 504, "customer_code");
    assert_eq!(session.record("companies", 0, "")["status"], "error");
    let found = session.get(&format!("{path}/{}?idProperty=customer_code", code.as_str().unwrap())).json();
    assert_eq!(found["id"], "504");
    assert_eq!(session.get(&format!("{path}/x?idProperty=name")).status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_17_batches_hold_a_hundred_and_name_what_is_missing() {
    let session = Session::with_companies(150).await;
    let inputs = |ids: std::ops::Range<u64>| ids.map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>();
    assert_eq!(
        session.batch("companies", json!({"inputs": inputs(501..602)})).error(),
        (400, "VALIDATION_ERROR".into())
    );
    let with_history = json!({"inputs": inputs(501..552), "propertiesWithHistory": ["mrr"]});
    assert_eq!(session.batch("companies", with_history).status, 400);
    let whole = session.batch("companies", json!({"inputs": inputs(501..510)}));
    assert_eq!((whole.status, &whole.json()["status"], whole.json().get("errors")), (200, &json!("COMPLETE"), None));
    let mut ids = whole.ids();
    assert!(!ids.is_sorted(), "{ids:?}");
    ids.sort_unstable();
    assert_eq!(ids, (501..510).collect::<Vec<_>>());
    session.portal.archive("companies", 502).unwrap();
    let body = json!({"inputs": [{"id": "501"}, {"id": "502"}, {"id": "510"}, {"id": "x"}], "properties": ["name"]});
    let part = session.batch("companies", body.clone());
    assert_eq!((part.status, part.ids()), (207, vec![501]));
    let error = &part.json()["errors"][0];
    assert_eq!((&part.json()["numErrors"], &error["context"]["ids"]), (&json!(1), &json!(["502", "510", "x"])));
    assert!(error["message"].as_str().unwrap().starts_with("Could not get some COMPANY objects"));
    session.portal.assume(|open| open.partial_status = 200);
    assert_eq!((session.batch("companies", body.clone()).status), 200);
    let archived = session.post("/crm/objects/2026-09/companies/batch/read?archived=true", body);
    assert_eq!(archived.ids(), [502]);
    let twice = json!({"inputs": [{"id": "501"}, {"id": "501"}]});
    assert_eq!(session.batch("companies", twice.clone()).status, 400);
    session.portal.assume(|open| open.repeated_inputs_refused = false);
    assert_eq!(session.batch("companies", twice).ids(), [501]);
    let survivor = session.portal.merge("companies", 503, 504).unwrap();
    let old = json!({"inputs": [{"id": "503"}]});
    assert_eq!(session.batch("companies", old.clone()).json()["numErrors"], 1);
    session.portal.assume(|open| open.merged_in_batch = true);
    assert_eq!(session.batch("companies", old).ids(), [survivor]);
    let code = session.value("companies", 505, "customer_code");
    let by_code = json!({"idProperty": "customer_code", "inputs": [{"id": code}]});
    assert_eq!(session.batch("companies", by_code).ids(), [505]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_18_dates_and_numbers_come_in_odd_forms() {
    let session = Session::with_companies(60).await;
    let names = "renewal_date,first_contact_date,legacy_account_ids,annualrevenue,last_review_at";
    let records = session.list("companies", &format!("limit=60&properties={names}")).results();
    let all = |name: &str| -> Vec<String> {
        records.iter().filter_map(|record| record["properties"][name].as_str().map(str::to_owned)).collect()
    };
    assert!(all("renewal_date").iter().all(|date| date.len() == 10 && date.as_bytes()[4] == b'-'));
    assert!(all("first_contact_date").iter().all(|date| date.parse::<i64>().unwrap() % 86_400_000 == 0));
    assert!(all("legacy_account_ids").iter().any(|ids| ids.contains(';')));
    assert!(all("annualrevenue").iter().any(|number| number.starts_with("1E")));
    assert!(all("annualrevenue").iter().any(|number| number.len() == 18 && number.parse::<u64>().is_ok()));
    let instants = all("last_review_at");
    for form in [".004Z", "3Z"] {
        assert!(instants.iter().any(|instant| instant.ends_with(form)), "{form}");
    }
    assert!(instants.iter().any(|instant| instant.parse::<i64>().is_ok()));
}
