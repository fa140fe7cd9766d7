//! A Salesforce org on loopback: token endpoint, describe, SOQL over REST, delete log, limits; with its
//! own clock, scripted faults and a log of the calls it received.
//!
//! [`Server::start`] serves an org; [`Org`] edits it from the same process, `/_sim/…` from outside. See the
//! crate's README for what is simulated and what is not yet.

mod auth;
mod bulk;
mod catalogue;
mod composite;
mod control;
mod cursor;
mod derive;
mod describe;
mod edit;
mod fault;
mod field;
mod fit;
mod history;
mod id;
mod instant;
mod jwt;
mod options;
mod org;
mod person;
mod population;
mod query;
mod quota;
mod removal;
mod replicate;
mod reply;
mod route;
mod schema;
mod server;
mod soql;
mod state;
mod store;
mod table;
mod value;

pub use edit::EditError;
pub use fault::{Fault, FaultKind, parse_fault};
pub use field::{FieldSpec, FieldType, Formula};
pub use options::{BulkOptions, Features, LoginHost, Options, ResultOf};
pub use org::{Fields, Org};
pub use server::Server;

pub use crate::wire::{Call, Stall};
