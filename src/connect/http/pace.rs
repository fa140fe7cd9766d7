//! A pace that is kept with other processes.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::timer::Timer;
use crate::error::Result;

/// Where processes that talk to one outside system agree on who asks when.
#[async_trait]
pub trait SharedPace: Send + Sync + fmt::Debug {
    /// Takes `count` turns of `budget`, which has `per_second` of them; gives how long to wait before they are used.
    ///
    /// # Errors
    ///
    /// When the others cannot be asked.
    async fn take(&self, budget: &str, per_second: NonZeroU32, count: u32) -> Result<Duration>;
}

/// Turns taken ahead stay good for so long; then others may have used their time.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The turns that this process has taken of a budget.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    left: u32,
    until: Duration,
}

impl Turns {
    /// Waits for a turn. Several are taken at a time, a quarter of a second's, so that a fast pace does not ask for each.
    pub(super) async fn next(
        &self,
        pace: &dyn SharedPace,
        budget: &str,
        per_second: NonZeroU32,
        timer: &dyn Timer,
    ) -> Result<()> {
        let mut taken = self.0.lock().await;
        if taken.left == 0 || timer.elapsed() >= taken.until {
            let count = (per_second.get() / 4).max(1);
            let wait = pace.take(budget, per_second, count).await?;
            if !wait.is_zero() {
                timer.sleep(wait).await;
            }
            *taken = Taken { left: count, until: timer.elapsed() + GOOD_FOR };
        }
        taken.left -= 1;
        Ok(())
    }
}
