//! SQL over states and logs.
//!
//! A session sees one table per entity, as of the instant asked about, and every log under its stream's name:
//! `SELECT name, mrr FROM customer`, `SELECT * FROM log."salesforce/Account"`. It reads; it cannot write.

mod log_table;
mod logs;
mod session;

pub use session::{QueryResult, query};
