//! Looking at a database without reading it: which tables it has, a few of their rows, and rows by key.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::SqlSource;
use super::catalog::{self, Listed};
use super::config::{Engine, Origin, SqlStreamConfig};
use super::dialect::parts_of;
use super::form::Form;
use super::link::{Failure, Link};
use super::plan::{Layout, Plan};
use super::position::{Datum, Part};
use super::rows::Rows;
use super::session::{Cost, Work};
use crate::connect::source::{Few, Found, Offered, Others, Sighting};
use crate::connect::taker::Taker;
use crate::error::Result;
use crate::record::{Records, Stream};

/// How many rows are asked for by key at a time.
const KEYS_AT_A_TIME: usize = 1_000;

/// Lists the tables.
struct List;

#[async_trait]
impl Work for List {
    type Done = Vec<Listed>;

    async fn run(&mut self, link: &mut Link) -> Result<Self::Done, Failure> {
        catalog::list(link).await
    }
}

impl Plan {
    /// The values of a record's key; `None` when it cannot be one of this stream.
    pub(super) fn key_of(&self, key: &str) -> Option<Vec<Datum>> {
        let parts: Vec<String> = match self.key.len() {
            1 => vec![key.to_owned()],
            _ => serde_json::from_str(key).ok()?,
        };
        if parts.len() != self.key.len() {
            return None;
        }
        let datum = |(column, text): (&catalog::Column, String)| match column.form {
            Form::Bytes => Datum::Bytes(text),
            form if form.is_number() => Datum::Number(text),
            _ => Datum::Text(text),
        };
        Some(self.key.iter().zip(parts).map(datum).collect())
    }

    /// The same in every type that it may be stored as: SQLite tells a number from its text where a column has no type.
    fn keys_of(&self, key: &str) -> Vec<Vec<Datum>> {
        let Some(datums) = self.key_of(key) else { return Vec::new() };
        let mut all = vec![datums];
        if self.engine == Engine::Sqlite {
            for at in 0..self.key.len() {
                for datums in all.clone() {
                    let text = datums[at].kept().to_owned();
                    for other in [Datum::Number(text.clone()), Datum::Bytes(text)] {
                        let fits = match &other {
                            Datum::Number(text) => text.parse::<f64>().is_ok(),
                            Datum::Bytes(text) => !text.is_empty() && super::form::unbase64(text).is_some(),
                            Datum::Text(_) => false,
                        };
                        if fits {
                            let mut changed = datums.clone();
                            changed[at] = other;
                            all.push(changed);
                        }
                    }
                }
            }
        }
        all
    }
}

impl SqlSource {
    pub(super) async fn listed(&self) -> Result<Vec<Listed>> {
        self.session.with(&mut 0, &mut List).await
    }

    /// The tables and views that no stream reads.
    pub(super) async fn other_tables(&self) -> Result<Others> {
        let read: HashSet<Vec<String>> = self
            .config
            .streams
            .iter()
            .filter_map(|(name, stream)| match stream.origin(name) {
                Origin::Table(table) => Some(parts_of(&table)),
                Origin::Query(_) => None,
            })
            .collect();
        let listed = self.listed().await?.into_iter().filter(|listed| !read.contains(&parts_of(&listed.name)));
        let streams =
            listed.map(|listed| Offered { name: listed.name, label: listed.label, is_minor: listed.is_minor });
        Ok(Others { streams: streams.collect(), note: None })
    }

    /// How a table that is perhaps no stream would be read.
    pub(super) async fn plan_of_any(&self, name: &str) -> Result<Arc<Plan>> {
        if self.config.streams.contains_key(name) {
            return self.plan(name).await;
        }
        let config = SqlStreamConfig { table: Some(name.to_owned()), ..SqlStreamConfig::default() };
        let origin = config.origin(name);
        let Some(relation) = self.relations(&[&origin]).await?.pop().flatten() else {
            return Err(self.missing(&origin).await);
        };
        // What has no key of its own can be looked at all the same.
        let key = if relation.primary.is_empty() {
            let usable = relation.columns.iter().filter(|column| column.form.makes_keys());
            usable.map(|column| column.name.clone()).take(1).collect()
        } else {
            Vec::new()
        };
        let config = SqlStreamConfig { key, ..config };
        let plan = Arc::new(Plan::new(self.asked(name, &config), &relation)?);
        self.keep(name, &plan);
        Ok(plan)
    }

    /// A few records by one statement.
    pub(super) async fn look(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let plan = self.plan_of_any_known(&stream.name).await?;
        let mut taker = Taker::new(stream, few);
        let statement = match few {
            Few::First(count) => plan.first_rows(usize::from(count.max(1))),
            Few::Key(key) => {
                let keys = plan.keys_of(key);
                if keys.is_empty() {
                    return Ok(taker.finish());
                }
                plan.rows_of(&plan.records, &keys)
            }
        };
        let begin = || Rows::new(&plan, &plan.records, Part::Main, usize::MAX);
        let rows = self.session.rows(&statement, &plan.records.forms, &mut Cost::default(), begin).await?;
        taker.take(&rows.finish(&HashSet::new()).records);
        Ok(taker.finish())
    }

    async fn plan_of_any_known(&self, name: &str) -> Result<Arc<Plan>> {
        match self.known(name) {
            Some(plan) => Ok(plan),
            None => self.plan_of_any(name).await,
        }
    }

    /// Which records are there.
    pub(super) async fn find(&self, stream: &Stream, keys: &[String]) -> Result<Sighting> {
        let plan = self.plan(&stream.name).await?;
        let mut cost = Cost::default();
        let mut there = HashSet::new();
        for keys in keys.chunks(KEYS_AT_A_TIME) {
            let (records, _) = self.by_key(&plan, &plan.keys, keys, &mut cost).await?;
            there.extend(records.heads().iter().map(|head| head.key.clone()));
        }
        let keys = keys.iter().filter(|key| there.contains(*key)).cloned().collect();
        Ok(Sighting { keys, requests: cost.requests, bytes: cost.bytes })
    }

    /// Reads records by key.
    pub(super) async fn fetch(&self, stream: &Stream, keys: &[String]) -> Result<Found> {
        let plan = self.plan(&stream.name).await?;
        let mut cost = Cost::default();
        let mut found = Found::default();
        for keys in keys.chunks(KEYS_AT_A_TIME) {
            found.answers.push(self.by_key(&plan, &plan.records, keys, &mut cost).await?);
        }
        Ok(Found { requests: cost.requests, bytes: cost.bytes, ..found })
    }

    async fn by_key(
        &self,
        plan: &Plan,
        layout: &Layout,
        keys: &[String],
        cost: &mut Cost,
    ) -> Result<(Records, crate::clock::Timestamp)> {
        let datums: Vec<Vec<Datum>> = keys.iter().flat_map(|key| plan.keys_of(key)).collect();
        if datums.is_empty() {
            return Ok((Records::default(), self.session.now().await));
        }
        let statement = plan.rows_of(layout, &datums);
        let begin = || Rows::new(plan, layout, Part::Main, usize::MAX);
        let rows = self.session.rows(&statement, &layout.forms, cost, begin).await?;
        let now = match rows.clock {
            Some(now) => now,
            None => self.session.now().await,
        };
        // Rows that share a key are told by the reading of all rows; here neither of them is believed.
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for key in rows.keys() {
            *times.entry(key).or_default() += 1;
        }
        let doubled = times.into_iter().filter(|(_, count)| *count > 1).map(|(key, _)| key).collect();
        Ok((rows.finish(&doubled).records, now))
    }
}
