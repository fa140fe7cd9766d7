//! Reads a source as a sync run does, and keeps what a log would know afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use nenrin::clock::{ManualClock, Timestamp};
use nenrin::connect::http::{Hosts, ManualTimer, Settings};
use nenrin::connect::registry::Connector;
use nenrin::connect::{Calendar, MemoryTokenStore, OpenArgs, ReadMode, Source, TokenStore};
use nenrin::error::Result;
use nenrin::record::{Cursor, DeleteKind, Next, Page, Reading, Records, SourceId, Stream};
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
    pub(crate) revision: Option<i64>,
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
    hosts: Arc<Hosts>,
    stream: &'static str,
    /// Our own clock; far from the source's unless a test sets it.
    pub(crate) clock: ManualClock,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) known: BTreeMap<String, Known>,
    /// The pass or sweep under way: its id, what was known when it began, and what it has shown since.
    looking: Option<(String, BTreeSet<String>, BTreeSet<String>)>,
    runs: u32,
}

impl Reader {
    pub(crate) fn new(connector: &'static str, config: Value, stream: &'static str) -> Self {
        let hosts = Hosts::new(Settings::default(), Arc::new(ManualTimer::default())).unwrap();
        Reader {
            connector,
            config,
            tokens: Arc::new(MemoryTokenStore::default()),
            hosts: Arc::new(hosts),
            stream,
            clock: ManualClock::at("2001-01-01T00:00:00Z".parse().unwrap()),
            cursor: None,
            known: BTreeMap::new(),
            looking: None,
            runs: 0,
        }
    }

    /// Changes the settings, for the runs to come.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.config);
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
        source.describe(self.stream).await
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
            run.requests += self.keep(source.as_ref(), &stream, &page).await?;
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

    /// Keeps what a page shows, as landing would: what is missing from a complete look is asked for, and so is what a
    /// sweep shows under another revision. Gives the requests made for it.
    async fn keep(&mut self, source: &dyn Source, stream: &Stream, page: &Page) -> Result<u64> {
        assert!(page.rejected.is_empty());
        let mut requests = 0;
        let keys = || page.records.heads().iter().map(|head| head.key.clone());
        let id = match &page.reading {
            Some(Reading::Pass { id, .. }) => Some(id.clone()),
            Some(Reading::Sweep { id, .. }) => Some(format!("sweep {id}")),
            _ => None,
        };
        if id.as_ref() != self.looking.as_ref().map(|(id, ..)| id) {
            self.looking = id.map(|id| (id, self.known.keys().cloned().collect(), BTreeSet::new()));
        }
        if let Some((_, _, shown)) = &mut self.looking {
            shown.extend(keys());
        }
        if page.records.fields().is_empty() {
            // A log of deletions names records, and nothing of their values.
            for head in page.records.heads().iter().filter(|head| head.deleted.is_some()) {
                if let Some(known) = self.known.get_mut(&head.key) {
                    known.deleted = head.deleted;
                }
            }
            let heads = page.records.heads().iter();
            let outdated = heads.filter(|head| head.revision.is_some()).filter(|head| {
                let known = self.known.get(&head.key);
                known.is_none_or(|known| known.deleted.is_some() || known.revision != head.revision)
            });
            let outdated: Vec<String> = outdated.map(|head| head.key.clone()).collect();
            if !outdated.is_empty() {
                let found = source.read_by_key(stream, &outdated).await?;
                requests += found.requests;
                found.answers.iter().for_each(|(records, _)| self.keep_records(records));
            }
        } else {
            self.keep_records(&page.records);
        }
        if page.ends_reading
            && let Some((_, before, shown)) = self.looking.take()
        {
            let alive = |key: &&String| self.known.get(*key).is_some_and(|known| known.deleted.is_none());
            let missing: Vec<String> = before.difference(&shown).filter(alive).cloned().collect();
            if !missing.is_empty() {
                let sighting = source.still_there(stream, &missing).await?.unwrap_or_default();
                requests += sighting.requests;
                for key in missing.iter().filter(|key| !sighting.keys.contains(key)) {
                    self.known.get_mut(key).unwrap().deleted = Some(DeleteKind::Absent);
                }
            }
        }
        Ok(requests)
    }

    fn keep_records(&mut self, records: &Records) {
        for (row, head) in records.heads().iter().enumerate() {
            let values = records.fields().iter().enumerate();
            let values = values.map(|(i, name)| (name.clone(), records.value(row, i).map(str::to_owned))).collect();
            let (deleted, winner, revision) = (head.deleted, head.winner.clone(), head.revision);
            self.known.insert(head.key.clone(), Known { deleted, winner, revision, values });
        }
    }
}
