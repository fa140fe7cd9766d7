//! Tables, views and queries of PostgreSQL, MySQL, MariaDB and SQLite, and with the feature `odbc` of SQL Server, Oracle and
//! whatever has an ODBC driver.
//!
//! A stream with a cursor column is read by windows of changes, one without as a whole in every run; deletions are found
//! by looking at all keys. Pages follow each other by key, each a statement and a snapshot of its own, over one
//! connection that can only read. Every value is kept as the database writes it; what is no record is
//! rejected with place and reason.

mod catalog;
mod check;
mod config;
mod dialect;
mod form;
mod link;
mod look;
#[cfg(feature = "odbc")]
mod odbc;
mod plan;
mod position;
mod read;
mod refusal;
mod rows;
mod session;
mod statement;
mod written;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tracing::warn;

pub use config::{Engine, SqlConfig, SqlStreamConfig, System, TlsConfig, TlsMode};

use self::catalog::Relation;
use self::config::Origin;
use self::link::{Failure, Link, Target};
use self::plan::{Asked, Plan};
use self::position::{Datum, Kind, Part, Position, Progress, State, next_step};
use self::read::Line;
use self::rows::Rows;
use self::session::{Cost, Session, Take, Work};
use super::registry::OpenArgs;
use super::source::{Few, Finding, Found, Others, ReadMode, Sighting, Source};
use crate::clock::Timestamp;
use crate::config::suggest;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Next, Page, Records, SourceId, Stream};

/// Of how many keys it is asked at a time whether they are doubled.
const KEYS_AT_A_TIME: usize = 1_000;

/// A database, as configured.
pub struct SqlSource {
    id: SourceId,
    config: SqlConfig,
    session: Session,
    run_id: String,
    /// What the catalogue says of the configured tables; it is asked once, for all of them.
    tables: tokio::sync::Mutex<Option<BTreeMap<String, Option<Relation>>>>,
    plans: Mutex<BTreeMap<String, Arc<Plan>>>,
}

/// Asks the catalogue.
struct Describe<'a>(Vec<&'a Origin>);

#[async_trait]
impl Work for Describe<'_> {
    type Done = Vec<Option<Relation>>;

    async fn run(&mut self, link: &mut Link) -> Result<Self::Done, Failure> {
        catalog::describe(link, &self.0).await
    }
}

impl Take for Rows<'_> {
    fn take(&mut self, line: Line<'_>) {
        Rows::take(self, line);
    }
}

impl SqlSource {
    /// Opens the source; nothing is asked of the database yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings are wrong.
    pub fn open(args: OpenArgs) -> Result<Self> {
        let config: SqlConfig = args.parse_config()?;
        let checked = config.validate().and_then(|()| Target::of(&config, &args.root));
        let target = checked.map_err(|error| error.with("source", &args.id))?;
        Ok(SqlSource {
            id: args.id,
            session: Session::new(target, args.hosts, args.clock, &args.run_id, config.rows_per_second),
            config,
            run_id: args.run_id,
            tables: tokio::sync::Mutex::default(),
            plans: Mutex::default(),
        })
    }

    /// Asks the catalogue for these origins, in their order.
    async fn relations(&self, origins: &[&Origin]) -> Result<Vec<Option<Relation>>> {
        self.session.with(&mut 0, &mut Describe(origins.to_vec())).await
    }

    /// The settings of the stream `name`.
    fn settings(&self, name: &str) -> Result<&SqlStreamConfig> {
        self.config.streams.get(name).ok_or_else(|| {
            let known = self.config.streams.keys().map(String::as_str);
            let error = Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file");
            match suggest::advice(name, known) {
                Some(advice) => error.help(advice),
                None => error,
            }
        })
    }

    /// What the configured stream reads, as the catalogue describes it now.
    async fn relation(&self, origin: &Origin) -> Result<Relation> {
        let found = match origin {
            // A query that cannot be described takes no other stream with it.
            Origin::Query(_) => self.relations(&[origin]).await?.pop().flatten(),
            Origin::Table(table) => {
                let mut tables = self.tables.lock().await;
                let known = match &mut *tables {
                    Some(known) => known,
                    none => none.insert(self.describe_tables().await?),
                };
                known.get(table).cloned().flatten()
            }
        };
        match found {
            Some(relation) => Ok(relation),
            None => Err(self.missing(origin).await),
        }
    }

    async fn describe_tables(&self) -> Result<BTreeMap<String, Option<Relation>>> {
        let origins = self.config.streams.iter().map(|(name, stream)| stream.origin(name));
        let tables: Vec<Origin> = origins.filter(|origin| matches!(origin, Origin::Table(_))).collect();
        let found = self.relations(&tables.iter().collect::<Vec<_>>()).await?;
        let named = tables.into_iter().zip(found).filter_map(|(origin, relation)| match origin {
            Origin::Table(table) => Some((table, relation)),
            Origin::Query(_) => None,
        });
        Ok(named.collect())
    }

    /// The table is not there: was another meant?
    async fn missing(&self, origin: &Origin) -> Error {
        let Origin::Table(table) = origin else {
            return Error::new(ErrorKind::NotFound, "the query gives no columns");
        };
        let error = Error::new(ErrorKind::NotFound, "there is no such table or view, or it is hidden from the user")
            .with("database", &self.session.target.place)
            .with("table", table);
        let close = match self.listed().await {
            Ok(listed) => {
                let names = listed.iter().filter(|listed| !listed.is_minor).map(|listed| listed.name.as_str());
                suggest::closest(table, names).map(|close| format!("did you mean `{close}`?"))
            }
            Err(_) => None,
        };
        error.help(close.unwrap_or_else(|| "check `table`; `nenrin discover` lists those there are".to_owned()))
    }

    /// How the stream `name` is read.
    async fn plan(&self, name: &str) -> Result<Arc<Plan>> {
        if let Some(plan) = self.known(name) {
            return Ok(plan);
        }
        let config = self.settings(name)?;
        let relation = self.relation(&config.origin(name)).await?;
        let plan = Arc::new(Plan::new(self.asked(name, config), &relation)?);
        self.keep(name, &plan);
        Ok(plan)
    }

    fn known(&self, name: &str) -> Option<Arc<Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn keep(&self, name: &str, plan: &Arc<Plan>) {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::clone(plan));
    }

    fn asked<'a>(&'a self, name: &'a str, config: &'a SqlStreamConfig) -> Asked<'a> {
        let target = &self.session.target;
        Asked {
            engine: target.engine(),
            is_odbc: target.is_odbc(),
            name,
            user: &target.user,
            source: &self.config,
            config,
        }
    }

    async fn page(&self, stream: &Stream, cursor: Option<&Cursor>, first_of_run: bool, mode: ReadMode) -> Result<Page> {
        let plan = self.plan(&stream.name).await?;
        let (rules, order) = (plan.rules, plan.order());
        let before = cursor.map(Position::parse).transpose()?;
        let state =
            before.filter(|before| before.scope == plan.scope && before.order == order).map(|before| before.state);
        let progress = next_step(state, first_of_run, mode, rules);
        let (statement, limit) = plan.page(&progress);
        let layout = if progress.is_sweep() { &plan.keys } else { &plan.records };
        let mut cost = Cost::default();
        let begin = || Rows::new(&plan, layout, progress.part, limit);
        let rows = self.session.rows(&statement, &layout.forms, &mut cost, begin).await?;
        let now = match rows.clock {
            Some(now) => now,
            None => self.session.now().await,
        };
        let doubled = self.doubled(&plan, &progress, &rows, &mut cost).await?;
        let (has_more, mark) = (rows.has_more, rows.mark);
        let taken = rows.finish(&doubled);
        // A window goes on behind cursor and key, anything else behind the key.
        let is_by_cursor = matches!(progress.kind, Kind::Window { .. }) && progress.part == Part::Main;
        let skipped = if is_by_cursor || plan.cursor.is_none() { 0 } else { 1 };
        let last: Vec<Datum> = taken.last.into_iter().skip(skipped).collect();
        if has_more && progress.part == Part::Keyless {
            warn!(source_id = %self.id, stream = stream.name, "more rows than are told have NULL as their key");
        }
        let has_more = has_more && progress.part != Part::Keyless;
        if has_more && last.is_empty() {
            return Err(Error::new(
                ErrorKind::BadData,
                "no row of a page has a key that can be read, so reading cannot go on behind it",
            )
            .with("table", &plan.place)
            .help("mend the rows in the database, or leave them out with `where`"));
        }
        let progress = progress.answered(&self.run_id, now, rules).with_mark(mark);
        let reading = progress.reading(&plan.scope);
        let (until, resumed) = (progress.until, progress.resumed);
        let (progress, ends_reading) = progress.advanced((!last.is_empty()).then_some(last), has_more, rules);
        let sweep = if ends_reading { progress.sweep_after(now, rules) } else { None };
        // What came since an interrupted reading began is read by the same run.
        let is_last = ends_reading && sweep.is_none() && !(resumed && rules.has_cursor);
        let state = match (ends_reading, sweep) {
            (false, _) => State::Reading(progress),
            (true, Some(sweep)) => State::Reading(sweep),
            (true, None) => progress.done(),
        };
        let cursor = Position { scope: plan.scope.clone(), order, state }.to_cursor()?;
        let complete_through = until.filter(|until| *until > Timestamp::MIN);
        let next = if is_last { Next::Done { cursor, complete_through } } else { Next::More(cursor) };
        Ok(Page {
            records: taken.records,
            rejected: taken.rejected,
            reading: Some(reading),
            ends_reading,
            next,
            waits: false,
            observed_at: now,
            source_total: None,
            requests: cost.requests,
            bytes: cost.bytes,
        })
    }

    /// The keys of a page that more than one row has. Where the database keeps keys apart it is not asked.
    async fn doubled(
        &self,
        plan: &Plan,
        progress: &Progress,
        rows: &Rows<'_>,
        cost: &mut Cost,
    ) -> Result<HashSet<String>> {
        if plan.is_unique || rows.count == 0 || progress.part == Part::Keyless {
            return Ok(HashSet::new());
        }
        let statements: Vec<String> = match &progress.kind {
            Kind::Pass { .. } | Kind::Sweep { .. } => {
                let last: Vec<Datum> = rows.last().into_iter().skip(usize::from(plan.cursor.is_some())).collect();
                if last.is_empty() {
                    return Ok(HashSet::new());
                }
                vec![plan.doubled_between(progress.after.as_deref(), &last)]
            }
            Kind::Window { .. } => {
                let keys: Vec<Vec<Datum>> = rows.keys().iter().filter_map(|key| plan.key_of(key)).collect();
                keys.chunks(KEYS_AT_A_TIME).map(|keys| plan.doubled_of(keys)).collect()
            }
        };
        let mut doubled = HashSet::new();
        for statement in statements {
            let begin = || Rows::new(plan, &plan.keys, Part::Main, usize::MAX);
            let found = self.session.rows(&statement, &plan.keys.forms, cost, begin).await?;
            doubled.extend(found.keys());
        }
        Ok(doubled)
    }
}

#[async_trait]
impl Source for SqlSource {
    async fn check(&self) -> Vec<Finding> {
        self.findings().await
    }

    fn streams(&self) -> Vec<String> {
        self.config.streams.keys().cloned().collect()
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        let plan = self.plan(name).await;
        let plan = plan.map_err(|error| error.with("source", &self.id).with("stream", name))?;
        Ok(plan.stream.clone())
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
        self.other_tables().await.map_err(|error| error.with("source", &self.id))
    }

    async fn describe_other(&self, name: &str) -> Result<Stream> {
        let plan = self.plan_of_any(name).await;
        let plan = plan.map_err(|error| error.with("source", &self.id).with("stream", name))?;
        Ok(plan.stream.clone())
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
