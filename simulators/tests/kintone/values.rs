//! Lines 32 to 37: what fields hold.

use serde_json::{Value, json};
use simulators::kintone::{CalcFormat, FieldSpec, FieldType};

use crate::client::{CUSTOMERS, DEALS, Session, fields};

#[tokio::test(flavor = "multi_thread")]
async fn line_32_nothing_looks_different_in_each_type() {
    let session = Session::empty().await;
    let id = session.domain.insert(CUSTOMERS, &fields(json!({"顧客ランク": null}))).unwrap();
    let record = session.record(CUSTOMERS, id);
    for code in ["会社名", "備考", "メモ", "Web", "従業員数"] {
        assert_eq!(record[code]["value"], "", "{code}");
    }
    for code in ["業種", "更新日", "受付時刻", "顧客ランク", "次回面談"] {
        assert_eq!(record[code]["value"], Value::Null, "{code}");
    }
    for code in ["対応項目", "製品", "営業担当", "部署", "閲覧グループ", "添付", "契約"] {
        assert_eq!(record[code]["value"], json!([]), "{code}");
    }
    assert_eq!(record["月額合計"]["value"], "0");
    session.domain.assume(|open| {
        open.datetime_null = false;
        open.radio_null = false;
        open.number_null = true;
    });
    let record = session.record(CUSTOMERS, id);
    assert_eq!(
        [&record["次回面談"]["value"], &record["顧客ランク"]["value"], &record["従業員数"]["value"]],
        [&json!(""), &json!(""), &Value::Null]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_33_decorations_and_what_is_off_have_no_keys() {
    let session = Session::with_records(1).await;
    let record = session.record(CUSTOMERS, 1);
    for code in ["枠", "案件一覧", "カテゴリー", "ステータス", "作業者"] {
        assert!(record.get(code).is_none(), "{code}");
    }
    let form = session.get("app/form/fields.json", json!({"app": 1})).json();
    assert_eq!(
        (&form["properties"]["枠"]["type"], &form["properties"]["案件一覧"]["type"]),
        (&json!("GROUP"), &json!("REFERENCE_TABLE"))
    );
    assert_eq!(
        form["properties"]["ステータス"],
        json!({"type": "STATUS", "code": "ステータス", "label": "ステータス", "enabled": false})
    );
    let layout = session.get("app/form/layout.json", json!({"app": 1})).text();
    assert!(["LABEL", "SPACER", "HR"].iter().all(|kind| layout.contains(kind)));
    let deal = session.domain.insert(DEALS, &fields(json!({"案件名": "x"}))).unwrap();
    assert_eq!(session.value(DEALS, deal, "ステータス"), "未処理");
    assert_eq!(session.value(DEALS, deal, "作業者"), json!([]));

    session.domain.enable_categories(CUSTOMERS, true).unwrap();
    assert_eq!(session.value(CUSTOMERS, 1, "カテゴリー"), json!([]));
    session.domain.update(CUSTOMERS, 1, &fields(json!({"カテゴリー": ["既存", "重点"]}))).unwrap();
    assert_eq!(session.record(CUSTOMERS, 1)["カテゴリー"], json!({"type": "CATEGORY", "value": ["既存", "重点"]}));
    let form = session.get("app/form/fields.json", json!({"app": 1})).json();
    assert_eq!(form["properties"]["カテゴリー"]["enabled"], true);
    let refused = session.put("record.json", json!({"app": 1, "id": 1, "record": {"カテゴリー": {"value": ["新規"]}}}));
    assert_eq!(refused.status, 400);
    session.domain.enable_categories(CUSTOMERS, false).unwrap();
    assert!(session.record(CUSTOMERS, 1).get("カテゴリー").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_34_record_numbers_may_have_a_prefix() {
    let session = Session::with_records(2).await;
    assert_eq!(session.value(CUSTOMERS, 2, "レコード番号"), "2");
    session.domain.set_app_code(CUSTOMERS, "CUST").unwrap();
    assert_eq!(
        (session.value(CUSTOMERS, 2, "レコード番号"), session.value(CUSTOMERS, 2, "$id")),
        (json!("CUST-2"), json!("2"))
    );
    assert_eq!(session.found(CUSTOMERS, "レコード番号 = \"CUST-2\""), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_35_formulas_are_computed_on_save_only() {
    let session = Session::empty().await;
    let deal = |price: Value, users: Value| {
        session.domain.insert(DEALS, &fields(json!({"案件名": "x", "単価": price, "ユーザー数": users}))).unwrap()
    };
    let id = deal(json!("12000.5"), json!(2));
    assert_eq!(session.value(DEALS, id, "小計"), "24001");
    assert_eq!(session.value(DEALS, deal(json!(""), json!(2)), "小計"), "0");
    session.domain.advance(49 * 3_600 + 30 * 60);
    session.update(DEALS, id, json!({}));
    assert_eq!(session.value(DEALS, id, "経過"), "49:30");
    session.domain.change_formula(DEALS, "小計", "単価 / ユーザー数 / 3").unwrap();
    assert_eq!(session.value(DEALS, id, "小計"), "24001");
    session.update(DEALS, id, json!({}));
    assert_eq!(session.value(DEALS, id, "小計"), "2000.0833");
    session.update(DEALS, id, json!({"ユーザー数": 0}));
    assert_eq!(session.value(DEALS, id, "小計"), "");
    for (code, format, wanted) in [
        ("日付", CalcFormat::Date, "2026-11-02"),
        ("日時", CalcFormat::Datetime, "2026-11-02T16:30:00Z"),
        ("時刻", CalcFormat::Time, "16:30"),
        ("秒", CalcFormat::Number, "1793637000"),
    ] {
        session.domain.add_field(DEALS, FieldSpec::calc(code, "更新日時 + 0", format)).unwrap();
        assert!(session.record(DEALS, id).get(code).is_none(), "never computed");
        session.update(DEALS, id, json!({}));
        assert_eq!(session.value(DEALS, id, code), wanted);
    }
    session
        .domain
        .add_field(DEALS, FieldSpec { expression: "案件名 & \"様\"".into(), ..FieldSpec::text("宛名") })
        .unwrap();
    session.update(DEALS, id, json!({}));
    assert_eq!(session.value(DEALS, id, "宛名"), "x様");
    assert_eq!(
        session.domain.add_field(DEALS, FieldSpec::calc("誤", "無い * 2", CalcFormat::Number)).unwrap_err().code,
        "GAIA_IL01"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_36_look_ups_copy_when_their_own_record_is_saved() {
    let session = Session::empty().await;
    let customer = session.customer("C1", "旧社名");
    let added = session
        .post("record.json", json!({"app": 2, "record": {"案件名": {"value": "x"}, "顧客コード": {"value": "C1"}}}));
    assert_eq!(added.json(), json!({"id": "1", "revision": "1"}));
    assert_eq!(session.value(DEALS, 1, "会社名"), "旧社名");
    session.update(CUSTOMERS, customer, json!({"会社名": "新社名"}));
    assert_eq!(session.value(DEALS, 1, "会社名"), "旧社名");
    session.put("record.json", json!({"app": 2, "id": 1, "record": {"顧客コード": {"value": "C1"}}}));
    assert_eq!(session.value(DEALS, 1, "会社名"), "新社名");
    let missed = session.put("record.json", json!({"app": 2, "id": 1, "record": {"顧客コード": {"value": "C9"}}}));
    assert_eq!(missed.error(), (400, "GAIA_LO04".into()));
    assert!(missed.json().get("errors").is_none());
    let alone = session.token.split(',').nth(1).unwrap().to_owned();
    let body = json!({"app": 2, "id": 1, "record": {"顧客コード": {"value": "C1"}}});
    assert_eq!(session.send("PUT", "record.json", &[("X-Cybozu-API-Token", &alone)], &body).code(), "GAIA_LO04");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_37_dates_and_times_are_padded_and_cut() {
    let session = Session::empty().await;
    let id = session.customer("A", "x");
    let put = |code: &str, value: &str| {
        session.update(CUSTOMERS, id, json!({ code: value }));
        session.value(CUSTOMERS, id, code)
    };
    assert_eq!(put("次回面談", "2026-07-02T11:21:25.174Z"), "2026-07-02T11:21:00Z");
    assert_eq!(put("次回面談", "2026-07-02T09:00:00+0900"), "2026-07-02T00:00:00Z");
    assert_eq!((put("更新日", "2026"), put("更新日", "2026-4-1")), (json!("2026-01-01"), json!("2026-04-01")));
    assert_eq!(put("受付時刻", "9:05"), "09:05");
    assert_eq!((put("従業員数", " 1.5e1 "), put("従業員数", "12.50")), (json!("15"), json!("12.50")));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_file_keys_keep_no_order_unless_assumed() {
    let session = Session::with_records(60).await;
    let all = |code: &str| -> Vec<Value> {
        session.query(CUSTOMERS, "").records().iter().map(|record| record[code]["value"].clone()).collect()
    };
    assert!((0..5).any(|_| all("対応項目") != all("対応項目")));
    assert_ne!(all("添付"), all("添付"));
    let file = all("添付").into_iter().find(|list| *list != json!([])).unwrap();
    let key = file[0]["fileKey"].as_str().unwrap().to_owned();
    let content = session.url(&format!("/k/v1/file.json?fileKey={key}"));
    assert_eq!(content.body.len().to_string(), file[0]["size"]);
    assert_eq!(session.url("/k/v1/file.json?fileKey=nope").error(), (404, "GAIA_BL01".into()));
    session.domain.assume(|open| {
        open.choices_shuffled = false;
        open.file_keys_change = false;
    });
    assert_eq!((all("対応項目"), all("添付")), (all("対応項目"), all("添付")));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_uploaded_and_read_back() {
    let session = Session::empty().await;
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"見積.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\n1,2\r\n--b--\r\n";
    let headers = [("X-Cybozu-API-Token", session.token.as_str()), ("Content-Type", "multipart/form-data; boundary=b")];
    let uploaded =
        crate::client::send(&format!("{}/k/v1/file.json", session.base), "POST", &headers, body.as_bytes()).json();
    let id = session.domain.insert(CUSTOMERS, &fields(json!({"添付": [{"fileKey": uploaded["fileKey"]}]}))).unwrap();
    let file = session.value(CUSTOMERS, id, "添付")[0].clone();
    assert_eq!(
        (file["name"].as_str(), file["size"].as_str(), file["fileKey"] == uploaded["fileKey"]),
        (Some("見積.csv"), Some("7"), false)
    );
    let content = session.url(&format!("/k/v1/file.json?fileKey={}", file["fileKey"].as_str().unwrap()));
    assert_eq!((content.text().as_str(), content.header("content-type")), ("a,b\n1,2", Some("text/csv")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_field_is_there() {
    let session = Session::with_records(1).await;
    let form = session.get("app/form/fields.json", json!({"app": 1})).json()["properties"].clone();
    let mut types: Vec<&str> =
        form.as_object().unwrap().values().map(|field| field["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), 28);
    assert!(types.contains(&FieldType::OrganizationSelect.name()));
}
