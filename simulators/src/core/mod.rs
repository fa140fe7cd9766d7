//! Core systems (基幹システム) on loopback: three HTTP APIs such as a company has beside its CRM, with one clock, one set
//! of customers, scripted faults and a log of the calls they received.
//!
//! - `/keiyaku/v1/…`, 契約管理: the contract API that somebody in house wrote.
//! - `/kaikei/…`, 会計: an accounting service.
//! - `/usage/v2/…`: the usage API of the product.
//!
//! Their customers, codes, plans and prices are those of the [company](crate::company) of the same seed, so that their
//! data joins with its exports. [`Server::start`] serves them; [`Core`] edits them from the same process, `/_sim/…` from
//! outside. See the crate's README for what is simulated.

mod auth;
mod control;
mod edit;
mod fault;
mod kaikei;
mod keiyaku;
mod kind;
mod made;
mod options;
mod refusal;
mod route;
mod server;
mod state;
mod systems;
mod table;
mod time;
mod truth;
mod usage;
mod value;
mod visit;

pub use edit::EditError;
pub use fault::{Fault, FaultKind, parse_fault};
pub use options::Options;
pub use server::Server;
pub use systems::Core;

pub use crate::wire::{Call, Stall};
