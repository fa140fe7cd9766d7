//! 2. Pages to new versions: change detection, deletes, statements, proof of completeness.
//!
//! A [`Lander`] holds what is needed to tell what is new about a stream: its log, its ledger, and the index of
//! last links. [`Lander::take`] computes what a batch of pages adds and writes nothing durable to the lake; the
//! sync run stores it under the checkpoint protocol and then calls [`Lander::applied`].

mod absence;
mod chain;
mod counts;
mod decide;
mod ending;
mod fetch;
mod hash;
mod index;
mod lander;
mod landing;
mod rebuild;
mod seen;
#[cfg(test)]
mod tests;
mod timeline;
mod versions;

pub(crate) use absence::is_brake;
pub use counts::Counts;
pub use lander::Lander;
pub use landing::{Confirm, Landing, NoConfirm, Taken};
pub use seen::PassProgress;
