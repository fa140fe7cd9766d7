//! Keeps a lease alive while work goes on.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Control, Lease};
use crate::error::{ErrorKind, Result};

/// Renews a lease until it is stopped; tells the work to stop when the lease is lost.
///
/// The task ends with [`LeaseKeeper::stop`], or when the keeper is dropped.
#[derive(Debug)]
pub struct LeaseKeeper {
    control: Control,
    lease: Lease,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl LeaseKeeper {
    /// Starts renewing `lease` three times per `ttl_secs`. `lost` is cancelled when another holder has it.
    pub fn start(control: &Control, lease: Lease, ttl_secs: u32, lost: CancellationToken) -> LeaseKeeper {
        let stop = CancellationToken::new();
        let task = tokio::spawn(renew_until(control.clone(), lease.clone(), ttl_secs, stop.clone(), lost));
        LeaseKeeper { control: control.clone(), lease, stop, task: Some(task) }
    }

    /// The lease that is kept. Its `expires_at` is that of the beginning; its token does not change.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Stops renewing and gives the lease back.
    ///
    /// # Errors
    ///
    /// Failures of the database while releasing; the lease then runs out by itself.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
        self.control.leases().release(&self.lease).await
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn renew_until(control: Control, lease: Lease, ttl_secs: u32, stop: CancellationToken, lost: CancellationToken) {
    let pause = Duration::from_secs(u64::from(ttl_secs.max(3) / 3));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        match control.leases().renew(&lease, ttl_secs).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Conflict => {
                warn!(resource = lease.resource(), token = lease.token(), "lost the lease, stopping the work");
                lost.cancel();
                return;
            }
            // The database may come back before the lease runs out; if not, the next checkpoint is refused.
            Err(error) => warn!(resource = lease.resource(), error = %error, "could not renew a lease"),
        }
    }
}
