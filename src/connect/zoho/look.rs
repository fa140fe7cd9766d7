//! Looking at an org without reading it: which modules it has, and a few of their records.

use std::collections::HashSet;

use super::api::{LISTED, LISTED_IDS, List};
use super::plan::{Interface, Plan};
use super::read::keys;
use super::refusal::Refusal;
use super::{Place, StreamConfig, Zoho};
use crate::connect::http::Tally;
use crate::connect::source::{Few, Offered, Others, Sighting};
use crate::connect::taker::Taker;
use crate::connect::zoho::page;
use crate::connect::zoho::read::Want;
use crate::error::Result;
use crate::record::{Records, Stream};

/// What the product keeps for itself: rows of sub-forms and links beside whatever records are made of.
const MINOR: [&str; 4] = ["subform", "linking", "web", "system"];

/// Of how many records the children are looked at.
const LOOKED_AT: u16 = 10;

impl Zoho {
    /// The modules that are not read, of those that the API serves. Some of them cannot be read all the same; which,
    /// only asking tells.
    pub(super) async fn other_modules(&self) -> Result<Others> {
        let sent = self.api.modules().await?;
        let is_read = |name: &str| self.streams.iter().any(|config| config.name == name);
        let served = sent.value.into_iter().filter(|module| module.api_supported && module.viewable);
        let streams = served.filter(|module| !is_read(&module.api_name)).map(|module| Offered {
            is_minor: module.generated_type.is_some_and(|kind| MINOR.contains(&kind.as_str())),
            name: module.api_name,
            label: module.plural_label,
        });
        Ok(Others { streams: streams.collect(), note: None })
    }

    /// A few records by lists: one request, or some more where there are very many fields.
    pub(super) async fn look(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let mut taker = Taker::new(stream, few);
        let named = StreamConfig::all_of(&stream.name);
        let place = self.place(&stream.name).unwrap_or(Place { config: &named, module: &named.name, child: None });
        if place.child.is_some() {
            return self.look_at_children(stream, place, few).await;
        }
        let plan = Plan::new(stream, Interface::List, usize::from(self.config.query_columns), &HashSet::new());
        let want = Want { place, stream, plan };
        let mut tally = Tally::default();
        let first = &want.plan.parts[0];
        let records = match few {
            // Zoho refuses an id that is no number; such a record there is not.
            Few::Key(key) if key.parse::<u64>().is_err() => return Ok(taker.finish()),
            Few::Key(key) => {
                self.by_ids(&want, first, &[key.to_owned()], &mut tally).await?.map_err(Refusal::into_error)?
            }
            Few::First(count) => {
                let limit = count.clamp(1, LISTED);
                let list = List { module: place.module, columns: first, since: None, limit, token: None, ahead: None };
                self.api.list(list).await?.value.map_err(Refusal::into_error)?.records
            }
        };
        let ids = keys(&records);
        let mut parts = vec![records];
        for part in want.plan.parts.iter().skip(1).filter(|_| !ids.is_empty()) {
            parts.push(self.by_ids(&want, part, &ids, &mut tally).await?.map_err(Refusal::into_error)?);
        }
        taker.take(&page::join(&want.plan.names, &parts).0);
        Ok(taker.finish())
    }

    /// A few of those that belong to the first records of a module; by key they cannot be asked for.
    async fn look_at_children(&self, stream: &Stream, place: Place<'_>, few: Few<'_>) -> Result<Records> {
        let mut taker = Taker::new(stream, few);
        let mut tally = Tally::default();
        let plan = Plan::keys(true, true);
        let (module, limit) = (&place.config.name, LOOKED_AT);
        let list = List { module, columns: &plan.parts[0], since: None, limit, token: None, ahead: None };
        let parents = self.api.list(list).await?.value.map_err(Refusal::into_error)?.records;
        if let Some(child) = place.child {
            let place = Place { module, ..place };
            taker.take(&self.children(stream, place, child, &parents, &mut tally).await?);
        }
        Ok(taker.finish())
    }

    /// Which records are there.
    pub(super) async fn find(&self, stream: &Stream, keys: &[String]) -> Result<Option<Sighting>> {
        let place = self.place(&stream.name)?;
        // Of what belongs to a record, and of facts, the reading is believed.
        if place.child.is_some() {
            return Ok(None);
        }
        let plan = Plan::keys(false, true);
        let mut tally = Tally::default();
        let mut there = HashSet::new();
        for ids in keys.chunks(LISTED_IDS) {
            self.check_credits()?;
            let sent = self.api.listed(place.module, &plan.parts[0], ids).await?;
            tally.add(&sent);
            let page = sent.value.map_err(Refusal::into_error)?;
            there.extend(page.records.heads().iter().map(|head| head.key.clone()));
        }
        let keys = keys.iter().filter(|key| there.contains(*key)).cloned().collect();
        Ok(Some(Sighting { keys, requests: tally.requests, bytes: tally.bytes }))
    }
}
