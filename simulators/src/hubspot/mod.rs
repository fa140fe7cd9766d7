//! A HubSpot portal on loopback: CRM objects with their properties, histories and associations, searches over an index
//! that lags behind, archives and merges; with its own clock, scripted faults and a log of the calls it received.
//!
//! [`Server::start`] serves a portal; [`Portal`] edits it from the same process, `/_sim/…` from outside. See the
//! crate's README for what is simulated and what is not yet.

mod associations;
mod auth;
mod batch;
mod catalogue;
mod control;
mod describe;
mod edit;
mod editing;
mod fault;
mod history;
mod limits;
mod links;
mod list;
mod oauth;
mod object;
mod options;
mod output;
mod owners;
mod params;
mod pipeline;
mod population;
mod portal;
mod property;
mod records;
mod refusal;
mod route;
mod search;
mod server;
mod shaping;
mod state;
mod time;
mod truth;
mod value;
mod visit;
mod write;

pub use fault::{Fault, FaultKind, parse_fault};
pub use options::{Hypotheses, LimitForm, Options};
pub use portal::{EditError, Fields, Portal};
pub use property::{Choice, PropertySpec, PropertyType, Sensitivity};
pub use server::Server;
pub use truth::{Association, Earlier};

pub use crate::wire::{Call, Stall};
