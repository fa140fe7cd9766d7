//! State at T: what the unified schema held at an instant, computed from the logs and kept for closed periods.

pub mod period;
pub mod state;

pub use state::{Cell, Coverage, State, StreamCoverage};
