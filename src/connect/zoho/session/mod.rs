//! Staying signed in within Zoho's limits: ten renewals in ten minutes, ten access tokens alive at a time.
//!
//! Guarantees: one renewal at a time, however many requests were refused; an access token is kept in the token store,
//! sealed, and used by every run until it expires; errors are told by the body, whatever the status; after a permanent
//! refusal nobody asks again, and neither when a token is refused that has just been made.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tracing::{info, warn};
use url::{Url, form_urlencoded};

use super::api::Meter;
use super::config::AuthConfig;
use super::model::TokenAnswer;
use super::refusal::sign_in_refused;
use crate::clock::{Clock, Timestamp};
use crate::connect::http::{Answer, Authorize, Client, Grant, Request, Target, Verdict, is_safe, unexpected};
use crate::connect::oauth::fingerprint;
use crate::connect::token::{StoredToken, TokenStore};
use crate::error::{Error, ErrorKind, Result};
use crate::record::SourceId;

/// How long before its end an access token is no longer used.
const EARLY_SECS: i64 = 300;
/// Longer lives than this are told in milliseconds.
const LONGEST_LIFE_SECS: i64 = 86_400;

/// The session of one source.
pub(super) struct Session {
    pub(super) source: SourceId,
    pub(super) address: Url,
    pub(super) auth: AuthConfig,
    pub(super) client: Arc<Client>,
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) meter: Arc<Meter>,
    /// Held across a renewal on purpose: whoever comes second must wait for it, not start another.
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    live: Option<Live>,
    count: u64,
    /// The last access token that was refused.
    bad: Option<String>,
    /// Whether a token was given up because an answer came empty.
    suspected: bool,
    /// Why there will be no access token, and what helps.
    refused: Option<(String, String)>,
}

struct Live {
    grant: Grant,
    token: AccessToken,
    /// Whether it was made in this run.
    is_fresh: bool,
}

/// An access token as it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct AccessToken {
    access_token: String,
    api_domain: String,
    /// When it is no longer used, on our clock.
    until: Timestamp,
}

impl Session {
    async fn live(&self, state: &mut State) -> Result<Grant> {
        let now = self.clock.now();
        if let Some(live) = state.live.as_ref().filter(|live| now < live.token.until) {
            return Ok(live.grant.clone());
        }
        if let Some((reason, help)) = &state.refused {
            return Err(Error::new(ErrorKind::Auth, reason.clone())
                .with("asked", "before, in this run")
                .help(help.clone()));
        }
        let kept = self.kept().await?;
        let kept = kept.filter(|kept| now < kept.until && state.bad.as_ref() != Some(&kept.access_token));
        let (token, is_fresh) = match kept {
            Some(kept) => (kept, false),
            None => (self.renewed(state).await?, true),
        };
        let base = Url::parse(&format!("{}/", token.api_domain.trim_end_matches('/'))).ok().filter(is_safe);
        let base = base.ok_or_else(|| {
            Error::new(ErrorKind::BadData, "the address of the API in the token answer is not an https address")
        })?;
        state.count += 1;
        self.meter.accepted.store(false, Ordering::Relaxed);
        let header = SecretString::from(format!("Zoho-oauthtoken {}", token.access_token));
        let grant = Grant { header, base: Some(base), generation: state.count };
        state.live = Some(Live { grant: grant.clone(), token, is_fresh });
        Ok(grant)
    }

    /// Asks for another access token, and keeps it.
    async fn renewed(&self, state: &mut State) -> Result<AccessToken> {
        let token = self.ask().await?.inspect_err(|refusal| {
            state.refused = Some((refusal.message().to_owned(), refusal.help_text().unwrap_or_default().to_owned()));
        })?;
        info!(source_id = %self.source, "got an access token");
        let text = serde_json::to_string(&token)
            .map_err(|error| Error::new(ErrorKind::Internal, "a token cannot be written").caused_by(error))?;
        let stored = StoredToken { origin: self.origin(), token: SecretString::from(text) };
        if let Err(error) = self.store.save(&self.source, &stored).await {
            warn!(source_id = %self.source, error = %error, "could not keep the access token, the next run asks for another");
        }
        Ok(token)
    }

    /// The token, or why there will be none however often it is asked.
    async fn ask(&self) -> Result<std::result::Result<AccessToken, Error>> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", &self.auth.client_id)
            .append_pair("client_secret", self.auth.client_secret.expose_secret())
            .append_pair("refresh_token", self.auth.refresh_token.expose_secret())
            .finish();
        let target = Target::Absolute(self.address.clone());
        let request = Request::post(target, "application/x-www-form-urlencoded", body);
        let accounts = self.address.host_str().unwrap_or_default().to_owned();
        let (now, clock_accounts) = (self.clock.now(), accounts);
        let sent = self.client.send(&request, None, move |answer: Answer| judge(&answer, now, &clock_accounts)).await?;
        Ok(sent.value)
    }

    /// The access token that this run or another one kept.
    async fn kept(&self) -> Result<Option<AccessToken>> {
        let stored = self.store.load(&self.source).await?.filter(|stored| stored.origin == self.origin());
        Ok(stored.and_then(|stored| serde_json::from_str(stored.token.expose_secret()).ok()))
    }

    /// What the kept token belongs to: another refresh token or accounts server makes it worthless.
    fn origin(&self) -> String {
        format!("{} {}", self.address, fingerprint(&self.auth.refresh_token))
    }
}

/// What an answer of the token endpoint means: decided by what is in it, never by its status.
fn judge(answer: &Answer, now: Timestamp, accounts: &str) -> Verdict<std::result::Result<AccessToken, Error>> {
    let Ok(body) = serde_json::from_slice::<TokenAnswer>(&answer.body) else { return unexpected(answer) };
    if let (Some(access_token), Some(api_domain)) = (body.access_token, body.api_domain) {
        let told = body.expires_in.unwrap_or(3_600);
        let life = if told > LONGEST_LIFE_SECS { told / 1_000 } else { told };
        let until = now.plus_secs((life - EARLY_SECS).max(life / 2));
        return Verdict::Accept(Ok(AccessToken { access_token, api_domain, until }));
    }
    let error = |kind, message: &str, help: &str| {
        Error::new(kind, message).with("accounts", accounts).with("status", answer.status.as_u16()).help(help)
    };
    match body.error.as_deref() {
        Some("Access Denied") => Verdict::Stop(error(
            ErrorKind::Quota,
            "Zoho gives no more access tokens for a while: ten in ten minutes",
            "what was read is kept; run the sync again in ten minutes. The refresh token is still valid",
        )),
        Some("general_error" | "server_error") => Verdict::Again {
            error: error(ErrorKind::Unavailable, "the accounts server failed", "run the sync again later"),
            wait: None,
        },
        Some(word) => Verdict::Accept(Err(sign_in_refused(word, accounts))),
        None => unexpected(answer),
    }
}

#[async_trait]
impl Authorize for Session {
    async fn grant(&self) -> Result<Grant> {
        let mut state = self.state.lock().await;
        // Zoho was seen to answer an expired token with nothing, and 200: once, that is taken for it.
        if self.meter.silent.swap(false, Ordering::Relaxed) && !state.suspected {
            state.suspected = true;
            state.bad = state.live.take().map(|live| live.token.access_token);
        }
        self.live(&mut state).await
    }

    async fn renew(&self, refused: &Grant) -> Result<()> {
        let mut state = self.state.lock().await;
        if state.live.as_ref().is_some_and(|live| live.grant.generation == refused.generation)
            && let Some(live) = state.live.take()
        {
            if live.is_fresh && !self.meter.accepted.load(Ordering::Relaxed) {
                let error = Error::new(ErrorKind::Auth, "Zoho refuses an access token that it has just made")
                    .with("accounts", self.address.host_str().unwrap_or_default())
                    .with("api", live.token.api_domain)
                    .help(
                        "client, refresh token and data must be in one data centre: check `accounts_url`, then allow \
                         the client again there",
                    );
                state.refused = Some((error.message().to_owned(), error.help_text().unwrap_or_default().to_owned()));
                return Err(error);
            }
            state.bad = Some(live.token.access_token);
        }
        self.live(&mut state).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
