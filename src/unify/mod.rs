//! 4. Many records to one customer: evidence, links, clusters, survivorship.

mod kanji;
mod legal_form;
pub mod model;
pub mod normalize;

pub use model::{IdentityConfig, Rule};
