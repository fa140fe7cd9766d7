//! A kintone domain on loopback: apps with forms, records, cursors, the query language and process management;
//! with its own clock, scripted faults and a log of the calls it received.
//!
//! [`Server::start`] serves a domain; [`Domain`] edits it from the same process, `/_sim/…` from outside. See the
//! crate's README for what is simulated and what is not yet.

mod acl;
mod app;
mod auth;
mod bulk;
mod canonical;
mod catalogue;
mod choices;
mod comments;
mod control;
mod cursor;
mod deploy;
mod domain;
mod edit;
mod events;
mod fault;
mod field;
mod files;
mod form;
mod formula;
mod input;
mod limits;
mod oauth;
mod options;
mod output;
mod params;
mod people;
mod population;
mod process;
mod query;
mod read;
mod records;
mod refusal;
mod route;
mod save;
mod server;
mod settings;
mod state;
mod time;
mod value;
mod visit;
mod write;

pub use app::AppSpec;
pub use auth::Rights;
pub use domain::{Domain, EditError, Fields};
pub use events::Event;
pub use fault::{Fault, FaultKind, parse_fault};
pub use field::{CalcFormat, FieldSpec, FieldType, Lookup, Related};
pub use options::{Hypotheses, Language, Options};
pub use server::Server;

pub use crate::wire::{Call, Stall};
