//! Keys that a complete pass or a statement did not show (semantics D1, E2).

use super::index::IndexEntry;
use crate::error::{Error, ErrorKind, Result};

/// How many absences are never braked, however large their share.
const ALWAYS_ALLOWED: usize = 20;

/// Of `alive` (by rising key), those not among `seen` (rising, distinct), and recorded before the reading
/// began: with a `_seq` up to `start_seq`.
pub(crate) fn absent(alive: &[IndexEntry], seen: &[u128], start_seq: i64) -> Vec<IndexEntry> {
    let mut seen = seen.iter().copied().peekable();
    alive
        .iter()
        .filter(|entry| {
            while seen.next_if(|key| *key < entry.key).is_some() {}
            entry.link.seq <= start_seq && seen.peek() != Some(&entry.key)
        })
        .copied()
        .collect()
}

/// Stops a reading that would make more than half of the living keys absent at once: far more often an export
/// that was cut short than the loss of half the customers.
pub(crate) fn brake(absent: usize, alive: usize, allowed: bool, what: &str) -> Result<()> {
    if allowed || absent <= ALWAYS_ALLOWED || absent * 2 <= alive {
        return Ok(());
    }
    Err(Error::new(ErrorKind::BadData, "more than half of the records are missing from a complete reading")
        .code("E0540")
        .with("reading", what)
        .with("missing", absent)
        .with("known", alive)
        .help("nothing was stored of it; if the records are really gone, run `nenrin sync --allow-deletes`"))
}

#[cfg(test)]
mod tests {
    use super::super::decide::Link;
    use super::*;
    use crate::clock::Timestamp;

    fn entry(key: u128, seq: i64) -> IndexEntry {
        IndexEntry {
            key,
            link: Link { hash: 0, seq, valid_from: Timestamp::from_micros(0), stamp: None, deleted: None },
        }
    }

    #[test]
    fn e2_only_keys_recorded_before_the_pass_can_be_found_absent_by_it() {
        let alive = [entry(1, 1), entry(2, 2), entry(3, 9), entry(4, 4)];
        let missing: Vec<u128> = absent(&alive, &[2], 8).iter().map(|entry| entry.key).collect();
        assert_eq!(missing, [1, 4]);
    }

    #[test]
    fn f5_a_reading_that_loses_most_records_is_braked() {
        assert!(brake(20, 20, false, "x").is_ok());
        assert!(brake(51, 100, false, "x").is_err());
        assert!(brake(50, 100, false, "x").is_ok());
        assert!(brake(51, 100, true, "x").is_ok());
    }
}
