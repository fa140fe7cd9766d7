//! Lines 1 to 11: how calls are sent, by whom, and what goes wrong on the way.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simulators::kintone::{Fault, FaultKind, Options, Rights, parse_fault};

use crate::client::{CUSTOMERS, DEALS, Session, encode, send};

#[tokio::test(flavor = "multi_thread")]
async fn line_1_apps_of_guest_spaces_have_paths_of_their_own() {
    let session = Session::with_records(3).await;
    assert_eq!(session.query(CUSTOMERS, "").status, 200);
    assert_eq!(session.url("/k/guest/5/v1/records.json?app=1").error(), (403, "CB_NO02".into()));
    session.domain.set_guest_space(CUSTOMERS, Some(5)).unwrap();
    assert_eq!(session.query(CUSTOMERS, "").error(), (400, "GAIA_IL23".into()));
    assert_eq!(session.url("/k/guest/5/v1/records.json?app=1").records().len(), 3);
    assert_eq!(session.url("/k/guest/6/v1/app/form/fields.json?app=1").error(), (403, "CB_NO02".into()));
    assert_eq!(session.server.credentials()["apps"][0]["guest_space_id"], "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_2_three_ways_of_sending_give_the_same() {
    let session = Session::with_records(30).await;
    let query = "$id > 3 order by $id asc limit 5";
    let body = json!({"app": 1, "query": query, "fields": ["$id", "会社名"], "totalCount": true});
    let url = format!(
        "/k/v1/records.json?app=1&query={}&fields%5B0%5D=%24id&fields[1]={}&totalCount=true",
        encode(query),
        encode("会社名")
    );
    let token = [("X-Cybozu-API-Token", session.token.as_str())];
    let overridden = [token[0], ("X-HTTP-Method-Override", "GET")];
    let by_override = session.send("POST", "records.json", &overridden, &body).json();
    assert_eq!(by_override["totalCount"], "27");
    assert_eq!(session.url(&url).json(), by_override);
    assert_eq!(session.send("GET", "records.json", &token, &body).json(), by_override);
    let bare = send(&format!("{}/k/v1/records.json", session.base), "POST", &overridden, body.to_string().as_bytes());
    assert_eq!(bare.error(), (400, "CB_IL02".into()));
    assert_eq!(session.send("POST", "records.json", &[token[0], ("X-HTTP-Method-Override", "get")], &body).status, 400);
    let broken = send(
        &format!("{}/k/v1/records.json", session.base),
        "GET",
        &[token[0], ("Content-Type", "application/json")],
        b"{",
    );
    assert_eq!(broken.error(), (400, "CB_IJ01".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_3_long_urls_are_refused_and_long_bodies_are_not() {
    let session = Session::with_records(3).await;
    let ids: Vec<String> = (1..2_000).map(|id| format!("\"{id}\"")).collect();
    let query = format!("$id in ({})", ids.join(","));
    let refused = session.url(&format!("/k/v1/records.json?app=1&query={}", encode(&query)));
    assert_eq!(refused.status, 414);
    assert!(serde_json::from_slice::<Value>(&refused.body).is_err());
    assert_eq!(session.query(CUSTOMERS, &query).records().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_4_who_does_not_log_in_is_told_so() {
    let session = Session::with_records(1).await;
    let body = json!({"app": 1});
    assert_eq!(session.send("GET", "records.json", &[], &body).error(), (401, "CB_AU01".into()));
    let wrong = STANDARD.encode("renkei:wrong:with:colons");
    for header in [wrong.as_str(), "%%%"] {
        assert_eq!(
            session.send("GET", "records.json", &[("X-Cybozu-Authorization", header)], &body).error(),
            (401, "CB_WA01".into())
        );
    }
    session.domain.set_password("renkei", "with:colon");
    assert_eq!(session.as_reader("GET", "records.json", body.clone()).records().len(), 1);
    session.domain.set_two_factor("renkei", true);
    assert_eq!(session.as_reader("GET", "records.json", body).error(), (401, "CB_TW02".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_5_tokens_are_for_their_apps_and_rights() {
    let session = Session::with_records(1).await;
    let with = |token: &str, method: &str, api: &str, body: Value| {
        session.send(method, api, &[("X-Cybozu-API-Token", token)], &body)
    };
    let new = session.domain.add_undeployed_token(CUSTOMERS, Rights::view());
    assert_eq!(with("nonsense", "GET", "records.json", json!({"app": 1})).error(), (400, "GAIA_IA02".into()));
    assert_eq!(with(&new, "GET", "records.json", json!({"app": 1})).error(), (400, "GAIA_IA02".into()));
    assert_eq!(session.post("preview/app/deploy.json", json!({"apps": [{"app": 1}]})).status, 200);
    assert_eq!(with(&new, "GET", "records.json", json!({"app": 1})).status, 200);
    assert_eq!(with(&new, "POST", "record.json", json!({"app": 1, "record": {}})).error(), (403, "GAIA_NO01".into()));
    assert_eq!(with(&new, "GET", "apps.json", json!({})).error(), (403, "GAIA_NO01".into()));
    assert_eq!(with(&new, "GET", "records.json", json!({"app": 2})).error(), (403, "GAIA_AP15".into()));
    let other = session.domain.add_token(CUSTOMERS, Rights::view());
    assert_eq!(
        with(&format!("{new},{other}"), "GET", "records.json", json!({"app": 1})).error(),
        (400, "GAIA_DA03".into())
    );
    let both = session.credential("api_token");
    assert_eq!(both.split(',').count(), 2);
    for app in [CUSTOMERS, DEALS] {
        assert_eq!(with(&both, "GET", "records.json", json!({"app": app})).status, 200);
    }
    session.domain.assume(|open| open.wrong_app_status = 400);
    assert_eq!(with(&new, "GET", "records.json", json!({"app": 2})).error(), (400, "GAIA_AP15".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_6_a_password_beats_a_token() {
    let session = Session::with_records(1).await;
    let wrong = STANDARD.encode("renkei:wrong");
    let headers = [("X-Cybozu-API-Token", session.token.as_str()), ("X-Cybozu-Authorization", &wrong)];
    assert_eq!(session.send("GET", "records.json", &headers, &json!({"app": 1})).code(), "CB_WA01");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_7_oauth_tokens_expire_and_have_scopes() {
    let session = Session::with_records(2).await;
    let oauth = session.server.credentials()["oauth"].clone();
    let text = |name: &str| oauth[name].as_str().unwrap().to_owned();
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", text("client_id"), text("client_secret"))));
    let token = |form: &str| {
        let headers = [("Authorization", basic.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        send(&text("token_url"), "POST", &headers, form.as_bytes())
    };
    let given = token(&format!("grant_type=refresh_token&refresh_token={}", text("refresh_token"))).json();
    assert_eq!(
        (given["expires_in"].as_i64(), given["token_type"].as_str(), given.get("refresh_token")),
        (Some(3_600), Some("bearer"), None)
    );
    let bearer = format!("Bearer {}", given["access_token"].as_str().unwrap());
    let read = |bearer: &str, api: &str| session.send("GET", api, &[("Authorization", bearer)], &json!({"app": 1}));
    assert_eq!(read(&bearer, "records.json").records().len(), 2);
    let cursor = session.send("POST", "records/cursor.json", &[("Authorization", &bearer)], &json!({"app": 1}));
    assert_eq!(cursor.error(), (403, "CB_OA01".into()));
    assert_eq!(read(&bearer, "apps.json").status, 403);
    session.domain.assume(|open| open.oauth_apps = true);
    assert_eq!(read(&bearer, "apps.json").status, 200);
    let narrow = format!("Bearer {}", session.domain.access_token("k:app_record:read"));
    assert_eq!(read(&narrow, "app/form/fields.json").error(), (403, "CB_OA01".into()));
    session.domain.advance(3_600);
    assert_eq!(read(&bearer, "records.json").error(), (401, "CB_OA01".into()));
    let page = send(
        &format!(
            "{}?client_id={}&redirect_uri=http://x/&state=s1&response_type=code&scope=k:app_record:read",
            text("authorization_url"),
            text("client_id")
        ),
        "GET",
        &[],
        b"",
    );
    let target = page.header("location").unwrap();
    let code = target.split("code=").nth(1).unwrap().split('&').next().unwrap();
    assert!(page.status == 302 && target.ends_with("state=s1"));
    session.domain.assume(|open| open.rotate_refresh_tokens = true);
    let first = token(&format!("grant_type=authorization_code&code={code}&redirect_uri=http://x/")).json();
    let refresh = format!("grant_type=refresh_token&refresh_token={}", first["refresh_token"].as_str().unwrap());
    assert!(token(&refresh).json()["refresh_token"].is_string());
    assert_eq!(token(&refresh).json()["error"], "invalid_grant");
    assert_eq!(send(&text("token_url"), "POST", &[], b"x=1").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_8_a_gate_may_stand_in_front() {
    let session =
        Session::start(Options { records: 1, basic: Some(("gate".into(), "pass".into())), ..Options::default() }).await;
    let refused = session.query(CUSTOMERS, "");
    assert!(refused.status == 401 && refused.text().contains("<html>"));
    let basic = format!("Basic {}", STANDARD.encode("gate:pass"));
    let headers = [("Authorization", basic.as_str()), ("X-Cybozu-API-Token", &session.token)];
    assert_eq!(session.send("GET", "records.json", &headers, &json!({"app": 1})).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_9_too_many_at_once_are_refused() {
    let session = Arc::new(Session::start(Options { records: 1, concurrency: 1, ..Options::default() }).await);
    let stall = session.domain.stall("/records.json");
    let other = Arc::clone(&session);
    let waiting = tokio::task::spawn_blocking(move || other.query(CUSTOMERS, ""));
    stall.reached().await;
    let refused = session.url("/k/v1/app.json?id=1");
    assert_eq!(refused.error(), (429, "GAIA_TO04".into()));
    assert_eq!(refused.header("x-cybozu-error"), Some("GAIA_TO04"));
    assert_eq!(
        (refused.header("x-concurrencylimit-limit"), refused.header("x-concurrencylimit-running")),
        (Some("1"), Some("2"))
    );
    assert_eq!(refused.header("retry-after"), None);
    stall.open();
    assert_eq!(waiting.await.unwrap().header("x-concurrencylimit-running"), Some("1"));
    assert_eq!(session.domain.peak_concurrency(), 2);
    assert_eq!(session.url("/k/v1/app.json?id=1").header("x-concurrencylimit-running"), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_10_errors_speak_the_callers_language() {
    let session = Session::empty().await;
    let say = |language: &str| {
        let headers = [("X-Cybozu-API-Token", session.token.as_str()), ("Accept-Language", language)];
        session.send("GET", "record.json", &headers, &json!({"app": 1, "id": 9})).json()
    };
    assert_eq!(say("ja")["message"], "指定したレコード（id: 9）が見つかりません。");
    assert_eq!(say("ja;q=0.3, en;q=0.9")["message"], "The specified record (ID: 9) is not found.");
    assert_eq!(say("fr")["message"], say("ja")["message"]);
    let (first, second) = (say("en"), say("en"));
    assert!(first["id"].as_str().unwrap().len() == 20 && first["id"] != second["id"] && first.get("errors").is_none());
    let invalid = session.get("records.json", json!({})).json();
    assert_eq!(invalid["errors"]["app"]["messages"][0], "必須です。");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_11_faults_strike_when_told_to() {
    let session = Session::with_records(20).await;
    let expected: [(&str, u16, &str); 9] = [
        ("503", 503, "Service Unavailable"),
        ("502", 502, "<html>"),
        ("504", 504, "<html>"),
        ("html=200", 200, "<html>"),
        ("empty=403", 403, ""),
        ("429", 429, "GAIA_TO04"),
        ("code=GAIA_DA02", 400, "GAIA_DA02"),
        ("legacy=GAIA_DA02", 520, "GAIA_DA02"),
        ("code=GAIA_TM12", 429, "GAIA_TM12"),
    ];
    for (spec, status, text) in expected {
        session.domain.arm(parse_fault(&format!("{spec}@/records.json*\"app\":1#2")).unwrap());
        assert_eq!(session.query(CUSTOMERS, "").status, 200, "{spec}");
        assert_eq!(session.query(DEALS, "").status, 200, "{spec}");
        let struck = session.query(CUSTOMERS, "");
        assert!(struck.status == status && struck.text().contains(text), "{spec}");
        assert_eq!(session.query(CUSTOMERS, "").status, 200, "{spec}");
    }
    for (kind, whole) in
        [(FaultKind::CutChunked(900), false), (FaultKind::CutLength(900), false), (FaultKind::CutJson(900), true)]
    {
        session.domain.arm(Fault::once(kind.clone(), "/records.json"));
        let cut = session.query(CUSTOMERS, "");
        assert_eq!((cut.status, cut.body.len(), cut.is_whole), (200, 900, whole), "{kind:?}");
    }
    session.domain.arm(Fault::once(FaultKind::Drop, "POST /k/v1/record.json"));
    let added = session.post(
        "record.json",
        json!({"app": 1, "record": {"顧客コード": {"value": "X"}, "会社名": {"value": "届かない"}}}),
    );
    assert_eq!((added.status, session.domain.ids(CUSTOMERS).unwrap().len()), (0, 21));
    session.domain.arm(parse_fault("warning=3").unwrap());
    let warned = session.query(CUSTOMERS, "");
    assert_eq!(warned.header("x-cybozu-warning"), Some("Filter aborted because of too many search results"));
    assert_eq!(warned.records().len(), 18);
    session.domain.arm(parse_fault("lose=2").unwrap());
    assert_eq!(session.query(CUSTOMERS, "").records().len(), 19);
    let first = session.query(CUSTOMERS, "order by $id asc limit 3").ids();
    session.domain.arm(parse_fault("repeat").unwrap());
    assert_eq!(session.query(CUSTOMERS, "$id > 3 order by $id asc limit 3").ids(), first);
    session.domain.arm(parse_fault("slow=1").unwrap());
    assert_eq!(session.query(CUSTOMERS, "").status, 200);
    assert_eq!(session.domain.calls().iter().filter(|call| call.status == 0).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_follow_the_clock_of_the_domain() {
    let session = Session::empty().await;
    assert_eq!(session.query(CUSTOMERS, "").header("date"), Some("Sat, 31 Oct 2026 15:00:00 GMT"));
    session.domain.advance(61);
    assert_eq!(session.query(CUSTOMERS, "").header("date"), Some("Sat, 31 Oct 2026 15:01:01 GMT"));
}
