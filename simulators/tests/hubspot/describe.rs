//! Lines 36 to 42: what a portal is made of, and associations.

use serde_json::{Value, json};
use simulators::hubspot::PropertySpec;

use crate::client::Session;

fn property(session: &Session, name: &str, property: &str) -> Value {
    session.get(&format!("/crm/properties/2026-09/{name}/{property}")).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_36_properties_come_in_one_list() {
    let session = Session::with_all().await;
    let list = session.get("/crm/properties/2026-09/companies");
    assert!(list.results().len() > 30 && list.json().get("paging").is_none());
    let kinds = [
        ("name", "string", "text"),
        ("description", "string", "textarea"),
        ("cs_note", "string", "html"),
        ("last_review_at", "datetime", "date"),
        ("renewal_date", "date", "date"),
        ("services", "enumeration", "checkbox"),
        ("is_key_account", "bool", "booleancheckbox"),
        ("support_phone", "phone_number", "phonenumber"),
        ("usage_json", "json", "text"),
        ("health_score", "number", "calculation_score"),
    ];
    for (name, kind, field_type) in kinds {
        let told = property(&session, "companies", name);
        assert_eq!((&told["type"], &told["fieldType"]), (&json!(kind), &json!(field_type)), "{name}");
    }
    let owner = property(&session, "companies", "hubspot_owner_id");
    assert_eq!(
        (&owner["type"], &owner["options"], &owner["externalOptions"], &owner["referencedObjectType"]),
        (&json!("enumeration"), &json!([]), &json!(true), &json!("OWNER"))
    );
    let plan = property(&session, "companies", "plan");
    assert_eq!(
        (&plan["label"], &plan["options"][0]["label"], &plan["options"][0]["value"]),
        (&json!("契約プラン"), &json!("ライト"), &json!("light"))
    );
    assert_eq!(property(&session, "companies", "health_score")["modificationMetadata"]["readOnlyValue"], true);
    assert_eq!(property(&session, "deals", "dealstage")["options"][5]["value"], "closedlost");
    assert_eq!(property(&session, "companies", "nothing")["category"], "OBJECT_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_are_added_archived_and_relabelled() {
    let session = Session::with_companies(2).await;
    let spec = PropertySpec::choice("rank", "ランク", &[("a", "甲"), ("b", "乙")]);
    session.portal.add_property("companies", spec.clone()).unwrap();
    assert_eq!(session.portal.add_property("companies", spec).unwrap_err().category, "CONFLICT");
    assert_eq!(session.value("companies", 501, "rank"), Value::Null);
    session.update("companies", 501, json!({"rank": "a"}));
    session.portal.relabel_property("companies", "rank", "格").unwrap();
    session.portal.set_choices("companies", "rank", &[("b", "乙")]).unwrap();
    assert_eq!(property(&session, "companies", "rank")["label"], "格");
    assert_eq!(session.value("companies", 501, "rank"), "a");
    let stamp = session.value("companies", 501, "hs_lastmodifieddate");
    session.portal.advance(60);
    session.portal.rename_property("companies", "rank", "grade").unwrap();
    assert_eq!(
        (session.value("companies", 501, "grade"), session.value("companies", 501, "rank")),
        (json!("a"), Value::Null)
    );
    assert_eq!(session.value("companies", 501, "hs_lastmodifieddate"), stamp);
    session.portal.archive_property("companies", "grade").unwrap();
    assert_eq!(session.record("companies", 501, "properties=grade")["properties"].get("grade"), None);
    let archived = session.get("/crm/properties/2026-09/companies?archived=true").results();
    let names: Vec<&Value> = archived.iter().map(|property| &property["name"]).collect();
    assert!(names.contains(&&json!("grade")) && names.contains(&&json!("rank")));
    assert!(archived.iter().all(|property| property["archivedAt"].is_string()));
    session.portal.restore_property("companies", "grade").unwrap();
    assert_eq!(session.value("companies", 501, "grade"), "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_37_sensitive_properties_need_a_scope_and_a_parameter() {
    let session = Session::with_companies(2).await;
    let listed = |query: &str| {
        let answer = session.get(&format!("/crm/properties/2026-09/companies?{query}"));
        if answer.status != 200 {
            return Err(answer.error());
        }
        Ok(answer.results().iter().any(|property| property["name"] == "bank_account"))
    };
    let is_read =
        || session.record("companies", 501, "properties=bank_account")["properties"].get("bank_account").is_some();
    assert_eq!((listed(""), is_read()), (Ok(false), false));
    assert_eq!(listed("dataSensitivity=sensitive"), Err((403, "MISSING_SCOPES".into())));
    session.portal.grant_scope("crm.objects.companies.sensitive.read.v2");
    assert_eq!((listed(""), listed("dataSensitivity=sensitive"), is_read()), (Ok(false), Ok(true), true));
    session.portal.hide_property("companies", "phone", true).unwrap();
    assert_eq!(property(&session, "companies", "phone")["category"], "OBJECT_NOT_FOUND");
    assert_eq!(session.value("companies", 501, "phone"), Value::Null);
    assert!(session.portal.truth("companies").unwrap()[0]["phone"].is_string());
    session.portal.hide_property("companies", "phone", false).unwrap();
    assert!(session.value("companies", 501, "phone").is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_38_times_in_stages_are_told_though_unlisted() {
    let session = Session::with_companies(0).await;
    let stage = |stage: &str| crate::client::fields(json!({"dealstage": stage}));
    let id = session.portal.insert("deals", &stage("appointmentscheduled")).unwrap();
    session.portal.advance(60);
    session.portal.update("deals", id, &stage("qualifiedtobuy")).unwrap();
    session.portal.advance(60);
    session.portal.update("deals", id, &stage("appointmentscheduled")).unwrap();
    session.portal.advance(30);
    let value = |name: &str| session.value("deals", id, name);
    assert_eq!(value("hs_v2_date_entered_appointmentscheduled"), "2026-10-31T15:02:00.000Z");
    assert_eq!(value("hs_v2_date_exited_qualifiedtobuy"), "2026-10-31T15:02:00.000Z");
    assert_eq!(value("hs_v2_date_exited_appointmentscheduled"), Value::Null);
    assert_eq!(value("hs_v2_latest_time_in_appointmentscheduled"), "30000");
    assert_eq!(value("hs_v2_cumulative_time_in_appointmentscheduled"), "90000");
    assert_eq!(value("hs_v2_date_entered_closedwon"), Value::Null);
    let record = session.record("deals", id, "properties=hs_v2_date_entered_nowhere");
    assert_eq!(record["properties"].get("hs_v2_date_entered_nowhere"), None);
    let listed = session.get("/crm/properties/2026-09/deals").results();
    assert!(listed.iter().all(|property| !property["name"].as_str().unwrap().starts_with("hs_v2_")));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_pipelines_speak_in_texts() {
    let session = Session::with_all().await;
    let pipelines = session.get("/crm/pipelines/2026-09/deals").results();
    assert_eq!((&pipelines[0]["id"], &pipelines[0]["createdAt"]), (&json!("default"), &json!("1970-01-01T00:00:00Z")));
    let won = &pipelines[0]["stages"][4];
    assert_eq!((&won["label"], &won["metadata"]), (&json!("受注"), &json!({"isClosed": "true", "probability": "1.0"})));
    let ticket = &session.get("/crm/pipelines/2026-09/tickets").results()[0]["stages"][3];
    assert_eq!(ticket["metadata"]["ticketState"], "CLOSED");
    assert!(session.get("/crm/pipelines/2026-09/environments").results().is_empty());
    session.portal.advance(60);
    session.portal.relabel_stage("deals", "default", "closedwon", "契約").unwrap();
    session.portal.add_stage("deals", "7654321", "98305", "保留", "0.1").unwrap();
    session.portal.archive_stage("deals", "default", "contractsent").unwrap();
    session.portal.add_pipeline("deals", "888", "代理店").unwrap();
    let pipelines = session.get("/crm/pipelines/2026-09/deals").results();
    assert_eq!((pipelines.len(), pipelines[0]["stages"].as_array().unwrap().len()), (3, 5));
    assert_eq!(
        (&pipelines[0]["stages"][3]["label"], &pipelines[1]["stages"][4]["label"]),
        (&json!("契約"), &json!("保留"))
    );
    let audit = session.get("/crm/pipelines/2026-09/deals/default/stages/closedwon/audit").results();
    assert_eq!((&audit[0]["action"], &audit[0]["rawObject"]["label"]), (&json!("UPDATE"), &json!("契約")));
    session.portal.archive_pipeline("deals", "888").unwrap();
    assert_eq!(session.get("/crm/pipelines/2026-09/deals/888").status, 404);
    assert!(session.portal.add_stage("deals", "default", "closedwon", "x", "1.0").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_40_owners_are_no_users() {
    let session = Session::with_companies(30).await;
    let owners = session.get("/crm/owners/2026-09").results();
    assert_eq!(owners.len(), 5);
    assert!(owners[0]["id"].is_string() && owners[0]["userId"].is_number());
    assert_ne!(owners[0]["id"], owners[0]["userId"].to_string());
    assert!(owners.iter().any(|owner| owner["type"] == "QUEUE"));
    let gone = session.get("/crm/owners/2026-09?archived=true").results();
    assert_eq!((gone.len(), &gone[0]["userId"], gone[0].get("archivedAt")), (1, &Value::Null, None));
    assert!(gone[0]["userIdIncludingInactive"].is_number());
    let first = session.get("/crm/owners/2026-09?limit=3");
    let rest = session.get(&format!("/crm/owners/2026-09?limit=3&after={}", first.after().unwrap()));
    assert_eq!((first.results().len(), rest.results().len(), rest.after()), (3, 2, None));
    assert_eq!(session.get("/crm/owners/2026-09?limit=501").status, 400);
    assert_eq!(session.get("/crm/owners/2026-09?email=OWNER2@example.jp").results().len(), 1);
    let new = session.portal.add_owner("new@example.jp", "森", "葵");
    session.portal.archive_owner(new, true);
    assert_eq!(session.get(&format!("/crm/owners/2026-09/{new}?archived=true")).json()["lastName"], "森");
    let known: Vec<Value> = owners.iter().chain(&gone).map(|owner| owner["id"].clone()).collect();
    for id in session.listed("companies", "") {
        let owner = session.value("companies", id, "hubspot_owner_id");
        assert!(owner.is_null() || known.contains(&owner));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_41_associations_come_by_the_batch() {
    let session = Session::with_all().await;
    let path = "/crm/associations/2026-09/deals/companies/batch/read";
    let inputs =
        |ids: &[u64]| json!({"inputs": ids.iter().map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>()});
    let linked = session.post(path, inputs(&[501]));
    assert_eq!((linked.status, linked.json().get("errors")), (200, None));
    let first = &linked.results()[0];
    assert_eq!((&first["from"]["id"], &first["to"][0]["toObjectId"]), (&json!("501"), &json!(501)));
    let types = first["to"][0]["associationTypes"].as_array().unwrap();
    assert!(types.contains(&json!({"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"})));
    assert!(types.contains(&json!({"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null})));
    // Every seventh deal of the population has no company.
    let part = session.post(path, inputs(&[501, 505, 507, 99_999]));
    assert_eq!((part.status, part.results().len(), &part.json()["numErrors"]), (207, 2, &json!(2)));
    let error = &part.json()["errors"][0];
    assert_eq!(
        (&error["subCategory"], &error["message"]),
        (&json!("crm.associations.NO_ASSOCIATIONS_FOUND"), &json!("No company is associated with deal 507."))
    );
    assert_eq!(error["context"]["fromObjectId"], json!(["507"]));
    let labelled = part.results().into_iter().find(|result| result["from"]["id"] == "505").unwrap();
    assert!(
        labelled["to"][0]["associationTypes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|kind| kind["label"] == "導入先" && kind["category"] == "USER_DEFINED")
    );
    assert_eq!(session.post(path, inputs(&(1..=1_001).collect::<Vec<_>>())).status, 400);
    assert_eq!(session.post(path, inputs(&(1..=1_000).collect::<Vec<_>>())).status, 207);
    session.portal.assume(|open| open.partial_status = 200);
    assert_eq!(session.post(path, inputs(&[507])).status, 200);
    session.portal.assume(|open| open.object_ids_are_text = true);
    assert_eq!(session.post(path, inputs(&[501])).results()[0]["to"][0]["toObjectId"], "501");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_41_many_associations_come_in_pages() {
    let session = Session::with_all().await;
    session.portal.set_options(|options| options.association_page = 3);
    let contacts = session.listed("contacts", "");
    for contact in &contacts[..8] {
        session.portal.associate(("contacts", *contact), ("companies", 520), Some("決裁者")).unwrap_err();
        session.portal.associate(("contacts", *contact), ("companies", 519), Some("決裁者")).unwrap();
    }
    let path = "/crm/associations/2026-09/companies/contacts/batch/read";
    let (mut seen, mut input) = (Vec::new(), json!({"id": "519"}));
    loop {
        let result = session.post(path, json!({"inputs": [input]})).results().remove(0);
        seen.extend(result["to"].as_array().unwrap().iter().map(|to| to["toObjectId"].as_u64().unwrap()));
        let Some(after) = result["paging"]["next"]["after"].as_str() else { break };
        input = json!({"id": "519", "after": after});
    }
    let told: Vec<u64> =
        session.portal.associations(("companies", 519), "contacts").unwrap().iter().map(|known| known.to).collect();
    assert!(seen.len() > 8 && seen == told);
    let one = session.get("/crm/objects/2026-09/companies/519/associations/contacts?limit=2");
    assert_eq!((one.results().len(), one.after().is_some()), (2, true));
    session.portal.dissociate(("contacts", contacts[0]), ("companies", 519), None).unwrap();
    session.portal.archive("contacts", contacts[1]).unwrap();
    assert_eq!(session.portal.associations(("companies", 519), "contacts").unwrap().len(), seen.len() - 2);
    let labels = session.get("/crm/associations/2026-09/contacts/companies/labels").results();
    assert!(labels.contains(&json!({"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null})));
    let id = session.portal.add_label("contacts", "companies", "推進者").unwrap();
    let labels = session.get("/crm/associations/2026-09/contacts/companies/labels").results();
    assert!(labels.contains(&json!({"category": "USER_DEFINED", "typeId": id, "label": "推進者"})));
    let inlined = session.record("contacts", 501, "associations=companies,deals");
    assert_eq!(inlined["associations"]["companies"]["results"][0]["id"], "501");
    let kinds: Vec<&Value> = inlined["associations"]["companies"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|known| &known["type"])
        .collect();
    assert_eq!(kinds[..2], [&json!("contact_to_company_unlabeled"), &json!("contact_to_company")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_42_custom_objects_have_schemas_and_several_names() {
    let session = Session::with_all().await;
    let schemas = session.get("/crm-object-schemas/2026-09/schemas").results();
    let schema = &schemas[0];
    assert_eq!(
        (schemas.len(), &schema["labels"]["plural"], &schema["objectTypeId"]),
        (1, &json!("利用環境"), &json!("2-4471823"))
    );
    assert!(schema["properties"].as_array().unwrap().iter().any(|property| property["name"] == "tenant_name"));
    let names = [schema["objectTypeId"].clone(), schema["fullyQualifiedName"].clone(), schema["name"].clone()];
    let pages = names.map(|name| session.list(name.as_str().unwrap(), "limit=5&properties=tenant_name").results());
    assert!(pages[0].len() == 5 && pages[0] == pages[1] && pages[1] == pages[2]);
    let path =
        format!("/crm/associations/2026-09/{}/companies/batch/read", schema["fullyQualifiedName"].as_str().unwrap());
    assert_eq!(session.post(&path, json!({"inputs": [{"id": "501"}]})).results()[0]["to"][0]["toObjectId"], 501);
    assert_eq!(session.list("2-999", "").status, 400);
    session.portal.revoke_scope("crm.schemas.custom.read");
    assert_eq!(session.get("/crm-object-schemas/2026-09/schemas").status, 403);
}
