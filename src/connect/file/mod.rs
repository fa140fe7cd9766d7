//! Files in a folder or an object store: CSV, TSV, fixed places, JSON Lines, workbooks and Parquet.
//!
//! *Dated* files (`customers_202510.csv`) each state the whole stream at the end of their month or day, or what changed
//! until then; they are read oldest first, and again when their content changes. *Undated* files of a stream together
//! are one complete pass each time one of them changes. A file is read page by page and never held in memory.
//! What is no record is rejected with its line; nothing is skipped in silence.

mod check;
mod config;
mod dates;
mod encoding;
mod format;
mod header;
mod lines;
mod page;
mod part;
mod pattern;
mod position;
mod scan;
mod shape;
mod store;
mod tally;
mod unpack;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tracing::info;

pub use config::{
    ColumnConfig, DateConfig, DeletesConfig, EncodingSetting, FileConfig, FileStreamConfig, Mode, PlacedColumn, Sheet,
    Units,
};
pub use format::Format;
pub use unpack::Packing;

use self::page::{Asked, Reader};
use self::part::{Bytes, Look, Part};
use self::pattern::Fit;
use self::position::Position;
use self::shape::Shape;
use self::store::{Found, Store};
use super::registry::{Calendar, OpenArgs};
use super::source::{Few, Finding, Note, Offered, Others, ReadMode, Source};
use super::taker::Taker;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Field, FieldClass, Next, Page, Records, SourceId, Stream};

/// Files, as configured.
pub struct FileSource {
    inner: Arc<Inner>,
}

struct Inner {
    id: SourceId,
    store: Store,
    shapes: Vec<Shape>,
    clock: Arc<dyn Clock>,
    calendar: Arc<dyn Calendar>,
    reader: Reader,
}

/// What the drivers of object stores find in the environment.
const ENVIRONMENT: [&str; 4] = ["AWS_", "AZURE_", "GOOGLE_", "GCS_"];

impl FileSource {
    /// Opens the source; no file is read yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings are wrong.
    pub fn open(args: OpenArgs) -> Result<Self> {
        let config: FileConfig = args.parse_config()?;
        let shapes: Result<Vec<Shape>> = config.streams.iter().map(|(name, stream)| Shape::new(name, stream)).collect();
        let shapes = shapes.map_err(|error| error.with("source", &args.id))?;
        let of_environment =
            std::env::vars().filter(|(name, _)| ENVIRONMENT.iter().any(|prefix| name.starts_with(prefix)));
        let options = config.options.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
        let options = of_environment.map(|(name, value)| (name.to_ascii_lowercase(), value)).chain(options).collect();
        let store = Store::open(&config.path, &args.root, options).map_err(|error| error.with("source", &args.id))?;
        Ok(FileSource::of(args, store, shapes))
    }

    fn of(args: OpenArgs, store: Store, shapes: Vec<Shape>) -> Self {
        let inner =
            Inner { store, id: args.id, shapes, clock: args.clock, calendar: args.calendar, reader: Reader::default() };
        FileSource { inner: Arc::new(inner) }
    }

    /// Files are read on a blocking thread.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> T + Send + 'static) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "reading files failed").caused_by(error))
    }
}

impl Inner {
    fn shape(&self, name: &str) -> Result<&Shape> {
        self.shapes.iter().find(|shape| shape.name == name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file").with("stream", name)
        })
    }

    /// The files of a stream; `known` spares opening those whose date stands in them.
    fn list(&self, shape: &Shape, known: &Position) -> Result<Vec<Found>> {
        dates::list(&self.store, shape, known, &self.reader, self.clock.now(), self.calendar.as_ref())
    }

    /// How the parts of a file are laid out.
    fn parts(&self, shape: &Shape, found: &Found, look: Look) -> Result<Vec<Part>> {
        let place = |error: Error| error.with("file", &found.name);
        let local = self.store.bring(found).map_err(place)?;
        let parts = Bytes::of(shape, &found.name, &local).map_err(place)?;
        let lay_out = |(bytes, name)| Part::lay_out(shape, 0, bytes, name, look).map_err(place);
        parts.into_iter().map(lay_out).collect()
    }

    /// The columns of all files, those of the newest first. A file that cannot be read fails when its rows
    /// are read, and hides no other. Of an object store, only the newest file is fetched for this.
    fn stream(&self, shape: &Shape) -> Result<Stream> {
        let mut names = shape.columns.clone().unwrap_or_default();
        if shape.columns.is_none() {
            // By their names alone: to know which is newest, dates in cells need not be read.
            let mut found = self.store.list(&shape.pattern)?.found;
            if matches!(self.store, Store::Objects { .. }) {
                found = found.split_off(found.len().saturating_sub(1));
            }
            for found in found.iter().rev() {
                match self.parts(shape, found, Look::Brief) {
                    Ok(parts) => names.extend(parts.iter().flat_map(|part| part.columns.iter().cloned())),
                    Err(error) => {
                        info!(source_id = %self.id, stream = shape.name, error = %error, "cannot read a header")
                    }
                }
            }
            names.extend(shape.key.iter().cloned());
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        let field = |name: String| {
            let class = shape.classes.get(&name).copied().unwrap_or(FieldClass::Business);
            Field::plain(name, "text", class)
        };
        Ok(Stream {
            name: shape.name.clone(),
            label: None,
            key: shape.key.clone(),
            stamp: None,
            fields: names.into_iter().map(field).collect(),
            dated: shape.is_dated(),
            // A delta is all that is ever said about who is gone.
            tells_deletes: shape.is_delta,
        })
    }

    /// The files in the folder itself that no stream fits.
    fn others(&self) -> Result<Others> {
        let mut names = self.store.names()?;
        names.retain(|name| self.shapes.iter().all(|shape| shape.pattern.matches(name) == Fit::No));
        let label = Some("a file that the `files` of no stream fits".to_owned());
        let streams = names.into_iter().map(|name| Offered { name, label: label.clone(), is_minor: false });
        Ok(Others { streams: streams.collect(), note: None })
    }

    fn page(&self, shape: &Shape, found: Vec<Found>, position: Position) -> Result<Page> {
        let (now, calendar) = (self.clock.now(), self.calendar.as_ref());
        self.reader.page(&Asked { store: &self.store, shape, found, now, calendar }, position)
    }

    fn read(&self, shape: &Shape, cursor: Option<&Cursor>, wants_all: bool) -> Result<Page> {
        let mut position = cursor.map(Position::parse).transpose()?.unwrap_or_default();
        if wants_all {
            position.files.clear();
            position.reading = None;
        }
        let found = self.list(shape, &position)?;
        self.page(shape, found, position)
    }

    /// A few records of the newest file; of undated files, which are one state together, of all.
    fn sample(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let shape = self.shape(&stream.name)?;
        let mut found = self.list(shape, &Position::default())?;
        if shape.is_dated() {
            found = found.split_off(found.len().saturating_sub(1));
        }
        let mut taker = Taker::new(stream, few);
        let mut position = Position::default();
        loop {
            let page = self.page(shape, found.clone(), position)?;
            match page.next {
                Next::More(next) if !taker.take(&page.records) => position = Position::parse(&next)?,
                Next::More(_) => return Ok(taker.finish()),
                Next::Done { .. } => {
                    taker.take(&page.records);
                    return Ok(taker.finish());
                }
            }
        }
    }
}

#[async_trait]
impl Source for FileSource {
    async fn check(&self) -> Vec<Finding> {
        let check = |inner: &Inner| inner.shapes.iter().flat_map(|shape| inner.check(shape)).collect();
        let findings = self.blocking(check).await;
        findings.unwrap_or_else(|error| vec![Finding { ok: false, what: "files".to_owned(), detail: error.render() }])
    }

    fn streams(&self) -> Vec<String> {
        self.inner.shapes.iter().map(|shape| shape.name.clone()).collect()
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        let wanted = name.to_owned();
        let stream = self.blocking(move |inner| inner.stream(inner.shape(&wanted)?)).await?;
        stream.map_err(|error| error.with("source", &self.inner.id))
    }

    async fn read_page(
        &self,
        stream: &Stream,
        cursor: Option<&Cursor>,
        first_of_run: bool,
        mode: ReadMode,
    ) -> Result<Page> {
        let (name, cursor) = (stream.name.clone(), cursor.cloned());
        let wants_all = first_of_run && mode == ReadMode::Full;
        let read = move |inner: &Inner| -> Result<Page> {
            let shape = inner.shape(&name)?;
            inner.read(shape, cursor.as_ref(), wants_all).map_err(|error| error.with("stream", &shape.name))
        };
        self.blocking(read).await?.map_err(|error| error.with("source", &self.inner.id))
    }

    async fn sample(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let (wanted, key) = (stream.clone(), if let Few::Key(key) = few { Some(key.to_owned()) } else { None });
        let count = if let Few::First(count) = few { count } else { 1 };
        let read = move |inner: &Inner| {
            let few = key.as_deref().map_or(Few::First(count), Few::Key);
            inner.sample(&wanted, few).map_err(|error| error.with("stream", &wanted.name))
        };
        self.blocking(read).await?.map_err(|error| error.with("source", &self.inner.id))
    }

    async fn others(&self) -> Result<Others> {
        let others = self.blocking(Inner::others).await?;
        others.map_err(|error| error.with("source", &self.inner.id))
    }

    fn notes(&self, stream: &str) -> Vec<Note> {
        self.inner.reader.notes(stream)
    }
}
