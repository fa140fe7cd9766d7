//! Who may come in: grants, access tokens, and the token endpoint, whose errors come with status 200.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value as Json, json};

use crate::chance::secret;
use crate::wire::request::form;
use crate::wire::{Reply, Request};
use crate::zoho::fault::FaultKind;
use crate::zoho::people::{ADMINISTRATOR, INTEGRATION};
use crate::zoho::refusal::{Answer, invalid_token, unauthenticated};
use crate::zoho::state::State;

/// The name of the one app that is set up.
pub(crate) const CLIENT_ID: &str = "1000.NENRINSIMULATEDCLIENT";
/// What a reader needs.
pub(crate) const SCOPES: &str = "ZohoCRM.modules.READ,ZohoCRM.settings.READ,ZohoCRM.users.READ,ZohoCRM.org.READ,\
                                 ZohoCRM.coql.READ,ZohoCRM.bulk.READ";
/// How long access tokens work.
const LIFE_SECS: i64 = 3_600;
/// How many token requests there may be in how many seconds.
const REQUESTS: usize = 10;
const REQUESTS_SECS: i64 = 600;
/// How many access tokens of a grant, and how many grants of a user, live at once.
const LIVE_TOKENS: usize = 10;
const LIVE_GRANTS: usize = 20;
/// How long a grant code can be exchanged.
const CODE_SECS: i64 = 120;

/// Who makes a call.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The number of the user.
    pub(crate) user: u64,
    pub(crate) is_admin: bool,
    scopes: Vec<String>,
}

impl Caller {
    /// Whether the scopes cover a group of calls: `coql`, `settings/fields`, `modules/deals`.
    pub(crate) fn covers(&self, group: &str) -> bool {
        let (area, part) = group.split_once('/').unwrap_or((group, ""));
        self.scopes.iter().any(|scope| {
            let words: Vec<&str> = scope.split('.').collect();
            let is_allowed = |what: &str| ["READ", "ALL"].contains(&what);
            match words.as_slice() {
                ["ZohoCRM", known, what] => *known == area && is_allowed(what),
                ["ZohoCRM", known, detail, what] => *known == area && *detail == part && is_allowed(what),
                _ => false,
            }
        })
    }
}

/// What a user has consented to.
#[derive(Debug)]
struct Grant {
    number: u64,
    user: u64,
    scopes: Vec<String>,
    /// When tokens were asked for lately.
    requests: VecDeque<i64>,
}

#[derive(Debug)]
struct Session {
    number: u64,
    refresh_token: String,
    user: u64,
    scopes: Vec<String>,
    until: i64,
}

#[derive(Debug)]
struct Code {
    user: u64,
    scopes: Vec<String>,
    until: i64,
    redirect_uri: Option<String>,
}

/// Grants and sessions of an org.
#[derive(Debug)]
pub(crate) struct Auth {
    seed: u64,
    pub(crate) client_secret: String,
    pub(crate) refresh_token: String,
    pub(crate) admin_refresh_token: String,
    grants: BTreeMap<String, Grant>,
    sessions: BTreeMap<String, Session>,
    codes: BTreeMap<String, Code>,
    issued: u64,
    /// How often a refresh token was exchanged, or tried to be.
    pub(crate) refreshes: u64,
}

fn scopes(text: &str) -> Vec<String> {
    text.split([',', ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

impl Auth {
    pub(crate) fn new(seed: u64) -> Auth {
        let mut auth = Auth {
            seed,
            client_secret: secret(seed, 1, 42),
            refresh_token: String::new(),
            admin_refresh_token: String::new(),
            grants: BTreeMap::new(),
            sessions: BTreeMap::new(),
            codes: BTreeMap::new(),
            issued: 0,
            refreshes: 0,
        };
        auth.refresh_token = auth.grant(INTEGRATION, scopes(SCOPES));
        auth.admin_refresh_token = auth.grant(ADMINISTRATOR, scopes(SCOPES));
        auth
    }

    fn fresh(&mut self) -> String {
        self.issued += 1;
        let what = 50_000 + 2 * self.issued;
        format!("1000.{}.{}", secret(self.seed, what, 32), secret(self.seed, what + 1, 32))
    }

    /// A new refresh token; the oldest goes when the user has too many.
    fn grant(&mut self, user: u64, scopes: Vec<String>) -> String {
        let token = self.fresh();
        let grant = Grant { number: self.issued, user, scopes, requests: VecDeque::new() };
        self.grants.insert(token.clone(), grant);
        let live = self.grants.values().filter(|grant| grant.user == user).count();
        let oldest = self.grants.iter().filter(|(_, grant)| grant.user == user).min_by_key(|(_, grant)| grant.number);
        if let Some((oldest, _)) = oldest.filter(|_| live > LIVE_GRANTS) {
            let oldest = oldest.clone();
            self.revoke(&oldest);
        }
        token
    }

    /// A new access token; the oldest of the grant goes when there are too many.
    fn session(&mut self, refresh_token: &str, now: i64) -> Option<String> {
        let (user, scopes) = self.grants.get(refresh_token).map(|grant| (grant.user, grant.scopes.clone()))?;
        let token = self.fresh();
        let until = now + LIFE_SECS;
        let session = Session { number: self.issued, refresh_token: refresh_token.to_owned(), user, scopes, until };
        self.sessions.retain(|_, session| session.until > now);
        self.sessions.insert(token.clone(), session);
        let of_grant = || self.sessions.iter().filter(|(_, session)| session.refresh_token == refresh_token);
        if of_grant().count() > LIVE_TOKENS
            && let Some(oldest) = of_grant().min_by_key(|(_, session)| session.number).map(|(token, _)| token.clone())
        {
            self.sessions.remove(&oldest);
        }
        Some(token)
    }

    /// A code that can be exchanged once, soon.
    pub(crate) fn code(&mut self, scope: &str, is_admin: bool, redirect_uri: Option<String>, now: i64) -> String {
        let code = self.fresh();
        let user = if is_admin { ADMINISTRATOR } else { INTEGRATION };
        self.codes.insert(code.clone(), Code { user, scopes: scopes(scope), until: now + CODE_SECS, redirect_uri });
        code
    }

    /// Ends a refresh token and what came from it, or an access token.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        let known = self.grants.remove(token).is_some() | self.sessions.remove(token).is_some();
        self.sessions.retain(|_, session| session.refresh_token != token);
        known
    }

    /// Ends the grant of the connector's user.
    pub(crate) fn withdraw(&mut self) {
        let token = self.refresh_token.clone();
        self.revoke(&token);
    }

    /// Gives the connector's user another grant, with these scopes.
    pub(crate) fn consent(&mut self, scope: &str) -> String {
        self.refresh_token = self.grant(INTEGRATION, scopes(scope));
        self.refresh_token.clone()
    }

    /// An access token of the connector's user with these scopes, without asking the token endpoint.
    pub(crate) fn access_token(&mut self, scope: &str, is_admin: bool, now: i64) -> String {
        let token = self.fresh();
        let user = if is_admin { ADMINISTRATOR } else { INTEGRATION };
        let session = Session {
            number: self.issued,
            refresh_token: String::new(),
            user,
            scopes: scopes(scope),
            until: now + LIFE_SECS,
        };
        self.sessions.insert(token.clone(), session);
        token
    }

    /// Ends all access tokens.
    pub(crate) fn expire_sessions(&mut self) {
        self.sessions.clear();
    }
}

/// Who makes a call to the API; `None` for an expired token, where that is passed over in silence.
pub(crate) fn caller(state: &State, request: &Request) -> Answer<Option<Caller>> {
    let header = request.header("authorization").ok_or_else(unauthenticated)?;
    let token = match header.split_once(' ') {
        Some(("Zoho-oauthtoken", token)) => token,
        Some(("Bearer", token)) if state.options.hypotheses.bearer => token,
        _ => return Err(unauthenticated()),
    };
    match state.auth.sessions.get(token).filter(|session| session.until > state.now) {
        Some(session) => Ok(Some(Caller {
            user: session.user,
            is_admin: session.user == ADMINISTRATOR,
            scopes: session.scopes.clone(),
        })),
        None if state.options.hypotheses.expired_silently => Ok(None),
        None => Err(invalid_token()),
    }
}

/// Answers a request to the accounts host.
pub(crate) fn accounts(state: &mut State, request: &Request, faults: &[FaultKind]) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/oauth/v2/token") => token(state, request, faults),
        ("POST", "/oauth/v2/token/revoke") => {
            let known = parameters(request).get("token").is_some_and(|token| state.auth.revoke(token));
            if known { Reply::value(200, &json!({"status": "success"})) } else { error("invalid_code") }
        }
        ("GET", "/oauth/v2/auth") => consent(state, request),
        ("GET", "/oauth/serverinfo") => {
            let (_, accounts) = state.urls();
            Reply::value(200, &json!({"result": "success", "locations": {"jp": accounts}}))
        }
        _ => Reply::html(404, "404 Not Found"),
    }
}

fn parameters(request: &Request) -> BTreeMap<String, String> {
    let body = String::from_utf8_lossy(&request.body);
    let query = request.query.as_deref().unwrap_or_default();
    form(query).into_iter().chain(form(&body)).collect()
}

fn error(code: &str) -> Reply {
    Reply::value(200, &json!({ "error": code }))
}

/// The answer to too many token requests.
fn throttled(status: u16) -> Reply {
    let description = "You have made too many requests continuously. Please try again after some time.";
    Reply::value(status, &json!({"error_description": description, "error": "Access Denied", "status": "failure"}))
}

fn token(state: &mut State, request: &Request, faults: &[FaultKind]) -> Reply {
    let open = state.options.hypotheses.clone();
    for fault in faults {
        match fault {
            FaultKind::Token(code) if code == "Access Denied" => return throttled(open.token_throttle_status),
            FaultKind::Token(code) => return error(code),
            _ => {}
        }
    }
    let given = parameters(request);
    let text = |name: &str| given.get(name).map_or("", String::as_str);
    if text("client_id") != CLIENT_ID {
        return error("invalid_client");
    }
    if text("client_secret") != state.auth.client_secret {
        return error("invalid_client_secret");
    }
    let now = state.now;
    match text("grant_type") {
        "refresh_token" => {
            state.auth.refreshes += 1;
            let Some(grant) = state.auth.grants.get_mut(text("refresh_token")) else { return error("invalid_code") };
            grant.requests.retain(|&at| at > now - REQUESTS_SECS);
            if grant.requests.len() >= REQUESTS {
                return throttled(open.token_throttle_status);
            }
            grant.requests.push_back(now);
            answered(state, text("refresh_token"), false)
        }
        "authorization_code" => {
            let Some(code) = state.auth.codes.remove(text("code")).filter(|code| code.until >= now) else {
                return error("invalid_code");
            };
            if code.redirect_uri.as_deref().is_some_and(|uri| uri != text("redirect_uri")) {
                return error("invalid_redirect_uri");
            }
            let refresh_token = state.auth.grant(code.user, code.scopes);
            answered(state, &refresh_token, true)
        }
        _ => error("unsupported_grant_type"),
    }
}

fn answered(state: &mut State, refresh_token: &str, is_new: bool) -> Reply {
    let Some(token) = state.auth.session(refresh_token, state.now) else { return error("invalid_code") };
    let scope = state.auth.grants.get(refresh_token).map(|grant| grant.scopes.join(" ")).unwrap_or_default();
    let mut body = json!({"access_token": token, "scope": scope, "api_domain": state.urls().0, "token_type": "Bearer"});
    if is_new {
        body["refresh_token"] = Json::from(refresh_token);
    }
    body["expires_in"] = json!(LIFE_SECS);
    if state.options.hypotheses.expires_in_millis {
        body["expires_in_sec"] = json!(LIFE_SECS);
        body["expires_in"] = json!(LIFE_SECS * 1_000);
    }
    Reply::value(200, &body)
}

/// The user agrees at once, and comes back with a code.
fn consent(state: &mut State, request: &Request) -> Reply {
    let given = parameters(request);
    let text = |name: &str| given.get(name).map_or("", String::as_str);
    if text("client_id") != CLIENT_ID {
        return Reply::html(400, "invalid_client");
    }
    let uri = text("redirect_uri").to_owned();
    let code = state.auth.code(text("scope"), false, Some(uri.clone()), state.now);
    let (_, accounts) = state.urls();
    let accounts = accounts.replace(':', "%3A").replace('/', "%2F");
    let joint = if uri.contains('?') { '&' } else { '?' };
    let target = format!("{uri}{joint}code={code}&location=jp&accounts-server={accounts}&state={}", text("state"));
    Reply::empty(302).with("Location", target)
}
