//! The token endpoint, and what is told about tokens.

use serde_json::{Value as Json, json};

use crate::hubspot::auth::{CLIENT_ID, LIFE, granted};
use crate::hubspot::refusal::{Answer, Refusal, invalid, not_found};
use crate::hubspot::state::State;
use crate::wire::Request;
use crate::wire::request::form;

/// Whom the tokens act for.
const USER: u64 = 9_586_501;

/// `POST /oauth/{v}/token`; the oldest version also reads the URL.
pub(crate) fn token(state: &mut State, request: &Request, reads_url: bool) -> Answer<Json> {
    let fields = fields(request, reads_url)?;
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if field("client_id") != Some(CLIENT_ID) {
        return Err(refuse("invalid_client", "client id is unknown", "BAD_CLIENT_ID", "missing or unknown client id"));
    }
    if field("client_secret") != Some(state.auth.client_secret.as_str()) {
        let message = "missing or invalid client secret";
        return Err(refuse("invalid_client", message, "BAD_CLIENT_SECRET", message));
    }
    match field("grant_type") {
        Some("refresh_token") => {
            let sent = field("refresh_token").unwrap_or_default().to_owned();
            let scopes = state.auth.grants.get(&sent).cloned().ok_or_else(bad_refresh_token)?;
            let mut refresh = sent.clone();
            if state.options.hypotheses.rotate_refresh_tokens {
                state.auth.grants.remove(&sent);
                refresh = state.auth.consent(scopes.clone());
            }
            Ok(issue(state, scopes, &refresh))
        }
        Some("authorization_code") => {
            let code = field("code").unwrap_or_default();
            let message = "missing or unknown auth code";
            let scopes = state
                .auth
                .codes
                .remove(code)
                .ok_or_else(|| refuse("invalid_grant", "code is invalid or was used", "BAD_AUTH_CODE", message))?;
            let refresh = state.auth.consent(scopes.clone());
            Ok(issue(state, scopes, &refresh))
        }
        _ => Err(refuse(
            "unsupported_grant_type",
            "grant type is unknown",
            "BAD_GRANT_TYPE",
            "missing or unknown grant type",
        )),
    }
}

fn fields(request: &Request, reads_url: bool) -> Answer<Vec<(String, String)>> {
    let is_form =
        request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let mut fields = if is_form { form(&String::from_utf8_lossy(&request.body)) } else { Vec::new() };
    if reads_url {
        fields.extend(request.query.as_deref().map(form).unwrap_or_default());
    } else if !is_form {
        return Err(Refusal::new(415, "VALIDATION_ERROR", "the fields must be sent in the body, as a form"));
    }
    Ok(fields)
}

fn refuse(error: &str, description: &str, status: &'static str, message: &str) -> Refusal {
    Refusal {
        status: 400,
        message: message.to_owned(),
        extra: vec![("error", json!(error)), ("error_description", json!(description)), ("status", json!(status))],
        ..Refusal::default()
    }
}

fn bad_refresh_token() -> Refusal {
    refuse(
        "invalid_grant",
        "refresh token is invalid, expired or revoked",
        "BAD_REFRESH_TOKEN",
        "missing or invalid refresh token",
    )
}

fn issue(state: &mut State, scopes: std::collections::BTreeSet<String>, refresh: &str) -> Json {
    let now = state.now;
    let access = state.auth.issue(scopes, now);
    let granted: Vec<String> =
        state.auth.tokens.get(&access).map(|token| granted(state, token)).into_iter().flatten().collect();
    json!({
        "token_type": "bearer", "access_token": access, "refresh_token": refresh, "expires_in": LIFE / 1_000,
        "hub_id": state.options.portal_id, "user_id": USER, "scopes": granted, "token_use": "access",
    })
}

/// `POST /oauth/{v}/token/introspect`.
pub(crate) fn introspect(state: &State, request: &Request) -> Answer<Json> {
    let fields = fields(request, false)?;
    let sent = fields.iter().find(|(name, _)| name == "token").map(|(_, value)| value.as_str());
    let sent = sent.ok_or_else(|| invalid("token is missing"))?;
    if state.auth.grants.contains_key(sent) {
        return Ok(json!({"active": true, "token_use": "refresh", "hub_id": state.options.portal_id, "user_id": USER}));
    }
    Ok(about(state, sent).unwrap_or_else(|| json!({"active": false})))
}

fn about(state: &State, sent: &str) -> Option<Json> {
    let token = state.auth.tokens.get(sent).filter(|token| token.expires.is_none_or(|expires| expires > state.now))?;
    let scopes: Vec<String> = granted(state, token).into_iter().collect();
    let left = token.expires.map(|expires| (expires - state.now) / 1_000);
    Some(json!({
        "active": true, "token": sent, "token_use": "access", "token_type": "access", "hub_id": state.options.portal_id,
        "user_id": USER, "app_id": 1_357_911, "hub_domain": "nenrin.example.jp", "scopes": scopes, "expires_in": left,
    }))
}

/// `GET /oauth/v1/access-tokens/{token}`.
pub(crate) fn access_token(state: &State, sent: &str) -> Answer<Json> {
    about(state, sent).ok_or_else(not_found)
}

/// `GET /oauth/v1/refresh-tokens/{token}`.
pub(crate) fn refresh_token(state: &State, sent: &str) -> Answer<Json> {
    let scopes = state.auth.grants.get(sent).ok_or_else(bad_refresh_token)?;
    Ok(json!({
        "token": sent, "token_type": "refresh", "client_id": CLIENT_ID, "hub_id": state.options.portal_id, "user_id": USER,
        "scopes": scopes,
    }))
}

/// `POST /oauth/{v}/token/revoke`.
pub(crate) fn revoke(state: &mut State, request: &Request) -> Answer<Json> {
    for (_, value) in fields(request, false)?.iter().filter(|(name, _)| name == "token") {
        state.auth.grants.remove(value);
        state.auth.tokens.remove(value);
    }
    Ok(json!({}))
}
