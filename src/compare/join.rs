//! Lays the customers of two states side by side.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, StringArray};

use super::side::{Presence, Side};

/// A customer on both sides; at least one side has a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    /// The row in A.
    pub(super) a_row: Option<usize>,
    /// The row in B.
    pub(super) b_row: Option<usize>,
    /// Whether the customer was there in A.
    pub(super) a: Presence,
    /// Whether the customer was there in B.
    pub(super) b: Presence,
}

impl Pair {
    /// The customer's id.
    pub(super) fn id<'s>(&self, a: &'s Side<'_>, b: &'s Side<'_>) -> &'s str {
        match (self.a_row, self.b_row) {
            (Some(row), _) => a.ids.value(row),
            (None, Some(row)) => b.ids.value(row),
            (None, None) => "",
        }
    }
}

/// All customers of both sides in order of their ids.
pub(super) fn join(a: &Side<'_>, b: &Side<'_>) -> Vec<Pair> {
    let rows = merge(&a.ids, &b.ids);
    let pairs = rows.into_iter().map(|(a_row, b_row)| {
        let a_is = match (a_row, b_row) {
            (Some(row), _) => a.presence()[row],
            (None, Some(row)) => a.missing(b, row),
            (None, None) => Presence::Absent,
        };
        let b_is = match (b_row, a_row) {
            (Some(row), _) => b.presence()[row],
            (None, Some(row)) => b.missing(a, row),
            (None, None) => Presence::Absent,
        };
        Pair { a_row, b_row, a: a_is, b: b_is }
    });
    pairs.collect()
}

/// Rows with equal ids beside each other; both inputs are strictly rising.
fn merge(a: &StringArray, b: &StringArray) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs = Vec::with_capacity(a.len().max(b.len()));
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        match a.value(i).cmp(b.value(j)) {
            Ordering::Less => {
                pairs.push((Some(i), None));
                i += 1;
            }
            Ordering::Greater => {
                pairs.push((None, Some(j)));
                j += 1;
            }
            Ordering::Equal => {
                pairs.push((Some(i), Some(j)));
                i += 1;
                j += 1;
            }
        }
    }
    pairs.extend((i..a.len()).map(|row| (Some(row), None)));
    pairs.extend((j..b.len()).map(|row| (None, Some(row))));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_of_both_sides_appears_once_and_in_order() {
        let pairs = merge(&StringArray::from(vec!["a", "c", "d"]), &StringArray::from(vec!["b", "c", "e", "f"]));
        assert_eq!(
            pairs,
            [(Some(0), None), (None, Some(0)), (Some(1), Some(1)), (Some(2), None), (None, Some(2)), (None, Some(3))]
        );
        assert_eq!(merge(&StringArray::from(vec!["a"]), &StringArray::from(Vec::<&str>::new())), [(Some(0), None)]);
    }
}
