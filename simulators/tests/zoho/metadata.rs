//! Lines 22 to 28 and 43: what an org says about itself, and to whom.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulators::zoho::{Access, Choice, FieldSpec, ModuleSpec, Options};

use crate::client::{Session, fields};

fn described(session: &Session, module: &str) -> Vec<Value> {
    session.get(&format!("settings/fields?module={module}")).json()["fields"].as_array().unwrap().clone()
}

fn field(session: &Session, module: &str, name: &str) -> Value {
    described(session, module).into_iter().find(|field| field["api_name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_22_modules_that_are_listed_may_be_unreadable() {
    let session = Session::with(1).await;
    let modules = session.get("settings/modules").json()["modules"].as_array().unwrap().clone();
    let module = |name: &str| modules.iter().find(|module| module["api_name"] == name).unwrap();
    assert_eq!(module("Deals")["module_name"], "Potentials");
    for (name, kind) in [
        ("Deals", "default"),
        ("Subscriptions", "custom"),
        ("Licences", "subform"),
        ("Subscriptions_X_Accounts", "linking"),
    ] {
        assert_eq!(module(name)["generated_type"], kind);
    }
    assert_eq!(module("CTI_Entry")["api_supported"], false);
    for (name, status, code) in [
        ("CTI_Entry", 400, "INVALID_MODULE"),
        ("Email_Analytics", 403, "NO_PERMISSION"),
        ("Notes", 403, "NOT_SUPPORTED"),
    ] {
        assert!(module(name)["id"].is_string());
        assert_eq!(session.get(&format!("{name}?fields=Name")).error(), (status, code.to_owned()));
    }
    assert!(session.get("settings/fields?module=Functions__s").is_empty(204));
    assert_eq!(session.get("settings/fields").error(), (400, "REQUIRED_PARAM_MISSING".to_owned()));
    assert_eq!(session.get("settings/modules/Deals").json()["modules"][0]["singular_label"], "商談");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_23_fields_tell_their_types_and_mix_their_blanks() {
    let session = Session::with(1).await;
    let texts = described(&session, "Accounts").into_iter().filter(|field| field["data_type"] == "text");
    let blanks: BTreeSet<String> = texts.map(|field| field["lookup"].to_string()).collect();
    assert_eq!(blanks.into_iter().collect::<Vec<_>>(), ["null", "{}"]);
    for (name, data_type, json_type) in [
        ("id", "bigint", "string"),
        ("Parent_Account", "lookup", "jsonobject"),
        ("Products_In_Use", "multiselectpicklist", "jsonarray"),
        ("Annual_Revenue", "currency", "double"),
        ("Employees", "integer", "integer"),
        ("ARR", "formula", "double"),
        ("Deal_Total", "rollup_summary", "double"),
        ("Tag", "text", "jsonarray"),
    ] {
        let field = field(&session, "Accounts", name);
        assert_eq!((&field["data_type"], &field["json_type"]), (&json!(data_type), &json!(json_type)), "{name}");
    }
    assert_eq!(field(&session, "Contacts", "Account_Name")["lookup"]["module"]["api_name"], "Accounts");
    assert_eq!(field(&session, "Tasks", "Recurring_Activity")["data_type"], "RRULE");
    let stages = field(&session, "Deals", "Stage")["pick_list_values"].clone();
    assert!(stages.as_array().unwrap().iter().any(|value| value["display_value"] != value["actual_value"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_24_stages_tell_what_they_mean() {
    let session = Session::with(1).await;
    let stages = field(&session, "Deals", "Stage")["pick_list_values"].clone();
    let won = stages.as_array().unwrap().iter().find(|stage| stage["actual_value"] == "Closed Won").unwrap();
    assert_eq!((&won["display_value"], &won["probability"]), (&json!("受注"), &json!(100)));
    assert_eq!((&won["forecast_type"], &won["deal_category"]), (&json!("Closed Won"), &json!("Closed Won")));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_25_types_of_deals_are_the_tenants_own() {
    let session = Session::start(Options { records: 10, deals: 100, ..Options::default() }).await;
    let kind = field(&session, "Deals", "Type")["pick_list_values"].clone();
    let values: Vec<&str> =
        kind.as_array().unwrap().iter().map(|value| value["actual_value"].as_str().unwrap()).collect();
    assert!(values.contains(&"新規") && values.contains(&"サブスク更新"));
    let deals = || session.get("Deals?fields=Type,Renewal_Kind").data();
    let before = deals();
    assert_eq!(before.iter().filter(|deal| !values.contains(&deal["Type"].as_str().unwrap())).count(), 1);
    assert!(before.iter().any(|deal| deal["Type"] == "サブスク更新" && deal["Renewal_Kind"].is_string()));
    assert_eq!(field(&session, "Deals", "Renewal_Kind")["display_label"], "更新の種類");
    session.org.set_choices("Deals", "Type", vec![Choice::plain("新規")]).unwrap();
    assert_eq!(deals(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_26_a_pipeline_is_asked_for_with_its_layout() {
    let session = Session::with(1).await;
    assert_eq!(session.get("settings/pipeline").error(), (400, "REQUIRED_PARAM_MISSING".to_owned()));
    let layouts = session.get("settings/layouts?module=Deals").json();
    let layout = layouts["layouts"][0]["id"].as_str().unwrap();
    let pipelines = session.get(&format!("settings/pipeline?layout_id={layout}")).json()["pipeline"].clone();
    assert_eq!(pipelines[0]["default"], true);
    assert!(pipelines[1]["maps"].as_array().unwrap().iter().any(|stage| stage["forecast_type"] == "Closed Lost"));
    let lists = session.get("settings/related_lists?module=Deals").json()["related_lists"].clone();
    assert!(lists.as_array().unwrap().iter().any(|list| list["api_name"] == "Stage_History"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_27_a_module_has_many_fields_and_another_no_time_of_change() {
    let session = Session::start(Options { records: 2, subscriptions: 2, wide: 30, ..Options::default() }).await;
    let custom = described(&session, "Health_Checks").iter().filter(|field| field["custom_field"] == true).count();
    assert!(custom >= 120, "{custom}");
    let page = session.get("Health_Checks?fields=Check_004,Check_120").data();
    assert!(page.len() == 30 && page[0]["Check_120"].is_number());
    let contract = session.org.ids("Subscriptions").unwrap()[0].clone();
    let account = session.org.ids("Accounts").unwrap()[0].clone();
    session.update("Subscriptions", &contract, json!({"Partners": [account]}));
    assert!(described(&session, "Subscriptions_X_Accounts").iter().all(|field| field["api_name"] != "Modified_Time"));
    let link = session.get("Subscriptions_X_Accounts?fields=Partners,Modified_Time").data();
    assert!(link[0].get("Modified_Time").is_none() && link[0]["Partners"]["id"] == account.as_str());
    let asked = session.coql("select id from Subscriptions_X_Accounts where Modified_Time > '2020-01-01T00:00:00Z'");
    assert_eq!(asked.error(), (400, "INVALID_QUERY".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_28_people_and_the_org_are_described() {
    let session = Session::with(1).await;
    let users = |kind: &str| session.get(&format!("users?type={kind}")).json()["users"].as_array().unwrap().clone();
    let deleted: Vec<_> = users("AllUsers").into_iter().filter(|user| user["status"] == "deleted").collect();
    assert_eq!((deleted.len(), &deleted), (1, &users("DeletedUsers")));
    assert!(users("ActiveUsers").iter().all(|user| user["status"] == "active"));
    assert_eq!(users("CurrentUser")[0]["email"], "renkei@example.jp");
    assert!(session.since("users?type=AllUsers", "2026-10-31T00:00:00Z").is_empty(304));
    let org = session.get("org").json()["org"][0].clone();
    assert_eq!(org["zgid"], session.credential("zgid"));
    assert_eq!((&org["time_zone"], &org["iso_code"]), (&json!("Asia/Tokyo"), &json!("JPY")));
    assert!(session.get("org/currencies").is_empty(204));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_what_is_hidden_is_neither_described_nor_sent() {
    let mut session = Session::with(2).await;
    session.org.hide_field("Accounts", "Phone", true).unwrap();
    assert!(described(&session, "Accounts").iter().all(|field| field["api_name"] != "Phone"));
    assert!(session.get("Accounts?fields=Phone,Website").data()[0].get("Phone").is_none());
    let id = session.org.ids("Accounts").unwrap()[0].clone();
    assert!(session.one("Accounts", &id).get("Phone").is_none());
    let asked = session.coql("select Phone from Accounts where id is not null");
    assert_eq!(asked.error(), (400, "INVALID_QUERY".to_owned()));
    let asked = session.bulk(json!({"module": {"api_name": "Accounts"}, "fields": ["Phone"]}));
    assert_eq!(asked.error().1, "FIELD_NOT_AVAILABLE");
    session.org.hide_records("Accounts", &[&id], true).unwrap();
    assert_eq!(session.get("Accounts?fields=Website").data().len(), 1);
    assert!(session.get(&format!("Accounts/{id}")).is_empty(204) && session.get("Accounts/deleted").is_empty(204));
    let admin = session.org.access_token(&session.credential("scope"), true);
    let own = std::mem::replace(&mut session.token, admin);
    assert!(session.one("Accounts", &id)["Phone"].is_string());
    session.token = own;
    session.org.set_access("Accounts", Access::Forbidden).unwrap();
    let refused = session.get("Accounts?fields=Website");
    assert_eq!(refused.error(), (403, "NO_PERMISSION".to_owned()));
    assert_eq!(refused.json()["message"], "permission denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_and_modules_come_go_and_change_their_names() {
    let session = Session::with(1).await;
    let id = session.org.ids("Accounts").unwrap()[0].clone();
    let before = session.one("Accounts", &id)["Modified_Time"].clone();
    session.org.advance(60);
    session.org.add_field("Accounts", FieldSpec::text("Added", "追加")).unwrap();
    session.org.relabel_field("Accounts", "Added", "追加項目").unwrap();
    assert_eq!(field(&session, "Accounts", "Added")["display_label"], "追加項目");
    session.org.change_silently("Accounts", &id, &fields(json!({"Added": "値"}))).unwrap();
    session.org.rename_field("Accounts", "Added", "Renamed").unwrap();
    let record = session.one("Accounts", &id);
    assert_eq!((&record["Renamed"], &record["Modified_Time"]), (&json!("値"), &before));
    session.org.remove_field("Accounts", "Renamed").unwrap();
    session.org.add_field("Accounts", FieldSpec::text("Renamed", "別物")).unwrap();
    assert_eq!(session.one("Accounts", &id)["Renamed"], Value::Null);
    let spec = ModuleSpec {
        api_name: "CustomModule9".to_owned(),
        label: "台帳".to_owned(),
        fields: vec![FieldSpec::text("Name", "件名")],
        ..ModuleSpec::default()
    };
    session.org.add_module(&spec).unwrap();
    session.org.insert("CustomModule9", &fields(json!({"Name": "一件目"}))).unwrap();
    assert_eq!(session.get("CustomModule9?fields=Name,Owner").data()[0]["Name"], "一件目");
}
