//! What every connector can do.

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Page, Records, Stream};

/// How a run wants a stream to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadMode {
    /// Only what changed since the cursor; a first load where there is none.
    #[default]
    Incremental,
    /// Everything once more, as a complete pass: finds silent changes and absences.
    Full,
}

/// One thing that `nenrin check` found out about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was looked at (`credentials`, `object Account`).
    pub what: String,
    /// What was seen, and for a failure what to do about it.
    pub detail: String,
}

/// Which of some records are still there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sighting {
    /// The keys of those that are.
    pub keys: Vec<String>,
    /// Requests made to find out.
    pub requests: u64,
    /// Bytes received.
    pub bytes: u64,
}

/// Records that were read by key.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Those that are there, an answer at a time, with when it was given.
    pub answers: Vec<(Records, Timestamp)>,
    /// Requests made to read them.
    pub requests: u64,
    /// Bytes received.
    pub bytes: u64,
}

/// An outside system that records can be read from.
///
/// A connector answers questions. It keeps no progress, writes nothing to the lake, starts no task and
/// reads no clock but the source's own. The sync run asks for one page at a time, lands it, and only
/// then stores the cursor: a page may be read twice, but is never skipped.
#[async_trait]
pub trait Source: Send + Sync {
    /// Tries credentials, permissions and every configured stream, without reading records.
    async fn check(&self) -> Vec<Finding>;

    /// The names of the configured streams, in the order they are shown; nothing is asked.
    fn streams(&self) -> Vec<String>;

    /// The configured stream `name` with the fields that the source offers now.
    ///
    /// # Errors
    ///
    /// Auth, permission or availability, and [`NotFound`](crate::error::ErrorKind::NotFound) for a
    /// stream that the source does not have: the others can be read all the same.
    async fn describe(&self, name: &str) -> Result<Stream>;

    /// Reads the next page of `stream`.
    ///
    /// `cursor` is where the last page said to go on: `None` for the very first read. The connector
    /// fixes the end of what it reads on the first page of a run (the source's clock minus the safety
    /// margin) and keeps it in the cursor. `first_of_run` tells that the cursor was stored by an earlier
    /// run (done or interrupted), so that a finished one starts its next window; `mode` counts only then.
    ///
    /// # Errors
    ///
    /// After the shared client's own retries. [`Quota`](crate::error::ErrorKind::Quota) when an allowance
    /// is used up: the run ends `partial` and a later one continues.
    async fn read_page(
        &self,
        stream: &Stream,
        cursor: Option<&Cursor>,
        first_of_run: bool,
        mode: ReadMode,
    ) -> Result<Page>;

    /// Asks by key which of the records `keys`, which a complete reading did not show, are there all the same
    /// (semantics E2); a deleted one that can still be read counts as there, since a window tells of it. `None`:
    /// the source cannot be asked, and the reading is believed.
    ///
    /// # Errors
    ///
    /// As for reading a page.
    async fn still_there(&self, _stream: &Stream, _keys: &[String]) -> Result<Option<Sighting>> {
        Ok(None)
    }

    /// Reads the records `keys`, which a sweep showed under a revision that is not on record. Only asked of a
    /// source whose sweeps carry revisions; what is no longer there is left out.
    ///
    /// # Errors
    ///
    /// As for reading a page.
    async fn read_by_key(&self, stream: &Stream, _keys: &[String]) -> Result<Found> {
        Err(Error::new(ErrorKind::Internal, "the source cannot read records by key").with("stream", &stream.name))
    }
}
