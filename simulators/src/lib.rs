//! The outside systems that nenrin reads, as served on loopback for tests and demonstrations.
//!
//! Shares no code with nenrin's connectors: what a connector believes about a system is tested against
//! what this crate believes about it.

mod chance;
pub mod company;
pub mod core;
pub mod hubspot;
mod instant;
pub mod kintone;
mod number;
pub mod salesforce;
mod wire;
mod words;
pub mod zoho;
