//! kintone apps through the REST API.
//!
//! The first read is a complete pass by `$id`; later ones read what changed since, by the time of change, which has no
//! seconds, and what has a higher id than any before. Once a day the ids and revisions of all records are swept: a
//! missing id is a deleted record, another revision a change that no time of change told of. Tables within records are
//! streams of their own.
//!
//! kintone leaves out of its answers, without a word, what a form no longer has or a credential may not see. So each
//! run reads the form first, a field that vanished stops its stream before anything is read, and every record must have
//! every field that was asked for.

mod api;
mod check;
mod config;
mod look;
mod model;
mod page;
mod plan;
mod position;
mod query;
mod refusal;
mod session;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tracing::{info, warn};
use url::Url;

pub use config::{AppConfig, BasicConfig, KintoneConfig, LoginConfig, OauthConfig, OnMissingField};

use self::api::{Api, Meter, Pages};
use self::page::RecordPage;
use self::plan::{Offer, Plan, Seen};
use self::position::{Position, Progress, Rules, Spent, State, Step, next_step};
use self::query::{Range, Select};
use self::refusal::Refusal;
use self::session::{Fixed, TokenPoint};
use super::http::{Ahead, Authorize, Certificate, Client, Limits, Sent, Tally};
use super::oauth::Session;
use super::registry::OpenArgs;
use super::source::{Few, Finding, Found, Others, ReadMode, Sighting, Source};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Next, Page, Records, SourceId, Stream};

/// The most records that one answer can hold.
const PAGE_ROWS: u16 = 500;

/// A kintone domain, as configured.
pub struct Kintone {
    id: SourceId,
    config: KintoneConfig,
    /// The domain's host, the same with and without a client certificate.
    domain: String,
    api: Api,
    clock: Arc<dyn Clock>,
    run_id: String,
    /// The streams as last described.
    offers: Mutex<HashMap<String, Described>>,
    /// Fields that records lacked, by stream.
    dropped: Mutex<HashMap<String, HashSet<String>>>,
}

/// A stream as described, and what that cost; told with the first page.
struct Described {
    offer: Arc<Offer>,
    cost: Tally,
}

/// An app, or a table of it.
#[derive(Clone, Copy)]
struct Place<'a> {
    app: &'a AppConfig,
    table: Option<&'a str>,
}

impl Kintone {
    /// Opens the source; nothing is asked of kintone yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings are wrong.
    pub fn open(args: OpenArgs) -> Result<Self> {
        let config: KintoneConfig = args.parse_config()?;
        let here = |error: Error| error.with("source", &args.id);
        let address = config.validate().map_err(here)?;
        let domain = domain_of(&address);
        let limits = Limits { concurrency: config.concurrency, per_second: None };
        // kintone counts requests by domain, at whichever of its two hosts they arrive.
        let mut client =
            Client::new(Arc::clone(&args.hosts), limits, args.run_id.clone()).sharing_budget(domain.clone());
        if let Some(pem) = &config.client_private_key {
            client = client.with_certificate(Certificate::from_pem(pem.expose_secret().as_bytes()).map_err(here)?);
        }
        let client = Arc::new(client);
        let base = address.as_str().trim_end_matches('/').to_owned();
        let front: Option<Arc<dyn Authorize>> = match (&config.oauth, &config.basic_auth) {
            (Some(oauth), _) => {
                let address = Url::parse(&format!("{base}/oauth2/token")).map_err(|error| {
                    here(Error::new(ErrorKind::Config, "not an address to sign in at").caused_by(error))
                })?;
                let store = Arc::clone(&args.token_store);
                let point = TokenPoint { address, config: oauth.clone(), client: Arc::clone(&client) };
                Some(Arc::new(Session::new(args.id.clone(), oauth.refresh_token.clone(), store, point)))
            }
            (None, Some(basic)) => Some(Arc::new(Fixed(session::basic(&basic.user, &basic.password)))),
            (None, None) => None,
        };
        let api = Api {
            client,
            base,
            front,
            login: config.login.clone(),
            meter: Arc::new(Meter::default()),
            pages: Ahead::default(),
        };
        Ok(Kintone {
            id: args.id,
            config,
            domain,
            api,
            clock: args.clock,
            run_id: args.run_id,
            offers: Mutex::default(),
            dropped: Mutex::default(),
        })
    }

    fn place(&self, name: &str) -> Result<Place<'_>> {
        for app in &self.config.streams {
            if app.name == name {
                return Ok(Place { app, table: None });
            }
            let tables = app.tables.iter().find(|table| name == format!("{}.{table}", app.name));
            if let Some(table) = tables {
                return Ok(Place { app, table: Some(table) });
            }
        }
        Err(Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file").with("stream", name))
    }

    /// Reads the form and keeps what it offers.
    async fn described(&self, name: &str) -> Result<Arc<Offer>> {
        let place = self.place(name)?;
        let sent = self.api.form(place.app).await?;
        let mut cost = Tally::default();
        cost.add(&sent);
        let offer = Arc::new(plan::offer_of(&sent.value, place.app, place.table)?);
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = offers
            .entry(name.to_owned())
            .or_insert_with(|| Described { offer: Arc::clone(&offer), cost: Tally::default() });
        kept.offer = Arc::clone(&offer);
        kept.cost.requests += cost.requests;
        kept.cost.bytes += cost.bytes;
        Ok(offer)
    }

    /// What the stream offers, and what finding out cost since the last page.
    async fn offer(&self, name: &str, tally: &mut Tally) -> Result<Arc<Offer>> {
        let known = self.offers.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name);
        if !known {
            self.described(name).await?;
        }
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = offers
            .get_mut(name)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a described stream is not known").with("stream", name))?;
        let cost = std::mem::take(&mut kept.cost);
        tally.requests += cost.requests;
        tally.bytes += cost.bytes;
        Ok(Arc::clone(&kept.offer))
    }

    fn plan(&self, stream: &str, offer: &Offer) -> Arc<Plan> {
        let dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::new(Plan::new(offer, dropped.get(stream).unwrap_or(&HashSet::new())))
    }

    /// What the credential can see of a stream: what absence is concluded from.
    fn scope(&self, place: Place<'_>) -> String {
        let app = place.app;
        let space = app.guest_space.map(|space| format!(" in guest space {space}")).unwrap_or_default();
        let table = place.table.map(|table| format!(", table {table}")).unwrap_or_default();
        let who = match (&self.config.login, &self.config.oauth) {
            (Some(login), _) => format!("user {}", login.user),
            (None, Some(oauth)) => format!("OAuth client {}", oauth.client_id),
            // A token sees all records of its app, whichever of the app's tokens it is.
            (None, None) => "the app".to_owned(),
        };
        let filter = app.filter.as_deref().map(|text| format!(" where {text}")).unwrap_or_default();
        format!("app {} of {}{space}{table} as {who}{filter}", app.app, self.domain)
    }

    /// kintone's clock; ours only where a proxy takes the header away.
    fn observed(&self, date: Option<Timestamp>) -> Timestamp {
        date.unwrap_or_else(|| {
            warn!(source_id = %self.id, "the answer has no Date header, using our own clock");
            self.clock.now()
        })
    }

    /// The stream's share of the app's requests a day; `None` for no limit.
    fn allowance(&self, place: Place<'_>) -> Option<u64> {
        let streams = 1 + place.app.tables.len() as u64;
        let all = u64::from(self.config.daily_requests);
        (all > 0).then(|| (all / streams).max(1))
    }

    fn check_allowance(&self, place: Place<'_>, spent: &Spent) -> Result<()> {
        let Some(allowance) = self.allowance(place).filter(|allowance| spent.requests >= *allowance) else {
            return Ok(());
        };
        // Of one app: that the others' requests are used up too would be another kind.
        Err(Error::new(ErrorKind::RateLimited, "the requests that this source may make a day for the app are used up")
            .code("E0303")
            .with("app", place.app.app)
            .with("used", spent.requests)
            .with("allowance", allowance)
            .help(
                "what was read is kept; run the sync again after midnight UTC (09:00 in Japan), or raise \
                 `daily_requests` in the source's file",
            ))
    }

    fn rules(&self, place: Place<'_>, offer: &Offer, form_changed: bool) -> Rules {
        let hours = place.app.sweep_hours.unwrap_or(self.config.sweep_hours);
        Rules {
            lag_secs: self.config.lag_secs.into(),
            overlap_secs: self.config.overlap_secs.into(),
            sweep_secs: (hours > 0).then(|| i64::from(hours) * 3_600),
            has_stamp: offer.stamp.is_some(),
            sweeps_values: place.table.is_some(),
            form_changed,
            page_size: self.config.page_size,
            asks_ahead: true,
        }
    }

    /// Refuses to go on under a form that lacks fields which were read before, unless a person said what became of
    /// them: their column would turn empty, and nobody could tell why.
    fn check_form(&self, stream: &str, place: Place<'_>, offer: &Offer, before: &Seen) -> Result<()> {
        let vanished = offer.vanished(before, &place.app.gone);
        if vanished.is_empty() {
            return Ok(());
        }
        let mut advice = Vec::new();
        let mut named = Vec::new();
        for field in &vanished {
            named.push(match offer.present.get(&field.code) {
                Some((kind, _)) => format!("{} (was {}, is {kind})", field.code, field.kind),
                None => format!("{} ({})", field.code, field.kind),
            });
            let candidates = offer.candidates(field, before);
            if !candidates.is_empty() {
                advice.push(format!("`{}` may be `{}` now", field.code, candidates.join("` or `")));
            }
        }
        if self.config.on_missing_field == OnMissingField::Continue {
            warn!(source_id = %self.id, stream, fields = named.join(", "), "fields that were read before are gone, reading without them");
            return Ok(());
        }
        let mut help = "let the credential see them again; if they were renamed or removed, mend the mapping and list \
                        their old codes under `gone` of the stream"
            .to_owned();
        if !advice.is_empty() {
            help = format!("{}. Otherwise {help}", advice.join(", "));
        }
        Err(Error::new(ErrorKind::Config, "fields that were read before are gone from the app, nothing was read")
            .with("fields", named.join(", "))
            .help(help))
    }

    /// Asks for the page at `progress`, in another way where the first does not do; and ahead for the one behind it, if
    /// another request may be spent.
    async fn ask(
        &self,
        stream: &Stream,
        place: Place<'_>,
        offer: &Offer,
        mut progress: Progress,
        rules: Rules,
        tally: &mut Tally,
    ) -> Result<(Progress, Sent<RecordPage>)> {
        loop {
            let plan = if progress.is_sweep() { Arc::new(Plan::keys()) } else { self.plan(&stream.name, offer) };
            let select = Select {
                filter: place.app.filter.as_deref(),
                range: progress.range(offer.stamp.as_deref()),
                after: progress.after,
                limit: progress.limit(rules),
            };
            let pages = Pages { stream: &stream.name, goes_on: progress.goes_on(rules) };
            let sent = self.api.records(place.app, &select, &plan, progress.asks_total(), Some(pages)).await?;
            tally.add(&sent);
            match sent.value {
                Ok(page) if !page.missing.is_empty() => self.drop_fields(&stream.name, &page.missing)?,
                Ok(page) if page.first.is_some_and(|first| first <= progress.after) => {
                    return Err(Error::new(ErrorKind::BadData, "kintone sent records again that were read before")
                        .with("after", progress.after)
                        .help("reading would never end; check the `filter`, and report this if it is right"));
                }
                Ok(value) => {
                    return Ok((progress, Sent { value, date: sent.date, requests: sent.requests, bytes: sent.bytes }));
                }
                Err(Refusal::TooSlow(error)) => {
                    info!(source_id = %self.id, stream = stream.name, "the answer takes too long, asking for fewer records at a time");
                    progress = progress.narrowed(rules).ok_or(error)?;
                }
            }
        }
    }

    /// Records lacked these fields although the form has them: hidden in some records, or removed just now.
    fn drop_fields(&self, stream: &str, missing: &[String]) -> Result<()> {
        if self.config.on_missing_field == OnMissingField::Stop {
            return Err(Error::new(ErrorKind::Permission, "records lack fields that the app's form has")
                .with("fields", missing.join(", "))
                .help(
                    "if the form was changed just now, run the sync again; else let the credential see these fields in \
                     every record (API tokens do), list them under `deny`, or set `on_missing_field: continue`",
                ));
        }
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let known = dropped.entry(stream.to_owned()).or_default();
        let before = known.len();
        for field in missing {
            warn!(source_id = %self.id, stream, field, "records lack the field, reading without it");
            known.insert(field.clone());
        }
        if known.len() == before {
            return Err(Error::new(ErrorKind::BadData, "records lack what reading depends on")
                .with("fields", missing.join(", "))
                .help("report this"));
        }
        Ok(())
    }

    async fn page(&self, stream: &Stream, cursor: Option<&Cursor>, first_of_run: bool, mode: ReadMode) -> Result<Page> {
        let place = self.place(&stream.name)?;
        let mut tally = Tally::default();
        let before = cursor.map(Position::parse).transpose()?;
        let app = format!("{}/{}", self.domain, place.app.app);
        if let Some(before) = &before
            && before.app != app
        {
            return Err(Error::new(
                ErrorKind::Config,
                "the stream now leads to another app than the one that was read",
            )
            .with("app_before", &before.app)
            .with("app_now", &app)
            .help("read the other app as a stream with another name"));
        }
        let offer = self.offer(&stream.name, &mut tally).await?;
        let now = self.observed(self.api.meter.clock());
        let spent = before.as_ref().map(|before| before.spent.clone()).unwrap_or_default().at(now);
        self.check_allowance(place, &spent)?;
        if let Some(before) = before.as_ref().filter(|_| first_of_run) {
            self.check_form(&stream.name, place, &offer, &before.form)?;
        }
        let form_changed = before.as_ref().is_some_and(|before| before.form.values != offer.seen.values);
        let asks_ahead = self.allowance(place).is_none_or(|allowance| spent.requests + 2 < allowance);
        let rules = Rules { asks_ahead, ..self.rules(place, &offer, form_changed) };
        let scope = self.scope(place);
        let state = before.filter(|before| before.scope == scope).map(|before| before.state);
        let progress = match next_step(state, first_of_run, mode, now, rules) {
            Step::Continue(progress) => progress,
            Step::BeginPass { since } => Progress::pass(&self.run_id, now, since, rules),
            Step::BeginWindow { since, swept_at, max_id } => Progress::window(now, since, swept_at, max_id, rules),
        };
        let (progress, sent) = self.ask(stream, place, &offer, progress, rules, &mut tally).await?;
        if place.table.is_none()
            && let Some(stray) = sent.value.records.heads().iter().find(|head| !progress.asked_for(head))
        {
            return Err(Error::new(ErrorKind::BadData, "kintone sent a record that was not asked for")
                .with("record", &stray.key)
                .help("run the sync again; if it stays so, something between here and kintone keeps old answers"));
        }
        let observed_at = self.observed(sent.date);
        let reading = progress.reading(&scope);
        let (until, resumed, is_sweep) = (progress.until, progress.resumed, progress.is_sweep());
        let RecordPage { records, count, total, last, .. } = sent.value;
        let (progress, ends_reading) = progress.advanced(count, total, last, rules);
        let sweep = if ends_reading { progress.sweep_after(&self.run_id, observed_at, rules) } else { None };
        // A table has more rows or fewer than its app has records.
        let source_total = progress.total.filter(|_| !is_sweep && place.table.is_none());
        let is_last = ends_reading && sweep.is_none() && !(resumed && rules.has_stamp);
        let state = match (ends_reading, sweep) {
            (false, _) => State::Reading(progress),
            (true, Some(sweep)) => State::Reading(sweep),
            (true, None) => progress.done(),
        };
        let spent = spent.at(observed_at);
        let spent = Spent { requests: spent.requests + tally.requests, ..spent };
        let cursor = Position { app, scope, form: offer.seen.clone(), spent, state }.to_cursor()?;
        let next = if is_last { Next::Done { cursor, complete_through: Some(until) } } else { Next::More(cursor) };
        Ok(Page {
            records,
            rejected: Vec::new(),
            reading: Some(reading),
            ends_reading,
            next,
            waits: false,
            observed_at,
            source_total,
            requests: tally.requests,
            bytes: tally.bytes,
        })
    }

    /// Asks for records by id, so many at a time as one answer can hold.
    async fn by_id(&self, place: Place<'_>, ids: &[String], plan: &Arc<Plan>) -> Result<(Found, Vec<String>)> {
        let (mut found, mut missing) = (Found::default(), Vec::new());
        for ids in ids.chunks(usize::from(PAGE_ROWS)) {
            let filter = place.app.filter.as_deref();
            let select = Select { filter, range: Range::Ids(ids), after: 0, limit: PAGE_ROWS };
            let sent = self.api.records(place.app, &select, plan, false, None).await?;
            found.requests += sent.requests;
            found.bytes += sent.bytes;
            let date = self.observed(sent.date);
            let page = sent.value.map_err(Refusal::into_error)?;
            missing.extend(page.missing);
            found.answers.push((page.records, date));
        }
        Ok((found, missing))
    }

    /// Looks for records, or for rows of tables, by key.
    async fn find(&self, stream: &Stream, keys: &[String]) -> Result<Sighting> {
        let place = self.place(&stream.name)?;
        let (ids, plan) = match place.table {
            None => (keys.to_vec(), Plan::keys()),
            Some(table) => {
                let ids: HashSet<String> = keys.iter().filter_map(|key| page::parent_of(key)).collect();
                let mut ids: Vec<String> = ids.into_iter().collect();
                ids.sort_unstable();
                (ids, Plan::row_keys(table))
            }
        };
        let (found, _) = self.by_id(place, &ids, &Arc::new(plan)).await?;
        let wanted: HashSet<&String> = keys.iter().collect();
        let heads = found.answers.iter().flat_map(|(records, _)| records.heads());
        let keys = heads.filter(|head| wanted.contains(&head.key)).map(|head| head.key.clone()).collect();
        Ok(Sighting { keys, requests: found.requests, bytes: found.bytes })
    }

    /// Reads records by key.
    async fn fetch(&self, stream: &Stream, keys: &[String]) -> Result<Found> {
        let place = self.place(&stream.name)?;
        let mut tally = Tally::default();
        let offer = self.offer(&stream.name, &mut tally).await?;
        loop {
            let (mut found, missing) = self.by_id(place, keys, &self.plan(&stream.name, &offer)).await?;
            found.requests += std::mem::take(&mut tally.requests);
            found.bytes += std::mem::take(&mut tally.bytes);
            if missing.is_empty() {
                return Ok(found);
            }
            self.drop_fields(&stream.name, &missing)?;
            tally = Tally { requests: found.requests, bytes: found.bytes };
        }
    }
}

/// The host that names a domain: with a client certificate another one is asked.
fn domain_of(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
    match host.split_once(".s.") {
        Some((name, zone)) if zone.starts_with("cybozu.") || zone.starts_with("kintone.") => {
            format!("{name}.{zone}{port}")
        }
        _ => format!("{host}{port}"),
    }
}

#[async_trait]
impl Source for Kintone {
    async fn check(&self) -> Vec<Finding> {
        self.findings().await
    }

    fn streams(&self) -> Vec<String> {
        self.config.streams.iter().flat_map(AppConfig::stream_names).collect()
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        let offer = self.described(name).await;
        let offer = offer.map_err(|error| error.with("source", &self.id).with("stream", name))?;
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(offer.stream.clone())
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
        self.other_apps().await.map_err(|error| error.with("source", &self.id))
    }

    async fn describe_other(&self, name: &str) -> Result<Stream> {
        let offer = self.offer_of_any(name).await;
        let offer = offer.map_err(|error| error.with("source", &self.id).with("stream", name))?;
        Ok(offer.1.stream.clone())
    }

    async fn sample(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let records = self.look(stream, few).await;
        records.map_err(|error| error.with("source", &self.id).with("stream", &stream.name))
    }

    async fn still_there(&self, stream: &Stream, keys: &[String]) -> Result<Option<Sighting>> {
        let found = self.find(stream, keys).await;
        found.map(Some).map_err(|error| error.with("source", &self.id).with("stream", &stream.name))
    }

    async fn read_by_key(&self, stream: &Stream, keys: &[String]) -> Result<Found> {
        let found = self.fetch(stream, keys).await;
        found.map_err(|error| error.with("source", &self.id).with("stream", &stream.name))
    }
}
