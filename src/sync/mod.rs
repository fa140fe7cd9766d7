//! Drives the stages: run, schedule, worker.

mod checkpoint;
mod driver;
mod run;
mod step;
mod stream;

pub use driver::{Settled, SyncOptions, keep_due, sync};
pub use run::RunReport;
pub use step::{NoSteps, Step, Steps};
pub use stream::{BatchLimits, NoProgress, Progress, StreamError, StreamReport};
