//! The records that a type has before anyone touches it: computed from the seed and their number whenever they are
//! looked at, so that a million of them take no memory.
//!
//! Ids begin at 501 in every type, so that one type's ids are another's, and every tenth is missing.

use crate::chance::mix;
use crate::hubspot::time::{DAY, SECOND};

/// Makes the value of a property of the record with that id.
pub(crate) type Maker = fn(&Population, u64) -> Option<String>;

/// Makes the values that a property had, with the instants since when, oldest first.
pub(crate) type Steps = fn(&Population, u64) -> Vec<(i64, String)>;

/// Before the first id.
const BEFORE: u64 = 500;

/// How many records the types have that others refer to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) companies: u64,
    pub(crate) products: u64,
}

/// The records of a type as they were before the portal's first instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    pub(crate) seed: u64,
    pub(crate) count: u64,
    /// So many of the first were imported in one millisecond.
    pub(crate) imported: u64,
    /// What records can refer to.
    pub(crate) counts: Counts,
    /// The portal's first instant: all records are older.
    pub(crate) at: i64,
}

/// The id of the record with that number; the first is 1.
pub(crate) fn nth_id(nth: u64) -> u64 {
    BEFORE + nth + nth.saturating_sub(1) / 9
}

/// The number of the record with that id, or the one before it.
pub(crate) fn number(id: u64) -> u64 {
    let place = id.saturating_sub(BEFORE);
    place - place / 10
}

impl Population {
    /// The last id; the one before the first where there is no record.
    pub(crate) fn last_id(&self) -> u64 {
        if self.count == 0 { BEFORE } else { nth_id(self.count) }
    }

    pub(crate) fn holds(&self, id: u64) -> bool {
        id > BEFORE && id <= self.last_id() && !(id - BEFORE).is_multiple_of(10)
    }

    pub(crate) fn pick(&self, id: u64, what: u64, below: u64) -> u64 {
        mix(self.seed, id, what) % below.max(1)
    }

    pub(crate) fn word<T: Copy>(&self, id: u64, what: u64, words: &[T]) -> T {
        words[self.pick(id, what, words.len() as u64) as usize]
    }

    /// Whether something is so of about one in `of` records.
    pub(crate) fn chance(&self, id: u64, what: u64, of: u64) -> bool {
        self.pick(id, what, of) == 0
    }

    fn is_imported(&self, id: u64) -> bool {
        number(id) <= self.imported
    }

    /// When the record was made: later ids later, over the four years before the portal's first instant.
    pub(crate) fn created(&self, id: u64) -> i64 {
        let span = 4 * 365 * DAY;
        if self.is_imported(id) {
            return self.at - span;
        }
        let nth = number(id) as i64;
        self.at - span + 60 * SECOND + (span - DAY) / (self.count as i64 + 1) * nth + self.pick(id, 1, 1_000) as i64
    }

    /// When it was last written.
    pub(crate) fn modified(&self, id: u64) -> i64 {
        let created = self.created(id);
        if self.is_imported(id) || self.chance(id, 2, 5) {
            return created;
        }
        created + self.pick(id, 3, (self.at - DAY / 2 - created).max(1) as u64) as i64
    }

    /// Midnight (UTC) of a day since the record was made, before its last write.
    pub(crate) fn day(&self, id: u64, what: u64) -> i64 {
        let (created, modified) = (self.created(id), self.modified(id));
        let instant = created + self.pick(id, what, (modified - created).max(1) as u64) as i64;
        instant.div_euclid(DAY) * DAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_gaps_and_are_numbered() {
        let population =
            Population { seed: 1, count: 20, imported: 0, counts: Counts::default(), at: 1_793_458_800_000 };
        let ids: Vec<u64> = (1..=population.last_id()).filter(|&id| population.holds(id)).collect();
        assert_eq!((ids.len(), ids[0], ids[8], ids[9], ids[19]), (20, 501, 509, 511, 522));
        assert_eq!((1..=20).map(nth_id).collect::<Vec<_>>(), ids);
        assert_eq!(ids.iter().map(|&id| number(id)).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    }

    #[test]
    fn records_lie_before_the_first_instant_and_in_order() {
        let population =
            Population { seed: 7, count: 900, imported: 50, counts: Counts::default(), at: 1_793_458_800_000 };
        let ids: Vec<u64> = (1..=900).map(nth_id).collect();
        for pair in ids.windows(2) {
            let (created, modified) = (population.created(pair[1]), population.modified(pair[1]));
            assert!(population.created(pair[0]) <= created && created <= modified && modified < population.at);
        }
        assert_eq!(population.modified(ids[0]), population.modified(ids[49]));
    }
}
