//! Looking at an account without reading it: which objects it has, and a few of their records.

use std::collections::HashSet;
use std::sync::Arc;

use super::api::{BATCH, List};
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

impl Hubspot {
    /// The standard objects and the account's own that are not read.
    pub(super) async fn other_objects(&self) -> Result<Others> {
        let mut others = Others::default();
        let is_read = |name: &str| self.streams.iter().any(|config| config.name.eq_ignore_ascii_case(name));
        others.streams.extend(STANDARD.into_iter().filter(|name| !is_read(name)).map(|name| Offered {
            name: name.to_owned(),
            label: None,
            is_minor: false,
        }));
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
        let is_history = place.is_some_and(|place| place.is_history);
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

    /// Which records are there; `None` for a history, of which HubSpot forgets the oldest.
    pub(super) async fn find(&self, stream: &Stream, keys: &[String]) -> Result<Option<Sighting>> {
        let place = self.place(&stream.name)?;
        if place.is_history {
            return Ok(None);
        }
        let plan = Arc::new(Plan::ids());
        let mut tally = Tally::default();
        let mut there = HashSet::new();
        for ids in keys.chunks(BATCH) {
            let sent = self.api.batch(&place.config.name, ids, &plan).await?;
            tally.add(&sent);
            there.extend(sent.value.map_err(Refusal::into_error)?.ids);
        }
        let keys = keys.iter().filter(|key| there.contains(*key)).cloned().collect();
        Ok(Some(Sighting { keys, requests: tally.requests, bytes: tally.bytes }))
    }
}

/// The id in the key of a row of history.
fn first_of(key: &str) -> Option<String> {
    serde_json::from_str::<Vec<String>>(key).ok()?.into_iter().next()
}
