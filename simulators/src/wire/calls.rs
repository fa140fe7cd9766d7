//! The calls that a simulated system has received.

use std::collections::VecDeque;

use serde::Serialize;

/// How many calls are remembered.
const CALLS_KEPT: usize = 100_000;

/// A call, as received and as answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without host and query.
    pub path: String,
    /// The query, decoded, and the parameters in the body where these are read like a query; empty without any.
    pub query: String,
    /// The status that the client saw; 0 when the connection was reset instead.
    pub status: u16,
    /// How many records the answer held.
    pub rows: u64,
    /// The system's clock, in seconds since 1970.
    pub at: i64,
}

/// The newest calls, oldest first.
#[derive(Debug, Default)]
pub(crate) struct CallLog(VecDeque<Call>);

impl CallLog {
    pub(crate) fn push(&mut self, call: Call) {
        if self.0.len() == CALLS_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
