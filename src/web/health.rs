//! Whether the daemon is alive, and whether it can work.

use std::time::Duration;

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use tracing::warn;

use super::router::Web;
use crate::control::Control;
use crate::error::{Error, ErrorKind, Result};
use crate::log::Lake;

/// How long something may take to answer before it counts as unreachable.
const PATIENCE: Duration = Duration::from_secs(5);

/// Something that must be reachable for the daemon to work.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Asks it for as little as possible.
    ///
    /// # Errors
    ///
    /// Why it cannot be reached.
    async fn probe(&self) -> Result<()>;
}

#[async_trait]
impl Probe for Control {
    async fn probe(&self) -> Result<()> {
        self.ping().await
    }
}

#[async_trait]
impl Probe for Lake {
    async fn probe(&self) -> Result<()> {
        let Some(folder) = self.local_folder() else {
            return self.get("nenrin.probe").await.map(|_| ());
        };
        tokio::fs::read_dir(folder).await.map(|_| ()).map_err(|error| {
            Error::new(ErrorKind::Storage, "the lake's folder cannot be read")
                .with("folder", folder.display())
                .caused_by(error)
        })
    }
}

/// Answers as long as the process does.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// 200 when the daemon can work, else 503 and what is wrong: kind and message, no more.
pub(super) async fn readyz(State(web): State<Web>) -> (StatusCode, Json<Value>) {
    let mut answer = Map::new();
    let mut ready = !web.stopping.is_cancelled();
    if !ready {
        answer.insert("daemon".to_owned(), "stopping".into());
    }
    let mut check = |name: &str, result: Result<()>| {
        ready &= result.is_ok();
        let word = result.map_or_else(|error| error.message().to_owned(), |()| "ok".to_owned());
        answer.insert(name.to_owned(), word.into());
    };
    check("database", ask(&web.control, "database").await);
    for (name, probe) in web.probes.iter() {
        check(name, ask(&**probe, name).await);
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Value::Object(answer)))
}

async fn ask(probe: &dyn Probe, name: &str) -> Result<()> {
    let answer = tokio::time::timeout(PATIENCE, probe.probe()).await;
    let answer = answer.unwrap_or_else(|_| Err(Error::new(ErrorKind::Unavailable, "does not answer in time")));
    if let Err(error) = &answer {
        warn!(what = name, error = %error.render(), "not ready");
    }
    answer
}
