//! The words all stages share: streams, records, pages and cursors.
//!
//! Records travel in columns: a page holds one text column per delivered field, so that a page of
//! 2,000 records costs a few allocations, not sixty thousand. Every value is text as the source sent
//! it (canonical, semantics B7) or null; nothing is typed before the mapping asks for it.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, StringArray, StringBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// The name of a configured source, as in `sources/<id>.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(pub String);

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stream of a source; shown as `source/stream`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The source it belongs to.
    pub source: SourceId,
    /// Its name in the source, any text.
    pub stream: String,
}

impl StreamId {
    /// The stream `stream` of the source `source`.
    pub fn new(source: impl Into<String>, stream: impl Into<String>) -> Self {
        StreamId { source: SourceId(source.into()), stream: stream.into() }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.source, self.stream)
    }
}

/// How a change of a field comes about, which decides whether it is hashed (semantics B6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldClass {
    /// Written by people or systems; hashed.
    Business,
    /// Computed by the source without moving the stamp (formula, roll-up); hashed, counts from its reading.
    Calculated,
    /// Last modified, revision, view counts: not hashed, not to be mapped.
    Bookkeeping,
    /// Depends on today: not hashed, not to be mapped.
    Ticking,
}

impl FieldClass {
    /// Whether a change of such a field makes a new version.
    pub fn is_hashed(self) -> bool {
        matches!(self, FieldClass::Business | FieldClass::Calculated)
    }
}

/// A field as the source describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The source's own name, any text.
    pub name: String,
    /// What people in the source see.
    pub label: Option<String>,
    /// The source's own type word (`currency`, `picklist`, `text`), for people and for guessing.
    pub source_type: String,
    /// How it changes.
    pub class: FieldClass,
    /// For picklists, the values the source offers, in its order.
    #[serde(default)]
    pub choices: Vec<Choice>,
}

impl Field {
    /// A field of which only name, type and class are known.
    pub fn plain(name: impl Into<String>, source_type: impl Into<String>, class: FieldClass) -> Self {
        Field { name: name.into(), label: None, source_type: source_type.into(), class, choices: Vec::new() }
    }
}

/// A value that a picklist offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What records hold.
    pub value: String,
    /// What people see, where that is another text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Choice {
    /// The value `value`, shown to people as `label`.
    pub fn labelled(value: impl Into<String>, label: Option<String>) -> Self {
        let value = value.into();
        Choice { label: label.filter(|label| !label.is_empty() && *label != value), value }
    }
}

impl From<String> for Choice {
    fn from(value: String) -> Self {
        Choice { value, label: None }
    }
}

/// `98303 (更新済)`; without a label the value alone.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.label {
            Some(label) => write!(f, "{} ({label})", self.value),
            None => f.write_str(&self.value),
        }
    }
}

/// A kind of record a source offers, with the fields that it offers now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Its name in the source.
    pub name: String,
    /// What people in the source see.
    pub label: Option<String>,
    /// The fields that make the key; several give a composite key.
    pub key: Vec<String>,
    /// The field that holds the modification stamp, if the source keeps one.
    pub stamp: Option<String>,
    /// All fields, in the source's order.
    pub fields: Vec<Field>,
    /// Whether it is read as dated full-state files (semantics D).
    #[serde(default)]
    pub dated: bool,
    /// Whether the changes that are read tell of deletions too; if not, only passes and sweeps do (J1).
    #[serde(default)]
    pub tells_deletes: bool,
}

/// Facts: a stream whose records tell how fields of another stream's records changed, or how they were (semantics C).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The stream that holds them.
    pub stream: String,
    /// Its field with the key of the record that a fact is about.
    pub key: String,
    /// Its field with the instant.
    pub at: String,
    /// How the rest of a record is to be read.
    pub shape: FactShape,
}

/// What one record of a stream of facts holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactShape {
    /// One change.
    Change {
        /// The field with the name of the field that changed.
        field: String,
        /// The field with its value before.
        old: String,
        /// The field with its value from then on.
        new: String,
    },
    /// Several fields as they were from then on.
    State {
        /// Field of the facts → field of the records they are about.
        fields: Vec<(String, String)>,
    },
}

/// Where reading a stream continues; only its connector can interpret it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub serde_json::Value);

impl Cursor {
    /// The cursor that holds `position`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when it cannot be written as JSON.
    pub fn of(position: &impl Serialize) -> Result<Self> {
        serde_json::to_value(position)
            .map(Cursor)
            .map_err(|error| Error::new(ErrorKind::Internal, "a cursor cannot be written").caused_by(error))
    }

    /// The position it holds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when it is not one of this kind.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.0).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "the stored cursor is not one of this connector")
                .help("read the stream again with `nenrin sync --full`")
                .caused_by(error)
        })
    }
}

/// What the record of one row says happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteKind {
    /// No longer readable under a changed scope; weakest: it may still exist.
    Unreadable,
    /// Missing from a complete pass.
    Absent,
    /// Put aside by the source.
    Archived,
    /// Deleted in the source.
    Deleted,
    /// Merged into another record.
    Merged,
}

impl DeleteKind {
    /// The word in `_delete_kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            DeleteKind::Unreadable => "unreadable",
            DeleteKind::Absent => "absent",
            DeleteKind::Archived => "archived",
            DeleteKind::Deleted => "deleted",
            DeleteKind::Merged => "merged",
        }
    }

    /// Reads the word in `_delete_kind`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "unreadable" => DeleteKind::Unreadable,
            "absent" => DeleteKind::Absent,
            "archived" => DeleteKind::Archived,
            "deleted" => DeleteKind::Deleted,
            "merged" => DeleteKind::Merged,
            _ => return None,
        })
    }
}

/// Everything about one record but its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordHead {
    /// The key; composite keys are a JSON array of texts. Empty: the row is rejected (no key).
    pub key: String,
    /// The source's modification stamp.
    pub stamp: Option<Timestamp>,
    /// The source's own count of the record's changes, where it keeps one: higher is later.
    pub revision: Option<i64>,
    /// When the source says the record was born.
    pub created_at: Option<Timestamp>,
    /// Set when the source says the record is gone; its last values may still be in the fields.
    pub deleted: Option<DeleteKind>,
    /// For merges, the key of the record that lives on.
    pub winner: Option<String>,
    /// Where in the source the record stands, for messages (`customers_202510.csv:17`); may be empty.
    pub place: String,
}

/// Records in columns; `heads[i]` belongs to row `i` of every column. By default none, of no fields.
#[derive(Debug, Clone, Default)]
pub struct Records {
    heads: Vec<RecordHead>,
    fields: Arc<[String]>,
    columns: Vec<StringArray>,
}

impl Records {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The heads, in the order the source gave them.
    pub fn heads(&self) -> &[RecordHead] {
        &self.heads
    }

    /// The names of the delivered fields; a field not named here was not delivered (B5).
    pub fn fields(&self) -> &Arc<[String]> {
        &self.fields
    }

    /// One text column per delivered field, in the order of [`Records::fields`].
    pub fn columns(&self) -> &[StringArray] {
        &self.columns
    }

    /// The value of the field at `field` of the record at `row`; null is `None`.
    pub fn value(&self, row: usize, field: usize) -> Option<&str> {
        let column = &self.columns[field];
        column.is_valid(row).then(|| column.value(row))
    }

    /// The records of several answers to one question, which deliver the same fields, one after the other.
    pub fn in_one(parts: Vec<Records>) -> Self {
        let mut parts = parts;
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let Some(fields) = parts.first().map(|part| part.fields.clone()) else { return Records::default() };
        let mut builder = RecordsBuilder::new(fields.clone(), parts.iter().map(Records::len).sum());
        for part in parts {
            for (row, head) in part.heads.iter().enumerate() {
                for field in 0..fields.len() {
                    builder.set(field, part.value(row, field));
                }
                builder.finish_row(head.clone());
            }
        }
        builder.finish()
    }

    /// About how much memory the values take.
    pub fn size_bytes(&self) -> usize {
        self.columns.iter().map(|column| column.get_array_memory_size()).sum::<usize>()
            + self.heads.iter().map(|head| 96 + head.key.len() + head.place.len()).sum::<usize>()
    }
}

/// Builds [`Records`] row by row without an allocation per value.
///
/// Per row: [`set`](Self::set) any of the fields in any order, then [`finish_row`](Self::finish_row).
/// Fields not set are null. Setting a field twice in a row is a bug and ignored but for the first.
#[derive(Debug)]
pub struct RecordsBuilder {
    heads: Vec<RecordHead>,
    fields: Arc<[String]>,
    columns: Vec<StringBuilder>,
}

impl RecordsBuilder {
    /// A builder for records of these delivered fields, with room for `capacity` rows.
    pub fn new(fields: Arc<[String]>, capacity: usize) -> Self {
        let columns = fields.iter().map(|_| StringBuilder::with_capacity(capacity, capacity * 16)).collect();
        RecordsBuilder { heads: Vec::with_capacity(capacity), fields, columns }
    }

    /// The fields, in column order.
    pub fn fields(&self) -> &Arc<[String]> {
        &self.fields
    }

    /// How many rows are finished.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether no row is finished.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The heads of the finished rows.
    pub fn heads(&self) -> &[RecordHead] {
        &self.heads
    }

    /// Gives the field at `field` of the row being built its value.
    pub fn set(&mut self, field: usize, value: Option<&str>) {
        use datafusion::arrow::array::ArrayBuilder;
        let column = &mut self.columns[field];
        if column.len() == self.heads.len() {
            column.append_option(value);
        }
    }

    /// Ends the row being built.
    pub fn finish_row(&mut self, head: RecordHead) {
        use datafusion::arrow::array::ArrayBuilder;
        self.heads.push(head);
        for column in &mut self.columns {
            if column.len() < self.heads.len() {
                column.append_null();
            }
        }
    }

    /// The finished records.
    pub fn finish(mut self) -> Records {
        let columns = self.columns.iter_mut().map(StringBuilder::finish).collect();
        Records { heads: self.heads, fields: self.fields, columns }
    }
}

/// A row that could not become a record; kept with place and reason (semantics F5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Where it stands in the source (`customers_202510.csv:17`).
    pub place: String,
    /// Its key, if it could be read.
    pub key: Option<String>,
    /// Why it is not a record.
    pub reason: String,
    /// The row as it was sent, for the person who mends it.
    pub raw: String,
}

/// What kind of reading a page belongs to; decides how changes are dated and what absence means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reading {
    /// A complete pass over all keys, begun at `started_at` on the source's clock. When it ends
    /// uninterrupted, keys not seen are absent (E2).
    Pass {
        /// Names the pass, the same on all its pages, also when a later run goes on with it.
        id: String,
        /// The source's clock when the pass began.
        started_at: Timestamp,
        /// What could be seen: filter, credential, permissions. Absence is concluded only under the
        /// scope under which the keys were last seen.
        scope: String,
    },
    /// A complete pass over the keys alone: a page that delivers no fields says nothing of any value. When it
    /// ends, keys not seen are absent, as for a [`Reading::Pass`]. Where its heads carry revisions, records whose
    /// revision is not the one on record are read by key; those pages deliver fields, and count as records.
    Sweep {
        /// Names the sweep, the same on all its pages.
        id: String,
        /// The source's clock when the sweep began.
        started_at: Timestamp,
        /// What could be seen, as for a pass.
        scope: String,
    },
    /// The changes with a stamp in `[from, until)`.
    Window {
        /// Inclusive start, already with the overlap.
        from: Timestamp,
        /// Exclusive end.
        until: Timestamp,
    },
    /// A dated file (D1): the whole stream as it was at `at`, absence included; or, as a delta, what had changed by then.
    Statement {
        /// The last instant of the day or month that the file states (`end - 1 µs`).
        at: Timestamp,
        /// The file's name.
        name: String,
        /// What the file was when read (a content hash); another one for the same date corrects it.
        fingerprint: String,
        /// Whether it holds only what changed: what it leaves out is as it was.
        #[serde(default)]
        is_delta: bool,
    },
}

/// Where reading goes on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is more in this run, from here.
    More(Cursor),
    /// The run has read what there was; the next run continues from here.
    Done {
        /// Where the next run continues.
        cursor: Cursor,
        /// Everything the source knew up to this instant (exclusive) has been read; `None` when the
        /// connector cannot tell.
        complete_through: Option<Timestamp>,
    },
}

/// One answer of a source.
#[derive(Debug, Clone)]
pub struct Page {
    /// The records, in the order sent.
    pub records: Records,
    /// Rows that are no records.
    pub rejected: Vec<Rejected>,
    /// What was being read; `None` on a page that reads nothing (a file list without new files).
    pub reading: Option<Reading>,
    /// Whether this page ends its [`Reading`] (the pass, window or statement is complete with it).
    pub ends_reading: bool,
    /// Where to go on.
    pub next: Next,
    /// Whether what follows may take long, so that this page is landed before it.
    pub waits: bool,
    /// When the answer was given, on the source's clock (HTTP `Date`).
    pub observed_at: Timestamp,
    /// What the source says is the number of records of the whole reading, if it says so.
    pub source_total: Option<u64>,
    /// Requests that this page took, retries included.
    pub requests: u64,
    /// Bytes received for it, as transferred.
    pub bytes: u64,
}
