//! The queue of runs that are due, on apalis.
//!
//! On SQLite the queue has a file of its own (`nenrin.db` has `nenrin-jobs.db`), on PostgreSQL the schema
//! `apalis` in the control database; both have their own connections. A job is a hint that a run is due: what
//! makes runs of one source exclude each other is the lease that every run takes.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::*;
use apalis_postgres::{PgPool, PostgresStorage};
use apalis_sqlite::{SqlitePool, SqliteStorage};
use async_trait::async_trait;
use futures::future::BoxFuture;
use sea_orm::sqlx;
use sea_orm::sqlx::ConnectOptions;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::{CancellationToken, PollSemaphore};

use crate::clock::Timestamp;
use crate::control::{Address, Control};
use crate::error::{Error as OurError, ErrorKind, Result};
use crate::record::SourceId;

/// The queue's name among those of one database.
const QUEUE: &str = "nenrin-sync";

/// How often an idle worker looks for jobs.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a statement waits for another writer or for a free connection.
const WAIT: Duration = Duration::from_secs(30);

/// Connections of one process to the queue.
const CONNECTION_COUNT: u32 = 4;

/// A run that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncJob {
    /// The source to read.
    pub source: SourceId,
    /// When it was due.
    pub due: Timestamp,
}

impl SyncJob {
    /// Names the job for all daemons of a project: the same due run is queued once, for ever.
    fn idempotency_key(&self) -> String {
        format!("{}@{}", self.source, self.due)
    }
}

/// What becomes of a job that was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// It is done with, however the run ended.
    Done,
    /// It was stopped: whoever works next takes it up again.
    Again,
}

/// Does jobs.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// Does one job. Jobs are done side by side.
    async fn handle(&self, job: SyncJob) -> JobEnd;
}

/// The queue.
#[derive(Debug, Clone)]
pub enum Queue {
    /// In a SQLite file of its own.
    Sqlite(SqlitePool),
    /// In PostgreSQL.
    Postgres(PgPool),
}

impl Queue {
    /// Opens the queue that belongs to `control`, making and migrating it as needed.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn open(control: &Control) -> Result<Queue> {
        // Two processes must not migrate at once: the control database lets in one at a time.
        let alone = control.begin().await?;
        let queue = match control.address() {
            Address::Sqlite(path) => open_sqlite(path).await,
            Address::Postgres(url) => open_postgres(url.expose()).await,
        };
        drop(alone);
        queue.map_err(|error| failed("could not open the job queue", error))
    }

    /// Queues a run; one that was queued before, by whomever, is not queued again.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn push(&self, job: &SyncJob) -> Result<()> {
        let task = TaskBuilder::new(job.clone())
            .idempotency_key(job.idempotency_key())
            .run_at_timestamp(0) // at once: what is due was decided by our clock
            .build();
        const PUSHING: &str = "could not queue a run";
        match self {
            Queue::Sqlite(pool) => match sqlite_storage(pool).push_task(task).await {
                Ok(()) => Ok(()),
                Err(TaskSinkError::PushError(apalis_sqlite::Error::Database(error))) => Err(failed(PUSHING, error)),
                Err(error) => Err(OurError::new(ErrorKind::Internal, PUSHING).caused_by(error)),
            },
            Queue::Postgres(pool) => match postgres_storage(pool).push_task(task).await {
                Ok(()) => Ok(()),
                Err(TaskSinkError::PushError(apalis_postgres::Error::Database(error))) => {
                    let known = error.as_database_error().is_some_and(|error| error.is_unique_violation());
                    if known { Ok(()) } else { Err(failed(PUSHING, error)) }
                }
                Err(error) => Err(OurError::new(ErrorKind::Internal, PUSHING).caused_by(error)),
            },
        }
    }

    /// Does jobs until `stop`, up to `slot_count` at a time, then waits for those in hand. `worker` must be the
    /// name of no other worker. Jobs of workers that died come back after a minute.
    ///
    /// # Errors
    ///
    /// Failures of the database; call it again then, with another name.
    pub async fn work(
        &self,
        worker: &str,
        slot_count: usize,
        handler: Arc<dyn JobHandler>,
        stop: CancellationToken,
    ) -> Result<()> {
        let slots = Slots::new(slot_count);
        let handler = Handler(handler);
        let done = match self {
            Queue::Sqlite(pool) => sqlite_worker(pool, worker, slots, handler, stop).await,
            Queue::Postgres(pool) => postgres_worker(pool, worker, slots, handler, stop).await,
        };
        done.map_err(|error| {
            OurError::new(ErrorKind::Unavailable, "the worker lost the job queue").caused_by(error.to_string())
        })
    }
}

/// The handler as apalis carries it to the jobs.
#[derive(Clone)]
struct Handler(Arc<dyn JobHandler>);

type Work = BoxFuture<'static, Result<(), WorkerError>>;

fn sqlite_worker(pool: &SqlitePool, name: &str, slots: Slots, handler: Handler, stop: CancellationToken) -> Work {
    let backend = sqlite_storage(pool).poll_with_interval(LOOK_EVERY);
    let worker = WorkerBuilder::new(name).backend(backend).data(handler).layer(slots).build(do_job);
    Box::pin(worker.run_until(stopped(stop)))
}

fn postgres_worker(pool: &PgPool, name: &str, slots: Slots, handler: Handler, stop: CancellationToken) -> Work {
    let backend = postgres_storage(pool).poll_with_interval(LOOK_EVERY);
    let worker = WorkerBuilder::new(name).backend(backend).data(handler).layer(slots).build(do_job);
    Box::pin(worker.run_until(stopped(stop)))
}

async fn stopped(stop: CancellationToken) -> Result<(), WorkerError> {
    stop.cancelled().await;
    Ok(())
}

/// A job that is to be done again fails, which apalis takes as a wish to retry.
async fn do_job(job: SyncJob, Data(Handler(handler)): Data<Handler>) -> Result<(), BoxDynError> {
    match handler.handle(job).await {
        JobEnd::Done => Ok(()),
        JobEnd::Again => Err("stopped before its end".into()),
    }
}

/// One job is fetched at a time, so that others find the rest. Results must be persisted: without them apalis never
/// marks a job as done.
fn sqlite_storage(pool: &SqlitePool) -> SqliteStorage<SyncJob> {
    let config = apalis_sqlite::Config::default().queue(QUEUE).batch_size(1);
    SqliteStorage::new(pool).with_config(config)
}

fn postgres_storage(pool: &PgPool) -> PostgresStorage<SyncJob> {
    let config = apalis_postgres::Config::default().queue(QUEUE).batch_size(1);
    PostgresStorage::new(pool).with_config(config)
}

/// Opens the file beside `control`. The storage's own set-up is never called: it turns synchronization off.
async fn open_sqlite(control: &Path) -> Result<Queue, sqlx::Error> {
    let stem = control.file_stem().unwrap_or_default().to_string_lossy();
    let options = SqliteConnectOptions::new()
        .filename(control.with_file_name(format!("{stem}-jobs.db")))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(WAIT)
        .disable_statement_logging();
    let pool =
        SqlitePoolOptions::new().max_connections(CONNECTION_COUNT).acquire_timeout(WAIT).connect_with(options).await?;
    SqliteStorage::migrations().run(&pool).await?;
    Ok(Queue::Sqlite(pool))
}

async fn open_postgres(url: &str) -> Result<Queue, sqlx::Error> {
    let options = url.parse::<PgConnectOptions>()?.application_name("nenrin jobs").disable_statement_logging();
    let pool =
        PgPoolOptions::new().max_connections(CONNECTION_COUNT).acquire_timeout(WAIT).connect_with(options).await?;
    PostgresStorage::migrations().run(&pool).await?;
    Ok(Queue::Postgres(pool))
}

fn failed(doing: &'static str, error: sqlx::Error) -> OurError {
    let kind = crate::control::failure::kind_of_driver(&error);
    OurError::new(kind, doing).help("see that the database is running, has room and may be written").caused_by(error)
}

/// Lets so many jobs be done at a time. A worker whose slots are taken leaves further jobs to others.
#[derive(Debug, Clone)]
struct Slots(PollSemaphore);

impl Slots {
    fn new(count: usize) -> Self {
        Slots(PollSemaphore::new(Arc::new(tokio::sync::Semaphore::new(count.max(1)))))
    }
}

impl<S> Layer<S> for Slots {
    type Service = InSlot<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InSlot { inner, slots: self.0.clone(), slot: None }
    }
}

/// A service that takes a slot before it is ready, and gives it back when the answer is there.
#[derive(Debug)]
struct InSlot<S> {
    inner: S,
    slots: PollSemaphore,
    slot: Option<OwnedSemaphorePermit>,
}

impl<S: Clone> Clone for InSlot<S> {
    fn clone(&self) -> Self {
        InSlot { inner: self.inner.clone(), slots: self.slots.clone(), slot: None }
    }
}

impl<S, T> Service<T> for InSlot<S>
where
    S: Service<T>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.slot.is_none() {
            match self.slots.poll_acquire(cx) {
                Poll::Ready(slot) => self.slot = slot,
                Poll::Pending => return Poll::Pending,
            }
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: T) -> Self::Future {
        let slot = self.slot.take();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(slot);
            answer
        })
    }
}
