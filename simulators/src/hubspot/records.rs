//! The records of a type, in all their versions.
//!
//! A record of the population takes no memory until it is changed. Every change adds a version, so that what was there
//! earlier, and what a search's index still holds, can be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::hubspot::population::{Population, number};
use crate::hubspot::time::DAY;

/// For how long archived records can be seen and restored.
pub(crate) const KEPT: i64 = 90 * DAY;

/// What somebody wrote, by the slots of the properties; `""` where a value was taken away.
pub(crate) type Values = BTreeMap<u32, Arc<str>>;

/// How a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Live,
    /// Since that instant.
    Archived(i64),
    /// Into the record with that id.
    Merged(u64),
    Erased,
}

/// A record from one change to the next.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// Since when it is so, by its stamp.
    pub(crate) at: i64,
    /// When it was committed.
    pub(crate) seen_at: i64,
    /// What the record's stamp says.
    pub(crate) modified: i64,
    pub(crate) standing: Standing,
    pub(crate) values: Arc<Values>,
}

/// Who wrote a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writer {
    pub(crate) source_type: &'static str,
    pub(crate) source_id: &'static str,
}

/// By a person.
pub(crate) const PERSON: Writer = Writer { source_type: "CRM_UI", source_id: "userId:9586501" };
/// By a program.
pub(crate) const PROGRAM: Writer = Writer { source_type: "API", source_id: "1357911" };
/// By HubSpot itself.
pub(crate) const CALCULATION: Writer = Writer { source_type: "CALCULATED", source_id: "CalculatedPropertyComputer" };
/// By a merge.
pub(crate) const MERGE: Writer = Writer { source_type: "MERGE_OBJECTS", source_id: "userId:9586501" };
/// By the first import.
pub(crate) const IMPORT: Writer = Writer { source_type: "IMPORT", source_id: "40127" };

/// A value in the history of a property.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) value: Arc<str>,
    pub(crate) at: i64,
    pub(crate) writer: Writer,
}

/// A record that someone has touched.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) created: i64,
    /// Oldest first; without any, the record is as the population says.
    versions: Vec<Version>,
    /// What was written to each property, oldest first.
    pub(crate) history: BTreeMap<u32, Vec<Entry>>,
    /// The ids that were merged into it, and when.
    pub(crate) merged: Vec<(u64, i64)>,
}

/// As of when a record is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    Now,
    /// As the stamps tell it.
    Stamped(i64),
    /// As far as it was committed then.
    Committed(i64),
}

/// A record as a reader sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) id: u64,
    pub(crate) is_base: bool,
    pub(crate) base: &'a Population,
    pub(crate) record: Option<&'a Record>,
    version: Option<&'a Version>,
}

impl View<'_> {
    pub(crate) fn created(&self) -> i64 {
        self.record.map_or_else(|| self.base.created(self.id), |record| record.created)
    }

    pub(crate) fn modified(&self) -> i64 {
        self.version.map_or_else(|| self.base.modified(self.id), |version| version.modified)
    }

    pub(crate) fn standing(&self) -> Standing {
        self.version.map_or(Standing::Live, |version| version.standing)
    }

    /// What somebody wrote.
    pub(crate) fn written(&self, slot: u32) -> Option<&str> {
        self.version?.values.get(&slot).map(AsRef::as_ref)
    }

    /// All that somebody wrote.
    pub(crate) fn values(&self) -> Arc<Values> {
        self.version.map(|version| version.values.clone()).unwrap_or_default()
    }

    /// The ids that were merged into it by then, and when.
    pub(crate) fn merged(&self) -> Vec<(u64, i64)> {
        let (Some(record), Some(version)) = (self.record, self.version) else { return Vec::new() };
        record.merged.iter().copied().filter(|(_, at)| *at <= version.seen_at).collect()
    }

    /// When it was archived.
    pub(crate) fn archived_at(&self) -> Option<i64> {
        if let Standing::Archived(at) = self.standing() { Some(at) } else { None }
    }
}

/// The records of a type.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    pub(crate) base: Population,
    touched: BTreeMap<u64, Record>,
    next: u64,
    /// Records whose place in the index stays as it was at the first instant until the second.
    stragglers: BTreeMap<u64, (i64, i64)>,
}

impl Records {
    pub(crate) fn new(base: Population) -> Self {
        let next = base.last_id() + 1;
        Records { base, touched: BTreeMap::new(), next, stragglers: BTreeMap::new() }
    }

    /// Takes the next id. Ids are never given twice.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The largest id that was ever given.
    pub(crate) fn last_id(&self) -> u64 {
        self.next - 1
    }

    /// The record, however it stands; `None` when there is or was none.
    pub(crate) fn view(&self, id: u64, moment: Moment) -> Option<View<'_>> {
        let is_base = self.base.holds(id);
        let record = self.touched.get(&id);
        let version = record.and_then(|record| match moment {
            Moment::Now => record.versions.last(),
            Moment::Stamped(at) => record.versions.iter().rev().find(|version| version.at <= at),
            Moment::Committed(at) => record.versions.iter().rev().find(|version| version.seen_at <= at),
        });
        let existed = match moment {
            Moment::Stamped(at) => is_base && self.base.created(id) <= at,
            _ => is_base,
        };
        (version.is_some() || existed).then_some(View { id, is_base, base: &self.base, record, version })
    }

    /// The record, if it is live.
    pub(crate) fn live(&self, id: u64) -> Option<View<'_>> {
        self.view(id, Moment::Now).filter(|view| view.standing() == Standing::Live)
    }

    /// The record, if it is archived and can still be seen at `now`.
    pub(crate) fn archived(&self, id: u64, now: i64) -> Option<View<'_>> {
        self.view(id, Moment::Now).filter(|view| view.archived_at().is_some_and(|at| now < at + KEPT))
    }

    /// The record as a search finds it, with an index as of that instant.
    pub(crate) fn indexed(&self, id: u64, as_of: i64, now: i64) -> Option<View<'_>> {
        let as_of = match self.stragglers.get(&id) {
            Some((frozen, until)) if now < *until => as_of.min(*frozen),
            _ => as_of,
        };
        self.view(id, Moment::Committed(as_of)).filter(|view| view.standing() == Standing::Live)
    }

    /// Leaves a record out of the index's updates until that instant.
    pub(crate) fn straggle(&mut self, id: u64, now: i64, until: i64) {
        self.stragglers.insert(id, (now - 1, until));
    }

    /// Adds a version, and the record if it is new.
    pub(crate) fn push(&mut self, id: u64, created: i64, version: Version) -> &mut Record {
        let record = self.touched.entry(id).or_insert_with(|| Record {
            created,
            versions: Vec::new(),
            history: BTreeMap::new(),
            merged: Vec::new(),
        });
        record.versions.push(version);
        record
    }

    /// The survivor of the merges that this id went through, if it went through any.
    pub(crate) fn survivor(&self, id: u64) -> Option<u64> {
        let mut at = id;
        while let Some(Standing::Merged(into)) = self.view(at, Moment::Now).map(|view| view.standing()) {
            at = into;
        }
        (at != id).then_some(at)
    }

    /// The ids that ever were, from `low` to `high`, rising.
    pub(crate) fn ids(&self, low: u64, high: u64) -> impl DoubleEndedIterator<Item = u64> + '_ {
        (low..=high.min(self.last_id())).filter(|id| self.base.holds(*id) || self.touched.contains_key(id))
    }

    /// The ids that somebody touched, rising.
    pub(crate) fn touched(&self) -> impl Iterator<Item = u64> + '_ {
        self.touched.keys().copied()
    }

    /// The number of a record of the population.
    pub(crate) fn number(&self, id: u64) -> Option<u64> {
        self.base.holds(id).then(|| number(id))
    }
}
