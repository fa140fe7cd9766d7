//! Takes batches of pages and tells what they add to the log.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use datafusion::arrow::array::AsArray;
use tracing::{info, warn};

use super::absence::{Absences, brake};
use super::counts::Counts;
use super::decide::{Decision, Incoming, Link, StampRule, decide};
use super::fetch::{Fetched, fetch};
use super::hash::{RowHasher, cell};
use super::index::{Index, IndexEntry};
use super::rebuild::{last_links, links_at};
use super::seen::{PassProgress, Seen};
use super::timeline::{self, Timeline};
use super::versions::{Completions, Content, Origins, Version, build};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{AbsenceNote, KeyMap, Lake, Ledger, LogTable, NewVersions, Pass, Statement, key_hash};
use crate::record::{DeleteKind, FieldClass, Page, Reading, RecordHead, Rejected, Stream, StreamId};

/// Asks the source whether records that a complete reading did not show are there all the same (E2).
#[async_trait]
pub trait Confirm: std::fmt::Debug + Send + Sync {
    /// Of `keys`, those that are; `None` when the source cannot be asked.
    async fn still_there(&self, keys: &[String]) -> Result<Option<Vec<String>>>;
}

/// Believes every reading.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoConfirm;

#[async_trait]
impl Confirm for NoConfirm {
    async fn still_there(&self, _keys: &[String]) -> Result<Option<Vec<String>>> {
        Ok(None)
    }
}

/// What a batch is landed under.
#[derive(Debug, Clone, Copy)]
pub struct Landing<'a> {
    /// The sync run.
    pub run_id: &'a str,
    /// When this batch is recorded: later than anything in the log (A1).
    pub recorded_at: Timestamp,
    /// For passes: no stamp before this instant dates a change (B2); `None` on a first load.
    pub not_before: Option<Timestamp>,
    /// Whether the brake on absences is off.
    pub allow_deletes: bool,
    /// When the last complete look at all keys before this reading began.
    pub swept_before: Option<Timestamp>,
    /// Is asked before a record is taken for gone.
    pub confirm: &'a dyn Confirm,
}

/// What a batch adds; nothing of it is stored yet.
#[derive(Debug, Default)]
pub struct Taken {
    /// The new versions; `None` when there are none.
    pub versions: Option<NewVersions>,
    /// How many new versions there are, restatements and absences included.
    pub version_count: u64,
    /// What became of every row.
    pub counts: Counts,
    /// Rows that are no records.
    pub rejected: Vec<Rejected>,
    /// The earliest instant whose state changes: a date, or the birth of a key that is new.
    pub min_valid_from: Option<Timestamp>,
    /// The highest `_seq` given out.
    pub max_seq: i64,
    /// A dated file that is fully landed with this batch.
    pub statement: Option<Statement>,
    /// A complete pass that ends with this batch and is worth remembering in the lake.
    pub pass: Option<Pass>,
    /// A complete pass ended with this batch: when it began.
    pub verified_through: Option<Timestamp>,
    /// A complete look at all keys ended with this batch: when it began.
    pub swept_through: Option<Timestamp>,
    /// Records that it did not show, with when they were looked for before.
    pub absences: Option<AbsenceNote>,
    /// The whole timeline of fields, when the batch changed it.
    pub timeline: Option<Timeline>,
    /// How far the reading under way has come.
    pub progress: Option<PassProgress>,
    /// A pass or statement begins with this batch, from its first row.
    pub begins: bool,
    /// The reading ended, but sightings were lost, so absence was not concluded: it must be read again.
    pub needs_full: bool,
    links: Vec<IndexEntry>,
}

/// Tells what is new about one stream.
#[derive(Debug)]
pub struct Lander {
    stream: Stream,
    log: LogTable,
    ledger: Ledger,
    index: Index,
    seen_folder: PathBuf,
    seen: Option<Seen>,
    timeline: Timeline,
    max_seq: i64,
}

/// A row of the batch: page, row, key.
#[derive(Debug, Clone, Copy)]
struct Row {
    key: u128,
    page: usize,
    row: usize,
    order: usize,
}

/// What a page delivers, worked out once.
struct PagePlan {
    hasher: RowHasher,
    delivered: usize,
    /// Hashed fields that the log knows and the page did not deliver (B5), as positions among the completions.
    missing: Vec<(usize, String)>,
    /// The hash of every row, where no row needs completing: taken in the order in which the values lie in
    /// memory, since the walk by key would miss the cache at every value.
    hashes: Option<Vec<u128>>,
}

/// The state that a late statement must not change (D1).
struct Later {
    at: Timestamp,
    links: KeyMap<Link>,
}

impl Lander {
    /// Opens the log of `id` (made empty if there is none) with its index under `cache`; `progress` is that of
    /// the reading which the last checkpoint left unfinished.
    pub async fn open(
        lake: &Lake,
        cache: &Path,
        id: &StreamId,
        stream: &Stream,
        progress: Option<PassProgress>,
    ) -> Result<Lander> {
        let log = LogTable::open_or_create(lake, id).await?;
        let ledger = Ledger::read(lake, id).await?;
        let folder = cache.join(cache_name(id));
        let (table_id, n) = (log.table_id()?, log.txn().await?);
        let index_folder = folder.join("index");
        let index = match Index::open(&index_folder, &table_id, n) {
            Some(index) => index,
            None => {
                if n > 0 {
                    info!(stream = %id, "building the change index from the log");
                }
                Index::build(&index_folder, &table_id, n, last_links(&log).await?)?
            }
        };
        let seen_folder = folder.join("seen");
        let seen = progress.map(|progress| Seen::resume(&seen_folder, progress)).transpose()?;
        let timeline = ledger.timeline(Timestamp::MAX);
        let mut max_seq = ledger.max_seq();
        // The ledger's entry may be missing for a commit that stands; the log itself is the truth.
        index.for_each(|entry| max_seq = max_seq.max(entry.link.seq))?;
        Ok(Lander { stream: stream.clone(), log, ledger, index, seen_folder, seen, timeline, max_seq })
    }

    /// The log, at the snapshot in hand.
    pub fn log(&self) -> &LogTable {
        &self.log
    }

    /// The log, to append to.
    pub fn log_mut(&mut self) -> &mut LogTable {
        &mut self.log
    }

    /// The ledger, as read or last appended to.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger, to append to.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// The offered fields that only a complete pass can make count (B5); none before the first pass, and none
    /// for dated files, whose every statement names its own fields.
    pub fn fields_waiting(&self) -> Vec<String> {
        if self.stream.dated || self.ledger.last_pass().is_none() {
            return Vec::new();
        }
        let offered = self.stream.fields.iter().map(|field| field.name.as_str());
        timeline::waiting(&self.timeline, self.log.columns(), offered)
    }

    fn class_of(&self, field: &str) -> FieldClass {
        self.stream
            .fields
            .iter()
            .find(|offered| offered.name == field)
            .map(|offered| offered.class)
            .or_else(|| self.log.columns().class_of(field))
            .unwrap_or(FieldClass::Business)
    }

    /// Computes what `pages`, all of one reading and in reading order, add to the log.
    ///
    /// # Errors
    ///
    /// Bad data when the brake on absences holds, storage and corrupt from reading back.
    pub async fn take(&mut self, pages: &[Page], landing: &Landing<'_>) -> Result<Taken> {
        let mut taken = Taken { max_seq: self.max_seq, ..Taken::default() };
        let Some(reading) = pages.iter().find_map(|page| page.reading.clone()) else {
            taken.progress = self.seen.as_ref().map(Seen::progress);
            return Ok(taken);
        };
        let mut rows = self.rows(pages, &mut taken);
        let later = self.later_statement(&reading).await?;
        let mut keys: Vec<u128> = rows.iter().map(|row| row.key).collect();
        keys.dedup();
        let mut seen_keys = keys.clone();
        if matches!(reading, Reading::Sweep { .. }) {
            // A key that is there says nothing of its values: only the keys that are missing will count.
            rows.retain(|row| !shows_keys(&pages[row.page]));
            keys.clear();
            keys.extend(rows.iter().map(|row| row.key));
            keys.dedup();
        }
        let earlier = match (&later, &reading) {
            (Some(_), Reading::Statement { at, .. }) => Some(links_at(&self.log, *at).await?),
            _ => None,
        };
        let links: Vec<Option<Link>> = match &earlier {
            Some(links) => keys.iter().map(|key| links.get(key).copied()).collect(),
            None => self.index.look_up(&keys)?,
        };
        taken.begins = self.begin_reading(&reading)?;
        let before = self.timeline.clone();
        self.note_fields(pages, &reading);

        let (mut plans, completed_fields) = self.plan_pages(pages);
        let predecessors = self.predecessors(&rows, &keys, &links, &plans, &completed_fields).await?;
        let mut work = Work {
            pages,
            rule: StampRule { reading: &reading, not_before: landing.not_before },
            completions: Completions { fields: completed_fields, rows: Vec::new() },
            predecessors: &predecessors,
            base_seq: self.max_seq,
            versions: Vec::new(),
            links: Vec::new(),
            births: None,
        };
        let mut at = 0;
        let mut restated: Vec<(Row, Option<Link>)> = Vec::new();
        for (key, link) in keys.iter().zip(&links) {
            let end = at + rows[at..].iter().take_while(|row| row.key == *key).count();
            let changed = work.chain(&rows[at..end], *link, &mut plans, &mut taken);
            if changed && let Some(later) = &later {
                restated.push((rows[at], later.links.get(key).copied()));
            }
            at = end;
        }
        let (completions, mut versions, mut new_links) = (work.completions, work.versions, work.links);
        let work_births = work.births;
        // Reading order gives the numbers; gaps are allowed.
        versions.sort_unstable_by_key(|version| version.seq);
        let mut next_seq = self.max_seq + i64::try_from(rows.len()).unwrap_or(i64::MAX) + 1;

        if let Some(seen) = &mut self.seen {
            // A rejected row still says that its record is there (F5).
            seen_keys.extend(taken.rejected.iter().filter_map(|row| row.key.as_deref()).map(key_hash));
            seen.add(&seen_keys)?;
            if taken.rejected.iter().any(|row| row.key.is_none()) {
                seen.doubt();
            }
        }
        let mut fetch_whole: BTreeSet<i64> = BTreeSet::new();
        if let Some(later) = &later {
            for (row, link) in &restated {
                let head = &pages[row.page].records.heads()[row.row];
                push_restatement(
                    &head.key,
                    row.key,
                    *link,
                    later.at,
                    landing,
                    &mut next_seq,
                    &mut versions,
                    &mut new_links,
                    &mut fetch_whole,
                );
            }
        }
        if pages.last().is_some_and(|page| page.ends_reading) {
            self.end_reading(
                &reading,
                pages,
                earlier.as_ref(),
                later.as_ref(),
                landing,
                &mut next_seq,
                &mut versions,
                &mut new_links,
                &mut fetch_whole,
                &mut taken,
            )
            .await?;
        }
        let all_fields: Vec<String> = if fetch_whole.is_empty() {
            Vec::new()
        } else {
            self.log.columns().field_names().map(str::to_owned).collect()
        };
        let fetched = fetch(&self.log, &fetch_whole, &all_fields).await?;
        taken.min_valid_from = versions.iter().map(|version| version.valid_from).chain(work_births).min();
        taken.version_count = versions.len() as u64;
        if !versions.is_empty() {
            taken.max_seq = next_seq - 1;
            let origins = Origins { pages, completions: &completions, fetched: &fetched, fetched_fields: &all_fields };
            let class_of = |field: &str| self.class_of(field);
            taken.versions = Some(build(&versions, origins, class_of, landing.recorded_at, landing.run_id)?);
        }
        taken.links = new_links;
        taken.progress = self.seen.as_ref().map(Seen::progress);
        if self.timeline != before {
            taken.timeline = Some(self.timeline.clone());
        }
        if !taken.counts.add_up() {
            return Err(Error::new(ErrorKind::Internal, "the counts of a batch do not add up")
                .with("stream", self.log.stream())
                .with("counts", format!("{:?}", taken.counts)));
        }
        Ok(taken)
    }

    /// The records whose keys `pages` of a sweep show under another revision than the one they were last read
    /// with: changed without a word, visible too late, or never read. None where the source keeps no revisions.
    ///
    /// # Errors
    ///
    /// Storage, when the change index cannot be read.
    pub(crate) fn outdated(&self, pages: &[Page]) -> Result<Vec<String>> {
        let shown = pages.iter().filter(|page| matches!(page.reading, Some(Reading::Sweep { .. })) && shows_keys(page));
        let heads = shown.flat_map(|page| page.records.heads());
        let mut shown: Vec<(u128, &RecordHead)> = heads
            .filter(|head| head.revision.is_some() && !head.key.is_empty())
            .map(|head| (key_hash(&head.key), head))
            .collect();
        shown.sort_unstable_by_key(|(key, _)| *key);
        shown.dedup_by_key(|(key, _)| *key);
        let keys: Vec<u128> = shown.iter().map(|(key, _)| *key).collect();
        let links = self.index.look_up(&keys)?;
        let mut outdated: Vec<&RecordHead> = shown
            .iter()
            .zip(links)
            .filter(|((_, head), link)| {
                link.is_none_or(|link| link.deleted.is_some() || link.revision != head.revision)
            })
            .map(|((_, head), _)| *head)
            .collect();
        // In an order that the same sweep gives again.
        outdated.sort_unstable_by(|a, b| (a.key.len(), &a.key).cmp(&(b.key.len(), &b.key)));
        Ok(outdated.into_iter().map(|head| head.key.clone()).collect())
    }

    /// What a batch without rows adds: nothing, and the reading under way is over.
    pub(crate) fn nothing(&mut self) -> Taken {
        self.seen = None;
        Taken { max_seq: self.max_seq, ..Taken::default() }
    }

    /// Takes note that what [`take`](Self::take) gave is stored as batch `n`; `wrote` when it had versions.
    pub fn applied(&mut self, n: i64, wrote: bool, taken: &mut Taken) -> Result<()> {
        self.max_seq = taken.max_seq;
        let links = std::mem::take(&mut taken.links);
        if wrote { self.index.add(n, links) } else { self.index.touch(links) }
    }

    /// The rows of the batch by key, then reading order; rows without a key are rejected.
    fn rows(&self, pages: &[Page], taken: &mut Taken) -> Vec<Row> {
        let mut rows = Vec::with_capacity(pages.iter().map(|page| page.records.len()).sum());
        let mut order = 0;
        for (page_index, page) in pages.iter().enumerate() {
            // What a sweep shows are keys, no records: they are not counted as read.
            let is_sweep = matches!(page.reading, Some(Reading::Sweep { .. })) && shows_keys(page);
            let shown = if is_sweep { 0 } else { page.records.len() as u64 };
            taken.counts.read += shown + page.rejected.len() as u64;
            taken.counts.rejected += page.rejected.len() as u64;
            taken.rejected.extend(page.rejected.iter().cloned());
            for (row, head) in page.records.heads().iter().enumerate() {
                order += 1;
                if head.key.is_empty() {
                    taken.counts.read += u64::from(is_sweep);
                    taken.counts.rejected += 1;
                    taken.rejected.push(Rejected {
                        place: head.place.clone(),
                        key: None,
                        reason: format!("the key ({}) is empty", self.stream.key.join(", ")),
                        raw: raw_row(page, row),
                    });
                    continue;
                }
                rows.push(Row { key: key_hash(&head.key), page: page_index, row, order });
            }
        }
        rows.sort_unstable_by_key(|row| (row.key, row.order));
        rows
    }

    /// For a statement with a later one in force: that one's date, and the links that counted then.
    async fn later_statement(&self, reading: &Reading) -> Result<Option<Later>> {
        let Reading::Statement { at, .. } = reading else { return Ok(None) };
        let next = self.ledger.statements(Timestamp::MAX).range(at.plus_micros(1)..).next().map(|(at, _)| *at);
        match next {
            Some(at) => Ok(Some(Later { at, links: links_at(&self.log, at).await? })),
            None => Ok(None),
        }
    }

    /// Whether `reading` is a pass or statement that begins now.
    fn begin_reading(&mut self, reading: &Reading) -> Result<bool> {
        let id = match reading {
            Reading::Pass { id, .. } => id.clone(),
            Reading::Sweep { id, .. } => format!("sweep {id}"),
            Reading::Statement { name, fingerprint, at } => format!("statement {at} {name} {fingerprint}"),
            Reading::Window { .. } => {
                self.seen = None;
                return Ok(false);
            }
        };
        let begins = self.seen.as_ref().is_none_or(|seen| seen.id() != id);
        if begins {
            self.seen = Some(Seen::begin(&self.seen_folder, &id, self.max_seq)?);
        }
        Ok(begins)
    }

    fn note_fields(&mut self, pages: &[Page], reading: &Reading) {
        if matches!(reading, Reading::Statement { .. }) {
            return;
        }
        let before_first_pass = self.ledger.last_pass().is_none();
        for page in pages.iter().filter(|page| !page.records.fields().is_empty()) {
            timeline::note_page(
                &mut self.timeline,
                self.log.columns(),
                page.records.fields(),
                page.observed_at,
                before_first_pass,
            );
        }
    }

    fn plan_pages(&self, pages: &[Page]) -> (Vec<PagePlan>, Vec<String>) {
        let mut completed: Vec<String> = Vec::new();
        let mut plans: Vec<PagePlan> = Vec::with_capacity(pages.len());
        for page in pages {
            let fields = page.records.fields();
            let mut missing = Vec::new();
            if !fields.is_empty() {
                for field in self.log.columns().field_names() {
                    if self.class_of(field).is_hashed() && !fields.iter().any(|name| name == field) {
                        let position = completed.iter().position(|name| name == field).unwrap_or_else(|| {
                            completed.push(field.to_owned());
                            completed.len() - 1
                        });
                        missing.push((position, field.to_owned()));
                    }
                }
            }
            let delivered = fields.iter().enumerate().map(|(i, name)| (i, name.as_str()));
            let hashed = delivered.filter(|(_, name)| self.class_of(name).is_hashed());
            let kept = missing.iter().map(|(position, name)| (fields.len() + position, name.as_str()));
            let mut hasher = RowHasher::new(hashed.chain(kept));
            let hashes = (missing.is_empty() && !fields.is_empty()).then(|| {
                let columns = page.records.columns();
                (0..page.records.len()).map(|row| hasher.hash(|position| cell(&columns[position], row))).collect()
            });
            plans.push(PagePlan { hasher, delivered: fields.len(), missing, hashes });
        }
        (plans, completed)
    }

    /// Reads back the values that pages did not deliver, for the keys that have a predecessor in the log.
    async fn predecessors(
        &self,
        rows: &[Row],
        keys: &[u128],
        links: &[Option<Link>],
        plans: &[PagePlan],
        fields: &[String],
    ) -> Result<Fetched> {
        if fields.is_empty() {
            return Ok(Fetched::default());
        }
        let mut seqs = BTreeSet::new();
        let mut key_index = 0;
        for row in rows {
            while keys[key_index] != row.key {
                key_index += 1;
            }
            if !plans[row.page].missing.is_empty()
                && let Some(link) = &links[key_index]
            {
                seqs.insert(link.seq);
            }
        }
        fetch(&self.log, &seqs, fields).await
    }

    #[allow(clippy::too_many_arguments)] // one call, and each is another thing
    async fn end_reading(
        &mut self,
        reading: &Reading,
        pages: &[Page],
        earlier: Option<&KeyMap<Link>>,
        later: Option<&Later>,
        landing: &Landing<'_>,
        next_seq: &mut i64,
        versions: &mut Vec<Version>,
        new_links: &mut Vec<IndexEntry>,
        fetch_whole: &mut BTreeSet<i64>,
        taken: &mut Taken,
    ) -> Result<()> {
        let Some(last_page) = pages.last() else { return Ok(()) };
        let delivered = last_page.records.fields().clone();
        let (date, what) = match reading {
            Reading::Window { .. } => return Ok(()),
            Reading::Pass { started_at, .. } => (*started_at, "pass".to_owned()),
            Reading::Sweep { started_at, .. } => (*started_at, "sweep".to_owned()),
            Reading::Statement { at, name, .. } => (*at, name.clone()),
        };
        let (start_seq, mut doubtful) =
            self.seen.as_ref().map(Seen::progress).map_or((0, false), |seen| (seen.start_seq, seen.doubtful));
        let Some(seen) = self.seen.as_mut().and_then(Seen::keys) else {
            warn!(stream = %self.log.stream(), "the keys seen earlier in this reading were lost: nothing is concluded from it, it will be read again");
            taken.needs_full = true;
            self.seen = None;
            return Ok(());
        };
        let mut absences = Absences::new(seen, start_seq);
        match earlier {
            Some(links) => {
                let mut entries: Vec<IndexEntry> =
                    links.iter().map(|(key, link)| IndexEntry { key: *key, link: *link }).collect();
                entries.sort_unstable_by_key(|entry| entry.key);
                entries.iter().for_each(|entry| absences.look_at(entry));
            }
            // One by one: all keys of a large stream at once would not fit beside a batch.
            None => self.index.for_each(|entry| absences.look_at(entry))?,
        }
        let Absences { mut missing, alive, .. } = absences;
        if doubtful && !missing.is_empty() {
            warn!(stream = %self.log.stream(), reading = what, missing_count = missing.len(), "rows without a key were rejected: records that are missing from this reading may be those rows, so none of them is taken for gone");
            missing.clear();
        }
        brake(missing.len(), alive, landing.allow_deletes, reading)?;
        let kind = match reading {
            Reading::Pass { scope, .. } | Reading::Sweep { scope, .. }
                if self.ledger.last_pass().is_some_and(|previous| previous.scope != *scope) =>
            {
                DeleteKind::Unreadable
            }
            _ => DeleteKind::Absent,
        };
        let seqs: BTreeSet<i64> = missing.iter().map(|entry| entry.link.seq).collect();
        let named = fetch(&self.log, &seqs, &[]).await?;
        let mut gone: Vec<(IndexEntry, String)> = Vec::with_capacity(missing.len());
        for entry in missing {
            let Some((batch, row)) = named.at.get(&entry.link.seq) else {
                return Err(Error::new(ErrorKind::Corrupt, "the change index names a version that the log lacks")
                    .with("stream", self.log.stream())
                    .with("seq", entry.link.seq)
                    .help("delete the folder .nenrin/cache of the project and run the sync again"));
            };
            gone.push((entry, named.batches[*batch].column(0).as_string::<i32>().value(*row).to_owned()));
        }
        doubtful |= self.keep_those_still_there(&mut gone, &what, landing.confirm).await?;
        for (entry, key) in &gone {
            let valid_from = date.max(entry.link.valid_from);
            let link = Link { seq: *next_seq, valid_from, stamp: None, deleted: Some(kind), ..entry.link };
            *next_seq += 1;
            if let Some(later) = later {
                push_restatement(
                    key,
                    entry.key,
                    later.links.get(&entry.key).copied(),
                    later.at,
                    landing,
                    next_seq,
                    versions,
                    new_links,
                    fetch_whole,
                );
            }
            versions.push(version_of(key, &link, landing, Content::None));
            new_links.push(IndexEntry { key: entry.key, link });
        }
        taken.counts.deleted_by_absence = gone.len() as u64;
        taken.swept_through = (!doubtful).then_some(date);
        if !gone.is_empty() {
            let previous = match reading {
                Reading::Statement { at, .. } => {
                    self.ledger.statements(Timestamp::MAX).range(..*at).next_back().map(|(at, _)| *at)
                }
                _ => landing.swept_before,
            };
            taken.absences = Some(AbsenceNote { at: date, previous, count: gone.len() as u64 });
        }
        match reading {
            Reading::Statement { at, name, fingerprint } => {
                let statement = Statement {
                    at: *at,
                    name: name.clone(),
                    fingerprint: fingerprint.clone(),
                    fields: delivered.to_vec(),
                };
                // Said before, word for word: there is nothing to note.
                if self.ledger.statements(Timestamp::MAX).get(at).is_none_or(|noted| **noted != statement) {
                    taken.statement = Some(statement);
                }
                taken.verified_through = (!doubtful).then_some(*at);
            }
            Reading::Pass { started_at, scope, .. } => {
                timeline::note_pass_end(&mut self.timeline, &delivered, last_page.observed_at);
                taken.verified_through = (!doubtful).then_some(*started_at);
                // A doubtful pass leaves it to the next one to conclude what a new scope no longer shows.
                let rescoped = |previous: &Pass| !doubtful && previous.scope != *scope;
                if self.ledger.last_pass().is_none_or(rescoped) {
                    taken.pass =
                        Some(Pass { started_at: *started_at, ended_at: last_page.observed_at, scope: scope.clone() });
                }
            }
            Reading::Sweep { .. } | Reading::Window { .. } => {}
        }
        self.seen = None;
        Ok(())
    }
}

impl Lander {
    /// Takes the records that the source still has out of `gone`; whether there were any.
    async fn keep_those_still_there(
        &self,
        gone: &mut Vec<(IndexEntry, String)>,
        what: &str,
        confirm: &dyn Confirm,
    ) -> Result<bool> {
        if gone.is_empty() {
            return Ok(false);
        }
        let keys: Vec<String> = gone.iter().map(|(_, key)| key.clone()).collect();
        let there = confirm.still_there(&keys).await?.unwrap_or_default();
        if there.is_empty() {
            return Ok(false);
        }
        let there: HashSet<String> = there.into_iter().collect();
        gone.retain(|(_, key)| !there.contains(key));
        warn!(stream = %self.log.stream(), reading = what, record_count = there.len(), "the source has records that this reading did not show: they are kept as they are, and the next complete reading looks at them again");
        Ok(true)
    }
}

/// Whether a page of a sweep shows keys alone, not records that were read because of it.
fn shows_keys(page: &Page) -> bool {
    page.records.fields().is_empty()
}

/// A folder name for a stream's caches: readable and unambiguous.
fn cache_name(id: &StreamId) -> String {
    let safe: String = id.stream.chars().filter(|c| c.is_alphanumeric()).take(40).collect();
    format!("{}-{safe}-{:016x}", id.source, xxhash_rust::xxh3::xxh3_64(id.to_string().as_bytes()))
}

fn raw_row(page: &Page, row: usize) -> String {
    let mut object = serde_json::Map::new();
    for (i, name) in page.records.fields().iter().enumerate() {
        object.insert(name.clone(), page.records.value(row, i).into());
    }
    serde_json::Value::Object(object).to_string()
}

/// A version that no page spoke of.
fn version_of(key: &str, link: &Link, landing: &Landing<'_>, content: Content) -> Version {
    Version {
        key: key.to_owned(),
        valid_from: link.valid_from,
        stamp: link.stamp,
        observed_at: landing.recorded_at,
        created_at: None,
        seq: link.seq,
        deleted: link.deleted,
        winner: None,
        hash: link.hash,
        content,
    }
}

/// Says once more, at the later statement's date, what counted then, where a change before it would otherwise
/// reach past it (D1).
#[allow(clippy::too_many_arguments)]
fn push_restatement(
    key: &str,
    key_hash: u128,
    counted: Option<Link>,
    later_at: Timestamp,
    landing: &Landing<'_>,
    next_seq: &mut i64,
    versions: &mut Vec<Version>,
    links: &mut Vec<IndexEntry>,
    fetch_whole: &mut BTreeSet<i64>,
) {
    if counted.is_some_and(|link| link.valid_from >= later_at) {
        return; // the later statement speaks for the key itself
    }
    let seq = *next_seq;
    *next_seq += 1;
    let (link, content) = match counted {
        Some(old) if old.deleted.is_none() => {
            fetch_whole.insert(old.seq);
            (Link { seq, valid_from: later_at, ..old }, Content::Log { seq: old.seq })
        }
        gone => {
            let kind = gone.and_then(|link| link.deleted).unwrap_or(DeleteKind::Absent);
            let hash = gone.map_or(0, |link| link.hash);
            (Link { hash, seq, valid_from: later_at, stamp: None, revision: None, deleted: Some(kind) }, Content::None)
        }
    };
    versions.push(version_of(key, &link, landing, content));
    links.push(IndexEntry { key: key_hash, link });
}

/// The walk over one batch.
struct Work<'a> {
    pages: &'a [Page],
    rule: StampRule<'a>,
    completions: Completions,
    predecessors: &'a Fetched,
    base_seq: i64,
    versions: Vec<Version>,
    links: Vec<IndexEntry>,
    /// The earliest birth of a key that is new: from then on it existed, though unknown (G1).
    births: Option<Timestamp>,
}

impl Work<'_> {
    /// Follows one key through the batch; whether it gained a version.
    fn chain(&mut self, rows: &[Row], link: Option<Link>, plans: &mut [PagePlan], taken: &mut Taken) -> bool {
        let mut last = link;
        // The last version of this batch, whose values complete the next one.
        let mut previous: Option<Content> = None;
        for row in rows {
            let page = &self.pages[row.page];
            let head = &page.records.heads()[row.row];
            let plan = &mut plans[row.page];
            if plan.delivered == 0 && last.is_none() && head.deleted.is_none() {
                taken.counts.rejected += 1;
                taken.rejected.push(Rejected {
                    place: head.place.clone(),
                    key: Some(head.key.clone()),
                    reason: "it came without any field and was never read before; the next full read gets it".into(),
                    raw: head.key.clone(),
                });
                continue;
            }
            let completed = (!plan.missing.is_empty()).then(|| {
                let mut values = vec![None; self.completions.fields.len()];
                for (position, field) in &plan.missing {
                    values[*position] = self.value_before(field, *position, last.as_ref(), previous);
                }
                values
            });
            let hash = if plan.delivered == 0 {
                last.map_or(0, |last| last.hash)
            } else if let Some(hashes) = &plan.hashes {
                hashes[row.row]
            } else {
                let columns = page.records.columns();
                plan.hasher.hash(|position| match columns.get(position) {
                    Some(column) => cell(column, row.row),
                    None => completed.as_ref().and_then(|values| values[position - plan.delivered].as_deref()),
                })
            };
            let (stamp, revision, deleted) = (head.stamp, head.revision, head.deleted);
            let incoming = Incoming { hash, stamp, revision, observed_at: page.observed_at, deleted };
            let decision = decide(last.as_ref(), &incoming, &self.rule);
            let valid_from = match decision {
                Decision::Unchanged => {
                    taken.counts.unchanged += 1;
                    if let Some(known) = &mut last
                        && revision.is_some()
                        && known.revision != revision
                    {
                        known.revision = revision;
                        self.links.push(IndexEntry { key: row.key, link: *known });
                    }
                    continue;
                }
                Decision::New(at) => {
                    taken.counts.new += 1;
                    at
                }
                Decision::Changed(at) => {
                    taken.counts.changed += 1;
                    at
                }
                Decision::Deleted(at) => {
                    taken.counts.deleted += 1;
                    at
                }
            };
            if last.is_none() {
                self.births = self.births.into_iter().chain(head.created_at).min();
            }
            let seq = self.base_seq + i64::try_from(row.order).unwrap_or(i64::MAX);
            let completed = completed.map(|values| {
                self.completions.rows.push(values);
                self.completions.rows.len() - 1
            });
            let content = Content::Page { page: row.page, row: row.row, completed };
            let link = Link { hash, seq, valid_from, stamp, revision, deleted };
            self.versions.push(Version {
                key: head.key.clone(),
                valid_from,
                stamp: head.stamp,
                observed_at: page.observed_at,
                created_at: head.created_at,
                seq,
                deleted: head.deleted,
                winner: head.winner.clone(),
                hash,
                content,
            });
            self.links.push(IndexEntry { key: row.key, link });
            last = Some(link);
            previous = Some(content);
        }
        previous.is_some()
    }

    /// The value `field` had in the version before.
    fn value_before(
        &self,
        field: &str,
        position: usize,
        last: Option<&Link>,
        previous: Option<Content>,
    ) -> Option<String> {
        match previous {
            Some(Content::Page { page, row, completed }) => {
                let records = &self.pages[page].records;
                match records.fields().iter().position(|name| name == field) {
                    Some(delivered) => records.value(row, delivered).map(str::to_owned),
                    None => completed.and_then(|at| self.completions.rows[at][position].clone()),
                }
            }
            _ => {
                let (batch, row) = self.predecessors.at.get(&last?.seq)?;
                cell(self.predecessors.batches[*batch].column(position + 1).as_string::<i32>(), *row).map(str::to_owned)
            }
        }
    }
}
