//! Which customers differ, and in which variables.

use super::join::Pair;
use super::model::Status;
use super::side::{Column, Known, Presence, Side};

/// Which variables of which customers are known to differ.
#[derive(Debug)]
pub(super) struct Classified {
    /// The columns that differ, pair after pair, each pair's in the order of the compared variables.
    columns: Vec<usize>,
    /// Where the columns of each pair begin; one longer than the pairs.
    starts: Vec<usize>,
    /// How many customers differ, by column.
    counts: Vec<u64>,
}

impl Classified {
    /// Compares the columns `selected` of the customers that are there on both sides.
    ///
    /// A cell that is unknown on either side is not known to differ; empty equals empty.
    pub(super) fn of(a: &Side<'_>, b: &Side<'_>, pairs: &[Pair], selected: &[usize]) -> Self {
        let mut columns = Vec::new();
        let mut starts = Vec::with_capacity(pairs.len() + 1);
        let mut counts = vec![0; a.columns.len()];
        for pair in pairs {
            starts.push(columns.len());
            if (pair.a, pair.b) != (Presence::Present, Presence::Present) {
                continue;
            }
            for column in selected.iter().copied() {
                if differs(a, b, pair, column) {
                    columns.push(column);
                    counts[column] += 1;
                }
            }
        }
        starts.push(columns.len());
        Classified { columns, starts, counts }
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
        self.columns[self.starts[index]..self.starts[index + 1]].iter().copied()
    }

    /// How many customers differ in a column.
    pub(super) fn changed_in(&self, column: usize) -> u64 {
        self.counts[column]
    }
}

fn differs(a: &Side<'_>, b: &Side<'_>, pair: &Pair, column: usize) -> bool {
    let before = a.known(column, pair.a_row, pair.a);
    let after = b.known(column, pair.b_row, pair.b);
    match (before, after) {
        (Known::Value(a_row), Known::Value(b_row)) => {
            !a.columns[column].values.equal(a_row, &b.columns[column].values, b_row)
        }
        (Known::Value(_), Known::Empty) | (Known::Empty, Known::Value(_)) => true,
        _ => false,
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
