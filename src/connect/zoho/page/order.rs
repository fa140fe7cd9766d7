//! Whether the records of a page are those that were asked for.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::clock::Timestamp;
use crate::record::Records;

/// The order of ids, which are numbers of 18 or 19 digits and are never computed with.
pub(in super::super) fn by_id(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Whether the records of a page come behind a place, each once, by id or by stamp and id.
pub(in super::super) fn is_in_order(
    records: &Records,
    after: Option<(Option<Timestamp>, &str)>,
    by_stamp: bool,
) -> bool {
    let compare = |a: (Option<Timestamp>, &str), b: (Option<Timestamp>, &str)| {
        let stamps = if by_stamp { a.0.cmp(&b.0) } else { Ordering::Equal };
        stamps.then_with(|| by_id(a.1, b.1))
    };
    let spots = || records.heads().iter().map(|head| (head.stamp, head.key.as_str()));
    let begins_behind = after.is_none_or(|after| spots().next().is_none_or(|first| compare(after, first).is_lt()));
    begins_behind && spots().is_sorted_by(|a, b| compare(*a, *b).is_lt())
}

/// Whether no record comes twice.
pub(in super::super) fn is_distinct(records: &Records) -> bool {
    let mut seen = HashSet::new();
    records.heads().iter().all(|head| seen.insert(head.key.as_str()))
}
