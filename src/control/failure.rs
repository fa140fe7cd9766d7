//! What a failure of the database means to us.

use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::error::{Error, ErrorKind};

/// Turns a failure of the database into ours; `doing` says what could not be done.
pub(crate) fn failed(doing: &'static str) -> impl FnOnce(DbErr) -> Error {
    move |error| {
        let kind = kind_of(&error);
        let failure = Error::new(kind, doing).caused_by(error);
        match kind {
            ErrorKind::Unavailable => {
                failure.help("see that the database is running and not locked, then run it again")
            }
            ErrorKind::Storage => failure.help("see that the disk has room and the database may be written"),
            ErrorKind::Auth => failure.help("see the user and password in the database's URL"),
            ErrorKind::Permission => failure.help("let the database's user create and write tables"),
            ErrorKind::Corrupt => failure.help("restore the database from a backup; the lake needs no restore"),
            _ => failure,
        }
    }
}

/// Which kind of failure it is.
fn kind_of(error: &DbErr) -> ErrorKind {
    match error {
        DbErr::ConnectionAcquire(_) => ErrorKind::Unavailable,
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => kind_of_driver(cause),
        DbErr::Conn(_) => ErrorKind::Unavailable,
        DbErr::TryIntoErr { .. } | DbErr::Type(_) | DbErr::Json(_) => ErrorKind::Corrupt,
        _ => ErrorKind::Internal,
    }
}

/// The same for a failure of the driver.
pub(crate) fn kind_of_driver(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => ErrorKind::Unavailable,
        sqlx::Error::Configuration(_) => ErrorKind::Config,
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                kind_of_sqlite(&code)
            } else {
                kind_of_postgres(&code)
            }
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => ErrorKind::Corrupt,
        _ => ErrorKind::Internal,
    }
}

/// SQLite's extended result codes; the low byte is the primary one.
fn kind_of_sqlite(code: &str) -> ErrorKind {
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        5 | 6 => ErrorKind::Unavailable,            // busy, locked
        3 | 8 | 10 | 13 | 14 => ErrorKind::Storage, // permission, read-only, I/O, full, cannot open
        11 | 26 => ErrorKind::Corrupt,              // corrupt, not a database
        _ => ErrorKind::Internal,
    }
}

/// PostgreSQL's SQLSTATE codes.
fn kind_of_postgres(code: &str) -> ErrorKind {
    match code {
        "25006" => ErrorKind::Storage, // read-only
        "42501" => ErrorKind::Permission,
        "3D000" => ErrorKind::Config, // no such database
        "40001" | "40P01" | "55P03" => ErrorKind::Unavailable,
        _ => match code.get(..2) {
            Some("08" | "57") => ErrorKind::Unavailable,
            Some("28") => ErrorKind::Auth,
            Some("53" | "58") => ErrorKind::Storage,
            Some("XX") => ErrorKind::Corrupt,
            _ => ErrorKind::Internal,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_database_is_worth_trying_again_and_a_full_one_is_not() {
        assert_eq!(kind_of_sqlite("5"), ErrorKind::Unavailable);
        assert_eq!(kind_of_sqlite("517"), ErrorKind::Unavailable); // busy, by a snapshot
        assert_eq!(kind_of_sqlite("13"), ErrorKind::Storage);
        assert_eq!(kind_of_postgres("53100"), ErrorKind::Storage);
        assert_eq!(kind_of_postgres("57P03"), ErrorKind::Unavailable);
        assert_eq!(kind_of_postgres("28P01"), ErrorKind::Auth);
    }
}
