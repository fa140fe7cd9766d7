//! The acceptance facts of the Salesforce simulator, one test each, over real HTTP.

mod auth;
mod changes;
mod client;
mod faults;
mod metadata;
mod query;
mod values;
