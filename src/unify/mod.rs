//! 4. Many records to one customer: evidence, links, clusters, survivorship.

pub mod model;

pub use model::{IdentityConfig, Rule};
