//! Lines 34 to 36: the query language.

use serde_json::{Value, json};
use simulators::zoho::Options;

use crate::client::{Session, fields};

#[tokio::test(flavor = "multi_thread")]
async fn line_34_a_query_needs_conditions_in_pairs() {
    let session = Session::with(5).await;
    let bare = session.coql("select id from Accounts limit 5");
    assert_eq!(bare.error(), (400, "SYNTAX_ERROR".to_owned()));
    assert_eq!(bare.json()["details"], json!({"clause": "where"}));
    let flat = "select id from Accounts where id is not null and Phone is not null and Website is not null";
    assert_eq!(session.coql(flat).error(), (400, "SYNTAX_ERROR".to_owned()));
    let nested = "select id from Accounts where ((id is not null and Phone is not null) and Website is not null)";
    assert_eq!(session.coql(nested).data().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_35_what_cannot_be_asked_is_refused() {
    let session = Session::with(5).await;
    let unknown = session.coql("select Nothing from Accounts where id is not null");
    assert_eq!(unknown.json()["details"], json!({"column_name": "Nothing"}));
    assert_eq!(unknown.json()["message"], "column given seems to be invalid");
    let many: Vec<String> = (0..101).map(|nth| format!("'{nth}'")).collect();
    let columns = (1..=51).map(|nth| format!("Check_{nth:03}")).collect::<Vec<_>>().join(", ");
    for (query, code) in [
        ("select Nothing from Accounts where id is not null".to_owned(), "INVALID_QUERY"),
        ("select id from Accounts where id is not null limit 2001".to_owned(), "LIMIT_EXCEEDED"),
        ("select id from Accounts where id is not null limit 99999, 2".to_owned(), "LIMIT_EXCEEDED"),
        (format!("select id from Accounts where Phone in ({})", many.join(",")), "LIMIT_EXCEEDED"),
        (format!("select {columns} from Health_Checks where id is not null"), "LIMIT_EXCEEDED"),
        ("select id from Nothings where id is not null".to_owned(), "INVALID_QUERY"),
        ("select id from Accounts where Employees = 'viele'".to_owned(), "INVALID_QUERY"),
        ("select Licences from Subscriptions where id is not null".to_owned(), "INVALID_QUERY"),
        ("select Contract_Files from Accounts where id is not null".to_owned(), "INVALID_QUERY"),
        ("select Phone, Phone from Accounts where id is not null".to_owned(), "DUPLICATE_DATA"),
        ("select Phone as a, Fax as a from Accounts where id is not null".to_owned(), "DUPLICATE_ALIAS"),
    ] {
        assert_eq!(session.coql(&query).error(), (400, code.to_owned()), "{query}");
    }
    assert!(session.coql("select id from Accounts where Phone = 'none'").is_empty(204));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_36_a_keyset_reads_everything_once() {
    let session = Session::start(Options { records: 5_200, imported: 4_500, ..Options::default() }).await;
    let (mut stamp, mut id) = ("2020-01-01T00:00:00+09:00".to_owned(), "0".to_owned());
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = session.coql(&format!(
            "select id, Modified_Time from Accounts where ((Modified_Time >= '{stamp}' and Modified_Time < \
             '2027-01-01T00:00:00+09:00') and (Modified_Time > '{stamp}' or id > '{id}')) \
             order by Modified_Time asc, id asc limit 2000"
        ));
        if page.is_empty(204) {
            break;
        }
        let rows = page.data();
        assert_eq!(
            page.info(),
            json!({"count": rows.len(), "more_records": seen.len() < 4_000 && rows.len() == 2_000})
        );
        let last = rows.last().unwrap();
        (stamp, id) = (last["Modified_Time"].as_str().unwrap().to_owned(), last["id"].as_str().unwrap().to_owned());
        seen.extend(page.ids());
    }
    let read = seen.len();
    seen.sort();
    assert_eq!((read, seen), (5_200, session.org.ids("Accounts").unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_36_joined_columns_and_bare_lookups() {
    let session = Session::start(Options { records: 3, deals: 6, ..Options::default() }).await;
    let query = "select Deal_Name, Account_Name, Account_Name.Account_Name, Account_Name.Owner from Deals \
                 where id is not null limit 1";
    let row = session.coql(query).data()[0].clone();
    let account = row["Account_Name"]["id"].as_str().unwrap();
    assert_eq!(row["Account_Name"], json!({"id": account}));
    let record = session.org.record("Accounts", account).unwrap().unwrap();
    assert_eq!(row["Account_Name.Account_Name"], record["Account_Name"]);
    assert_eq!(row["Account_Name.Owner"]["id"], record["Owner"]);
    session.org.assume(|open| open.coql_names = true);
    assert_eq!(session.coql(query).data()[0]["Account_Name"]["name"], record["Account_Name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_find_what_they_say() {
    let session = Session::with(0).await;
    for (name, employees, day) in
        [("青葉商事", 10, "2026-01-01"), ("青葉物産", 20, "2026-02-01"), ("北斗電機", 30, "2026-03-01")]
    {
        let record = json!({"Account_Name": name, "Employees": employees, "Renewal_Date": day,
            "Is_Reference": employees == 20, "Products_In_Use": ["分析"]});
        session.org.insert("Accounts", &fields(record)).unwrap();
    }
    session.account("空");
    for (condition, expected) in [
        ("Employees > 10", "青葉物産 北斗電機"),
        ("Employees not between 10 and 20", "北斗電機"),
        ("Account_Name like '青葉%'", "青葉商事 青葉物産"),
        ("Account_Name not in ('空', '北斗電機')", "青葉商事 青葉物産"),
        ("Is_Reference = 'true'", "青葉物産"),
        ("Employees is null", "空"),
        ("Renewal_Date >= '2026-02-01'", "青葉物産 北斗電機"),
        ("Products_In_Use = '分析' and Employees != 10", "青葉物産 北斗電機"),
        ("(Employees = 10 or (Employees = 30 and Account_Name like '%電機'))", "青葉商事 北斗電機"),
    ] {
        let query = format!("select Account_Name from Accounts where {condition} order by id asc");
        let rows = session.coql(&query).data();
        let names: Vec<&str> = rows.iter().map(|row| row["Account_Name"].as_str().unwrap()).collect();
        assert_eq!(names.join(" "), expected, "{condition}");
    }
    let ordered =
        session.coql("select Employees from Accounts where Employees is not null order by Employees desc limit 1, 2");
    assert_eq!(ordered.data().iter().map(|row| row["Employees"].clone()).collect::<Vec<Value>>(), [20, 10]);
    let sums = session.coql(
        "select COUNT(id), SUM(Employees) as total, MIN(Employees), AVG(Employees) from Accounts where id is not null",
    );
    assert_eq!(sums.data()[0], json!({"COUNT(id)": 4, "total": 60, "MIN(Employees)": 10, "AVG(Employees)": 20}));
    let groups =
        session.coql("select Is_Reference, COUNT(id) from Accounts where Employees is not null group by Is_Reference");
    let expected = [json!({"Is_Reference": false, "COUNT(id)": 2}), json!({"Is_Reference": true, "COUNT(id)": 1})];
    assert_eq!(groups.data(), expected);
}
