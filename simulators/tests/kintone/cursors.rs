//! Lines 28 to 31: cursors.

use serde_json::{Value, json};
use simulators::kintone::{Fault, FaultKind, Rights};

use crate::client::{Answer, CUSTOMERS, DEALS, Session, fields};

fn create(session: &Session, size: i64, query: &str) -> Answer {
    session.post("records/cursor.json", json!({"app": 1, "fields": ["$id", "会社名"], "query": query, "size": size}))
}

fn cursor(session: &Session, size: i64) -> Value {
    create(session, size, "order by $id asc").json()["id"].clone()
}

fn next(session: &Session, id: &Value) -> Answer {
    session.get("records/cursor.json", json!({"id": id}))
}

#[tokio::test(flavor = "multi_thread")]
async fn line_28_a_domain_has_ten_cursors_for_ten_minutes() {
    let session = Session::with_records(20).await;
    let first = cursor(&session, 5);
    for _ in 0..8 {
        cursor(&session, 5);
    }
    assert_eq!(session.as_admin("POST", "records/cursor.json", json!({"app": DEALS})).status, 200);
    assert_eq!(create(&session, 5, "").error(), (429, "GAIA_TM12".into()));
    session.domain.advance(599);
    assert_eq!(next(&session, &first).status, 200);
    session.domain.advance(1);
    assert_eq!(session.domain.live_cursors(), 1);
    session.domain.advance(598);
    assert_eq!(next(&session, &first).status, 200);
    session.domain.advance(600);
    assert_eq!(next(&session, &first).error(), (404, "GAIA_CN01".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_29_a_cursor_ends_with_its_last_page() {
    let session = Session::with_records(150).await;
    let made = session.post("records/cursor.json", json!({"app": 1})).json();
    assert_eq!(made["totalCount"], "150");
    let page = next(&session, &made["id"]).json();
    assert_eq!((page["records"].as_array().unwrap().len(), &page["next"]), (100, &json!(true)));
    assert_eq!(next(&session, &made["id"]).json()["next"], false);
    assert_eq!(next(&session, &made["id"]).error(), (404, "GAIA_CN01".into()));
    let id = cursor(&session, 500);
    assert_eq!(session.delete("records/cursor.json", json!({"id": id})).json(), json!({}));
    assert_eq!(session.delete("records/cursor.json", json!({"id": id})).error(), (404, "GAIA_CN01".into()));
    for size in [0, 501] {
        assert_eq!(create(&session, size, "").error(), (400, "CB_VA01".into()));
    }
    assert_eq!(create(&session, 5, "limit 5").code(), "CB_VA01");
    assert_eq!(create(&session, 5, "会社名 = ").code(), "CB_VA01");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_30_who_is_in_is_fixed_and_what_they_hold_is_not() {
    let session = Session::empty().await;
    let ids: Vec<u64> = (0..6).map(|number| session.customer(&format!("C{number}"), "旧")).collect();
    let id = cursor(&session, 2);
    assert_eq!(next(&session, &id).ids(), ids[..2]);
    session.customer("C9", "後から");
    session.domain.delete(CUSTOMERS, ids[2]).unwrap();
    session.domain.delete(CUSTOMERS, ids[3]).unwrap();
    session.update(CUSTOMERS, ids[4], json!({"会社名": "新"}));
    let empty = next(&session, &id).json();
    assert_eq!((&empty["records"], &empty["next"]), (&json!([]), &json!(true)));
    let last = next(&session, &id).json();
    assert_eq!((last["records"].as_array().unwrap().len(), &last["next"]), (2, &json!(false)));
    assert_eq!(last["records"][0]["会社名"]["value"], "新");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_31_a_lost_page_is_lost() {
    let session = Session::with_records(6).await;
    let id = cursor(&session, 2);
    session.domain.arm(Fault::once(FaultKind::Drop, "GET /k/v1/records/cursor.json"));
    assert_eq!(next(&session, &id).status, 0);
    assert_eq!(next(&session, &id).ids(), [3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_whoever_made_it() {
    let session = Session::with_records(6).await;
    let id = cursor(&session, 2);
    let other = session.domain.add_token(CUSTOMERS, Rights::view());
    let read = || session.send("GET", "records/cursor.json", &[("X-Cybozu-API-Token", &other)], &json!({"id": id}));
    assert_eq!(read().status, 403);
    session.domain.assume(|open| open.cursor_bound = false);
    assert_eq!(read().ids(), [1, 2]);
    session.domain.insert(CUSTOMERS, &fields(json!({"会社名": "x"}))).unwrap();
}
