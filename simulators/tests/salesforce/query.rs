//! Lines 15 to 28: queries and their pages.

use std::collections::HashSet;

use serde_json::{Value, json};
use simulators::salesforce::Options;

use crate::client::{Session, encode, fields, send};

fn set(values: &[Value]) -> HashSet<String> {
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_queries_are_read_only_and_a_plus_is_a_space() {
    let session = Session::with_accounts(3).await;
    let path = format!("{}/services/data/v66.0/query?q=SELECT+Id+FROM+Account", session.base);
    let bearer = format!("Bearer {}", session.token);
    let posted = send(&path, "POST", &[("Authorization", bearer.as_str())], b"");
    assert_eq!((posted.status, posted.code().as_str()), (405, "METHOD_NOT_ALLOWED"));
    let zoned = "SELECT+Id+FROM+Account+WHERE+CreatedDate%3E2020-01-01T00:00:00";
    assert_eq!(session.data(&format!("query?q={zoned}%2B09:00")).status, 200);
    let broken = session.data(&format!("query?q={zoned}+09:00"));
    assert_eq!((broken.status, broken.code().as_str()), (400, "MALFORMED_QUERY"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_16_pages_have_their_shape() {
    let session = Session::with_accounts(450).await;
    let options = [("Sforce-Query-Options", "batchSize=200")];
    let path = format!("/services/data/v66.0/query?q={}", encode("SELECT Id FROM Account"));
    let first = session.get_with(&path, &options).json();
    assert_eq!((&first["totalSize"], &first["done"]), (&json!(450), &json!(false)));
    assert_eq!(first["records"].as_array().unwrap().len(), 200);
    let next = first["nextRecordsUrl"].as_str().unwrap();
    assert!(next.starts_with("/services/data/v66.0/query/0r8") && next.ends_with("-200"), "{next}");
    let second = session.get(next).json();
    assert_eq!(second["totalSize"], 450);
    let third = session.get(second["nextRecordsUrl"].as_str().unwrap()).json();
    assert_eq!((&third["done"], third["records"].as_array().unwrap().len()), (&json!(true), 50));
    assert!(third.get("nextRecordsUrl").is_none());
    let empty = session.query("SELECT Id FROM Contact").text();
    assert_eq!(empty, r#"{"totalSize":0,"done":true,"records":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_17_the_batch_size_is_a_hint_within_bounds() {
    let session = Session::with_accounts(4_500).await;
    let page = |soql: &str, size: &str| {
        let path = format!("/services/data/v66.0/query?q={}", encode(soql));
        let option = format!("batchSize={size}");
        session.get_with(&path, &[("Sforce-Query-Options", &option)]).json()["records"].as_array().unwrap().len()
    };
    let soql = "SELECT Id FROM Account";
    assert_eq!(session.query(soql).json()["records"].as_array().unwrap().len(), 2_000);
    assert_eq!([page(soql, "250"), page(soql, "1"), page(soql, "9000")], [250, 200, 2_000]);
    let note = simulators::salesforce::FieldSpec::textarea("Memo__c", "メモ", 32_000);
    session.org.add_field("Account", note).unwrap();
    assert_eq!(page("SELECT Id, CsmNote__c FROM Account", "2000"), 2_000);
    assert_eq!(page("SELECT Id, CsmNote__c, Memo__c FROM Account", "2000"), 200);

    let ragged =
        Session::start(Options { records: 500, ragged_pages: true, page_size: 100, ..Options::default() }).await;
    assert_eq!(set(&ragged.column(soql, "Id")).len(), 500);
    let sizes: HashSet<u64> = ragged.org.calls().iter().map(|call| call.rows).collect();
    assert!(sizes.len() > 3 && sizes.iter().all(|&size| size <= 100), "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_18_a_cursor_is_stable_fixed_and_mortal() {
    let session =
        Session::start(Options { records: 50, page_size: 20, session_secs: 1_000_000, ..Options::default() }).await;
    let soql = "SELECT Id, Name FROM Account";
    let before = session.column(soql, "Name");
    assert_eq!(before.len(), 50);
    let first = session.query(soql).json();
    let next = first["nextRecordsUrl"].as_str().unwrap().to_owned();
    let locator = next.rsplit('/').next().unwrap();
    assert_eq!(locator.split('-').next().unwrap().len(), 18);
    let page = session.get(&next).text();
    session.account("新しい取引先");
    session.org.mass_update("Account", "", &fields(json!({"Name": "変わった"}))).unwrap();
    for id in session.column("SELECT Id FROM Account LIMIT 20", "Id") {
        session.org.delete("Account", id.as_str().unwrap()).unwrap();
    }
    assert_eq!(session.get(&next).text(), page);
    let rest = session.drain(session.get(&next));
    let seen: Vec<Value> =
        first["records"].as_array().unwrap().iter().chain(&rest).map(|row| row["Name"].clone()).collect();
    assert_eq!(set(&seen), set(&before));
    assert_eq!(session.column(soql, "Name").len(), 31);

    session.org.advance(2 * 86_400 - 1);
    assert_eq!(session.get(&next).text(), page);
    session.org.advance(1);
    let dead = session.get(&next);
    assert_eq!(
        (dead.status, dead.code().as_str(), dead.message().as_str()),
        (400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    );
    assert_eq!(session.data("query/0r8000000000000AAA-2000").code(), "INVALID_QUERY_LOCATOR");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_19_records_have_attributes_and_explicit_nulls() {
    let session = Session::empty().await;
    let id = session.account("属性");
    let text =
        session.get(&format!("/services/data/v60.0/query?q={}", encode("SELECT Id, name, Phone FROM account"))).text();
    let record = format!(
        r#"{{"attributes":{{"type":"Account","url":"/services/data/v60.0/sobjects/Account/{id}"}},"Id":"{id}","Name":"属性","Phone":null}}"#
    );
    assert_eq!(text, format!(r#"{{"totalSize":1,"done":true,"records":[{record}]}}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_20_parents_nest_and_children_are_paged() {
    let session = Session::start(Options { page_size: 3, ..Options::default() }).await;
    let account = session.account("親");
    let lonely = session.account("子なし");
    for number in 0..7 {
        let contact = json!({"LastName": format!("人{number}"), "AccountId": account});
        session.org.insert("Contact", &fields(contact)).unwrap();
    }
    session.org.insert("Contact", &fields(json!({"LastName": "独り"}))).unwrap();
    let soql = "SELECT Id, Account.Name, Account.Owner.Name, Account.Id FROM Contact ORDER BY Name DESC";
    let contacts = session.records(soql);
    assert!(contacts[0]["Account"].is_null());
    assert_eq!(contacts[1]["Account"]["Name"], "親");
    assert_eq!(contacts[1]["Account"]["attributes"]["type"], "Account");
    assert_eq!(contacts[1]["Account"]["Owner"]["attributes"]["type"], "User");
    assert_eq!(session.records("SELECT Id FROM Contact WHERE Account.Name = '親'").len(), 7);

    let soql = "SELECT Id, (SELECT LastName FROM Contacts ORDER BY Id), (SELECT Id FROM Opportunities) FROM Account ORDER BY Id";
    let accounts = session.records(soql);
    assert_eq!((&accounts[0]["Id"], &accounts[1]["Id"]), (&json!(account), &json!(lonely)));
    assert!(accounts[1]["Contacts"].is_null() && accounts[0]["Opportunities"].is_null());
    let nested = &accounts[0]["Contacts"];
    assert_eq!(
        (&nested["totalSize"], &nested["done"], nested["records"].as_array().unwrap().len()),
        (&json!(7), &json!(false), 3)
    );
    let mut names: Vec<Value> = nested["records"].as_array().unwrap().clone();
    names.extend(session.drain(session.get(nested["nextRecordsUrl"].as_str().unwrap())));
    let names: Vec<String> = names.iter().map(|row| row["LastName"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, (0..7).map(|number| format!("人{number}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_21_only_query_all_sees_the_bin() {
    let session = Session::with_accounts(3).await;
    let gone = session.column("SELECT Id FROM Account ORDER BY Id LIMIT 1", "Id").remove(0);
    session.org.delete("Account", gone.as_str().unwrap()).unwrap();
    assert_eq!(session.records("SELECT Id FROM Account").len(), 2);
    assert_eq!(session.query("SELECT Id FROM Account WHERE IsDeleted = true").json()["totalSize"], 0);
    let all = session.query_all("SELECT Id, IsDeleted FROM Account ORDER BY Id").json();
    let flags: Vec<&Value> = all["records"].as_array().unwrap().iter().map(|row| &row["IsDeleted"]).collect();
    assert_eq!(flags, [&json!(true), &json!(false), &json!(false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_22_dates_are_unquoted_and_of_the_right_kind() {
    let session = Session::empty().await;
    session.account("時刻");
    let refused = |soql: &str| {
        let answer = session.query(soql);
        assert_eq!(answer.status, 400, "{soql}");
        (answer.code(), answer.message().lines().last().unwrap().to_owned())
    };
    let wrong = |field: &str, kind: &str| {
        let quotes = "should not be enclosed in quotes";
        (
            "INVALID_FIELD".to_owned(),
            format!("value of filter criterion for field '{field}' must be of type {kind} and {quotes}"),
        )
    };
    assert_eq!(
        refused("SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01T00:00:00Z'"),
        wrong("SystemModstamp", "dateTime")
    );
    assert_eq!(
        refused("SELECT Id FROM Account WHERE SystemModstamp > 2026-01-01"),
        wrong("SystemModstamp", "dateTime")
    );
    assert_eq!(
        refused("SELECT Id FROM Account WHERE RenewalDate__c > 2026-01-01T00:00:00Z"),
        wrong("RenewalDate__c", "date")
    );
    assert_eq!(refused("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00").0, "MALFORMED_QUERY");
    assert_eq!(refused("SELECT Id FROM Account WHERE CreatedDate > 1699-12-31T00:00:00Z").0, "INVALID_FIELD");
    let count = |filter: &str| {
        session.query(&format!("SELECT COUNT() FROM Account WHERE {filter}")).json()["totalSize"].clone()
    };
    assert_eq!(count("SystemModstamp = 2026-10-31T15:00:00Z"), 1);
    assert_eq!(count("SystemModstamp = 2026-11-01T00:00:00.999+09:00"), 1);
    assert_eq!(count("SystemModstamp < 2026-10-31T15:00:00Z"), 0);
    assert_eq!(count("SystemModstamp <= 2026-10-31T15:00:00Z AND SystemModstamp > 2026-10-31T14:59:59Z"), 1);
    assert_eq!(count("CreatedDate > 1900-01-01T00:00:00Z"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_23_what_is_not_ordered_comes_in_any_order() {
    let session = Session::with_accounts(200).await;
    let ids = |soql: &str| session.column(soql, "Id");
    let soql = "SELECT Id FROM Account";
    let (one, two) = (ids(soql), ids(soql));
    assert_ne!(one, two);
    assert_eq!(set(&one), set(&two));
    let by_id = ids("SELECT Id FROM Account ORDER BY Id");
    assert_ne!(one, by_id);
    assert_eq!(by_id, ids("SELECT Id FROM Account ORDER BY Id"));
    assert!(by_id.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));
    assert_eq!(ids("SELECT Id FROM Account ORDER BY Id DESC"), by_id.iter().rev().cloned().collect::<Vec<_>>());

    session.org.mass_update("Account", "", &fields(json!({"Rating": "Hot"}))).unwrap();
    let tied = "SELECT Id FROM Account ORDER BY SystemModstamp";
    assert_ne!(ids(tied), ids(tied));
    assert_eq!(ids("SELECT Id FROM Account ORDER BY SystemModstamp, Id"), by_id);

    let nulls = |soql: &str| session.column(soql, "Fax").iter().map(Value::is_null).collect::<Vec<_>>();
    let first = nulls("SELECT Fax FROM Account ORDER BY Fax");
    assert!(first[0] && !first[199] && first.is_sorted_by(|a, b| a >= b));
    let last = nulls("SELECT Fax FROM Account ORDER BY Fax DESC NULLS LAST");
    assert!(!last[0] && last[199] && last.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_24_offsets_fields_and_doubles_have_rules() {
    let session = Session::with_accounts(3_000).await;
    let far = session.query("SELECT Id FROM Account ORDER BY Id LIMIT 5 OFFSET 2001");
    assert_eq!(
        (far.code().as_str(), far.message().as_str()),
        ("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
    );
    let all = session.column("SELECT Id FROM Account ORDER BY Id", "Id");
    assert_eq!(session.column("SELECT Id FROM Account ORDER BY Id LIMIT 5 OFFSET 2000", "Id"), all[2_000..2_005]);
    assert_eq!(session.query("SELECT Id FROM Account OFFSET 0").json()["totalSize"], 2_000);
    for soql in [
        "SELECT FIELDS(ALL) FROM Account",
        "SELECT FIELDS(ALL) FROM Account LIMIT 201",
        "SELECT FIELDS(CUSTOM) FROM Account",
    ] {
        let refused = session.query(soql);
        assert_eq!((refused.status, refused.code().as_str()), (400, "MALFORMED_QUERY"), "{soql}");
    }
    let whole = session.records("SELECT FIELDS(ALL) FROM Account LIMIT 200");
    assert!(whole.len() == 200 && whole[0].get("MRR__c").is_some() && whole[0].get("Name").is_some());
    assert_eq!(session.query("SELECT FIELDS(STANDARD) FROM Account").json()["totalSize"], 3_000);
    assert_eq!(session.query("SELECT FIELDS(CUSTOM) FROM User LIMIT 1").code(), "MALFORMED_QUERY");
    let double = session.query("SELECT Id, Name, id FROM Account");
    assert_eq!((double.code().as_str(), double.message().as_str()), ("INVALID_FIELD", "duplicate field selected: Id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_25_a_count_is_only_a_total() {
    let session = Session::with_accounts(1_234).await;
    assert_eq!(session.query("SELECT COUNT() FROM Account").text(), r#"{"totalSize":1234,"done":true,"records":[]}"#);
    assert_eq!(session.query("SELECT COUNT() FROM Account WHERE Plan__c = 'なし'").json()["totalSize"], 0);
    let figures = session.records("SELECT COUNT(Id), MAX(SystemModstamp) newest FROM Account").remove(0);
    assert_eq!((&figures["attributes"], &figures["expr0"]), (&json!({"type": "AggregateResult"}), &json!(1_234)));
    let newest =
        session.column("SELECT SystemModstamp FROM Account ORDER BY SystemModstamp DESC LIMIT 1", "SystemModstamp");
    assert_eq!(figures["newest"], newest[0]);
    let counts = session.data("limits/recordCount?sObjects=Account,Contact").json();
    assert_eq!(counts["sObjects"], json!([{"count": 1234, "name": "Account"}, {"count": 0, "name": "Contact"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_26_long_requests_get_html() {
    let session = Session::empty().await;
    let long = |bytes: usize| format!("/services/data/v66.0/query?q={}", "a".repeat(bytes));
    let uri = session.get(&long(16_400));
    assert_eq!(uri.status, 414);
    let head = session.get(&long(16_200));
    assert_eq!(head.status, 431);
    for answer in [uri, head] {
        assert!(answer.header("content-type").unwrap().starts_with("text/html"));
        assert!(answer.text().starts_with("<h1>Bad Message"));
    }
    assert_eq!(session.get(&long(15_000)).status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_27_a_composite_answers_each_part() {
    let session = Session::with_accounts(3).await;
    let url = |rest: &str| format!("/services/data/v66.0/{rest}");
    let wide: Vec<String> = (0..2_000).map(|_| "001000000000000".to_owned()).collect();
    let long = format!("SELECT Id FROM Account WHERE Id NOT IN ('{}')", wide.join("','"));
    let body = json!({"compositeRequest": [
        {"method": "GET", "referenceId": "q1", "url": url("query?q=SELECT+COUNT()+FROM+Account")},
        {"method": "GET", "referenceId": "q2", "url": url("query?q=SELECT+Nothing+FROM+Account")},
        {"method": "GET", "referenceId": "q3", "url": url(&format!("query?q={}", encode(&long)))},
    ]});
    let bearer = format!("Bearer {}", session.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let send = |body: &Value| {
        send(&format!("{}{}", session.base, url("composite")), "POST", &headers, body.to_string().as_bytes())
    };
    let answer = send(&body);
    assert_eq!(answer.status, 200);
    let parts = answer.json()["compositeResponse"].clone();
    let codes: Vec<u64> = (0..3).map(|at| parts[at]["httpStatusCode"].as_u64().unwrap()).collect();
    assert_eq!(codes, [200, 400, 200]);
    assert_eq!((&parts[0]["referenceId"], &parts[0]["body"]["totalSize"]), (&json!("q1"), &json!(3)));
    assert_eq!(parts[1]["body"][0]["errorCode"], "INVALID_FIELD");
    assert_eq!(parts[2]["body"]["totalSize"], 3);
    let many: Vec<Value> = (0..6).map(|_| body["compositeRequest"][0].clone()).collect();
    assert_eq!(send(&json!({ "compositeRequest": many })).status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_28_complaints_show_the_place() {
    let session = Session::empty().await;
    let told = |soql: &str| {
        let answer = session.query(soql);
        assert_eq!(answer.status, 400, "{soql}");
        (answer.code(), answer.message())
    };
    let (code, message) = told("SELECT Id FRM Account");
    assert_eq!(code, "MALFORMED_QUERY");
    assert_eq!(message, "\nSELECT Id FRM Account\n          ^\nERROR at Row:1:Column:11\nunexpected token: 'FRM'");
    let (code, message) = told("SELECT Id\nFROM Bogus");
    assert_eq!(code, "INVALID_TYPE");
    assert!(
        message.starts_with("\nFROM Bogus\n     ^\nERROR at Row:2:Column:6\nsObject type 'Bogus' is not supported."),
        "{message}"
    );
    for (soql, expected) in [
        ("SELECT Id FROM Account WHERE Name = '開いたまま", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a\\x'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Phone = 'b' OR Fax = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id, Nobody.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Account ORDER BY Products__c", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Id = 'kurz'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE MRR__c = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Account LIMIT", "MALFORMED_QUERY"),
        ("SELECT Name FROM Account GROUP BY Name", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
    ] {
        assert_eq!(told(soql).0, expected, "{soql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_mean_what_they_say() {
    let session = Session::empty().await;
    for (name, phone, mrr, products) in [
        ("株式会社青葉", Some("03-1"), Some("100.50"), Some("分析;自動化")),
        ("O'Brien \\ 商会", None, Some("20000000"), Some("分析")),
        ("abc", Some("06-1"), None, None),
    ] {
        let row = json!({"Name": name, "Phone": phone, "MRR__c": mrr, "Products__c": products});
        session.org.insert("Account", &fields(row)).unwrap();
    }
    let count = |filter: &str| {
        session.query(&format!("SELECT COUNT() FROM Account WHERE {filter}")).json()["totalSize"].as_u64().unwrap()
    };
    for (filter, expected) in [
        ("Name = 'ABC'", 1),
        ("Name = 'O\\'Brien \\\\ 商会'", 1),
        ("Name LIKE '%会%'", 2),
        ("Name LIKE 'a_c'", 1),
        ("Phone = null", 1),
        ("Phone != null", 2),
        ("Phone != '03-1'", 2),
        ("NOT Phone = '03-1'", 2),
        ("(Phone = '03-1' OR Phone = '06-1') AND MRR__c = null", 1),
        ("MRR__c > 100.4", 2),
        ("MRR__c >= 2.0E7", 1),
        ("MRR__c IN (100.5, 3)", 1),
        ("Name NOT IN ('abc', 'x')", 2),
        ("Products__c INCLUDES ('分析;自動化', '顧客管理')", 1),
        ("Products__c EXCLUDES ('自動化')", 2),
        ("Id IN (SELECT AccountId FROM Contact)", 0),
        ("Id NOT IN (SELECT AccountId FROM Contact)", 3),
        ("AnnualizedMRR__c = 1206", 1),
        ("CreatedDate = TODAY", 3),
        ("CreatedDate < TODAY", 0),
        ("CreatedDate = LAST_N_DAYS:3", 3),
    ] {
        assert_eq!(count(filter), expected, "{filter}");
    }
    let paged =
        |filter: &str| session.column(&format!("SELECT Id FROM Account WHERE {filter} ORDER BY Id LIMIT 2"), "Id");
    let first = paged("Id > '000000000000000AAA'");
    let second = paged(&format!("Id > '{}'", first[1].as_str().unwrap()));
    assert_eq!((first.len(), second.len()), (2, 1));
    assert_eq!(
        paged(&format!("Id >= '{}' AND Id < '{}'", first[0].as_str().unwrap(), second[0].as_str().unwrap())),
        first
    );
    assert_eq!(paged(&format!("Id IN ('{}')", second[0].as_str().unwrap())), second);
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_answers_are_the_same() {
    let session = Session::with_accounts(2_000).await;
    for soql in ["SELECT Id, Name FROM Account ORDER BY Id LIMIT 3", "SELECT Id, Name FROM Account ORDER BY Id"] {
        let path = format!("/services/data/v66.0/query?q={}", encode(soql));
        let packed = session.get_with(&path, &[("Accept-Encoding", "gzip, deflate")]);
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(packed.text(), session.get(&path).text());
    }
}
