//! Signing in, and staying signed in.
//!
//! Guarantees: one sign-in at a time, however many requests were refused; a rotated refresh token is saved
//! before the access token that came with it is used; after a permanent refusal nobody asks again.
//!
//! How long an access token lives cannot be known (a sliding idle limit, revocation at any time), so it is
//! used until it is refused.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tracing::{info, warn};
use url::Url;

use super::api::{self, TokenForm, TokenReply};
use super::config::AuthConfig;
use super::jwt::{self, Claims};
use super::model::TokenAnswer;
use crate::clock::Clock;
use crate::connect::http::{Authorize, Client, Grant, is_safe};
use crate::connect::oauth::fingerprint;
use crate::connect::token::{StoredToken, TokenStore};
use crate::error::{Error, ErrorKind, Result};
use crate::record::SourceId;

/// Who we are signed in as: what the credential can see depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The org's id, or the host where the org did not tell.
    pub(super) org: String,
    /// The user's id, if told.
    pub(super) user: String,
}

/// The session of one source.
pub(super) struct Session {
    source: SourceId,
    login: Url,
    auth: AuthConfig,
    client: Arc<Client>,
    store: Arc<dyn TokenStore>,
    /// For signed statements: whom they are for, and what time it is.
    audience: String,
    clock: Arc<dyn Clock>,
    /// Held across the sign-in on purpose: whoever comes second must wait for it, not start another.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<(Grant, Identity)>,
    sign_in_count: u64,
    /// A rotated token whose saving failed: the only copy.
    unsaved: Option<StoredToken>,
    /// Why signing in can no longer succeed, and what helps.
    refused: Option<(String, String)>,
}

impl Session {
    pub(super) fn new(
        source: SourceId,
        login: Url,
        auth: AuthConfig,
        client: Arc<Client>,
        store: Arc<dyn TokenStore>,
        audience: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Session { source, login, auth, client, store, audience, clock, state: Mutex::default() }
    }

    /// Who we are; signs in when we are nobody yet.
    pub(super) async fn identity(&self) -> Result<Identity> {
        let mut state = self.state.lock().await;
        Ok(self.live(&mut state).await?.1.clone())
    }

    async fn live<'a>(&self, state: &'a mut State) -> Result<&'a (Grant, Identity)> {
        if state.live.is_none() {
            self.sign_in(state).await?;
        }
        state.live.as_ref().ok_or_else(|| Error::new(ErrorKind::Internal, "signed in without a session"))
    }

    async fn sign_in(&self, state: &mut State) -> Result<()> {
        if let Some((reason, help)) = &state.refused {
            return Err(Error::new(ErrorKind::Auth, reason.clone())
                .with("asked", "before, in this run")
                .help(help.clone()));
        }
        if let Some(unsaved) = state.unsaved.take() {
            self.save(state, unsaved).await?;
        }
        let answer = match (&self.auth.refresh_token, &self.auth.private_key) {
            (Some(configured), _) => self.refresh(state, configured).await?,
            (None, Some(key)) => self.sign(state, key).await?,
            (None, None) => self.ask(state, None).await?,
        };
        let instance = Url::parse(&answer.instance_url).ok().filter(is_safe).ok_or_else(|| {
            Error::new(ErrorKind::BadData, "the org's address in the token answer is not an https address")
        })?;
        state.sign_in_count += 1;
        let identity = identity_of(answer.id.as_deref(), &instance);
        info!(source_id = %self.source, org = identity.org, user = identity.user, "signed in");
        let header = SecretString::from(format!("Bearer {}", answer.access_token));
        let grant = Grant { header, base: Some(instance), generation: state.sign_in_count };
        state.live = Some((grant, identity));
        Ok(())
    }

    /// Signs in with a statement signed by `key`.
    async fn sign(&self, state: &mut State, key: &SecretString) -> Result<TokenAnswer> {
        let claims = Claims {
            client_id: &self.auth.client_id,
            username: self.auth.username.as_deref().unwrap_or_default(),
            audience: &self.audience,
        };
        let signed = jwt::assertion(claims, key, self.clock.now())?;
        let reply = api::token(&self.client, &self.login, &self.auth, TokenForm::Signed(&signed)).await?;
        reply.map_err(|refusal| refuse(state, refusal))
    }

    /// Signs in with the newest refresh token there is, and keeps the next one if the org rotates them.
    async fn refresh(&self, state: &mut State, configured: &SecretString) -> Result<TokenAnswer> {
        let origin = fingerprint(configured);
        let stored = self.stored(&origin).await?;
        let used = stored.clone().unwrap_or_else(|| configured.clone());
        let answer = match self.ask_for(&used).await? {
            Ok(answer) => answer,
            Err(refusal) => {
                // Another process may have rotated the token since we looked; its token is still good.
                match self.stored(&origin).await? {
                    Some(newer) if newer.expose_secret() != used.expose_secret() => {
                        self.ask(state, Some(&newer)).await?
                    }
                    _ => return Err(refuse(state, refusal)),
                }
            }
        };
        if let Some(next) = answer.refresh_token.as_ref().filter(|next| *next != used.expose_secret()) {
            self.save(state, StoredToken { origin, token: SecretString::from(next.clone()) }).await?;
        }
        Ok(answer)
    }

    async fn stored(&self, origin: &str) -> Result<Option<SecretString>> {
        let stored = self.store.load(&self.source).await?;
        Ok(stored.filter(|stored| stored.origin == origin).map(|stored| stored.token))
    }

    async fn save(&self, state: &mut State, token: StoredToken) -> Result<()> {
        if let Err(error) = self.store.save(&self.source, &token).await {
            warn!(source_id = %self.source, error = %error, "could not save the new refresh token, keeping it in memory");
            state.unsaved = Some(token);
            return Err(error);
        }
        Ok(())
    }

    async fn ask(&self, state: &mut State, refresh_token: Option<&SecretString>) -> Result<TokenAnswer> {
        let reply = match refresh_token {
            Some(token) => self.ask_for(token).await?,
            None => api::token(&self.client, &self.login, &self.auth, TokenForm::ClientCredentials).await?,
        };
        reply.map_err(|refusal| refuse(state, refusal))
    }

    async fn ask_for(&self, refresh_token: &SecretString) -> Result<TokenReply> {
        api::token(&self.client, &self.login, &self.auth, TokenForm::Refresh(refresh_token)).await
    }
}

/// Remembers a permanent refusal, so that it is not asked for again and again.
fn refuse(state: &mut State, refusal: Error) -> Error {
    state.refused = Some((refusal.message().to_owned(), refusal.help_text().unwrap_or_default().to_owned()));
    refusal
}

fn identity_of(id: Option<&str>, instance: &Url) -> Identity {
    let mut parts = id.unwrap_or_default().rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(user), Some(org)) if !user.is_empty() && !org.is_empty() => {
            Identity { org: org.to_owned(), user: user.to_owned() }
        }
        _ => Identity { org: instance.host_str().unwrap_or_default().to_owned(), user: String::new() },
    }
}

#[async_trait]
impl Authorize for Session {
    async fn grant(&self) -> Result<Grant> {
        let mut state = self.state.lock().await;
        Ok(self.live(&mut state).await?.0.clone())
    }

    async fn renew(&self, refused: &Grant) -> Result<()> {
        let mut state = self.state.lock().await;
        if state.live.as_ref().is_some_and(|(grant, _)| grant.generation == refused.generation) {
            state.live = None;
        }
        self.live(&mut state).await.map(|_| ())
    }
}
