//! What a connector promises, tested against the simulated outside systems: what all of them promise in `suite`, what is
//! a matter of one system beside its world.

mod file;
mod hubspot;
mod journal;
mod kintone;
mod project;
pub(crate) mod reader;
mod rest;
mod salesforce;
mod salesforce_bulk;
mod script;
mod sql;
/// PostgreSQL again, read through ODBC.
#[cfg(feature = "odbc")]
mod sql_over_odbc {
    pub(crate) use super::sql::OVER_ODBC as SYSTEM;
}
mod suite;
mod world;
mod zoho;
