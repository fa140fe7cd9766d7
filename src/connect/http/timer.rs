//! Waiting: the only way the client pauses, so that a test decides how long a pause takes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

/// A monotonic clock one can wait on.
pub trait Timer: Send + Sync + fmt::Debug {
    /// How much time has passed since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;

    /// Ends after `pause`.
    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()>;
}

/// Real waiting, on tokio's timer.
#[derive(Debug)]
pub struct TokioTimer(tokio::time::Instant);

impl TokioTimer {
    /// A timer that counts from now.
    pub fn new() -> Self {
        TokioTimer(tokio::time::Instant::now())
    }
}

impl Default for TokioTimer {
    fn default() -> Self {
        Self::new()
    }
}

impl Timer for TokioTimer {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(pause))
    }
}

/// A timer whose pauses take no time and are written down; shared by its clones.
#[derive(Debug, Clone, Default)]
pub struct ManualTimer(Arc<Mutex<Vec<Duration>>>);

impl ManualTimer {
    /// The pauses asked for so far, in order.
    pub fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Timer for ManualTimer {
    fn elapsed(&self) -> Duration {
        self.pauses().iter().sum()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(pause);
        Box::pin(async {})
    }
}
