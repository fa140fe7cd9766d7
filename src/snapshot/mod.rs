//! 5. State at T: what the unified schema held at an instant, computed from the logs and kept for closed periods.
//!
//! This is the stage that computes: it runs the mappings over the logs' versions and lets identity and
//! survivorship choose, so that `state(T, K) = survive(map(log(T, K)), identity(K))` stands in one place
//! ([`build`]).

mod asserted;
mod before;
mod build;
mod facts;
mod fingerprint;
mod identity;
mod model;
pub mod period;
mod recency;
mod renamed;
mod rows;
pub mod state;
mod store;

pub use build::{Built, build};
pub use facts::FactLog;
pub use fingerprint::Fingerprint;
pub use model::{EntityModel, Model, StreamModel, Unread};
pub use rows::{HeldAt, Holds, holds_of};
pub use state::{Cell, Coverage, State, StreamCoverage};
pub use store::{Kept, Origin, state_at};
