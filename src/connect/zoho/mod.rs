//! Zoho CRM modules through the CRM API.
//!
//! The first read is a complete one, by queries (COQL) behind the last id or, where that costs fewer credits, by a bulk
//! job; later ones read windows over the modification stamp, by stamp and id. Where the token may not query, lists do.
//! Records of all three are equal. A deletion moves no stamp: a list tells of it. Formulas and roll-ups do not move it
//! either, and what is gone or back without a trace no list tells: after some days everything is read again.

mod api;
mod bulk;
mod check;
mod child;
mod config;
mod coql;
mod look;
mod model;
mod page;
mod plan;
mod position;
mod read;
mod refusal;
mod session;
mod zip;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tracing::warn;

pub use child::facts_about;
pub use config::{AuthConfig, StreamConfig, StreamEntry, Transport, ZohoConfig};

use self::api::{Api, Meter};
use self::child::{Child, DEAL, HISTORY_MODULE};
use self::position::{By, Position, Progress, Rules, State, Step, next_step};
use self::read::Read;
use self::refusal::Refusal;
use self::session::Session;
use super::http::{Ahead, Authorize, Client, Limits, Sent, Tally};
use super::registry::OpenArgs;
use super::source::{Few, Finding, Others, ReadMode, Sighting, Source};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Next, Page, Records, SourceId, Stream};

/// A Zoho CRM org, as configured.
pub struct Zoho {
    id: SourceId,
    config: ZohoConfig,
    streams: Vec<StreamConfig>,
    api: Api,
    clock: Arc<dyn Clock>,
    run_id: String,
    /// Whose data it is and who reads it; asked once.
    identity: tokio::sync::Mutex<Option<Identity>>,
    /// What was asked for a stream before its first page; told with that.
    costs: Mutex<HashMap<String, Tally>>,
    /// Columns that queries do not show, by stream.
    refused: Mutex<HashMap<String, HashSet<String>>>,
    /// Whether the token may not query.
    lists_only: AtomicBool,
    /// How the module of stages names the deal, where that module can be read.
    history_lookup: Mutex<Option<String>>,
}

/// Whose data is read, and by whom: what can be seen depends on both.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    org: String,
    /// The user's id, if the token may ask.
    user: String,
}

/// A module, or what belongs to its records.
#[derive(Clone, Copy)]
struct Place<'a> {
    config: &'a StreamConfig,
    /// The module whose records are asked for.
    module: &'a str,
    child: Option<Child<'a>>,
}

impl Place<'_> {
    /// Whether the stream's records are those of the module; else they are asked for one of those by one.
    fn is_module(&self) -> bool {
        self.child.is_none() || self.module == HISTORY_MODULE
    }
}

impl Zoho {
    /// Opens the source; nothing is asked of Zoho yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings are wrong.
    pub fn open(args: OpenArgs) -> Result<Self> {
        let config: ZohoConfig = args.parse_config()?;
        let here = |error: Error| error.with("source", &args.id);
        let accounts = config.validate().map_err(here)?;
        let address = accounts
            .join("/oauth/v2/token")
            .map_err(|error| here(Error::new(ErrorKind::Config, "not an address to sign in at").caused_by(error)))?;
        let limits = Limits { concurrency: config.concurrency, per_second: None };
        // Requests at a time are counted per org and client, whatever host they go to.
        let budget = format!("zoho {accounts} {}", config.auth.client_id);
        let client = Client::new(Arc::clone(&args.hosts), limits, args.run_id.clone()).sharing_budget(budget);
        let (client, meter) = (Arc::new(client), Arc::new(Meter::default()));
        let session = Session {
            source: args.id.clone(),
            address,
            auth: config.auth.clone(),
            client: Arc::clone(&client),
            store: Arc::clone(&args.token_store),
            clock: Arc::clone(&args.clock),
            meter: Arc::clone(&meter),
            state: tokio::sync::Mutex::default(),
        };
        let auth: Arc<dyn Authorize> = Arc::new(session);
        let streams = config.streams();
        Ok(Zoho {
            id: args.id,
            config,
            streams,
            api: Api { client, auth, meter, shelf: bulk::Shelf::default(), pages: Ahead::default() },
            clock: args.clock,
            run_id: args.run_id,
            identity: tokio::sync::Mutex::default(),
            costs: Mutex::default(),
            refused: Mutex::default(),
            lists_only: AtomicBool::new(false),
            history_lookup: Mutex::default(),
        })
    }

    fn place(&self, name: &str) -> Result<Place<'_>> {
        let found = self.streams.iter().find_map(|config| {
            let own = Place { config, module: &config.name, child: None };
            if config.name == name {
                return Some(own);
            }
            if config.stage_history && child::stages_stream() == name {
                let module = if self.history_lookup().is_some() { HISTORY_MODULE } else { &config.name };
                return Some(Place { module, child: Some(Child::Stages), ..own });
            }
            let subform = config.subforms.iter().find(|field| child::subform_stream(&config.name, field) == name)?;
            Some(Place { child: Some(Child::SubForm(subform)), ..own })
        });
        found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file").with("stream", name)
        })
    }

    fn history_lookup(&self) -> Option<String> {
        self.history_lookup.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note_history(&self, lookup: Option<String>) {
        *self.history_lookup.lock().unwrap_or_else(PoisonError::into_inner) = lookup;
    }

    /// Adds to what the stream cost since its last page.
    fn owe<T>(&self, stream: &str, sent: &Sent<T>) {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).entry(stream.to_owned()).or_default().add(sent);
    }

    fn owed(&self, stream: &str) -> Tally {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).remove(stream).unwrap_or_default()
    }

    /// Whose data it is, and who reads it; asked once.
    async fn identity(&self, stream: &str) -> Result<Identity> {
        let mut known = self.identity.lock().await;
        if let Some(identity) = &*known {
            return Ok(identity.clone());
        }
        let org = self.api.org().await?;
        self.owe(stream, &org);
        let user = self.api.user().await?;
        self.owe(stream, &user);
        let identity = Identity { org: org.value.zgid, user: user.value.unwrap_or_default() };
        *known = Some(identity.clone());
        Ok(identity)
    }

    /// What a module offers now.
    async fn described(&self, stream: &str, config: &StreamConfig) -> Result<Stream> {
        let sent = self.api.fields(&config.name).await?;
        self.owe(stream, &sent);
        let fields = sent.value.map_err(Refusal::into_error)?;
        if fields.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "the module has no fields, so it cannot be read")
                .help("take it out of `streams`; the others are read"));
        }
        plan::stream_of(&fields, config)
    }

    /// Zoho's clock; ours only where a proxy takes the header away.
    fn observed(&self, date: Option<Timestamp>) -> Timestamp {
        date.or_else(|| self.api.meter.clock()).unwrap_or_else(|| {
            warn!(source_id = %self.id, "the answer has no Date header, using our own clock");
            self.clock.now()
        })
    }

    fn scope(&self, place: Place<'_>, identity: &Identity) -> String {
        let what = match place.child {
            None => place.module.to_owned(),
            Some(Child::SubForm(field)) => format!("{field} of {}", place.module),
            Some(Child::Stages) => format!("stages by {}", place.module),
        };
        format!("{what} of org {} as user {}", identity.org, identity.user)
    }

    fn rules(&self, stream: &Stream, place: Place<'_>) -> Rules {
        let days = place.config.refresh_days.unwrap_or(self.config.refresh_days);
        let has_stamp = stream.stamp.is_some();
        Rules {
            lag_secs: self.config.lag_secs.into(),
            overlap_secs: self.config.overlap_secs.into(),
            // What a history forgets we keep.
            refresh_secs: (days > 0 && place.child != Some(Child::Stages)).then(|| i64::from(days) * 86_400),
            // What is read whole in every run is missed when it is gone.
            deleted_secs: stream.tells_deletes.then(|| i64::from(self.config.deleted_minutes) * 60),
            has_stamp,
        }
    }

    /// How readings are done that are not worth a job.
    fn small_way(&self) -> By {
        if self.config.transport == Transport::Rest || self.lists_only.load(Ordering::Relaxed) {
            By::List
        } else {
            By::Query
        }
    }

    fn refuse_queries(&self) {
        self.lists_only.store(true, Ordering::Relaxed);
    }

    /// Notes a column that queries do not show; gives whether that is new.
    fn refuse_column(&self, stream: &str, column: &str) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.entry(stream.to_owned()).or_default().insert(column.to_owned())
    }

    fn refused_columns(&self, stream: &str) -> HashSet<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(stream).cloned().unwrap_or_default()
    }

    fn check_credits(&self) -> Result<()> {
        match self.api.meter.credits() {
            Some(left) if left <= self.config.reserve_credits => {
                Err(Error::new(ErrorKind::Quota, "the API credits are used up but for those left to others")
                    .with("left", left)
                    .with("reserve_credits", self.config.reserve_credits)
                    .help(
                        "what was read is kept; run the sync again later, or lower `reserve_credits` in the source's \
                         file. Credits count for 24 hours",
                    ))
            }
            _ => Ok(()),
        }
    }

    async fn page(&self, stream: &Stream, cursor: Option<&Cursor>, first_of_run: bool, mode: ReadMode) -> Result<Page> {
        let place = self.place(&stream.name)?;
        self.check_credits()?;
        let identity = self.identity(&stream.name).await?;
        let scope = self.scope(place, &identity);
        let rules = self.rules(stream, place);
        let mut tally = self.owed(&stream.name);
        let now = self.observed(None);
        let state = usable_state(cursor, &identity, &scope)?;
        let progress = match next_step(state, first_of_run, mode, rules) {
            Step::Continue(progress) => progress,
            Step::BeginPass { since, looks } => Progress::pass(&self.run_id, now, since, looks, rules),
            Step::BeginWindow { since, looks } => Progress::window(now, since, looks, rules),
        };
        let read = match progress.reads_deleted() {
            Some(from) => self.read_deleted(place, progress, from, &mut tally).await?,
            None => self.read_stream(stream, place, progress, &mut tally).await?,
        };
        let follow_up = if read.ends { read.rest.follow_up(&self.run_id, read.observed_at, rules) } else { None };
        let is_last = read.ends && follow_up.is_none() && !(read.rest.resumed && rules.has_stamp);
        let (reading, until) = (read.asked.reading(&scope), read.rest.until);
        let source_total = read.rest.total.filter(|_| place.is_module());
        let state = match (read.ends, follow_up) {
            (false, _) => State::Reading(read.rest),
            (true, Some(next)) => State::Reading(next),
            (true, None) => read.rest.done(),
        };
        let cursor = Position { org: identity.org, scope, state }.to_cursor()?;
        let next = if is_last { Next::Done { cursor, complete_through: Some(until) } } else { Next::More(cursor) };
        Ok(Page {
            records: read.records,
            rejected: Vec::new(),
            reading: Some(reading),
            ends_reading: read.ends,
            next,
            waits: read.waits,
            observed_at: read.observed_at,
            source_total,
            requests: tally.requests,
            bytes: tally.bytes,
        })
    }
}

impl Zoho {
    /// A page of the stream's own records, whosesoever they are.
    async fn read_stream(
        &self,
        stream: &Stream,
        place: Place<'_>,
        progress: Progress,
        tally: &mut Tally,
    ) -> Result<Read> {
        match (place.child, self.history_lookup().filter(|_| place.is_module())) {
            (Some(_), Some(lookup)) => {
                let read = self.read_records(&child::stages(&stream.name, &lookup), place, progress, tally).await?;
                Ok(Read { records: page::renamed(&read.records, &lookup, DEAL), ..read })
            }
            (Some(child), None) => {
                let read = self.read_records(stream, place, progress, tally).await?;
                Ok(Read { records: self.children(stream, place, child, &read.records, tally).await?, ..read })
            }
            (None, _) => self.read_records(stream, place, progress, tally).await,
        }
    }
}

/// The state of the cursor, unless what could be seen has changed since: then everything is read again.
fn usable_state(cursor: Option<&Cursor>, identity: &Identity, scope: &str) -> Result<Option<State>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let position = Position::parse(cursor)?;
    if position.org != identity.org {
        return Err(Error::new(
            ErrorKind::Config,
            "the refresh token now leads to another org than the one that was read",
        )
        .with("org_before", &position.org)
        .with("org_now", &identity.org)
        .help("read the other org as a new source with another name"));
    }
    Ok((position.scope == scope).then_some(position.state))
}

#[async_trait]
impl Source for Zoho {
    async fn check(&self) -> Vec<Finding> {
        self.findings().await
    }

    fn streams(&self) -> Vec<String> {
        let names = |config: &StreamConfig| {
            let subforms = config.subforms.iter().map(|field| child::subform_stream(&config.name, field));
            let stages = config.stage_history.then(child::stages_stream);
            std::iter::once(config.name.clone()).chain(subforms).chain(stages).collect::<Vec<_>>()
        };
        self.streams.iter().flat_map(names).collect()
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        let described = async {
            self.check_credits()?;
            let place = self.place(name)?;
            match place.child {
                None => self.described(name, place.config).await,
                Some(Child::SubForm(field)) => self.described_rows(name, place.config, field).await,
                Some(Child::Stages) => self.described_stages(name).await,
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
        self.other_modules().await.map_err(|error| error.with("source", &self.id))
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
