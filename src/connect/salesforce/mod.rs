//! Salesforce objects through the REST API.
//!
//! The first read is a complete pass by id; later ones read windows over the modification stamp, with a lag
//! behind the org's clock and an overlap with the last window (semantics F1). Rows in the recycle bin come
//! with their deletion or merge; rows that vanished without a trace are found by complete passes.

mod api;
mod config;
mod jwt;
mod look;
mod model;
mod page;
mod plan;
mod position;
mod refusal;
mod session;
mod soql;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tracing::{info, warn};

pub use config::{AuthConfig, SalesforceConfig, StreamConfig, StreamEntry};

use self::api::{Api, Meter};
use self::page::QueryPage;
use self::plan::Plan;
use self::position::{Position, Progress, Rules, State, Step, next_step};
use self::refusal::Refusal;
use self::session::{Identity, Session};
use self::soql::{Range, Select};
use super::http::{Client, Limits, Sent};
use super::registry::OpenArgs;
use super::source::{Few, Finding, Others, ReadMode, Sighting, Source};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Next, Page, Records, SourceId, Stream};

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
        })
    }

    fn stream_config(&self, name: &str) -> Result<&StreamConfig> {
        self.streams.iter().find(|stream| stream.name == name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file").with("stream", name)
        })
    }

    async fn described(&self, config: &StreamConfig) -> Result<Stream> {
        let described = self.api.describe(&config.name).await;
        let stream = described.and_then(|sent| plan::stream_of(&sent.value, config));
        stream.map_err(|error| error.with("source", &self.id).with("stream", &config.name))
    }

    fn plan(&self, stream: &Stream) -> Arc<Plan> {
        let dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::new(Plan::new(stream, dropped.get(&stream.name).unwrap_or(&HashSet::new())))
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

    /// Asks for the page at `progress`, in another way where the first is refused.
    async fn ask(
        &self,
        stream: &Stream,
        config: &StreamConfig,
        mut progress: Progress,
        tally: &mut Tally,
    ) -> Result<(Progress, Sent<QueryPage>)> {
        loop {
            let plan = if progress.is_sweep() { Arc::new(Plan::keys()) } else { self.plan(stream) };
            let sent = match &progress.locator {
                Some(next) => self.api.more(next, &plan).await?,
                None => {
                    let select = Select {
                        object: &stream.name,
                        fields: &plan.names,
                        condition: config.r#where.as_deref(),
                        range: progress.range(stream.stamp.as_deref()),
                    };
                    self.api.query(&select.to_soql(), &plan).await?
                }
            };
            tally.add(&sent);
            match sent.value {
                Ok(value) => {
                    let sent = Sent { value, date: sent.date, requests: sent.requests, bytes: sent.bytes };
                    return Ok((progress, sent));
                }
                Err(Refusal::LocatorGone) if progress.locator.is_some() => {
                    info!(source_id = %self.id, stream = stream.name, "the place in the result is gone, going on by key");
                    progress = progress.asked_anew();
                }
                Err(Refusal::TooSlow(error)) => {
                    info!(source_id = %self.id, stream = stream.name, "the query is too slow, asking for less at a time");
                    progress = progress.narrowed().ok_or(error)?;
                }
                Err(Refusal::FieldGone(error)) => {
                    let extra = self.drop_columns(stream, error).await?;
                    tally.requests += extra.requests;
                    tally.bytes += extra.bytes;
                    progress = progress.asked_anew();
                }
                Err(refusal) => return Err(refusal.into_error()),
            }
        }
    }

    async fn page(&self, stream: &Stream, cursor: Option<&Cursor>, first_of_run: bool, mode: ReadMode) -> Result<Page> {
        self.check_quota()?;
        let config = self.stream_config(&stream.name)?;
        let identity = self.api.session.identity().await?;
        let scope = self.scope(config, &identity);
        let rules = Rules {
            lag_secs: self.config.lag_secs.into(),
            overlap_secs: self.config.overlap_secs.into(),
            sweep_secs: (config.sweep_days.unwrap_or(self.config.sweep_days) > 0)
                .then(|| i64::from(config.sweep_days.unwrap_or(self.config.sweep_days)) * 86_400),
            has_stamp: stream.stamp.is_some(),
        };
        let state = usable_state(cursor, &identity, &scope)?;
        let mut tally = Tally::default();
        let progress = match next_step(state, first_of_run, mode, rules) {
            Step::Continue(progress) => progress,
            Step::BeginPass { since } => {
                let now = self.server_time(&mut tally).await?;
                Progress::pass(&self.run_id, now, since, rules)
            }
            Step::BeginWindow { since, swept_at } => {
                let now = self.server_time(&mut tally).await?;
                Progress::window(now, since, swept_at, rules)
            }
        };
        let (progress, sent) = self.ask(stream, config, progress, &mut tally).await?;
        let observed_at = self.observed(sent.date);
        let reading = progress.reading(&scope);
        let (until, resumed) = (progress.until, progress.resumed);
        let (done, sweep) = (progress.done(), progress.sweep_after(&self.run_id, observed_at, rules));
        let is_sweep = progress.is_sweep();
        let QueryPage { total, next, records, last } = sent.value;
        let (rest, source_total) = progress.advanced(records.len() as u64, total, next, last);
        let ends_reading = rest.is_none();
        let is_last = ends_reading && sweep.is_none() && !(resumed && rules.has_stamp);
        let state = rest.or(sweep).map_or(done, State::Reading);
        let cursor = Position { org: identity.org, scope, state }.to_cursor()?;
        let next = if is_last { Next::Done { cursor, complete_through: Some(until) } } else { Next::More(cursor) };
        Ok(Page {
            records,
            rejected: Vec::new(),
            reading: Some(reading),
            ends_reading,
            next,
            observed_at,
            // Of a sweep the source counts keys; what the run read is told by its windows.
            source_total: source_total.filter(|_| !is_sweep),
            requests: tally.requests,
            bytes: tally.bytes,
        })
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
            let sent = self.api.query(&select.to_soql(), &plan).await?;
            sighting.requests += sent.requests;
            sighting.bytes += sent.bytes;
            let page = sent.value.map_err(Refusal::into_error)?;
            sighting.keys.extend(page.records.heads().iter().map(|head| head.key.clone()));
        }
        Ok(sighting)
    }

    async fn server_time(&self, tally: &mut Tally) -> Result<Timestamp> {
        let sent = self.api.server_time().await?;
        tally.add(&sent);
        Ok(self.observed(sent.date))
    }
}

/// The state of the cursor, unless what could be seen has changed since: then everything is read again.
fn usable_state(cursor: Option<&Cursor>, identity: &Identity, scope: &str) -> Result<Option<State>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let position = Position::parse(cursor)?;
    if position.org != identity.org {
        return Err(Error::new(
            ErrorKind::Config,
            "the credentials now lead to another org than the one that was read",
        )
        .with("org_before", &position.org)
        .with("org_now", &identity.org)
        .help("if the sandbox was refreshed or the org was moved, read it as a new source with another name"));
    }
    Ok((position.scope == scope).then_some(position.state))
}

/// Requests and bytes that a page took.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    requests: u64,
    bytes: u64,
}

impl Tally {
    fn add<T>(&mut self, sent: &Sent<T>) {
        self.requests += sent.requests;
        self.bytes += sent.bytes;
    }
}

#[async_trait]
impl Source for Salesforce {
    async fn check(&self) -> Vec<Finding> {
        let ok = |what: &str, detail: String| Finding { ok: true, what: what.to_owned(), detail };
        let bad = |what: &str, error: Error| Finding { ok: false, what: what.to_owned(), detail: error.render() };
        let mut findings = Vec::new();
        match self.api.session.identity().await {
            Ok(identity) => {
                findings.push(ok("credentials", format!("signed in to org {} as user {}", identity.org, identity.user)))
            }
            Err(error) => return vec![bad("credentials", error)],
        }
        if let Err(error) = self.api.limits().await {
            findings.push(bad("API access", error));
            return findings;
        }
        let usage = self.api.meter.usage();
        let used =
            usage.map_or(String::new(), |usage| format!("; {} of {} daily requests used", usage.used, usage.max));
        findings.push(ok("API access", format!("version {}{used}", self.config.api_version)));
        match self.api.organization().await {
            Ok(Some(org)) => {
                let sandbox = if org.is_sandbox { ", a sandbox" } else { "" };
                let kind = org.organization_type.unwrap_or_default();
                findings.push(ok("org", format!("{} ({kind}{sandbox})", org.name)));
            }
            Ok(None) => findings.push(ok("org", "the app's user may not see its name".to_owned())),
            Err(error) => findings.push(bad("org", error)),
        }
        for config in &self.streams {
            let what = format!("object {}", config.name);
            let seen = match self.described(config).await {
                Ok(stream) => self.api.probe(&config.name).await.map(|()| stream),
                Err(error) => Err(error),
            };
            findings.push(match seen {
                Ok(stream) => {
                    let by = stream.stamp.map_or("in full each time".to_owned(), |stamp| format!("by {stamp}"));
                    ok(&what, format!("{} fields visible, changes are read {by}", stream.fields.len()))
                }
                Err(error) => bad(&what, error),
            });
        }
        findings
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
