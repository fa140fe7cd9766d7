//! Takes batches of pages and tells what they add to the log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tracing::info;

use super::chain::{PagePlan, Row, Work};
use super::decide::{Link, StampRule};
use super::ending::{Later, push_restatement};
use super::fetch::{Fetched, fetch};
use super::hash::{RowHasher, cell};
use super::index::Index;
use super::landing::{Landing, Taken};
use super::rebuild::{last_links, links_at};
use super::seen::{PassProgress, Seen};
use super::timeline::{self, Timeline};
use super::versions::{Completions, Origins, build};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Lake, Ledger, LogTable, key_hash};
use crate::record::{FieldClass, Page, Reading, RecordHead, Rejected, Stream, StreamId};

/// Tells what is new about one stream.
#[derive(Debug)]
pub struct Lander {
    pub(super) stream: Stream,
    pub(super) log: LogTable,
    pub(super) ledger: Ledger,
    pub(super) index: Index,
    pub(super) seen_folder: PathBuf,
    pub(super) seen: Option<Seen>,
    pub(super) timeline: Timeline,
    pub(super) max_seq: i64,
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
        let earlier = match &reading {
            Reading::Statement { at, is_delta, .. } if later.is_some() || (*is_delta && self.is_late(*at)) => {
                Some(links_at(&self.log, *at).await?)
            }
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
        // Reading order gives the numbers, also to rows that make no version; gaps are allowed.
        let shown: usize = pages.iter().map(|page| page.records.len()).sum();
        versions.sort_unstable_by_key(|version| version.seq);
        let mut next_seq = self.max_seq + i64::try_from(shown).unwrap_or(i64::MAX) + 1;

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

    /// When the statement in force next after `at` is.
    fn statement_after(&self, at: Timestamp) -> Option<Timestamp> {
        self.ledger.statements(Timestamp::MAX).range(at.plus_micros(1)..).next().map(|(at, _)| *at)
    }

    /// Whether something was stated after `at`.
    fn is_late(&self, at: Timestamp) -> bool {
        self.statement_after(at).is_some()
    }

    /// For a full statement with a later one in force: that one's date, and the links that counted then. What a later
    /// delta left out it did not state, so nothing is said again for it; its source reads it once more instead.
    async fn later_statement(&self, reading: &Reading) -> Result<Option<Later>> {
        let Reading::Statement { at, is_delta: false, .. } = reading else { return Ok(None) };
        let next = self.statement_after(*at);
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
            Reading::Statement { name, fingerprint, at, .. } => format!("statement {at} {name} {fingerprint}"),
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
