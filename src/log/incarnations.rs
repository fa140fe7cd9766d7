//! Keys that came back as other records (semantics B9).
//!
//! Few logs have any. One look at the operations finds the keys that were ever gone; only those are followed.

use std::collections::{HashMap, HashSet};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::as_of::{At, Winners, key_hash};
use super::columns::system;
use super::read::Wanted;
use super::table::LogTable;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::record::DeleteKind;

/// A record whose key was given to another one later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The key.
    pub key: String,
    /// Its incarnation: 0 for the key's first record.
    pub number: u32,
    /// Since when the key stood for it; `None`: from the beginning.
    pub since: Option<Timestamp>,
    /// When the source says it was born.
    pub created_at: Option<Timestamp>,
    /// The record it was merged into, if that was its end.
    pub merged_into: Option<String>,
    /// Its last living version.
    at: At,
}

/// The keys of a log that stood for more than one record.
#[derive(Debug, Clone, Default)]
pub struct Incarnations {
    earlier: Vec<Earlier>,
    last: HashMap<String, (u32, Timestamp)>,
}

impl Incarnations {
    /// All records but the last of each key, by key and number.
    pub fn earlier(&self) -> &[Earlier] {
        &self.earlier
    }

    /// The number of the last record of `key`, and since when the key stands for it; `None`: it has only one.
    pub fn last(&self, key: &str) -> Option<(u32, Timestamp)> {
        self.last.get(key).copied()
    }

    /// How many records the most used key stood for before its last one.
    pub fn rounds(&self) -> u32 {
        self.earlier.iter().map(|earlier| earlier.number + 1).max().unwrap_or(0)
    }
}

/// A version, as far as it matters here; ordered as the chain is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    valid_from: i64,
    seq: i64,
    at: At,
    created_at: Option<i64>,
    deleted: Option<DeleteKind>,
    winner: Option<String>,
}

impl LogTable {
    /// Finds the keys that returned as other records, by what was recorded up to `known_at`: after a deletion, with
    /// another birth, or whenever they return when `reused` says that keys are given again.
    pub async fn incarnations(&self, known_at: Timestamp, reused: bool) -> Result<Incarnations> {
        let mut found = Incarnations::default();
        for (key, mut steps) in self.chains_with_a_gap(known_at).await? {
            steps.sort_unstable();
            follow(&key, &steps, reused, &mut found);
        }
        found.earlier.sort_by(|a, b| (&a.key, a.number).cmp(&(&b.key, b.number)));
        Ok(found)
    }

    /// The last living versions of the records numbered `number`, of the keys for which it is not the last.
    pub fn earlier_winners(&self, incarnations: &Incarnations, number: u32) -> Result<Winners> {
        let these = incarnations.earlier.iter().filter(|earlier| earlier.number == number);
        Ok(Winners::of(self.files()?, these.map(|earlier| earlier.at)))
    }

    /// The versions of every key that was gone at some time.
    async fn chains_with_a_gap(&self, known_at: Timestamp) -> Result<HashMap<String, Vec<Step>>> {
        let files = self.files()?;
        let gone = |kind: Option<DeleteKind>| kind.is_some_and(|kind| kind != DeleteKind::Unreadable);
        let mut ever_gone: HashSet<u128> = HashSet::new();
        let wanted = Wanted { system: vec![system::KEY, system::DELETE_KIND], fields: Vec::new() };
        for file in &files {
            let batch = self.read_file(file, None, &wanted).await?;
            let (keys, kinds) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
            if kinds.null_count() == kinds.len() {
                continue;
            }
            for row in (0..batch.num_rows()).filter(|row| kinds.is_valid(*row)) {
                if gone(DeleteKind::parse(kinds.value(row))) {
                    ever_gone.insert(key_hash(keys.value(row)));
                }
            }
        }
        let mut chains: HashMap<String, Vec<Step>> = HashMap::new();
        if ever_gone.is_empty() {
            return Ok(chains);
        }
        let wanted = Wanted {
            system: vec![
                system::KEY,
                system::VALID_FROM,
                system::RECORDED_AT,
                system::CREATED_AT,
                system::SEQ,
                system::DELETE_KIND,
                system::WINNER,
            ],
            fields: Vec::new(),
        };
        for (file, data) in files.iter().enumerate() {
            let batch = self.read_file(data, None, &wanted).await?;
            let instants = |column: usize| batch.column(column).as_primitive::<TimestampMicrosecondType>();
            let (keys, valid_from, recorded_at) = (batch.column(0).as_string::<i32>(), instants(1), instants(2));
            let (created_at, seq) = (instants(3), batch.column(4).as_primitive::<Int64Type>());
            let (kinds, winners) = (batch.column(5).as_string::<i32>(), batch.column(6).as_string::<i32>());
            for row in 0..batch.num_rows() {
                let key = keys.value(row);
                if recorded_at.value(row) > known_at.micros() || !ever_gone.contains(&key_hash(key)) {
                    continue;
                }
                let step = Step {
                    valid_from: valid_from.value(row),
                    seq: seq.value(row),
                    at: At::new(file, row),
                    created_at: created_at.is_valid(row).then(|| created_at.value(row)),
                    deleted: kinds.is_valid(row).then(|| DeleteKind::parse(kinds.value(row))).flatten(),
                    winner: winners.is_valid(row).then(|| winners.value(row).to_owned()),
                };
                match chains.get_mut(key) {
                    Some(chain) => chain.push(step),
                    None => drop(chains.insert(key.to_owned(), vec![step])),
                }
            }
        }
        Ok(chains)
    }
}

/// Cuts the chain of `key` wherever it returns as another record.
fn follow(key: &str, steps: &[Step], reused: bool, found: &mut Incarnations) {
    let (mut number, mut since, mut created_at) = (0, None, None);
    let mut last_living: Option<At> = None;
    let mut end: Option<&Step> = None;
    for step in steps {
        match step.deleted {
            Some(DeleteKind::Unreadable) => {}
            Some(_) => {
                created_at = created_at.or(step.created_at);
                end = Some(step);
            }
            None => {
                let other_birth = created_at.zip(step.created_at).is_some_and(|(before, now)| before != now);
                if let (Some(deleted), Some(at)) = (end, last_living)
                    && (reused || other_birth)
                {
                    found.earlier.push(Earlier {
                        key: key.to_owned(),
                        number,
                        since,
                        created_at: created_at.map(Timestamp::from_micros),
                        merged_into: deleted.winner.clone().filter(|_| deleted.deleted == Some(DeleteKind::Merged)),
                        at,
                    });
                    number += 1;
                    let start = Timestamp::from_micros(step.valid_from);
                    since = Some(start);
                    created_at = None;
                    found.last.insert(key.to_owned(), (number, start));
                }
                created_at = created_at.or(step.created_at);
                (end, last_living) = (None, Some(step.at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(valid_from: i64, created_at: Option<i64>, deleted: Option<DeleteKind>) -> Step {
        Step { valid_from, seq: valid_from, at: At::new(0, valid_from as usize), created_at, deleted, winner: None }
    }

    /// The earlier incarnations with their births, and the number and start of the last one.
    type Told = (Vec<(u32, Option<i64>)>, Option<(u32, i64)>);

    fn told(steps: &[Step], reused: bool) -> Told {
        let mut found = Incarnations::default();
        follow("k", steps, reused, &mut found);
        let earlier = found.earlier.iter().map(|one| (one.number, one.created_at.map(Timestamp::micros))).collect();
        (earlier, found.last("k").map(|(number, since)| (number, since.micros())))
    }

    const GONE: Option<DeleteKind> = Some(DeleteKind::Deleted);

    #[test]
    fn b9_a_key_that_returns_with_another_birth_is_another_record() {
        let steps = [step(1, Some(1), None), step(5, None, GONE), step(9, Some(8), None), step(11, Some(8), None)];
        assert_eq!(told(&steps, false), (vec![(0, Some(1))], Some((1, 9))));
        let twice = [&steps[..], &[step(12, None, GONE), step(20, Some(19), None)]].concat();
        assert_eq!(told(&twice, false), (vec![(0, Some(1)), (1, Some(8))], Some((2, 20))));
    }

    #[test]
    fn b9_an_undelete_is_the_same_record_unless_keys_are_reused() {
        let undeleted = [step(1, Some(1), None), step(5, None, GONE), step(9, Some(1), None)];
        assert_eq!(told(&undeleted, false), (vec![], None));
        let without_births = [step(1, None, None), step(5, None, GONE), step(9, None, None)];
        assert_eq!(told(&without_births, false), (vec![], None));
        assert_eq!(told(&without_births, true), (vec![(0, None)], Some((1, 9))));
        // It could not be seen for a while, which is no deletion; and a birth that the source corrects is none.
        let hidden = Some(DeleteKind::Unreadable);
        assert_eq!(
            told(&[step(1, Some(1), None), step(5, None, hidden), step(9, Some(8), None)], true),
            (vec![], None)
        );
        assert_eq!(told(&[step(1, Some(1), None), step(9, Some(8), None)], true), (vec![], None));
    }
}
