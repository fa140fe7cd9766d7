//! Keys that a complete pass or a statement did not show (semantics D1, E2).

use super::index::IndexEntry;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Reading;

/// How many absences are never braked, however large their share.
const ALWAYS_ALLOWED: usize = 20;

/// Finds the keys that a reading did not show, among all keys shown to it one by one.
pub(crate) struct Absences<'a> {
    /// What the reading showed, rising and distinct; keys below the last one looked at are gone.
    seen: std::iter::Peekable<std::iter::Copied<std::slice::Iter<'a, u128>>>,
    start_seq: i64,
    /// How many of the keys looked at are alive.
    pub(crate) alive: usize,
    /// Those of them that the reading did not show, by rising key.
    pub(crate) missing: Vec<IndexEntry>,
}

impl<'a> Absences<'a> {
    /// For a reading that showed `seen` (rising, distinct); only keys that were recorded before it began, with a
    /// `_seq` up to `start_seq`, can be missing from it.
    pub(crate) fn new(seen: &'a [u128], start_seq: i64) -> Self {
        Absences { seen: seen.iter().copied().peekable(), start_seq, alive: 0, missing: Vec::new() }
    }

    /// Takes the last link of a key; keys come rising.
    pub(crate) fn look_at(&mut self, entry: &IndexEntry) {
        if entry.link.deleted.is_some() {
            return;
        }
        self.alive += 1;
        while self.seen.next_if(|key| *key < entry.key).is_some() {}
        if entry.link.seq <= self.start_seq && self.seen.peek() != Some(&entry.key) {
            self.missing.push(*entry);
        }
    }
}

/// Stops a reading that would make more than half of the living keys absent at once: far more often an export
/// that was cut short than the loss of half the customers.
pub(crate) fn brake(absent: usize, alive: usize, allowed: bool, reading: &Reading) -> Result<()> {
    if allowed || absent <= ALWAYS_ALLOWED || absent * 2 <= alive {
        return Ok(());
    }
    let (what, again) = match reading {
        Reading::Statement { name, .. } => (name.as_str(), "nenrin sync --allow-deletes"),
        Reading::Sweep { .. } => ("sweep", "nenrin sync --allow-deletes"),
        _ => ("pass", "nenrin sync --full --allow-deletes"),
    };
    Err(Error::new(ErrorKind::BadData, "more than half of the records are missing from a complete reading")
        .code(BRAKE)
        .with("reading", what)
        .with("missing", absent)
        .with("known", alive)
        .help(format!(
            "no record was taken for gone, and the next run begins where this reading began; if the records are \
             really gone, run `{again}`"
        )))
}

/// The code of a braked reading.
const BRAKE: &str = "E0540";

/// Whether a reading was stopped because it would have lost most records.
pub(crate) fn is_brake(error: &Error) -> bool {
    error.code_str() == BRAKE
}

#[cfg(test)]
mod tests {
    use super::super::decide::Link;
    use super::*;
    use crate::clock::Timestamp;

    fn entry(key: u128, seq: i64) -> IndexEntry {
        IndexEntry {
            key,
            link: Link {
                hash: 0,
                seq,
                valid_from: Timestamp::from_micros(0),
                stamp: None,
                revision: None,
                deleted: None,
            },
        }
    }

    #[test]
    fn e2_only_keys_recorded_before_the_pass_can_be_found_absent_by_it() {
        let mut absences = Absences::new(&[2], 8);
        for alive in [entry(1, 1), entry(2, 2), entry(3, 9), entry(4, 4)] {
            absences.look_at(&alive);
        }
        let missing: Vec<u128> = absences.missing.iter().map(|entry| entry.key).collect();
        assert_eq!((missing, absences.alive), (vec![1, 4], 4));
    }

    #[test]
    fn e1_a_key_that_is_dead_already_is_not_missing() {
        let mut absences = Absences::new(&[], 8);
        let dead = entry(1, 1);
        let link = Link { deleted: Some(crate::record::DeleteKind::Deleted), ..dead.link };
        absences.look_at(&IndexEntry { link, ..dead });
        assert_eq!((absences.missing.len(), absences.alive), (0, 0));
    }

    #[test]
    fn f5_a_reading_that_loses_most_records_is_braked() {
        let pass = Reading::Pass { id: "p".into(), started_at: Timestamp::from_micros(0), scope: String::new() };
        assert!(brake(20, 20, false, &pass).is_ok());
        assert!(is_brake(&brake(51, 100, false, &pass).unwrap_err()));
        assert!(brake(50, 100, false, &pass).is_ok());
        assert!(brake(51, 100, true, &pass).is_ok());
    }
}
