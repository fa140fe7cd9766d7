//! Lines 1 to 7: tokens.

use serde_json::json;
use simulators::zoho::{Options, parse_fault};

use crate::client::{Session, encode, send};

#[tokio::test(flavor = "multi_thread")]
async fn line_01_accounts_and_api_are_two_hosts_and_the_token_names_the_second() {
    let session = Session::with(1).await;
    let (api, accounts) = (session.credential("api_domain"), session.credential("accounts_url"));
    assert_ne!(api, accounts);
    assert_eq!(session.refresh().json()["api_domain"], api.as_str());
    assert_eq!(send(&format!("{api}/oauth/v2/token"), "POST", &[], b"").status, 404);
    assert_eq!(send(&format!("{accounts}/crm/v8/org"), "GET", &[], b"").status, 404);
    let servers = send(&format!("{accounts}/oauth/serverinfo"), "GET", &[], b"").json();
    assert_eq!(servers["locations"]["jp"], accounts.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_02_errors_of_the_token_endpoint_come_with_status_200() {
    let session = Session::with(0).await;
    let refresh = session.credential("refresh_token");
    for (name, value, error) in [
        ("client_id", "1000.X", "invalid_client"),
        ("client_secret", "x", "invalid_client_secret"),
        ("refresh_token", "1000.x.y", "invalid_code"),
    ] {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        form.retain(|(known, _)| *known != name);
        form.push((name, value));
        let answer = session.tokens(&form);
        assert_eq!((answer.status, answer.json()), (200, json!({ "error": error })));
    }
    session.org.arm(parse_fault("token=server_error").unwrap());
    assert_eq!(session.refresh().json(), json!({"error": "server_error"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_03_a_refresh_answer_has_no_refresh_token_and_tokens_end_with_the_clock() {
    let mut session = Session::with(1).await;
    let answer = session.refresh().json();
    assert_eq!((&answer["expires_in"], &answer["token_type"]), (&json!(3_600), &json!("Bearer")));
    assert!(answer.get("refresh_token").is_none());
    session.token = answer["access_token"].as_str().unwrap().to_owned();
    session.org.advance(3_599);
    assert_eq!(session.get("org").status, 200);
    session.org.advance(1);
    assert_eq!(session.get("org").error(), (401, "INVALID_TOKEN".to_owned()));
    session.org.assume(|open| open.expired_silently = true);
    assert!(session.get("org").is_empty(200));
    session.org.assume(|open| open.expires_in_millis = true);
    let old = session.refresh().json();
    assert_eq!((&old["expires_in"], &old["expires_in_sec"]), (&json!(3_600_000), &json!(3_600)));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_04_too_many_refreshes_are_denied_and_too_many_tokens_end_the_oldest() {
    let mut session = Session::with(1).await;
    let first = session.refresh().json()["access_token"].as_str().unwrap().to_owned();
    for _ in 0..9 {
        assert!(session.refresh().json()["access_token"].is_string());
    }
    let denied = session.refresh();
    assert_eq!((denied.status, denied.json()["error"].as_str()), (200, Some("Access Denied")));
    assert!(denied.json()["error_description"].as_str().unwrap().starts_with("You have made too many requests"));
    session.org.assume(|open| open.token_throttle_status = 400);
    assert_eq!(session.refresh().status, 400);
    session.org.advance(600);
    session.token = first;
    assert_eq!(session.get("org").status, 200);
    session.refresh();
    assert_eq!(session.get("org").error().1, "INVALID_TOKEN");
    assert_eq!(session.org.refresh_count(), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_05_grant_codes_work_once_and_soon_and_revoked_grants_never() {
    let session = Session::with(1).await;
    let scope = session.credential("scope");
    let exchange = |code: &str| session.tokens(&[("grant_type", "authorization_code"), ("code", code)]).json();
    let code = session.org.grant_code(&scope, false);
    let answer = exchange(&code);
    assert!(answer["refresh_token"].is_string() && answer["access_token"].is_string());
    assert_eq!(exchange(&code), json!({"error": "invalid_code"}));
    let late = session.org.grant_code(&scope, false);
    session.org.advance(121);
    assert_eq!(exchange(&late), json!({"error": "invalid_code"}));
    let accounts = session.credential("accounts_url");
    let refresh = answer["refresh_token"].as_str().unwrap();
    let revoked = send(&format!("{accounts}/oauth/v2/token/revoke?token={refresh}"), "POST", &[], b"");
    assert_eq!(revoked.json(), json!({"status": "success"}));
    let refused = session.tokens(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
    assert_eq!(refused.json(), json!({"error": "invalid_code"}));
    session.org.revoke_grant();
    assert_eq!(session.refresh().json(), json!({"error": "invalid_code"}));
    session.org.consent(None);
    assert!(session.refresh().json()["access_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_05_the_twenty_first_grant_ends_the_first() {
    let session = Session::with(1).await;
    let refresh = session.credential("refresh_token");
    let works = || {
        session.tokens(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).json()["access_token"]
            .is_string()
    };
    for _ in 0..19 {
        session.org.consent(None);
    }
    assert!(works());
    session.org.consent(None);
    assert!(!works());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_05_a_server_app_gets_its_code_by_redirect() {
    let session = Session::with(1).await;
    let accounts = session.credential("accounts_url");
    let url = format!(
        "{accounts}/oauth/v2/auth?response_type=code&client_id={}&scope=ZohoCRM.org.READ&redirect_uri={}&access_type=offline&state=s",
        session.credential("client_id"),
        encode("https://nenrin.example/back"),
    );
    let target = send(&url, "GET", &[], b"").header("location").unwrap().to_owned();
    let code = target.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert!(target.starts_with("https://nenrin.example/back?") && target.contains("&location=jp&accounts-server=http"));
    let form = |uri: &'static str| vec![("grant_type", "authorization_code"), ("redirect_uri", uri)];
    let mut right = form("https://nenrin.example/back");
    right.push(("code", &code));
    assert!(session.tokens(&right).json()["refresh_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_06_calls_need_a_token_of_this_data_centre() {
    let session = Session::with(1).await;
    let other = Session::start(Options { seed: 2, ..Options::default() }).await;
    let url = format!("{}/crm/v8/org", session.base);
    assert_eq!(send(&url, "GET", &[], b"").error(), (401, "AUTHENTICATION_FAILURE".to_owned()));
    for token in ["1000.bad.token", other.token.as_str()] {
        let header = format!("Zoho-oauthtoken {token}");
        let answer = send(&url, "GET", &[("Authorization", &header)], b"");
        assert_eq!(answer.error(), (401, "INVALID_TOKEN".to_owned()));
    }
    assert_eq!(session.get("org").status, 200);
    let foreign =
        other.tokens(&[("grant_type", "refresh_token"), ("refresh_token", &session.credential("refresh_token"))]);
    assert_eq!(foreign.json(), json!({"error": "invalid_code"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_07_calls_need_their_scopes() {
    let mut session = Session::with(1).await;
    session.token = session.org.access_token("ZohoCRM.modules.ALL", false);
    let mismatch = (401, "OAUTH_SCOPE_MISMATCH".to_owned());
    assert_eq!(session.get("Accounts?fields=Phone").status, 200);
    assert_eq!(session.coql("select id from Accounts where id is not null").error(), mismatch);
    assert_eq!(session.bulk(json!({"module": {"api_name": "Accounts"}})).error(), mismatch);
    for path in ["org", "users", "settings/modules", "settings/fields?module=Deals"] {
        assert_eq!(session.get(path).error(), mismatch, "{path}");
    }
    session.token = session.org.access_token("ZohoCRM.modules.accounts.READ,ZohoCRM.settings.fields.READ", false);
    assert_eq!(session.get("Accounts?fields=Phone").status, 200);
    assert_eq!(session.get("Deals?fields=Stage").error(), mismatch);
    assert_eq!(session.get("settings/fields?module=Deals").status, 200);
    assert_eq!(session.get("settings/modules").error(), mismatch);
    session.token = session.org.access_token("ZohoCRM.modules.custom.READ", false);
    assert!(session.get("Subscriptions?fields=Name").is_empty(204));
}
