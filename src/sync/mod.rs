//! Drives the stages: run, schedule, worker.

mod checkpoint;
mod driver;
pub mod queue;
mod run;
mod runner;
pub mod schedule;
mod step;
mod stream;
mod warnings;
pub mod worker;

pub use driver::{Settled, SyncOptions, keep_due, sync};
pub use run::RunReport;
pub use runner::ProjectRunner;
pub use step::{NoSteps, Step, Steps};
pub use stream::{BatchLimits, NoProgress, Progress, StreamError, StreamReport};
