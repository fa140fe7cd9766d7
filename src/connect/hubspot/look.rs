//! Looking at an account without reading it: which objects it has, and a few of their records.

use std::collections::HashSet;
use std::sync::Arc;

use super::api::{BATCH, List};
use super::links::{LINK_BATCH, first_of};
use super::place::{OWNERS, Part, STAGES};
use super::plan::Plan;
use super::refusal::Refusal;
use super::{Hubspot, StreamConfig};
use crate::connect::http::Tally;
use crate::connect::source::{Few, Offered, Others, Sighting};
use crate::connect::taker::Taker;
use crate::error::Result;
use crate::record::{Records, Stream};

/// The objects that every account has, as far as they tell of customers; the others are read by name all the same.
const STANDARD: [&str; 15] = [
    "companies",
    "contacts",
    "deals",
    "tickets",
    "line_items",
    "products",
    "quotes",
    "subscriptions",
    "leads",
    "calls",
    "emails",
    "meetings",
    "notes",
    "tasks",
    "feedback_submissions",
];

/// The objects whose records go through stages, and whose companies people ask for.
const HAVE_PIPELINES: [&str; 2] = ["deals", "tickets"];

impl Hubspot {
    /// The standard objects and the account's own that are not read.
    pub(super) async fn other_objects(&self) -> Result<Others> {
        let mut others = Others::default();
        let is_read = |name: &str| self.streams.iter().any(|config| config.name.eq_ignore_ascii_case(name));
        let offered = |name: &str, label: Option<&str>| Offered {
            name: name.to_owned(),
            label: label.map(str::to_owned),
            is_minor: false,
        };
        let standard = STANDARD.into_iter().filter(|name| !is_read(name));
        others.streams.extend(standard.map(|name| offered(name, None)));
        if !is_read(OWNERS) {
            others.streams.push(offered(OWNERS, Some("who looks after records")));
        }
        for config in self.streams.iter().filter(|config| HAVE_PIPELINES.contains(&config.name.as_str())) {
            let name = &config.name;
            if !config.pipelines {
                let label = format!("the stages of its pipelines: set `pipelines: true` for {name}");
                others.streams.push(offered(&format!("{name}.{STAGES}"), Some(&label)));
            }
            if config.associations.is_empty() {
                let label = format!("whose they are: list companies under `associations` of {name}");
                others.streams.push(offered(&format!("{name}.companies"), Some(&label)));
            }
        }
        match self.api.schemas().await {
            Ok(schemas) => others.streams.extend(
                schemas
                    .into_iter()
                    .filter(|schema| !is_read(&schema.object_type_id) && !is_read(&schema.fully_qualified_name))
                    .map(|schema| Offered {
                        name: schema.object_type_id,
                        label: schema.labels.plural.or(schema.labels.singular),
                        is_minor: false,
                    }),
            ),
            Err(error) => others.note = Some(format!("custom objects could not be listed: {}", error.message())),
        }
        Ok(others)
    }

    /// A few records: one request, or two where there are very many properties.
    pub(super) async fn look(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let mut taker = Taker::new(stream, few);
        let place = self.place(&stream.name).ok();
        let named = StreamConfig::all_of(&stream.name);
        let config = place.map_or(&named, |place| place.config);
        match place.map(|place| (place, place.part)) {
            Some((place, Part::Catalog(catalog))) => {
                let (records, _) = self.catalog(place, catalog, &mut Tally::default()).await?;
                taker.take(&records);
                return Ok(taker.finish());
            }
            Some((_, Part::Links(to))) => {
                taker.take(&self.some_links(config, to, few).await?);
                return Ok(taker.finish());
            }
            _ => {}
        }
        let is_history = place.is_some_and(|place| place.part == Part::History);
        let plan = Arc::new(if is_history { Plan::history(config) } else { Plan::new(stream) });
        let page = match few {
            Few::Key(key) => {
                let id = if is_history { first_of(key) } else { Some(key.to_owned()) };
                // HubSpot refuses an id that is no number; such a record there is not.
                let Some(id) = id.filter(|id| id.parse::<u64>().is_ok()) else { return Ok(taker.finish()) };
                self.api.batch(&config.name, &[id], &plan).await?.value.map_err(Refusal::into_error)?
            }
            Few::First(count) => {
                let limit = count.clamp(1, 50);
                let list = |plan| List { object: &config.name, plan, limit, archived: false };
                match self.api.list(list(&plan), None, None).await?.value {
                    Err(Refusal::TooLong) => {
                        let ids = self.api.list(list(&Arc::new(Plan::ids())), None, None).await?;
                        let ids = ids.value.map_err(Refusal::into_error)?.ids;
                        self.api.batch(&config.name, &ids, &plan).await?.value.map_err(Refusal::into_error)?
                    }
                    other => other.map_err(Refusal::into_error)?,
                }
            }
        };
        taker.take(&page.records);
        Ok(taker.finish())
    }

    /// The links of the first records, or of the one in a key.
    async fn some_links(&self, config: &StreamConfig, to: &str, few: Few<'_>) -> Result<Records> {
        let ids = match few {
            Few::Key(key) => first_of(key).into_iter().collect(),
            Few::First(_) => {
                let plan = Arc::new(Plan::ids());
                let list = List { object: &config.name, plan: &plan, limit: 100, archived: false };
                self.api.list(list, None, None).await?.value.map_err(Refusal::into_error)?.ids
            }
        };
        let found = self.links_of(&config.name, to, &ids, LINK_BATCH, &mut Tally::default()).await?;
        found.map_err(Refusal::into_error)
    }

    /// Which records are there; `None` for a history, of which HubSpot forgets the oldest, and for what is listed whole.
    pub(super) async fn find(&self, stream: &Stream, keys: &[String]) -> Result<Option<Sighting>> {
        let place = self.place(&stream.name)?;
        let mut tally = Tally::default();
        let mut there = HashSet::new();
        match place.part {
            Part::History | Part::Catalog(_) => return Ok(None),
            Part::Links(to) => {
                let mut ids: Vec<String> = keys.iter().filter_map(|key| first_of(key)).collect();
                ids.sort_unstable();
                ids.dedup();
                let links = self.links_of(&place.config.name, to, &ids, LINK_BATCH, &mut tally).await?;
                let links = links.map_err(Refusal::into_error)?;
                there.extend(links.heads().iter().map(|head| head.key.clone()));
            }
            Part::Records => {
                let plan = Arc::new(Plan::ids());
                for ids in keys.chunks(BATCH) {
                    let sent = self.api.batch(&place.config.name, ids, &plan).await?;
                    tally.add(&sent);
                    there.extend(sent.value.map_err(Refusal::into_error)?.ids);
                }
            }
        }
        let keys = keys.iter().filter(|key| there.contains(*key)).cloned().collect();
        Ok(Some(Sighting { keys, requests: tally.requests, bytes: tally.bytes }))
    }
}
