//! Which customers differ, and in which variables.

use super::join::Pair;
use super::model::Status;
use super::side::{Column, Known, Presence, Side};

/// Which variables of which customers are known to differ.
#[derive(Debug)]
pub(super) struct Classified {
    /// (index of the pair, place among the compared variables, column), sorted.
    changes: Vec<(usize, usize, usize)>,
    /// Where the changes of each pair begin; one longer than the pairs.
    starts: Vec<usize>,
}

impl Classified {
    /// Compares the columns `selected` of the customers that are there on both sides.
    ///
    /// A cell that is unknown on either side is not known to differ; empty equals empty.
    pub(super) fn of(a: &Side<'_>, b: &Side<'_>, pairs: &[Pair], selected: &[usize]) -> Self {
        let mut changes = Vec::new();
        for (place, column) in selected.iter().copied().enumerate() {
            let (a_values, b_values) = (&a.columns[column].values, &b.columns[column].values);
            for (index, pair) in pairs.iter().enumerate() {
                if (pair.a, pair.b) != (Presence::Present, Presence::Present) {
                    continue;
                }
                let before = a.known(column, pair.a_row, pair.a);
                let after = b.known(column, pair.b_row, pair.b);
                let differs = match (before, after) {
                    (Known::Value(a_row), Known::Value(b_row)) => !a_values.equal(a_row, b_values, b_row),
                    (Known::Value(_), Known::Empty) | (Known::Empty, Known::Value(_)) => true,
                    _ => false,
                };
                if differs {
                    changes.push((index, place, column));
                }
            }
        }
        changes.sort_unstable();
        let mut starts = vec![0; pairs.len() + 1];
        for (index, _, _) in &changes {
            starts[index + 1] += 1;
        }
        for index in 0..pairs.len() {
            starts[index + 1] += starts[index];
        }
        Classified { changes, starts }
    }

    /// What became of a customer; `None`: it is not known to differ.
    pub(super) fn status(&self, index: usize, pair: &Pair) -> Option<Status> {
        match (pair.a, pair.b) {
            (Presence::Unknown(_), _) | (_, Presence::Unknown(_)) => Some(Status::Unknown),
            (Presence::Absent, _) => Some(Status::Won),
            (_, Presence::Absent) => Some(Status::Lost),
            (Presence::Present, Presence::Present) => {
                (self.starts[index] < self.starts[index + 1]).then_some(Status::Changed)
            }
        }
    }

    /// The columns in which a customer differs, in the order of the compared variables.
    pub(super) fn columns_of(&self, index: usize) -> impl Iterator<Item = usize> {
        self.changes[self.starts[index]..self.starts[index + 1]].iter().map(|(_, _, column)| *column)
    }

    /// How many customers differ in a column.
    pub(super) fn changed_in(&self, column: usize) -> u64 {
        self.changes.iter().filter(|(_, _, changed)| *changed == column).map(|_| 1).sum()
    }
}

/// Whether two values come from different streams (semantics K1); a value without a source (a derived one)
/// does not say so.
pub(super) fn other_stream(
    (a, a_side, a_row): (&Column, &Side<'_>, usize),
    (b, b_side, b_row): (&Column, &Side<'_>, usize),
) -> bool {
    match (a.stream(a_side, a_row), b.stream(b_side, b_row)) {
        (Some(before), Some(after)) => before != after,
        _ => false,
    }
}
