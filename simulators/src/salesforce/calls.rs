//! The calls that an org has received.

use serde::Serialize;

/// A call, as received and as answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without host and query.
    pub path: String,
    /// The query, decoded; empty without one.
    pub query: String,
    /// The status that the client saw; 0 when the connection was reset instead.
    pub status: u16,
    /// How many records the answer held.
    pub rows: u64,
    /// The org's clock, in seconds since 1970.
    pub at: i64,
}
