//! A Zoho CRM org on loopback: modules with fields and records, the list of deleted records, COQL and bulk read; with
//! its own clock, scripted faults and a log of the calls it received.
//!
//! [`Server::start`] serves an org; [`Org`] edits it from the same process, `/_sim/…` from outside. See the crate's
//! README for what is simulated and what is not yet.

mod auth;
mod bulk;
mod catalogue;
mod control;
mod coql;
mod credit;
mod deleted;
mod edit;
mod fault;
mod field;
mod filter;
mod id;
mod input;
mod list;
mod look;
mod metadata;
mod module;
mod options;
mod org;
mod people;
mod population;
mod records;
mod refusal;
mod render;
mod route;
mod server;
mod single;
mod state;
mod time;
mod timeline;
mod truth;
mod value;
mod visit;
mod zip;

pub use fault::{Fault, FaultKind, parse_fault};
pub use field::{Choice, FieldSpec, FieldType, Formula};
pub use input::Fields;
pub use module::{Access, ModuleSpec};
pub use options::{BulkOptions, Edition, Hypotheses, Options, UnknownId};
pub use org::{EditError, Org};
pub use server::Server;

pub use crate::wire::{Call, Stall};
