//! How requests get their credential.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::config::OauthConfig;
use crate::connect::http::{Answer, Authorize, Client, Grant, Request, Target, Verdict, unexpected};
use crate::connect::oauth::{Renewal, Reply, Tokens};
use crate::error::{Error, ErrorKind, Result};

/// A header that does not change.
pub(super) struct Fixed(SecretString);

impl Fixed {
    pub(super) fn basic(username: &str, password: &SecretString) -> Fixed {
        let pair = format!("{username}:{}", password.expose_secret());
        Fixed(format!("Basic {}", STANDARD.encode(pair)).into())
    }

    pub(super) fn bearer(token: &SecretString) -> Fixed {
        Fixed(format!("Bearer {}", token.expose_secret()).into())
    }
}

#[async_trait]
impl Authorize for Fixed {
    async fn grant(&self) -> Result<Grant> {
        Ok(Grant { header: self.0.clone(), base: None, generation: 0 })
    }

    async fn renew(&self, _refused: &Grant) -> Result<()> {
        Err(Error::new(ErrorKind::Auth, "the API refused the credential")
            .help("check `auth` in the source's file, and that the key or password has not expired"))
    }
}

/// The endpoint that gives access tokens.
pub(super) struct TokenPoint {
    pub(super) address: Url,
    pub(super) config: OauthConfig,
    pub(super) client: Arc<Client>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
}

/// As RFC 6749 has it in 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

#[async_trait]
impl Renewal for TokenPoint {
    /// Without a refresh token in the settings, what is given here is the client's secret, and the client signs in for
    /// itself.
    async fn renew(&self, secret: &SecretString) -> Result<Reply> {
        let request = Request::post(
            Target::Absolute(self.address.clone()),
            "application/x-www-form-urlencoded",
            self.form(secret),
        );
        let client = Fixed::basic(&self.config.client_id, &self.config.client_secret);
        let auth: Option<&dyn Authorize> = self.config.client_in_header.then_some(&client);
        let judge = |answer: Answer| {
            if let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) {
                if matches!(refusal.error.as_str(), "temporarily_unavailable" | "server_error" | "slow_down") {
                    return unexpected(&answer);
                }
                return Verdict::Accept(Err(refused(&refusal)));
            }
            match serde_json::from_slice::<TokenAnswer>(&answer.body) {
                Ok(token) if answer.status.is_success() => Verdict::Accept(Ok(Tokens {
                    access_token: token.access_token.into(),
                    refresh_token: token.refresh_token.map(SecretString::from),
                    base: None,
                })),
                // Refused for good, in words of its own.
                _ if matches!(answer.status.as_u16(), 400 | 401 | 403) => Verdict::Accept(Err(refused(&Refusal {
                    error: answer.status.as_u16().to_string(),
                    error_description: None,
                }))),
                _ => unexpected(&answer),
            }
        };
        let sent = self.client.send(&request, auth, judge).await?;
        // Of a client that signs in for itself, a refresh token is of no use.
        let is_kept = self.config.refresh_token.is_some();
        Ok(sent.value.map(|tokens| Tokens { refresh_token: tokens.refresh_token.filter(|_| is_kept), ..tokens }))
    }
}

impl TokenPoint {
    fn form(&self, secret: &SecretString) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        match &self.config.refresh_token {
            Some(_) => {
                form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", secret.expose_secret())
            }
            None => form.append_pair("grant_type", "client_credentials"),
        };
        if !self.config.scopes.is_empty() {
            form.append_pair("scope", &self.config.scopes.join(" "));
        }
        if !self.config.client_in_header {
            form.append_pair("client_id", &self.config.client_id)
                .append_pair("client_secret", self.config.client_secret.expose_secret());
        }
        form.extend_pairs(&self.config.params);
        form.finish()
    }
}

fn refused(refusal: &Refusal) -> Error {
    let help = match refusal.error.as_str() {
        "invalid_grant" => "get a new refresh token, and put it where `auth.refresh_token` points",
        "invalid_client" | "unauthorized_client" => {
            "check `auth.client_id` and `auth.client_secret`, and `auth.client_in_header` against the API's documents"
        }
        "invalid_scope" => "check `auth.scopes` against the API's documents",
        _ => "check `auth` in the source's file",
    };
    let error = Error::new(ErrorKind::Auth, "the API gave no access token").with("answer", &refusal.error).help(help);
    match &refusal.error_description {
        Some(words) => error.with("words", words.chars().take(200).collect::<String>()),
        None => error,
    }
}
