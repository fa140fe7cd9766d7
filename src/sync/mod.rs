//! Drives the stages: run, schedule, worker.

mod checkpoint;
pub mod run;
pub mod step;
pub mod stream;
