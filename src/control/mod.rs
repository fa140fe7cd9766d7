//! The control database: checkpoints, runs, leases, held fields; one file per table.
//!
//! It is SQLite beside the lake, or PostgreSQL by URL. Every statement works on both and is written with
//! builders; a suite of tests (`tests/control/`) runs against both. The log in the lake stays the only
//! truth: this database says where reading goes on, who may work, and what happened.

mod address;
mod checkpoint;
mod database;
pub(crate) mod failure;
mod held;
mod keeper;
mod key;
mod lease;
mod pace;
mod process;
pub(crate) mod published;
mod rejected;
mod run;
mod run_event;
pub(crate) mod text;
mod token;

pub use address::Address;
pub use checkpoint::{Checkpoint, CheckpointState, Checkpoints, Prepare, Reach};
pub use database::Control;
pub use held::{Held, HeldChange, HeldField, HeldFilter, HeldGroup, HeldRow, HeldScope, HeldState};
pub use keeper::LeaseKeeper;
pub use lease::{Lease, Leases};
pub use pace::Paces;
pub use published::{Published, PublishedTable};
pub use rejected::{RejectedGroup, RejectedRow, RejectedRows};
pub use run::{Run, RunFilter, RunOutcome, Runs, StartRun};
pub use run_event::{EventLevel, RunEvent};
pub use token::{StoredToken, Tokens};
