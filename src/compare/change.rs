//! Which customers differ, and in which variables.

use super::join::Pair;
use super::model::Status;
use super::side::{Column, Presence, Side, Values};
use crate::snapshot::Cell;

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
        let both: Vec<Both> = pairs.iter().enumerate().filter_map(|(index, pair)| Both::of(index, pair)).collect();
        // Column after column, since that is how the values lie in memory; then put in order of the pairs.
        let mut found: Vec<(usize, usize)> = Vec::new();
        let mut counts = vec![0; a.columns.len()];
        for column in selected.iter().copied() {
            let before = found.len();
            differing(&a.columns[column], &b.columns[column], &both, |index| found.push((index, column)));
            counts[column] = (found.len() - before) as u64;
        }
        let mut starts = vec![0; pairs.len() + 1];
        for (index, _) in &found {
            starts[index + 1] += 1;
        }
        for index in 0..pairs.len() {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut columns = vec![0; found.len()];
        for (index, column) in found {
            columns[next[index]] = column;
            next[index] += 1;
        }
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

/// A customer that is there on both sides.
#[derive(Debug, Clone, Copy)]
struct Both {
    index: usize,
    a_row: usize,
    b_row: usize,
}

impl Both {
    fn of(index: usize, pair: &Pair) -> Option<Both> {
        match (pair.a, pair.b, pair.a_row, pair.b_row) {
            (Presence::Present, Presence::Present, Some(a_row), Some(b_row)) => Some(Both { index, a_row, b_row }),
            _ => None,
        }
    }
}

/// Calls `found` for each pair that is known to differ in a column, in their order.
fn differing(a: &Column, b: &Column, both: &[Both], found: impl FnMut(usize)) {
    match (&a.values, &b.values) {
        (Values::Text(x), Values::Text(y)) => scan(a, b, both, found, |i, j| x.value(i) == y.value(j)),
        (Values::Integer(x), Values::Integer(y)) => scan(a, b, both, found, |i, j| x.value(i) == y.value(j)),
        (Values::Decimal(x, _), Values::Decimal(y, _)) => scan(a, b, both, found, |i, j| x.value(i) == y.value(j)),
        (Values::Boolean(x), Values::Boolean(y)) => scan(a, b, both, found, |i, j| x.value(i) == y.value(j)),
        (Values::Date(x), Values::Date(y)) => scan(a, b, both, found, |i, j| x.value(i) == y.value(j)),
        (Values::Instant(x), Values::Instant(y)) => scan(a, b, both, found, |i, j| x.value(i) == y.value(j)),
        // Columns of two types are refused when the sides are opened.
        _ => {}
    }
}

fn scan(a: &Column, b: &Column, both: &[Both], mut found: impl FnMut(usize), equal: impl Fn(usize, usize) -> bool) {
    for Both { index, a_row, b_row } in both.iter().copied() {
        let differs = match (a.cells[a_row], b.cells[b_row]) {
            (Cell::Value, Cell::Value) => !equal(a_row, b_row),
            (Cell::Value, Cell::Empty | Cell::NoSource) | (Cell::Empty | Cell::NoSource, Cell::Value) => true,
            _ => false,
        };
        if differs {
            found(index);
        }
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
