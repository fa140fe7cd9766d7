//! Staying signed in with a refresh token.
//!
//! Guarantees: one renewal at a time, however many requests were refused; a new refresh token is saved before the
//! access token that came with it is used; after a permanent refusal nobody asks again. An access token is used until
//! it is refused.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tracing::{info, warn};
use url::Url;
use xxhash_rust::xxh3::xxh3_128;

use super::http::{Authorize, Grant};
use super::token::{StoredToken, TokenStore};
use crate::error::{Error, ErrorKind, Result};
use crate::record::SourceId;

/// What a renewal gives.
pub(crate) struct Tokens {
    pub(crate) access_token: SecretString,
    /// Another refresh token from now on, if there is one.
    pub(crate) refresh_token: Option<SecretString>,
    /// Where requests go, if the answer says so.
    pub(crate) base: Option<Url>,
}

/// The tokens, or why there will be none however often it is asked.
pub(crate) type Reply = std::result::Result<Tokens, Error>;

/// Where and how access tokens are asked for.
#[async_trait]
pub(crate) trait Renewal: Send + Sync {
    /// Asks for an access token with `refresh_token`.
    async fn renew(&self, refresh_token: &SecretString) -> Result<Reply>;
}

/// The OAuth session of one source.
pub(crate) struct Session<R> {
    source: SourceId,
    configured: SecretString,
    store: Arc<dyn TokenStore>,
    renewal: R,
    /// Held across a renewal on purpose: whoever comes second must wait for it, not start another.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Grant>,
    renewal_count: u64,
    /// A new refresh token whose saving failed: the only copy.
    unsaved: Option<StoredToken>,
    /// Why renewing can no longer succeed, and what helps.
    refused: Option<(String, String)>,
}

impl<R: Renewal> Session<R> {
    /// A session that begins with the refresh token `configured`, or a newer one in `store` that came of it.
    pub(crate) fn new(
        source: SourceId,
        configured: SecretString,
        store: Arc<dyn TokenStore>,
        renewal: R,
    ) -> Session<R> {
        Session { source, configured, store, renewal, state: Mutex::default() }
    }

    async fn live(&self, state: &mut State) -> Result<Grant> {
        if let Some(grant) = &state.live {
            return Ok(grant.clone());
        }
        if let Some((reason, help)) = &state.refused {
            return Err(Error::new(ErrorKind::Auth, reason.clone())
                .with("asked", "before, in this run")
                .help(help.clone()));
        }
        if let Some(unsaved) = state.unsaved.take() {
            self.save(state, unsaved).await?;
        }
        let tokens = self.refresh(state).await?;
        state.renewal_count += 1;
        info!(source_id = %self.source, "got an access token");
        let header = SecretString::from(format!("Bearer {}", tokens.access_token.expose_secret()));
        let grant = Grant { header, base: tokens.base, generation: state.renewal_count };
        state.live = Some(grant.clone());
        Ok(grant)
    }

    /// Uses the newest refresh token there is, and keeps the next one if there is one.
    async fn refresh(&self, state: &mut State) -> Result<Tokens> {
        let origin = fingerprint(&self.configured);
        let stored = self.stored(&origin).await?;
        let mut used = stored.unwrap_or_else(|| self.configured.clone());
        let mut reply = self.renewal.renew(&used).await?;
        if reply.is_err()
            && let Some(newer) = self.stored(&origin).await?
            && newer.expose_secret() != used.expose_secret()
        {
            // Another process got a new one since we looked.
            used = newer;
            reply = self.renewal.renew(&used).await?;
        }
        let tokens = reply.inspect_err(|refusal| {
            state.refused = Some((refusal.message().to_owned(), refusal.help_text().unwrap_or_default().to_owned()));
        })?;
        let is_other = |next: &&SecretString| next.expose_secret() != used.expose_secret();
        if let Some(next) = tokens.refresh_token.as_ref().filter(is_other) {
            self.save(state, StoredToken { origin, token: next.clone() }).await?;
        }
        Ok(tokens)
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
}

/// Tells one secret from another without showing it.
pub(crate) fn fingerprint(secret: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(xxh3_128(secret.expose_secret().as_bytes()).to_be_bytes())
}

#[async_trait]
impl<R: Renewal> Authorize for Session<R> {
    async fn grant(&self) -> Result<Grant> {
        let mut state = self.state.lock().await;
        self.live(&mut state).await
    }

    async fn renew(&self, refused: &Grant) -> Result<()> {
        let mut state = self.state.lock().await;
        if state.live.as_ref().is_some_and(|grant| grant.generation == refused.generation) {
            state.live = None;
        }
        self.live(&mut state).await.map(|_| ())
    }
}
