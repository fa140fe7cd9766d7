//! Faults on order.

use std::sync::Arc;

use serde_json::{Value, json};
use simulators::core::{Fault, FaultKind, Options, parse_fault};

use crate::client::{Session, numbers, send, texts};

fn arm(session: &Session, spec: &str) {
    session.core.arm(parse_fault(spec).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_strikes_its_calls_and_no_others() {
    let session = Session::with_records(20).await;
    let expected: [(&str, u16, &str); 9] = [
        ("503", 503, "<html>"),
        ("html=200", 200, "<html>"),
        ("empty=502", 502, ""),
        ("500", 500, "\"E500\""),
        ("403", 403, "\"E403\""),
        ("busy=7", 429, "\"E429\""),
        ("error-200", 200, "\"E500\""),
        ("expired", 401, "\"E401\""),
        ("lose=3", 200, "K0000017"),
    ];
    for (spec, status, text) in expected {
        arm(&session, &format!("{spec}@/contracts?limit#2"));
        let ask = || session.keiyaku("contracts?limit=20");
        assert_eq!((ask().rows().len(), session.keiyaku("contracts").rows().len()), (20, 20), "{spec}");
        let struck = ask();
        assert!(struck.status == status && struck.text().contains(text), "{spec}: {}", struck.text());
        if spec == "busy=7" {
            assert_eq!(struck.header("retry-after"), Some("7"));
        }
        if spec == "lose=3" {
            assert_eq!((struck.rows().len(), struck.json()["count"].clone()), (17, json!(20)));
        }
        assert_eq!(ask().rows().len(), 20, "{spec}");
    }
    let errors = [("kaikei", "{\"errors\":[{"), ("usage", "{\"error\":\"internal\"")];
    for (api, text) in errors {
        arm(&session, &format!("500@/{api}/"));
        let path = if api == "kaikei" { "/kaikei/api/1/partners" } else { "/usage/v2/daily" };
        assert!(session.get(path, &[]).text().starts_with(text), "{api}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_cut_and_connections_end() {
    let session = Session::with_records(20).await;
    for (kind, whole) in
        [(FaultKind::CutChunked(900), false), (FaultKind::CutLength(900), false), (FaultKind::CutJson(900), true)]
    {
        session.core.arm(Fault::once(kind.clone(), "/contracts"));
        let cut = session.keiyaku("contracts");
        assert_eq!((cut.status, cut.body.len(), cut.is_whole), (200, 900, whole), "{kind:?}");
    }
    let refresh = format!("grant_type=refresh_token&refresh_token={}", session.credential("kaikei", "refresh_token"));
    arm(&session, "reset@/oauth/token");
    assert_eq!(session.token(&refresh).status, 0);
    arm(&session, "drop@/oauth/token");
    assert_eq!(session.token(&refresh).status, 0);
    let lost = session.token(&refresh);
    assert_eq!((lost.status, lost.json()["error"].clone()), (400, json!("invalid_grant")), "it was used, unheard");
    arm(&session, "slow=1");
    assert_eq!(session.keiyaku("contracts").status, 200);
    assert_eq!(session.core.calls().iter().filter(|call| call.status == 0).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_again_or_lists_under_another_name() {
    let session = Session::with_records(20).await;
    let first = session.keiyaku("contracts?limit=5");
    arm(&session, "repeat@/contracts");
    assert_eq!(session.keiyaku("contracts?limit=5&after=K0000005").rows(), first.rows());
    assert_eq!(texts(&session.keiyaku("contracts?limit=1&after=K0000005").rows(), "契約番号"), ["K0000006"]);
    arm(&session, "reshape@/contracts");
    let reshaped = session.keiyaku("contracts").json();
    assert!(reshaped["result"].get("rows").is_none() && reshaped["result"]["rows_v2"].is_array());
    arm(&session, "reshape@/lines");
    assert!(session.keiyaku("contracts/K0000002/lines").json()["data"].is_array());
    arm(&session, "reshape@/daily");
    assert!(session.daily("2026-10-01").json().get("data").is_none());
    arm(&session, "ignore=offset@/invoices#1+");
    for offset in [0, 5, 10] {
        let page = session.kaikei(&format!("invoices?limit=5&offset={offset}"));
        assert_eq!(numbers(&page.list("invoices"), "id"), [1, 2, 3, 4, 5]);
    }
    arm(&session, "ignore=cursor@/search#1+");
    let page = session.search(&json!({"size": 2}));
    let again = session.search(&json!({"size": 2, "cursor": page.json()["next_cursor"]}));
    assert_eq!(page.list("items"), again.list("items"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_page_is_one_that_was_sent() {
    let session = Session::start(Options { records: 60, usage_page: 10, ..Options::default() }).await;
    let first = |page: &Value| page["data"][0]["customer"].as_str().unwrap().to_owned();
    let follow = |page: &Value| {
        let next = page["paging"]["next"].as_str().unwrap();
        session.usage(next.strip_prefix(&session.base).unwrap()).json()
    };
    let one = session.daily("2026-10-01").json();
    let two = follow(&one);
    for (spec, expected) in [("loop=1@page_token#1+", first(&two)), ("loop=2@page_token#1+", first(&one))] {
        arm(&session, spec);
        let struck = follow(&one);
        assert_eq!(first(&struck), first(&two), "{spec}");
        assert_eq!(first(&follow(&struck)), expected, "{spec}");
        session.core.disarm();
    }
    arm(&session, "loop@/search#1+");
    let cursor = |body: Value| session.search(&body).json()["next_cursor"].clone();
    let again = cursor(json!({"size": 50}));
    assert_eq!(cursor(json!({"size": 50, "cursor": again})), again);
    arm(&session, "loop=2@/accounts#1+");
    let bearer = session.bearer();
    let link = |url: &str| {
        let page = send(url, "GET", &[("Authorization", &bearer)], b"");
        page.header("link").unwrap().split_once('>').unwrap().0.trim_start_matches('<').to_owned()
    };
    let next = link(&format!("{}/kaikei/api/1/accounts", session.base));
    assert_eq!(link(&next), next);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_and_grants_are_withdrawn_until_somebody_consents() {
    let session = Session::with_records(2).await;
    let bearer = session.bearer();
    let read = || session.get("/kaikei/api/1/partners", &[("Authorization", &bearer)]).status;
    arm(&session, "expired@/partners#2");
    assert_eq!([read(), read(), read()], [200, 401, 401]);
    let old = session.credential("kaikei", "refresh_token");
    arm(&session, "revoked@/partners");
    assert_eq!(session.kaikei("partners").status, 401);
    assert_eq!(session.token("grant_type=client_credentials").json()["error"], "invalid_client");
    arm(&session, "revoked@/contracts");
    assert_eq!([session.keiyaku("contracts").status, session.keiyaku("contracts").status], [401, 401]);
    assert_eq!(session.daily("2026-10-01").status, 200);
    let new = session.core.consent();
    let refresh = |token: &str| session.token(&format!("grant_type=refresh_token&refresh_token={token}")).status;
    assert_eq!([refresh(&old), refresh(&new), session.keiyaku("contracts").status], [400, 200, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_at_a_gate() {
    let session = Arc::new(Session::with_records(2).await);
    let stall = session.core.stall("/contracts");
    let other = Arc::clone(&session);
    let waiting = tokio::task::spawn_blocking(move || other.keiyaku("contracts"));
    stall.reached().await;
    session.core.delete("contracts", "K0000001").unwrap();
    stall.open();
    assert_eq!(waiting.await.unwrap().rows().len(), 1);
}
