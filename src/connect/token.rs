//! Where credentials live that a source replaces while we use them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;

use crate::error::Result;
use crate::record::SourceId;

/// A refresh token that a source gave us in place of the configured one.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// A fingerprint of the configured token that it descends from: when a person configures a new one,
    /// the stored one no longer counts.
    pub origin: String,
    /// The token.
    pub token: SecretString,
}

/// Keeps rotated refresh tokens, one per source.
///
/// The old token is dead from the moment the source gives a new one: [`save`](Self::save) must be
/// durable when it returns.
#[async_trait]
pub trait TokenStore: Send + Sync + fmt::Debug {
    /// The token last saved for `source`.
    async fn load(&self, source: &SourceId) -> Result<Option<StoredToken>>;

    /// Replaces the token of `source`.
    async fn save(&self, source: &SourceId, token: &StoredToken) -> Result<()>;
}

/// Keeps tokens as long as the process lives: for tests and for sources that do not rotate.
#[derive(Debug, Default)]
pub struct MemoryTokenStore(Mutex<HashMap<SourceId, StoredToken>>);

#[async_trait]
impl TokenStore for MemoryTokenStore {
    async fn load(&self, source: &SourceId) -> Result<Option<StoredToken>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(source).cloned())
    }

    async fn save(&self, source: &SourceId, token: &StoredToken) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(source.clone(), token.clone());
        Ok(())
    }
}
