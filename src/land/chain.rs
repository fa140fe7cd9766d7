//! The walk over a batch, key by key: each row is compared with the link before it (semantics B1 to B7).

use datafusion::arrow::array::AsArray;

use super::decide::{Decision, Incoming, Link, StampRule, decide};
use super::fetch::Fetched;
use super::hash::{RowHasher, cell};
use super::index::IndexEntry;
use super::landing::Taken;
use super::versions::{Completions, Content, Version};
use crate::clock::Timestamp;
use crate::record::{Page, Rejected};

/// A row of the batch: page, row, key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) key: u128,
    pub(super) page: usize,
    pub(super) row: usize,
    pub(super) order: usize,
}

/// What a page delivers, worked out once.
pub(super) struct PagePlan {
    pub(super) hasher: RowHasher,
    pub(super) delivered: usize,
    /// Hashed fields that the log knows and the page did not deliver (B5), as positions among the completions.
    pub(super) missing: Vec<(usize, String)>,
    /// The hash of every row, where no row needs completing: taken in the order in which the values lie in
    /// memory, since the walk by key would miss the cache at every value.
    pub(super) hashes: Option<Vec<u128>>,
}

/// The walk over one batch.
pub(super) struct Work<'a> {
    pub(super) pages: &'a [Page],
    pub(super) rule: StampRule<'a>,
    pub(super) completions: Completions,
    pub(super) predecessors: &'a Fetched,
    pub(super) base_seq: i64,
    pub(super) versions: Vec<Version>,
    pub(super) links: Vec<IndexEntry>,
    /// The earliest birth of a key that is new: from then on it existed, though unknown (G1).
    pub(super) births: Option<Timestamp>,
}

impl Work<'_> {
    /// Follows one key through the batch; whether it gained a version.
    pub(super) fn chain(
        &mut self,
        rows: &[Row],
        link: Option<Link>,
        plans: &mut [PagePlan],
        taken: &mut Taken,
    ) -> bool {
        let mut last = link;
        // The last version of this batch, whose values complete the next one.
        let mut previous: Option<Content> = None;
        for row in rows {
            let page = &self.pages[row.page];
            let head = &page.records.heads()[row.row];
            let plan = &mut plans[row.page];
            if plan.delivered == 0 && last.is_none() && head.deleted.is_some() {
                // A log of deletions also names records that the stream leaves out.
                taken.counts.unchanged += 1;
                continue;
            }
            if plan.delivered == 0 && last.is_none() {
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
