//! What a person fills in to read a database.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// A database and what to read of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlConfig {
    /// Where the database is, and who signs in: `postgres://user:password@host/database`, `mysql://…`, `mariadb://…`,
    /// `sqlite://path/to/file.db`; write `${env:NAME}`. In place of it, `system` and the settings below.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub url: Option<SecretString>,
    /// What kind of database it is, where there is no `url`. `sqlserver`, `oracle` and `odbc` (whatever has an ODBC driver)
    /// need a build with `--features odbc`.
    #[serde(default)]
    pub system: Option<System>,
    /// For `sqlserver`, `oracle` and `odbc`: an ODBC connection string, `Driver={…};Server=…;UID=…;PWD=…` or `DSN=…`; write
    /// `${env:NAME}`. In place of it, `driver` and the settings below.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub connection: Option<SecretString>,
    /// The ODBC driver: its name in `odbcinst.ini`, or the path of its library; default `ODBC Driver 18 for SQL Server` for
    /// `sqlserver`.
    #[serde(default)]
    pub driver: Option<String>,
    /// Whose SQL an `odbc` database speaks; default what its driver says it is.
    #[serde(default)]
    pub dialect: Option<Engine>,
    /// The machine; default `localhost`.
    #[serde(default)]
    pub host: Option<String>,
    /// The port; default 5432 (PostgreSQL), 3306 (MySQL, MariaDB), 1433 (SQL Server) or 1521 (Oracle).
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The socket (MySQL, MariaDB) or the folder of the socket (PostgreSQL), in place of `host`.
    #[serde(default)]
    pub socket: Option<String>,
    /// Who signs in: a user that may only read.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's password; write `${env:NAME}`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretString>,
    /// The database; for SQLite its file, absolute or relative to the project folder; for Oracle the service.
    #[serde(default)]
    pub database: Option<String>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: TlsConfig,
    /// The time zone of times that are stored without one (`Asia/Tokyo`); needed where such a column is a `cursor` or
    /// `created`. What is read of it is kept as it is.
    #[serde(default)]
    pub timezone: Option<String>,
    /// Rows asked for at a time, from 1 to 200000; default 20000.
    #[serde(default = "default_page_rows")]
    #[schemars(range(min = 1, max = 200_000))]
    pub page_rows: u32,
    /// The most rows read per second; default no limit.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rows_per_second: Option<u32>,
    /// After how many seconds the database ends a statement of ours; default 300.
    #[serde(default = "default_statement_timeout_secs")]
    #[schemars(range(min = 1, max = 86400))]
    pub statement_timeout_secs: u32,
    /// How far behind the database's clock a window counts as complete, in seconds; default 10.
    #[serde(default = "default_lag_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub lag_secs: u32,
    /// How far before the end of the last run reading starts again, in seconds; default 600. Longer than the longest
    /// transaction that writes to the streams.
    #[serde(default = "default_overlap_secs")]
    #[schemars(range(min = 0, max = 604_800))]
    pub overlap_secs: u32,
    /// The same for a cursor that is a number: how far below the highest number read reading starts again; default 1000.
    #[serde(default = "default_overlap_numbers")]
    #[schemars(range(min = 0))]
    pub overlap_numbers: u32,
    /// After how many hours all keys are looked at, for rows that were deleted and for changes that became visible too
    /// late; default 24, 0 for never. Streams without a cursor are read as a whole in every run.
    #[serde(default = "default_sweep_hours")]
    #[schemars(range(min = 0, max = 8760))]
    pub sweep_hours: u32,
    /// The streams by name.
    pub streams: BTreeMap<String, SqlStreamConfig>,
}

/// One table, view or query.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlStreamConfig {
    /// The table or view: `customers`, `billing.invoices`; default the name of the stream.
    #[serde(default)]
    pub table: Option<String>,
    /// The view; the same as `table`.
    #[serde(default)]
    pub view: Option<String>,
    /// One SELECT without a semicolon at its end, in place of `table`.
    #[serde(default)]
    pub query: Option<String>,
    /// The columns that tell records apart; default the table's primary key.
    #[serde(default)]
    pub key: Vec<String>,
    /// The column that changes with every change of a row: a time, or a number that only rises. Without it everything is
    /// read in every run.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The column that says when a row was made.
    #[serde(default)]
    pub created: Option<String>,
    /// A condition in SQL that is true for rows which count as deleted: `deleted_flag = '1'`.
    #[serde(default)]
    pub deleted: Option<String>,
    /// A condition in SQL: only these rows.
    #[serde(default, rename = "where")]
    pub filter: Option<String>,
    /// Only these columns; default all that may be read.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Not these columns.
    #[serde(default)]
    pub deny: Vec<String>,
    /// `page_rows` of this stream, where it is not that of the source.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200_000))]
    pub page_rows: Option<u32>,
    /// `sweep_hours` of this stream, where it is not that of the source.
    #[serde(default)]
    #[schemars(range(min = 0, max = 8760))]
    pub sweep_hours: Option<u32>,
    /// How these columns change, where it is not by people: `business`, `calculated`, `bookkeeping` or `ticking`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub classes: BTreeMap<String, FieldClass>,
}

/// The kinds of database, by how they are talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// PostgreSQL 12 or later, and what speaks its protocol.
    #[serde(alias = "postgres")]
    Postgresql,
    /// MySQL 5.7 or later, MariaDB 10.3 or later.
    #[serde(alias = "mariadb")]
    Mysql,
    /// A SQLite file.
    Sqlite,
    /// SQL Server 2016 or later and Azure SQL, through ODBC.
    Sqlserver,
    /// Oracle 12c or later, through ODBC.
    Oracle,
    /// Whatever has an ODBC driver.
    Odbc,
}

/// The kinds of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL's.
    #[serde(alias = "postgres")]
    Postgresql,
    /// That of MySQL and MariaDB.
    #[serde(alias = "mariadb")]
    Mysql,
    /// SQLite's.
    Sqlite,
    /// SQL Server's.
    Sqlserver,
    /// Oracle's, from 12c on.
    Oracle,
    /// That of Db2 for Linux, UNIX and Windows.
    Db2,
    /// The SQL standard's, with `FETCH FIRST`.
    Standard,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// What is asked for; default what the URL says, else `prefer`.
    #[serde(default)]
    pub mode: Option<TlsMode>,
    /// The certificate of the authority that signed the server's, a PEM file; default the public authorities.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// A client certificate, a PEM file.
    #[serde(default)]
    pub certificate_file: Option<String>,
    /// The client certificate's key, a PEM file.
    #[serde(default)]
    pub key_file: Option<String>,
}

/// How much encryption is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// None.
    Disable,
    /// If the server offers it, whoever it is.
    Prefer,
    /// Always, whoever the server is.
    Require,
    /// Always, and the server's certificate is signed by an authority.
    VerifyCa,
    /// Always, and the server's certificate is signed and names the host.
    VerifyFull,
}

fn default_page_rows() -> u32 {
    20_000
}

fn default_statement_timeout_secs() -> u32 {
    300
}

fn default_lag_secs() -> u32 {
    10
}

fn default_overlap_secs() -> u32 {
    600
}

fn default_overlap_numbers() -> u32 {
    1_000
}

fn default_sweep_hours() -> u32 {
    24
}

/// Where the rows of a stream come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A table or view, as written.
    Table(String),
    /// A query.
    Query(String),
}

impl SqlConfig {
    /// Checks what the types cannot.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the setting and what it accepts.
    pub(super) fn validate(&self) -> Result<()> {
        let wrong =
            |setting: &'static str, message: &str| Error::new(ErrorKind::Config, message).with("setting", setting);
        let goes_by_odbc = matches!(self.system, Some(System::Sqlserver | System::Oracle | System::Odbc));
        for (setting, is_given) in [("connection", self.connection.is_some()), ("driver", self.driver.is_some())] {
            if is_given && !goes_by_odbc {
                return Err(wrong(setting, "the setting is for databases that are read through ODBC")
                    .help("add `system: sqlserver`, `oracle` or `odbc`, or leave it out"));
            }
        }
        if self.dialect.is_some() && self.system != Some(System::Odbc) {
            return Err(wrong("dialect", "the setting is for databases of `system: odbc`")
                .help("leave it out; what other databases speak is known"));
        }
        let parts = self.host.is_some()
            || self.port.is_some()
            || self.socket.is_some()
            || self.user.is_some()
            || self.password.is_some()
            || self.database.is_some();
        if self.connection.is_some() && (parts || self.driver.is_some()) {
            return Err(wrong("connection", "`connection` is given together with parts of it")
                .help("write either `connection`, or `driver` with `host`, `user`, `password` and `database`"));
        }
        match (&self.url, self.system) {
            (None, None) => {
                return Err(wrong("url", "it is not said where the database is").help(
                    "write `url: ${env:NAME}` with a URL like postgres://user:password@host/database, or `system` with `host`, `user`, `password` and `database`, or with `connection` for what is read through ODBC",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(wrong("system", "`url` and `system` are both given").help("give one of them"));
            }
            _ => {}
        }
        if self.url.is_some() && parts {
            return Err(wrong("url", "`url` is given together with parts of it")
                .help("write either `url`, or `system` with `host`, `user`, `password` and `database`"));
        }
        if !(1..=200_000).contains(&self.page_rows) {
            return Err(wrong("page_rows", "not a number of rows").help("use 1 to 200000"));
        }
        if self.rows_per_second == Some(0) {
            return Err(wrong("rows_per_second", "not a number of rows").help("use 1 or more, or leave it out"));
        }
        if self.statement_timeout_secs == 0 {
            return Err(wrong("statement_timeout_secs", "not a time").help("use 1 to 86400 seconds"));
        }
        self.zone()?;
        for (name, stream) in &self.streams {
            stream.validate().map_err(|error| error.with("stream", name))?;
        }
        Ok(())
    }

    /// The time zone of times without one, if it is said.
    pub(super) fn zone(&self) -> Result<Option<Tz>> {
        let Some(name) = &self.timezone else { return Ok(None) };
        name.parse().map(Some).map_err(|_| {
            let error = Error::new(ErrorKind::Config, "there is no such time zone")
                .with("setting", "timezone")
                .with("timezone", name);
            let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            match crate::config::suggest::closest(name, known) {
                Some(close) => error.help(format!("did you mean `{close}`?")),
                None => error.help("use a name like Asia/Tokyo"),
            }
        })
    }
}

impl SqlStreamConfig {
    fn validate(&self) -> Result<()> {
        let wrong =
            |setting: &'static str, message: &str| Error::new(ErrorKind::Config, message).with("setting", setting);
        let named = [&self.table, &self.view, &self.query].into_iter().flatten().count();
        if named > 1 {
            return Err(
                wrong("table", "more than one of `table`, `view` and `query` is given").help("give one of them")
            );
        }
        if let Some(query) = &self.query {
            if self.key.is_empty() {
                return Err(wrong("key", "a query has no key of its own")
                    .help("list the columns of the query that tell records apart"));
            }
            if query.trim().is_empty() || query.trim_end().ends_with(';') {
                return Err(wrong("query", "not one SELECT").help("write one SELECT without a semicolon at its end"));
            }
        }
        if self.page_rows.is_some_and(|rows| !(1..=200_000).contains(&rows)) {
            return Err(wrong("page_rows", "not a number of rows").help("use 1 to 200000"));
        }
        Ok(())
    }

    /// Where the rows of the stream called `name` come from.
    pub(super) fn origin(&self, name: &str) -> Origin {
        match (&self.query, self.table.as_ref().or(self.view.as_ref())) {
            (Some(query), _) => Origin::Query(query.trim().to_owned()),
            (None, Some(table)) => Origin::Table(table.clone()),
            (None, None) => Origin::Table(name.to_owned()),
        }
    }
}

impl Engine {
    /// What people call it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Engine::Postgresql => "PostgreSQL",
            Engine::Mysql => "MySQL or MariaDB",
            Engine::Sqlite => "SQLite",
            Engine::Sqlserver => "SQL Server",
            Engine::Oracle => "Oracle",
            Engine::Db2 => "Db2",
            Engine::Standard => "a database with the standard's SQL",
        }
    }
}
