//! The acceptance facts of the Salesforce simulator, one test each, over real HTTP.
//!
//! Line 3 (JWT) has none: see the README.
#![allow(clippy::unwrap_used, reason = "everything here is a test or serves one")]

mod auth;
mod bulk;
mod changes;
mod client;
mod csv;
mod faults;
mod history;
#[path = "../support/loopback.rs"]
mod loopback;
mod metadata;
mod objects;
mod people;
mod query;
mod values;
