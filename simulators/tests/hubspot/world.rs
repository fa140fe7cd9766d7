//! The world behind the API: the truth, the changes that are hard to see, and the control from outside.

use serde_json::{Value, json};
use simulators::hubspot::Options;

use crate::client::{Answer, Session, fields, filter, send};

fn sim(session: &Session, action: &str, body: Value) -> Answer {
    send(&format!("{}/_sim/{action}", session.base), "POST", &[], body.to_string().as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_truth_is_told_for_now_and_for_then() {
    let session = Session::with_companies(3).await;
    let start = session.portal.now();
    session.portal.advance(30);
    session.update("companies", 501, json!({"name": "改名", "mrr": 10.5, "plan": ""}));
    session.portal.advance(30);
    session.portal.archive("companies", 502).unwrap();
    let new = session.company(json!({"name": "新規"}));
    let now = session.portal.truth("companies").unwrap();
    let ids: Vec<&str> = now.iter().map(|record| record["hs_object_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["501", "503", &new.to_string()]);
    assert_eq!((&now[0]["name"], &now[0]["mrr"], &now[0]["plan"]), (&json!("改名"), &json!("10.5"), &Value::Null));
    let then = session.portal.truth_at("companies", start).unwrap();
    assert!(then.len() == 3 && then[0]["name"] != "改名");
    let between = session.portal.truth_at("companies", start + std::time::Duration::from_secs(30)).unwrap();
    assert_eq!((between.len(), &between[0]["name"]), (3, &json!("改名")));
    assert_eq!(session.portal.archived("companies").unwrap().keys().collect::<Vec<_>>(), [&502]);
    assert_eq!(session.portal.record("companies", 502).unwrap()["hs_object_id"], "502");
    // What a reader gets is what is true.
    let names: Vec<&String> = now[0].keys().collect();
    let query = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
    let read = session.record("companies", 503, &format!("properties={query}"));
    for (name, value) in read["properties"].as_object().unwrap() {
        assert_eq!(value, &now[1][name], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_records_are_stamped_before_they_are_seen() {
    let session = Session::with_companies(2).await;
    let late = session.portal.insert_late("companies", &fields(json!({"name": "遅れて"})), 120).unwrap();
    session.portal.update_late("companies", 501, &fields(json!({"name": "遅い更新"})), 120).unwrap();
    let next = session.company(json!({"name": "先に見える"}));
    assert!(late < next && !session.listed("companies", "").contains(&late));
    session.portal.advance(119);
    assert_ne!(session.value("companies", 501, "name"), "遅い更新");
    assert!(!session.search("companies", json!({})).ids().contains(&late));
    session.portal.advance(1);
    assert_eq!(session.value("companies", 501, "name"), "遅い更新");
    for id in [501, late] {
        assert_eq!(session.value("companies", id, "hs_lastmodifieddate"), "2026-10-31T15:00:00.000Z");
    }
    assert!(session.search("companies", json!({})).ids().contains(&late));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_records_take_no_memory() {
    let session = Session::start(Options { records: 1_000_000, contacts: 1_000_000, ..Options::default() }).await;
    let last = 500 + 1_000_000 + (1_000_000 - 1) / 9;
    assert_eq!(session.record("companies", last, "")["id"], last.to_string());
    assert!(session.value("contacts", last, "associatedcompanyid").is_string());
    session.portal.assume(|open| open.plain_after = true);
    let recent = session.portal.now().timestamp_millis() - 86_400_000;
    let window = filter("hs_lastmodifieddate", "GTE", recent.to_string());
    let found = session.search("companies", json!({"filters": [window], "sorts": ["hs_object_id"]}));
    assert!(found.ids().len() == 10 && found.json()["total"].as_u64().unwrap() < 50_000, "{}", found.text());
    let page = session.list("companies", &format!("limit=10&after={}", last - 5));
    assert_eq!((page.ids().len(), page.after()), (5, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_answers() {
    let (first, second) = (Session::with_all().await, Session::with_all().await);
    let inputs: Vec<Value> = (501..510).map(|id| json!({"id": id.to_string()})).collect();
    for name in ["companies", "deals", "contacts"] {
        assert_eq!(first.list(name, "limit=30").text(), second.list(name, "limit=30").text());
        let body = json!({"inputs": inputs});
        assert_eq!(first.batch(name, body.clone()).text(), second.batch(name, body).text());
    }
    assert_eq!(first.token, second.token);
    let other = Session::start(Options { seed: 2, records: 30, ..Options::default() }).await;
    assert_ne!(first.portal.truth("companies").unwrap(), other.portal.truth("companies").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_follow_the_clock_of_the_portal() {
    let session = Session::with_companies(1).await;
    assert_eq!(session.list("companies", "").header("date"), Some("Sat, 31 Oct 2026 15:00:00 GMT"));
    session.portal.advance(61);
    assert_eq!(session.list("companies", "").header("date"), Some("Sat, 31 Oct 2026 15:01:01 GMT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_is_controlled_over_http() {
    let session = Session::with_companies(0).await;
    let did = |action: &str, body: Value| {
        let answer = sim(&session, action, body);
        assert_eq!(answer.status, 200, "{action}: {}", answer.text());
        answer.json()
    };
    let id = did("insert", json!({"type": "companies", "fields": {"name": "外から"}}))["id"].clone();
    did("advance", json!({"seconds": 60}));
    did("update", json!({"type": "companies", "id": id, "fields": {"name": "外で"}}));
    did(
        "add_property",
        json!({"type": "companies", "property": {"name": "rank", "type": "enumeration", "options": [{"value": "a", "label": "甲"}]}}),
    );
    did("change_silently", json!({"type": "0-2", "id": id, "fields": {"rank": "a"}}));
    did("hide_property", json!({"type": "companies", "property": "phone"}));
    let look = |path: &str| send(&format!("{}/_sim/{path}", session.base), "GET", &[], b"").json();
    assert_eq!(look("truth?type=companies")["records"][0]["rank"], "a");
    assert_eq!(look("truth?type=companies&at=2026-10-31T15:00:30Z")["records"][0]["name"], "外から");
    let number = id.as_str().unwrap();
    assert_eq!(look(&format!("history?type=companies&id={number}&property=name"))["history"][0]["value"], "外で");
    let deal = did("insert", json!({"type": "deals", "fields": {"dealname": "商談"}}))["id"].clone();
    did("associate", json!({"type": "deals", "id": deal, "to_type": "companies", "to": id, "label": "導入先"}));
    let linked = look(&format!("associations?type=deals&id={}&to=companies", deal.as_str().unwrap()));
    assert_eq!(linked["associations"][0]["types"][0][1], "導入先");
    let other = did("insert", json!({"type": "companies", "fields": {}}))["id"].clone();
    let merged = did("merge", json!({"type": "companies", "primary": id, "loser": other}))["id"].clone();
    assert_eq!(look("merged?type=companies")["merged"][number].to_string(), merged.as_str().unwrap());
    did("archive", json!({"type": "companies", "id": merged}));
    assert_eq!(look("archived?type=companies")["archived"].as_object().unwrap().len(), 1);
    did("fault", json!({"spec": "503@/companies"}));
    assert_eq!([1, 2].map(|_| session.list("companies", "").status), [503, 200]);
    assert_eq!(
        look("calls").as_array().unwrap().iter().map(|call| call["status"].clone()).collect::<Vec<_>>(),
        [503, 200]
    );
    did("assume", json!({"hypotheses": {"partial_status": 200, "limit_form": "bare"}}));
    did("index_lag", json!({"seconds": 300}));
    did("revoke_scope", json!({"scope": "tickets"}));
    assert_eq!(session.list("tickets", "").status, 403);
    assert_eq!(look("counters")["calls_today"], 2);
    let missing = sim(&session, "archive", json!({"type": "companies", "id": 9}));
    assert_eq!((missing.status, &missing.json()["error"]), (400, &json!("OBJECT_NOT_FOUND: resource not found")));
    assert_eq!(
        sim(&session, "archive", json!({"type": "companies"})).json()["error"],
        "`id` is missing or no whole number"
    );
    assert_eq!(sim(&session, "nonsense", json!({})).json()["error"], "there is no action nonsense");
}
