//! Salesforce objects through the REST API.
//!
//! The first read is a complete pass by id; later ones read windows over the modification stamp, with a lag
//! behind the org's clock and an overlap with the last window (semantics F1). Rows in the recycle bin come
//! with their deletion or merge; rows that vanished without a trace are found by complete passes.

mod api;
mod bulk;
mod check;
mod config;
mod csv;
mod history;
mod jwt;
mod look;
mod model;
mod page;
mod plan;
mod position;
mod read;
mod refusal;
mod rows;
mod session;
mod soql;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tracing::warn;

pub use history::facts_about;

pub use config::{AuthConfig, SalesforceConfig, StreamConfig, StreamEntry, Transport};

use self::api::{Api, Meter};
use self::plan::Plan;
use self::refusal::Refusal;
use self::session::{Identity, Session};
use self::soql::{Range, Select};
use super::http::{Ahead, Client, Limits, Tally};
use super::registry::OpenArgs;
use super::source::{Few, Finding, Others, ReadMode, Sighting, Source};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Page, Records, SourceId, Stream};

/// How many ids one question names: a query may be 100,000 characters long, an id in it takes 21.
const MAX_IDS: u16 = 2_000;

/// A Salesforce org, as configured.
pub struct Salesforce {
    id: SourceId,
    config: SalesforceConfig,
    streams: Vec<StreamConfig>,
    api: Api,
    clock: Arc<dyn Clock>,
    run_id: String,
    /// Columns that disappeared since the stream was described, by stream.
    dropped: Mutex<HashMap<String, HashSet<String>>>,
    /// The streams that have no log of deletions, as they were described.
    unlogged: Mutex<HashSet<String>>,
}

impl Salesforce {
    /// Opens the source; nothing is asked of the org yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings are wrong.
    pub fn open(args: OpenArgs) -> Result<Self> {
        let config: SalesforceConfig = args.parse_config()?;
        let login = config.validate().map_err(|error| error.with("source", &args.id))?;
        let limits = Limits { concurrency: config.concurrency, per_second: None };
        let client = Arc::new(Client::new(Arc::clone(&args.hosts), limits, args.run_id.clone()));
        let audience = config.audience(&login);
        let session = Session::new(
            args.id.clone(),
            login,
            config.auth.clone(),
            Arc::clone(&client),
            Arc::clone(&args.token_store),
            audience,
            Arc::clone(&args.clock),
        );
        let api = Api {
            client,
            session: Arc::new(session),
            version: config.api_version.clone(),
            page_size: config.page_size,
            meter: Arc::new(Meter::default()),
            pages: Ahead::default(),
            results: Ahead::default(),
        };
        let streams = config.streams();
        Ok(Salesforce {
            id: args.id,
            config,
            streams,
            api,
            clock: args.clock,
            run_id: args.run_id,
            dropped: Mutex::default(),
            unlogged: Mutex::default(),
        })
    }

    fn stream_config(&self, name: &str) -> Result<&StreamConfig> {
        self.streams.iter().find(|stream| stream.name == name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file").with("stream", name)
        })
    }

    async fn described(&self, config: &StreamConfig) -> Result<Stream> {
        let described = self.api.describe(&config.name).await;
        let stream = described.and_then(|sent| {
            // Of currencies, the log also names those that were switched off.
            if !sent.value.replicateable || sent.value.name == "CurrencyType" {
                self.unlogged.lock().unwrap_or_else(PoisonError::into_inner).insert(config.name.clone());
            }
            plan::stream_of(&sent.value, config)
        });
        stream.map_err(|error| error.with("source", &self.id).with("stream", &config.name))
    }

    fn plan(&self, stream: &Stream) -> Arc<Plan> {
        let dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::new(Plan::new(stream, dropped.get(&stream.name).unwrap_or(&HashSet::new())))
    }

    /// Whether the object has a log of deletions.
    fn is_replicated(&self, stream: &str) -> bool {
        !self.unlogged.lock().unwrap_or_else(PoisonError::into_inner).contains(stream)
    }

    /// What the credential can see of a stream: what absence is concluded from.
    fn scope(&self, config: &StreamConfig, identity: &Identity) -> String {
        let condition = config.r#where.as_deref().map(|text| format!(" where {text}")).unwrap_or_default();
        format!("{} of org {} as user {}{condition}", config.name, identity.org, identity.user)
    }

    /// The org's clock; ours only where a proxy takes the header away.
    fn observed(&self, date: Option<Timestamp>) -> Timestamp {
        date.unwrap_or_else(|| {
            warn!(source_id = %self.id, "the answer has no Date header, using our own clock");
            self.clock.now()
        })
    }

    fn check_quota(&self) -> Result<()> {
        match self.api.meter.usage() {
            #[allow(clippy::cast_precision_loss)] // requests a day are far below 2^52
            Some(usage) if usage.used as f64 >= self.config.quota_share * usage.max as f64 => {
                Err(Error::new(ErrorKind::Quota, "the org's daily API requests are used up to the configured share")
                    .with("used", usage.used)
                    .with("allowance", usage.max)
                    .with("quota_share", self.config.quota_share)
                    .help(
                        "what was read is kept; run the sync again later, or raise `quota_share` in the source's file",
                    ))
            }
            _ => Ok(()),
        }
    }

    /// Describes the stream again and drops the columns that are gone. Gives `refusal` back when none is.
    async fn drop_columns(&self, stream: &Stream, refusal: Error) -> Result<Tally> {
        let sent = self.api.describe(&stream.name).await?;
        let visible: HashSet<&str> = sent.value.fields.iter().map(|field| field.name.as_str()).collect();
        let gone: HashSet<String> =
            stream.fields.iter().map(|f| &f.name).filter(|name| !visible.contains(name.as_str())).cloned().collect();
        if let Some(needed) = gone.iter().find(|name| stream.key.contains(name) || stream.stamp.as_ref() == Some(name))
        {
            return Err(Error::new(ErrorKind::Permission, "a field that reading depends on is no longer visible")
                .with("field", needed)
                .help("give the app's user read access to it, then run the sync again")
                .caused_by(refusal));
        }
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let known = dropped.entry(stream.name.clone()).or_default();
        if gone.is_subset(known) {
            return Err(refusal);
        }
        for name in gone.difference(known) {
            warn!(source_id = %self.id, stream = stream.name, field = name, "the field is no longer visible, reading without it");
        }
        known.extend(gone);
        Ok(Tally { requests: sent.requests, bytes: sent.bytes })
    }

    /// Looks for rows by id, so many at a time as one answer can hold.
    async fn find(&self, stream: &Stream, keys: &[String]) -> Result<Sighting> {
        let config = self.stream_config(&stream.name)?;
        let plan = Arc::new(Plan::keys());
        let mut sighting = Sighting::default();
        for ids in keys.chunks(usize::from(self.config.page_size.min(MAX_IDS))) {
            self.check_quota()?;
            let range = Range::Ids(ids);
            let select =
                Select { object: &stream.name, fields: &plan.names, condition: config.r#where.as_deref(), range };
            let mut sent = self.api.query(&select.to_soql(), &plan, None).await?;
            // To the last page: an id on one that was not read would be taken for gone.
            loop {
                sighting.requests += sent.requests;
                sighting.bytes += sent.bytes;
                let page = sent.value.map_err(Refusal::into_error)?;
                sighting.keys.extend(page.records.heads().iter().map(|head| head.key.clone()));
                let Some(next) = page.next else { break };
                sent = self.api.more(&next, &plan, None).await?;
            }
        }
        Ok(sighting)
    }

    async fn server_time(&self, tally: &mut Tally) -> Result<Timestamp> {
        let sent = self.api.server_time().await?;
        tally.add(&sent);
        Ok(self.observed(sent.date))
    }
}

#[async_trait]
impl Source for Salesforce {
    async fn check(&self) -> Vec<Finding> {
        self.findings().await
    }

    fn streams(&self) -> Vec<String> {
        self.streams.iter().map(|stream| stream.name.clone()).collect()
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        self.check_quota()?;
        let stream = self.described(self.stream_config(name)?).await?;
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(stream)
    }

    async fn read_page(
        &self,
        stream: &Stream,
        cursor: Option<&Cursor>,
        first_of_run: bool,
        mode: ReadMode,
    ) -> Result<Page> {
        let page = self.page(stream, cursor, first_of_run, mode).await;
        page.map_err(|error| error.with("source", &self.id).with("stream", &stream.name))
    }

    async fn others(&self) -> Result<Others> {
        self.other_objects().await.map_err(|error| error.with("source", &self.id))
    }

    async fn describe_other(&self, name: &str) -> Result<Stream> {
        self.describe_any(name).await
    }

    async fn sample(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let records = self.look(stream, few).await;
        records.map_err(|error| error.with("source", &self.id).with("stream", &stream.name))
    }

    async fn still_there(&self, stream: &Stream, keys: &[String]) -> Result<Option<Sighting>> {
        let found = self.find(stream, keys).await;
        found.map(Some).map_err(|error| error.with("source", &self.id).with("stream", &stream.name))
    }
}
