//! Lines 30 to 35: what changes over time, and what tells of it.

use serde_json::{Value, json};
use simulators::hubspot::Options;

use crate::client::{Session, fields};

fn stamp(session: &Session, name: &str, id: u64) -> Value {
    session.record(name, id, "")["updatedAt"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_30_only_writes_move_the_stamp() {
    let session = Session::with_all().await;
    let stamp = || stamp(&session, "companies", 502);
    let before = stamp();
    session.portal.advance(60);
    session.portal.recalculate("companies", 502, &fields(json!({"health_score": 3}))).unwrap();
    session.portal.change_silently("companies", 502, &fields(json!({"cs_memo": "静かに"}))).unwrap();
    assert_eq!(session.value("companies", 502, "cs_memo"), "静かに");
    let deals = session.value("companies", 502, "num_associated_deals");
    session.portal.associate(("deals", 505), ("companies", 502), None).unwrap();
    assert_ne!(session.value("companies", 502, "num_associated_deals"), deals);
    assert_eq!(stamp(), before);
    session.portal.archive("companies", 502).unwrap();
    assert_eq!(session.record("companies", 502, "archived=true")["updatedAt"], before);
    session.portal.restore("companies", 502).unwrap();
    assert_eq!(stamp(), before);
    session.portal.assume(|open| open.associations_touch = true);
    session.portal.associate(("deals", 506), ("companies", 502), Some("Primary")).unwrap();
    assert_eq!(stamp(), "2026-10-31T15:01:00.000Z");
    session.portal.advance(60);
    session.update("companies", 502, json!({}));
    assert_eq!(stamp(), "2026-10-31T15:02:00.000Z");
    session.portal.advance(60);
    session.portal.touch("companies", 502).unwrap();
    assert_eq!(stamp(), "2026-10-31T15:03:00.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_31_contacts_have_a_stamp_of_another_name() {
    let session = Session::with_all().await;
    session.portal.advance_millis(1_234);
    session.update("contacts", 501, json!({"memo": "x"}));
    assert_eq!(session.value("contacts", 501, "lastmodifieddate"), "2026-10-31T15:00:01.234Z");
    assert_eq!(
        session.record("contacts", 501, "properties=hs_lastmodifieddate")["properties"].get("hs_lastmodifieddate"),
        None
    );
    assert!(session.value("deals", 501, "hs_lastmodifieddate").is_string());
}

fn history(session: &Session, name: &str, id: u64, property: &str) -> Vec<(String, String)> {
    let record = session.record(name, id, &format!("propertiesWithHistory={property}"));
    let entries = record["propertiesWithHistory"][property].as_array().unwrap();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    entries.iter().map(|entry| (text(entry, "timestamp"), text(entry, "value"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_32_histories_begin_with_the_newest() {
    let session = Session::with_all().await;
    session.portal.advance(60);
    session.update("companies", 501, json!({"plan": "pro"}));
    session.portal.advance(60);
    session.update("companies", 501, json!({"plan": ""}));
    session.update("companies", 501, json!({"plan": ""}));
    let told = history(&session, "companies", 501, "plan");
    assert_eq!(told[0], ("2026-10-31T15:02:00.000Z".to_owned(), String::new()));
    assert_eq!(told[1], ("2026-10-31T15:01:00.000Z".to_owned(), "pro".to_owned()));
    let record = session.record("companies", 501, "propertiesWithHistory=plan");
    let entry = &record["propertiesWithHistory"]["plan"][0];
    assert_eq!((&entry["sourceType"], &entry["sourceId"]), (&json!("CRM_UI"), &json!("userId:9586501")));
    // Each deal went through stages before the portal began.
    let deals = session.listed("deals", "");
    let longest = deals.iter().map(|&id| history(&session, "deals", id, "dealstage")).max_by_key(Vec::len).unwrap();
    assert!(longest.len() > 2 && longest.iter().rev().map(|step| &step.0).is_sorted());
    for id in deals {
        assert_eq!(history(&session, "deals", id, "dealstage")[0].1, session.value("deals", id, "dealstage"));
    }
    for (name, depth) in [("companies", 20), ("contacts", 45)] {
        let id = session.listed(name, "")[4];
        let property = if name == "contacts" { "memo" } else { "cs_memo" };
        for nth in 0..60 {
            session.portal.advance(1);
            session.update(name, id, json!({property: nth.to_string()}));
        }
        assert_eq!(history(&session, name, id, property).len(), depth);
        assert_eq!(session.portal.history(name, id, property).unwrap().len(), 60);
    }
    session.portal.assume(|open| open.object_history = 3);
    let batch = json!({"inputs": [{"id": "505"}], "propertiesWithHistory": ["cs_memo"]});
    let read = session.batch("companies", batch).results();
    assert_eq!(read[0]["propertiesWithHistory"]["cs_memo"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_can_be_made_up() {
    let session = Session::with_companies(0).await;
    let now = session.portal.now();
    let ago = |days: u64| now - std::time::Duration::from_secs(days * 86_400);
    let id = session.portal.insert_at("deals", &fields(json!({"dealstage": "appointmentscheduled"})), ago(90)).unwrap();
    session.portal.update_at("deals", id, &fields(json!({"dealstage": "closedwon"})), ago(30)).unwrap();
    let told = history(&session, "deals", id, "dealstage");
    assert_eq!(
        told,
        [
            ("2026-10-01T15:00:00.000Z".to_owned(), "closedwon".to_owned()),
            ("2026-08-02T15:00:00.000Z".to_owned(), "appointmentscheduled".to_owned()),
        ]
    );
    assert_eq!(session.portal.truth_at("deals", ago(60)).unwrap()[0]["dealstage"], "appointmentscheduled");
    assert_eq!(session.portal.truth("deals").unwrap()[0]["hs_is_closed_won"], "true");
    assert!(session.portal.truth_at("deals", ago(91)).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_33_merges_make_a_new_record() {
    let session = Session::with_all().await;
    session.update("companies", 501, json!({"cs_memo": "一", "plan": ""}));
    session.portal.advance(1);
    session.update("companies", 502, json!({"cs_memo": "二", "plan": "pro"}));
    let linked = |id: u64| session.portal.associations(("companies", id), "contacts").unwrap().len();
    let (first, second) = (linked(501), linked(502));
    assert!(first > 0 && second > 0);
    session.portal.advance(60);
    let survivor = session.portal.merge("companies", 501, 502).unwrap();
    assert!(survivor > 530);
    assert_eq!(session.value("companies", survivor, "hs_merged_object_ids"), "501;502");
    assert_eq!(session.value("companies", survivor, "cs_memo"), "一");
    assert_eq!(session.value("companies", survivor, "plan"), "pro");
    let ids = session.listed("companies", "");
    assert!(ids.contains(&survivor) && !ids.contains(&501) && !ids.contains(&502));
    assert!(session.search("companies", json!({"limit": 200})).ids().iter().all(|id| ![501, 502].contains(id)));
    assert!(session.listed("companies", "archived=true").is_empty());
    assert_eq!((linked(survivor), linked(501)), (first + second, 0));
    let told = history(&session, "companies", survivor, "cs_memo");
    let values: Vec<&str> = told.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["一", "二", "一"]);
    let again = session.portal.merge("companies", survivor, 503).unwrap();
    assert_eq!(session.value("companies", again, "hs_merged_object_ids"), format!("501;502;{survivor};503"));
    assert_eq!(session.record("companies", 501, "")["id"], again.to_string());
    assert_eq!(session.portal.merged("companies").unwrap()[&502], again);
    let contact = session.portal.merge("contacts", 501, 502).unwrap();
    let millis = session.portal.now().timestamp_millis();
    assert_eq!(session.value("contacts", contact, "hs_calculated_merged_vids"), format!("501:{millis};502:{millis}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_33_or_keep_the_primary_records_id() {
    let session = Session::with_all().await;
    session.portal.assume(|open| open.merge_keeps_id = vec!["companies".to_owned()]);
    assert_eq!(session.portal.merge("companies", 501, 502).unwrap(), 501);
    assert_eq!(session.value("companies", 501, "hs_merged_object_ids"), "502");
    assert_eq!(session.record("companies", 502, "")["id"], "501");
    assert!(!session.listed("companies", "").contains(&502));
    assert!(session.portal.merge("deals", 501, 502).unwrap() > 540);
    assert!(session.portal.merge("deals", 503, 503).is_err());
    assert!(session.portal.merge("deals", 501, 503).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_34_a_restored_record_keeps_id_and_stamp() {
    let session = Session::with_companies(5).await;
    let before = session.record("companies", 504, "properties=name,cs_memo");
    session.portal.archive("companies", 504).unwrap();
    session.portal.advance(86_400);
    session.portal.restore("companies", 504).unwrap();
    assert_eq!(session.record("companies", 504, "properties=name,cs_memo"), before);
    assert!(session.listed("companies", "archived=true").is_empty());
    session.portal.assume(|open| open.restore_touches = true);
    session.portal.archive("companies", 504).unwrap();
    session.portal.restore("companies", 504).unwrap();
    assert_eq!(stamp(&session, "companies", 504), "2026-11-01T15:00:00.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_35_erased_records_leave_no_trace() {
    let session = Session::start(Options { contacts: 5, index_lag_secs: 0, ..Options::default() }).await;
    let erased = session.post("/crm/objects/2026-09/contacts/gdpr-delete", json!({"objectId": "503"}));
    assert_eq!(erased.status, 204);
    session.portal.archive("contacts", 504).unwrap();
    session.portal.erase("contacts", 504).unwrap();
    assert_eq!(session.listed("contacts", ""), [501, 502, 505]);
    assert!(session.listed("contacts", "archived=true").is_empty());
    assert_eq!(session.search("contacts", json!({})).json()["total"], 3);
    assert!(session.portal.erase("contacts", 503).is_err() && session.portal.restore("contacts", 504).is_err());
}
