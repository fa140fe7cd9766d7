//! The steps at which a run could be cut off; tests cut it off at every one of them.

use crate::error::Result;

/// A point between two durable effects of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A page was read, nothing is stored of it.
    PageRead,
    /// The checkpoint is stored as prepared.
    Prepared,
    /// The versions are in the log.
    Appended,
    /// The ledger has its entry.
    Noted,
    /// The checkpoint is marked committed.
    Committed,
    /// The change index has the batch.
    Applied,
}

/// Is told of every step; an error ends the run there as a crash would, with nothing tidied up.
pub trait Steps: Send + Sync {
    /// The run has come to `step`.
    fn reached(&self, step: Step) -> Result<()>;
}

/// Lets every run go through.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSteps;

impl Steps for NoSteps {
    fn reached(&self, _step: Step) -> Result<()> {
        Ok(())
    }
}
