//! Lines 40 to 42 and 45: limits and faults.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::zoho::{Edition, Fault, FaultKind, Options, parse_fault};

use crate::client::{Session, send};

#[tokio::test(flavor = "multi_thread")]
async fn line_40_calls_cost_credits() {
    let session = Session::with(1).await;
    let spent = |before: u64| session.org.credits_used() - before;
    for (path, credits) in [
        ("Accounts?fields=Phone", 1),
        ("Accounts?fields=Phone&cvid=5", 3),
        ("Accounts/deleted", 2),
        ("settings/modules", 1),
        ("users", 1),
    ] {
        let before = session.org.credits_used();
        session.get(path);
        assert_eq!(spent(before), credits, "{path}");
    }
    for (limit, credits) in [(200, 1), (201, 2), (1_000, 2), (2_000, 3)] {
        let before = session.org.credits_used();
        session.coql(&format!("select id from Accounts where id is not null limit {limit}"));
        assert_eq!(spent(before), credits, "{limit}");
    }
    let before = session.org.credits_used();
    session.bulk(json!({"module": {"api_name": "Accounts"}}));
    session.refresh();
    assert_eq!(spent(before), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_40_credits_run_out_and_come_back() {
    let mut session = Session::start(Options { records: 1, credits: Some(6), ..Options::default() }).await;
    for wanted in [None, None, Some("3"), Some("2"), Some("1"), Some("0")] {
        let answer = session.get("org");
        assert_eq!((answer.status, answer.header("x-api-credits-remaining")), (200, wanted));
    }
    assert_eq!(session.get("org").error(), (429, "TOO_MANY_REQUESTS".to_owned()));
    session.org.assume(|open| open.exhausted_is_limit = true);
    assert_eq!(session.get("org").error(), (429, "LIMIT_EXCEEDED".to_owned()));
    session.org.advance(86_400);
    session.renew();
    assert_eq!((session.get("org").status, session.org.credits_used()), (200, 1));
}

/// Fills the org with calls that wait, then makes one more; gives what that was told.
async fn crowd(session: &Session, path: &str, count: usize) -> (u16, Option<String>) {
    let url = format!("{}/crm/v8/{path}&wait=1", session.base);
    let header = format!("Zoho-oauthtoken {}", session.token);
    session.org.arm(Fault::always(FaultKind::Stall, "wait=1"));
    let call = |_| {
        let (url, header) = (url.clone(), header.clone());
        tokio::task::spawn_blocking(move || send(&url, "GET", &[("Authorization", &header)], b""))
    };
    let waiting: Vec<_> = (0..count).map(call).collect();
    while session.org.running() < count as u64 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let answer = session.get(path);
    session.org.disarm();
    for call in waiting {
        assert!(call.await.unwrap().status > 0);
    }
    (answer.status, answer.header("retry-after").map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn line_41_only_so_many_calls_run_at_once() {
    let session = Session::start(Options { records: 1, edition: Edition::Free, ..Options::default() }).await;
    assert_eq!(crowd(&session, "Accounts?fields=Phone", 4).await, (200, None));
    assert_eq!(crowd(&session, "Accounts?fields=Phone", 5).await, (429, None));
    assert_eq!(session.org.peak_concurrency(), 6);
    session.org.assume(|open| open.retry_after_secs = Some(7));
    assert_eq!(crowd(&session, "Accounts?fields=Phone", 5).await, (429, Some("7".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_41_of_heavy_calls_fewer_run_at_once() {
    let session = Session::start(Options { records: 1, edition: Edition::Ultimate, ..Options::default() }).await;
    assert_eq!(crowd(&session, "Accounts?fields=Phone", 10).await, (200, None));
    assert_eq!(crowd(&session, "Accounts?fields=Phone&sort_by=id", 10).await, (429, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_42_answers_go_wrong_on_order() {
    let session = Session::with(30).await;
    let strike = |spec: &str| {
        session.org.arm(parse_fault(spec).unwrap());
        session.get("Accounts?fields=Phone")
    };
    let failed = strike("internal");
    assert_eq!(failed.error(), (500, "INTERNAL_ERROR".to_owned()));
    assert_eq!(failed.json()["message"], "Internal server error occurred.");
    for (spec, status) in [("502", 502), ("503", 503), ("504", 504), ("html=200", 200)] {
        let page = strike(spec);
        assert!(page.status == status && page.text().starts_with("<html>"), "{spec}");
    }
    assert!(strike("empty=200").is_empty(200));
    assert_eq!(strike("busy").error(), (429, "TOO_MANY_REQUESTS".to_owned()));
    assert_eq!(strike("used-up").error(), (429, "TOO_MANY_REQUESTS".to_owned()));
    assert_eq!(strike("code=NO_PERMISSION").error(), (403, "NO_PERMISSION".to_owned()));
    let cut = strike("cut-json=100");
    assert!(cut.is_whole && serde_json::from_slice::<Value>(&cut.body).is_err());
    assert!(!strike("cut-chunked=100").is_whole && !strike("cut-length=100").is_whole);
    for spec in ["reset", "drop"] {
        assert_eq!(strike(spec).status, 0, "{spec}");
    }
    assert_eq!(strike("lose=3").data().len(), 27);
    let short = strike("short=7");
    assert_eq!((short.data().len(), &short.info()["more_records"]), (7, &json!(true)));
    let before = session.get("Accounts?fields=Phone").ids();
    session.account("新しい");
    assert_eq!(strike("repeat").ids(), before);
    assert_eq!(strike("expired").error(), (401, "INVALID_TOKEN".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_42_a_file_can_be_cut_and_the_token_endpoint_keep_silent() {
    let session = Session::with(30).await;
    let job = session.job(json!({"module": {"api_name": "Accounts"}}));
    session.done(&job);
    let whole = session.result(&job).body.len();
    session.org.arm(parse_fault("cut-json=300@/result").unwrap());
    assert_eq!(session.result(&job).body.len(), 300);
    session.org.arm(parse_fault("lose=5@/result").unwrap());
    assert!(session.result(&job).body.len() < whole);
    let gate = session.org.stall("/oauth/v2/token");
    let url = format!("{}/oauth/v2/token", session.credential("accounts_url"));
    let call = tokio::task::spawn_blocking(move || send(&url, "POST", &[], b"client_id=x"));
    gate.reached().await;
    assert!(!call.is_finished());
    gate.open();
    assert_eq!(call.await.unwrap().json(), json!({"error": "invalid_client"}));
    session.org.arm(parse_fault("token=Access Denied").unwrap());
    assert_eq!(session.refresh().json()["error"], "Access Denied");
    session.org.arm(parse_fault("revoked").unwrap());
    assert_eq!(session.get("org").error().1, "INVALID_TOKEN");
    assert_eq!(session.refresh().json(), json!({"error": "invalid_code"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_45_calls_are_told() {
    let session = Session::with(30).await;
    session.refresh();
    session.since("Accounts?fields=Phone", "2020-01-01T00:00:00Z");
    session.coql("select id from Accounts where id is not null limit 5");
    session.get("Nothings?fields=Phone");
    let calls = session.org.calls();
    let told: Vec<_> = calls.iter().map(|call| (call.path.as_str(), call.status, call.rows)).collect();
    let expected = [
        ("/oauth/v2/token", 200, 0),
        ("/crm/v8/Accounts", 200, 30),
        ("/crm/v8/coql", 200, 5),
        ("/crm/v8/Nothings", 400, 0),
    ];
    assert_eq!(told, expected);
    assert_eq!(calls[0].query, "", "no secrets");
    assert_eq!(calls[1].query, "fields=Phone If-Modified-Since: 2020-01-01T00:00:00Z");
    assert!(calls[2].query.contains("select_query"));
    let counters = send(&format!("{}/_sim/counters", session.base), "GET", &[], b"").json();
    assert_eq!(counters, json!({"peak_concurrency": 1, "credits_used": 3, "refreshes": 1, "calls": 4}));
}
