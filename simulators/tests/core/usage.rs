//! The usage API.

use serde_json::{Value, json};
use simulators::core::Options;

use crate::client::{Session, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_read_by_its_next_urls() {
    let session = Session::start(Options { records: 300, usage_page: 100, ..Options::default() }).await;
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    let mut path = "/usage/v2/daily?from=2026-10-01&to=2026-10-01".to_owned();
    loop {
        let page = session.usage(&path);
        sizes.push(page.list("data").len());
        found.extend(page.list("data"));
        let next = page.json()["paging"]["next"].clone();
        let Some(url) = next.as_str() else { break };
        path = url.strip_prefix(&session.base).unwrap().to_owned();
    }
    assert!(sizes.len() == 3 && sizes[..2] == [100, 100] && sizes[2] > 0, "{sizes:?}");
    let told = texts(&found, "customer");
    let truth: Vec<String> = session
        .truth("usage")
        .iter()
        .filter(|row| row["date"] == "2026-10-01")
        .map(|row| row["customer"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, truth);
    assert!(told.len() < 300, "some have left");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_day_that_has_come_may_be_asked_for() {
    let session = Session::with_records(3).await;
    // It is 2026-11-01 00:00 in Japan.
    for (from, to, error) in [
        ("2026-10-01", "2026-10-02", "range_too_long"),
        ("2026-10-02", "2026-10-01", "range_too_long"),
        ("2026-11-02", "2026-11-02", "date_in_future"),
        ("2026/10/01", "2026/10/01", "invalid_date"),
    ] {
        let refused = session.usage(&format!("/usage/v2/daily?from={from}&to={to}"));
        assert_eq!((refused.status, refused.json()["error"].clone()), (400, json!(error)), "{from}");
    }
    assert_eq!(session.usage("/usage/v2/daily?from=2026-10-01").status, 400);
    assert_eq!(session.daily("2026-11-01").list("data").len(), session.daily("2026-10-31").list("data").len());
    assert!(!session.daily("2026-04-01").list("data").is_empty());
    let before = session.daily("2026-03-31");
    assert_eq!((before.list("data").len(), before.json()["paging"]["next"].clone()), (0, Value::Null));
    assert_eq!(session.get("/usage/v2/daily?from=2026-10-01&to=2026-10-01", &[]).status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_grow_for_three_days_and_then_stand() {
    let session = Session::with_records(3).await;
    let logins = || session.daily("2026-11-01").list("data")[0]["logins"].as_u64().unwrap();
    let mut seen = vec![logins()];
    for _ in 0..5 {
        session.core.advance(86_400);
        seen.push(logins());
    }
    assert!(seen[0] < seen[1] && seen[1] < seen[2] && seen[2] < seen[3], "{seen:?}");
    assert_eq!(seen[3..], [seen[3]; 3]);
    let at = session.core.now() - chrono::Duration::days(5);
    let then = session.core.truth_at("usage", at).unwrap();
    let reading = then.iter().find(|row| row["date"] == "2026-11-01").unwrap();
    assert_eq!(reading["logins"], seen[0].to_string());
    let key = format!("{}/2026-11-01", session.core.customers()[0]);
    session.core.edit("usage", &key, json!({"logins": 7})).unwrap();
    assert_eq!(logins(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_may_be_beyond_63_bits() {
    let session = Session::with_records(1).await;
    let text = session.daily("2026-10-01").text();
    let calls = text.split("\"api_calls\":").nth(1).unwrap().split('}').next().unwrap();
    assert_eq!((calls.len(), &calls[..8]), (20, "12345678"));
    assert!(calls.parse::<i64>().is_err());
    assert_eq!(session.truth("usage").iter().find(|row| row["date"] == "2026-10-01").unwrap()["api_calls"], calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_on_by_cursor_and_may_be_for_one_customer() {
    let session = Session::with_records(3).await;
    let truth = session.truth("usage");
    let (all, pages) = session.search_all(None, 100);
    assert_eq!((all.len(), pages), (truth.len(), truth.len().div_ceil(100)));
    let code = &session.core.customers()[1];
    let (own, _) = session.search_all(Some(code), 7);
    assert!(own.iter().all(|row| row["customer"] == code.as_str()));
    assert_eq!(own.len(), truth.iter().filter(|row| row["customer"] == code.as_str()).count());
    assert_eq!(texts(&own, "date")[..2], ["2026-04-01", "2026-04-02"]);
    assert_eq!(session.search_all(Some("C00000"), 100).0.len(), 0);
    for body in [json!({"size": 101}), json!({"size": 0}), json!({"cursor": "x"}), json!({"cursor": 1}), json!([])] {
        assert_eq!(session.search(&body).status, 400, "{body}");
    }
    assert_eq!(session.search(&json!({})).list("items").len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_signed_where_that_is_wanted() {
    let options = Options { records: 1, signed: true, signature_skew_secs: Some(300), ..Options::default() };
    let session = Session::start(options).await;
    let (path, now) = ("/usage/v2/daily?from=2026-10-01&to=2026-10-01", session.core.now().timestamp());
    let secret = session.credential("usage", "signing_secret");
    assert_eq!(session.signed(path, now, &secret).status, 200);
    assert_eq!(session.signed(path, now - 300, &secret).status, 200);
    for refused in [session.signed(path, now - 301, &secret), session.signed(path, now, "wrong"), session.usage(path)] {
        assert_eq!((refused.status, refused.json()["error"].clone()), (401, json!("invalid_signature")));
    }
}
