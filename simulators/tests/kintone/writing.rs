//! Lines 38 to 42: writing records, and who sees them.

use serde_json::{Value, json};
use simulators::kintone::Rights;

use crate::client::{CUSTOMERS, DEALS, Session};

fn new(code: &str) -> Value {
    json!({"顧客コード": {"value": code}, "会社名": {"value": format!("{code}社")}})
}

#[tokio::test(flavor = "multi_thread")]
async fn line_38_rows_of_tables_keep_their_ids() {
    let session = Session::empty().await;
    let row = |fee: i64| json!({"value": {"月額": {"value": fee.to_string()}, "数量": {"value": "2"}}});
    let mut record = new("A");
    record["契約"] = json!({"value": [row(1), row(2)]});
    assert_eq!(session.post("record.json", json!({"app": 1, "record": record})).status, 200);
    let rows = session.value(CUSTOMERS, 1, "契約");
    let ids: Vec<Value> = rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(
        (&rows[0]["value"]["小計"]["value"], session.value(CUSTOMERS, 1, "月額合計")),
        (&json!("2"), json!("6"))
    );
    let put = |value: Value| session.put("record.json", json!({"app": 1, "id": 1, "record": value})).status;
    assert_eq!(put(json!({"会社名": {"value": "表はそのまま"}})), 200);
    assert_eq!(session.value(CUSTOMERS, 1, "契約"), rows);
    assert_eq!(put(json!({"契約": {"value": [{"id": ids[1], "value": {"月額": {"value": "9"}}}, row(5)]}})), 200);
    let rows = session.value(CUSTOMERS, 1, "契約");
    assert_eq!(
        (&rows[0]["id"], &rows[0]["value"]["数量"]["value"], &rows[0]["value"]["小計"]["value"]),
        (&ids[1], &json!("2"), &json!("18"))
    );
    assert!(!ids.contains(&rows[1]["id"]) && rows.as_array().unwrap().len() == 2);
    assert_eq!(put(json!({"契約": {"value": [{"id": "999999", "value": {"月額": {"value": "text"}}}]}})), 200);
    let rows = session.value(CUSTOMERS, 1, "契約");
    assert_ne!(rows[0]["id"], "999999");
    assert_eq!(rows[0]["value"]["月額"]["value"], "");
    assert_eq!((put(json!({"契約": {"value": []}})), session.value(CUSTOMERS, 1, "契約")), (200, json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_saves_move_the_revision_and_the_time() {
    let session = Session::empty().await;
    session.post("record.json", json!({"app": 2, "record": {"案件名": {"value": "x"}}}));
    session.domain.advance(120);
    let put = |revision: Value| {
        session.put("record.json", json!({"app": 2, "id": 1, "revision": revision, "record": {"単価": {"value": "5"}}}))
    };
    assert_eq!(put(json!(1)).json(), json!({"revision": "2"}));
    assert_eq!(session.value(DEALS, 1, "更新日時"), "2026-10-31T15:02:00Z");
    assert_eq!(session.value(DEALS, 1, "更新者")["code"], "Administrator");
    assert_eq!(put(json!("1")).error(), (409, "GAIA_CO02".into()));
    assert_eq!(put(json!(-1)).json(), json!({"revision": "3"}));
    let act = || session.put("record/status.json", json!({"app": 2, "id": 1, "action": "次へ", "assignee": "sato"}));
    assert_eq!(act().json(), json!({"revision": "5"}));
    assert_eq!(
        (session.value(DEALS, 1, "ステータス"), session.value(DEALS, 1, "作業者")[0]["code"].clone()),
        (json!("商談中"), json!("sato"))
    );
    assert_eq!((act().status, act().status, act().code()), (200, 200, "GAIA_IL03".into()));
    session.customer("A", "x");
    assert_eq!(session.put("record/status.json", json!({"app": 1, "id": 1, "action": "次へ"})).code(), "GAIA_ST02");
    session.domain.assume(|open| open.idle_save_counts = false);
    assert_eq!(put(json!(-1)).json(), json!({"revision": "9"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_40_batches_are_all_or_nothing() {
    let session = Session::empty().await;
    let many = |count: usize| (0..count).map(|number| new(&format!("M{number}"))).collect::<Vec<_>>();
    let refused = session.post("records.json", json!({"app": 1, "records": many(101)}));
    assert_eq!(refused.json()["errors"]["records"]["messages"][0], "一度に100件までのレコードを追加できます。");
    assert_eq!(
        session.post("records.json", json!({"app": 1, "records": []})).json(),
        json!({"ids": [], "revisions": []})
    );
    let bad = session.post("records.json", json!({"app": 1, "records": [new("A"), {"会社名": {"value": "x"}}]}));
    assert_eq!(bad.json()["errors"]["records[1].顧客コード.value"]["messages"][0], "必須です。");
    assert_eq!(session.domain.ids(CUSTOMERS).unwrap(), [0; 0]);
    let added = session.post("records.json", json!({"app": 1, "records": many(3)})).json();
    assert_eq!(added["revisions"], json!(["1", "1", "1"]));
    let doubled = session.post("record.json", json!({"app": 1, "record": new("M1")})).json();
    assert_eq!(doubled["errors"]["record.顧客コード.value"]["messages"][0], "値がほかのレコードと重複しています。");
    let ids = session.domain.ids(CUSTOMERS).unwrap();
    assert_eq!(
        session.delete("records.json", json!({"app": 1, "ids": [ids[0], 999]})).error(),
        (404, "GAIA_RE01".into())
    );
    assert_eq!(session.domain.ids(CUSTOMERS).unwrap().len(), 3);
    assert_eq!(session.delete("records.json", json!({"app": 1, "ids": [ids[0]], "revisions": [7]})).status, 409);
    assert_eq!(session.delete("records.json", json!({"app": 1, "ids": [ids[0]]})).json(), json!({}));
    let key = |code: &str| json!({"updateKey": {"field": "顧客コード", "value": code}, "record": {"会社名": {"value": "改"}}});
    let upserted =
        session.put("records.json", json!({"app": 1, "upsert": true, "records": [key("M1"), key("Z")]})).json();
    assert_eq!(
        (&upserted["records"][0]["operation"], &upserted["records"][1]["operation"]),
        (&json!("UPDATE"), &json!("INSERT"))
    );
    assert_eq!(
        session
            .put("record.json", json!({"app": 1, "updateKey": {"field": "会社名", "value": "改"}, "record": {}}))
            .code(),
        "GAIA_IQ27"
    );
    let part =
        |record: Value| json!({"method": "POST", "api": "/k/v1/record.json", "payload": {"app": 1, "record": record}});
    let bulk =
        session.post("bulkRequest.json", json!({"requests": [part(new("B1")), part(json!({})), part(new("B2"))]}));
    assert_eq!(bulk.status, 400);
    assert_eq!((&bulk.json()["results"][0], &bulk.json()["results"][1]["code"]), (&json!({}), &json!("CB_VA01")));
    assert_eq!(session.found(CUSTOMERS, "顧客コード in (\"B1\", \"B2\")"), [0; 0]);
    let option = session.put("record.json", json!({"app": 1, "id": ids[1], "record": {"業種": {"value": "Z"}}})).json();
    assert_eq!(option["errors"]["record.業種.value"]["messages"][0], "\"Z\"は選択肢にありません。");
    let number =
        session.put("record.json", json!({"app": 1, "id": ids[1], "record": {"従業員数": {"value": "多数"}}})).json();
    assert_eq!(number["errors"]["record[従業員数].value"]["messages"][0], "数字でなければなりません。");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_41_records_can_be_back_dated_by_whoever_manages_the_app() {
    let session = Session::empty().await;
    let mut record = new("OLD");
    record["作成日時"] = json!({"value": "2020-01-01T00:00:00Z"});
    record["更新日時"] = json!({"value": "2020-02-01T00:00:00Z"});
    let adder = session.domain.add_token(CUSTOMERS, Rights { add: true, view: true, ..Rights::default() });
    let body = json!({"app": 1, "record": record});
    assert_eq!(
        session.send("POST", "record.json", &[("X-Cybozu-API-Token", &adder)], &body).error(),
        (400, "GAIA_BF02".into())
    );
    assert_eq!(session.post("record.json", body).status, 200);
    assert_eq!(session.value(CUSTOMERS, 1, "更新日時"), "2020-02-01T00:00:00Z");
    assert_eq!(session.found(CUSTOMERS, "更新日時 >= \"2026-01-01T00:00:00Z\""), [0; 0]);
    let put = session
        .put("record.json", json!({"app": 1, "id": 1, "record": {"更新日時": {"value": "2021-01-01T00:00:00Z"}}}));
    assert_eq!(put.code(), "GAIA_BF02");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_42_people_see_what_they_may_and_tokens_see_all() {
    let session = Session::with_records(5).await;
    session.domain.hide_records(CUSTOMERS, &[2, 3], true).unwrap();
    session.domain.hide_field(CUSTOMERS, "資本金", true).unwrap();
    let seen = session.as_reader("GET", "records.json", json!({"app": 1, "totalCount": true}));
    assert_eq!((seen.ids(), &seen.json()["totalCount"]), (vec![5, 4, 1], &json!("3")));
    assert!(seen.records().iter().all(|record| record.get("資本金").is_none()));
    assert_eq!(session.as_reader("GET", "record.json", json!({"app": 1, "id": 2})).error(), (403, "CB_NO02".into()));
    let form = || {
        session.as_reader("GET", "app/form/fields.json", json!({"app": 1})).json()["properties"].get("資本金").is_some()
    };
    assert!(!form());
    session.domain.assume(|open| {
        open.form_hides_fields = false;
        open.hidden_record_missing = true;
    });
    assert!(form());
    assert_eq!(session.as_reader("GET", "record.json", json!({"app": 1, "id": 2})).status, 404);
    let rights = session.as_reader("GET", "records/acl/evaluate.json", json!({"app": 1, "ids": [1, 2]})).json();
    assert_eq!(
        (&rights["rights"][0]["fields"]["資本金"]["viewable"], &rights["rights"][1]["record"]["viewable"]),
        (&json!(false), &json!(false))
    );
    let all = session.query(CUSTOMERS, "");
    assert!(all.ids().len() == 5 && all.records()[0].get("資本金").is_some());
    session.domain.close_app(CUSTOMERS, true).unwrap();
    assert_eq!(session.as_reader("GET", "records.json", json!({"app": 1})).error(), (403, "CB_NO02".into()));
}
