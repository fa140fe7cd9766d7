//! Reading a page: by the list, or by a search for ids and then by id.

mod catalog;
mod links;

use std::collections::HashSet;
use std::sync::Arc;

use tracing::{info, warn};

use super::Hubspot;
use super::api::{BATCH, Changes, HISTORY_BATCH, List};
use super::page::RecordPage;
use super::place::{Part, Place};
use super::plan::{self, Plan};
use super::position::{Kind, Progress, Rules};
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::connect::http::Tally;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Records, RecordsBuilder, Stream};

/// What a reading gave.
pub(super) struct Read {
    pub(super) asked: Progress,
    pub(super) page: RecordPage,
    /// Records of the object that it is made of.
    pub(super) rows: u64,
    pub(super) observed_at: Timestamp,
}

/// What is read of a place.
struct Want<'a> {
    place: Place<'a>,
    /// Its stream's name.
    stream: &'a str,
    plan: Arc<Plan>,
}

/// A page, the records of the object that it is made of, and when it was given; or why it was not.
type Given = std::result::Result<(RecordPage, u64, Timestamp), Refusal>;

impl Hubspot {
    /// Whether a list of all records that ends with `rows` more has fewer than there are. The list does not say how many
    /// it has; the search does, a little behind. What it still counts and the list no longer shows costs a second
    /// reading, and no more than one.
    pub(super) async fn lacks(&self, place: Place<'_>, asked: &Progress, rows: u64, tally: &mut Tally) -> Result<bool> {
        if !matches!(asked.kind, Kind::Pass { archived: false, .. }) {
            return Ok(false);
        }
        let sent = self.api.count(&place.config.name).await?;
        tally.add(&sent);
        let total = sent.value.map_err(Refusal::into_error)?.total;
        let read = asked.read + rows;
        if read >= total {
            return Ok(false);
        }
        let stream = &place.config.name;
        if asked.repeated {
            warn!(source_id = %self.id, stream, total, read, "the search counts more records than the list shows, also when read twice");
            return Ok(false);
        }
        info!(source_id = %self.id, stream, total, read, "the search counts more records than the list showed, reading it once more");
        Ok(true)
    }

    /// Reads a page in another way where the first does not do.
    pub(super) async fn read_rows(
        &self,
        stream: &Stream,
        place: Place<'_>,
        mut progress: Progress,
        rules: Rules,
        tally: &mut Tally,
    ) -> Result<Read> {
        let plan = Arc::new(if place.part == Part::History { Plan::history(place.config) } else { Plan::new(stream) });
        let want = Want { place, stream: &stream.name, plan };
        let (mut by_id, mut came_again) = (false, false);
        loop {
            let limit = progress.limit(rules);
            let given = match (place.part, &progress.kind) {
                (Part::Links(to), _) => self.read_links(&want, to, &progress, limit, tally).await?,
                (_, &Kind::Window { from, ends, .. }) => self.read_changes(&want, &progress, from, ends, tally).await?,
                (_, Kind::Pass { .. } | Kind::Archive { .. }) => {
                    self.read_list(&want, &progress, limit, by_id, tally).await?
                }
            };
            match given {
                Ok((page, ..)) if page.next.is_some() && page.next == progress.after => {
                    if std::mem::replace(&mut came_again, true) {
                        return Err(came_before());
                    }
                }
                Ok((page, rows, observed_at)) => return Ok(Read { asked: progress, page, rows, observed_at }),
                Err(Refusal::TooLong) if !by_id => by_id = true,
                Err(Refusal::TooSlow(error)) => {
                    info!(source_id = %self.id, stream = stream.name, "the answer takes too long, asking for fewer records at a time");
                    progress = progress.narrowed(rules).ok_or(error)?;
                }
                Err(refusal) => return Err(refusal.into_error()),
            }
        }
    }

    /// A page of all records, at most `limit`; with `by_id` their ids first, then the records.
    async fn read_list(
        &self,
        want: &Want<'_>,
        progress: &Progress,
        limit: u16,
        by_id: bool,
        tally: &mut Tally,
    ) -> Result<Given> {
        let archived = progress.reads_archive();
        // The archive cannot be read by id, and of what is deleted the values are known.
        let ids = Arc::new(Plan::ids());
        let plan = if by_id { &ids } else { &want.plan };
        let list = List { object: &want.place.config.name, plan, limit, archived };
        let sent = self.api.list(list, progress.after.as_deref(), Some(want.stream)).await?;
        tally.add(&sent);
        let observed_at = self.observed(sent.date.or(self.api.meter.clock()));
        let mut page = match sent.value {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let rows = page.ids.len() as u64;
        if by_id && !archived {
            let next = page.next.take();
            page = match self.hydrated(want, &page.ids, tally).await? {
                Ok(page) => RecordPage { next, ..page },
                Err(refusal) => return Ok(Err(refusal)),
            };
        }
        if let Kind::Archive { from: Some(from), .. } = progress.kind {
            page.records = since(&page.records, from);
            page.merges.retain(|merge| page.records.heads().iter().any(|head| head.key == merge.winner));
        }
        Ok(Ok((page, rows, observed_at)))
    }

    /// A page of the changes in `[from, ends)`: the search tells ids, the records are read by id.
    async fn read_changes(
        &self,
        want: &Want<'_>,
        progress: &Progress,
        from: Timestamp,
        ends: Timestamp,
        tally: &mut Tally,
    ) -> Result<Given> {
        let object = &want.place.config.name;
        let changes = Changes { object, stamp: plan::stamp_of(object), from, ends, after: progress.after.as_deref() };
        let sent = self.api.search(changes).await?;
        tally.add(&sent);
        let found = match sent.value {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (ids, next) = found.into_ids();
        let page = match self.hydrated(want, &ids, tally).await? {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let observed_at = self.observed(self.api.meter.clock().or(sent.date));
        Ok(Ok((RecordPage { next, ..page }, ids.len() as u64, observed_at)))
    }

    /// The records `ids`, as far as they are there, in no order.
    async fn hydrated(
        &self,
        want: &Want<'_>,
        ids: &[String],
        tally: &mut Tally,
    ) -> Result<std::result::Result<RecordPage, Refusal>> {
        let (mut all, mut parts) = (RecordPage::default(), Vec::new());
        let size = if want.place.part == Part::History { HISTORY_BATCH } else { BATCH };
        for ids in ids.chunks(size) {
            let mut wanted = ids.to_vec();
            // What is neither there nor missing may be of another answer; asked for once more, it was merged away.
            for _ in 0..2 {
                let sent = self.api.batch(&want.place.config.name, &wanted, &want.plan).await?;
                tally.add(&sent);
                let page = match sent.value {
                    Ok(page) => page,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let asked = wanted.len();
                let known: HashSet<&String> = page.ids.iter().chain(&page.missing).collect();
                wanted.retain(|id| !known.contains(id) && !page.merges.iter().any(|merge| merge.gone == *id));
                if wanted.len() == asked {
                    // Nothing that was asked for: an answer to another question, perhaps an old one.
                    continue;
                }
                all.ids.extend(page.ids);
                all.merges.extend(page.merges);
                parts.push(page.records);
                if wanted.is_empty() {
                    break;
                }
            }
        }
        all.records = Records::in_one(parts);
        Ok(Ok(all))
    }
}

/// The error for a list that does not go on.
fn came_before() -> Error {
    Error::new(ErrorKind::BadData, "HubSpot sent a page again that was read before")
        .help("reading would never end; run the sync again, and report it if it stays so")
}

/// The records that were put into the archive at `from` or later.
fn since(records: &Records, from: Timestamp) -> Records {
    let mut builder = RecordsBuilder::new(records.fields().clone(), 16);
    for (row, head) in records.heads().iter().enumerate() {
        if head.stamp.is_some_and(|stamp| stamp < from) {
            continue;
        }
        for field in 0..records.fields().len() {
            builder.set(field, records.value(row, field));
        }
        builder.finish_row(head.clone());
    }
    builder.finish()
}
