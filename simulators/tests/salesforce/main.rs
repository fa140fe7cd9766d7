//! The acceptance facts of the Salesforce simulator, one test each, over real HTTP.
//!
//! Lines 3 (JWT) and 39 (history objects) have none yet: see the README.
#![allow(clippy::unwrap_used, reason = "everything here is a test or serves one")]

mod auth;
mod bulk;
mod changes;
mod client;
mod csv;
mod faults;
#[path = "../support/loopback.rs"]
mod loopback;
mod metadata;
mod query;
mod values;
