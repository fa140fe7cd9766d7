//! The accounting API.

use serde_json::{Value, json};
use simulators::core::Options;

use crate::client::{Session, encode, numbers, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lives_an_hour_and_a_refresh_token_once() {
    let session = Session::with_records(1).await;
    let refresh = |token: &str| session.token(&format!("grant_type=refresh_token&refresh_token={token}"));
    let read = |token: &Value| {
        session
            .get("/kaikei/api/1/partners", &[("Authorization", &format!("Bearer {}", token.as_str().unwrap()))])
            .status
    };
    let old = session.credential("kaikei", "refresh_token");
    let given = refresh(&old).json();
    assert_eq!((given["expires_in"].clone(), read(&given["access_token"])), (json!(3_600), 200));
    let used = refresh(&old);
    assert_eq!((used.status, used.json()["error"].clone()), (400, json!("invalid_grant")));
    assert_eq!(session.credential("kaikei", "refresh_token"), given["refresh_token"].as_str().unwrap());
    session.core.advance(3_599);
    assert_eq!(read(&given["access_token"]), 200);
    session.core.advance(1);
    assert_eq!(read(&given["access_token"]), 401);
    let next = refresh(given["refresh_token"].as_str().unwrap()).json();
    assert_eq!(read(&next["access_token"]), 200);
    let own = session.token("grant_type=client_credentials").json();
    assert!(read(&own["access_token"]) == 200 && own.get("refresh_token").is_none());
    let keeping = Session::start(Options { rotate_refresh_tokens: false, ..Options::default() }).await;
    let form = format!("grant_type=refresh_token&refresh_token={}", keeping.credential("kaikei", "refresh_token"));
    assert_eq!([keeping.token(&form).status, keeping.token(&form).status], [200, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_known_by_its_form_too_and_strangers_are_not() {
    let session = Session::with_records(1).await;
    let url = session.credential("kaikei", "token_url");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let (id, secret) = (session.credential("kaikei", "client_id"), session.credential("kaikei", "client_secret"));
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    assert_eq!(send(&url, "POST", &form, body.as_bytes()).status, 200);
    let wrong = body.replace(&secret, "wrong");
    let refused = send(&url, "POST", &form, wrong.as_bytes());
    assert_eq!((refused.status, refused.json()["error"].clone()), (401, json!("invalid_client")));
    assert_eq!(send(&url, "POST", &[], body.as_bytes()).json()["error"], "invalid_request");
    assert_eq!(session.token("grant_type=password").json()["error"], "unsupported_grant_type");
    let nobody = session.get("/kaikei/api/1/invoices", &[]);
    assert_eq!((nobody.status, nobody.json()["errors"][0]["type"].clone()), (401, json!("unauthorized")));
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_are_read_by_offset_and_deleted_ones_stay() {
    let session = Session::start(Options { records: 20, invoices: Some(230), ..Options::default() }).await;
    let ids = |query: &str| numbers(&session.kaikei(&format!("invoices?{query}")).list("invoices"), "id");
    let pages: Vec<u64> =
        [0, 100, 200, 300].iter().flat_map(|offset| ids(&format!("offset={offset}&limit=100"))).collect();
    assert_eq!(pages, (1..=230).collect::<Vec<u64>>());
    session.core.advance(60);
    session.core.delete("invoices", "7").unwrap();
    session.core.edit("invoices", "9", r#"{"amount":1200.50}"#).unwrap();
    let since = session.kaikei(&format!("invoices?updated_since={}", encode("2026-11-01T00:01:00+09:00")));
    let rows = since.list("invoices");
    assert_eq!((numbers(&rows, "id"), rows[0]["deleted"].clone()), (vec![7, 9], json!(true)));
    assert_eq!(since.json()["meta"], json!({"total_count": 2, "limit": 100, "offset": 0}));
    assert_eq!(rows[0]["updated_at"], "2026-11-01T00:01:00+09:00");
    assert!(since.text().contains("\"amount\":1200.50,"));
    assert_eq!(ids(&format!("updated_since={}", encode("2026-10-31T15:01:01Z"))), Vec::<u64>::new());
    assert_eq!(session.kaikei("invoices").json()["meta"]["total_count"], 230);
    session.core.erase("invoices", "1").unwrap();
    assert_eq!(ids("offset=1&limit=2"), [3, 4]);
    for query in ["limit=101", "offset=-1", "updated_since=yesterday"] {
        let refused = session.kaikei(&format!("invoices?{query}"));
        assert_eq!(
            (refused.status, refused.json()["errors"][0]["type"].clone()),
            (400, json!("validation")),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_join_customers_and_their_tax_is_exact() {
    let session = Session::start(Options { records: 30, invoices: Some(60), ..Options::default() }).await;
    let customers = session.core.customers();
    let truth = session.truth("invoices");
    for (place, invoice) in truth.iter().enumerate() {
        assert_eq!(invoice["customer_code"], json!(customers[place % 30]));
        let hundredths = |name: &str| invoice[name].as_str().unwrap().replace('.', "").parse::<u64>().unwrap();
        assert_eq!(hundredths("tax"), hundredths("amount") / 10, "{invoice:?}");
    }
    let text = session.kaikei("invoices").text();
    assert!(text.contains(".50,") && text.contains(".05,"), "amounts keep their digits");
    assert_eq!(truth[0]["issued_on"], "2026-09-30");
    assert_eq!(truth[59]["issued_on"], "2026-10-31");
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_have_numbered_pages_and_accounts_links() {
    let session = Session::with_records(120).await;
    let pages: Vec<Vec<u64>> =
        (1..=4).map(|page| numbers(&session.kaikei(&format!("partners?page={page}")).list("partners"), "id")).collect();
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20, 0]);
    assert_eq!(session.kaikei("partners?per_page=100").json()["meta"]["total_pages"], 2);
    assert_eq!([session.kaikei("partners?page=0").status, session.kaikei("partners?per_page=101").status], [400, 400]);
    let (mut found, mut url) = (Vec::new(), format!("{}/kaikei/api/1/accounts", session.base));
    loop {
        let page = send(&url, "GET", &[("Authorization", &session.bearer())], b"");
        found.extend(numbers(&page.list("accounts"), "id"));
        let link = page.header("link").unwrap();
        assert!(link.ends_with("rel=\"first\""));
        let Some((next, _)) = link.split_once(">; rel=\"next\"") else { break };
        url = next.trim_start_matches('<').to_owned();
    }
    assert_eq!(found, (1..=24).collect::<Vec<u64>>());
    assert_eq!(session.kaikei("accounts?page_token=nonsense").status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_a_rate_wait_for_the_next_minute() {
    let session = Session::start(Options { records: 1, calls_a_minute: Some(2), ..Options::default() }).await;
    session.core.advance(15);
    let left = |answer: &crate::client::Answer| answer.header("x-ratelimit-remaining").map(str::to_owned);
    let calls = [session.kaikei("partners"), session.kaikei("partners"), session.kaikei("partners")];
    assert_eq!(calls.each_ref().map(|call| call.status), [200, 200, 429]);
    assert_eq!(calls.each_ref().map(left), [Some("1".to_owned()), Some("0".to_owned()), Some("0".to_owned())]);
    assert_eq!(calls[2].header("retry-after"), Some("45"));
    session.core.advance(45);
    assert_eq!(session.kaikei("partners").status, 200);
    session.core.limit_calls(None);
    assert_eq!(session.kaikei("partners").header("x-ratelimit-remaining"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_may_come_with_status_200() {
    let session = Session::start(Options { records: 1, errors_with_200: true, ..Options::default() }).await;
    let refused = session.kaikei("invoices?limit=0");
    assert_eq!((refused.status, refused.json()["errors"][0]["type"].clone()), (200, json!("validation")));
    assert_eq!(session.keiyaku("contracts?limit=0").status, 400);
}
