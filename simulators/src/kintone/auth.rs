//! Who is calling.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::kintone::people::{ADMINISTRATOR, Person};
use crate::kintone::refusal::{
    Answer, doubled_token, illegal_request, no_credential, oauth, two_factor, unknown_token, wrong_password,
};
use crate::kintone::state::State;
use crate::wire::{Reply, Request};

/// How many tokens one request may carry.
const MOST_TOKENS: usize = 9;

/// What a token may do in its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the names are those of the check boxes
pub struct Rights {
    pub view: bool,
    pub add: bool,
    pub edit: bool,
    pub delete: bool,
    pub manage: bool,
}

impl Rights {
    /// Only reading.
    pub fn view() -> Self {
        Rights { view: true, ..Rights::default() }
    }

    /// Everything.
    pub fn all() -> Self {
        Rights { view: true, add: true, edit: true, delete: true, manage: true }
    }

    pub(crate) fn allow(self, right: Right) -> bool {
        match right {
            Right::View => self.view,
            Right::Form => self.view || self.add,
            Right::Add => self.add,
            Right::Edit => self.edit,
            Right::Delete => self.delete,
            Right::Manage => self.manage,
        }
    }
}

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    View,
    /// Reading the form needs view or add.
    Form,
    Add,
    Edit,
    Delete,
    Manage,
}

/// An API token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// Later tokens have larger ones.
    pub(crate) number: u64,
    pub(crate) app: u64,
    pub(crate) rights: Rights,
    /// Whether the app was updated since the token was made.
    pub(crate) is_deployed: bool,
}

/// An OAuth access token.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) expires: i64,
    pub(crate) scopes: Vec<String>,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Caller {
    /// API tokens: their apps and what they may do there.
    Tokens(Vec<(u64, Rights)>),
    User {
        code: Arc<str>,
        is_admin: bool,
    },
    OAuth {
        code: Arc<str>,
        scopes: Vec<String>,
    },
}

impl Caller {
    /// The user as whom records are written.
    pub(crate) fn user(&self) -> Arc<str> {
        match self {
            Caller::Tokens(_) => Arc::from(ADMINISTRATOR),
            Caller::User { code, .. } | Caller::OAuth { code, .. } => code.clone(),
        }
    }

    /// Whether access lists narrow what they see.
    pub(crate) fn is_narrowed(&self) -> bool {
        match self {
            Caller::Tokens(_) => false,
            Caller::User { is_admin, .. } => !is_admin,
            Caller::OAuth { .. } => true,
        }
    }
}

/// Whoever is allowed in.
#[derive(Debug)]
pub(crate) struct Auth {
    pub(crate) people: Vec<Person>,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) sessions: BTreeMap<String, Session>,
    /// Refresh tokens, and what they give.
    pub(crate) grants: BTreeMap<String, Vec<String>>,
    /// Authorization codes that were not used yet.
    pub(crate) codes: BTreeMap<String, Vec<String>>,
    pub(crate) client_secret: String,
    pub(crate) issued: u64,
}

impl Auth {
    pub(crate) fn person(&self, code: &str) -> Option<&Person> {
        self.people.iter().find(|person| *person.code == *code)
    }
}

/// The gate in front of the domain, if it has one.
pub(crate) fn gate(state: &State, request: &Request) -> Option<Reply> {
    let (login, password) = state.options.basic.as_ref()?;
    let wanted = format!("Basic {}", STANDARD.encode(format!("{login}:{password}")));
    if request.headers.iter().any(|(name, value)| name == "authorization" && *value == wanted) {
        return None;
    }
    Some(Reply::html(401, "401 Authorization Required").with("WWW-Authenticate", "Basic realm=\"kintone\""))
}

/// Who sent the request. A password beats tokens, tokens beat OAuth.
pub(crate) fn caller(state: &State, request: &Request) -> Answer<Caller> {
    if let Some(encoded) = request.header("x-cybozu-authorization") {
        return by_password(&state.auth, encoded);
    }
    let tokens: Vec<&str> = request
        .headers
        .iter()
        .filter(|(name, _)| name == "x-cybozu-api-token")
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
        .collect();
    if !tokens.is_empty() {
        return by_tokens(&state.auth, &tokens);
    }
    let bearer = request
        .headers
        .iter()
        .filter(|(name, _)| name == "authorization")
        .find_map(|(_, value)| value.strip_prefix("Bearer "));
    let session = state.auth.sessions.get(bearer.ok_or_else(no_credential)?.trim()).ok_or_else(|| oauth(401))?;
    if session.expires <= state.now {
        return Err(oauth(401));
    }
    Ok(Caller::OAuth { code: Arc::from(crate::kintone::people::READER), scopes: session.scopes.clone() })
}

fn by_password(auth: &Auth, encoded: &str) -> Answer<Caller> {
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(wrong_password)?;
    let (login, password) = decoded.split_once(':').ok_or_else(wrong_password)?;
    let person = auth.person(login).filter(|person| person.password.as_deref() == Some(password));
    let person = person.ok_or_else(wrong_password)?;
    if person.two_factor {
        return Err(two_factor());
    }
    Ok(Caller::User { code: person.code.clone(), is_admin: person.is_admin })
}

fn by_tokens(auth: &Auth, tokens: &[&str]) -> Answer<Caller> {
    if tokens.len() > MOST_TOKENS {
        return Err(illegal_request());
    }
    let mut apps: Vec<(u64, Rights)> = Vec::new();
    for token in tokens {
        let token = auth.tokens.get(*token).filter(|token| token.is_deployed).ok_or_else(unknown_token)?;
        if apps.iter().any(|(app, _)| *app == token.app) {
            return Err(doubled_token());
        }
        apps.push((token.app, token.rights));
    }
    Ok(Caller::Tokens(apps))
}
