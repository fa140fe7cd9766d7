//! Lines 37 to 39: bulk read.

use serde_json::{Value, json};
use simulators::zoho::{BulkOptions, Options, parse_fault};

use crate::client::{Session, cells, unzip};

#[tokio::test(flavor = "multi_thread")]
async fn line_37_a_job_goes_through_its_states() {
    let bulk = BulkOptions { added_polls: 1, waiting_secs: 30, running_secs: 60, ..BulkOptions::default() };
    let session = Session::start(Options { records: 3, bulk, ..Options::default() }).await;
    let created = session.bulk(json!({"module": {"api_name": "Accounts"}, "fields": ["Phone"]})).data()[0].clone();
    assert_eq!((&created["code"], &created["details"]["state"]), (&json!("ADDED_SUCCESSFULLY"), &json!("ADDED")));
    let job = created["details"]["id"].as_str().unwrap();
    let state = || session.poll(job)["state"].as_str().unwrap().to_owned();
    assert_eq!([state(), state(), state()], ["ADDED", "QUEUED", "QUEUED"]);
    session.org.advance(30);
    assert_eq!([state(), state()], ["IN PROGRESS", "IN PROGRESS"]);
    session.org.advance(60);
    assert_eq!(state(), "COMPLETED");
    let result = session.poll(job)["result"].clone();
    assert_eq!(
        (&result["count"], &result["more_records"], &result["next_page_token"]),
        (&json!(3), &json!(false), &Value::Null)
    );
    assert_eq!(result["download_url"], format!("/crm/bulk/v8/read/{job}/result"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_37_jobs_fail_and_stick() {
    let bulk = BulkOptions { failing_job: Some(1), ..BulkOptions::default() };
    let session = Session::start(Options { records: 3, bulk, ..Options::default() }).await;
    let query = || json!({"module": {"api_name": "Accounts"}, "fields": ["Phone"]});
    let failed = session.done(&session.job(query()));
    assert_eq!(failed["state"], "FAILURE");
    assert!(failed["result"]["error_message"]["code"].is_string());
    session.org.arm(parse_fault("job-fails@POST*/bulk/").unwrap());
    assert_eq!(session.done(&session.job(query()))["state"], "FAILURE");
    session.org.arm(parse_fault("job-sticks@POST*/bulk/").unwrap());
    let stuck = session.job(query());
    assert!((0..9).all(|_| session.poll(&stuck)["state"] == "ADDED"));
    assert_eq!(session.done(&session.job(query()))["state"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_38_the_result_is_a_table_in_a_zip_file() {
    let session = Session::start(Options { records: 4, deals: 3, ..Options::default() }).await;
    let deal = session.org.ids("Deals").unwrap()[0].clone();
    let text = "一行目\n二行目, \"引用\"";
    session.update("Deals", &deal, json!({"Description": text, "Tag": ["VIP", "要注意"]}));
    let names = [
        "id",
        "Deal_Name",
        "Account_Name",
        "Account_Name.Account_Name",
        "Description",
        "Tag",
        "Owner",
        "Modified_Time",
    ];
    let job = session.job(json!({"module": {"api_name": "Deals"}, "fields": names}));
    session.done(&job);
    let result = session.result(&job);
    assert_eq!(result.header("content-type"), Some("application/x-download"));
    let (name, table) = unzip(&result.body);
    assert_eq!(name, format!("{job}.csv"));
    let table = cells(&table);
    assert_eq!((table.len(), table[0].len(), table[0][0].as_str()), (4, names.len(), "Id"));
    assert_ne!(table[0][1..], names[1..], "the order of columns is not that of the request");
    let cell = |name: &str| table[1][table[0].iter().position(|known| known == name).unwrap()].clone();
    let record = session.one("Deals", &deal);
    assert_eq!(cell("Account_Name"), record["Account_Name"]["id"].as_str().unwrap());
    assert_eq!(cell("Account_Name.Account_Name"), record["Account_Name"]["name"].as_str().unwrap());
    assert_eq!(cell("Owner"), record["Owner"]["id"].as_str().unwrap());
    assert_eq!((cell("Description").as_str(), cell("Tag").as_str()), (text, "VIP,要注意"));
    assert_eq!(cell("Modified_Time"), record["Modified_Time"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_38_pages_go_on_by_token_and_by_number() {
    let bulk = BulkOptions { page_rows: 40, last_page: 3, ..BulkOptions::default() };
    let session = Session::start(Options { records: 100, bulk, ..Options::default() }).await;
    let paged = |page: u64| json!({"module": {"api_name": "Accounts"}, "fields": ["Phone"], "page": page});
    let mut job = session.job(paged(1));
    let mut seen = Vec::new();
    loop {
        let result = session.done(&job)["result"].clone();
        seen.extend(cells(&unzip(&session.result(&job).body).1).into_iter().skip(1).map(|row| row[0].clone()));
        let Some(token) = result["next_page_token"].as_str() else { break };
        assert_eq!((&result["more_records"], &result["per_page"]), (&json!(true), &json!(40)));
        // What is deleted meanwhile shifts nothing here, and by number it does.
        session.org.delete("Accounts", &seen[seen.len() - 40]).unwrap();
        job = session.job(json!({ "page_token": token }));
    }
    assert_eq!(seen.len(), 100);
    assert_eq!(session.done(&session.job(paged(3)))["result"]["count"], 18);
    let beyond = session.bulk(paged(4));
    assert_eq!(beyond.error(), (400, "PAGE_RANGE_EXCEEDED".to_owned()));
    assert_eq!(beyond.json()["details"], json!({"max_limit": 3}));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_38_a_page_holds_two_hundred_thousand_rows() {
    let session = Session::with(200_001).await;
    let job = session.job(json!({"module": {"api_name": "Accounts"}, "fields": ["Account_Number"]}));
    let result = session.done(&job)["result"].clone();
    assert_eq!((&result["count"], &result["more_records"]), (&json!(200_000), &json!(true)));
    assert_eq!(unzip(&session.result(&job).body).1.lines().count(), 200_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_39_what_is_not_ready_or_gone_or_unsupported_is_refused() {
    let mut session = Session::with(3).await;
    let job = session.job(json!({"module": {"api_name": "Accounts"}, "fields": ["Phone"]}));
    assert_eq!(session.result(&job).error().0, 400);
    session.done(&job);
    assert_eq!(session.result(&job).status, 200);
    session.org.advance(86_400);
    session.renew();
    assert_eq!(session.result(&job).error().0, 400);
    session.org.set_bulk(BulkOptions { not_ready_missing: true, ..BulkOptions::default() });
    assert_eq!(session.result(&job).error().0, 404);
    let accounts = |name: &str, value: Value| {
        let mut query = json!({"module": {"api_name": "Accounts"}});
        query[name] = value;
        query
    };
    let condition = json!({"field": {"api_name": "Nothing"}, "comparator": "equal", "value": "x"});
    for (query, code) in [
        (json!({"module": {"api_name": "Subscriptions"}, "fields": ["Licences"]}), "FIELD_NOT_SUPPORTED"),
        (json!({"module": {"api_name": "Subscriptions"}, "fields": ["Partners"]}), "FIELD_NOT_SUPPORTED"),
        (accounts("fields", json!(["Contract_Files"])), "FIELD_NOT_SUPPORTED"),
        (accounts("fields", json!(["Nothing"])), "FIELD_NOT_AVAILABLE"),
        (json!({"module": {"api_name": "Nothings"}}), "MODULE_NOT_AVAILABLE"),
        (json!({"module": {"api_name": "Notes"}}), "MODULE_NOT_SUPPORTED"),
        (accounts("criteria", condition), "FIELD_IN_CRITERIA_NOT_AVAILABLE"),
        (accounts("criteria", json!({"group_operator": "xor", "group": []})), "INVALID_CRITERIA"),
        (json!({"page_token": "x"}), "INVALID_DATA"),
    ] {
        assert_eq!(session.bulk(query.clone()).error(), (400, code.to_owned()), "{query}");
    }
    let form = session.call("POST", "/crm/bulk/v8/read", &[("Content-Type", "text/plain")], b"{}");
    assert_eq!(form.error(), (415, "MEDIA_TYPE_NOT_SUPPORTED".to_owned()));
    assert_eq!(session.call("GET", "/crm/bulk/v8/read/5", &[], b"").error(), (404, "RESOURCE_NOT_FOUND".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn criteria_choose_and_a_job_knows_what_was_there_when_it_was_done() {
    let session = Session::with(30).await;
    let ids = session.org.ids("Accounts").unwrap();
    session.org.advance(60);
    for id in &ids[..4] {
        session.update("Accounts", id, json!({"Fax": "前"}));
    }
    let since = json!({"field": {"api_name": "Modified_Time"}, "comparator": "greater_equal", "value": "2026-11-01T00:01:00+09:00"});
    let fax = json!({"field": {"api_name": "Fax"}, "comparator": "contains", "value": "前"});
    let criteria = json!({"group_operator": "and", "group": [since, fax]});
    let ask = || session.job(json!({"module": {"api_name": "Accounts"}, "fields": ["Fax"], "criteria": criteria}));
    let job = ask();
    session.org.delete("Accounts", &ids[0]).unwrap();
    assert_eq!(session.done(&job)["result"]["count"], 3);
    session.update("Accounts", &ids[1], json!({"Fax": "後"}));
    let text = unzip(&session.result(&job).body).1;
    assert!(!text.contains('後') && text.lines().count() == 4);
    session.org.set_bulk(BulkOptions { as_of_creation: true, ..BulkOptions::default() });
    let job = ask();
    session.org.delete("Accounts", &ids[2]).unwrap();
    assert_eq!(session.done(&job)["result"]["count"], 2);
    let all = session.job(json!({"module": {"api_name": "Accounts"}}));
    session.done(&all);
    let header = cells(&unzip(&session.result(&all).body).1)[0].len();
    let described = session.get("settings/fields?module=Accounts").json()["fields"].as_array().unwrap().len();
    assert_eq!(header, described - 1, "all but the files");
}
