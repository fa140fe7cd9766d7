//! What a connector promises, tested against the simulated outside systems.

mod reader;
mod salesforce;
