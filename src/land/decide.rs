//! What a record that was read means for its key: nothing new, a new version, a deletion; and since when.
//!
//! Plain functions over the last link of the key's chain (semantics B1 to B3, E1): no clock, no storage.

use crate::clock::Timestamp;
use crate::record::{DeleteKind, Reading};

/// The last link of a key's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// Content hash.
    pub hash: u128,
    /// Its number.
    pub seq: i64,
    /// Since when it holds.
    pub valid_from: Timestamp,
    /// The source's stamp, as sent.
    pub stamp: Option<Timestamp>,
    /// The source's revision when the record was last read, this content or not; `None` when nobody remembers.
    pub revision: Option<i64>,
    /// `None`: alive.
    pub deleted: Option<DeleteKind>,
}

/// A record as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub hash: u128,
    pub stamp: Option<Timestamp>,
    pub revision: Option<i64>,
    pub observed_at: Timestamp,
    pub deleted: Option<DeleteKind>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing is written.
    Unchanged,
    /// The key's first version.
    New(Timestamp),
    /// Another version of a key (an undelete too).
    Changed(Timestamp),
    /// The key is gone since then.
    Deleted(Timestamp),
}

/// Whether a stamp may date a change that a reading found (B2).
pub(crate) struct StampRule<'a> {
    /// What was read.
    pub reading: &'a Reading,
    /// For passes: the cursor before the pass minus the overlap; `None` on a first load.
    pub not_before: Option<Timestamp>,
}

impl StampRule<'_> {
    fn admits(&self, stamp: Timestamp) -> bool {
        match self.reading {
            Reading::Window { from, until } => *from <= stamp && stamp < *until,
            Reading::Pass { .. } | Reading::Sweep { .. } => {
                self.not_before.is_none_or(|not_before| not_before <= stamp)
            }
            Reading::Statement { .. } => false,
        }
    }
}

/// Decides what `incoming` means after `last`.
///
/// A statement dates everything by its own instant; any other reading by the stamp where B2 allows it, else
/// by the time of the answer; never before the link before, never after the answer (B3). A revision that rose
/// says that the stamp belongs to a change since the link before, whatever its value.
pub(crate) fn decide(last: Option<&Link>, incoming: &Incoming, rule: &StampRule<'_>) -> Decision {
    let Some(last) = last else {
        let date = match rule.reading {
            Reading::Statement { at, .. } => *at,
            _ => incoming.stamp.unwrap_or(incoming.observed_at).min(incoming.observed_at),
        };
        return if incoming.deleted.is_some() { Decision::Deleted(date) } else { Decision::New(date) };
    };
    let date = || match rule.reading {
        Reading::Statement { at, .. } => (*at).max(last.valid_from),
        _ => {
            let rose = matches!((last.revision, incoming.revision), (Some(known), Some(read)) if read > known);
            let admits = |stamp: &Timestamp| rose || (Some(*stamp) != last.stamp && rule.admits(*stamp));
            let stamp = incoming.stamp.filter(admits);
            stamp.unwrap_or(incoming.observed_at).min(incoming.observed_at).max(last.valid_from)
        }
    };
    match (last.deleted, incoming.deleted) {
        (None, None) if last.hash == incoming.hash => Decision::Unchanged,
        (_, None) => Decision::Changed(date()),
        (None, Some(_)) => Decision::Deleted(date()),
        // A more specific kind of a known delete corrects it where it stands (E1).
        (Some(known), Some(kind)) if kind > known => Decision::Deleted(last.valid_from),
        (Some(_), Some(_)) => Decision::Unchanged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn link(hash: u128, valid_from: i64, stamp: i64) -> Link {
        Link { hash, seq: 1, valid_from: t(valid_from), stamp: Some(t(stamp)), revision: None, deleted: None }
    }

    fn incoming(hash: u128, stamp: i64, observed_at: i64) -> Incoming {
        Incoming { hash, stamp: Some(t(stamp)), revision: None, observed_at: t(observed_at), deleted: None }
    }

    const fn window(from: i64, until: i64) -> Reading {
        Reading::Window { from: Timestamp::from_micros(from), until: Timestamp::from_micros(until) }
    }

    fn rule(reading: &Reading) -> StampRule<'_> {
        StampRule { reading, not_before: None }
    }

    #[test]
    fn b1_equal_content_is_unchanged_even_under_another_stamp() {
        let reading = window(0, 100);
        assert_eq!(decide(Some(&link(7, 10, 10)), &incoming(7, 50, 60), &rule(&reading)), Decision::Unchanged);
    }

    #[test]
    fn b2_a_change_under_an_unmoved_stamp_is_dated_by_its_reading() {
        let reading = window(0, 100);
        assert_eq!(decide(Some(&link(7, 10, 10)), &incoming(8, 10, 60), &rule(&reading)), Decision::Changed(t(60)));
    }

    #[test]
    fn b2_a_stamp_outside_the_window_dates_nothing() {
        let reading = window(40, 100);
        assert_eq!(decide(Some(&link(7, 10, 10)), &incoming(8, 30, 60), &rule(&reading)), Decision::Changed(t(60)));
        assert_eq!(decide(Some(&link(7, 10, 10)), &incoming(8, 45, 60), &rule(&reading)), Decision::Changed(t(45)));
    }

    #[test]
    fn b2_a_pass_believes_no_stamp_from_before_the_cursor() {
        let reading = Reading::Pass { id: "p".into(), started_at: t(100), scope: String::new() };
        let rule = StampRule { reading: &reading, not_before: Some(t(90)) };
        assert_eq!(decide(Some(&link(7, 10, 10)), &incoming(8, 30, 110), &rule), Decision::Changed(t(110)));
        assert_eq!(decide(Some(&link(7, 10, 10)), &incoming(8, 95, 110), &rule), Decision::Changed(t(95)));
    }

    #[test]
    fn b2_a_revision_that_rose_dates_a_change_by_its_stamp_and_one_that_did_not_does_not() {
        let known = |revision| Link { revision, ..link(7, 10, 10) };
        let read = |stamp, revision| Incoming { revision, ..incoming(8, stamp, 260) };
        let reading = window(200, 300);
        let decided = |last, read| decide(Some(&last), &read, &rule(&reading));
        // It became visible long after its stamp.
        assert_eq!(decided(known(Some(3)), read(50, Some(4))), Decision::Changed(t(50)));
        // Two changes within what the stamp can tell apart.
        assert_eq!(decided(known(Some(3)), read(10, Some(4))), Decision::Changed(t(10)));
        for revisions in [(Some(3), Some(3)), (None, Some(4)), (Some(3), None)] {
            assert_eq!(decided(known(revisions.0), read(50, revisions.1)), Decision::Changed(t(260)), "{revisions:?}");
        }
    }

    #[test]
    fn b3_dates_never_go_back_and_never_into_the_future() {
        let reading = window(0, 1_000);
        assert_eq!(decide(Some(&link(7, 50, 40)), &incoming(8, 45, 60), &rule(&reading)), Decision::Changed(t(50)));
        assert_eq!(decide(Some(&link(7, 50, 40)), &incoming(8, 900, 60), &rule(&reading)), Decision::Changed(t(60)));
        assert_eq!(decide(None, &incoming(8, 900, 60), &rule(&reading)), Decision::New(t(60)));
    }

    #[test]
    fn e1_only_a_more_specific_kind_corrects_a_known_delete() {
        let reading = window(0, 100);
        let dead = Link { deleted: Some(DeleteKind::Absent), ..link(7, 20, 10) };
        let merged = Incoming { deleted: Some(DeleteKind::Merged), ..incoming(7, 50, 60) };
        assert_eq!(decide(Some(&dead), &merged, &rule(&reading)), Decision::Deleted(t(20)));
        let absent = Incoming { deleted: Some(DeleteKind::Unreadable), ..incoming(7, 50, 60) };
        assert_eq!(decide(Some(&dead), &absent, &rule(&reading)), Decision::Unchanged);
    }

    #[test]
    fn e1_an_undelete_is_a_version_like_any_other() {
        let reading = window(0, 100);
        let dead = Link { deleted: Some(DeleteKind::Deleted), ..link(7, 20, 20) };
        assert_eq!(decide(Some(&dead), &incoming(7, 50, 60), &rule(&reading)), Decision::Changed(t(50)));
    }
}
