//! OAuth 2.0: the authorization page, which consents to everything, and the token endpoint.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::chance::secret;
use crate::kintone::auth::Session;
use crate::kintone::state::State;
use crate::wire::request::form;
use crate::wire::{Reply, Request};

/// The one client that is registered.
pub(crate) const CLIENT_ID: &str = "l.1.nenrin.simulated0client0id";
/// For how many seconds an access token is good.
pub(crate) const LIFE_SECS: i64 = 3_600;
/// All scopes that there are.
pub(crate) const SCOPES: &str =
    "k:app_record:read k:app_record:write k:app_settings:read k:app_settings:write k:file:read k:file:write";

fn fresh(state: &mut State, kind: &str) -> String {
    state.auth.issued += 1;
    format!("{kind}.{}", secret(state.options.seed, 40_000 + state.auth.issued, 60))
}

/// `GET /oauth2/authorization`: someone agrees at once.
pub(crate) fn authorize(state: &mut State, request: &Request) -> Reply {
    let parameter = |name: &str| request.parameter(name).unwrap_or_default();
    if parameter("client_id") != CLIENT_ID || parameter("response_type") != "code" {
        return Reply::html(400, "invalid_request");
    }
    let scopes: Vec<String> = parameter("scope").split_whitespace().map(str::to_owned).collect();
    let code = fresh(state, "code");
    state.auth.codes.insert(code.clone(), scopes);
    let target = format!("{}?code={code}&state={}", parameter("redirect_uri"), parameter("state"));
    Reply { status: 302, ..Reply::default() }.with("Location", target)
}

/// `POST /oauth2/token`.
pub(crate) fn token(state: &mut State, request: &Request) -> Reply {
    let refuse = |status: u16, error: &str| Reply::value(status, &json!({ "error": error }));
    let wanted = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{}", state.auth.client_secret)));
    if request.method != "POST" || request.header("authorization") != Some(wanted.as_str()) {
        return refuse(401, "invalid_client");
    }
    let fields = form(&String::from_utf8_lossy(&request.body));
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match field("grant_type") {
        Some("authorization_code") => match field("code").and_then(|code| state.auth.codes.remove(code)) {
            Some(scopes) => {
                let refresh = fresh(state, "refresh");
                state.auth.grants.insert(refresh.clone(), scopes.clone());
                issue(state, scopes, Some(refresh))
            }
            None => refuse(400, "invalid_grant"),
        },
        Some("refresh_token") => {
            let sent = field("refresh_token").unwrap_or_default();
            let Some(scopes) = state.auth.grants.get(sent).cloned() else { return refuse(400, "invalid_grant") };
            if !state.options.hypotheses.rotate_refresh_tokens {
                return issue(state, scopes, None);
            }
            state.auth.grants.remove(sent);
            let next = fresh(state, "refresh");
            state.auth.grants.insert(next.clone(), scopes.clone());
            issue(state, scopes, Some(next))
        }
        _ => refuse(400, "unsupported_grant_type"),
    }
}

fn issue(state: &mut State, scopes: Vec<String>, refresh: Option<String>) -> Reply {
    let access = grant(state, scopes.clone());
    let mut body = json!({
        "access_token": access, "token_type": "bearer", "expires_in": LIFE_SECS, "scope": scopes.join(" "),
    });
    if let Some(refresh) = refresh {
        body["refresh_token"] = Json::String(refresh);
    }
    Reply::value(200, &body)
}

/// A new access token with these scopes.
pub(crate) fn grant(state: &mut State, scopes: Vec<String>) -> String {
    let access = fresh(state, "access");
    state.auth.sessions.insert(access.clone(), Session { expires: state.now + LIFE_SECS, scopes });
    access
}
