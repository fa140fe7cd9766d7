//! Reading links: ids by the list or the search, then what these records are linked with.

use std::sync::Arc;

use super::{Given, Want, came_before};
use crate::clock::Timestamp;
use crate::connect::http::Tally;
use crate::connect::hubspot::Hubspot;
use crate::connect::hubspot::api::{Changes, List};
use crate::connect::hubspot::links::{Input, LINK_BATCH, LinkPage};
use crate::connect::hubspot::page::RecordPage;
use crate::connect::hubspot::plan::{self, Plan};
use crate::connect::hubspot::position::{Kind, Progress};
use crate::connect::hubspot::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Records;

/// How often in a row an answer may leave records out.
const TRIES: usize = 2;

/// Ids, where they go on, and when they were given.
struct Ids {
    ids: Vec<String>,
    next: Option<String>,
    observed_at: Timestamp,
}

impl Hubspot {
    /// The links of as many records as can be asked about at a time, with `limit` ids to a page of a list.
    pub(super) async fn read_links(
        &self,
        want: &Want<'_>,
        to: &str,
        progress: &Progress,
        limit: u16,
        tally: &mut Tally,
    ) -> Result<Given> {
        // Fewer records at a time are also asked about at a time.
        let most = LINK_BATCH.min(usize::from(limit) * 10);
        let (mut ids, mut after, mut came_again) = (Vec::new(), progress.after.clone(), false);
        let (next, observed_at) = loop {
            let part = match self.some_ids(want, &progress.kind, after.as_deref(), limit, tally).await? {
                Ok(part) => part,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if part.next.is_some() && part.next == after {
                // The page before: once it may be a slip.
                if std::mem::replace(&mut came_again, true) {
                    return Err(came_before());
                }
                continue;
            }
            ids.extend(part.ids);
            match part.next {
                Some(next) if ids.len() < most => after = Some(next),
                next => break (next, part.observed_at),
            }
        };
        let records = match self.links_of(&want.place.config.name, to, &ids, most, tally).await? {
            Ok(records) => records,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let rows = ids.len() as u64;
        // Links are as they are when they are asked for, which is after the ids.
        let observed_at = self.api.meter.clock().unwrap_or(observed_at);
        Ok(Ok((RecordPage { records, ids, next, ..RecordPage::default() }, rows, observed_at)))
    }

    async fn some_ids(
        &self,
        want: &Want<'_>,
        kind: &Kind,
        after: Option<&str>,
        limit: u16,
        tally: &mut Tally,
    ) -> Result<std::result::Result<Ids, Refusal>> {
        let object = &want.place.config.name;
        if let Kind::Window { from, ends, .. } = *kind {
            let changes = Changes { object, stamp: plan::stamp_of(object), from, ends, after };
            let sent = self.api.search(changes).await?;
            tally.add(&sent);
            let observed_at = self.observed(sent.date);
            return Ok(sent.value.map(|found| {
                let (ids, next) = found.into_ids();
                Ids { ids, next, observed_at }
            }));
        }
        let plan = Arc::new(Plan::ids());
        let list = List { object, plan: &plan, limit, archived: false };
        let sent = self.api.list(list, after, Some(want.stream)).await?;
        tally.add(&sent);
        let observed_at = self.observed(sent.date);
        Ok(sent.value.map(|page| Ids { ids: page.ids, next: page.next, observed_at }))
    }

    /// All links of the records `ids` with those of the object `to`, asked about `most` at a time.
    pub(in crate::connect::hubspot) async fn links_of(
        &self,
        from: &str,
        to: &str,
        ids: &[String],
        most: usize,
        tally: &mut Tally,
    ) -> Result<std::result::Result<Records, Refusal>> {
        let mut all = LinkPage::default();
        for ids in ids.chunks(most.max(1)) {
            let mut wanted: Vec<Input> = ids.iter().map(|id| Input { id: id.clone(), after: None }).collect();
            let mut in_vain = 0;
            while !wanted.is_empty() {
                let sent = self.api.links(from, to, &wanted).await?;
                tally.add(&sent);
                let page = match sent.value {
                    Ok(page) => page,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let is_in_vain;
                (wanted, is_in_vain) = all.add(page, wanted);
                in_vain = if is_in_vain { in_vain + 1 } else { 0 };
                if in_vain > TRIES {
                    return Err(Error::new(
                        ErrorKind::Unavailable,
                        "HubSpot says nothing of the links of some records",
                    )
                    .with("records", wanted.len())
                    .with("object", from)
                    .help("run the sync again; if it stays so, report it"));
                }
            }
        }
        Ok(Ok(all.into_records()))
    }
}
