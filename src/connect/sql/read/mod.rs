//! Runs a statement and hands on its rows as text, cell by cell, without keeping them.

mod mysql;
#[cfg(feature = "odbc")]
mod odbc;
mod postgres;
mod sqlite;

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::form::Form;
use super::link::{Failure, Link};

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Text,
    /// Digits (SQLite, where a column's values may be of any type).
    Number,
    /// base64 of what is no text.
    Bytes,
}

/// Where a cell stands in its row's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    data: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Line<'a> {
    /// The text of all cells.
    pub(super) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// What the cell at `at` holds.
    pub(super) fn kind(&self, at: usize) -> Kind {
        self.spans[at].kind
    }

    /// The text of the cell at `at`, where that of all cells is `whole`; `None` for NULL.
    pub(super) fn text<'w>(&self, whole: &'w str, at: usize) -> Option<&'w str> {
        let Span { start, end, kind } = self.spans[at];
        if kind == Kind::Null { None } else { whole.get(start..end) }
    }

    /// The cell at `at`; `None` for NULL.
    pub(super) fn bytes(&self, at: usize) -> Option<&'a [u8]> {
        let Span { start, end, kind } = self.spans[at];
        (kind != Kind::Null).then(|| &self.data[start..end])
    }
}

/// Gathers the cells of one row after the other in the same memory.
#[derive(Debug, Default)]
struct Gather {
    data: Vec<u8>,
    spans: Vec<Span>,
}

impl Gather {
    fn clear(&mut self) {
        self.data.clear();
        self.spans.clear();
    }

    fn push(&mut self, kind: Kind, text: &[u8]) {
        let start = self.data.len();
        self.data.extend_from_slice(text);
        self.spans.push(Span { start, end: self.data.len(), kind });
    }

    fn line(&self) -> Line<'_> {
        Line { data: &self.data, spans: &self.spans }
    }
}

/// Runs `statement`, whose columns have these forms, and gives every row to `take`; also how many bytes came. When it
/// takes longer than `timeout` without a row it is given up.
///
/// After a failure the connection is not to be used again.
pub(super) async fn rows(
    link: &mut Link,
    statement: &str,
    forms: &[Form],
    timeout: Duration,
    take: &mut (dyn FnMut(Line<'_>) + Send),
) -> Result<u64, Failure> {
    // The database ends the statement by itself; this is for one that no longer answers.
    let patience = timeout + Duration::from_secs(30);
    match link {
        Link::Postgres(link) => postgres::rows(link, statement, forms.len(), patience, take).await,
        Link::Mysql(link) => mysql::rows(link, statement, forms, patience, take).await,
        #[cfg(feature = "odbc")]
        Link::Odbc(link) => odbc::rows(link, statement, forms, patience, take).await,
        Link::Sqlite(lite) => {
            lite.is_stopped.store(false, Ordering::Relaxed);
            let read = sqlite::rows(&mut lite.connection, statement, timeout, take).await;
            if matches!(read, Err(Failure::TimedOut)) {
                lite.is_stopped.store(true, Ordering::Relaxed);
            }
            read
        }
    }
}

/// What comes of `answer`, if it comes in time.
async fn within<T>(patience: Duration, answer: impl Future<Output = T> + Send) -> Result<T, Failure> {
    tokio::time::timeout(patience, answer).await.map_err(|_| Failure::TimedOut)
}
