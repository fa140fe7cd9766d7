//! Databases through ODBC: SQL Server, Oracle, and whatever has a driver.
//!
//! A driver's calls block, and some never come back. So every connection lives on a thread of its own that is given one
//! piece of work after the other; who waits for it waits no longer than is said, and then lets the thread go.
//!
//! The wide functions are used throughout: what a driver makes of narrow text depends on the locale.

mod address;
mod setup;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use arrow_odbc::odbc_api::handles::Record;
use arrow_odbc::odbc_api::{Connection, ConnectionOptions, Cursor, Error as OdbcError, environment};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

pub(super) use self::address::Address;
pub(super) use self::setup::begin;
use super::config::Engine;
use super::form::Form;
use super::link::Failure;
use crate::clock::Timestamp;

/// How long connecting may take.
const LOGIN_SECS: u32 = 20;
/// How much longer than a statement may take its answer is waited for: the database ends it by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a database is, and what has become known of it.
#[derive(Debug, Clone)]
pub(super) struct Options {
    connection: SecretString,
    /// What the driver is not to show.
    secret: SecretString,
    /// Whose SQL is spoken, where the settings say it.
    engine: Option<Engine>,
    /// The same, as the driver has said.
    told: Arc<OnceLock<Engine>>,
    /// Whether rows are read value by value, because a driver has cut a value off that was longer than its column.
    by_value: Arc<AtomicBool>,
}

/// What a driver says is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// SQLSTATE.
    pub(super) state: String,
    /// The database's own number.
    pub(super) native: i32,
    pub(super) message: String,
}

/// A piece of work for the thread of a connection.
type Job = Box<dyn FnOnce(&Connection<'static>) + Send>;

/// A connection, on a thread of its own that ends when this is dropped and the driver lets it.
pub(super) struct Bridge {
    jobs: mpsc::Sender<Job>,
    pub(super) engine: Engine,
    /// How long a statement may take.
    pub(super) timeout: Duration,
    by_value: Arc<AtomicBool>,
}

impl Options {
    pub(super) fn new(address: Address, engine: Option<Engine>) -> Options {
        Options {
            connection: address.connection,
            secret: address.secret,
            engine,
            told: Arc::default(),
            by_value: Arc::default(),
        }
    }

    /// Whose SQL is spoken, as far as is known.
    pub(super) fn engine(&self) -> Engine {
        self.engine.or_else(|| self.told.get().copied()).unwrap_or(Engine::Standard)
    }

    /// What of a driver's message may be shown: nothing when it holds the password.
    pub(super) fn shown(&self, message: String) -> Option<String> {
        let secret = self.secret.expose_secret();
        (secret.is_empty() || !message.contains(secret)).then_some(message)
    }

    /// Connects, and gives what time it is there, where it was asked.
    pub(super) async fn connect(&self, timeout: Duration) -> Result<(Bridge, Option<Timestamp>), Failure> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (answer, opened) = oneshot::channel();
        let (connection, engine) = (self.connection.clone(), self.engine);
        let talk = move || {
            let connection = match open(&connection, engine, timeout) {
                Ok((connection, engine, now)) => {
                    let _ = answer.send(Ok((engine, now)));
                    connection
                }
                Err(failure) => {
                    let _ = answer.send(Err(failure));
                    return;
                }
            };
            for job in inbox {
                job(&connection);
            }
        };
        let started = std::thread::Builder::new().name("nenrin-odbc".to_owned()).spawn(talk);
        started.map_err(|error| Failure::Protocol(format!("no thread for the ODBC driver: {error}")))?;
        // The driver gives up by itself; this is for one that does not. Setting the session up are statements.
        let patience = Duration::from_secs(LOGIN_SECS.into()) + PATIENCE;
        let opened = tokio::time::timeout(patience, opened).await.map_err(|_| Failure::NotConnected)?;
        let (engine, now) = opened.map_err(|_| broken())??;
        let _ = self.told.set(engine);
        Ok((Bridge { jobs, engine, timeout, by_value: Arc::clone(&self.by_value) }, now))
    }
}

impl Bridge {
    /// Whether rows are to be read value by value.
    pub(super) fn is_by_value(&self) -> bool {
        self.by_value.load(Ordering::Relaxed)
    }

    /// From now on rows are read value by value.
    pub(super) fn by_value(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.by_value)
    }

    /// Gives `job` to the connection's thread.
    pub(super) fn submit(&self, job: Job) -> Result<(), Failure> {
        self.jobs.send(job).map_err(|_| broken())
    }

    /// What comes of `work`, if it comes in time.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection<'static>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, done) = oneshot::channel();
        self.submit(Box::new(move |connection| {
            let _ = answer.send(work(connection));
        }))?;
        let done = tokio::time::timeout(self.timeout + PATIENCE, done).await.map_err(|_| Failure::TimedOut)?;
        done.map_err(|_| broken())?
    }

    /// The rows of a statement about the database itself, as text.
    pub(super) async fn ask(&self, statement: String) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let secs = self.timeout.as_secs();
        self.with(move |connection| match run(connection, &statement, secs)? {
            Some(cursor) => cells(cursor),
            None => Ok(Vec::new()),
        })
        .await
    }
}

/// The thread has gone, because the driver broke down in it.
pub(super) fn broken() -> Failure {
    Failure::Protocol("the ODBC driver broke down".to_owned())
}

fn open(
    connection: &SecretString,
    engine: Option<Engine>,
    timeout: Duration,
) -> Result<(Connection<'static>, Engine, Option<Timestamp>), Failure> {
    let options = ConnectionOptions { login_timeout_sec: Some(LOGIN_SECS), packet_size: None };
    let link = environment()?.connect_with_connection_string(connection.expose_secret(), options);
    let link = match link {
        // A driver that knows no such limit.
        Err(OdbcError::Diagnostics { record, .. }) if is_not_known(&record) => {
            environment()?.connect_with_connection_string(connection.expose_secret(), ConnectionOptions::default())?
        }
        other => other?,
    };
    let engine = match engine {
        Some(engine) => engine,
        None => setup::engine_of(&link.database_management_system_name()?),
    };
    for statement in setup::statements(engine, timeout) {
        run(&link, &statement, timeout.as_secs())?;
    }
    let now = match setup::clock(engine) {
        Some(statement) => match run(&link, &statement, timeout.as_secs())? {
            Some(cursor) => cells(cursor)?.into_iter().flatten().flatten().next(),
            None => None,
        },
        None => None,
    };
    if engine == Engine::Oracle {
        // Each page begins a transaction that can only read.
        link.set_autocommit(false)?;
    }
    let now = now.and_then(|now| Form::Instant.instant(&Form::Instant.kept(&now), None));
    Ok((link, engine, now))
}

/// Whether the driver says that it has no such setting.
fn is_not_known(record: &Record) -> bool {
    matches!(record.state.as_str(), "HYC00" | "HY092" | "IM001" | "S1C00")
}

/// Runs a statement; the database ends it after `secs`, where the driver can tell it.
pub(super) fn run<'c>(
    connection: &'c Connection<'static>,
    statement: &str,
    secs: u64,
) -> Result<Option<impl Cursor + use<'c>>, Failure> {
    let mut preallocated = connection.preallocate()?;
    match preallocated.set_query_timeout_sec(usize::try_from(secs).unwrap_or(usize::MAX)) {
        Err(OdbcError::Diagnostics { record, .. }) if is_not_known(&record) => {}
        other => other?,
    }
    Ok(preallocated.into_cursor(statement, ())?)
}

/// All rows of an answer, value by value.
pub(super) fn cells(mut cursor: impl Cursor) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let columns = u16::try_from(cursor.num_result_cols()?).unwrap_or_default();
    let (mut rows, mut wide) = (Vec::new(), Vec::new());
    while let Some(mut row) = cursor.next_row()? {
        let mut cells = Vec::with_capacity(columns.into());
        for column in 1..=columns {
            let is_there = row.get_wide_text(column, &mut wide)?;
            cells.push(is_there.then(|| String::from_utf16_lossy(&wide)));
        }
        rows.push(cells);
    }
    Ok(rows)
}

impl From<OdbcError> for Failure {
    fn from(error: OdbcError) -> Self {
        match error {
            OdbcError::Diagnostics { record, .. }
            | OdbcError::InvalidRowArraySize { record, .. }
            | OdbcError::UnableToRepresentNull(record)
            | OdbcError::OracleOdbcDriverDoesNotSupport64Bit(record)
            | OdbcError::UnsupportedOdbcApiVersion(record) => Failure::Odbc(Told {
                state: record.state.as_str().to_owned(),
                native: record.native_error,
                message: String::from_utf16_lossy(&record.message),
            }),
            OdbcError::NoDiagnostics { function } => Failure::Odbc(Told {
                state: "HY000".to_owned(),
                native: 0,
                message: format!("{function} failed, and the driver does not say why"),
            }),
            other => Failure::Protocol(other.to_string()),
        }
    }
}
