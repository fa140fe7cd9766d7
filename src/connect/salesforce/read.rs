//! Reading one page: by a query, by a job, or of the log of deletions.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::{info, warn};

use super::bulk::{Done, Job};
use super::history::is_history;
use super::plan::Plan;
use super::position::{Position, Progress, Rules, State, Step, next_step};
use super::refusal::Refusal;
use super::session::Identity;
use super::soql::Select;
use super::{Salesforce, StreamConfig};
use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::connect::http::Tally;
use crate::connect::salesforce::config::Transport;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, DeleteKind, Next, Page, RecordHead, Records, RecordsBuilder, Stream};

/// A page that was asked for, and where the reading stands behind it.
struct Read {
    /// As it was asked for.
    progress: Progress,
    records: Records,
    observed_at: Timestamp,
    /// What is left; `None`: the reading is complete.
    rest: Option<Progress>,
    /// The rows that the source says the reading has.
    total: Option<u64>,
}

impl Salesforce {
    pub(super) async fn page(
        &self,
        stream: &Stream,
        cursor: Option<&Cursor>,
        first_of_run: bool,
        mode: ReadMode,
    ) -> Result<Page> {
        self.check_quota()?;
        let config = self.stream_config(&stream.name)?;
        let identity = self.api.session.identity().await?;
        let scope = self.scope(config, &identity);
        let rules = self.rules(stream, config);
        let state = usable_state(cursor, &identity, &scope)?;
        let mut tally = Tally::default();
        let progress = match next_step(state, first_of_run, mode, rules) {
            Step::Continue(progress) => progress,
            Step::BeginPass { since } => {
                let now = self.server_time(&mut tally).await?;
                Progress::pass(&self.run_id, now, since, rules)
            }
            Step::BeginWindow { since, looks } => {
                let now = self.server_time(&mut tally).await?;
                Progress::window(now, since, looks, rules)
            }
        };
        let read = if progress.is_log() {
            self.read_log(stream, config, progress, &mut tally).await?
        } else {
            self.read_rows(stream, config, progress, rules, &mut tally).await?
        };
        let Read { progress, records, observed_at, rest, total } = read;
        let ends_reading = rest.is_none();
        let after = if ends_reading { progress.follow_up(&self.run_id, observed_at, rules) } else { None };
        let is_last = ends_reading && after.is_none() && !(progress.resumed && rules.has_stamp);
        // What a run read is told by its windows and passes: of a sweep the source counts keys.
        let is_counted = !progress.is_sweep() && !progress.is_log();
        let reading = progress.reading(&scope);
        let until = progress.until;
        // A job may take hours; it must be on record before it is waited for.
        let waits = rest.as_ref().is_some_and(|rest| matches!(rest.job(), Some(Some(job)) if job.done.is_none()));
        let state = rest.or(after).map_or_else(|| progress.done(), State::Reading);
        let cursor = Position { org: identity.org, scope, state }.to_cursor()?;
        let next = if is_last { Next::Done { cursor, complete_through: Some(until) } } else { Next::More(cursor) };
        Ok(Page {
            records,
            rejected: Vec::new(),
            reading: Some(reading),
            ends_reading,
            next,
            waits,
            observed_at,
            source_total: total.filter(|_| is_counted),
            requests: tally.requests,
            bytes: tally.bytes,
        })
    }

    fn rules(&self, stream: &Stream, config: &StreamConfig) -> Rules {
        let days = |days: u32| (days > 0).then(|| i64::from(days) * 86_400);
        let transport = config.transport.unwrap_or(self.config.transport);
        let plan = self.plan(stream);
        // Facts are written once, and what Salesforce forgets of them we keep.
        let is_history = is_history(&stream.name);
        let can_bulk = transport != Transport::Rest && plan.fits_csv;
        Rules {
            lag_secs: self.config.lag_secs.into(),
            overlap_secs: self.config.overlap_secs.into(),
            sweep_secs: days(config.sweep_days.unwrap_or(self.config.sweep_days)).filter(|_| !is_history),
            refresh_secs: days(config.refresh_days.unwrap_or(self.config.refresh_days)).filter(|_| plan.has_calculated),
            log_secs: (self.config.delete_log_hours > 0 && !is_history && self.is_replicated(&stream.name))
                .then(|| i64::from(self.config.delete_log_hours) * 3_600),
            bulk_from: can_bulk.then_some(self.config.bulk_from),
            bulk_first: can_bulk && transport == Transport::Bulk,
            has_stamp: stream.stamp.is_some(),
        }
    }

    /// Reads a page by whichever way is open, in another one where the first is refused.
    async fn read_rows(
        &self,
        stream: &Stream,
        config: &StreamConfig,
        mut progress: Progress,
        rules: Rules,
        tally: &mut Tally,
    ) -> Result<Read> {
        loop {
            let plan = if progress.is_sweep() { Arc::new(Plan::keys()) } else { self.plan(stream) };
            let refusal = match progress.job().cloned() {
                None => match self.read_query(stream, config, &progress, &plan, rules, tally).await? {
                    Ok(read) => return Ok(read),
                    Err(refusal) => refusal,
                },
                Some(None) => match self.begin_job(stream, config, &progress, &plan, tally).await? {
                    Ok(read) => return Ok(read),
                    Err(refusal) => refusal,
                },
                Some(Some(job)) => match self.read_job(&progress, job, &plan, tally).await? {
                    Ok(read) => return Ok(read),
                    Err(refusal) => refusal,
                },
            };
            progress = match refusal {
                Refusal::NoBulk(error) => {
                    info!(source_id = %self.id, stream = stream.name, error = %error, "not by a bulk job, reading by REST");
                    progress.without_job()
                }
                Refusal::JobGone => {
                    info!(source_id = %self.id, stream = stream.name, "the bulk job is gone, reading by REST what it was to read");
                    progress.without_job()
                }
                Refusal::LocatorGone if progress.locator.is_some() => {
                    info!(source_id = %self.id, stream = stream.name, "the place in the result is gone, going on by key");
                    progress.asked_anew()
                }
                Refusal::TooSlow(error) => {
                    info!(source_id = %self.id, stream = stream.name, "the query is too slow, asking for less at a time");
                    progress.narrowed().ok_or(error)?
                }
                Refusal::FieldGone(error) => {
                    let extra = self.drop_columns(stream, error).await?;
                    tally.requests += extra.requests;
                    tally.bytes += extra.bytes;
                    // A job has the columns that it was made with, and they still are in its result.
                    if progress.job().is_some() { progress } else { progress.asked_anew() }
                }
                refusal => return Err(refusal.into_error()),
            };
        }
    }

    async fn read_query(
        &self,
        stream: &Stream,
        config: &StreamConfig,
        progress: &Progress,
        plan: &Arc<Plan>,
        rules: Rules,
        tally: &mut Tally,
    ) -> Result<std::result::Result<Read, Refusal>> {
        // What follows a first page may be had by a job.
        let ahead = (progress.locator.is_some() || rules.bulk_from.is_none()).then_some(stream.name.as_str());
        let sent = match &progress.locator {
            Some(next) => self.api.more(next, plan, ahead).await?,
            None => self.api.query(&select(stream, config, progress, plan).to_soql(), plan, ahead).await?,
        };
        tally.add(&sent);
        let observed_at = self.observed(sent.date);
        let page = match sent.value {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(lacking) = progress.still_lacks(page.records.len() as u64, page.total, page.next.as_deref()) {
            return Err(Error::new(ErrorKind::Unavailable, "Salesforce counts more rows than it sends")
                .with("lacking", lacking)
                .help("nothing was concluded from this reading; run the sync again, or set `transport: bulk` for the stream"));
        }
        let asked = progress.clone();
        let (rest, total) = progress.clone().advanced(page.records.len() as u64, page.total, page.next, page.last);
        let rest = rest
            .map(|rest| if rest.wants_job(page.total, plan.names.len(), rules) { rest.with_job(None) } else { rest });
        Ok(Ok(Read { progress: asked, records: page.records, observed_at, rest, total }))
    }

    /// Has a job made for the rest of a reading. Gives a page without rows.
    async fn begin_job(
        &self,
        stream: &Stream,
        config: &StreamConfig,
        progress: &Progress,
        plan: &Arc<Plan>,
        tally: &mut Tally,
    ) -> Result<std::result::Result<Read, Refusal>> {
        let sent = self.api.create_job(&select(stream, config, progress, plan).to_unordered_soql()).await?;
        tally.add(&sent);
        let observed_at = self.observed(sent.date);
        let id = match sent.value {
            Ok(id) => id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        info!(source_id = %self.id, stream = stream.name, job = id, "reading by a bulk job");
        let records = empty(plan);
        let columns = plan.names.to_vec();
        let rest = Some(progress.clone().with_job(Some(Job { id, columns, done: None, locator: None })));
        Ok(Ok(Read { progress: progress.clone(), records, observed_at, rest, total: None }))
    }

    async fn read_job(
        &self,
        progress: &Progress,
        mut job: Job,
        plan: &Arc<Plan>,
        tally: &mut Tally,
    ) -> Result<std::result::Result<Read, Refusal>> {
        let done = match job.done {
            Some(done) => done,
            None => {
                let sent = self.api.finish_job(&job.id).await?;
                tally.add(&sent);
                let at = self.observed(sent.date);
                match sent.value {
                    Ok(rows) => Done { at, rows },
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
        };
        job.done = Some(done);
        let plan = Arc::new(plan.only(&job.columns));
        let sent = self.api.job_page(&job.id, job.locator.as_deref(), &plan).await?;
        tally.add(&sent);
        let page = match sent.value {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let asked = progress.clone().with_job(Some(job));
        let rows = page.records.len() as u64;
        let (rest, total) = asked.clone().advanced_in_job(rows, page.locator, done);
        Ok(Ok(Read { progress: asked, records: page.records, observed_at: done.at, rest, total }))
    }

    /// Reads the log of deletions, and asks which of its rows are there all the same: of those in the recycle bin, and
    /// of those that came back, a window tells more.
    async fn read_log(
        &self,
        stream: &Stream,
        config: &StreamConfig,
        progress: Progress,
        tally: &mut Tally,
    ) -> Result<Read> {
        let Some((from, until)) = progress.log_span() else {
            return Err(Error::new(ErrorKind::Internal, "no log of deletions is being read"));
        };
        let sent = self.api.delete_log(&config.name, from, until).await?;
        tally.add(&sent);
        let observed_at = self.observed(sent.date);
        let (deleted, progress) = match sent.value {
            Ok(log) => {
                let has_gaps = log.earliest_date_available.is_some_and(|earliest| earliest.at() > from);
                let covered = log.latest_date_covered.map(|covered| covered.at());
                (log.deleted_records, progress.logged(covered, has_gaps))
            }
            Err(refusal) => {
                warn!(source_id = %self.id, stream = stream.name, error = %refusal.into_error(), "the log of deletions cannot be read, all ids will be looked at instead");
                (Vec::new(), progress.logged(None, true))
            }
        };
        let mut deleted: HashMap<String, Timestamp> =
            deleted.into_iter().map(|row| (row.id, row.deleted_date.at())).collect();
        if !deleted.is_empty() {
            let ids: Vec<String> = deleted.keys().cloned().collect();
            let found = self.find(stream, &ids).await?;
            tally.requests += found.requests;
            tally.bytes += found.bytes;
            for id in found.keys {
                deleted.remove(&id);
            }
        }
        let mut rows: Vec<(String, Timestamp)> = deleted.into_iter().collect();
        rows.sort_unstable();
        let mut builder = RecordsBuilder::new(Arc::from([]), rows.len());
        for (key, at) in rows {
            let head = RecordHead { key, stamp: Some(at), deleted: Some(DeleteKind::Deleted), ..RecordHead::default() };
            builder.finish_row(head);
        }
        Ok(Read { progress, records: builder.finish(), observed_at, rest: None, total: None })
    }
}

fn select<'a>(stream: &'a Stream, config: &'a StreamConfig, progress: &'a Progress, plan: &'a Plan) -> Select<'a> {
    Select {
        object: &stream.name,
        fields: &plan.names,
        condition: config.r#where.as_deref(),
        range: progress.range(stream.stamp.as_deref()),
    }
}

fn empty(plan: &Plan) -> Records {
    RecordsBuilder::new(if plan.delivers { plan.names.clone() } else { Arc::from([]) }, 0).finish()
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
