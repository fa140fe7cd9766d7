//! What a kept snapshot was made from (semantics J2).

use serde::{Deserialize, Serialize};

use super::facts::FactLog;
use super::model::{Model, StreamModel};
use crate::clock::Timestamp;
use crate::log::Entry;

/// Changes whenever the same inputs would give another state.
const ENGINE: u32 = 4;

/// Everything that decides a state but the assignment of records to customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The instant.
    pub at: Timestamp,
    /// The number of the engine's semantics.
    pub engine: u32,
    /// A hash of every definition.
    pub definitions: String,
    /// Per stream: the last commit whose smallest date is not after the instant; 0 when there is none. Of facts, the last
    /// commit that may tell of the time before the stream was first read, or of the time until the instant: records may
    /// be first read after it.
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
            .chain(model.streams.iter().flat_map(|stream| facts_commits(stream, at)))
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

/// The last commits of facts that may tell of `at`, or of the time before the stream was first read: later ones are about
/// times at which versions count.
fn facts_commits(stream: &StreamModel, at: Timestamp) -> Vec<(String, i64)> {
    let first = stream.ledger.first_complete_at(Timestamp::MAX).unwrap_or(Timestamp::MAX).max(at);
    let last = |log: &FactLog| {
        let told = |entry: &&Entry| entry.min_valid_from.is_some_and(|from| from <= first);
        log.ledger.entries().iter().rev().find(told).map_or(0, |entry| entry.n)
    };
    stream.facts.iter().map(|log| (log.stream.to_string(), last(log))).collect()
}
