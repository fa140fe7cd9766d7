//! How a request gets its credential.

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use crate::error::Result;

/// A credential as requests carry it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The value of the `Authorization` header.
    pub header: SecretString,
    /// Where relative targets are, if the credential says so.
    pub base: Option<Url>,
    /// Tells this grant from earlier and later ones of the same [`Authorize`].
    pub generation: u64,
}

/// Gives requests their credential and renews it when it is refused.
#[async_trait]
pub trait Authorize: Send + Sync {
    /// The present grant; signs in when there is none. Asked again before every try, so that a retry never
    /// carries an old one.
    async fn grant(&self) -> Result<Grant>;

    /// Replaces `refused`. Requests that were refused with the same grant renew it once between them: when
    /// it has been replaced in the meantime, nothing happens.
    async fn renew(&self, refused: &Grant) -> Result<()>;
}
