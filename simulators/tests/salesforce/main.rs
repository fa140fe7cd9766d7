//! The acceptance facts of the Salesforce simulator, one test each, over real HTTP.
//!
//! Lines 3 (JWT), 39 (history objects) and 41 to 46 (Bulk 2.0) have none yet: see the README.
#![allow(clippy::unwrap_used, reason = "everything here is a test or serves one")]

mod auth;
mod changes;
mod client;
mod faults;
#[path = "../support/loopback.rs"]
mod loopback;
mod metadata;
mod query;
mod values;
