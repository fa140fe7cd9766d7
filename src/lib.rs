//! nenrin (年輪, the rings of a tree) pulls customer records out of outside systems, maps them into one
//! customer schema, keeps every change, and lays any past period beside any other.

pub mod cli;
pub mod clock;
pub mod compare;
pub mod config;
pub mod connect;
pub mod control;
pub mod error;
pub mod explain;
pub mod guess;
pub mod land;
pub mod log;
pub mod map;
pub mod preview;
pub mod publish;
pub mod query;
pub mod record;
pub mod runtime;
pub mod schema;
pub mod snapshot;
pub mod sync;
pub mod unify;
pub mod web;
pub mod workspace;
