//! The world behind the API: the truth, and the changes that are hard to see.

use serde_json::{Value, json};
use simulators::kintone::{Options, Rights};

use crate::client::{Answer, CUSTOMERS, DEALS, Session, fields, send};

fn sim(session: &Session, action: &str, body: Value) -> Answer {
    send(&format!("{}/_sim/{action}", session.base), "POST", &[], body.to_string().as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_truth_is_told_for_now_and_for_then() {
    let session = Session::with_records(3).await;
    let start = session.domain.now();
    session.domain.advance(30);
    session.update(CUSTOMERS, 1, json!({"会社名": "改名", "従業員数": "10.50", "対応項目": ["電話", "メール"], "契約": [{"月額": 7, "数量": 2}]}));
    session.domain.advance(30);
    session.domain.delete(CUSTOMERS, 2).unwrap();
    let late = session.customer("NEW", "新規");
    let now = session.domain.truth(CUSTOMERS).unwrap();
    let ids: Vec<&str> = now.iter().map(|record| record["$id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1", "3", &late.to_string()]);
    assert_eq!(
        (&now[0]["会社名"], &now[0]["従業員数"], &now[0]["対応項目"], &now[0]["月額合計"]),
        (&json!("改名"), &json!("10.5"), &json!(["メール", "電話"]), &json!("14"))
    );
    assert_eq!(
        (&now[0]["契約"][0]["小計"], &now[0]["更新者"], &now[2]["業種"]),
        (&json!("14"), &json!("sato"), &Value::Null)
    );
    let then = session.domain.truth_at(CUSTOMERS, start).unwrap();
    assert_eq!(then.len(), 3);
    assert_ne!(then[0]["会社名"], "改名");
    assert_eq!(session.domain.truth_at(CUSTOMERS, start + chrono_secs(30)).unwrap()[0]["会社名"], "改名");
    assert_eq!(session.domain.truth_at(CUSTOMERS, start - chrono_secs(10 * 365 * 86_400)).unwrap().len(), 0);
}

fn chrono_secs(secs: u64) -> std::time::Duration {
    std::time::Duration::from_secs(secs)
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_changes_move_neither_revision_nor_time() {
    let session = Session::with_records(1).await;
    let stamps = || (session.value(CUSTOMERS, 1, "$revision"), session.value(CUSTOMERS, 1, "更新日時"));
    let before = stamps();
    session.domain.advance(3_600);
    session.domain.change_silently(CUSTOMERS, 1, &fields(json!({"会社名": "静かに", "年額": "999"}))).unwrap();
    assert_eq!((stamps(), session.value(CUSTOMERS, 1, "年額")), (before.clone(), json!("999")));
    session.domain.rename_person("sato", "佐藤 昇一");
    session.domain.rename_option(CUSTOMERS, "契約", "x", "y").unwrap_err();
    session.update(CUSTOMERS, 1, json!({"業種": "製造"}));
    let before = stamps();
    session.domain.rename_option(CUSTOMERS, "業種", "製造", "製造業").unwrap();
    assert_eq!((session.value(CUSTOMERS, 1, "業種"), stamps()), (json!("製造業"), before.clone()));
    session.domain.assume(|open| {
        open.option_rename_rewrites = false;
        open.option_rename_touches = true;
    });
    session.domain.rename_option(CUSTOMERS, "業種", "製造業", "ものづくり").unwrap();
    assert_eq!(session.value(CUSTOMERS, 1, "業種"), "製造業");
    assert_ne!(stamps(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_records_are_stamped_before_they_are_seen() {
    let session = Session::with_records(2).await;
    let late = session.domain.insert_late(CUSTOMERS, &fields(json!({"会社名": "遅れて"})), 120).unwrap();
    session.domain.update_late(CUSTOMERS, 1, &fields(json!({"会社名": "遅い更新"})), 120).unwrap();
    let next = session.customer("N", "先に見える");
    assert!(late < next && !session.query(CUSTOMERS, "").ids().contains(&late));
    session.domain.advance(119);
    assert_ne!(session.value(CUSTOMERS, 1, "会社名"), "遅い更新");
    session.domain.advance(1);
    assert_eq!(session.value(CUSTOMERS, late, "更新日時"), "2026-10-31T15:00:00Z");
    assert_eq!(session.value(CUSTOMERS, 1, "会社名"), "遅い更新");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_can_be_made_between_two_pages() {
    let session = Session::with_records(6).await;
    session.domain.before("/records.json", 2, |domain| {
        domain.delete(CUSTOMERS, 4).unwrap();
        domain.insert(CUSTOMERS, &fields(json!({"会社名": "途中"}))).unwrap();
    });
    let page = |last: u64| session.query(CUSTOMERS, &format!("$id > {last} order by $id asc limit 3")).ids();
    assert_eq!((page(0), page(3), page(7)), (vec![1, 2, 3], vec![5, 6, 7], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_share_a_minute_after_an_import() {
    let session = Session::start(Options { records: 5_000, imported: 3_000, deals: 100, ..Options::default() }).await;
    let minute = session.value(CUSTOMERS, 1, "更新日時").as_str().unwrap().to_owned();
    let body = json!({"app": 1, "query": format!("更新日時 = \"{minute}\" limit 1"), "totalCount": true});
    assert_eq!(session.get("records.json", body).json()["totalCount"], "3000");
    session.domain.advance(60);
    let count =
        session.domain.mass_update(CUSTOMERS, "顧客ランク in (\"C\")", &fields(json!({"FAX": "なし"}))).unwrap();
    let body = json!({"app": 1, "query": "更新日時 >= \"2026-10-31T15:01:00Z\" limit 1", "totalCount": true});
    assert_eq!(session.get("records.json", body).json()["totalCount"], count.to_string());
    let deal = session.record(DEALS, 1);
    let customer =
        session.found(CUSTOMERS, &format!("顧客コード = \"{}\"", deal["顧客コード"]["value"].as_str().unwrap()));
    assert_eq!(session.value(CUSTOMERS, customer[0], "会社名"), deal["会社名"]["value"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_population_holds_what_a_save_would_compute() {
    let session = Session::start(Options { records: 40, deals: 40, ..Options::default() }).await;
    for (app, codes) in [(CUSTOMERS, ["月額合計", "年額"]), (DEALS, ["小計", "案件名"])] {
        for id in session.domain.ids(app).unwrap() {
            let before = codes.map(|code| session.value(app, id, code));
            session.update(app, id, json!({}));
            assert_eq!(codes.map(|code| session.value(app, id, code)), before, "{app} {id}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_answers() {
    let (first, second) = (Session::with_records(50).await, Session::with_records(50).await);
    for _ in 0..3 {
        assert_eq!(
            first.query(CUSTOMERS, "order by 顧客ランク asc").text(),
            second.query(CUSTOMERS, "order by 顧客ランク asc").text()
        );
    }
    assert_eq!(first.credential("api_token"), second.credential("api_token"));
    let other = Session::start(Options { seed: 2, records: 50, ..Options::default() }).await;
    assert_ne!(first.domain.truth(CUSTOMERS).unwrap(), other.domain.truth(CUSTOMERS).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_domain_is_controlled_over_http() {
    let session = Session::empty().await;
    let id = sim(&session, "insert", json!({"app": 1, "fields": {"会社名": "外から"}})).json()["id"].clone();
    assert_eq!(sim(&session, "advance", json!({"seconds": 60})).status, 200);
    assert_eq!(sim(&session, "update", json!({"app": 1, "id": id, "fields": {"FAX": "03"}})).status, 200);
    assert_eq!(
        sim(
            &session,
            "add_field",
            json!({"app": 1, "field": {"code": "段階", "type": "DROP_DOWN", "options": ["導入"]}})
        )
        .status,
        200
    );
    let look = |path: &str| send(&format!("{}/_sim/{path}", session.base), "GET", &[], b"").json();
    assert_eq!(look("truth?app=1")["records"][0]["FAX"], "03");
    assert_eq!(look("truth?app=1&at=2026-10-31T15:00:30Z")["records"][0]["FAX"], Value::Null);
    assert_eq!(sim(&session, "fault", json!({"spec": "503@/app.json"})).status, 200);
    assert_eq!([1, 2].map(|_| session.url("/k/v1/app.json?id=1").status), [503, 200]);
    assert_eq!(
        look("calls").as_array().unwrap().iter().map(|call| call["status"].clone()).collect::<Vec<_>>(),
        [503, 200]
    );
    assert_eq!(sim(&session, "assume", json!({"hypotheses": {"datetime_null": false}})).status, 200);
    let made = sim(
        &session,
        "create_app",
        json!({"spec": {"name": "台帳", "fields": [{"code": "件名", "type": "SINGLE_LINE_TEXT"}]}}),
    )
    .json();
    let token = sim(&session, "add_token", json!({"app": made["app"]})).json()["token"].as_str().unwrap().to_owned();
    let read = session.send("GET", "records.json", &[("X-Cybozu-API-Token", &token)], &json!({"app": made["app"]}));
    assert_eq!(read.records().len(), 0);
    assert_eq!(look("counters?app=1")["requests_today"], 1);
    assert_eq!(
        sim(&session, "delete", json!({"app": 1, "id": 99})).json()["error"],
        "GAIA_RE01: The specified record (ID: 99) is not found."
    );
    assert_eq!(sim(&session, "nonsense", json!({})).json()["error"], "there is no action nonsense");
    assert!(Rights::all().manage);
}
