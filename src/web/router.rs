//! Which path is answered by what.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use super::health::{self, Probe};
use super::metrics::{self, Metrics};
use crate::control::Control;
use crate::sync::worker::Schedules;

/// What requests are answered from.
#[derive(Clone)]
pub struct Web {
    /// The control database.
    pub control: Control,
    /// When sources are due.
    pub schedules: Arc<Schedules>,
    /// What this process counted.
    pub metrics: Arc<Metrics>,
    /// What must be reachable besides the control database, by name.
    pub probes: Arc<Vec<(&'static str, Arc<dyn Probe>)>>,
    /// Cancelled when the daemon is about to stop.
    pub stopping: CancellationToken,
}

/// The routes: `/healthz` (the process is alive), `/readyz` (what it needs can be reached) and `/metrics`
/// (Prometheus text).
pub fn router(web: Web) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .with_state(web)
}
