//! Credentials in the `Authorization` header: OAuth, or the Basic authentication in front of a domain.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use super::config::OauthConfig;
use super::model::{TokenAnswer, TokenRefusal};
use super::refusal::sign_in_refused;
use crate::connect::http::{Answer, Authorize, Client, Grant, Request, Target, Verdict, unexpected};
use crate::connect::oauth::{Renewal, Reply, Tokens};
use crate::error::{Error, ErrorKind, Result};

/// `POST /oauth2/token`: the client shows itself by Basic authentication.
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
                        Ok(token) => Verdict::Accept(Ok(Tokens {
                            access_token: token.access_token.into(),
                            refresh_token: token.refresh_token.map(SecretString::from),
                            base: None,
                        })),
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
