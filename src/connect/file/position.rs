//! Where reading files stands: which are known, and which is being read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lines::Place;
use super::pattern::FileDate;
use super::store::Found;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::record::Cursor;

/// What the cursor of a stream holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// Files that have been read, as they were then.
    pub(super) files: BTreeMap<String, Known>,
    /// The latest instant that a dated file stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stated_through: Option<Timestamp>,
    /// When the last pass over undated files counted as begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pass_started_at: Option<Timestamp>,
    /// What is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reading: Option<InFile>,
}

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) size_bytes: u64,
    pub(super) modified_at: Timestamp,
    /// What an object store calls this version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<String>,
    pub(super) fingerprint: String,
    /// What it states, where that stands in a cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<FileDate>,
}

/// A place in a reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InFile {
    /// The files of the reading as they were when it began.
    pub(super) files: Vec<(String, Known)>,
    /// Which of their parts (an archive has several) is being read.
    pub(super) index: usize,
    /// Where the next row begins in it.
    pub(super) offset: u64,
    pub(super) line: u64,
}

impl Position {
    /// Reads a cursor.
    pub(super) fn parse(cursor: &Cursor) -> Result<Position> {
        cursor.read()
    }

    /// Writes it as a cursor.
    pub(super) fn to_cursor(&self) -> Result<Cursor> {
        Cursor::of(self)
    }

    /// The files to look at together next: a dated file alone, oldest first; undated files all together.
    /// Empty when all are as they were. A file whose size and time are as before is not opened.
    pub(super) fn next_group(&self, found: &[Found], is_dated: bool) -> Vec<Found> {
        let is_changed = |found: &&Found| self.files.get(&found.name).is_none_or(|known| !known.is_as(found));
        if is_dated {
            return found.iter().find(is_changed).cloned().into_iter().collect();
        }
        let was_removed = self.files.keys().any(|name| !found.iter().any(|found| found.name == *name));
        if found.iter().any(|found| is_changed(&found)) || (was_removed && !found.is_empty()) {
            found.to_vec()
        } else {
            Vec::new()
        }
    }

    /// Whether the reading in progress can go on: its files are as they were when it began.
    pub(super) fn can_go_on(reading: &InFile, found: &[Found]) -> bool {
        let is_there =
            |name: &String, known: &Known| found.iter().any(|found| found.name == *name && known.is_as(found));
        reading.files.iter().all(|(name, known)| is_there(name, known))
    }
}

impl InFile {
    /// Where the next row begins.
    pub(super) fn place(&self) -> Place {
        Place { offset: self.offset, number: self.line }
    }
}

impl Known {
    /// The file as it is now.
    pub(super) fn of(found: &Found, fingerprint: String, date: Option<FileDate>) -> Known {
        let Found { size_bytes, modified_at, tag, .. } = found.clone();
        Known { size_bytes, modified_at, tag, fingerprint, date }
    }

    /// Whether a file looks as it did.
    pub(super) fn is_as(&self, found: &Found) -> bool {
        (self.size_bytes, self.modified_at, &self.tag) == (found.size_bytes, found.modified_at, &found.tag)
    }
}
