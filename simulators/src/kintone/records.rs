//! The records of an app, in all their versions.
//!
//! A record of the population takes no memory until it is changed. Every change adds a version, so that what was
//! there at an earlier instant can still be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kintone::population::Population;
use crate::kintone::value::Values;

/// A record from one change to the next.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// Since when it is so.
    pub(crate) valid_at: i64,
    pub(crate) revision: u64,
    /// What 更新日時 says, with the seconds that it does not show.
    pub(crate) modified: i64,
    pub(crate) modifier: Arc<str>,
    pub(crate) is_gone: bool,
    /// All written values; what is not here is as the population says.
    pub(crate) values: Arc<Values>,
}

/// A record that someone has touched.
#[derive(Debug, Clone)]
struct Record {
    created: i64,
    creator: Arc<str>,
    /// Oldest first; without any, the record is as the population says.
    versions: Vec<Version>,
}

/// A record as a reader sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) id: u64,
    pub(crate) is_base: bool,
    pub(crate) base: &'a Population,
    record: Option<&'a Record>,
    /// The instant that was asked about; none for now.
    pub(crate) as_of: Option<i64>,
    pub(crate) version: Option<&'a Version>,
}

impl View<'_> {
    pub(crate) fn created(&self) -> i64 {
        self.record.map_or_else(|| self.base.created(self.id), |record| record.created)
    }

    pub(crate) fn modified(&self) -> i64 {
        self.version.map_or_else(|| self.base.modified(self.id), |version| version.modified)
    }

    pub(crate) fn revision(&self) -> u64 {
        self.version.map_or_else(|| self.base.revision(self.id), |version| version.revision)
    }

    pub(crate) fn creator(&self) -> Arc<str> {
        self.record.map_or_else(|| Arc::from(self.base.creator(self.id)), |record| record.creator.clone())
    }

    pub(crate) fn modifier(&self) -> Arc<str> {
        self.version.map_or_else(|| Arc::from(self.base.modifier(self.id)), |version| version.modifier.clone())
    }
}

/// The records of an app.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    pub(crate) base: Population,
    touched: BTreeMap<u64, Record>,
    next: u64,
    next_row: u64,
}

impl Records {
    pub(crate) fn new(base: Population) -> Self {
        let last = base.last_id();
        Records { base, touched: BTreeMap::new(), next: last + 1, next_row: (last + 1) * 8 }
    }

    /// Takes the next id. Ids are never given twice.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Takes the next number of a row in a table.
    pub(crate) fn next_row(&mut self) -> u64 {
        self.next_row += 1;
        self.next_row - 1
    }

    /// The largest id that was ever given.
    pub(crate) fn last_id(&self) -> u64 {
        self.next - 1
    }

    /// Makes sure that ids up to this one are not given again.
    pub(crate) fn reserve(&mut self, id: u64) {
        self.next = self.next.max(id + 1);
    }

    /// The record as it is now, or was at `as_of`; `None` when there is or was none.
    pub(crate) fn view(&self, id: u64, as_of: Option<i64>) -> Option<View<'_>> {
        let is_base = self.base.holds(id);
        let record = self.touched.get(&id);
        let version = record.and_then(|record| match as_of {
            None => record.versions.last(),
            Some(at) => record.versions.iter().rev().find(|version| version.valid_at <= at),
        });
        let existed = is_base && as_of.is_none_or(|at| self.base.created(id) <= at);
        match version {
            Some(version) if version.is_gone => None,
            None if !existed => None,
            _ => Some(View { id, is_base, base: &self.base, record, as_of, version }),
        }
    }

    /// Adds a version, and the record if it is new.
    pub(crate) fn push(&mut self, id: u64, created: i64, creator: &Arc<str>, version: Version) {
        self.touched
            .entry(id)
            .or_insert_with(|| Record { created, creator: creator.clone(), versions: Vec::new() })
            .versions
            .push(version);
    }

    /// Whether the record was there once.
    pub(crate) fn was_there(&self, id: u64) -> bool {
        self.base.holds(id) || self.touched.contains_key(&id)
    }

    /// The ids of live records from `low` to `high`, rising.
    pub(crate) fn ids(&self, low: u64, high: u64) -> impl DoubleEndedIterator<Item = u64> + '_ {
        (low.max(1)..=high.min(self.last_id())).filter(|&id| self.view(id, None).is_some())
    }

    /// How many live records there are from `low` to `high`.
    pub(crate) fn count(&self, low: u64, high: u64) -> u64 {
        let (low, high) = (low.max(1), high.min(self.last_id()));
        if low > high {
            return 0;
        }
        self.touched.range(low..=high).fold(self.base.count_between(low, high), |count, (&id, _)| {
            match (self.base.holds(id), self.view(id, None).is_some()) {
                (true, false) => count - 1,
                (false, true) => count + 1,
                _ => count,
            }
        })
    }
}
