//! The acceptance facts of the HubSpot simulator, one test each, over real HTTP.
#![allow(clippy::unwrap_used, reason = "everything here is a test or serves one")]

mod changes;
mod client;
mod describe;
mod limits;
#[path = "../support/loopback.rs"]
mod loopback;
mod reading;
mod search;
mod transport;
mod world;
