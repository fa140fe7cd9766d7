//! The records of a module, in all their versions.
//!
//! A record of the population takes no memory until it is changed. Every change adds a version, so that what was there
//! at an earlier instant, or before a later change, can still be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::zoho::population::Population;
use crate::zoho::value::Values;

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Live,
    /// In the recycle bin.
    Bin,
    Gone,
}

/// A record from one change to the next.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// Since when it is so, as its stamp tells it.
    pub(crate) valid_at: i64,
    /// Its place among all changes of the org.
    pub(crate) change: u64,
    pub(crate) modified: i64,
    /// The number of the user who made it.
    pub(crate) modifier: u64,
    pub(crate) place: Place,
    /// Whether no history tells of it.
    pub(crate) is_silent: bool,
    /// All written values; what is not here is as the population says.
    pub(crate) values: Arc<Values>,
}

/// A record that someone has touched.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    created: i64,
    creator: u64,
    /// Oldest first.
    pub(crate) versions: Vec<Version>,
}

/// Which version is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    /// As the stamps tell it.
    At(i64),
    /// After that change of the org, and before the next.
    After(u64),
}

/// A record as a reader sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) number: u64,
    pub(crate) is_base: bool,
    pub(crate) base: &'a Population,
    pub(crate) record: Option<&'a Record>,
    pub(crate) when: When,
    pub(crate) version: Option<&'a Version>,
}

impl View<'_> {
    pub(crate) fn created(&self) -> i64 {
        self.record.map_or_else(|| self.base.created(self.number), |record| record.created)
    }

    pub(crate) fn modified(&self) -> i64 {
        self.version.map_or_else(|| self.base.modified(self.number), |version| version.modified)
    }

    pub(crate) fn creator(&self) -> u64 {
        self.record.map_or_else(|| self.base.creator(self.number), |record| record.creator)
    }

    pub(crate) fn modifier(&self) -> u64 {
        self.version.map_or_else(|| self.base.modifier(self.number), |version| version.modifier)
    }

    pub(crate) fn place(&self) -> Place {
        self.version.map_or(Place::Live, |version| version.place)
    }

    /// What was written, of those fields that someone wrote.
    pub(crate) fn values(&self) -> Values {
        self.version.map_or_else(Values::new, |version| Values::clone(&version.values))
    }
}

/// What records are ordered by; equal ones by their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Id,
    Created,
    Modified,
}

impl Sort {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Sort::Id => "id",
            Sort::Created => "Created_Time",
            Sort::Modified => "Modified_Time",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Sort> {
        [Sort::Id, Sort::Created, Sort::Modified].into_iter().find(|sort| sort.name() == name)
    }

    pub(crate) fn key(self, view: &View<'_>) -> i64 {
        match self {
            Sort::Id => 0,
            Sort::Created => view.created(),
            Sort::Modified => view.modified(),
        }
    }
}

/// All live records in some order, rising: what they are ordered by, and their numbers.
pub(crate) type Ordered = Arc<Vec<(i64, u64)>>;

/// The records of a module.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    pub(crate) base: Population,
    pub(crate) touched: BTreeMap<u64, Record>,
    next: u64,
    /// How often they changed.
    edits: u64,
    /// The last orders that were asked for, and the edits they know of.
    ordered: Vec<(Sort, u64, Ordered)>,
}

impl Records {
    pub(crate) fn new(base: Population) -> Self {
        Records { base, touched: BTreeMap::new(), next: base.last() + 1, edits: 0, ordered: Vec::new() }
    }

    /// Takes the next number. Numbers are never given twice.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The largest number that was ever given.
    pub(crate) fn last(&self) -> u64 {
        self.next - 1
    }

    /// The record, wherever it is; `None` when there never was one.
    pub(crate) fn trace(&self, number: u64, when: When) -> Option<View<'_>> {
        let is_base = self.base.holds(number);
        let record = self.touched.get(&number);
        let version = record.and_then(|record| match when {
            When::Now => record.versions.last(),
            When::At(at) => record.versions.iter().rev().find(|version| version.valid_at <= at),
            When::After(change) => record.versions.iter().rev().find(|version| version.change <= change),
        });
        let existed = is_base
            && match when {
                When::At(at) => self.base.created(number) <= at,
                _ => true,
            };
        (existed || version.is_some()).then_some(View { number, is_base, base: &self.base, record, when, version })
    }

    /// The record; `None` when there is or was none, or it is in the recycle bin.
    pub(crate) fn view(&self, number: u64, when: When) -> Option<View<'_>> {
        self.trace(number, when).filter(|view| view.place() == Place::Live)
    }

    /// Adds a version, and the record if it is new.
    pub(crate) fn push(&mut self, number: u64, created: i64, creator: u64, version: Version) {
        self.edits += 1;
        let record = self.touched.entry(number).or_insert_with(|| Record { created, creator, versions: Vec::new() });
        record.versions.push(version);
    }

    /// Whether the record was there once.
    pub(crate) fn was_there(&self, number: u64) -> bool {
        self.base.holds(number) || self.touched.contains_key(&number)
    }

    /// The numbers of live records, rising.
    pub(crate) fn numbers(&self, when: When) -> impl DoubleEndedIterator<Item = u64> + '_ {
        (1..=self.last()).filter(move |&number| self.view(number, when).is_some())
    }

    /// All live records, rising by that and their number.
    pub(crate) fn ordered(&mut self, sort: Sort) -> Ordered {
        let edits = self.edits;
        self.ordered.retain(|(_, seen, _)| *seen == edits);
        if let Some((_, _, ordered)) = self.ordered.iter().find(|(known, _, _)| *known == sort) {
            return ordered.clone();
        }
        let mut all: Vec<(i64, u64)> = (1..=self.last())
            .filter_map(|number| self.view(number, When::Now).map(|view| (sort.key(&view), number)))
            .collect();
        if sort != Sort::Id {
            all.sort_unstable();
        }
        let all = Arc::new(all);
        self.ordered.push((sort, edits, all.clone()));
        all
    }
}
