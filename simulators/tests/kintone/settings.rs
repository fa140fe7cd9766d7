//! Lines 43 to 47: settings.

use serde_json::{Value, json};
use simulators::kintone::{AppSpec, FieldSpec, FieldType, Language, Rights};

use crate::client::{CUSTOMERS, DEALS, Session, fields};

fn app(name: &str, language: Language) -> AppSpec {
    AppSpec {
        name: name.into(),
        code: String::new(),
        language,
        fields: vec![FieldSpec::text("title")],
        states: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_settings_are_live_after_a_deploy() {
    let session = Session::empty().await;
    let form = |api: &str| session.get(api, json!({"app": 1})).json();
    let before = form("app/form/fields.json")["revision"].clone();
    let added = session.post("preview/app/form/fields.json", json!({"app": 1, "properties": {
        "NPS": {"type": "NUMBER", "code": "NPS", "label": "推奨度"},
        "評価": {"type": "DROP_DOWN", "code": "評価", "options": {"良": {"label": "良", "index": "1"}, "優": {"label": "優", "index": "0"}}},
    }}));
    assert_eq!(added.status, 200);
    assert!(form("preview/app/form/fields.json")["properties"]["NPS"].is_object());
    assert!(form("app/form/fields.json")["properties"].get("NPS").is_none());
    assert_eq!(form("app/form/fields.json")["revision"], before);
    let status = || session.url("/k/v1/preview/app/deploy.json?apps[0]=1").json()["apps"][0]["status"].clone();
    assert_eq!(
        session.post("preview/app/deploy.json", json!({"apps": [{"app": 1}], "revert": false})).json(),
        json!({})
    );
    assert_eq!(status(), "PROCESSING");
    assert_eq!(status(), "SUCCESS");
    let live = form("app/form/fields.json");
    assert_eq!((&live["revision"], &live["properties"]["NPS"]["label"]), (&added.json()["revision"], &json!("推奨度")));
    assert_eq!(
        session.post("preview/app/form/fields.json", json!({"app": 1, "revision": 1, "properties": {}})).error(),
        (409, "GAIA_CO03".into())
    );
    let reader = session.credential("api_token");
    assert_eq!(
        session
            .send("GET", "preview/app/form/fields.json", &[("X-Cybozu-API-Token", &reader)], &json!({"app": 1}))
            .status,
        403
    );
    let made = session.as_admin("POST", "preview/app.json", json!({"name": "新アプリ"})).json();
    assert_eq!(made["app"], "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_44_a_renamed_code_takes_its_values_along() {
    let session = Session::with_records(2).await;
    let name = session.value(CUSTOMERS, 1, "会社名");
    let deal = session.domain.insert(DEALS, &fields(json!({"案件名": "x", "単価": 3, "ユーザー数": 4}))).unwrap();
    session.put("preview/app/form/fields.json", json!({"app": 1, "properties": {"会社名": {"code": "企業名"}}}));
    assert_eq!(session.value(CUSTOMERS, 1, "会社名"), name);
    session.post("preview/app/deploy.json", json!({"apps": [{"app": 1}]}));
    session.domain.advance(5);
    session.get("app.json", json!({"id": 1}));
    let record = session.record(CUSTOMERS, 1);
    assert!(record.get("会社名").is_none() && record["企業名"]["value"] == name);
    let page = session.get("records.json", json!({"app": 1, "fields": ["会社名", "$id"]})).records();
    assert_eq!(page[0].as_object().unwrap().len(), 1);
    assert_eq!(session.query(CUSTOMERS, "会社名 = \"x\"").code(), "GAIA_IQ11");
    session.domain.rename_field(DEALS, "単価", "価格").unwrap();
    session.update(DEALS, deal, json!({"価格": 5}));
    assert_eq!(session.value(DEALS, deal, "小計"), "20");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_45_what_was_deleted_comes_back_empty_and_apps_come_back_whole() {
    let session = Session::with_records(2).await;
    assert_ne!(session.value(CUSTOMERS, 1, "資本金"), "");
    session.domain.remove_field(CUSTOMERS, "資本金").unwrap();
    assert!(session.record(CUSTOMERS, 1).get("資本金").is_none());
    session.domain.add_field(CUSTOMERS, FieldSpec::number("資本金")).unwrap();
    assert_eq!(session.value(CUSTOMERS, 1, "資本金"), "");
    session.domain.delete_app(CUSTOMERS).unwrap();
    assert_eq!(session.query(CUSTOMERS, "").error(), (404, "GAIA_AP01".into()));
    session.domain.restore_app(CUSTOMERS).unwrap();
    assert_eq!(session.query(CUSTOMERS, "").ids(), [2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_46_system_codes_follow_the_language_and_can_be_renamed() {
    let session = Session::empty().await;
    let id = session.domain.create_app(app("Customers", Language::En));
    let token = session.domain.add_token(id, Rights::all());
    let record = session.domain.insert(id, &fields(json!({"title": "x"}))).unwrap();
    session.domain.rename_field(id, "Created_datetime", "born").unwrap();
    let read =
        session.send("GET", "record.json", &[("X-Cybozu-API-Token", &token)], &json!({"app": id, "id": record})).json();
    assert_eq!(read["record"]["Updated_datetime"]["type"], "UPDATED_TIME");
    assert_eq!(read["record"]["born"]["type"], "CREATED_TIME");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_47_apps_come_a_hundred_at_a_time() {
    let session = Session::empty().await;
    for number in 0..120 {
        session.domain.create_app(app(&format!("台帳{number}"), Language::Ja));
    }
    let list = |body: Value| session.as_reader("GET", "apps.json", body).json()["apps"].as_array().unwrap().len();
    assert_eq!(
        (list(json!({})), list(json!({"offset": 100})), list(json!({"limit": 5})), list(json!({"name": "台帳11"}))),
        (100, 22, 5, 11)
    );
    assert_eq!(session.as_reader("GET", "apps.json", json!({"limit": 101})).code(), "CB_VA01");
    let status = session.get("app/status.json", json!({"app": 1})).json();
    assert_eq!((&status["enable"], &status["states"], &status["actions"]), (&json!(false), &Value::Null, &Value::Null));
    let status = session.get("app/status.json", json!({"app": 2})).json();
    assert_eq!((&status["states"]["商談中"]["index"], &status["actions"][0]["to"]), (&json!("1"), &json!("商談中")));
    assert_eq!(session.get("app/settings.json", json!({"app": 1})).json()["numberPrecision"]["decimalPlaces"], "4");
    assert_eq!(session.get("app.json", json!({"id": 1})).json()["spaceId"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_describe_their_fields() {
    let session = Session::empty().await;
    let form = session.get("app/form/fields.json", json!({"app": 2})).json()["properties"].clone();
    assert_eq!(form["顧客コード"]["lookup"]["relatedApp"]["app"], "1");
    assert!(form["顧客コード"].get("unique").is_none());
    assert_eq!(form["小計"]["format"], "NUMBER_DIGIT");
    let form = session.get("app/form/fields.json", json!({"app": 1})).json()["properties"].clone();
    assert_eq!(form["契約"]["fields"]["月額"]["type"], "NUMBER");
    assert_eq!((&form["会社名"]["label"], &form["会社名"]["maxLength"]), (&json!("顧客名"), &json!("128")));
    assert_eq!(form["顧客ランク"]["options"]["A"]["index"], "0");
    session
        .domain
        .add_field(CUSTOMERS, FieldSpec::new("開始", FieldType::Datetime).default_value("2026-01-01T09:00Z"))
        .unwrap();
    let form = session.get("app/form/fields.json", json!({"app": 1})).json()["properties"].clone();
    assert_eq!(form["開始"]["defaultValue"], "2026-01-01T09:00");
}
