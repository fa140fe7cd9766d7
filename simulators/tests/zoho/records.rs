//! Lines 8 to 14, 17 and 19 to 21: lists of records.

use serde_json::{Value, json};
use simulators::zoho::{Options, UnknownId};

use crate::client::{Session, encode, fields};

#[tokio::test(flavor = "multi_thread")]
async fn line_08_fields_must_be_named_and_no_more_than_fifty() {
    let session = Session::with(1).await;
    let missing = session.get("Accounts");
    assert_eq!(missing.error(), (400, "REQUIRED_PARAM_MISSING".to_owned()));
    assert_eq!(missing.json()["details"], json!({"param_name": "fields"}));
    let names: Vec<String> = (0..51).map(|nth| format!("Field_{nth}")).collect();
    assert_eq!(
        session.get(&format!("Accounts?fields={}", names.join(","))).error(),
        (400, "LIMIT_EXCEEDED".to_owned())
    );
    let page = session.get(&format!("Accounts?fields={},Phone", names[..49].join(",")));
    assert_eq!(page.data()[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "Phone"]);
    session.org.assume(|open| open.unknown_field_refused = true);
    assert_eq!(session.get("Accounts?fields=Phone,Nothing").error(), (400, "INVALID_DATA".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_09_nothing_is_204_and_nothing_new_304() {
    let session = Session::with(3).await;
    assert!(session.get("Products?fields=Product_Name").is_empty(204));
    assert!(session.since("Accounts?fields=Phone", "2026-11-02T00:00:00+09:00").is_empty(304));
    assert!(session.get("Accounts?fields=Phone&page=2").is_empty(204));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_10_pages_hold_two_hundred_and_say_all_about_themselves() {
    let session = Session::with(201).await;
    assert_eq!(session.get("Accounts?fields=Phone&per_page=201").error(), (400, "LIMIT_EXCEEDED".to_owned()));
    let first = session.get("Accounts?fields=Phone");
    let info = first.info();
    let names = [
        "call",
        "per_page",
        "next_page_token",
        "count",
        "sort_by",
        "page",
        "previous_page_token",
        "page_token_expiry",
        "sort_order",
        "email",
        "more_records",
    ];
    assert_eq!(info.as_object().unwrap().keys().collect::<Vec<_>>(), names);
    assert_eq!((&info["count"], &info["more_records"], &info["page"]), (&json!(200), &json!(true), &json!(1)));
    assert_eq!(info["page_token_expiry"], "2026-11-02T00:00:00+09:00");
    let token = info["next_page_token"].as_str().unwrap();
    let last = session.get(&format!("Accounts?fields=Phone&page_token={token}")).info();
    assert_eq!((&last["count"], &last["more_records"], &last["page"]), (&json!(1), &json!(false), &json!(2)));
    for name in ["next_page_token", "previous_page_token", "page_token_expiry"] {
        assert_eq!(last[name], Value::Null, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_11_pages_by_number_end_at_two_thousand() {
    let session = Session::with(2_100).await;
    assert_eq!(session.get("Accounts?fields=Phone&page=10").info()["count"], 200);
    let beyond = session.get("Accounts?fields=Phone&page=11");
    assert_eq!(beyond.error(), (400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(beyond.json()["details"], json!({"limit": 2_000}));
    let token = session.get("Accounts?fields=Phone&page=10").info()["next_page_token"].as_str().unwrap().to_owned();
    assert_eq!(session.get(&format!("Accounts?fields=Phone&page_token={token}")).info()["count"], 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_12_pages_by_token_end_at_a_hundred_thousand() {
    let session = Session::with(100_201).await;
    let mut token = String::new();
    for page in 1..=500 {
        let answer = session.get(&format!("Accounts?fields=Account_Number{token}"));
        assert_eq!(answer.info()["page"], page);
        token = format!("&page_token={}", answer.info()["next_page_token"].as_str().unwrap());
    }
    let beyond = session.get(&format!("Accounts?fields=Account_Number{token}"));
    assert_eq!(beyond.error(), (400, "PAGINATION_LIMIT_EXCEEDED".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_13_tokens_belong_to_a_user_a_day_and_all_parameters() {
    let mut session = Session::with(300).await;
    let token =
        session.get("Accounts?fields=Phone&per_page=100").info()["next_page_token"].as_str().unwrap().to_owned();
    let next = |session: &Session, rest: &str| session.get(&format!("Accounts?{rest}&page_token={token}"));
    for changed in ["fields=Phone", "fields=Phone,Website&per_page=100", "fields=Phone&per_page=100&sort_by=id"] {
        assert_eq!(next(&session, changed).error(), (400, "TOKEN_BOUND_DATA_MISMATCH".to_owned()), "{changed}");
    }
    let path = format!("Accounts?fields=Phone&per_page=100&page_token={token}");
    assert_eq!(session.since(&path, "2020-01-01T00:00:00Z").error().1, "TOKEN_BOUND_DATA_MISMATCH");
    assert_eq!(next(&session, "fields=Phone&per_page=100&page=2").error().1, "AMBIGUITY_DURING_PROCESSING");
    assert_eq!(next(&session, "per_page=100&fields=Phone").info()["page"], 2);
    let admin = session.org.access_token(&session.credential("scope"), true);
    let own = std::mem::replace(&mut session.token, admin);
    assert_eq!(next(&session, "fields=Phone&per_page=100").error().1, "INVALID_DATA");
    session.token = own;
    session.org.advance(86_400);
    session.renew();
    assert_eq!(next(&session, "fields=Phone&per_page=100").error(), (400, "EXPIRED_VALUE".to_owned()));
    assert_eq!(session.get("Accounts?fields=Phone&cvid=1&sort_by=id").error().1, "AMBIGUITY_DURING_PROCESSING");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_newest_ids_come_first_and_three_fields_sort() {
    let session = Session::with(30).await;
    let mut rising = session.org.ids("Accounts").unwrap();
    assert_eq!(session.get("Accounts?fields=Phone&sort_order=asc").ids(), rising);
    rising.reverse();
    assert_eq!(session.get("Accounts?fields=Phone").ids(), rising);
    for sort in ["Modified_Time", "Created_Time"] {
        let page = session.get(&format!("Accounts?fields={sort}&sort_by={sort}&sort_order=asc"));
        let stamps: Vec<String> = page.data().iter().map(|record| record[sort].to_string()).collect();
        assert!(stamps.is_sorted() && stamps.len() == 30, "{stamps:?}");
    }
    assert_eq!(session.get("Accounts?fields=Phone&sort_by=Phone").error(), (400, "INVALID_DATA".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_a_record_that_changes_moves_behind_the_page_that_is_read() {
    let session = Session::with(30).await;
    let path = "Accounts?fields=Phone&per_page=10&sort_by=Modified_Time&sort_order=asc";
    let first = session.get(path);
    let moved = first.ids()[3].clone();
    session.org.advance(60);
    let edited = moved.clone();
    session.org.before("page_token=", 1, move |org| {
        org.update("Accounts", &edited, &fields(json!({"Fax": "03"}))).unwrap();
    });
    let mut seen = first.ids();
    let mut token = first.info()["next_page_token"].clone();
    while let Some(next) = token.as_str() {
        let page = session.get(&format!("{path}&page_token={next}"));
        seen.extend(page.ids());
        token = page.info()["next_page_token"].clone();
    }
    assert_eq!((seen.len(), seen.last()), (31, Some(&moved)));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_17_converted_and_waiting_records_must_be_asked_for() {
    let session = Session::start(Options { leads: 150, ..Options::default() }).await;
    let truth = session.org.truth("Leads").unwrap();
    let count = |converted: Option<bool>, approved: Option<bool>| {
        let is = |record: &Value, name: &str, wanted: Option<bool>| wanted.is_none_or(|wanted| record[name] == wanted);
        let records = truth.iter().map(|record| Value::Object(record.clone()));
        records.filter(|record| is(record, "Converted__s", converted) && is(record, "$approved", approved)).count()
    };
    for (parameters, expected) in [
        ("", count(Some(false), Some(true))),
        ("&converted=true", count(Some(true), Some(true))),
        ("&converted=both", count(None, Some(true))),
        ("&approved=false", count(Some(false), Some(false))),
        ("&converted=both&approved=both", 150),
    ] {
        assert_eq!(session.get(&format!("Leads?fields=Company{parameters}")).data().len(), expected, "{parameters}");
        assert!(expected > 0);
    }
    let lead = session.get("Leads?fields=Company").ids()[0].clone();
    let [account, _, deal] = session.org.convert_lead(&lead).unwrap();
    assert!(!session.get("Leads?fields=Company").ids().contains(&lead));
    assert_eq!(session.one("Leads", &lead)["Converted_Deal"]["id"], deal.as_str());
    assert_eq!(session.one("Deals", &deal)["Account_Name"]["id"], account.as_str());
    let waiting = session.org.insert("Quotes", &fields(json!({"Subject": "稟議中", "$approved": false}))).unwrap();
    assert!(session.get("Quotes?fields=Subject").is_empty(204));
    assert_eq!(session.get("Quotes?fields=Subject&approved=both").ids(), [waiting]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_19_unknown_modules_and_paths_are_told_apart() {
    let session = Session::with(1).await;
    let unknown = session.get("Nothings?fields=Name");
    assert_eq!(unknown.error(), (400, "INVALID_MODULE".to_owned()));
    assert_eq!(unknown.json()["details"], json!({"resource_path_index": 0}));
    for path in ["/crm/v9/Accounts?fields=Phone", "/crm/v8/a/b/c/d", "/elsewhere"] {
        let answer = session.call("GET", path, &[], b"");
        assert_eq!(answer.error(), (404, "INVALID_URL_PATTERN".to_owned()), "{path}");
    }
    let wrong = session.call("GET", "/crm/v8/coql", &[], b"");
    assert_eq!(wrong.error(), (400, "INVALID_REQUEST_METHOD".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_20_the_count_is_that_of_the_list() {
    let session = Session::start(Options { leads: 450, records: 7, ..Options::default() }).await;
    for module in ["Leads", "Accounts"] {
        let count = session.get(&format!("{module}/actions/count")).json()["count"].as_u64().unwrap();
        assert_eq!(session.all(&format!("{module}?fields=id")).len() as u64, count, "{module}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_21_since_is_inclusive_and_thousands_share_a_second() {
    let session = Session::start(Options { records: 3_000, imported: 2_500, ..Options::default() }).await;
    let oldest = session.get("Accounts?fields=Modified_Time&sort_by=Modified_Time&sort_order=asc").data();
    let stamp = oldest[0]["Modified_Time"].as_str().unwrap();
    assert!(oldest.iter().all(|record| record["Modified_Time"] == stamp));
    let same = session.coql(&format!("select COUNT(id) from Accounts where Modified_Time = '{stamp}'"));
    assert_eq!(same.data()[0]["COUNT(id)"], 2_500);
    session.org.advance(60);
    let id = session.account("境界");
    let now = session.one("Accounts", &id)["Modified_Time"].as_str().unwrap().to_owned();
    assert_eq!(now, "2026-11-01T00:01:00+09:00");
    assert_eq!(session.since("Accounts?fields=Phone", &now).ids(), [id]);
    assert!(session.since("Accounts?fields=Phone", "2026-10-31T15:01:01Z").is_empty(304));
    let count = session.org.mass_update("Accounts", &fields(json!({"Fax": "一斉"}))).unwrap();
    assert_eq!(count, 3_001);
    let query = format!("select COUNT(id) from Accounts where Modified_Time = '{now}'");
    assert_eq!(session.coql(&query).data()[0]["COUNT(id)"], 3_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_by_id_and_what_is_not_there_is_told_in_three_ways() {
    let session = Session::with(5).await;
    let ids = session.org.ids("Accounts").unwrap();
    session.org.delete("Accounts", &ids[1]).unwrap();
    let found = session.get(&format!("Accounts?fields=Phone&ids={}", encode(&ids[..3].join(","))));
    assert_eq!(found.ids(), [ids[2].clone(), ids[0].clone()]);
    let missing = || session.get(&format!("Accounts/{}", ids[1]));
    assert!(missing().is_empty(204));
    session.org.assume(|open| open.unknown_id = UnknownId::NotFound);
    assert_eq!(missing().error(), (404, "INVALID_DATA".to_owned()));
    session.org.assume(|open| open.unknown_id = UnknownId::BadRequest);
    assert_eq!(missing().error(), (400, "INVALID_DATA".to_owned()));
    let many = vec!["1"; 101].join(",");
    assert_eq!(session.get(&format!("Accounts?fields=Phone&ids={many}")).error().1, "LIMIT_EXCEEDED");
}
