//! What a connector promises, tested against the simulated outside systems: what all of them promise in `suite`, what is
//! a matter of one system beside its world.

mod journal;
mod kintone;
mod project;
mod reader;
mod salesforce;
mod script;
mod suite;
mod world;
