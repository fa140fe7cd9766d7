//! Opens the control database and hands out its tables.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use migrations::Migrator;
use sea_orm::sqlx::ConnectOptions;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use super::address::Address;
use super::failure::{failed, kind_of_driver};
use super::key::KeySource;
use super::process::Process;
use super::{Checkpoints, Held, Leases, Paces, Published, RejectedRows, Runs, Tokens};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};

/// How long a statement waits for another writer or for a free connection.
const WAIT_SECS: u64 = 30;

/// Connections of one process to a SQLite file.
const SQLITE_CONNECTION_COUNT: u32 = 4;

/// Connections of one process to PostgreSQL.
const POSTGRES_CONNECTION_COUNT: u32 = 10;

/// Names our migrations among PostgreSQL's advisory locks ("nenrin" in ASCII).
const MIGRATION_LOCK: i64 = 0x6e65_6e72_696e;

/// The control database; cheap to clone, shared by all tasks of a process.
#[derive(Clone, Debug)]
pub struct Control {
    pub(super) db: DatabaseConnection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) process: Arc<Process>,
    pub(super) key: Arc<KeySource>,
    address: Address,
}

impl Control {
    /// Opens the database that `url` names, making and migrating it as needed.
    ///
    /// SQLite runs with a write-ahead log, full synchronization (what is committed survives a power cut),
    /// foreign keys, and waits for other writers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a URL that names no database or one made by a newer nenrin,
    /// [`ErrorKind::Unavailable`], [`ErrorKind::Auth`] or [`ErrorKind::Storage`] when it cannot be opened.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Control> {
        let address = Address::parse(url)?;
        let db = match &address {
            Address::Sqlite(path) => open_sqlite(path).await?,
            Address::Postgres(url) => open_postgres(url.expose())
                .await
                .map_err(|error| unreachable_error(error).with("database", &address))?,
        };
        migrate(&db).await.map_err(|error| error.with("database", &address))?;
        let key = Arc::new(KeySource::beside(address.file()));
        Ok(Control { db, clock, process: Arc::new(Process::this()), key, address })
    }

    /// The same database with the secret key for tokens kept in `file`, unless the environment names one.
    pub fn with_key_file(mut self, file: PathBuf) -> Control {
        self.key = Arc::new(KeySource::in_file(file));
        self
    }

    /// Where the database is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// This machine and process, for people and for names that must be unique.
    pub fn process_label(&self) -> String {
        self.process.label()
    }

    /// The present instant, by the clock the database was opened with.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock the database was opened with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Asks the database whether it answers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] and the like when it does not.
    pub async fn ping(&self) -> Result<()> {
        let statement = Statement::from_string(self.backend(), "SELECT 1");
        self.db.query_one_raw(statement).await.map_err(failed("the control database does not answer"))?;
        Ok(())
    }

    /// Closes all connections, those of clones included; then the files of a SQLite database are whole and can
    /// be copied.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn close(&self) -> Result<()> {
        self.db.clone().close().await.map_err(failed("could not close the control database"))
    }

    /// Where reading goes on, per stream.
    pub fn checkpoints(&self) -> Checkpoints<'_> {
        Checkpoints(self)
    }

    /// Who may work on what.
    pub fn leases(&self) -> Leases<'_> {
        Leases(self)
    }

    /// How fast all processes together ask outside systems.
    pub fn paces(&self) -> Paces<'_> {
        Paces(self)
    }

    /// What each sync run did.
    pub fn runs(&self) -> Runs<'_> {
        Runs(self)
    }

    /// Fields whose values did not convert.
    pub fn held(&self) -> Held<'_> {
        Held(self)
    }

    /// Rows that are no records.
    pub fn rejected(&self) -> RejectedRows<'_> {
        RejectedRows(self)
    }

    /// Credentials that outside systems rotate.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }

    /// Which published tables are ours.
    pub fn published(&self) -> Published<'_> {
        Published(self)
    }

    /// Which of the two databases it is.
    pub(crate) fn backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    /// Begins a transaction that will write: on SQLite it waits for the write lock now, so that what it
    /// reads is still true when it writes.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction> {
        begin(&self.db).await.map_err(failed("could not begin a transaction on the control database"))
    }
}

async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    match db.get_database_backend() {
        DbBackend::Sqlite => {
            db.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..Default::default() }).await
        }
        _ => db.begin().await,
    }
}

async fn open_sqlite(path: &Path) -> Result<DatabaseConnection> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            Error::new(ErrorKind::Storage, "could not make the folder of the control database")
                .with("folder", folder.display())
                .caused_by(error)
        })?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(WAIT_SECS))
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(SQLITE_CONNECTION_COUNT)
        .acquire_timeout(Duration::from_secs(WAIT_SECS))
        .connect_with(options)
        .await
        .map_err(|error| unreachable_error(error).with("database", path.display()))?;
    Ok(DatabaseConnection::from(pool))
}

async fn open_postgres(url: &str) -> Result<DatabaseConnection, sea_orm::sqlx::Error> {
    let mut options: PgConnectOptions = url.parse()?;
    if options.get_application_name().is_none() {
        options = options.application_name("nenrin");
    }
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTION_COUNT)
        .acquire_timeout(Duration::from_secs(WAIT_SECS))
        .connect_with(options.disable_statement_logging())
        .await?;
    Ok(DatabaseConnection::from(pool))
}

fn unreachable_error(error: sea_orm::sqlx::Error) -> Error {
    let kind = match kind_of_driver(&error) {
        ErrorKind::Internal => ErrorKind::Unavailable,
        kind => kind,
    };
    let help = match kind {
        ErrorKind::Auth => "see the user and password in the database's URL",
        ErrorKind::Storage => "see that the folder exists, has room and may be written",
        ErrorKind::Config => "see the database's URL in nenrin.yaml",
        ErrorKind::Corrupt => "the file is not a SQLite database, or damaged: restore it or name another one",
        _ => "see that the database is running and can be reached from here",
    };
    Error::new(kind, "could not open the control database").help(help).caused_by(error)
}

/// Applies what is missing, alone: a second process waits, then finds nothing to do.
async fn migrate(db: &DatabaseConnection) -> Result<()> {
    const DOING: &str = "could not bring the control database up to date";
    if pending(db).await? == 0 {
        return Ok(());
    }
    let transaction = begin(db).await.map_err(failed(DOING))?;
    if db.get_database_backend() == DbBackend::Postgres {
        let lock = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT pg_advisory_xact_lock($1)",
            [MIGRATION_LOCK.into()],
        );
        transaction.execute_raw(lock).await.map_err(failed(DOING))?;
    }
    Migrator::up(&transaction, None).await.map_err(failed(DOING))?;
    transaction.commit().await.map_err(failed(DOING))
}

/// How many migrations have not been applied.
async fn pending(db: &DatabaseConnection) -> Result<usize> {
    match Migrator::get_pending_migrations_read_only(db).await {
        Ok(pending) => Ok(pending.len()),
        Err(DbErr::Custom(_)) => Err(Error::new(ErrorKind::Config, "the control database was made by a newer nenrin")
            .help("use the nenrin that made it, or a newer one; or name another database in nenrin.yaml")),
        Err(error) => Err(failed("could not read the version of the control database")(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn sqlite_keeps_what_is_committed_through_a_power_cut() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("nenrin.db").display());
        let control = Control::open(&url, Arc::new(SystemClock)).await.unwrap();
        let ask = async |setting: &str| {
            let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {setting}"));
            control.db.query_one_raw(statement).await.unwrap().unwrap()
        };
        assert_eq!(ask("journal_mode").await.try_get_by_index::<String>(0).unwrap(), "wal");
        let number = async |setting: &str| ask(setting).await.try_get_by_index::<i64>(0).unwrap();
        assert_eq!(number("synchronous").await, 2, "full");
        assert_eq!(number("foreign_keys").await, 1);
        assert_eq!(number("busy_timeout").await, 30_000);
    }
}
