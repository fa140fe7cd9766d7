//! Credentials: a token that does not change, or OAuth.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use super::config::OauthConfig;
use super::model::{ErrorBody, TokenAnswer};
use super::refusal::sign_in_refused;
use crate::connect::http::{Answer, Authorize, Client, Grant, Request, Target, Verdict, unexpected};
use crate::connect::oauth::{Renewal, Reply, Tokens};
use crate::error::{Error, ErrorKind, Result};

/// The token endpoint. Everything in the body of the request: in the address it is refused.
pub(super) struct TokenPoint {
    pub(super) address: Url,
    pub(super) config: OauthConfig,
    pub(super) client: Arc<Client>,
}

#[async_trait]
impl Renewal for TokenPoint {
    async fn renew(&self, refresh_token: &SecretString) -> Result<Reply> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("client_secret", self.config.client_secret.expose_secret())
            .append_pair("refresh_token", refresh_token.expose_secret())
            .finish();
        let target = Target::Absolute(self.address.clone());
        let request = Request::post(target, "application/x-www-form-urlencoded", body);
        let sent = self
            .client
            .send(&request, None, |answer: Answer| {
                if answer.status.is_success() {
                    return match serde_json::from_slice::<TokenAnswer>(&answer.body) {
                        Ok(token) => Verdict::Accept(Ok(Tokens {
                            access_token: token.access_token.into(),
                            refresh_token: token.refresh_token.map(SecretString::from),
                            base: None,
                        })),
                        Err(_) => unexpected(&answer),
                    };
                }
                match serde_json::from_slice::<ErrorBody>(&answer.body) {
                    Ok(body) if matches!(answer.status.as_u16(), 400 | 401 | 403) => {
                        Verdict::Accept(Err(sign_in_refused(answer.status.as_u16(), &body)))
                    }
                    _ => unexpected(&answer),
                }
            })
            .await?;
        Ok(sent.value)
    }
}

/// A service key, or the token of a private app.
pub(super) struct Key(pub(super) SecretString);

#[async_trait]
impl Authorize for Key {
    async fn grant(&self) -> Result<Grant> {
        let header = SecretString::from(format!("Bearer {}", self.0.expose_secret()));
        Ok(Grant { header, base: None, generation: 0 })
    }

    async fn renew(&self, _refused: &Grant) -> Result<()> {
        Err(Error::new(ErrorKind::Auth, "HubSpot refused the token")
            .help("make a new service key in the account's settings and put it where `token` points"))
    }
}
