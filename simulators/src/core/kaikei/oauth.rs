//! The token endpoint.

use serde_json::{Value as Json, json};

use crate::core::auth::{CLIENT_ID, LIFE_SECS, basic};
use crate::core::refusal::Api;
use crate::core::state::State;
use crate::wire::request::form;
use crate::wire::{Reply, Request};

/// `POST /kaikei/oauth/token`; the client is in the form or in a Basic header.
pub(crate) fn token(state: &mut State, request: &Request) -> Reply {
    let is_form =
        request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if request.method != "POST" || !is_form {
        return refuse(400, "invalid_request", "send a form");
    }
    let fields = form(&String::from_utf8_lossy(&request.body));
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let client = basic(request).or_else(|| Some((field("client_id")?, field("client_secret")?)));
    let is_known = client.is_some_and(|(id, secret)| id == CLIENT_ID && secret == state.auth.client_secret);
    if !is_known || state.auth.revoked.contains(&Api::Kaikei) {
        return refuse(401, "invalid_client", "the client is unknown, or was withdrawn");
    }
    match field("grant_type").as_deref() {
        Some("client_credentials") => issue(state, None),
        Some("refresh_token") => {
            let sent = field("refresh_token").unwrap_or_default();
            if !state.auth.grants.contains(&sent) {
                return refuse(400, "invalid_grant", "the refresh token is unknown, or was used");
            }
            if !state.options.rotate_refresh_tokens {
                return issue(state, None);
            }
            state.auth.grants.remove(&sent);
            let next = state.auth.consent();
            issue(state, Some(next))
        }
        _ => refuse(400, "unsupported_grant_type", "client_credentials or refresh_token"),
    }
}

fn refuse(status: u16, error: &str, description: &str) -> Reply {
    Reply::value(status, &json!({"error": error, "error_description": description}))
}

fn issue(state: &mut State, refresh: Option<String>) -> Reply {
    let access = state.auth.fresh("at");
    state.auth.sessions.insert(access.clone(), state.now + LIFE_SECS);
    let mut body = json!({"access_token": access, "token_type": "bearer", "expires_in": LIFE_SECS, "scope": "read"});
    if let Some(refresh) = refresh {
        body["refresh_token"] = Json::String(refresh);
    }
    Reply::value(200, &body)
}
