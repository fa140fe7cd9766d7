//! The end of a complete reading: what it did not show is gone, and what a late file must not change is said again
//! (semantics D, E2).

use std::collections::{BTreeSet, HashSet};

use datafusion::arrow::array::AsArray;
use tracing::warn;

use super::absence::{Absences, brake};
use super::decide::Link;
use super::fetch::fetch;
use super::index::IndexEntry;
use super::lander::Lander;
use super::landing::{Confirm, Landing, Taken};
use super::seen::Seen;
use super::timeline;
use super::versions::{Content, Version};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{AbsenceNote, KeyMap, Pass, Statement};
use crate::record::{DeleteKind, Page, Reading};

/// The state that a late statement must not change (D1).
pub(super) struct Later {
    pub(super) at: Timestamp,
    pub(super) links: KeyMap<Link>,
}

impl Lander {
    #[allow(clippy::too_many_arguments)] // one call, and each is another thing
    pub(super) async fn end_reading(
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
        let is_delta = matches!(reading, Reading::Statement { is_delta: true, .. });
        let mut absences = Absences::new(seen, start_seq);
        match earlier {
            // What a delta leaves out is as it was.
            _ if is_delta => {}
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
            Reading::Statement { at, name, fingerprint, .. } => {
                let mut fields = delivered.to_vec();
                if is_delta && let Some((_, before)) = self.ledger.statements(Timestamp::MAX).range(..*at).next_back() {
                    // Fields that it leaves out are as they were, too.
                    fields.extend(before.fields.iter().filter(|field| !delivered.contains(field)).cloned());
                }
                let (name, fingerprint) = (name.clone(), fingerprint.clone());
                let statement = Statement { at: *at, name, fingerprint, fields };
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
pub(super) fn push_restatement(
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
