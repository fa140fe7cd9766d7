//! A connection that can only read.
//!
//! Every session is read-only before the first statement of ours, shows times in UTC, and has the database end what
//! takes too long. PostgreSQL is told so while connecting, so that nothing is asked for it; MySQL and MariaDB by
//! one line after it. No transaction outlives a statement. No statement is logged: it may hold values of keys.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use url::Url;

use super::config::{Engine, SqlConfig, System, TlsMode};
use super::form::Form;
#[cfg(feature = "odbc")]
use super::odbc;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a SQLite file may be locked by a writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// SQLite asks after so many steps of its machine whether to go on.
const STEPS: i32 = 10_000;

/// What went wrong while talking to a database, before it is told to people.
#[derive(Debug)]
pub(super) enum Failure {
    /// sqlx says so, or the database through it.
    Sqlx(sqlx::Error),
    /// What came is not what was asked for.
    Protocol(String),
    /// There was no answer in time.
    TimedOut,
    /// The connection could not be made in time.
    NotConnected,
    /// An ODBC driver says so, or the database through it.
    #[cfg(feature = "odbc")]
    Odbc(odbc::Told),
    /// The rows could not be read this way; the next try reads them another way.
    #[cfg(feature = "odbc")]
    AnotherWay,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::Sqlx(error)
    }
}

/// Where the database is and how it is signed in to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    options: Options,
    /// Host, port and database, or the file: for messages.
    pub(super) place: String,
    /// Who signs in.
    pub(super) user: String,
    timeout: Duration,
}

#[derive(Debug, Clone)]
enum Options {
    Postgres(Box<PgConnectOptions>),
    Mysql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
    #[cfg(feature = "odbc")]
    Odbc(odbc::Options),
}

/// An open connection.
pub(super) enum Link {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
    Sqlite(Lite),
    #[cfg(feature = "odbc")]
    Odbc(odbc::Bridge),
}

/// A SQLite file that is open.
pub(super) struct Lite {
    pub(super) connection: SqliteConnection,
    /// Set when the statement under way is to end.
    pub(super) is_stopped: Arc<AtomicBool>,
}

impl Target {
    /// Reads where the database is; nothing is asked of it. A SQLite file is looked for from `root`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], which never shows the URL.
    pub(super) fn of(config: &SqlConfig, root: &Path) -> Result<Target> {
        let timeout = Duration::from_secs(config.statement_timeout_secs.into());
        let bad_url = || {
            Error::new(ErrorKind::Config, "`url` is not the URL of a database").with("setting", "url").help(
                "write it like postgres://user:password@host:5432/database, mysql://…, mariadb://… or sqlite://path; characters like @ / : # % in a password are written as %40 %2F %3A %23 %25",
            )
        };
        let (system, url) = match (&config.url, config.system) {
            (Some(url), _) => {
                let text = url.expose_secret().trim();
                let scheme = text.split(':').next().unwrap_or_default();
                let system = match scheme {
                    "postgres" | "postgresql" => System::Postgresql,
                    "mysql" | "mariadb" => System::Mysql,
                    "sqlite" => System::Sqlite,
                    _ => return Err(bad_url()),
                };
                (system, Some(text))
            }
            (None, Some(system)) => (system, None),
            (None, None) => return Err(bad_url()),
        };
        match system {
            System::Sqlserver | System::Oracle | System::Odbc => Target::through_odbc(config, system, timeout),
            System::Postgresql => {
                let mut options = match url {
                    Some(url) => {
                        let url = Url::parse(url).map_err(|_| bad_url())?;
                        PgConnectOptions::from_url(&url).map_err(|_| bad_url())?
                    }
                    None => PgConnectOptions::new_without_pgpass().host("localhost").port(5432),
                };
                if let Some(host) = &config.host {
                    options = options.host(host);
                }
                if let Some(port) = config.port {
                    options = options.port(port);
                }
                if let Some(socket) = &config.socket {
                    options = options.socket(socket);
                }
                if let Some(user) = &config.user {
                    options = options.username(user);
                }
                if let Some(password) = &config.password {
                    options = options.password(password.expose_secret());
                }
                if let Some(database) = &config.database {
                    options = options.database(database);
                }
                options = postgres_tls(options, config, root);
                let millis = timeout.as_millis().to_string();
                let options = options
                    .application_name("nenrin")
                    .statement_cache_capacity(0)
                    .extra_float_digits(3)
                    .options([
                        ("default_transaction_read_only", "on"),
                        ("statement_timeout", millis.as_str()),
                        ("standard_conforming_strings", "on"),
                        ("bytea_output", "hex"),
                        ("IntervalStyle", "iso_8601"),
                    ])
                    .disable_statement_logging();
                let host =
                    options.get_socket().map_or(options.get_host().to_owned(), |path| path.display().to_string());
                let place = format!("{host}:{}/{}", options.get_port(), options.get_database().unwrap_or_default());
                let user = options.get_username().to_owned();
                Ok(Target { options: Options::Postgres(Box::new(options)), place, user, timeout })
            }
            System::Mysql => {
                let mut options = match url {
                    Some(url) => {
                        let url = Url::parse(url).map_err(|_| bad_url())?;
                        MySqlConnectOptions::from_url(&url).map_err(|_| bad_url())?
                    }
                    None => MySqlConnectOptions::new().host("localhost").port(3306),
                };
                if let Some(host) = &config.host {
                    options = options.host(host);
                }
                if let Some(port) = config.port {
                    options = options.port(port);
                }
                if let Some(socket) = &config.socket {
                    options = options.socket(socket);
                }
                if let Some(user) = &config.user {
                    options = options.username(user);
                }
                if let Some(password) = &config.password {
                    options = options.password(password.expose_secret());
                }
                if let Some(database) = &config.database {
                    options = options.database(database);
                }
                options = mysql_tls(options, config, root);
                let options = options
                    .charset("utf8mb4")
                    .timezone(Some("+00:00".to_owned()))
                    .pipes_as_concat(false)
                    .no_engine_substitution(false)
                    .statement_cache_capacity(0)
                    .disable_statement_logging();
                let host =
                    options.get_socket().map_or(options.get_host().to_owned(), |path| path.display().to_string());
                let place = format!("{host}:{}/{}", options.get_port(), options.get_database().unwrap_or_default());
                let user = options.get_username().to_owned();
                Ok(Target { options: Options::Mysql(Box::new(options)), place, user, timeout })
            }
            System::Sqlite => {
                let options = match (url, &config.database) {
                    (Some(url), _) => SqliteConnectOptions::from_str(url).map_err(|_| bad_url())?,
                    (None, Some(path)) => SqliteConnectOptions::new().filename(path),
                    (None, None) => {
                        return Err(Error::new(ErrorKind::Config, "it is not said which file the database is")
                            .with("setting", "database")
                            .help("write the path of the file, absolute or relative to the project folder"));
                    }
                };
                let path = root.join(options.get_filename());
                let place = path.display().to_string();
                let options = options
                    .filename(path)
                    .create_if_missing(false)
                    .read_only(true)
                    .pragma("query_only", "on")
                    .busy_timeout(BUSY_TIMEOUT)
                    .disable_statement_logging();
                Ok(Target { options: Options::Sqlite(Box::new(options)), place, user: String::new(), timeout })
            }
        }
    }

    #[cfg(feature = "odbc")]
    fn through_odbc(config: &SqlConfig, system: System, timeout: Duration) -> Result<Target> {
        let address = odbc::Address::of(config, system)?;
        let engine = match system {
            System::Sqlserver => Some(Engine::Sqlserver),
            System::Oracle => Some(Engine::Oracle),
            _ => config.dialect,
        };
        let (place, user) = (address.place.clone(), address.user.clone());
        Ok(Target { options: Options::Odbc(odbc::Options::new(address, engine)), place, user, timeout })
    }

    #[cfg(not(feature = "odbc"))]
    fn through_odbc(_: &SqlConfig, _: System, _: Duration) -> Result<Target> {
        Err(Error::new(ErrorKind::Config, "this nenrin was built without ODBC, by which such a database is read")
            .with("setting", "system")
            .help("install unixODBC and build nenrin with `cargo build --release --features odbc`; PostgreSQL, MySQL, MariaDB and SQLite need none of it"))
    }

    /// Whether it is read through ODBC.
    pub(super) fn is_odbc(&self) -> bool {
        #[cfg(feature = "odbc")]
        if matches!(self.options, Options::Odbc(_)) {
            return true;
        }
        false
    }

    /// What of an ODBC driver's message may be shown.
    #[cfg(feature = "odbc")]
    pub(super) fn shown(&self, message: String) -> Option<String> {
        match &self.options {
            Options::Odbc(options) => options.shown(message),
            _ => None,
        }
    }

    /// What kind of database it is; of one that is read through ODBC it may only be known once it is connected.
    pub(super) fn engine(&self) -> Engine {
        match &self.options {
            #[cfg(feature = "odbc")]
            Options::Odbc(options) => options.engine(),
            Options::Postgres(_) => Engine::Postgresql,
            Options::Mysql(_) => Engine::Mysql,
            Options::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// How long a statement may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Connects; also gives what time it is there, where it was asked.
    pub(super) async fn connect(&self) -> Result<(Link, Option<Timestamp>), Failure> {
        #[cfg(feature = "odbc")]
        if let Options::Odbc(options) = &self.options {
            let (bridge, now) = options.connect(self.timeout).await?;
            return Ok((Link::Odbc(bridge), now));
        }
        let connecting = async {
            match &self.options {
                Options::Postgres(options) => Ok((Link::Postgres(options.connect().await?), None)),
                Options::Mysql(options) => {
                    let mut link = options.connect().await?;
                    let now = set_up_mysql(&mut link, self.timeout).await?;
                    Ok((Link::Mysql(link), now))
                }
                Options::Sqlite(options) => {
                    let mut connection = options.connect().await?;
                    let encoding: String = sqlx::query_scalar("PRAGMA encoding").fetch_one(&mut connection).await?;
                    if encoding != "UTF-8" {
                        return Err(Failure::Protocol(format!("the file is written in {encoding}, not UTF-8")));
                    }
                    let is_stopped = Arc::new(AtomicBool::new(false));
                    let flag = Arc::clone(&is_stopped);
                    let mut handle = connection.lock_handle().await?;
                    handle.set_progress_handler(STEPS, move || !flag.load(Ordering::Relaxed));
                    drop(handle);
                    Ok((Link::Sqlite(Lite { connection, is_stopped }), None))
                }
                #[cfg(feature = "odbc")]
                Options::Odbc(_) => Err(Failure::NotConnected),
            }
        };
        tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| Failure::NotConnected)?
    }
}

/// The two kinds of server each read the limit that is theirs: MariaDB leaves out what is written for MySQL 5.7, MySQL
/// what is written for MariaDB.
async fn set_up_mysql(link: &mut MySqlConnection, timeout: Duration) -> Result<Option<Timestamp>, Failure> {
    let (secs, millis) = (timeout.as_secs(), timeout.as_millis());
    let statement = format!(
        "SET SESSION TRANSACTION READ ONLY; \
         SET SESSION lock_wait_timeout = {secs} /*!50708 , max_execution_time = {millis} */ \
         /*M!100101 , max_statement_time = {secs} */; SELECT NOW(6)"
    );
    let row = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_one(link).await?;
    let now: Option<String> = row.try_get_unchecked(0)?;
    Ok(now.and_then(|now| Form::Instant.instant(&Form::Instant.kept(&now), None)))
}

fn postgres_tls(mut options: PgConnectOptions, config: &SqlConfig, root: &Path) -> PgConnectOptions {
    if let Some(mode) = config.tls.mode {
        options = options.ssl_mode(match mode {
            TlsMode::Disable => PgSslMode::Disable,
            TlsMode::Prefer => PgSslMode::Prefer,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyCa => PgSslMode::VerifyCa,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        });
    }
    if let Some(file) = &config.tls.ca_file {
        options = options.ssl_root_cert(root.join(file));
    }
    if let Some(file) = &config.tls.certificate_file {
        options = options.ssl_client_cert(root.join(file));
    }
    if let Some(file) = &config.tls.key_file {
        options = options.ssl_client_key(root.join(file));
    }
    options
}

fn mysql_tls(mut options: MySqlConnectOptions, config: &SqlConfig, root: &Path) -> MySqlConnectOptions {
    if let Some(mode) = config.tls.mode {
        options = options.ssl_mode(match mode {
            TlsMode::Disable => MySqlSslMode::Disabled,
            TlsMode::Prefer => MySqlSslMode::Preferred,
            TlsMode::Require => MySqlSslMode::Required,
            TlsMode::VerifyCa => MySqlSslMode::VerifyCa,
            TlsMode::VerifyFull => MySqlSslMode::VerifyIdentity,
        });
    }
    if let Some(file) = &config.tls.ca_file {
        options = options.ssl_ca(root.join(file));
    }
    if let Some(file) = &config.tls.certificate_file {
        options = options.ssl_client_cert(root.join(file));
    }
    if let Some(file) = &config.tls.key_file {
        options = options.ssl_client_key(root.join(file));
    }
    options
}

#[cfg(all(test, not(feature = "odbc")))]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_odbc_says_how_to_get_one() {
        let settings = serde_json::json!({ "system": "sqlserver", "host": "db", "streams": {} });
        let config: SqlConfig = serde_json::from_value(settings).unwrap();
        let error = Target::of(&config, Path::new("/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.help_text().is_some_and(|help| help.contains("--features odbc")), "{}", error.render());
    }
}
