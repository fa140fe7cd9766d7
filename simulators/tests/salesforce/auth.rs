//! Lines 1 to 8: who comes in.

use base64::Engine;
use serde_json::Value;
use simulators::salesforce::{LoginHost, Options};

use crate::client::{Answer, Session, client_credentials, send, token};

fn refresh(session: &Session, refresh_token: &str) -> Answer {
    let credentials = session.server.credentials();
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    let form = format!(
        "grant_type=refresh_token&refresh_token={refresh_token}&client_id={}&client_secret={}",
        text("client_id"),
        text("client_secret")
    );
    token(&session.server, &form)
}

fn assert_refused(answer: &Answer, error: &str, description: &str) {
    let body = answer.json();
    assert_eq!((answer.status, &body["error"], &body["error_description"]), (400, &error.into(), &description.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_01_the_token_endpoint_takes_forms_and_gives_no_expiry() {
    let session = Session::empty().await;
    let answer = token(&session.server, &client_credentials(&session.server));
    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert!(body.get("expires_in").is_none() && body.get("refresh_token").is_none());
    assert_eq!(body["issued_at"].as_str().unwrap().len(), 13);
    assert_eq!((&body["token_type"], &body["instance_url"]), (&"Bearer".into(), &session.base.clone().into()));
    assert!(body["access_token"].as_str().unwrap().starts_with("00D"));
    assert!(body["id"].as_str().unwrap().contains("/id/00D"));
    let url = format!("{}/services/oauth2/token", session.base);
    let json = send(&url, "POST", &[("Content-Type", "application/json")], b"{\"grant_type\":\"client_credentials\"}");
    assert_eq!((json.status, &json.json()["error"]), (400, &"invalid_request".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_02_client_credentials_need_my_domain_and_a_run_as_user() {
    let session = Session::empty().await;
    let credentials = session.server.credentials();
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    let pair = format!("{}:{}", text("client_id"), text("client_secret"));
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let url = format!("{}/services/oauth2/token", text("login_url"));
    let headers = [("Authorization", basic.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(send(&url, "POST", &headers, b"grant_type=client_credentials").status, 200);

    let form = client_credentials(&session.server);
    let wrong = token(&session.server, &form.replace("client_secret=", "client_secret=x"));
    assert_refused(&wrong, "invalid_client", "invalid client credentials");
    let unknown = token(&session.server, &form.replace("client_id=", "client_id=x"));
    assert_refused(&unknown, "invalid_client_id", "client identifier invalid");
    let flow = token(&session.server, &form.replace("client_credentials", "password"));
    assert_refused(&flow, "unsupported_grant_type", "grant type not supported");

    session.org.set_login_host(LoginHost::Generic);
    assert_refused(&token(&session.server, &form), "invalid_grant", "request not supported on this domain");
    session.org.set_login_host(LoginHost::MyDomain);
    session.org.set_run_as_user(false);
    assert_refused(&token(&session.server, &form), "invalid_grant", "no client credentials user enabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_04_a_refresh_token_that_was_rotated_out_takes_everything_with_it() {
    let session = Session::empty().await;
    let first = session.server.credentials()["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let body = refresh(&session, &first).json();
        assert!(body["access_token"].is_string() && body.get("refresh_token").is_none());
    }
    session.org.set_rotation(true);
    let rotated = refresh(&session, &first).json();
    let (second, access) = (rotated["refresh_token"].as_str().unwrap(), rotated["access_token"].as_str().unwrap());
    assert_ne!(second, first);
    let limits = |access: &str| {
        let bearer = format!("Bearer {access}");
        send(&format!("{}/services/data/v66.0/limits", session.base), "GET", &[("Authorization", bearer.as_str())], b"")
    };
    assert_eq!(limits(access).status, 200);
    assert_refused(&refresh(&session, &first), "invalid_grant", "expired access/refresh token");
    assert_eq!((limits(access).status, limits(access).code().as_str()), (401, "INVALID_SESSION_ID"));
    assert_refused(&refresh(&session, second), "invalid_grant", "expired access/refresh token");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_05_sessions_slide_and_can_be_revoked() {
    let session = Session::empty().await;
    for _ in 0..3 {
        session.org.advance(7_199);
        assert_eq!(session.data("limits").status, 200);
    }
    session.org.advance(7_200);
    let idle = session.data("limits");
    assert_eq!(
        (idle.status, idle.text().as_str()),
        (401, r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#)
    );

    let session = Session::empty().await;
    session.org.expire_sessions();
    assert_eq!(
        (session.data("sobjects").status, session.query("SELECT Id FROM User").code().as_str()),
        (401, "INVALID_SESSION_ID")
    );
    session.org.revoke_grant();
    let refresh_token = session.server.credentials()["refresh_token"].as_str().unwrap().to_owned();
    assert_refused(&refresh(&session, &refresh_token), "invalid_grant", "expired access/refresh token");
    session.org.consent();
    let refresh_token = session.server.credentials()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(refresh(&session, &refresh_token).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_06_a_session_may_be_good_for_nothing_however_new() {
    let session = Session::empty().await;
    session.org.forbid_rest(true);
    for _ in 0..2 {
        let body = token(&session.server, &client_credentials(&session.server)).json();
        let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
        let url = format!("{}/services/data/v66.0/limits", session.base);
        let answer = send(&url, "GET", &[("Authorization", bearer.as_str())], b"");
        assert_eq!(answer.status, 401);
        assert_eq!(answer.message(), "This session is not valid for use with the REST API");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_07_bad_authorization_and_too_many_logins_are_refused() {
    let session = Session::start(Options { hourly_logins: 3, ..Options::default() }).await;
    let url = format!("{}/services/data/v66.0/limits", session.base);
    let with = |headers: &[(&str, &str)]| send(&url, "GET", headers, b"");
    assert_eq!((with(&[]).status, with(&[]).code().as_str()), (401, "INVALID_SESSION_ID"));
    assert_eq!(with(&[("Authorization", "Basic abc")]).code(), "INVALID_AUTH_HEADER");
    assert_eq!(with(&[("Authorization", "Bearer nonsense")]).code(), "INVALID_SESSION_ID");
    let login = || token(&session.server, &client_credentials(&session.server));
    assert_eq!([login().status, login().status, login().status], [200, 200, 400]);
    session.org.advance(3_600);
    assert_eq!(login().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_08_data_is_not_at_the_login_host() {
    let session = Session::empty().await;
    let credentials = session.server.credentials();
    let login = credentials["login_url"].as_str().unwrap();
    assert_ne!(Value::from(login), credentials["instance_url"]);
    let bearer = format!("Bearer {}", session.token);
    let answer =
        send(&format!("{login}/services/data/v66.0/limits"), "GET", &[("Authorization", bearer.as_str())], b"");
    assert_eq!(answer.status, 404);
    assert!(answer.header("sforce-limit-info").is_none());
}
