//! Drives the stages: run, schedule, worker.
