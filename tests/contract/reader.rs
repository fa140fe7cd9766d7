//! Reads a source as a sync run does, and keeps what a log would know afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use nenrin::clock::{ManualClock, Timestamp};
use nenrin::connect::http::{Hosts, ManualTimer, Settings};
use nenrin::connect::registry::Connector;
use nenrin::connect::{Calendar, MemoryTokenStore, OpenArgs, ReadMode, Source, TokenStore};
use nenrin::error::Result;
use nenrin::record::{Cursor, DeleteKind, Next, Page, SourceId, Stream};
use serde_json::Value;

#[derive(Debug)]
struct NoCalendar;

impl Calendar for NoCalendar {
    fn month_end(&self, _: i32, _: u32) -> Option<Timestamp> {
        None
    }
    fn day_end(&self, _: i32, _: u32, _: u32) -> Option<Timestamp> {
        None
    }
}

/// The latest that was read of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) deleted: Option<DeleteKind>,
    pub(crate) winner: Option<String>,
    pub(crate) values: BTreeMap<String, Option<String>>,
}

/// What one run did.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) pages: Vec<Page>,
    pub(crate) read: u64,
    pub(crate) requests: u64,
}

/// One stream of a source over several runs.
pub(crate) struct Reader {
    connector: &'static str,
    config: Value,
    pub(crate) tokens: Arc<dyn TokenStore>,
    pub(crate) timer: ManualTimer,
    hosts: Arc<Hosts>,
    stream: &'static str,
    /// Our own clock; far from the source's unless a test sets it.
    pub(crate) clock: ManualClock,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) known: BTreeMap<String, Known>,
    runs: u32,
}

impl Reader {
    pub(crate) fn new(connector: &'static str, config: Value, stream: &'static str) -> Self {
        let timer = ManualTimer::default();
        let hosts = Hosts::new(Settings::default(), Arc::new(timer.clone())).unwrap();
        Reader {
            connector,
            config,
            tokens: Arc::new(MemoryTokenStore::default()),
            timer,
            hosts: Arc::new(hosts),
            stream,
            clock: ManualClock::at("2001-01-01T00:00:00Z".parse().unwrap()),
            cursor: None,
            known: BTreeMap::new(),
            runs: 0,
        }
    }

    /// Opens the source as a new process does.
    pub(crate) async fn open(&mut self) -> Box<dyn Source> {
        self.runs += 1;
        let args = OpenArgs {
            id: SourceId("crm".into()),
            config: self.config.clone(),
            root: PathBuf::from("."),
            clock: Arc::new(self.clock.clone()),
            calendar: Arc::new(NoCalendar),
            token_store: Arc::clone(&self.tokens),
            hosts: Arc::clone(&self.hosts),
            run_id: format!("run{}", self.runs),
        };
        (Connector::named(self.connector).unwrap().open)(args).await.unwrap()
    }

    pub(crate) async fn stream_of(&self, source: &dyn Source) -> Result<Stream> {
        source.describe(&self.stream).await
    }

    /// A run to its end.
    pub(crate) async fn run(&mut self) -> Result<Run> {
        self.run_with(ReadMode::Incremental, usize::MAX, |_| ()).await
    }

    /// A run that ends after `page_limit` pages as if the process was killed; `between` is called after each page.
    pub(crate) async fn run_with(
        &mut self,
        mode: ReadMode,
        page_limit: usize,
        mut between: impl FnMut(usize),
    ) -> Result<Run> {
        let source = self.open().await;
        let stream = self.stream_of(source.as_ref()).await?;
        let mut run = Run::default();
        while run.pages.len() < page_limit {
            let first = run.pages.is_empty();
            let page = source.read_page(&stream, self.cursor.as_ref(), first, mode).await?;
            self.keep(&page);
            run.read += page.records.len() as u64;
            run.requests += page.requests;
            let next = page.next.clone();
            run.pages.push(page);
            match next {
                Next::Done { cursor, .. } => {
                    self.cursor = Some(cursor);
                    break;
                }
                Next::More(cursor) => self.cursor = Some(cursor),
            }
            between(run.pages.len());
        }
        Ok(run)
    }

    fn keep(&mut self, page: &Page) {
        assert!(page.rejected.is_empty());
        for (row, head) in page.records.heads().iter().enumerate() {
            let values = page.records.fields().iter().enumerate();
            let values =
                values.map(|(i, name)| (name.clone(), page.records.value(row, i).map(str::to_owned))).collect();
            let known = Known { deleted: head.deleted, winner: head.winner.clone(), values };
            self.known.insert(head.key.clone(), known);
        }
    }
}
