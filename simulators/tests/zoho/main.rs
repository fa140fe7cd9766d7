//! The acceptance facts of the Zoho CRM simulator, one test or more each, over real HTTP. Their numbers are in the names.
#![allow(clippy::unwrap_used, reason = "everything here is a test or serves one")]

mod auth;
mod bulk;
mod client;
mod coql;
mod faults;
mod history;
#[path = "../support/loopback.rs"]
mod loopback;
mod metadata;
mod records;
mod values;
mod world;
