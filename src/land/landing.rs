//! What a batch is landed under, and what comes of it.

use async_trait::async_trait;

use super::counts::Counts;
use super::index::IndexEntry;
use super::seen::PassProgress;
use super::timeline::Timeline;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::log::{AbsenceNote, NewVersions, Pass, Statement};
use crate::record::Rejected;

/// Asks the source whether records that a complete reading did not show are there all the same (E2).
#[async_trait]
pub trait Confirm: std::fmt::Debug + Send + Sync {
    /// Of `keys`, those that are; `None` when the source cannot be asked.
    async fn still_there(&self, keys: &[String]) -> Result<Option<Vec<String>>>;
}

/// Believes every reading.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoConfirm;

#[async_trait]
impl Confirm for NoConfirm {
    async fn still_there(&self, _keys: &[String]) -> Result<Option<Vec<String>>> {
        Ok(None)
    }
}

/// What a batch is landed under.
#[derive(Debug, Clone, Copy)]
pub struct Landing<'a> {
    /// The sync run.
    pub run_id: &'a str,
    /// When this batch is recorded: later than anything in the log (A1).
    pub recorded_at: Timestamp,
    /// For passes: no stamp before this instant dates a change (B2); `None` on a first load.
    pub not_before: Option<Timestamp>,
    /// Whether the brake on absences is off.
    pub allow_deletes: bool,
    /// When the last complete look at all keys before this reading began.
    pub swept_before: Option<Timestamp>,
    /// Is asked before a record is taken for gone.
    pub confirm: &'a dyn Confirm,
}

/// What a batch adds; nothing of it is stored yet.
#[derive(Debug, Default)]
pub struct Taken {
    /// The new versions; `None` when there are none.
    pub versions: Option<NewVersions>,
    /// How many new versions there are, restatements and absences included.
    pub version_count: u64,
    /// What became of every row.
    pub counts: Counts,
    /// Rows that are no records.
    pub rejected: Vec<Rejected>,
    /// The earliest instant whose state changes: a date, or the birth of a key that is new.
    pub min_valid_from: Option<Timestamp>,
    /// The highest `_seq` given out.
    pub max_seq: i64,
    /// A dated file that is fully landed with this batch.
    pub statement: Option<Statement>,
    /// A complete pass that ends with this batch and is worth remembering in the lake.
    pub pass: Option<Pass>,
    /// A complete pass ended with this batch: when it began.
    pub verified_through: Option<Timestamp>,
    /// A complete look at all keys ended with this batch: when it began.
    pub swept_through: Option<Timestamp>,
    /// Records that it did not show, with when they were looked for before.
    pub absences: Option<AbsenceNote>,
    /// The whole timeline of fields, when the batch changed it.
    pub timeline: Option<Timeline>,
    /// How far the reading under way has come.
    pub progress: Option<PassProgress>,
    /// A pass or statement begins with this batch, from its first row.
    pub begins: bool,
    /// The reading ended, but sightings were lost, so absence was not concluded: it must be read again.
    pub needs_full: bool,
    pub(super) links: Vec<IndexEntry>,
}
