//! Who may do what: private tokens, and those of an OAuth app.

use std::collections::{BTreeMap, BTreeSet};

use crate::chance::{mix, secret};
use crate::hubspot::refusal::{Answer, Refusal, expired, unauthenticated};
use crate::hubspot::state::State;
use crate::wire::Request;

/// The one OAuth app that is registered.
pub(crate) const CLIENT_ID: &str = "2a9f1c34-7b5d-4e60-8c11-5d3e9f7a6b20";
/// For how many milliseconds an access token is good.
pub(crate) const LIFE: i64 = 1_800_000;
/// The scopes that a token has when nothing is said, besides those of sensitive properties.
pub(crate) const SCOPES: [&str; 17] = [
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.companies.read",
    "crm.objects.deals.read",
    "crm.objects.products.read",
    "crm.objects.line_items.read",
    "crm.objects.owners.read",
    "crm.objects.custom.read",
    "crm.objects.feedback_submissions.read",
    "crm.schemas.contacts.read",
    "crm.schemas.companies.read",
    "crm.schemas.deals.read",
    "crm.schemas.products.read",
    "crm.schemas.custom.read",
    "tickets",
    "sales-email-read",
    "crm.export",
];

/// What a token allows.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) is_oauth: bool,
    pub(crate) scopes: BTreeSet<String>,
    /// When it ends.
    pub(crate) expires: Option<i64>,
}

/// Who may come in.
#[derive(Debug)]
pub(crate) struct Auth {
    seed: u64,
    issued: u64,
    pub(crate) tokens: BTreeMap<String, Token>,
    /// Refresh tokens with their scopes.
    pub(crate) grants: BTreeMap<String, BTreeSet<String>>,
    /// Codes of consent that were not used yet.
    pub(crate) codes: BTreeMap<String, BTreeSet<String>>,
    pub(crate) client_secret: String,
    /// The private token that is given to connectors, and the refresh token.
    pub(crate) private: String,
    pub(crate) refresh: String,
}

/// All scopes that tokens may have.
fn everything() -> BTreeSet<String> {
    SCOPES.map(str::to_owned).into()
}

impl Auth {
    pub(crate) fn new(seed: u64) -> Self {
        let mut auth = Auth {
            seed,
            issued: 0,
            tokens: BTreeMap::new(),
            grants: BTreeMap::new(),
            codes: BTreeMap::new(),
            client_secret: uuid(seed, 22),
            private: String::new(),
            refresh: String::new(),
        };
        auth.private = auth.add_private(everything());
        auth.consent(everything());
        auth
    }

    /// A new private token.
    pub(crate) fn add_private(&mut self, scopes: BTreeSet<String>) -> String {
        self.issued += 1;
        let token = format!("pat-na1-{}", uuid(self.seed, 1_000 + self.issued));
        self.tokens.insert(token.clone(), Token { is_oauth: false, scopes, expires: None });
        token
    }

    /// Somebody installs the app: a new refresh token.
    pub(crate) fn consent(&mut self, scopes: BTreeSet<String>) -> String {
        self.issued += 1;
        let refresh = format!("na1-{}", uuid(self.seed, 2_000 + self.issued));
        self.grants.insert(refresh.clone(), scopes);
        self.refresh.clone_from(&refresh);
        refresh
    }

    /// A new code of consent.
    pub(crate) fn code(&mut self) -> String {
        self.issued += 1;
        let code = uuid(self.seed, 3_000 + self.issued);
        self.codes.insert(code.clone(), everything());
        code
    }

    /// A new access token. They are long.
    pub(crate) fn issue(&mut self, scopes: BTreeSet<String>, now: i64) -> String {
        self.issued += 1;
        let length = 300 + mix(self.seed, self.issued, 9) % 60;
        let token = format!("CJ{}", secret(self.seed, 4_000 + self.issued, length));
        self.tokens.insert(token.clone(), Token { is_oauth: true, scopes, expires: Some(now + LIFE) });
        token
    }

    /// A private token in place of that which connectors are given; the old one is good for that long still.
    pub(crate) fn rotate(&mut self, now: i64, grace: i64) -> String {
        let scopes = self.tokens.get(&self.private).map_or_else(everything, |token| token.scopes.clone());
        let old = self.private.clone();
        if let Some(token) = self.tokens.get_mut(&old) {
            token.expires = Some(now + grace);
        }
        self.private = self.add_private(scopes);
        self.private.clone()
    }
}

/// Looks like a UUID.
pub(crate) fn uuid(seed: u64, what: u64) -> String {
    let (high, low) = (mix(seed, what, 61), mix(seed, what, 62));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) is_oauth: bool,
    scopes: BTreeSet<String>,
}

impl Caller {
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }
}

/// The scopes of a token as things are. Those of sensitive properties are granted to all tokens or to none.
pub(crate) fn granted(state: &State, token: &Token) -> BTreeSet<String> {
    let levels = ["sensitive", "highly_sensitive"];
    let names = state.objects.iter().map(|object| object.kind.name);
    let extra = names.flat_map(|name| levels.map(|level| crate::hubspot::state::sensitive_scope(name, level)));
    let all = token.scopes.iter().cloned().chain(extra);
    all.filter(|scope| !state.missing_scopes.contains(scope)).collect()
}

/// Who sends a request.
pub(crate) fn caller(state: &State, request: &Request) -> Answer<Caller> {
    let header = request.header("authorization").ok_or_else(unauthenticated)?;
    let sent = header.strip_prefix("Bearer ").map(str::trim).ok_or_else(unauthenticated)?;
    let token = state.auth.tokens.get(sent).ok_or_else(|| unknown(state, sent))?;
    if let Some(expires) = token.expires.filter(|expires| *expires <= state.now) {
        return Err(if token.is_oauth { expired(expires, state.now) } else { unauthenticated() });
    }
    Ok(Caller { is_oauth: token.is_oauth, scopes: granted(state, token) })
}

/// A token that was cut still decodes, with an end in 1970.
fn unknown(state: &State, sent: &str) -> Refusal {
    let is_cut =
        sent.len() > 20 && state.auth.tokens.iter().any(|(known, token)| token.is_oauth && known.starts_with(sent));
    if is_cut { expired(0, state.now) } else { unauthenticated() }
}
