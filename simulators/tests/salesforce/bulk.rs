//! Lines 41 to 46, and what lines 11, 29 and 31 say of bulk queries.

use serde_json::{Value, json};
use simulators::salesforce::{BulkOptions, Fault, FaultKind, Options, ResultOf, parse_fault};

use crate::client::{Answer, Session, fields};
use crate::csv::lines;

fn create(session: &Session, soql: &str) -> Answer {
    session.send("POST", "jobs/query", &json!({"operation": "query", "query": soql}))
}

fn made(session: &Session, soql: &str) -> String {
    let answer = create(session, soql);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn poll(session: &Session, id: &str) -> Value {
    session.data(&format!("jobs/query/{id}")).json()
}

/// A job that is done.
fn done(session: &Session, soql: &str) -> String {
    let id = made(session, soql);
    let states: Vec<Value> = (0..2).map(|_| poll(session, &id)["state"].clone()).collect();
    assert_eq!(states, ["InProgress", "JobComplete"]);
    id
}

fn results(session: &Session, id: &str, query: &str) -> Answer {
    session.data(&format!("jobs/query/{id}/results{query}"))
}

/// The lines of all pages, header rows left out.
fn all_lines(session: &Session, id: &str, size: u64) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut query = format!("?maxRecords={size}");
    loop {
        let page = results(session, id, &query);
        assert_eq!(page.status, 200);
        found.extend(lines(&page.text(), ',', "\n").into_iter().skip(1));
        match page.header("sforce-locator").unwrap() {
            "null" => return found,
            locator => query = format!("?maxRecords={size}&locator={locator}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_41_a_job_goes_through_its_states() {
    let session = Session::with_accounts(10).await;
    let answer = create(&session, "SELECT Id FROM Account");
    assert_eq!(answer.status, 200);
    let job = answer.json();
    let id = job["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("750") && id.len() == 18);
    let expected = json!({"id": id, "operation": "query", "object": "Account", "createdById": job["createdById"],
        "createdDate": "2026-10-31T15:00:00.000+0000", "systemModstamp": "2026-10-31T15:00:00.000+0000",
        "state": "UploadComplete", "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": 66.0,
        "lineEnding": "LF", "columnDelimiter": "COMMA"});
    assert_eq!(job, expected);
    let running = poll(&session, &id);
    assert_eq!((&running["state"], &running["jobType"]), (&json!("InProgress"), &json!("V2Query")));
    let ended = poll(&session, &id);
    assert_eq!((&ended["state"], &ended["numberRecordsProcessed"]), (&json!("JobComplete"), &json!(10)));
    assert!(["retries", "totalProcessingTime", "isPkChunkingSupported"].iter().all(|key| ended.get(key).is_some()));
    assert!(!ended.to_string().contains("SELECT") && ended.get("errorMessage").is_none());

    session.org.set_bulk(|bulk| {
        *bulk = BulkOptions { waiting_polls: 1, waiting_secs: 10, running_polls: 2, running_secs: 20, ..*bulk };
    });
    let id = made(&session, "SELECT Id FROM Account");
    let mut states = Vec::new();
    for _ in 0..5 {
        states.push(poll(&session, &id)["state"].as_str().unwrap().to_owned());
        session.org.advance(10);
    }
    assert_eq!(states, ["UploadComplete", "InProgress", "InProgress", "JobComplete", "JobComplete"]);
    session.org.set_bulk(|bulk| *bulk = BulkOptions { running_polls: 0, ..BulkOptions::default() });
    let id = made(&session, "SELECT Id FROM Account");
    assert_eq!(poll(&session, &id)["state"], "JobComplete");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_42_what_bulk_queries_cannot_do_is_refused_at_once() {
    let session = Session::with_accounts(1).await;
    session.org.refuse_bulk("Contract", true).unwrap();
    let compound = "Selecting compound data not supported in Bulk Query";
    for (soql, code, message) in [
        ("SELECT Id FRM Account", "MALFORMED_QUERY", "unexpected token: 'FRM'"),
        ("SELECT Id, Nothing FROM Account", "INVALID_FIELD", "No such column 'Nothing'"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported"),
        ("SELECT BillingAddress FROM Account", "FUNCTIONALITY_NOT_ENABLED", compound),
        ("SELECT Account.BillingAddress FROM Contact", "FUNCTIONALITY_NOT_ENABLED", compound),
        ("SELECT Id FROM CaseStatus", "INVALIDENTITY", "Entity 'CaseStatus' is not supported by the Bulk API."),
        ("SELECT Id FROM contract", "INVALIDENTITY", "Entity 'Contract' is not supported by the Bulk API."),
        ("SELECT Name FROM Account GROUP BY Name", "MALFORMED_QUERY", "GROUP"),
        ("SELECT Id FROM Account LIMIT 1 OFFSET 0", "FUNCTIONALITY_NOT_ENABLED", "OFFSET"),
        ("SELECT COUNT() FROM Account", "FUNCTIONALITY_NOT_ENABLED", "Aggregate"),
        ("SELECT MAX(Name) FROM Account", "FUNCTIONALITY_NOT_ENABLED", "Aggregate"),
        ("SELECT FIELDS(STANDARD) FROM Account", "FUNCTIONALITY_NOT_ENABLED", "FIELDS"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "FUNCTIONALITY_NOT_ENABLED", "Aggregate Relationships"),
    ] {
        let answer = create(&session, soql);
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{soql}");
        assert!(answer.message().contains(message), "{soql}: {}", answer.message());
    }
    session.org.refuse_bulk("Contract", false).unwrap();
    assert_eq!(create(&session, "SELECT Id, Account.Name FROM Contract").status, 200);
    for body in [
        json!({"operation": "insert", "query": "SELECT Id FROM Account"}),
        json!({"operation": "query", "query": "SELECT Id FROM Account", "columnDelimiter": ","}),
        json!({"operation": "query", "query": "SELECT Id FROM Account", "contentType": "JSON"}),
        json!({"operation": "query"}),
        json!([]),
    ] {
        assert_eq!(session.send("POST", "jobs/query", &body).status, 400, "{body}");
    }
    assert_eq!(session.data("limits").json()["DailyBulkV2QueryJobs"]["Remaining"], 9_999);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_results_come_in_pages_that_can_be_read_again() {
    let session = Session::with_accounts(2_500).await;
    let soql = "SELECT Name, Id, Industry FROM Account";
    let id = done(&session, soql);
    session.account("後から");
    let first = results(&session, &id, "?maxRecords=1000");
    assert_eq!(first.status, 200);
    assert_eq!(
        (first.header("content-type"), first.header("sforce-numberofrecords")),
        (Some("text/csv"), Some("1000"))
    );
    let locator = first.header("sforce-locator").unwrap().to_owned();
    let page = lines(&first.text(), ',', "\n");
    assert_eq!((page.len(), &page[0]), (1_001, &vec!["Name".to_owned(), "Id".to_owned(), "Industry".to_owned()]));
    let second = results(&session, &id, &format!("?maxRecords=1000&locator={locator}"));
    assert_eq!(lines(&second.text(), ',', "\n")[0], page[0]);
    assert_eq!(results(&session, &id, &format!("?maxRecords=1000&locator={locator}")).text(), second.text());
    let mut ids: Vec<String> = all_lines(&session, &id, 700).into_iter().map(|mut line| line.remove(1)).collect();
    ids.sort();
    let expected: Vec<Value> = session.column("SELECT Id FROM Account WHERE Name != '後から' ORDER BY Id", "Id");
    assert_eq!(json!(ids), json!(expected));
    let whole = results(&session, &id, "");
    assert_eq!((whole.header("sforce-numberofrecords"), whole.header("sforce-locator")), (Some("2500"), Some("null")));
    assert_eq!(session.org.calls().last().unwrap().rows, 2_500);
    let path = format!("/services/data/v66.0/jobs/query/{id}/results");
    let packed = session.get_with(&path, &[("Accept-Encoding", "gzip")]);
    assert_eq!((packed.header("content-encoding"), packed.text()), (Some("gzip"), whole.text()));

    let pages = session.data(&format!("jobs/query/{id}/resultPages?maxRecords=400")).json();
    assert_eq!((pages["resultPages"].as_array().unwrap().len(), &pages["done"]), (5, &json!(false)));
    let rest = session.get(pages["nextRecordsUrl"].as_str().unwrap()).json();
    assert_eq!((rest["resultPages"].as_array().unwrap().len(), &rest["done"]), (2, &json!(true)));
    let last = session.get(rest["resultPages"][1]["resultUrl"].as_str().unwrap());
    assert_eq!((last.header("sforce-numberofrecords"), last.header("sforce-locator")), (Some("100"), Some("null")));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_a_result_without_records_has_a_header_or_nothing() {
    let session = Session::empty().await;
    let id = done(&session, "SELECT Id, Owner.Name FROM Account");
    let empty = results(&session, &id, "");
    assert_eq!((empty.status, empty.text().as_str()), (200, "\"Id\",\"Owner.Name\"\n"));
    assert_eq!((empty.header("sforce-numberofrecords"), empty.header("sforce-locator")), (Some("0"), Some("null")));
    session.org.set_bulk(|bulk| bulk.empty_without_header = true);
    let bare = results(&session, &id, "");
    assert_eq!((bare.status, bare.body.len(), bare.header("sforce-numberofrecords")), (200, 0, Some("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_delimiters_line_endings_and_headers_can_be_chosen() {
    let session = Session::with_accounts(3).await;
    for (name, delimiter) in
        [("BACKQUOTE", '`'), ("CARET", '^'), ("COMMA", ','), ("PIPE", '|'), ("SEMICOLON", ';'), ("TAB", '\t')]
    {
        let body = json!({"operation": "queryAll", "query": "SELECT Id, Name FROM Account ORDER BY Id",
            "columnDelimiter": name, "lineEnding": "CRLF"});
        let job = session.send("POST", "jobs/query", &body).json();
        assert_eq!((&job["columnDelimiter"], &job["lineEnding"]), (&json!(name), &json!("CRLF")));
        let id = job["id"].as_str().unwrap();
        let _ = (poll(&session, id), poll(&session, id));
        assert_eq!(lines(&results(&session, id, "").text(), delimiter, "\r\n").len(), 4);
    }
    session.org.set_bulk(|bulk| bulk.header_once = true);
    let id = done(&session, "SELECT Id FROM Account");
    let first = results(&session, &id, "?maxRecords=2");
    let locator = first.header("sforce-locator").unwrap();
    let second = results(&session, &id, &format!("?maxRecords=2&locator={locator}"));
    assert_eq!((first.text().lines().count(), second.text().lines().count()), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_only_query_all_finds_the_bin() {
    let session = Session::empty().await;
    let [_, gone] = ["残る", "消える"].map(|name| session.account(name));
    session.org.delete("Account", &gone).unwrap();
    let count = |operation: &str| {
        let body = json!({"operation": operation, "query": "SELECT Id, IsDeleted FROM Account"});
        let id = session.send("POST", "jobs/query", &body).json()["id"].as_str().unwrap().to_owned();
        let _ = poll(&session, &id);
        poll(&session, &id)["numberRecordsProcessed"].clone()
    };
    assert_eq!((count("query"), count("queryAll")), (json!(1), json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_a_result_need_not_be_of_one_instant() {
    for (result_of, expected) in [(ResultOf::Creation, 0), (ResultOf::Completion, 100), (ResultOf::Both, 50)] {
        let session = Session::with_accounts(100).await;
        session.org.set_bulk(|bulk| bulk.result_of = result_of);
        let id = made(&session, "SELECT Id, Rating FROM Account");
        session.org.mass_update("Account", "", &fields(json!({"Rating": "後"}))).unwrap();
        session.account("新しい");
        let _ = (poll(&session, &id), poll(&session, &id));
        let lines = all_lines(&session, &id, 1_000);
        assert_eq!(lines.iter().filter(|line| line[1] == "後").count(), expected, "{result_of:?}");
        assert_eq!(lines.len(), if result_of == ResultOf::Creation { 100 } else { 101 }, "{result_of:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_44_calls_out_of_turn_are_refused() {
    let session = Session::with_accounts(2).await;
    let id = made(&session, "SELECT Id FROM Account");
    let path = format!("jobs/query/{id}");
    let early = results(&session, &id, "");
    assert_eq!((early.status, early.code().as_str()), (412, "JOB_NOT_COMPLETE"));
    assert!(early.message().ends_with("Current status: UPLOAD_COMPLETE"));
    session.org.set_bulk(|bulk| bulk.early_status = 204);
    let early = results(&session, &id, "");
    assert_eq!((early.status, early.body.len()), (204, 0));
    let live = session.send("DELETE", &path, &Value::Null);
    let message = "Error encountered when deleting the job because the job is not terminated";
    assert_eq!((live.status, live.code().as_str(), live.message().as_str()), (400, "API_ERROR", message));
    assert_eq!(session.data("jobs/query/750000000000000AAA/results").status, 404);
    assert_eq!(session.data("jobs/query/nonsense").code(), "NOT_FOUND");

    let _ = (poll(&session, &id), poll(&session, &id));
    assert_eq!(session.get(&format!("/services/data/v65.0/{path}/results")).status, 409);
    assert_eq!(session.get(&format!("/services/data/v46.0/{path}")).status, 404);
    assert_eq!(results(&session, &id, "?locator=nonsense").status, 400);
    assert_eq!(session.send("PATCH", &path, &json!({"state": "Aborted"})).status, 400);
    assert_eq!(session.send("DELETE", &path, &Value::Null).status, 204);
    assert_eq!(session.data(&path).status, 404);

    let id = made(&session, "SELECT Id FROM Account");
    assert_eq!(poll(&session, &id)["state"], "InProgress");
    let aborted = session.send("PATCH", &format!("jobs/query/{id}"), &json!({"state": "Aborted"}));
    assert_eq!((aborted.status, &aborted.json()["state"]), (200, &json!("Aborted")));
    assert_eq!(poll(&session, &id)["state"], "Aborted");
    assert_eq!(results(&session, &id, "").status, 204);
    assert_eq!(session.send("POST", &format!("jobs/query/{id}"), &json!({})).status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_44_jobs_are_listed() {
    let session = Session::with_accounts(1).await;
    let ids: Vec<String> = (0..3).map(|_| made(&session, "SELECT Id FROM Account")).collect();
    let list = session.data("jobs/query?jobType=V2Query&concurrencyMode=parallel&queryLocator=").json();
    assert_eq!((&list["done"], &list["nextRecordsUrl"]), (&json!(true), &Value::Null));
    let listed: Vec<&str> = list["records"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!(listed, ids);
    assert_eq!(list["records"][0]["jobType"], "V2Query");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_45_jobs_and_their_results_can_go_wrong() {
    let session = Session::with_accounts(500).await;
    let soql = "SELECT Id, Name FROM Account";
    for (spec, message) in [
        (
            "job-fails@/jobs/query",
            Some("InvalidBatch : Failed to process query: QUERY_TIMEOUT: Your query request was running for too long."),
        ),
        ("job-fails=Retried more than fifteen times@POST*FROM Account", Some("Retried more than fifteen times")),
        ("job-fails=@GET*/jobs/query/750", None),
        (
            "timeout=100@/jobs/query*FROM Account",
            Some("InvalidBatch : Failed to process query: QUERY_TIMEOUT: Your query request was running for too long."),
        ),
    ] {
        session.org.arm(parse_fault(spec).unwrap());
        let id = made(&session, soql);
        let _ = poll(&session, &id);
        let failed = poll(&session, &id);
        assert_eq!((&failed["state"], failed["errorMessage"].as_str()), (&json!("Failed"), message), "{spec}");
        assert_eq!(results(&session, &id, "").status, 412);
        session.org.disarm();
    }
    session.org.arm(parse_fault("job-sticks@POST*/jobs/query").unwrap());
    let stuck = made(&session, soql);
    let states: Vec<Value> = (0..9).map(|_| poll(&session, &stuck)["state"].clone()).collect();
    assert!(states.iter().all(|state| state == "UploadComplete"));
    assert_eq!(session.send("PATCH", &format!("jobs/query/{stuck}"), &json!({"state": "Aborted"})).status, 200);
    session.org.arm(parse_fault("drop@POST*/jobs/query").unwrap());
    assert_eq!(create(&session, soql).status, 0);
    let list = session.data("jobs/query").json();
    assert_eq!(list["records"].as_array().unwrap().last().unwrap()["state"], "UploadComplete");

    session.org.arm(parse_fault("phantoms=2@GET*/jobs/query/750#2").unwrap());
    let id = made(&session, soql);
    let _ = poll(&session, &id);
    assert_eq!(poll(&session, &id)["numberRecordsProcessed"], 502);
    assert_eq!(poll(&session, &id)["numberRecordsProcessed"], 500);
    let struck = |spec: &str, query: &str| {
        session.org.arm(parse_fault(&format!("{spec}@/results")).unwrap());
        results(&session, &id, query)
    };
    let count = |page: &Answer| lines(&page.text(), ',', "\n").len() as u64 - 1;
    let told = |page: &Answer| page.header("sforce-numberofrecords").unwrap().parse::<u64>().unwrap();
    let wrong = struck("phantoms=7", "");
    assert_eq!((count(&wrong), told(&wrong)), (500, 507));
    let short = struck("lose=3", "");
    assert_eq!((count(&short), told(&short)), (497, 497));
    let bare = struck("no-locator", "");
    assert_eq!((bare.status, bare.header("sforce-locator")), (200, None));
    let small = struck("short=100", "");
    assert_eq!((count(&small), told(&small)), (100, 100));
    let locator = small.header("sforce-locator").unwrap();
    let stale = struck("stale-locator", &format!("?locator={locator}"));
    assert_eq!((stale.status, stale.code().as_str()), (400, "INVALID_QUERY_LOCATOR"));
    session.org.arm(parse_fault("repeat@/results*locator").unwrap());
    assert_eq!(all_lines(&session, &id, 200).len(), 700);
    for (kind, announced, whole) in [
        (FaultKind::CutChunked(10_000), false, false),
        (FaultKind::CutLength(10_000), true, false),
        (FaultKind::CutJson(10_000), false, true),
    ] {
        session.org.arm(Fault::once(kind.clone(), "/results"));
        let cut = results(&session, &id, "");
        assert_eq!((cut.status, cut.body.len(), cut.is_whole), (200, 10_000, whole), "{kind:?}");
        assert_eq!(cut.header("content-length").is_some(), announced, "{kind:?}");
    }
    session.org.arm(parse_fault("503@/results").unwrap());
    assert_eq!((results(&session, &id, "").status, results(&session, &id, "").status), (503, 200));
    session.org.drop_jobs();
    assert_eq!(results(&session, &id, "").status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_46_jobs_and_storage_have_their_quotas() {
    let bulk = BulkOptions { daily_jobs: 2, daily_kilobytes: 30, ..BulkOptions::default() };
    let session =
        Session::start(Options { records: 1_000, bulk, session_secs: 10_000_000, ..Options::default() }).await;
    let left = |what: &str| session.data("limits").json()[what]["Remaining"].clone();
    assert_eq!(left("DailyBulkV2QueryJobs"), 2);
    let id = done(&session, "SELECT Id FROM Account");
    assert_eq!(left("DailyBulkV2QueryJobs"), 1);
    let _ = done(&session, "SELECT Id FROM Account");
    let refused = create(&session, "SELECT Id FROM Account");
    assert_eq!((refused.status, refused.code().as_str()), (400, "LIMIT_EXCEEDED"));
    assert_eq!(refused.message(), "Max bulk v2 query jobs (2) per 24 hrs has been reached");
    session.org.set_bulk(|bulk| bulk.daily_jobs = 100);
    let refused = create(&session, "SELECT Id FROM Account");
    assert_eq!(refused.message(), "Max bulk v2 query result size stored (30) kb per 24 hrs has been exceeded");
    session.org.advance(86_400);
    assert_eq!(create(&session, "SELECT Id FROM Account").status, 200);
    session.org.advance(6 * 86_400 - 1);
    assert_eq!(results(&session, &id, "").status, 200);
    session.org.advance(1);
    assert_eq!((results(&session, &id, "").status, session.data(&format!("jobs/query/{id}")).status), (404, 404));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_29_values_have_the_form_of_bulk_results() {
    let values = json!({
        "Name": "形式", "MRR__c": "98000", "AnnualRevenue": "99213206", "LoginRate__c": "75", "Products__c": "顧客管理;分析",
        "SupportStart__c": "08:30:00.000Z", "LastLoginAt__c": "2026-01-01T09:00:00+09:00", "RenewalDate__c": "2026-01-31",
        "NumberOfEmployees": 12,
    });
    let soql = "SELECT Id, MRR__c, AnnualizedMRR__c, AnnualRevenue, LoginRate__c, Products__c, SupportStart__c, LastLoginAt__c, \
                RenewalDate__c, NumberOfEmployees, IsDeleted, Rating, Parent.Name FROM Account";
    let session = Session::empty().await;
    let id = session.org.insert("Account", &fields(values)).unwrap();
    let expected = |zone: &str| {
        format!(
            r#""{id}","98000.0","1176000.0","9.9213206E7","75.0","顧客管理;分析","08:30:00.000Z","2026-01-01T00:00:00.000{zone}","2026-01-31","12","false","",""
"#
        )
    };
    for (datetime_offset, zone) in [(false, "Z"), (true, "+0000")] {
        session.org.set_bulk(|bulk| bulk.datetime_offset = datetime_offset);
        let job = done(&session, soql);
        let text = results(&session, &job, "").text();
        assert!(text.ends_with(&expected(zone)), "{text}");
        assert!(text.starts_with("\"Id\",\"MRR__c\",") && text.contains("\"Rating\",\"Parent.Name\"\n"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_31_odd_texts_survive_in_cells() {
    let session = Session::empty().await;
    let odd = [
        "引用\"符\"",
        "行1\n行2\r\n",
        "a,b;c\td",
        "😀年輪",
        "nul\u{0}!",
        "N/A",
        "null",
        "007",
        " 空白 ",
        "\\n",
        "\"",
        "",
    ];
    for text in odd {
        let _ = session.org.insert("Account", &fields(json!({"Name": "名前", "Description": text}))).unwrap();
    }
    let job = done(&session, "SELECT Description FROM Account ORDER BY Id");
    let read: Vec<String> = all_lines(&session, &job, 5).into_iter().map(|mut line| line.remove(0)).collect();
    assert_eq!(read, odd);
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_is_controlled_over_http() {
    let session = Session::with_accounts(1).await;
    let control = |action: &str, body: Value| {
        crate::client::send(&format!("{}/_sim/{action}", session.base), "POST", &[], body.to_string().as_bytes())
    };
    let options = json!({"options": {"running_polls": 0, "result_of": "both"}});
    assert_eq!(control("bulk", options).status, 200);
    let id = made(&session, "SELECT Id FROM Account");
    assert_eq!(poll(&session, &id)["state"], "JobComplete");
    assert_eq!(control("refuse_bulk", json!({"object": "Account"})).status, 200);
    assert_eq!(create(&session, "SELECT Id FROM Account").code(), "INVALIDENTITY");
    assert_eq!(control("drop_jobs", json!({})).status, 200);
    assert_eq!(session.data(&format!("jobs/query/{id}")).status, 404);
    assert_eq!(control("bulk", json!({"options": {"nonsense": 1}})).status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_is_read_to_its_end() {
    let session = Session::with_accounts(1_000_000).await;
    session.org.set_bulk(|bulk| bulk.page_size = 1_000_000);
    let id = done(&session, "SELECT Id FROM Account WHERE Id != null");
    let last = results(&session, &id, "?maxRecords=20000");
    assert_eq!(last.header("sforce-numberofrecords"), Some("20000"));
    assert_eq!(poll(&session, &id)["numberRecordsProcessed"], 1_000_000);
}
