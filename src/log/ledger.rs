//! The ledger of a stream: the small facts about its log that queries need and that must survive with it.
//!
//! One JSON object per logical commit lies beside the log (`ledger/<source>/<stream>/<n>.json`). It says when
//! the batch was recorded and from when on it changes answers, which dated files the stream has stated, which
//! complete passes were finished, and since when each field has been offered. Quiet runs write none. Compaction
//! of the log writes none, so a compaction changes no fingerprint.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::lake::Lake;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::record::StreamId;

/// A span `[from, until)` of instants; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Inclusive start; `None`: since ever.
    pub from: Option<Timestamp>,
    /// Exclusive end; `None`: until further notice.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Whether the span holds `at`.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// A dated file's claim: the whole stream as it was at an instant (semantics D).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The instant stated.
    pub at: Timestamp,
    /// The file's name.
    pub name: String,
    /// The file's content hash when it was read.
    pub fingerprint: String,
    /// The fields it had.
    pub fields: Vec<String>,
}

/// A finished complete pass over all keys (semantics E2, F2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// When it began, on the source's clock.
    pub started_at: Timestamp,
    /// When its last page was answered.
    pub ended_at: Timestamp,
    /// What could be seen in it.
    pub scope: String,
}

/// Records that a complete look at all keys did not show (semantics E2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceNote {
    /// When that look began: from then on the records are absent.
    pub at: Timestamp,
    /// When the look before it began, in which they were still there; they may have gone any time after. `None`:
    /// there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Timestamp>,
    /// How many there are.
    pub count: u64,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The checkpoint it belongs to.
    pub n: i64,
    /// The attempt that wrote it.
    pub attempt: String,
    /// The run.
    pub run_id: String,
    /// When it was recorded, rising with `n`.
    pub recorded_at: Timestamp,
    /// How many versions the log's commit of this number holds; 0 when it has none.
    pub versions: u64,
    /// The earliest instant whose state this commit changes; `None` when it changes none.
    pub min_valid_from: Option<Timestamp>,
    /// The highest `_seq` given out so far.
    pub max_seq: i64,
    /// A dated file that is now fully landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    /// A complete pass that ended with this batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// Records found to be gone with this batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absences: Option<AbsenceNote>,
    /// Everything up to this instant had been read when this batch was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_through: Option<Timestamp>,
    /// Field → spans for which it was offered; the whole timeline, when this batch changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<BTreeMap<String, Vec<Span>>>,
}

/// The ledger as read: all entries in order of `n`.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

/// After so many loose entries they are rolled into one object.
const ROLL_AFTER: usize = 200;

impl Ledger {
    /// Reads the ledger of `stream`.
    ///
    /// # Errors
    ///
    /// Corrupt when an entry cannot be read.
    pub async fn read(lake: &Lake, stream: &StreamId) -> Result<Ledger> {
        let folder = Lake::ledger_path(stream);
        let names = lake.list(&folder).await?;
        let rolled = names.iter().rfind(|name| name.ends_with(".roll.json"));
        let mut entries: Vec<Entry> = Vec::new();
        if let Some(name) = rolled {
            entries = read_json(lake, &format!("{folder}/{name}")).await?;
        }
        let after = entries.last().map_or(0, |entry| entry.n);
        for name in names.iter().filter(|name| !name.ends_with(".roll.json")) {
            let number: Option<i64> = name.strip_suffix(".json").and_then(|stem| stem.parse().ok());
            if number.is_some_and(|n| n > after) {
                entries.push(read_json(lake, &format!("{folder}/{name}")).await?);
            }
        }
        entries.sort_by_key(|entry| entry.n);
        Ok(Ledger { entries })
    }

    /// Writes `entry`, durably; writing the same entry again changes nothing.
    pub async fn append(&mut self, lake: &Lake, stream: &StreamId, entry: Entry) -> Result<()> {
        let folder = Lake::ledger_path(stream);
        let bytes = serde_json::to_vec(&entry)
            .map_err(|error| Error::new(ErrorKind::Internal, "a ledger entry is no JSON").caused_by(error))?;
        lake.put(&format!("{folder}/{:020}.json", entry.n), bytes).await?;
        self.entries.retain(|other| other.n != entry.n);
        self.entries.push(entry);
        self.entries.sort_by_key(|entry| entry.n);
        Ok(())
    }

    /// Rolls loose entries into one object when there are many; safe to be interrupted anywhere.
    pub async fn tidy(&self, lake: &Lake, stream: &StreamId) -> Result<()> {
        let folder = Lake::ledger_path(stream);
        let names = lake.list(&folder).await?;
        let Some(last) = self.entries.last() else { return Ok(()) };
        if names.len() < ROLL_AFTER {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&self.entries)
            .map_err(|error| Error::new(ErrorKind::Internal, "a ledger entry is no JSON").caused_by(error))?;
        let rolled = format!("{:020}.roll.json", last.n);
        lake.put(&format!("{folder}/{rolled}"), bytes).await?;
        for name in names.iter().filter(|name| **name != rolled) {
            lake.delete(&format!("{folder}/{name}")).await?;
        }
        Ok(())
    }

    /// All entries, by rising `n`.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries recorded by `known_at`.
    pub fn known_at(&self, known_at: Timestamp) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.recorded_at <= known_at)
    }

    /// The highest number in use; 0 when there is none.
    pub fn max_n(&self) -> i64 {
        self.entries.last().map_or(0, |entry| entry.n)
    }

    /// The highest `_seq` given out; 0 when none was.
    pub fn max_seq(&self) -> i64 {
        self.entries.iter().map(|entry| entry.max_seq).max().unwrap_or(0)
    }

    /// When the newest entry was recorded.
    pub fn last_recorded_at(&self) -> Option<Timestamp> {
        self.entries.last().map(|entry| entry.recorded_at)
    }

    /// The statements in force at `known_at`, by date: the newest for each date.
    pub fn statements(&self, known_at: Timestamp) -> BTreeMap<Timestamp, &Statement> {
        self.known_at(known_at).filter_map(|entry| entry.statement.as_ref()).map(|s| (s.at, s)).collect()
    }

    /// How many records, by what was known at `known_at`, may or may not have been gone at `at`: they were there in
    /// the complete look before it and missing from the one after.
    pub fn gone_around(&self, at: Timestamp, known_at: Timestamp) -> u64 {
        let notes = self.known_at(known_at).filter_map(|entry| entry.absences.as_ref());
        notes.filter(|note| at < note.at && note.previous.is_none_or(|previous| previous < at)).map(|n| n.count).sum()
    }

    /// The last finished pass.
    pub fn last_pass(&self) -> Option<&Pass> {
        self.entries.iter().rev().find_map(|entry| entry.pass.as_ref())
    }

    /// When the stream was first read completely, as known at `known_at`: the end of its first pass, or for
    /// dated files the earliest date stated.
    pub fn first_complete_at(&self, known_at: Timestamp) -> Option<Timestamp> {
        let pass = self.known_at(known_at).find_map(|entry| entry.pass.as_ref().map(|pass| pass.ended_at));
        let stated = self.statements(known_at).keys().next().copied();
        match (pass, stated) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Since when each field was offered, as known at `known_at`; a field not named was offered always.
    pub fn timeline(&self, known_at: Timestamp) -> BTreeMap<String, Vec<Span>> {
        self.known_at(known_at).rev().find_map(|entry| entry.timeline.clone()).unwrap_or_default()
    }
}

async fn read_json<T: serde::de::DeserializeOwned>(lake: &Lake, path: &str) -> Result<T> {
    let bytes = lake.get(path).await?.ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, "an entry of a ledger vanished while it was read").with("path", path)
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "an entry of a ledger cannot be read")
            .code("E0521")
            .with("path", path)
            .help("restore the file from a backup of the lake")
            .caused_by(error)
    })
}
