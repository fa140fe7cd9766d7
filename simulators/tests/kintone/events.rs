//! Lines 48 and 49: webhooks and counters.

use serde_json::json;
use simulators::kintone::Options;

use crate::client::{CUSTOMERS, Session};

#[tokio::test(flavor = "multi_thread")]
async fn line_48_webhooks_tell_of_single_records_only() {
    let session = Session::empty().await;
    let record = |code: String| json!({"顧客コード": {"value": code}, "会社名": {"value": "x"}});
    session.post("record.json", json!({"app": 1, "record": record("A".into())}));
    session.post("records.json", json!({"app": 1, "records": [record("B".into()), record("C".into())]}));
    session.put("record.json", json!({"app": 1, "id": 1, "record": {"会社名": {"value": "y"}}}));
    session.delete("records.json", json!({"app": 1, "ids": [2, 3]}));
    session.delete("records.json", json!({"app": 1, "ids": [1]}));
    let (sent, _) = session.domain.webhooks();
    let kinds: Vec<_> = sent.iter().map(|event| event.body["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["ADD_RECORD", "UPDATE_RECORD", "DELETE_RECORD"]);
    assert_eq!(sent[1].body["record"]["会社名"]["value"], "y");
    assert!(sent[2].body.get("record").is_none() && sent[2].body["recordId"] == "1");
    session.domain.advance(60);
    for number in 0..70 {
        session.post("record.json", json!({"app": 1, "record": record(format!("N{number}"))}));
    }
    let (sent, dropped) = session.domain.webhooks();
    assert_eq!((sent.len(), dropped), (63, 10));
    session.domain.advance(60);
    session.domain.set_webhook_storm(true);
    session.post("records.json", json!({"app": 1, "records": [record("Z".into())]}));
    assert_eq!(session.domain.webhooks().0.len(), 65);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_49_requests_are_counted_by_app_and_day() {
    let session = Session::with_records(1).await;
    for _ in 0..3 {
        session.query(CUSTOMERS, "");
    }
    session.as_reader("GET", "apps.json", json!({}));
    assert_eq!(session.domain.requests_today(CUSTOMERS), 3);
    session.domain.advance(9 * 3_600); // midnight in UTC
    assert_eq!(session.domain.requests_today(CUSTOMERS), 0);
    session.query(CUSTOMERS, "");
    let part = json!({"method": "PUT", "api": "/k/v1/record.json", "payload": {"app": 1, "id": 1, "record": {}}});
    assert_eq!(session.post("bulkRequest.json", json!({"requests": [part]})).status, 200);
    assert_eq!(session.domain.requests_today(CUSTOMERS), 1);
    let statistics = session.as_admin("GET", "apps/statistics.json", json!({})).json();
    assert_eq!(
        (&statistics["apps"][0]["apiRequestCount"], &statistics["apps"][0]["recordCount"]),
        (&json!("1"), &json!("1"))
    );
    session.domain.assume(|open| open.daily_refusal = Some(2));
    assert_eq!([session.query(CUSTOMERS, "").status, session.query(CUSTOMERS, "").status], [200, 429]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_light_course_has_no_api() {
    let mut options = Options::default();
    options.hypotheses.light_course = true;
    let session = Session::start(options).await;
    assert_eq!(session.query(CUSTOMERS, "").status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_are_read_ten_at_a_time() {
    let session = Session::with_records(1).await;
    for number in 1..=12 {
        session.domain.comment(CUSTOMERS, 1, &format!("{number}件目")).unwrap();
    }
    let stamp = session.value(CUSTOMERS, 1, "$revision");
    let page = session.get("record/comments.json", json!({"app": 1, "record": 1, "order": "asc"})).json();
    assert_eq!((page["comments"].as_array().unwrap().len(), &page["comments"][0]["text"]), (10, &json!("1件目")));
    assert_eq!((&page["older"], &page["newer"]), (&json!(false), &json!(true)));
    session.domain.assume(|open| open.comment_touches = true);
    session.domain.comment(CUSTOMERS, 1, "更新扱い").unwrap();
    assert_ne!(session.value(CUSTOMERS, 1, "$revision"), stamp);
}
