//! What a connector promises, tested against the simulated outside systems.

mod kintone;
pub(crate) mod reader;
mod salesforce;
mod salesforce_bulk;
