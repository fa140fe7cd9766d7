//! What nenrin does as a whole; one binary, since each links the query engine again.

mod contract;
mod control;
mod support;
