//! The three APIs of the core systems simulator, over real HTTP.
#![allow(clippy::unwrap_used, reason = "everything here is a test or serves one")]

mod client;
mod faults;
mod kaikei;
mod keiyaku;
#[path = "../support/loopback.rs"]
mod loopback;
mod usage;
mod world;
