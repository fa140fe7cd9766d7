//! Who may come in: the token endpoint, sessions and their ends.

use std::collections::{HashMap, VecDeque};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::chance::secret;
use crate::salesforce::id;
use crate::salesforce::jwt;
use crate::salesforce::options::{LoginHost, Options};
use crate::salesforce::reply;
use crate::salesforce::state::State;
use crate::wire::Reply;
use crate::wire::request::{Request, form};

/// The name of the one app that is set up.
pub(crate) const CLIENT_ID: &str = "3MVG9nenrin.SimulatedConsumerKey";

/// Credentials and sessions of an org.
#[derive(Debug)]
pub(crate) struct Auth {
    pub(crate) client_secret: String,
    /// The refresh token that the administrator got on first consent.
    pub(crate) first_refresh_token: String,
    /// Refresh tokens and whether they still work.
    refresh_tokens: HashMap<String, bool>,
    /// Access tokens and when they were last used.
    sessions: HashMap<String, i64>,
    logins: VecDeque<i64>,
    issued: u64,
    pub(crate) rotate: bool,
    pub(crate) login_host: LoginHost,
    /// Whether the app has a user to run as.
    pub(crate) has_run_as_user: bool,
    /// Whether the administrator has withdrawn the app's access.
    pub(crate) revoked: bool,
    /// Whether sessions are good for nothing, however new.
    pub(crate) rest_forbidden: bool,
}

impl Auth {
    pub(crate) fn new(options: &Options) -> Self {
        let seed = options.seed;
        let first_refresh_token = format!("5Aep861{}", secret(seed, 2, 60));
        Auth {
            client_secret: secret(seed, 1, 48),
            refresh_tokens: HashMap::from([(first_refresh_token.clone(), true)]),
            first_refresh_token,
            sessions: HashMap::new(),
            logins: VecDeque::new(),
            issued: 0,
            rotate: options.rotate_refresh_tokens,
            login_host: options.login_host,
            has_run_as_user: true,
            revoked: false,
            rest_forbidden: false,
        }
    }

    /// Ends all sessions; refresh tokens stay.
    pub(crate) fn expire_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Withdraws the app's access for good.
    pub(crate) fn revoke(&mut self) {
        self.revoked = true;
        self.sessions.clear();
        self.refresh_tokens.values_mut().for_each(|works| *works = false);
    }

    /// Gives the app access again, with a new refresh token.
    pub(crate) fn consent(&mut self, seed: u64) {
        self.revoked = false;
        self.issued += 1;
        self.first_refresh_token = format!("5Aep861{}", secret(seed, 1_000_000 + self.issued, 60));
        self.refresh_tokens.insert(self.first_refresh_token.clone(), true);
    }
}

/// The id of the organization, 18 characters.
pub(crate) fn org_id() -> String {
    id::full("00D", 1)
}

/// All that a connector needs.
pub(crate) fn credentials(state: &State) -> Value {
    json!({
        "login_url": state.login_url,
        "instance_url": state.base_url,
        "client_id": CLIENT_ID,
        "client_secret": state.auth.client_secret,
        "refresh_token": state.auth.first_refresh_token,
        "private_key": jwt::PRIVATE_KEY,
        "username": jwt::USERNAME,
        "organization_id": org_id(),
        "api_version": "66.0",
    })
}

/// An answer of the token endpoint that is no token.
fn refuse(error: &str, description: &str) -> Reply {
    Reply::value(400, &json!({"error": error, "error_description": description}))
}

/// `POST /services/oauth2/token`.
pub(crate) fn token(state: &mut State, request: &Request, is_login_host: bool) -> Reply {
    if request.method != "POST" {
        return refuse("invalid_request", "must use HTTP POST");
    }
    let is_form =
        request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return refuse("invalid_request", "content type must be application/x-www-form-urlencoded");
    }
    let fields = form(&String::from_utf8_lossy(&request.body));
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let now = state.now;
    while state.auth.logins.front().is_some_and(|&at| at <= now - 3_600) {
        state.auth.logins.pop_front();
    }
    if state.auth.logins.len() >= state.options.hourly_logins {
        return refuse("invalid_grant", "login rate exceeded");
    }
    if field("grant_type").as_deref() == Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
        let assertion = field("assertion").unwrap_or_default();
        return match jwt::refusal(&assertion, CLIENT_ID, !state.auth.revoked, now) {
            Some((error, description)) => refuse(error, description),
            None => issue(state, None),
        };
    }
    let (client_id, client_secret) = client(request, &field);
    if client_id.as_deref() != Some(CLIENT_ID) {
        return refuse("invalid_client_id", "client identifier invalid");
    }
    let secret_fits = client_secret.as_deref() == Some(state.auth.client_secret.as_str());
    match field("grant_type").as_deref() {
        Some("client_credentials") => {
            if !secret_fits {
                return refuse("invalid_client", "invalid client credentials");
            }
            if is_login_host && state.auth.login_host == LoginHost::Generic {
                return refuse("invalid_grant", "request not supported on this domain");
            }
            if !state.auth.has_run_as_user {
                return refuse("invalid_grant", "no client credentials user enabled");
            }
            if state.auth.revoked {
                return refuse("invalid_grant", "user is not admin approved to access this app");
            }
            issue(state, None)
        }
        Some("refresh_token") => {
            if !secret_fits {
                return refuse("invalid_client", "invalid client credentials");
            }
            let Some(sent) = field("refresh_token") else {
                return refuse("invalid_request", "missing required parameter: refresh_token");
            };
            refresh(state, &sent)
        }
        _ => refuse("unsupported_grant_type", "grant type not supported"),
    }
}

fn client(request: &Request, field: &dyn Fn(&str) -> Option<String>) -> (Option<String>, Option<String>) {
    let basic = request
        .header("authorization")
        .and_then(|header| header.strip_prefix("Basic "))
        .and_then(|encoded| STANDARD.decode(encoded.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match basic.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => (Some(id.to_owned()), Some(secret.to_owned())),
        None => (field("client_id"), field("client_secret")),
    }
}

fn refresh(state: &mut State, sent: &str) -> Reply {
    match state.auth.refresh_tokens.get(sent).copied() {
        None => refuse("invalid_grant", "expired access/refresh token"),
        Some(false) => {
            // A token that was rotated out comes back: someone else has it, so nobody keeps anything.
            if state.auth.rotate {
                state.auth.sessions.clear();
                state.auth.refresh_tokens.values_mut().for_each(|works| *works = false);
            }
            refuse("invalid_grant", "expired access/refresh token")
        }
        Some(true) if state.auth.rotate => {
            state.auth.refresh_tokens.insert(sent.to_owned(), false);
            let next = format!("5Aep861{}", secret(state.options.seed, 10_000 + state.auth.issued, 60));
            state.auth.refresh_tokens.insert(next.clone(), true);
            issue(state, Some(next))
        }
        Some(true) => issue(state, None),
    }
}

fn issue(state: &mut State, refresh_token: Option<String>) -> Reply {
    state.auth.issued += 1;
    let token = format!("{}!AQ{}", &org_id()[..15], secret(state.options.seed, 20_000 + state.auth.issued, 80));
    state.auth.sessions.insert(token.clone(), state.now);
    state.auth.logins.push_back(state.now);
    let mut body = json!({
        "access_token": token,
        "signature": format!("{}=", secret(state.options.seed, 30_000 + state.auth.issued, 43)),
        "scope": "api refresh_token",
        "token_format": "opaque",
        "instance_url": state.base_url,
        "api_instance_url": "https://api.salesforce.com",
        "id": format!("{}/id/{}/{}", state.login_url, org_id(), id::full("005", 1)),
        "token_type": "Bearer",
        "issued_at": format!("{}", state.now * 1000 + 536),
    });
    if let Some(token) = refresh_token {
        body["refresh_token"] = Value::String(token);
    }
    Reply::value(200, &body)
}

/// `POST /services/oauth2/introspect`.
pub(crate) fn introspect(state: &State, request: &Request) -> Reply {
    let fields = form(&String::from_utf8_lossy(&request.body));
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let (client_id, client_secret) = client(request, &field);
    if client_id.as_deref() != Some(CLIENT_ID) || client_secret.as_deref() != Some(&state.auth.client_secret) {
        return refuse("invalid_client", "invalid client credentials");
    }
    let used = field("token").and_then(|token| state.auth.sessions.get(&token).copied());
    let body = match used.filter(|used| state.now - used < state.options.session_secs) {
        None => json!({"active": false}),
        Some(used) => json!({
            "active": true, "scope": "api refresh_token", "client_id": CLIENT_ID, "token_type": "access_token",
            "username": jwt::USERNAME, "sub": format!("{}/id/{}/{}", state.login_url, org_id(), id::full("005", 1)),
            "exp": used + state.options.session_secs, "iat": used, "nbf": used,
        }),
    };
    Reply::value(200, &body)
}

/// `POST /services/oauth2/revoke`: the token, and for refresh tokens the sessions.
pub(crate) fn revoke(state: &mut State, request: &Request) -> Reply {
    let fields = form(&String::from_utf8_lossy(&request.body));
    let Some((_, token)) = fields.into_iter().find(|(name, _)| name == "token") else {
        return refuse("invalid_request", "missing required parameter: token");
    };
    if state.auth.sessions.remove(&token).is_some() {
        return Reply::empty(200);
    }
    match state.auth.refresh_tokens.get_mut(&token) {
        Some(works) if *works => {
            *works = false;
            state.auth.sessions.clear();
            Reply::empty(200)
        }
        _ => refuse("unsupported_token_type", "this token type is not supported"),
    }
}

/// Checks the session of a REST call and keeps it alive.
pub(crate) fn admit(state: &mut State, request: &Request) -> Result<(), Reply> {
    let expired = || reply::error(401, "INVALID_SESSION_ID", "Session expired or invalid");
    let header = request.header("authorization").ok_or_else(expired)?;
    let token = header
        .strip_prefix("Bearer ")
        .or_else(|| header.strip_prefix("OAuth "))
        .ok_or_else(|| reply::error(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"))?;
    let (now, limit) = (state.now, state.options.session_secs);
    let used = state.auth.sessions.get_mut(token).ok_or_else(expired)?;
    if now - *used >= limit {
        state.auth.sessions.remove(token);
        return Err(expired());
    }
    *used = now;
    if state.auth.rest_forbidden {
        let message = "This session is not valid for use with the REST API";
        return Err(reply::error(401, "INVALID_SESSION_ID", message));
    }
    Ok(())
}
