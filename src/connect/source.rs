//! What every connector can do.

use async_trait::async_trait;

use super::taker::Taker;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Next, Page, Records, Stream};

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

/// Something that reading found out beside records, for the story of the run.
#[derive(Debug)]
pub struct Note {
    /// Whether somebody should look at it.
    pub is_warning: bool,
    /// What it is, of which thing, and what to do about it. Holds no values of records.
    pub about: Error,
}

impl Note {
    /// A part of the story.
    pub fn told(about: Error) -> Self {
        Note { is_warning: false, about }
    }

    /// Something that somebody should look at.
    pub fn warned(about: Error) -> Self {
        Note { is_warning: true, about }
    }
}

impl PartialEq for Note {
    /// Whether both say the same.
    fn eq(&self, other: &Self) -> bool {
        let said = |note: &Note| (note.is_warning, note.about.message().to_owned(), note.about.context().to_vec());
        said(self) == said(other)
    }
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

/// Which few records are wanted, to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Few<'a> {
    /// At most so many, the same ones each time as long as the source does not change.
    First(u16),
    /// The one with this key.
    Key(&'a str),
}

/// A stream that the system has and the source's file does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// What names it in `streams` (or, for kintone, the app's number).
    pub name: String,
    /// What people in the source see.
    pub label: Option<String>,
    /// Whether it belongs to the system's own housekeeping (shares, feeds): shown only on request.
    pub is_minor: bool,
}

/// What a system has beside the configured streams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// As far as it could be asked, in the system's order.
    pub streams: Vec<Offered>,
    /// Why that is not all, and what would show more.
    pub note: Option<String>,
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

    /// What reading `stream` found out beside its records since this was last asked: taken, not repeated.
    fn notes(&self, _stream: &str) -> Vec<Note> {
        Vec::new()
    }

    /// What the system has beside the configured streams. By default nothing else: what is configured is all there is.
    ///
    /// # Errors
    ///
    /// As for describing a stream.
    async fn others(&self) -> Result<Others> {
        Ok(Others::default())
    }

    /// Describes a stream that [`others`](Source::others) named, or a configured one, for people: as
    /// [`describe`](Source::describe), with all that may be found out by looking.
    ///
    /// # Errors
    ///
    /// As for [`describe`](Source::describe).
    async fn describe_other(&self, name: &str) -> Result<Stream> {
        self.describe(name).await
    }

    /// Reads a few living records of `stream`, to be looked at: where the source allows with one request, and without
    /// moving any cursor. A record asked for by key that is not there gives none.
    ///
    /// # Errors
    ///
    /// As for reading a page.
    async fn sample(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let mut taker = Taker::new(stream, few);
        let mut cursor = None;
        loop {
            let page = self.read_page(stream, cursor.as_ref(), cursor.is_none(), ReadMode::Incremental).await?;
            match page.next {
                Next::More(next) if !taker.take(&page.records) => cursor = Some(next),
                Next::More(_) => return Ok(taker.finish()),
                Next::Done { .. } => {
                    taker.take(&page.records);
                    return Ok(taker.finish());
                }
            }
        }
    }

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
