//! The records that an app has before anyone touches it: computed from the seed and their number whenever they are
//! looked at, so that a million of them take no memory.
//!
//! Every tenth id is missing, as if it had been deleted long ago.

use crate::chance::mix;
use crate::instant::DAY;
use crate::kintone::people::STAFF;
use crate::kintone::time;
use crate::kintone::value::Value;

/// Makes the value of a field of the record with that id; `line` is the row, for fields of a table.
pub(crate) type Generator = fn(&Population, u64, u64) -> Value;

/// Where a field of the population has its values from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Source {
    /// It is empty until someone writes it.
    #[default]
    Stored,
    /// Made up.
    Made(Generator),
    /// A table with so many rows, fewer than eight.
    Lines(fn(&Population, u64) -> u64),
}

/// The records of an app as they were before the domain's first instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    pub(crate) seed: u64,
    pub(crate) count: u64,
    /// So many of the first were imported in one minute.
    pub(crate) imported: u64,
    /// For deals, how many customers they can belong to.
    pub(crate) customers: u64,
    /// The domain's first instant: all records are older.
    pub(crate) at: i64,
}

/// The `nth` (first: 1) id.
pub(crate) fn nth_id(nth: u64) -> u64 {
    nth + nth.saturating_sub(1) / 9
}

impl Population {
    /// An app without records.
    pub(crate) fn none(at: i64) -> Self {
        Population { seed: 0, count: 0, imported: 0, customers: 0, at }
    }

    pub(crate) fn last_id(&self) -> u64 {
        if self.count == 0 { 0 } else { nth_id(self.count) }
    }

    pub(crate) fn holds(&self, id: u64) -> bool {
        id > 0 && id <= self.last_id() && !id.is_multiple_of(10)
    }

    /// How many ids there are from `low` to `high`, both counted.
    pub(crate) fn count_between(&self, low: u64, high: u64) -> u64 {
        let up_to = |id: u64| id - id / 10;
        let high = high.min(self.last_id());
        if low > high { 0 } else { up_to(high) - up_to(low - 1) }
    }

    pub(crate) fn pick(&self, id: u64, what: u64, below: u64) -> u64 {
        mix(self.seed, id, what) % below.max(1)
    }

    pub(crate) fn word<T: Copy>(&self, id: u64, what: u64, words: &[T]) -> T {
        words[self.pick(id, what, words.len() as u64) as usize]
    }

    fn is_imported(&self, id: u64) -> bool {
        id - id / 10 <= self.imported
    }

    /// When the record was added: later ids later, over the four years before the domain's first instant.
    pub(crate) fn created(&self, id: u64) -> i64 {
        let span = 4 * 365 * DAY;
        if self.is_imported(id) {
            return time::floor(self.at - span) + (id % 60) as i64;
        }
        self.at - span + 60 + (span - DAY) * id as i64 / (self.last_id() as i64 + 1)
    }

    /// When it was last saved.
    pub(crate) fn modified(&self, id: u64) -> i64 {
        let created = self.created(id);
        if self.is_imported(id) || self.revision(id) == 1 {
            return created;
        }
        created + self.pick(id, 1, (self.at - DAY / 2 - created).max(1) as u64) as i64
    }

    pub(crate) fn revision(&self, id: u64) -> u64 {
        if self.is_imported(id) { 1 } else { 1 + self.pick(id, 2, 12) }
    }

    pub(crate) fn creator(&self, id: u64) -> &'static str {
        self.word(id, 3, &STAFF).0
    }

    pub(crate) fn modifier(&self, id: u64) -> &'static str {
        if self.revision(id) == 1 { self.creator(id) } else { self.word(id, 4, &STAFF).0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_gaps_and_are_counted() {
        let population = Population { seed: 1, count: 20, imported: 0, customers: 0, at: 1_793_458_800 };
        let ids: Vec<u64> = (1..=population.last_id()).filter(|&id| population.holds(id)).collect();
        assert_eq!((ids.len(), ids[8], ids[9], ids[19]), (20, 9, 11, 22));
        assert_eq!((1..=20).map(nth_id).collect::<Vec<_>>(), ids);
        assert_eq!((population.count_between(9, 11), population.count_between(1, 99)), (2, 20));
    }

    #[test]
    fn records_lie_before_the_first_instant_and_in_order() {
        let population = Population { seed: 7, count: 900, imported: 50, customers: 0, at: 1_793_458_800 };
        for id in 2..=population.last_id() {
            let (created, modified) = (population.created(id), population.modified(id));
            assert!(created <= modified && modified < population.at, "{id}");
            assert!(id < 60 || population.created(id - 1) <= created, "{id}");
        }
        assert_eq!(time::floor(population.created(1)), time::floor(population.created(49)));
    }
}
