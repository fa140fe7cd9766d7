//! Reading a page: of records, by query, by list or out of the file of a job; or of what was deleted.

mod job;
mod parts;

use std::sync::Arc;

use tracing::{info, warn};

pub(super) use self::parts::keys;
use self::parts::{bounded, priced};
use super::api::{Judged, LISTED, List};
use super::config::Transport;
use super::page::{self, RecordPage};
use super::plan::{Interface, Plan};
use super::position::{By, Kind, Progress};
use super::refusal::Refusal;
use super::{Place, Zoho};
use crate::clock::Timestamp;
use crate::connect::http::Tally;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{DeleteKind, RecordHead, Records, RecordsBuilder, Stream};

/// Up to how many records a query costs one, two and three credits.
const PRICES: [usize; 3] = [200, 1_000, 2_000];
/// Records at a time whose children are asked for, each with a request of its own.
const PARENTS: usize = 100;

/// A page that was asked for, and where the reading stands behind it.
pub(super) struct Read {
    /// As it was asked for.
    pub(super) asked: Progress,
    pub(super) records: Records,
    pub(super) observed_at: Timestamp,
    pub(super) rest: Progress,
    /// Whether the reading is complete with it.
    pub(super) ends: bool,
    /// Whether a job is to be waited for next.
    pub(super) waits: bool,
}

/// What an answer says of a page.
struct Given {
    rows: u64,
    last: Option<(Option<Timestamp>, String)>,
    more: bool,
    token: Option<String>,
    observed_at: Timestamp,
}

/// What is read of a module.
pub(super) struct Want<'a> {
    pub(super) place: Place<'a>,
    /// The stream, with its columns; of a child stream, that of the keys of its parents.
    pub(super) stream: &'a Stream,
    pub(super) plan: Plan,
}

impl Want<'_> {
    fn module(&self) -> &str {
        self.place.module
    }

    /// A page without records says all the same which columns were asked for.
    fn shaped(&self, records: Records) -> Records {
        if records.is_empty() { page::none(&self.plan.names) } else { records }
    }
}

impl Zoho {
    /// Reads a page by whichever way is open, in another one where the first is refused.
    pub(super) async fn read_records(
        &self,
        stream: &Stream,
        place: Place<'_>,
        mut progress: Progress,
        tally: &mut Tally,
    ) -> Result<Read> {
        loop {
            if progress.by == By::Undecided {
                progress = self.decided(stream, place, progress, tally).await?;
            }
            let want = Want { place, stream, plan: self.plan(stream, place, &progress.by) };
            let given = match progress.by.clone() {
                By::Job { job: None } => self.begin_job(&want, &progress, tally).await?,
                By::Job { job: Some(job) } => self.read_job(&want, &progress, job, tally).await?,
                By::List => self.read_list(&want, &progress, tally).await?,
                By::Undecided | By::Query => self.read_query(&want, &progress, tally).await?,
            };
            let refusal = match given {
                Ok(read) => return Ok(read),
                Err(refusal) => refusal,
            };
            progress = self.another_way(stream, progress, refusal)?;
        }
    }

    /// How a reading goes on that was refused, if it can.
    fn another_way(&self, stream: &Stream, progress: Progress, refusal: Refusal) -> Result<Progress> {
        if let Some(column) = refusal.column().map(str::to_owned) {
            let is_known = stream.fields.iter().any(|field| field.name == column);
            if is_known && progress.by != By::List && self.refuse_column(&stream.name, &column) {
                info!(source_id = %self.id, stream = stream.name, field = column, "queries do not show the field, reading it by lists");
                return Ok(progress);
            }
        }
        match &progress.by {
            By::Query if refusal.is_scope() => {
                warn!(source_id = %self.id, stream = stream.name, "the token lacks the scope ZohoCRM.coql.READ, reading by lists");
                self.refuse_queries();
                Ok(progress.begun_again(By::List))
            }
            By::Job { .. } => {
                let error = refusal.into_error();
                info!(source_id = %self.id, stream = stream.name, error = %error, "not by a bulk job, reading by queries");
                Ok(progress.begun_again(self.small_way()))
            }
            By::List if refusal.is_place_gone() && progress.token.is_some() => {
                info!(source_id = %self.id, stream = stream.name, "the place in the list is gone, reading it from its beginning");
                Ok(progress.begun_again(By::List))
            }
            By::List if refusal.is_list_end() => {
                Err(Error::new(ErrorKind::Rejected, "the module has more records than a list shows: 100,000")
                    .with("stream", &stream.name)
                    .help("let the token read by queries (scope ZohoCRM.coql.READ) and leave `transport` out")
                    .caused_by(refusal.into_error()))
            }
            _ => Err(refusal.into_error()),
        }
    }

    /// Counts what a pass has to read, and decides how.
    async fn decided(
        &self,
        stream: &Stream,
        place: Place<'_>,
        progress: Progress,
        tally: &mut Tally,
    ) -> Result<Progress> {
        let mut by = self.small_way();
        if !progress.is_pass() {
            return Ok(Progress { by, ..progress });
        }
        let module = place.module;
        let mut sent = self.api.count(module, by == By::List).await?;
        tally.add(&sent);
        if sent.value.as_ref().is_err_and(Refusal::is_scope) && by != By::List {
            warn!(source_id = %self.id, stream = stream.name, "the token lacks the scope ZohoCRM.coql.READ, reading by lists");
            self.refuse_queries();
            by = By::List;
            sent = self.api.count(module, true).await?;
            tally.add(&sent);
        }
        let total = sent.value.map_err(Refusal::into_error)?;
        let queries = self.plan(stream, place, &By::Query).parts.len() as u64;
        let is_large = total.saturating_mul(queries) >= self.config.bulk_from;
        let can_job = self.config.transport != Transport::Rest && place.is_module();
        if can_job && total > 0 && (self.config.transport == Transport::Bulk || is_large) {
            by = By::Job { job: None };
        }
        Ok(Progress { by, total: Some(total), ..progress })
    }

    fn plan(&self, stream: &Stream, place: Place<'_>, by: &By) -> Plan {
        let interface = match by {
            By::List => Interface::List,
            By::Job { .. } => Interface::Job,
            By::Undecided | By::Query => Interface::Query,
        };
        if place.is_module() {
            let columns = usize::from(self.config.query_columns);
            Plan::new(stream, interface, columns, &self.refused_columns(&stream.name))
        } else {
            Plan::keys(true, interface == Interface::List)
        }
    }

    async fn read_query(&self, want: &Want<'_>, progress: &Progress, tally: &mut Tally) -> Result<Judged<Read>> {
        let range = progress.range();
        let limit = self.limit(want.place, progress);
        let sent = self.api.select(want.module(), &want.plan.parts[0], &range, limit).await?;
        tally.add(&sent);
        let observed_at = self.observed(sent.date);
        let first = match sent.value {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (rows, last, more) = (first.records.len() as u64, first.last(), first.more);
        let mut parts = vec![first.records];
        for part in want.plan.parts.iter().skip(1) {
            let Some((at, id)) = &last else { break };
            let records = if part.by_list {
                self.by_ids(want, part, &keys(&parts[0]), tally).await?
            } else {
                let range = bounded(&range, *at, id);
                let sent = self.api.select(want.module(), part, &range, priced(parts[0].len())).await?;
                tally.add(&sent);
                sent.value.map(|page| page.records)
            };
            match records {
                Ok(records) => parts.push(records),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        let records = match self.joined(want, parts, progress, tally).await? {
            Ok(records) => records,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let given = Given { rows, last, more, token: None, observed_at };
        self.read_of(want, progress, given, records, tally).await
    }

    /// How many records to ask a query for. Most windows have few, and small pages cost fewer credits.
    fn limit(&self, place: Place<'_>, progress: &Progress) -> usize {
        let most = usize::from(self.config.page_size);
        if !place.is_module() {
            return most.min(PARENTS);
        }
        if progress.is_pass() || progress.after.is_some() { most } else { most.min(PRICES[0]) }
    }

    async fn read_list(&self, want: &Want<'_>, progress: &Progress, tally: &mut Tally) -> Result<Judged<Read>> {
        let since = match &progress.kind {
            Kind::Window { from } => Some(*from),
            Kind::Pass { .. } | Kind::Deleted { .. } => None,
        };
        let list = List {
            module: want.module(),
            columns: &want.plan.parts[0],
            since,
            limit: u16::try_from(self.limit(want.place, progress)).unwrap_or(LISTED).min(LISTED),
            token: progress.token.as_deref(),
            ahead: progress.is_pass().then_some(want.stream.name.as_str()),
        };
        let sent = self.api.list(list).await?;
        tally.add(&sent);
        let observed_at = self.observed(sent.date);
        let RecordPage { records, mut more, token } = match sent.value {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let last = records.heads().last().map(|head| (head.stamp, head.key.clone()));
        let ends = since.is_some().then_some(progress.until);
        // A list knows no end: what lies behind that of the window is for the next one.
        if ends.is_some_and(|ends| last.as_ref().is_some_and(|(at, _)| *at >= Some(ends))) {
            more = false;
        }
        let names = records.fields().clone();
        let records = page::only(records, &names, |head| ends.is_none_or(|ends| head.stamp < Some(ends)));
        let rows = records.len() as u64;
        let ids = keys(&records);
        let mut parts = vec![records];
        for part in want.plan.parts.iter().skip(1).filter(|_| !ids.is_empty()) {
            match self.by_ids(want, part, &ids, tally).await? {
                Ok(records) => parts.push(records),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        let records = match self.joined(want, parts, progress, tally).await? {
            Ok(records) => records,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let given = Given { rows, last, more, token: token.filter(|_| more), observed_at };
        self.read_of(want, progress, given, records, tally).await
    }

    /// Where the reading stands behind a page, which is read once more from its beginning when records are lacking.
    async fn read_of(
        &self,
        want: &Want<'_>,
        asked: &Progress,
        given: Given,
        records: Records,
        tally: &mut Tally,
    ) -> Result<Judged<Read>> {
        let Given { rows, last, more, token, observed_at } = given;
        let records = want.shaped(self.whole_texts(want, records, tally).await?);
        let (mut rest, mut ends) = asked.clone().advanced(rows, last, more, token);
        if !more && asked.is_pass() && self.lacks(asked, rows, want, tally).await? {
            rest = Progress { repeated: true, ..asked.clone().begun_again(asked.by.clone()) };
            ends = false;
        }
        Ok(Ok(Read { asked: asked.clone(), records, observed_at, rest, ends, waits: false }))
    }

    /// Whether a pass that ends with `rows` more has fewer records than there are: it is compared with the count that it
    /// began with, and where that was more, with another one.
    async fn lacks(&self, asked: &Progress, rows: u64, want: &Want<'_>, tally: &mut Tally) -> Result<bool> {
        let read = asked.read + rows;
        if asked.total.is_none_or(|total| read >= total) {
            return Ok(false);
        }
        let sent = self.api.count(want.module(), asked.by == By::List).await?;
        tally.add(&sent);
        let total = sent.value.map_err(Refusal::into_error)?;
        if read >= total {
            return Ok(false);
        }
        let stream = &want.stream.name;
        if asked.repeated {
            warn!(source_id = %self.id, stream, total, read, "Zoho counts more records than it shows, also when read twice");
            return Ok(false);
        }
        info!(source_id = %self.id, stream, total, read, "Zoho counts more records than it showed, reading them once more");
        Ok(true)
    }

    /// A page of the list of deleted records.
    pub(super) async fn read_deleted(
        &self,
        place: Place<'_>,
        progress: Progress,
        from: Timestamp,
        tally: &mut Tally,
    ) -> Result<Read> {
        let sent = self.api.deleted(place.module, from, progress.pages + 1).await?;
        tally.add(&sent);
        let observed_at = self.observed(sent.date);
        let page = sent.value.map_err(Refusal::into_error)?;
        let mut builder = RecordsBuilder::new(Arc::from([]), page.data.len());
        for gone in page.data {
            builder.finish_row(RecordHead {
                key: gone.id,
                stamp: gone.deleted_time.as_deref().and_then(page::instant),
                deleted: Some(DeleteKind::Deleted),
                ..RecordHead::default()
            });
        }
        let (rest, ends) = progress.clone().advanced_in_deleted(page.info.more_records);
        Ok(Read { asked: progress, records: builder.finish(), observed_at, rest, ends, waits: false })
    }
}
