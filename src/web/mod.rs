//! What the daemon serves over HTTP: whether it is well, and figures for a monitoring system.
//!
//! A request never runs a sync. Nothing here needs a login yet: it listens on this machine only unless told
//! otherwise, and tells no value of a record.

mod health;
mod metrics;
mod router;

pub use health::Probe;
pub use metrics::Metrics;
pub use router::{Web, router};
