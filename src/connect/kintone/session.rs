//! OAuth: getting access tokens with a refresh token, and staying signed in.
//!
//! Guarantees: one renewal at a time, however many requests were refused; a new refresh token is saved before the
//! access token that came with it is used; after a permanent refusal nobody asks again. An access token is used until
//! it is refused.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tracing::{info, warn};
use url::Url;
use url::form_urlencoded;
use xxhash_rust::xxh3::xxh3_128;

use super::config::OauthConfig;
use super::model::{TokenAnswer, TokenRefusal};
use super::refusal::sign_in_refused;
use crate::connect::http::{Answer, Authorize, Client, Grant, Request, Target, Verdict, unexpected};
use crate::connect::token::{StoredToken, TokenStore};
use crate::error::{Error, ErrorKind, Result};
use crate::record::SourceId;

/// The OAuth session of one source.
pub(super) struct Session {
    source: SourceId,
    address: Url,
    config: OauthConfig,
    client: Arc<Client>,
    store: Arc<dyn TokenStore>,
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

type TokenReply = std::result::Result<TokenAnswer, Error>;

impl Session {
    /// A session that renews its tokens at `address`.
    pub(super) fn new(
        source: SourceId,
        address: Url,
        config: OauthConfig,
        client: Arc<Client>,
        store: Arc<dyn TokenStore>,
    ) -> Self {
        Session { source, address, config, client, store, state: Mutex::default() }
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
        let answer = self.refresh(state).await?;
        state.renewal_count += 1;
        info!(source_id = %self.source, "got an access token");
        let header = SecretString::from(format!("Bearer {}", answer.access_token));
        let grant = Grant { header, base: None, generation: state.renewal_count };
        state.live = Some(grant.clone());
        Ok(grant)
    }

    /// Uses the newest refresh token there is, and keeps the next one if there is one.
    async fn refresh(&self, state: &mut State) -> Result<TokenAnswer> {
        let origin = fingerprint(&self.config.refresh_token);
        let stored = self.stored(&origin).await?;
        let mut used = stored.unwrap_or_else(|| self.config.refresh_token.clone());
        let mut reply = self.ask(&used).await?;
        if reply.is_err()
            && let Some(newer) = self.stored(&origin).await?
            && newer.expose_secret() != used.expose_secret()
        {
            // Another process got a new one since we looked.
            used = newer;
            reply = self.ask(&used).await?;
        }
        let answer = reply.inspect_err(|refusal| {
            state.refused = Some((refusal.message().to_owned(), refusal.help_text().unwrap_or_default().to_owned()));
        })?;
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

    /// `POST /oauth2/token`: the client shows itself by Basic authentication.
    async fn ask(&self, refresh_token: &SecretString) -> Result<TokenReply> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh_token.expose_secret())
            .finish();
        let basic = basic(&self.config.client_id, &self.config.client_secret);
        let target = Target::Absolute(self.address.clone());
        let request = Request::post(target, "application/x-www-form-urlencoded", body)
            .header("authorization", basic.expose_secret());
        let sent = self
            .client
            .send(&request, None, |answer: Answer| {
                if answer.status.is_success() {
                    return match serde_json::from_slice::<TokenAnswer>(&answer.body) {
                        Ok(token) => Verdict::Accept(Ok(token)),
                        Err(_) => unexpected(&answer),
                    };
                }
                match serde_json::from_slice::<TokenRefusal>(&answer.body) {
                    Ok(refusal) if answer.status.is_client_error() => {
                        Verdict::Accept(Err(sign_in_refused(answer.status.as_u16(), &refusal)))
                    }
                    _ => unexpected(&answer),
                }
            })
            .await?;
        Ok(sent.value)
    }
}

/// The value of a Basic authentication's header.
pub(super) fn basic(user: &str, password: &SecretString) -> SecretString {
    SecretString::from(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose_secret()))))
}

fn fingerprint(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(xxh3_128(token.expose_secret().as_bytes()).to_be_bytes())
}

#[async_trait]
impl Authorize for Session {
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

/// The same header with every request: a Basic authentication in front.
pub(super) struct Fixed(pub(super) SecretString);

#[async_trait]
impl Authorize for Fixed {
    async fn grant(&self) -> Result<Grant> {
        Ok(Grant { header: self.0.clone(), base: None, generation: 0 })
    }

    async fn renew(&self, _refused: &Grant) -> Result<()> {
        Err(Error::new(ErrorKind::Auth, "what stands in front of kintone refused the name or the password")
            .help("mend `basic_auth` in the source's file"))
    }
}
