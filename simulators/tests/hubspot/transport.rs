//! Lines 1 to 6, and 44 to 46: paths, tokens, and what goes wrong on the way.

use serde_json::json;
use simulators::hubspot::{Fault, FaultKind, Options, parse_fault};

use crate::client::{Session, encode, fields, send};

#[tokio::test(flavor = "multi_thread")]
async fn line_1_dated_and_old_paths_give_the_same() {
    let session = Session::with_all().await;
    let pairs = [
        ("/crm/objects/2026-09/companies/501", "/crm/v3/objects/companies/501"),
        ("/crm/objects/2026-03/companies/501", "/crm/v3/objects/0-2/501"),
        ("/crm/properties/2026-09/deals", "/crm/v3/properties/deals"),
        ("/crm/pipelines/2026-09/deals", "/crm/v3/pipelines/0-3"),
        ("/crm/owners/2026-09", "/crm/v3/owners"),
        ("/crm-object-schemas/2026-09/schemas", "/crm/v3/schemas"),
        ("/crm-object-schemas/2026-03/schemas", "/crm-object-schemas/v3/schemas"),
        ("/crm/associations/2026-09/deals/companies/labels", "/crm/v4/associations/deals/companies/labels"),
        ("/crm/objects/2026-09/deals/501/associations/companies", "/crm/v4/objects/deals/501/associations/companies"),
        ("/account-info/2026-09/details", "/account-info/v3/details"),
    ];
    for (dated, old) in pairs {
        let (first, second) = (session.get(dated), session.get(old));
        assert_eq!((first.status, first.text()), (200, second.text()), "{dated}");
    }
    assert_eq!(session.list("companies", "limit=3").ids(), session.get("/crm/v3/objects/companies?limit=3").ids());
    let body = json!({"inputs": [{"id": "501"}]});
    assert_eq!(session.post("/crm/v4/associations/deals/companies/batch/read", body).status, 200);
    for path in ["/crm/objects/2025-09/companies", "/crm/v4/objects/companies", "/crm/v3/nothing"] {
        assert_eq!(session.get(path).error(), (404, "OBJECT_NOT_FOUND".into()), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_2_unknown_and_expired_tokens_are_told_apart() {
    let session = Session::with_companies(1).await;
    let path = "/crm/objects/2026-09/companies";
    let missing = send(&format!("{}{path}", session.base), "GET", &[], b"");
    assert_eq!(missing.error(), (401, "INVALID_AUTHENTICATION".into()));
    assert!(missing.text().contains("Authentication credentials not found."));
    assert_eq!(missing.header("x-hubspot-auth-failure"), Some("401 Unauthorized"));
    assert_eq!(session.call("GET", path, "pat-na1-wrong", b"").category(), "INVALID_AUTHENTICATION");
    let access = session.portal.access_token();
    assert!(access.len() > 300);
    assert_eq!(session.call("GET", path, &access, b"").status, 200);
    session.portal.advance(1_875);
    let expired = session.call("GET", path, &access, b"");
    assert_eq!(expired.error(), (401, "EXPIRED_AUTHENTICATION".into()));
    assert_eq!(expired.json()["message"], "The OAuth token used to make this call expired 75 second(s) ago.");
    assert_eq!(expired.json()["context"]["expire time"], json!(["2026-10-31T15:30:00.000Z"]));
    let cut = session.call("GET", path, &access[..200], b"").json();
    assert!(cut["message"].as_str().unwrap().contains("20757 day(s) ago"), "{cut}");
    session.portal.remove_token(&session.token);
    assert_eq!(session.list("companies", "").category(), "INVALID_AUTHENTICATION");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_token_is_rotated_at_once_or_with_grace() {
    let session = Session::with_companies(1).await;
    let first = session.portal.rotate_token(7 * 86_400);
    assert_ne!(first, session.token);
    for token in [&first, &session.token] {
        assert_eq!(session.call("GET", "/crm/objects/2026-09/companies", token, b"").status, 200);
    }
    session.portal.advance(7 * 86_400);
    assert_eq!(session.list("companies", "").category(), "INVALID_AUTHENTICATION");
    let second = session.portal.rotate_token(0);
    assert_eq!(session.call("GET", "/crm/objects/2026-09/companies", &first, b"").status, 401);
    assert_eq!(session.server.credentials()["private_token"], second);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_3_a_missing_scope_closes_one_type() {
    let session = Session::with_all().await;
    session.portal.revoke_scope("crm.objects.deals.read");
    let refused = session.list("deals", "");
    assert_eq!(refused.error(), (403, "MISSING_SCOPES".into()));
    let told = &refused.json()["errors"][0]["context"]["requiredGranularScopes"];
    assert_eq!(told, &json!(["crm.objects.deals.read"]));
    assert_eq!(session.search("deals", json!({})).status, 403);
    assert_eq!(session.list("companies", "").status, 200);
    // The scope for schemas still lists properties.
    assert_eq!(session.get("/crm/properties/2026-09/deals").status, 200);
    session.portal.grant_scope("crm.objects.deals.read");
    assert_eq!(session.list("deals", "").status, 200);
    let narrow = session.portal.add_token(&["crm.objects.contacts.read"]);
    assert_eq!(session.call("GET", "/crm/objects/2026-09/tickets", &narrow, b"").status, 403);
    let email = session.call(
        "GET",
        "/crm/objects/2026-09/emails/501?properties=hs_email_subject,hs_email_status",
        &narrow,
        b"",
    );
    assert_eq!(email.json()["properties"].get("hs_email_subject"), None);
    assert_eq!(email.json()["properties"]["hs_email_status"], "SENT");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_4_tokens_are_refreshed_by_a_form() {
    let session = Session::with_companies(1).await;
    let given = session.token("/oauth/2026-09/token", &session.refresh_form()).json();
    assert_eq!((&given["expires_in"], &given["token_type"]), (&json!(1_800), &json!("bearer")));
    assert_eq!(given["refresh_token"], session.oauth("refresh_token"));
    assert_eq!(given["hub_id"], session.server.credentials()["portal_id"]);
    let access = given["access_token"].as_str().unwrap();
    assert_eq!(session.call("GET", "/crm/objects/2026-09/companies", access, b"").status, 200);
    let in_url = format!("?{}", session.refresh_form());
    assert_ne!(session.token(&format!("/oauth/2026-09/token{in_url}"), "").status, 200);
    assert_eq!(session.token(&format!("/oauth/v1/token{in_url}"), "").status, 200);
    let told = session.token("/oauth/2026-09/token/introspect", &format!("token={access}")).json();
    assert_eq!((&told["active"], &told["hub_id"]), (&json!(true), &given["hub_id"]));
    assert_eq!(session.get(&format!("/oauth/v1/access-tokens/{access}")).json()["expires_in"], 1_800);
    let wrong = session.refresh_form().replace("client_secret=", "client_secret=x");
    assert_eq!(session.token("/oauth/v3/token", &wrong).json()["status"], "BAD_CLIENT_SECRET");

    session.portal.assume(|open| open.rotate_refresh_tokens = true);
    let old = session.refresh_form();
    let rotated = session.token("/oauth/2026-09/token", &old).json();
    assert_ne!(rotated["refresh_token"], given["refresh_token"]);
    assert_eq!(session.token("/oauth/2026-09/token", &old).status, 400);
    assert_eq!(session.token("/oauth/2026-09/token", &session.refresh_form()).status, 200);

    let form = session.refresh_form();
    session.portal.revoke_grant();
    let refused = session.token("/oauth/2026-09/token", &form);
    let body = refused.json();
    assert_eq!(
        (refused.status, &body["error"], &body["status"]),
        (400, &json!("invalid_grant"), &json!("BAD_REFRESH_TOKEN"))
    );
    assert!(body["correlationId"].is_string());
    session.portal.consent();
    assert_eq!(session.token("/oauth/2026-09/token", &session.refresh_form()).status, 200);
    let code = session.portal.consent_code();
    let [id, secret] = ["client_id", "client_secret"].map(|name| session.oauth(name));
    let form = format!(
        "grant_type=authorization_code&client_id={id}&client_secret={secret}&code={code}&redirect_uri={}",
        encode("http://x/")
    );
    assert_eq!([0, 1].map(|_| session.token("/oauth/2026-09/token", &form).status), [200, 400]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_5_access_tokens_end_by_the_portals_clock() {
    let session = Session::with_companies(1).await;
    let given = session.token("/oauth/2026-09/token", &session.refresh_form()).json();
    let access = given["access_token"].as_str().unwrap();
    let status = || session.call("GET", "/account-info/2026-09/details", access, b"").status;
    session.portal.advance(1_799);
    assert_eq!(status(), 200);
    session.portal.advance(1);
    assert_eq!(status(), 401);
    session.portal.arm(Fault::once(FaultKind::Expired, "/companies"));
    let fresh = session.portal.access_token();
    assert_eq!(session.call("GET", "/crm/objects/2026-09/companies", &fresh, b"").category(), "EXPIRED_AUTHENTICATION");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_6_every_answer_can_be_traced() {
    let session = Session::with_companies(1).await;
    let (good, bad) = (session.list("companies", ""), session.list("companies", "limit=0"));
    let id = |answer: &crate::client::Answer| answer.header("x-hubspot-correlation-id").unwrap().to_owned();
    assert_eq!(id(&good).len(), 36);
    assert_ne!(id(&good), id(&bad));
    assert_eq!(bad.json()["correlationId"], id(&bad));
    assert!(good.header("x-trace").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_44_faults_strike_when_told_to() {
    let session = Session::with_companies(30).await;
    let expected: [(&str, u16, &str); 15] = [
        ("423", 423, "locked"),
        ("moving=3600", 477, "moved"),
        ("429", 429, "ten_secondly_rolling"),
        ("daily=86400", 429, "daily"),
        ("500", 500, "internal error"),
        ("502", 502, "<html>"),
        ("503", 503, "503"),
        ("504", 504, "504"),
        ("524", 524, "<html>"),
        ("414", 414, "<html>"),
        ("html=200", 200, "<html>"),
        ("empty=503", 503, ""),
        ("unauthenticated", 401, "INVALID_AUTHENTICATION"),
        ("expired-once", 401, "EXPIRED_AUTHENTICATION"),
        ("scope=crm.objects.companies.read", 403, "MISSING_SCOPES"),
    ];
    for (spec, status, text) in expected {
        session.portal.arm(parse_fault(&format!("{spec}@/companies?limit=5#2")).unwrap());
        let statuses = [0; 4].map(|_| session.list("companies", "limit=5"));
        let told: Vec<u16> = statuses.iter().map(|answer| answer.status).collect();
        assert_eq!(told, [200, status, 200, 200], "{spec}");
        assert!(statuses[1].text().contains(text), "{spec}: {}", statuses[1].text());
        let pause = spec.split_once('=').map(|(_, secs)| secs).filter(|secs| secs.parse::<u64>().is_ok());
        let pause = pause.filter(|_| status == 477 || status == 429);
        assert_eq!(statuses[1].header("retry-after"), pause, "{spec}");
    }
    for (kind, whole) in
        [(FaultKind::CutChunked(900), false), (FaultKind::CutLength(900), false), (FaultKind::CutJson(900), true)]
    {
        session.portal.arm(Fault::once(kind.clone(), "/companies"));
        let cut = session.list("companies", "");
        assert_eq!((cut.status, cut.body.len(), cut.is_whole), (200, 900, whole), "{kind:?}");
    }
    for kind in [FaultKind::Reset, FaultKind::Drop] {
        session.portal.arm(Fault::once(kind, "/companies"));
        assert_eq!(session.list("companies", "").status, 0);
    }
    session.portal.arm(parse_fault("slow=1").unwrap());
    assert_eq!(session.list("companies", "").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_44_a_slow_answer_waits_for_its_gate() {
    let session = std::sync::Arc::new(Session::with_companies(1).await);
    let stall = session.portal.stall("/companies");
    let other = std::sync::Arc::clone(&session);
    let waiting = tokio::task::spawn_blocking(move || other.list("companies", ""));
    stall.reached().await;
    assert_eq!(session.get("/crm/owners/2026-09").status, 200);
    stall.open();
    assert_eq!(waiting.await.unwrap().status, 200);
    assert_eq!(session.portal.peak_concurrency(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_repeat_lose_and_shorten_when_told_to() {
    let session = Session::with_companies(30).await;
    let first = session.list("companies", "limit=4");
    let next = format!("limit=4&after={}", first.after().unwrap());
    session.portal.arm(parse_fault("repeat@after=").unwrap());
    assert_eq!(session.list("companies", &next).text(), first.text());
    assert_eq!(session.list("companies", &next).ids(), [505, 506, 507, 508]);
    session.portal.arm(parse_fault("lose=2").unwrap());
    let lossy = session.list("companies", "limit=4");
    assert_eq!((lossy.ids(), lossy.after()), (vec![501, 502], first.after()));
    session.portal.arm(parse_fault("short=2#1+").unwrap());
    assert_eq!(session.listed("companies", "").len(), 30);
    session.portal.disarm();
    session.portal.arm(parse_fault("no-next").unwrap());
    assert_eq!(session.list("companies", "limit=4").after(), None);
    session.portal.arm(parse_fault("phantoms=7@/search").unwrap());
    assert_eq!(session.search("companies", json!({})).json()["total"], 37);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_45_unknown_keys_may_be_anywhere() {
    let session = Session::start(Options { records: 3, extra_keys: true, ..Options::default() }).await;
    let page = session.list("companies", "").json();
    assert!(page.get("zzMeta").is_some() && page["results"][0].get("zzPreview").is_some());
    let batch = session.batch("companies", json!({"inputs": [{"id": "501"}]})).json();
    assert!(batch.get("zzTiming").is_some());
    assert!(session.list("companies", "limit=0").json().get("zzHint").is_some());
    assert!(session.token("/oauth/2026-09/token", &session.refresh_form()).json().get("zzMeta").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_46_errors_may_hold_a_message_alone() {
    let session = Session::with_companies(1).await;
    session.portal.assume(|open| open.bare_errors = true);
    let bare = session.list("companies", "limit=101").json();
    assert_eq!(bare.as_object().unwrap().keys().collect::<Vec<_>>(), ["message"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_can_be_written_over_the_api() {
    let session = Session::with_companies(2).await;
    let made = session.post("/crm/objects/2026-09/companies", json!({"properties": {"name": "外部から", "mrr": 12}}));
    assert_eq!((made.status, &made.json()["properties"]["mrr"]), (201, &json!("12")));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/crm/objects/2026-09/companies/{id}");
    let patched = session.call("PATCH", &path, &session.token, br#"{"properties":{"name":""}}"#);
    assert_eq!((patched.status, &patched.json()["properties"]["name"]), (200, &json!("")));
    for (property, text) in [("nothing", "PROPERTY_DOESNT_EXIST"), ("health_score", "READ_ONLY_VALUE")] {
        let body = json!({"properties": {property: "1"}}).to_string();
        let refused = session.call("PATCH", &path, &session.token, body.as_bytes());
        assert!(refused.status == 400 && refused.text().contains(text), "{}", refused.text());
    }
    assert_eq!(session.call("DELETE", &path, &session.token, b"").status, 204);
    assert_eq!(session.get(&path).status, 404);
    let merged =
        session.post("/crm/v3/objects/companies/merge", json!({"primaryObjectId": "501", "objectIdToMerge": "502"}));
    assert_eq!((merged.status, &merged.json()["properties"]["hs_merged_object_ids"]), (200, &json!("501;502")));
    assert_eq!(session.portal.update("companies", 9, &fields(json!({}))).unwrap_err().category, "OBJECT_NOT_FOUND");
}
