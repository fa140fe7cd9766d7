//! What a connector promises, tested against the simulated outside systems.

mod kintone;
mod reader;
mod salesforce;
mod salesforce_bulk;
