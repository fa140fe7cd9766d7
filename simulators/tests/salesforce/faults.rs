//! Lines 47 to 50: what goes wrong, and on whose clock.

use simulators::salesforce::{Fault, FaultKind, Options, parse_fault};

use crate::client::{Answer, Session, client_credentials, encode, send, token};

fn post(session: &Session, action: &str, body: &str) -> Answer {
    send(&format!("{}/_sim/{action}", session.base), "POST", &[], body.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn line_47_answers_can_be_replaced() {
    let session = Session::with_accounts(2).await;
    let expected: [(&str, u16, &str); 11] = [
        ("daily-limit", 403, "TotalRequests Limit exceeded."),
        ("concurrent-limit", 403, "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
        ("forbidden", 401, "This session is not valid for use with the REST API"),
        ("406", 406, ""),
        ("420", 420, ""),
        ("429", 429, ""),
        ("500", 500, "UNKNOWN_EXCEPTION"),
        ("502", 502, "<html>"),
        ("503", 503, "<html>"),
        ("unavailable", 503, "SERVER_UNAVAILABLE"),
        ("html=200", 200, "<html>"),
    ];
    for (spec, status, text) in expected {
        session.org.arm(parse_fault(&format!("{spec}@/query*FROM Account#2")).unwrap());
        assert_eq!(session.query("SELECT Id FROM Account").status, 200, "{spec}");
        assert_eq!(session.query("SELECT Id FROM Contact").status, 200, "{spec}");
        let struck = session.query("SELECT Id FROM Account");
        assert_eq!(struck.status, status, "{spec}");
        assert!(struck.text().contains(text) && (!text.is_empty() || struck.body.is_empty()), "{spec}");
        assert_eq!(session.query("SELECT Id FROM Account").status, 200, "{spec}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_47_a_session_can_end_in_mid_run() {
    let session = Session::with_accounts(2).await;
    session.org.arm(Fault::once(FaultKind::Expired, "/query"));
    assert_eq!(session.query("SELECT Id FROM Account").code(), "INVALID_SESSION_ID");
    assert_eq!(token(&session.server, &client_credentials(&session.server)).status, 200);
    session.org.arm(Fault::once(FaultKind::Revoked, "/query"));
    assert_eq!(session.query("SELECT Id FROM Account").status, 401);
    assert_eq!(token(&session.server, &client_credentials(&session.server)).json()["error"], "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_47_queries_time_out_above_a_number_of_rows() {
    let session = Session::with_accounts(100).await;
    session.org.arm(Fault::always(FaultKind::Timeout(50), "/query"));
    let long = session.query("SELECT Id FROM Account");
    assert_eq!((long.status, long.code().as_str()), (400, "QUERY_TIMEOUT"));
    assert_eq!(session.query("SELECT Id FROM Account LIMIT 50").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_47_bodies_can_be_cut() {
    let session = Session::with_accounts(500).await;
    let path = format!("/services/data/v66.0/query?q={}", encode("SELECT Id, Name FROM Account"));
    for (kind, announced, whole) in [
        (FaultKind::CutChunked(10_000), false, false),
        (FaultKind::CutLength(10_000), true, false),
        (FaultKind::CutJson(10_000), false, true),
    ] {
        session.org.arm(Fault::once(kind.clone(), "/query"));
        let cut = session.get(&path);
        assert_eq!((cut.status, cut.body.len(), cut.is_whole), (200, 10_000, whole), "{kind:?}");
        assert_eq!(cut.header("content-length").is_some(), announced, "{kind:?}");
        assert!(serde_json::from_slice::<serde_json::Value>(&cut.body).is_err());
    }
    session.org.arm(Fault::once(FaultKind::CutChunked(100), "/query"));
    let packed = session.get_with(&path, &[("Accept-Encoding", "gzip")]);
    assert_eq!((packed.header("content-encoding"), packed.is_whole), (Some("gzip"), false));
    session.org.arm(Fault::once(FaultKind::Reset, "/query"));
    assert_eq!(session.get(&path).status, 0);
    assert_eq!(session.org.calls().last().unwrap().status, 0);
    assert_eq!(session.get(&path).json()["records"].as_array().unwrap().len(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_47_pages_can_be_short_doubled_or_lack_records() {
    let session = Session::with_accounts(300).await;
    let soql = "SELECT Id FROM Account ORDER BY Id";
    let all = session.column(soql, "Id");
    session.org.arm(Fault::always(FaultKind::Short(70), "/query"));
    assert_eq!(session.column(soql, "Id"), all);
    assert_eq!(session.org.calls().iter().filter(|call| call.rows == 70).count(), 4);
    session.org.disarm();
    session.org.arm(Fault::once(FaultKind::Short(200), "/query"));
    session.org.arm(Fault::once(FaultKind::Repeat, "/query"));
    let doubled = session.column(soql, "Id");
    assert_eq!((doubled.len(), &doubled[..200], &doubled[200..]), (500, &all[..200], &all[..]));
    session.org.arm(Fault::once(FaultKind::Lose(3), "/query"));
    let short = session.query(soql).json();
    assert_eq!((short["totalSize"].as_u64(), short["records"].as_array().unwrap().len()), (Some(300), 297));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_47_an_answer_waits_until_its_gate_opens() {
    let session = std::sync::Arc::new(Session::with_accounts(1).await);
    let stall = session.org.stall("/query");
    let other = std::sync::Arc::clone(&session);
    let waiting = tokio::task::spawn_blocking(move || other.query("SELECT Id FROM Account"));
    stall.reached().await;
    assert!(!waiting.is_finished());
    assert!(session.org.calls().iter().all(|call| !call.path.ends_with("/query")));
    stall.open();
    assert_eq!(waiting.await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_call_does_not_keep_a_server_from_ending() {
    let session = Session::with_accounts(1).await;
    let stall = session.org.stall("/limits");
    let (base, bearer) = (session.base.clone(), format!("Bearer {}", session.token));
    let waiting = tokio::task::spawn_blocking(move || {
        send(&format!("{base}/services/data/v66.0/limits"), "GET", &[("Authorization", bearer.as_str())], b"")
    });
    stall.reached().await;
    session.server.shutdown().await;
    assert_eq!(waiting.await.unwrap().status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_48_nothing_ever_says_when_to_retry() {
    let session = Session::empty().await;
    for spec in ["daily-limit", "concurrent-limit", "429", "503", "unavailable", "500"] {
        session.org.arm(parse_fault(spec).unwrap());
        let answer = session.data("limits");
        assert!(answer.status >= 400 && answer.header("retry-after").is_none(), "{spec}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_49_dates_follow_the_clock_of_the_org() {
    let session = Session::empty().await;
    assert_eq!(session.data("limits").header("date"), Some("Sat, 31 Oct 2026 15:00:00 GMT"));
    assert_eq!(post(&session, "advance", r#"{"seconds":3661}"#).status, 200);
    assert_eq!(session.data("limits").header("date"), Some("Sat, 31 Oct 2026 16:01:01 GMT"));
    assert_eq!(session.org.now().to_rfc3339(), "2026-10-31T16:01:01+00:00");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_50_the_allowance_comes_back_after_a_day() {
    let session = Session::start(Options { daily_requests: 3, session_secs: 200_000, ..Options::default() }).await;
    assert_eq!(session.data("limits").status, 200);
    session.org.advance(3_600);
    assert_eq!([session.data("limits").status, session.data("limits").status], [200, 200]);
    let refused = session.data("limits");
    assert_eq!((refused.status, refused.code().as_str()), (403, "REQUEST_LIMIT_EXCEEDED"));
    assert_eq!(refused.header("sforce-limit-info"), Some("api-usage=3/3"));
    session.org.advance(86_400 - 3_601);
    assert_eq!(session.data("limits").status, 403);
    session.org.advance(1);
    assert_eq!([session.data("limits").status, session.data("limits").status], [200, 403]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_org_is_controlled_over_http() {
    let session = Session::empty().await;
    let id = post(&session, "insert", r#"{"object":"Account","fields":{"Name":"外から"}}"#).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(post(&session, "advance", r#"{"seconds":10}"#).status, 200);
    let update = format!(r#"{{"object":"Account","id":"{id}","fields":{{"Phone":"03-0000-0000"}}}}"#);
    assert_eq!(post(&session, "update", &update).status, 200);
    let field =
        r#"{"object":"Account","field":{"name":"Rank__c","label":"ランク","type":"picklist","values":["A","B"]}}"#;
    assert_eq!(post(&session, "add_field", field).status, 200);
    let truth = send(&format!("{}/_sim/truth?object=Account", session.base), "GET", &[], b"").json();
    assert_eq!(truth["rows"][0]["Phone"], "03-0000-0000");
    assert!(truth["rows"][0]["Rank__c"].is_null());
    let before =
        send(&format!("{}/_sim/truth?object=Account&at=2026-10-31T15:00:05Z", session.base), "GET", &[], b"").json();
    assert!(before["rows"][0]["Phone"].is_null());
    assert_eq!(post(&session, "fault", r#"{"spec":"500@/limits"}"#).status, 200);
    assert_eq!([session.data("limits").status, session.data("limits").status], [500, 200]);
    let calls = send(&format!("{}/_sim/calls", session.base), "GET", &[], b"").json();
    let statuses: Vec<_> = calls.as_array().unwrap().iter().map(|call| call["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 500, 200]);
    let refused = post(&session, "update", r#"{"object":"Account","id":"x","fields":{}}"#);
    assert_eq!(
        (refused.status, refused.json()["error"].as_str()),
        (400, Some("INVALID_CROSS_REFERENCE_KEY: no Account with the id x"))
    );
    assert_eq!(post(&session, "nonsense", "").json()["error"], "there is no action nonsense");
}
