//! The records that a module has before anyone touches it: computed from the seed and their number whenever they are
//! looked at, so that a million of them take no memory.
//!
//! Every tenth number is missing, as if that record had been deleted long ago.

use crate::chance::mix;
use crate::instant::DAY;
use crate::zoho::people::STAFF;
use crate::zoho::value::Value;

/// Makes the value of a field of the record with that number.
pub(crate) type Generator = fn(&Population, u64) -> Value;

/// The records of a module as they were before the org's first instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    pub(crate) seed: u64,
    /// Tells the modules of an org apart.
    pub(crate) module: u64,
    pub(crate) count: u64,
    /// So many of the first were imported in one second.
    pub(crate) imported: u64,
    /// How many records they can belong to, and the id that those are counted from.
    pub(crate) parents: u64,
    pub(crate) parent_base: u64,
    /// How many records those belong to in their turn.
    pub(crate) grandparents: u64,
    /// Whether records are as old as what happened to their parents: the first was made with them, the others when
    /// they changed.
    pub(crate) follows: bool,
    /// The org's first instant: all records are older.
    pub(crate) at: i64,
}

/// The `nth` (first: 1) number.
pub(crate) fn nth_number(nth: u64) -> u64 {
    nth + nth.saturating_sub(1) / 9
}

/// Which (first: 1) of the records has that number.
pub(crate) fn rank(number: u64) -> u64 {
    number - number / 10
}

impl Population {
    /// A module without records.
    pub(crate) fn none(at: i64) -> Self {
        Population {
            seed: 0,
            module: 0,
            count: 0,
            imported: 0,
            parents: 0,
            parent_base: 0,
            grandparents: 0,
            follows: false,
            at,
        }
    }

    pub(crate) fn last(&self) -> u64 {
        if self.count == 0 { 0 } else { nth_number(self.count) }
    }

    pub(crate) fn holds(&self, number: u64) -> bool {
        number > 0 && number <= self.last() && !number.is_multiple_of(10)
    }

    pub(crate) fn pick(&self, number: u64, what: u64, below: u64) -> u64 {
        mix(self.seed, number, what * 1_000 + self.module) % below.max(1)
    }

    pub(crate) fn word<T: Copy>(&self, number: u64, what: u64, words: &[T]) -> T {
        words[self.pick(number, what, words.len() as u64) as usize]
    }

    /// The number of the record that this one belongs to: each in turn.
    pub(crate) fn parent(&self, number: u64) -> u64 {
        nth_number((rank(number) - 1) % self.parents.max(1) + 1)
    }

    /// How many records of the same parent come before this one.
    pub(crate) fn place(&self, number: u64) -> u64 {
        (rank(number) - 1) / self.parents.max(1)
    }

    /// The numbers of all records that belong to that one.
    pub(crate) fn children(&self, parent: u64) -> impl Iterator<Item = u64> + use<> {
        let (first, count, step) = (rank(parent), self.count, self.parents.max(1) as usize);
        (first..=count).step_by(step).map(nth_number)
    }

    /// The records that these belong to.
    pub(crate) fn of_parents(&self, module: u64) -> Population {
        Population { module, count: self.parents, parents: self.grandparents, follows: false, ..*self }
    }

    fn is_imported(&self, number: u64) -> bool {
        rank(number) <= self.imported
    }

    /// When the record was added: larger numbers later, over the four years before the org's first instant.
    pub(crate) fn created(&self, number: u64) -> i64 {
        if self.follows {
            let (parents, parent) = (self.of_parents(self.module - 1), self.parent(number));
            return if self.place(number) == 0 { parents.created(parent) } else { parents.modified(parent) };
        }
        let span = 4 * 365 * DAY;
        if self.is_imported(number) {
            return self.at - span;
        }
        self.at - span + 60 + (span - DAY) * number as i64 / (self.last() as i64 + 1)
    }

    /// When it was last changed.
    pub(crate) fn modified(&self, number: u64) -> i64 {
        let created = self.created(number);
        if self.follows || self.is_imported(number) || self.pick(number, 2, 4) == 0 {
            return created;
        }
        created + self.pick(number, 1, (self.at - DAY / 2 - created).max(1) as u64) as i64
    }

    /// The number of the user who added it.
    pub(crate) fn creator(&self, number: u64) -> u64 {
        1 + self.pick(number, 3, STAFF.len() as u64)
    }

    /// The number of the user who changed it last.
    pub(crate) fn modifier(&self, number: u64) -> u64 {
        if self.modified(number) == self.created(number) {
            return self.creator(number);
        }
        1 + self.pick(number, 4, STAFF.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_and_parents_agree() {
        let deals = Population { seed: 1, module: 3, count: 50, parents: 12, ..Population::none(1_793_458_800) };
        let mut all: Vec<u64> = (1..=12).flat_map(|nth| deals.children(nth_number(nth))).collect();
        all.sort_unstable();
        assert_eq!(all, (1..=deals.last()).filter(|&number| deals.holds(number)).collect::<Vec<_>>());
        for number in deals.children(nth_number(11)) {
            assert_eq!(deals.parent(number), 12);
        }
    }

    #[test]
    fn records_lie_before_the_first_instant_and_in_order() {
        let accounts = Population { seed: 7, module: 1, count: 900, imported: 50, ..Population::none(1_793_458_800) };
        for number in 2..=accounts.last() {
            let (created, modified) = (accounts.created(number), accounts.modified(number));
            assert!(created <= modified && modified < accounts.at, "{number}");
            assert!(accounts.created(number - 1) <= created, "{number}");
        }
        assert_eq!(accounts.modified(1), accounts.modified(49));
    }
}
