//! Lines 15, 16, 18 and 44: what values look like, in lists, single records, queries and files.

use serde_json::{Value, json};
use simulators::zoho::{FieldSpec, FieldType, Options};

use crate::client::{Session, cells, fields, unzip};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_rows_of_other_modules_come_with_single_records_only() {
    let session = Session::start(Options { records: 5, subscriptions: 5, ..Options::default() }).await;
    let accounts = session.org.ids("Accounts").unwrap();
    let contract = session.org.ids("Subscriptions").unwrap()[0].clone();
    session.update("Subscriptions", &contract, json!({"Partners": [accounts[1], accounts[2]]}));
    let listed = session.get("Subscriptions?fields=Name,Licences,Partners").data();
    assert_eq!(keys(&listed[0]), ["id", "Name"]);
    let single = session.one("Subscriptions", &contract);
    assert_eq!(single["Licences"].as_array().unwrap().len(), 2);
    let row = &single["Licences"][0];
    assert_eq!(row["Parent_Id"], json!({"name": single["Name"], "id": contract}));
    assert!(row["id"].is_string() && row["Seats"].is_number() && row["Created_Time"].is_string());
    let partner = &single["Partners"][0];
    assert_eq!((partner["Partners"]["id"].as_str(), keys(partner)), (Some(&*accounts[1]), vec!["id", "Partners"]));
    assert_eq!(session.get("Subscriptions_X_Accounts?fields=Subscriptions,Partners").data().len(), 2);
    assert_eq!((&single["$approval_state"], &single["$has_more"]), (&json!("approved"), &json!({"Licences": false})));
    let quote = json!({"Subject": "見積", "Quoted_Items": [{"Quantity": 2, "List_Price": 100}, {"Quantity": 1}]});
    let quote = session.org.insert("Quotes", &fields(quote)).unwrap();
    assert!(session.get("Quotes?fields=Subject,Quoted_Items").data()[0].get("Quoted_Items").is_none());
    assert_eq!(session.one("Quotes", &quote)["Quoted_Items"][0]["Quantity"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_rows_beyond_the_cut_are_found_in_their_module() {
    let session = Session::start(Options { records: 1, subscriptions: 1, ..Options::default() }).await;
    let contract = session.org.ids("Subscriptions").unwrap()[0].clone();
    let rows: Vec<Value> = (0..205).map(|nth| json!({"Plan": "プロ", "Seats": nth})).collect();
    session.update("Subscriptions", &contract, json!({ "Licences": rows }));
    let single = session.one("Subscriptions", &contract);
    assert_eq!((single["Licences"].as_array().unwrap().len(), &single["$has_more"]["Licences"]), (200, &json!(true)));
    assert_eq!(session.all("Licences?fields=Seats,Parent_Id").len(), 205);
    let kept = json!({"Licences": [{"id": single["Licences"][0]["id"], "Seats": 999}]});
    session.update("Subscriptions", &contract, kept);
    let left = session.one("Subscriptions", &contract)["Licences"].clone();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["Seats"], &left[0]["Plan"]), (1, &json!(999), &json!("プロ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_16_rich_text_is_cut_in_lists() {
    let session = Session::with(1).await;
    let id = session.org.ids("Accounts").unwrap()[0].clone();
    let text = "<b>年輪</b>𠮷".repeat(100);
    session.update("Accounts", &id, json!({ "Remarks": text }));
    let cut = session.get("Accounts?fields=Remarks").data()[0]["Remarks"].as_str().unwrap().to_owned();
    assert!(cut.chars().count() == 500 && text.starts_with(&cut));
    for path in ["Accounts/{id}/actions/fetch_full_data?fields=Remarks", "Accounts/actions/fetch_full_data?ids={id}"] {
        assert_eq!(session.get(&path.replace("{id}", &id)).data()[0]["Remarks"], text.as_str(), "{path}");
    }
}

fn sample() -> Value {
    json!({
        "Account_Name": "髙橋﨑商店", "Description": "引用 \"'` と \\ と\tタブと\n改行 👍🏽🏳️\u{200d}🌈 𠮷野家 e\u{301}",
        "Website": "https://example.co.jp/?a=1&b=%E5%B9%B4", "Industry": "製造", "Products_In_Use": ["分析", "チャット"],
        "Is_Reference": true, "Employees": 1_234, "Corporate_Number": "123456789012345678",
        "Annual_Revenue": "1234567890123456.78", "Login_Rate": "12.5", "Health_Score": "-0.1",
        "Renewal_Date": "2026-02-28", "Last_Activity_Time": "2026-02-28T14:59:59Z", "Tag": ["VIP", "要注意"],
        "Contract_Files": [{"File_Id__s": "f1", "File_Name__s": "契約書.pdf"}], "Fax": null, "Ownership": "",
        "MRR": "100000",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn line_18_values_have_the_shapes_of_their_types() {
    let session = Session::with(1).await;
    let parent = session.org.ids("Accounts").unwrap()[0].clone();
    let mut given = sample();
    given["Parent_Account"] = json!(parent);
    let id = session.org.insert("Accounts", &fields(given)).unwrap();
    let record = session.one("Accounts", &id);
    let parent_name = session.org.record("Accounts", &parent).unwrap().unwrap()["Account_Name"].clone();
    for name in [
        "Account_Name",
        "Description",
        "Industry",
        "Products_In_Use",
        "Is_Reference",
        "Employees",
        "Corporate_Number",
        "Renewal_Date",
        "Contract_Files",
        "Fax",
    ] {
        assert_eq!(record[name], sample()[name], "{name}");
    }
    for (name, expected) in [
        ("Login_Rate", json!(12.5)),
        ("Health_Score", json!(-0.1)),
        ("Last_Activity_Time", json!("2026-02-28T23:59:59+09:00")),
        ("Parent_Account", json!({"name": parent_name, "id": parent})),
        ("Ownership", Value::Null),
        ("Rating", Value::Null),
        ("ARR", json!(1_200_000)),
        ("Created_Time", json!("2026-11-01T00:00:00+09:00")),
    ] {
        assert_eq!(record[name], expected, "{name}");
    }
    assert_eq!(
        (keys(&record["Owner"]), keys(&record["Tag"][0])),
        (vec!["name", "id", "email"], vec!["name", "id", "color_code"])
    );
    // More digits than a binary number holds.
    assert!(session.get(&format!("Accounts/{id}")).text().contains("\"Annual_Revenue\":1234567890123456.78"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_18_ids_have_eighteen_or_nineteen_digits() {
    for (seed, digits) in [(1, 19), (2, 18)] {
        let session = Session::start(Options { seed, records: 3, ..Options::default() }).await;
        for record in session.get("Accounts?fields=Owner").data() {
            assert_eq!(record["id"].as_str().unwrap().len(), digits);
            assert_eq!(record["Owner"]["id"].as_str().unwrap().len(), digits);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_18_what_no_document_settles_about_empty_values_can_be_switched() {
    let session = Session::with(0).await;
    let id = session.org.insert("Accounts", &fields(json!({"MRR": 5}))).unwrap();
    let shown = || ["Rating", "Products_In_Use"].map(|name| session.one("Accounts", &id)[name].clone());
    assert_eq!(shown(), [Value::Null, Value::Null]);
    session.org.assume(|open| {
        open.none_placeholder = true;
        open.multiselect_null = false;
        open.whole_with_point = true;
    });
    assert_eq!(shown(), [json!("-None-"), json!([])]);
    assert!(session.get(&format!("Accounts/{id}")).text().contains("\"MRR\":5.0,"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_18_long_texts_and_values_of_another_type_are_kept() {
    let session = Session::with(1).await;
    let text = "樹の年輪 𠮷👍🏽\n".repeat(4_000);
    assert!(text.len() > 64 << 10);
    let id = session.account("長文");
    session.update("Accounts", &id, json!({"Description": text, "Employees": "百人"}));
    let record = session.one("Accounts", &id);
    assert_eq!((record["Description"].as_str(), record["Employees"].as_str()), (Some(text.as_str()), Some("百人")));
    assert_eq!(session.org.record("Accounts", &id).unwrap().unwrap()["Description"], text.as_str());
}

/// A value in one form, whatever it came from: ids for lookups, texts for all else.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(";"),
        Value::Object(object) => object["id"].as_str().unwrap().to_owned(),
        other => other.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_queries_and_files_say_the_same_in_their_own_words() {
    let session = Session::start(Options { records: 40, deals: 60, ..Options::default() }).await;
    session.org.insert("Accounts", &fields(sample())).unwrap();
    let names = [
        "Account_Name",
        "Industry",
        "Products_In_Use",
        "Is_Reference",
        "Employees",
        "Corporate_Number",
        "Login_Rate",
        "Renewal_Date",
        "Last_Activity_Time",
        "Owner",
        "CS_Owner",
        "ARR",
        "Deal_Count",
        "Description",
        "Modified_Time",
    ];
    let listed = session.get(&format!("Accounts?fields={}&sort_order=asc", names.join(","))).data();
    let queried = session.coql(&format!("select id, {} from Accounts where id is not null", names.join(", "))).data();
    let job = session.job(json!({"module": {"api_name": "Accounts"}, "fields": names}));
    session.done(&job);
    let table = cells(&unzip(&session.result(&job).body).1);
    assert_eq!((listed.len(), queried.len(), table.len()), (41, 41, 42));
    for (nth, (record, row)) in listed.iter().zip(&queried).enumerate() {
        assert_eq!(table[nth + 1][0], plain(&record["id"]));
        for name in names {
            let place = table[0].iter().position(|known| known == name).unwrap();
            assert_eq!([&plain(&row[name]), &table[nth + 1][place]], [&plain(&record[name]); 2], "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_44_unknown_keys_and_types_can_be_had() {
    let session = Session::start(Options { records: 1, extra_keys: true, ..Options::default() }).await;
    assert!(session.get("Accounts?fields=Phone").data()[0].get("$recently_invented__s").is_some());
    let spec =
        FieldSpec { declared: Some("hologram".to_owned()), ..FieldSpec::new("Vision", "ビジョン", FieldType::Raw) };
    session.org.add_field("Accounts", spec).unwrap();
    let id = session.org.ids("Accounts").unwrap()[0].clone();
    session.update("Accounts", &id, json!({"Vision": {"deep": [1, {"a": null}]}}));
    assert_eq!(session.get("Accounts?fields=Vision").data()[0]["Vision"], json!({"deep": [1, {"a": null}]}));
    let described = session.get("settings/fields?module=Accounts").json();
    let field = described["fields"].as_array().unwrap().iter().find(|field| field["api_name"] == "Vision").unwrap();
    assert!(field["data_type"] == "hologram" && field.get("recently_invented").is_some());
}
