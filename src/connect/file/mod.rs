//! CSV files in a folder.
//!
//! *Dated* files (`customers_202510.csv`) each state the whole stream at the end of their month or day; they
//! are read oldest first, and again when their content changes. *Undated* files of a stream together are
//! one complete pass each time one of them changes. A file is read page by page and never held in memory.
//! What is no record is rejected with its line; nothing is skipped in silence.

mod config;
mod encoding;
mod lines;
mod listing;
mod page;
mod pattern;
mod position;
mod row;
mod scan;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tracing::info;

pub use config::{EncodingSetting, FileConfig, FileStreamConfig};

use self::config::Shape;
use self::listing::Found;
use self::page::Reader;
use super::registry::{Calendar, OpenArgs};
use super::source::{Few, Finding, Offered, Others, ReadMode, Source};
use super::taker::Taker;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Field, FieldClass, Next, Page, Records, SourceId, Stream};

/// A folder of files, as configured.
pub struct FileSource {
    inner: Arc<Inner>,
}

struct Inner {
    id: SourceId,
    folder: PathBuf,
    shapes: Vec<Shape>,
    clock: Arc<dyn Clock>,
    calendar: Arc<dyn Calendar>,
    reader: Reader,
}

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
        let inner = Inner {
            folder: args.root.join(&config.path),
            id: args.id,
            shapes,
            clock: args.clock,
            calendar: args.calendar,
            reader: Reader::default(),
        };
        Ok(FileSource { inner: Arc::new(inner) })
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

    fn list(&self, shape: &Shape) -> Result<Vec<Found>> {
        listing::list(&self.folder, &shape.pattern)
    }

    fn columns(&self, shape: &Shape, found: &Found) -> Result<Vec<String>> {
        let encoding = match shape.encoding {
            Some(encoding) => encoding,
            None => scan::fingerprint(&found.path, shape)?.1,
        };
        Ok(scan::layout(&found.path, shape, encoding).map_err(|error| error.with("file", &found.name))?.columns)
    }

    /// The columns of all files, those of the newest first. A file that cannot be read fails when its rows
    /// are read, and hides no other.
    fn stream(&self, shape: &Shape) -> Result<Stream> {
        let mut names = shape.columns.clone().unwrap_or_default();
        if shape.columns.is_none() {
            for found in self.list(shape)?.iter().rev() {
                match self.columns(shape, found) {
                    Ok(columns) => names.extend(columns),
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
            dated: shape.pattern.is_dated(),
            tells_deletes: false,
        })
    }

    /// The files in the folder itself that no stream fits.
    fn others(&self) -> Result<Others> {
        let unreadable = |error: std::io::Error| {
            Error::new(ErrorKind::Unavailable, "the folder cannot be read")
                .with("path", self.folder.display())
                .help("check `path` in the source's file, and that the folder is mounted")
                .caused_by(error)
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(unreadable)? {
            let Ok(name) = entry.map_err(unreadable)?.file_name().into_string() else { continue };
            let is_read = self.shapes.iter().any(|shape| shape.pattern.matches(&name).is_some());
            if !is_read && !name.starts_with('.') && self.folder.join(&name).is_file() {
                names.push(name);
            }
        }
        names.sort();
        let label = Some("a file that the `files` of no stream fits".to_owned());
        let streams = names.into_iter().map(|name| Offered { name, label: label.clone(), is_minor: false });
        Ok(Others { streams: streams.collect(), note: None })
    }

    /// A few records of the newest file; of undated files, which are one state together, of all.
    fn sample(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let shape = self.shape(&stream.name)?;
        let mut found = self.list(shape)?;
        if shape.pattern.is_dated() {
            found = found.split_off(found.len().saturating_sub(1));
        }
        let mut taker = Taker::new(stream, few);
        let mut cursor = None;
        loop {
            let (now, calendar) = (self.clock.now(), self.calendar.as_ref());
            let page = self.reader.page(shape, found.clone(), cursor.as_ref(), false, now, calendar)?;
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

    fn check(&self, shape: &Shape) -> Finding {
        let what = format!("stream {}", shape.name);
        let seen = self.list(shape).and_then(|found| match found.last() {
            None => Err(Error::new(ErrorKind::NotFound, "no file fits the name")
                .with("files", shape.pattern.as_str())
                .with("path", self.folder.display())
                .help("check `files` of the stream, and that the files have arrived")),
            Some(last) => {
                let columns = self.columns(shape, last)?;
                Ok(format!("{} files, the last is {} with {} columns", found.len(), last.name, columns.len()))
            }
        });
        match seen {
            Ok(detail) => Finding { ok: true, what, detail },
            Err(error) => Finding { ok: false, what, detail: error.render() },
        }
    }
}

#[async_trait]
impl Source for FileSource {
    async fn check(&self) -> Vec<Finding> {
        let findings = self.blocking(|inner| inner.shapes.iter().map(|shape| inner.check(shape)).collect()).await;
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
        let read = move |inner: &Inner| -> Result<Page> {
            let shape = inner.shape(&name)?;
            let found = inner.list(shape)?;
            let wants_all = first_of_run && mode == ReadMode::Full;
            inner
                .reader
                .page(shape, found, cursor.as_ref(), wants_all, inner.clock.now(), inner.calendar.as_ref())
                .map_err(|error| error.with("stream", &shape.name))
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
}
