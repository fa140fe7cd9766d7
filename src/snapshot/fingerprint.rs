//! What a kept snapshot was made from (semantics J2).

use serde::{Deserialize, Serialize};

use super::model::Model;
use crate::clock::Timestamp;

/// Changes whenever the same inputs would give another state.
const ENGINE: u32 = 2;

/// Everything that decides a state but the assignment of records to customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The instant.
    pub at: Timestamp,
    /// The number of the engine's semantics.
    pub engine: u32,
    /// A hash of every definition.
    pub definitions: String,
    /// Per stream: the last commit whose smallest date is not after the instant; 0 when there is none.
    pub commits: Vec<(String, i64)>,
}

impl Fingerprint {
    /// What a state at `at` would be made from now.
    pub fn of(model: &Model, at: Timestamp) -> Fingerprint {
        let mut commits: Vec<(String, i64)> = model
            .streams
            .iter()
            .map(|stream| {
                let last = stream
                    .ledger
                    .entries()
                    .iter()
                    .rev()
                    .find(|entry| {
                        entry.min_valid_from.is_some_and(|from| from <= at)
                            || entry.statement.as_ref().is_some_and(|statement| statement.at <= at)
                            || entry.timeline.is_some()
                            || entry.pass.is_some()
                    })
                    .map_or(0, |entry| entry.n);
                (stream.mapping.stream.to_string(), last)
            })
            .chain(model.unread.iter().map(|unread| (unread.stream.to_string(), 0)))
            .collect();
        commits.sort();
        commits.dedup();
        Fingerprint { at, engine: ENGINE, definitions: model.definitions.clone(), commits }
    }

    /// The fingerprint as one word, for people.
    pub fn digest(&self) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&text))
    }
}
