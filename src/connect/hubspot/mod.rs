//! HubSpot objects through the CRM API.
//!
//! The first read is a list of everything by id; later ones ask the search for the ids of what changed, and read those
//! records by id, since the search index is behind the records and shows neither all properties nor any history.
//! A deletion moves no stamp and no search shows it: the archive is looked through instead. What became of properties
//! before the first sync is a stream of its own, of facts.

mod api;
mod catalog;
mod check;
mod config;
mod links;
mod look;
mod model;
mod page;
mod place;
mod plan;
mod position;
mod read;
mod refusal;
mod session;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tracing::warn;
use url::Url;

pub use config::{HubspotConfig, OauthConfig, Sensitivity, StreamConfig, StreamEntry};
pub use plan::facts_about;

use self::api::{Api, BATCH, HISTORY_BATCH, Meter};
use self::place::{Part, Place};
use self::position::{Merge, Position, Progress, Rules, State, Step, next_step};
use self::read::Read;
use self::session::{Key, TokenPoint};
use super::http::{Ahead, Authorize, Client, Limits, Tally};
use super::oauth::{Session, fingerprint};
use super::registry::OpenArgs;
use super::source::{Few, Finding, Others, ReadMode, Sighting, Source};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, DeleteKind, Next, Page, Reading, RecordHead, Records, RecordsBuilder, SourceId, Stream};

/// Searches a second, for an account; it allows five, to all programs together.
const SEARCHES_PER_SECOND: u32 = 4;

/// A HubSpot account, as configured.
pub struct Hubspot {
    id: SourceId,
    config: HubspotConfig,
    streams: Vec<StreamConfig>,
    api: Api,
    clock: Arc<dyn Clock>,
    run_id: String,
    /// Number of the account and what finding it out cost; told with the first page.
    portal: tokio::sync::Mutex<Option<u64>>,
    costs: Mutex<HashMap<String, Tally>>,
    /// The pipelines of objects, and when they were listed.
    pipelines: tokio::sync::Mutex<HashMap<String, Listed>>,
}

type Listed = Arc<(Vec<catalog::Pipeline>, Timestamp)>;

impl Hubspot {
    /// Opens the source; nothing is asked of HubSpot yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings are wrong.
    pub fn open(args: OpenArgs) -> Result<Self> {
        let config: HubspotConfig = args.parse_config()?;
        let here = |error: Error| error.with("source", &args.id);
        let base = rooted(config.validate().map_err(here)?);
        let secret = config.token.as_ref().or(config.oauth.as_ref().map(|oauth| &oauth.refresh_token));
        let account = secret.map(fingerprint).unwrap_or_default();
        let limits =
            Limits { concurrency: config.concurrency, per_second: NonZeroU32::new(config.requests_per_second) };
        let search = Limits { concurrency: 1, per_second: NonZeroU32::new(SEARCHES_PER_SECOND) };
        let client = |limits, name: &str| {
            Client::new(Arc::clone(&args.hosts), limits, args.run_id.clone())
                .sharing_budget(format!("hubspot {name} {account}"))
        };
        let searcher = client(search, "search");
        let client = Arc::new(client(limits, "api"));
        let auth: Arc<dyn Authorize> = match (&config.oauth, &config.token) {
            (Some(oauth), _) => {
                let address = base.join(&format!("oauth/{}/token", api::VERSION)).map_err(|error| {
                    here(Error::new(ErrorKind::Config, "not an address to sign in at").caused_by(error))
                })?;
                let point = TokenPoint { address, config: oauth.clone(), client: Arc::clone(&client) };
                let store = Arc::clone(&args.token_store);
                Arc::new(Session::new(args.id.clone(), oauth.refresh_token.clone(), store, point))
            }
            (None, token) => Arc::new(Key(token.clone().unwrap_or_default())),
        };
        let meter = Arc::new(Meter::default());
        let api = Api { client, searcher, base, auth, meter, pages: Ahead::default() };
        let streams = config.streams();
        Ok(Hubspot {
            id: args.id,
            config,
            streams,
            api,
            clock: args.clock,
            run_id: args.run_id,
            portal: tokio::sync::Mutex::default(),
            costs: Mutex::default(),
            pipelines: tokio::sync::Mutex::default(),
        })
    }

    fn place(&self, name: &str) -> Result<Place<'_>> {
        let mut places = self.streams.iter().flat_map(StreamConfig::places);
        places.find(|(known, _)| known == name).map(|(_, place)| place).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file").with("stream", name)
        })
    }

    /// Adds to what the stream cost since its last page.
    fn owe(&self, stream: &str, cost: impl Into<Tally>) {
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        *costs.entry(stream.to_owned()).or_default() += cost.into();
    }

    fn owed(&self, stream: &str) -> Tally {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).remove(stream).unwrap_or_default()
    }

    /// The number of the account; asked once.
    async fn portal(&self, stream: &str) -> Result<u64> {
        let mut known = self.portal.lock().await;
        if let Some(portal) = *known {
            return Ok(portal);
        }
        let sent = self.api.account().await?;
        self.owe(stream, &sent);
        *known = Some(sent.value.portal_id);
        Ok(sent.value.portal_id)
    }

    /// What an object offers now.
    async fn described(&self, stream: &str, config: &StreamConfig) -> Result<Stream> {
        let mut sent = self.api.properties(&config.name, "non_sensitive").await?;
        self.owe(stream, &sent);
        for class in &self.config.sensitive {
            let more = self.api.properties(&config.name, class.as_str()).await?;
            self.owe(stream, &more);
            sent.value.extend(more.value);
        }
        if config.pipelines {
            let mut tally = Tally::default();
            let pipelines = self.pipelines(config, &mut tally).await;
            self.owe(stream, tally);
            sent.value.extend(catalog::stage_times(&pipelines?.0, &sent.value));
        }
        plan::stream_of(&sent.value, config, self.config.archive_minutes == 0)
    }

    /// HubSpot's clock; ours only where a proxy takes the header away.
    fn observed(&self, date: Option<Timestamp>) -> Timestamp {
        date.unwrap_or_else(|| {
            warn!(source_id = %self.id, "the answer has no Date header, using our own clock");
            self.clock.now()
        })
    }

    fn rules(&self, place: Place<'_>) -> Rules {
        let days = place.config.refresh_days.unwrap_or(self.config.refresh_days);
        let most = if place.part == Part::History { HISTORY_BATCH } else { BATCH };
        let refresh = match place.part {
            Part::Records => i64::from(days) * 86_400,
            // What a history forgets we keep.
            Part::History => 0,
            Part::Links(_) | Part::Catalog(_) => i64::from(self.config.sweep_hours) * 3_600,
        };
        Rules {
            lag_secs: self.config.lag_secs.into(),
            overlap_secs: self.config.overlap_secs.into(),
            trail_secs: (self.config.trail_minutes > 0).then(|| i64::from(self.config.trail_minutes) * 60),
            refresh_secs: (refresh > 0).then_some(refresh),
            archive_secs: (place.part == Part::Records).then(|| i64::from(self.config.archive_minutes) * 60),
            page_size: self.config.page_size.min(u16::try_from(most).unwrap_or(u16::MAX)),
        }
    }

    fn check_quota(&self) -> Result<()> {
        let Some((used, daily)) = self.api.meter.usage() else { return Ok(()) };
        #[allow(clippy::cast_precision_loss)] // requests are far below 2^52
        if (used as f64) < daily as f64 * self.config.quota_share {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Quota, "the share of the day's requests that this source may use is used up")
            .with("used", used)
            .with("daily", daily)
            .help(
                "what was read is kept; run the sync again after midnight in the account's time zone, or raise \
                 `quota_share` in the source's file",
            ))
    }

    async fn page(&self, stream: &Stream, cursor: Option<&Cursor>, first_of_run: bool, mode: ReadMode) -> Result<Page> {
        let place = self.place(&stream.name)?;
        let before = cursor.map(Position::parse).transpose()?;
        let portal = self.portal(&stream.name).await?;
        if let Some(before) = before.as_ref().filter(|before| before.portal != portal) {
            return Err(Error::new(
                ErrorKind::Config,
                "the token now leads to another account than the one that was read",
            )
            .with("account_before", before.portal)
            .with("account_now", portal)
            .help("read the other account as a new source with another name"));
        }
        self.check_quota()?;
        let mut tally = self.owed(&stream.name);
        let now = self.observed(self.api.meter.clock());
        let rules = self.rules(place);
        if let Part::Catalog(catalog) = place.part {
            return self.catalog_page(place, catalog, before, mode, (portal, rules), tally).await;
        }
        let scope = place.scope();
        let state = before.filter(|before| before.scope == scope).map(|before| before.state);
        let progress = match next_step(state, first_of_run, mode) {
            Step::Continue(progress) => progress,
            Step::BeginPass { since } => Progress::pass(&self.run_id, now, since, rules),
            Step::BeginWindow { since, looks } => Progress::window(now, since, looks, rules),
        };
        let (read, progress, ends_reading) = if progress.merges.is_empty() {
            let read = self.read_rows(stream, place, progress, rules, &mut tally).await?;
            let Read { asked, page, rows, observed_at } = read;
            let has_archive = place.part == Part::Records;
            let is_end = page.next.is_none();
            let (progress, ends) = if is_end && self.lacks(place, &asked, rows, &mut tally).await? {
                (asked.clone().begun_again(), false)
            } else {
                asked.clone().advanced(rows, page.next, page.merges, has_archive)
            };
            (Told { reading: asked.reading(&scope), records: page.records, observed_at }, progress, ends)
        } else {
            let records = merged(&progress.merges);
            let (told, ends) = progress.clone().told();
            (Told { reading: progress.reading(&scope), records, observed_at: now }, told, ends)
        };
        let Told { reading, records, observed_at } = read;
        let (until, resumed) = (progress.until, progress.resumed);
        let next = if ends_reading { progress.follow_up(&self.run_id, observed_at, rules) } else { None };
        let is_last = ends_reading && next.is_none() && !resumed;
        let state = match (ends_reading, next) {
            (false, _) => State::Reading(progress),
            (true, Some(next)) => State::Reading(next),
            (true, None) => progress.done(),
        };
        let cursor = Position { portal, scope, state }.to_cursor()?;
        let next = if is_last { Next::Done { cursor, complete_through: Some(until) } } else { Next::More(cursor) };
        Ok(Page {
            records,
            rejected: Vec::new(),
            reading: Some(reading),
            ends_reading,
            next,
            waits: false,
            observed_at,
            source_total: None,
            requests: tally.requests,
            bytes: tally.bytes,
        })
    }
}

/// What a page tells.
struct Told {
    reading: Reading,
    records: Records,
    observed_at: Timestamp,
}

/// The address with a slash at its end, so that paths go below it.
fn rooted(mut base: Url) -> Url {
    if !base.path().ends_with('/') {
        let path = format!("{}/", base.path());
        base.set_path(&path);
    }
    base
}

/// Records that are gone into others, without any field.
fn merged(merges: &[Merge]) -> Records {
    let mut builder = RecordsBuilder::new(Arc::from([]), merges.len());
    for Merge { gone, winner, at } in merges {
        builder.finish_row(RecordHead {
            key: gone.clone(),
            stamp: *at,
            deleted: Some(DeleteKind::Merged),
            winner: Some(winner.clone()),
            ..RecordHead::default()
        });
    }
    builder.finish()
}

#[async_trait]
impl Source for Hubspot {
    async fn check(&self) -> Vec<Finding> {
        self.findings().await
    }

    fn streams(&self) -> Vec<String> {
        self.streams.iter().flat_map(StreamConfig::places).map(|(name, _)| name).collect()
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        let described = async {
            let place = self.place(name)?;
            match place.part {
                Part::Records => self.described(name, place.config).await,
                Part::History => Ok(plan::history_stream(place.config)),
                Part::Links(_) => Ok(links::stream(name)),
                Part::Catalog(catalog) => Ok(catalog.stream(name)),
            }
        };
        described.await.map_err(|error: Error| error.with("source", &self.id).with("stream", name))
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
        if self.place(name).is_ok() {
            return self.describe(name).await;
        }
        let described = self.described(name, &StreamConfig::all_of(name)).await;
        described.map_err(|error| error.with("source", &self.id).with("stream", name))
    }

    async fn sample(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let records = self.look(stream, few).await;
        records.map_err(|error| error.with("source", &self.id).with("stream", &stream.name))
    }

    async fn still_there(&self, stream: &Stream, keys: &[String]) -> Result<Option<Sighting>> {
        let found = self.find(stream, keys).await;
        found.map_err(|error| error.with("source", &self.id).with("stream", &stream.name))
    }
}
