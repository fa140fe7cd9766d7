//! What nenrin does as a whole; one binary, since each links the query engine again.

#![allow(clippy::unwrap_used, reason = "everything here is a test or serves one")]

mod bad_input;
mod contract;
mod control;
mod demo;
mod singer;
mod sql;
mod support;
mod sync;
mod tools;
