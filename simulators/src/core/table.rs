//! A collection of records with all their versions. Records that nobody touched are made up when they are looked at,
//! and take no memory.

use std::collections::BTreeMap;

use crate::core::value::Object;

/// Which versions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Those that callers see at that instant.
    Seen(i64),
    /// Those that were made up to that instant.
    Made(i64),
}

/// A record from some instant on.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// When it was made.
    pub(crate) at: i64,
    /// From when on callers see it.
    pub(crate) seen_from: i64,
    /// What the API says about when the record was last changed.
    pub(crate) stamp: i64,
    /// `None`: it vanished.
    pub(crate) fields: Option<Object>,
}

/// What a table holds for an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held<'a> {
    /// A record that nobody touched.
    MadeUp,
    /// A record that somebody made or changed, and its stamp.
    Stored(i64, &'a Object),
    /// None, or none any more.
    Nothing,
}

/// A collection.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Ids from 1 to this one are made up.
    made_up: u64,
    /// The largest id that was given.
    last: u64,
    changed: BTreeMap<u64, Vec<Version>>,
}

impl Table {
    pub(crate) fn new(made_up: u64) -> Self {
        Table { made_up, last: made_up, changed: BTreeMap::new() }
    }

    /// The largest id that was given.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The ids that were given and hold nothing, rising.
    pub(crate) fn missing(&self, when: When) -> impl Iterator<Item = u64> {
        self.changed.keys().copied().filter(move |&id| self.held(id, when) == Held::Nothing)
    }

    /// The id behind which `offset` ids hold something, counted without looking at each.
    pub(crate) fn id_at(&self, offset: u64, when: When) -> u64 {
        self.missing(when)
            .fold(offset.saturating_add(1), |id, missing| if missing <= id { id.saturating_add(1) } else { id })
    }

    /// Gives a new id.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// What it holds for that id.
    pub(crate) fn held(&self, id: u64, when: When) -> Held<'_> {
        let counts = |version: &&Version| match when {
            When::Seen(now) => version.seen_from <= now,
            When::Made(at) => version.at <= at,
        };
        let version = self.changed.get(&id).and_then(|versions| versions.iter().rev().find(counts));
        match version {
            Some(Version { fields: Some(fields), stamp, .. }) => Held::Stored(*stamp, fields),
            Some(_) => Held::Nothing,
            None if (1..=self.made_up).contains(&id) => Held::MadeUp,
            None => Held::Nothing,
        }
    }

    pub(crate) fn push(&mut self, id: u64, version: Version) {
        self.changed.entry(id).or_default().push(version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_version_is_made_before_it_is_seen() {
        let mut table = Table::new(1);
        let late = Version { at: 10, seen_from: 15, stamp: 10, fields: Some(Object::default()) };
        table.push(1, late);
        assert_eq!(table.held(1, When::Seen(14)), Held::MadeUp);
        assert_eq!(table.held(1, When::Made(10)), Held::Stored(10, &Object::default()));
        assert_eq!(table.held(1, When::Seen(15)), Held::Stored(10, &Object::default()));
        assert_eq!(table.held(2, When::Seen(15)), Held::Nothing);
        assert_eq!(table.next_id(), 2);
    }

    #[test]
    fn offsets_skip_what_is_missing() {
        let mut table = Table::new(9);
        for id in [1, 4, 5] {
            table.push(id, Version { at: 10, seen_from: 10, stamp: 10, fields: None });
        }
        let seen = When::Seen(10);
        let there: Vec<u64> = (1..=9).filter(|&id| table.held(id, seen) != Held::Nothing).collect();
        assert_eq!((0..6).map(|offset| table.id_at(offset, seen)).collect::<Vec<_>>(), there);
        assert_eq!(table.missing(seen).count(), 3);
        assert_eq!(table.id_at(2, When::Seen(9)), 3);
    }
}
