//! A computed state: what the unified schema held at an instant, and how that is known.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::record::StreamId;

/// What is known of one cell (semantics G1); stored in the column `<variable>$cell` as its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Cell {
    /// There is a value.
    Value = 0,
    /// Known to have none.
    Empty = 1,
    /// A value was sent that could not be converted; it is held.
    Held = 2,
    /// The field was not offered at that time (added later, hidden, removed).
    NotOffered = 3,
    /// The stream had not been read completely by then, or has no version that old.
    NotRead = 4,
    /// The record was no longer readable.
    Unreadable = 5,
    /// A calculated value, first observed later than that.
    ObservedLater = 6,
    /// No source of the project provides the variable for this row.
    NoSource = 7,
}

impl Cell {
    /// Reads the number in a `$cell` column.
    pub fn from_u8(number: u8) -> Option<Cell> {
        Some(match number {
            0 => Cell::Value,
            1 => Cell::Empty,
            2 => Cell::Held,
            3 => Cell::NotOffered,
            4 => Cell::NotRead,
            5 => Cell::Unreadable,
            6 => Cell::ObservedLater,
            7 => Cell::NoSource,
            _ => return None,
        })
    }

    /// Whether we cannot say what the value was. `NoSource` is not unknown: nobody claims to know the
    /// variable for this row, it reads as empty.
    pub fn is_unknown(self) -> bool {
        !matches!(self, Cell::Value | Cell::Empty | Cell::NoSource)
    }

    /// The reason shown to people, for unknown cells.
    pub fn as_str(self) -> &'static str {
        match self {
            Cell::Value => "value",
            Cell::Empty => "empty",
            Cell::Held => "held",
            Cell::NotOffered => "not_offered",
            Cell::NotRead => "not_read",
            Cell::Unreadable => "unreadable",
            Cell::ObservedLater => "observed_later",
            Cell::NoSource => "no_source",
        }
    }
}

/// How a row of a state is known (semantics G2), from the strongest to the weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Coverage {
    /// We had read it by then.
    Observed = 0,
    /// Read later, but the source's stamp says it was so by then.
    Stamped = 1,
    /// A dated file states it.
    Asserted = 2,
    /// Entered later than it took effect.
    Backdated = 3,
    /// It existed, but we cannot say what it was.
    Unknown = 4,
}

impl Coverage {
    /// Reads the number in the `_coverage` column.
    pub fn from_u8(number: u8) -> Option<Coverage> {
        Some(match number {
            0 => Coverage::Observed,
            1 => Coverage::Stamped,
            2 => Coverage::Asserted,
            3 => Coverage::Backdated,
            4 => Coverage::Unknown,
            _ => return None,
        })
    }

    /// The word shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Coverage::Observed => "observed",
            Coverage::Stamped => "stamped",
            Coverage::Asserted => "asserted",
            Coverage::Backdated => "backdated",
            Coverage::Unknown => "unknown",
        }
    }
}

/// How far a stream was known when a state was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamCoverage {
    /// The stream.
    pub stream: StreamId,
    /// The entity it is mapped to.
    pub entity: String,
    /// Windows read without a gap up to here; `None`: never read completely.
    pub complete_through: Option<Timestamp>,
    /// The start of the last full key-and-content pass.
    pub verified_through: Option<Timestamp>,
    /// Every deletion up to here is known.
    #[serde(default)]
    pub deletes_through: Option<Timestamp>,
    /// Records of which nobody can say whether they were gone at that instant: the last complete look before it
    /// showed them, the next one did not (E2). They count as there.
    #[serde(default)]
    pub gone_around: u64,
    /// The end of the first complete read.
    pub first_complete_at: Option<Timestamp>,
}

/// The unified schema at an instant.
///
/// Each entity is one batch. Columns, in this order: `customer_id` (Utf8; null for a child whose
/// customer is not covered: it counts under *unassigned*), for other entities than `customer` also
/// `record_id` (Utf8), `_coverage` (UInt8, see [`Coverage`]), then for each variable `v`: `v` (typed as
/// [`VariableType`](crate::schema::VariableType) says, null unless the cell is a value), `v$cell` (UInt8,
/// see [`Cell`]) and `v$source` (Utf8, null unless chosen: `source/stream#key` of the record it comes from).
/// Rows are sorted by `customer_id` (nulls last), then `record_id`; absent records have no row, a record
/// that is known to exist but not how has `_coverage` unknown and unknown cells.
#[derive(Debug, Clone)]
pub struct State {
    /// The instant it shows.
    pub at: Timestamp,
    /// What had been recorded by when; `None`: everything so far.
    pub known_at: Option<Timestamp>,
    /// Whether all streams it reads were complete through `at` (J1); otherwise it is provisional.
    pub settled: bool,
    /// Why it is provisional, a sentence per stream.
    pub provisional_because: Vec<String>,
    /// How far each stream was known.
    pub streams: Vec<StreamCoverage>,
    /// Entity name → its rows.
    pub entities: BTreeMap<String, RecordBatch>,
}

impl State {
    /// What the state cannot say to the day, a sentence per stream; empty: nothing.
    pub fn uncertain(&self) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for coverage in self.streams.iter().filter(|coverage| coverage.gone_around > 0) {
            let (records, are) = if coverage.gone_around == 1 { ("record", "is") } else { ("records", "are") };
            let sentence = format!(
                "{} {records} of {} that {are} gone today may have gone before or after: the last look at all \
                 records before it showed them, the next one did not; they count as there",
                coverage.gone_around, coverage.stream
            );
            if !told.contains(&sentence) {
                told.push(sentence);
            }
        }
        told
    }
}
