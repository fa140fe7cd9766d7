//! Who may come in: keys, passwords and tokens of the three APIs.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::chance::secret;
use crate::core::refusal::{Answer, Api, Refusal};
use crate::core::state::State;
use crate::wire::Request;

/// The person of the contract API.
pub(crate) const LOGIN: &str = "renkei";
/// The client of the accounting API.
pub(crate) const CLIENT_ID: &str = "nenrin-simulated-client";
/// For how many seconds an access token is good.
pub(crate) const LIFE_SECS: i64 = 3_600;

/// Keys, passwords and tokens.
#[derive(Debug)]
pub(crate) struct Auth {
    seed: u64,
    pub(crate) api_key: String,
    pub(crate) password: String,
    pub(crate) client_secret: String,
    pub(crate) usage_token: String,
    pub(crate) signing_secret: String,
    /// Access tokens of the accounting API, and when they end.
    pub(crate) sessions: BTreeMap<String, i64>,
    /// Its refresh tokens that are good.
    pub(crate) grants: BTreeSet<String>,
    /// The newest of these.
    pub(crate) refresh_token: String,
    /// The APIs that let nobody in.
    pub(crate) revoked: BTreeSet<Api>,
    issued: u64,
}

impl Auth {
    pub(crate) fn new(seed: u64) -> Self {
        let mut auth = Auth {
            seed,
            api_key: secret(seed, 301, 32),
            password: secret(seed, 302, 16),
            client_secret: secret(seed, 303, 40),
            usage_token: format!("ut_{}", secret(seed, 304, 40)),
            signing_secret: secret(seed, 305, 48),
            sessions: BTreeMap::new(),
            grants: BTreeSet::new(),
            refresh_token: String::new(),
            revoked: BTreeSet::new(),
            issued: 0,
        };
        auth.consent();
        auth
    }

    pub(crate) fn fresh(&mut self, kind: &str) -> String {
        self.issued += 1;
        format!("{kind}_{}", secret(self.seed, 60_000 + self.issued, 48))
    }

    /// A new refresh token.
    pub(crate) fn consent(&mut self) -> String {
        let token = self.fresh("rt");
        self.grants.insert(token.clone());
        self.refresh_token.clone_from(&token);
        token
    }

    /// Shuts an API.
    pub(crate) fn revoke(&mut self, api: Api) {
        self.revoked.insert(api);
        if api == Api::Kaikei {
            self.sessions.clear();
            self.grants.clear();
        }
    }
}

/// The login and password of a Basic header.
pub(crate) fn basic(request: &Request) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (login, password) = decoded.split_once(':')?;
    Some((login.to_owned(), password.to_owned()))
}

/// The token of a Bearer header.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ").map(str::trim)
}

/// Lets a call of the API in or not.
pub(crate) fn enter(state: &State, request: &Request, api: Api) -> Answer<()> {
    let auth = &state.auth;
    let is_known = match api {
        Api::Keiyaku => match request.header("x-api-key") {
            Some(key) => key == auth.api_key,
            None => basic(request).is_some_and(|(login, password)| login == LOGIN && password == auth.password),
        },
        Api::Kaikei => bearer(request).and_then(|token| auth.sessions.get(token)).is_some_and(|end| *end > state.now),
        Api::Usage => bearer(request) == Some(auth.usage_token.as_str()),
    };
    if !is_known || auth.revoked.contains(&api) {
        return Err(Refusal::unauthorized(match api {
            Api::Keiyaku => "APIキーが正しくありません。",
            Api::Kaikei => "アクセストークンが無効か、有効期限が切れています。",
            Api::Usage => "invalid token",
        }));
    }
    if api == Api::Usage && state.options.signed { check_signature(state, request) } else { Ok(()) }
}

/// Checks `X-Signature`, the HMAC-SHA256 of the time stamp, the method and the path with its query, a line each.
fn check_signature(state: &State, request: &Request) -> Answer<()> {
    let refuse = |why: &str| Refusal::new(401, "invalid_signature", why);
    let stamp = request.header("x-timestamp").ok_or_else(|| refuse("X-Timestamp is missing"))?;
    let secs: i64 = stamp.parse().map_err(|_| refuse("X-Timestamp must be seconds since 1970"))?;
    if state.options.signature_skew_secs.is_some_and(|most| secs.abs_diff(state.now) > most.unsigned_abs()) {
        return Err(refuse("X-Timestamp is too far from now"));
    }
    let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let message = format!("{stamp}\n{}\n{}{query}", request.method, request.path);
    let key = hmac::Key::new(hmac::HMAC_SHA256, state.auth.signing_secret.as_bytes());
    let wanted: String =
        hmac::sign(&key, message.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    match request.header("x-signature") == Some(wanted.as_str()) {
        true => Ok(()),
        false => Err(refuse("X-Signature does not fit")),
    }
}
