//! Databases as sources: real ones, read through sync and log.

mod bad;
#[cfg(feature = "odbc")]
mod odbc;
mod quiet;
mod reading;
mod types;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use nenrin::clock::{Clock, SystemClock, Timestamp};
use nenrin::connect::http::{Hosts, ManualTimer, Settings};
#[cfg(feature = "odbc")]
use nenrin::error::ErrorKind;
use nenrin::record::{FieldClass, StreamId};
use nenrin::sync::{RunReport, SyncOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::support::app::{Record, TestApp};
use crate::support::{mariadb, postgres};

/// The kinds of database that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Maria,
    Sqlite,
}

/// How a database is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By its own protocol.
    Own,
    /// Through the ODBC driver of the distribution.
    #[cfg(feature = "odbc")]
    Odbc,
}

/// Every kind, in every way that it can be talked to.
pub(crate) const KINDS: &[(Kind, Way)] = &[
    (Kind::Postgres, Way::Own),
    (Kind::Maria, Way::Own),
    (Kind::Sqlite, Way::Own),
    #[cfg(feature = "odbc")]
    (Kind::Postgres, Way::Odbc),
    #[cfg(feature = "odbc")]
    (Kind::Maria, Way::Odbc),
    #[cfg(feature = "odbc")]
    (Kind::Sqlite, Way::Odbc),
];

/// A database in the hands of a test.
pub(crate) enum Database {
    Postgres(String),
    Maria(mariadb::Database),
    Sqlite(PathBuf),
}

/// A project that reads a database; it is now there.
pub(crate) struct Lab {
    pub(crate) app: TestApp,
    pub(crate) database: Database,
    pub(crate) timer: ManualTimer,
    way: Way,
}

impl Database {
    pub(crate) fn url(&self) -> String {
        match self {
            Database::Postgres(url) => url.clone(),
            Database::Maria(database) => database.url(),
            Database::Sqlite(path) => format!("sqlite://{}", path.display()),
        }
    }

    /// The ODBC connection string of whom `url` signs in.
    #[cfg(feature = "odbc")]
    pub(crate) fn connection(&self) -> String {
        use crate::support::odbc::connection;
        match self {
            Database::Postgres(url) => {
                let (name, folder) = url.rsplit_once('/').map(|_| url.split_once("?host=").unwrap()).unwrap();
                let name = name.rsplit('/').next().unwrap();
                connection("psqlodbcw.so", &format!("Servername={folder};Database={name};UID=postgres"))
            }
            Database::Maria(database) => connection(
                "libmaodbc.so",
                &format!(
                    "Socket={};Database={};UID=nenrin;PWD=secret;charset=utf8mb4",
                    database.socket.display(),
                    database.name
                ),
            ),
            Database::Sqlite(path) => connection("libsqlite3odbc.so", &format!("Database={}", path.display())),
        }
    }

    /// Runs statements as the owner.
    pub(crate) async fn run(&self, statements: &str) {
        match self {
            Database::Postgres(url) => {
                let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
                let mut connection = options.connect().await.unwrap();
                if let Err(error) = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await {
                    panic!("{error}: {statements}");
                }
                connection.close().await.unwrap();
            }
            Database::Maria(database) => database.run(statements).await,
            Database::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
                let mut connection = options.connect().await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }
}

impl Lab {
    /// A project with an empty database.
    pub(crate) async fn new(kind: Kind) -> Lab {
        Lab::over(kind, Way::Own).await
    }

    /// The same, read in this way.
    pub(crate) async fn over(kind: Kind, way: Way) -> Lab {
        let timer = ManualTimer::default();
        let hosts = Hosts::new(Settings::default(), Arc::new(timer.clone())).unwrap();
        let app = TestApp::new(&SystemClock.now().to_string()).with_hosts(Arc::new(hosts));
        let database = match kind {
            Kind::Postgres => Database::Postgres(postgres::new_database()),
            Kind::Maria => Database::Maria(mariadb::new_database().await),
            Kind::Sqlite => Database::Sqlite(app.path("core.db")),
        };
        let address = match way {
            Way::Own => database.url(),
            #[cfg(feature = "odbc")]
            Way::Odbc => database.connection(),
        };
        app.write("secrets/db", &address);
        Lab { app, database, timer, way }
    }

    /// Writes the source's file; `rest` follows the URL.
    pub(crate) fn source(&self, rest: &str) {
        let address = match self.way {
            Way::Own => "url: ${file:secrets/db}",
            #[cfg(feature = "odbc")]
            Way::Odbc => "system: odbc\nconnection: ${file:secrets/db}",
        };
        let head = format!("apiVersion: nenrin/v1\nkind: Source\nconnector: sql\n{address}\n");
        self.app.write("sources/db.yaml", &format!("{head}{rest}"));
    }

    pub(crate) async fn run(&self, statements: &str) {
        self.database.run(statements).await;
    }

    /// Runs the source, whatever comes of it; our own clock is not behind the database's.
    pub(crate) async fn sync(&self, options: &SyncOptions<'_>) -> RunReport {
        self.app.clock.set(self.app.clock.now().max(SystemClock.now()));
        self.app.sync_with("db", options).await.unwrap()
    }

    /// Runs the source, which fails: with what, and what a person reads of it.
    #[cfg(feature = "odbc")]
    pub(crate) async fn sync_error(&self) -> (ErrorKind, String) {
        let report = self.sync(&SyncOptions::default()).await;
        let error = report.first_error().unwrap();
        (error.kind.unwrap(), error.rendered.clone())
    }

    /// What the log says of a stream now.
    pub(crate) async fn records(&self, stream: &str) -> BTreeMap<String, Record> {
        let id = StreamId::new("db", stream);
        let now = self.app.clock.now().plus_secs(60);
        let states = self.app.records_at(&id, &[now], Timestamp::MAX, FieldClass::is_hashed).await;
        states.into_iter().next().unwrap()
    }

    /// The same of those that are there, field by field as text.
    pub(crate) async fn living(&self, stream: &str) -> BTreeMap<String, BTreeMap<String, Option<String>>> {
        let records = self.records(stream).await.into_iter();
        records.filter_map(|(key, record)| record.map(|record| (key, record))).collect()
    }
}
