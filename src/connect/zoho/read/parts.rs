//! Records whose columns are asked for in parts: put together, and read again where they changed between two parts.

use std::collections::HashSet;
use std::sync::Arc;

use tracing::warn;

use super::{PRICES, Want};
use crate::clock::Timestamp;
use crate::connect::http::Tally;
use crate::connect::zoho::Zoho;
use crate::connect::zoho::api::{Judged, LISTED_IDS};
use crate::connect::zoho::coql::{self, Range};
use crate::connect::zoho::page;
use crate::connect::zoho::plan::Columns;
use crate::connect::zoho::position::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{RecordHead, Records};

/// How often records are read again that change while their parts are read.
const MOST_TRIES: u32 = 3;

impl Zoho {
    /// The records whose parts these are; those that changed meanwhile are read again, whole.
    pub(super) async fn joined(
        &self,
        want: &Want<'_>,
        mut parts: Vec<Records>,
        progress: &Progress,
        tally: &mut Tally,
    ) -> Result<Judged<Records>> {
        if want.plan.parts.len() == 1 {
            return Ok(Ok(parts.remove(0)));
        }
        let (joined, mut odd) = page::join(&want.plan.names, &parts);
        let mut all = vec![joined];
        // A file has its columns in one part; what it lacks is not asked of it again.
        let again = Want { plan: self.plan(want.stream, want.place, &self.small_way()), ..*want };
        for _ in 0..MOST_TRIES {
            if odd.is_empty() {
                break;
            }
            let mut parts = Vec::new();
            for part in &again.plan.parts {
                match self.by_ids(&again, part, &odd, tally).await? {
                    Ok(records) => parts.push(records),
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
            let (joined, still) = page::join(&again.plan.names, &parts);
            // What has a stamp behind the end by now is for the next window.
            let is_late = |head: &RecordHead| !progress.is_pass() && head.stamp >= Some(progress.until);
            all.push(page::only(joined, &all[0].fields().clone(), |head| !is_late(head)));
            odd = still;
        }
        if odd.is_empty() {
            return Ok(Ok(Records::in_one(all)));
        }
        Err(Error::new(ErrorKind::Unavailable, "records change faster than their columns can be read")
            .with("records", odd.len())
            .help("run the sync again when fewer people work in the org, or raise `query_columns`"))
    }

    /// Some columns of the records `ids`, as far as they are there.
    pub(in super::super) async fn by_ids(
        &self,
        want: &Want<'_>,
        part: &Arc<Columns>,
        ids: &[String],
        tally: &mut Tally,
    ) -> Result<Judged<Records>> {
        let mut found = Vec::new();
        for ids in ids.chunks(LISTED_IDS.min(coql::MOST_IDS)) {
            let sent = if part.by_list {
                self.api.listed(want.module(), part, ids).await?
            } else {
                self.api.select(want.module(), part, &Range::Ids(ids), ids.len()).await?
            };
            tally.add(&sent);
            match sent.value {
                Ok(page) => found.push(page.records),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        // Answers may have left out different columns; what one has, all are asked for.
        let names: HashSet<&String> = found.iter().flat_map(|records| records.fields().iter()).collect();
        let names: Arc<[String]> = part.names.iter().filter(|name| names.contains(name)).cloned().collect();
        Ok(Ok(Records::in_one(found.into_iter().map(|records| page::only(records, &names, |_| true)).collect())))
    }

    /// The same records, with the whole of those texts that may be cut.
    pub(super) async fn whole_texts(
        &self,
        want: &Want<'_>,
        mut records: Records,
        tally: &mut Tally,
    ) -> Result<Records> {
        let (names, ids) = page::cut_texts(&records, &want.plan.parts);
        if ids.is_empty() {
            return Ok(records);
        }
        let columns = Columns::texts(&names);
        for ids in ids.chunks(LISTED_IDS) {
            let sent = self.api.whole_texts(want.module(), &columns, &names, ids).await?;
            tally.add(&sent);
            match sent.value {
                Ok(page) => records = page::completed(&records, &page.records),
                Err(refusal) => {
                    let error = refusal.into_error();
                    warn!(source_id = %self.id, stream = want.stream.name, error = %error, "long texts cannot be had whole, keeping them cut");
                    break;
                }
            }
        }
        Ok(records)
    }
}

/// How many records to ask a query for that should give so many.
pub(super) fn priced(rows: usize) -> usize {
    PRICES.into_iter().find(|most| rows <= *most).unwrap_or(rows)
}

/// The same range up to a record.
pub(super) fn bounded<'a>(range: &Range<'a>, at: Option<Timestamp>, id: &'a str) -> Range<'a> {
    match range {
        Range::Window { from, ends, after, .. } => {
            Range::Window { from: *from, ends: *ends, after: *after, until: at.map(|at| (at, id)) }
        }
        Range::All { after, .. } => Range::All { after: *after, until: Some(id) },
        Range::Ids(ids) => Range::Ids(ids),
    }
}

/// The keys of records, in their order.
pub(in super::super) fn keys(records: &Records) -> Vec<String> {
    records.heads().iter().map(|head| head.key.clone()).collect()
}
