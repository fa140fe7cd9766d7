//! The acceptance facts of the kintone simulator, one test each, over real HTTP.
//!
//! Line 50 (the official OpenAPI document) has none yet: see the README.
#![allow(clippy::unwrap_used, reason = "everything here is a test or serves one")]

mod client;
mod cursors;
mod events;
#[path = "../support/loopback.rs"]
mod loopback;
mod query;
mod reading;
mod settings;
mod transport;
mod values;
mod world;
mod writing;
