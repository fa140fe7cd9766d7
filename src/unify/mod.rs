//! 4. Many records to one customer: evidence, links, clusters, survivorship.

mod cluster;
mod free_mail;
mod kanji;
mod legal_form;
pub mod model;
mod node;
pub mod normalize;
mod survive;

pub use cluster::{Identity, LeftOut};
pub use model::{IdentityConfig, Rule};
pub use node::{Node, NodeId, node_id};
pub use survive::{Candidate, Priority, choose};
