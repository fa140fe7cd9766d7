//! What the database's refusals mean, and what to do about them.
//!
//! A database's own words are shown only where they cannot hold values of records: about names, permissions and
//! connections. Of anything else the code is shown.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

use super::config::Engine;
use super::link::{Failure, Target};
#[cfg(feature = "odbc")]
use super::odbc;
use crate::error::{Error, ErrorKind};

/// A failure, and whether asking again in this run may help.
pub(super) struct Refusal {
    pub(super) error: Error,
    pub(super) is_passing: bool,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Credential,
    Database,
    /// The ODBC driver is not there, or cannot be loaded.
    #[cfg_attr(not(feature = "odbc"), allow(dead_code, reason = "only what is read through ODBC has it"))]
    Driver,
    /// Nothing answers.
    #[cfg_attr(not(feature = "odbc"), allow(dead_code, reason = "only what is read through ODBC has it"))]
    Unreachable,
    Table,
    Sql,
    Permission,
    TooMany,
    TimedOut,
    /// Goes away by itself.
    Moment,
    Other,
}

impl Target {
    /// What `failure` means.
    pub(super) fn refusal(&self, failure: Failure) -> Refusal {
        let refused = match failure {
            Failure::NotConnected => self.unreachable(None),
            Failure::TimedOut => self.told(About::TimedOut, None),
            Failure::Protocol(why) => Refusal {
                error: Error::new(ErrorKind::BadData, "the database's answer cannot be read")
                    .help("run the sync again; if it stays so, report this")
                    .caused_by(why),
                is_passing: false,
            },
            Failure::Sqlx(sqlx::Error::Database(error)) => {
                let about = about(self.engine(), error.as_ref());
                self.told(about, Some((code_of(error.as_ref()), error.message().to_owned())))
            }
            #[cfg(feature = "odbc")]
            Failure::Odbc(told) => {
                let about = about_odbc(self.engine(), &told);
                let message = self.shown(told.message).unwrap_or_default();
                self.told(about, Some((format!("{}/{}", told.state, told.native), message)))
            }
            #[cfg(feature = "odbc")]
            Failure::AnotherWay => Refusal {
                error: Error::new(ErrorKind::BadData, "the ODBC driver cuts values off")
                    .help("use another driver, or leave the column out with `deny`"),
                is_passing: false,
            },
            Failure::Sqlx(sqlx::Error::Tls(why)) => Refusal {
                error: Error::new(ErrorKind::Unavailable, "the connection cannot be encrypted as asked for")
                    .help("check `tls` in the source's file: `ca_file` must be the authority that signed the server's certificate; without TLS on the server use `mode: disable`")
                    .caused_by(why),
                is_passing: false,
            },
            Failure::Sqlx(sqlx::Error::Configuration(_)) => Refusal {
                error: Error::new(ErrorKind::Config, "the settings of the connection cannot be used")
                    .help("check `url`, and the files under `tls`"),
                is_passing: false,
            },
            Failure::Sqlx(sqlx::Error::Io(error)) => self.unreachable(Some(error)),
            Failure::Sqlx(error @ sqlx::Error::Protocol(_)) => Refusal {
                error: Error::new(ErrorKind::Unavailable, "the connection broke off, or something else than a database answers")
                    .help("check host and port; if they are right, run the sync again")
                    .caused_by(error),
                is_passing: true,
            },
            Failure::Sqlx(error) => Refusal {
                error: Error::new(ErrorKind::Unavailable, "the database could not be read")
                    .help("run the sync again; if it stays so, report this")
                    .caused_by(error),
                is_passing: true,
            },
        };
        Refusal { error: refused.error.with("database", &self.place), ..refused }
    }

    fn unreachable(&self, cause: Option<std::io::Error>) -> Refusal {
        let error = Error::new(ErrorKind::Unavailable, "the database cannot be reached").help(
            "check host and port in the source's file, that the server is running, and that a firewall lets this machine through",
        );
        let error = match cause {
            Some(cause) => error.caused_by(cause),
            None => error.with("why", "no answer within 20 seconds"),
        };
        Refusal { error, is_passing: true }
    }

    /// What is told of a refusal, by code and message of the database.
    fn told(&self, about: About, cause: Option<(String, String)>) -> Refusal {
        let user = &self.user;
        let error = match about {
            About::Credential => Error::new(ErrorKind::Auth, "the database refused the user or the password")
                .with("user", user)
                .help("check user and password in `url` or `connection` (or `user` and `password`), and that the user may sign in from this machine"),
            About::Database => Error::new(ErrorKind::NotFound, "there is no such database")
                .help(match self.engine() {
                    Engine::Sqlite => "check the path in `url` or `database`; it starts at the project folder",
                    _ => "check the database's name at the end of `url`, or under `database`",
                }),
            About::Driver => Error::new(ErrorKind::Config, "the ODBC driver cannot be used")
                .help("check `driver`: `odbcinst -q -d` lists the drivers that are installed, and `ldd` on the driver's library names what it lacks"),
            About::Unreachable => Error::new(ErrorKind::Unavailable, "the database cannot be reached").help(
                "check host and port in the source's file, that the server is running, and that a firewall lets this machine through",
            ),
            About::Table => Error::new(ErrorKind::NotFound, "there is no such table or view")
                .help("check `table`; `nenrin discover` lists those there are"),
            About::Sql => Error::new(ErrorKind::Config, "the database does not understand what is asked of it")
                .help("check `query`, `where` and `deleted` of the stream by running them in the database's own client"),
            About::Permission => Error::new(ErrorKind::Permission, "the user may not read this")
                .with("user", user)
                .help(format!("ask the database's administrator for the right to read it: GRANT SELECT ON <table> TO {user}")),
            About::TooMany => Error::new(ErrorKind::RateLimited, "the database has too many connections")
                .help("what was read is kept; let the source run at another time, or ask for a connection to be kept free"),
            About::TimedOut => Error::new(ErrorKind::Unavailable, "the database did not answer in time").help(
                "what was read is kept. Let an index serve the page (`nenrin check` names the missing one), or lower `page_rows`, or raise `statement_timeout_secs`",
            ),
            About::Moment => Error::new(ErrorKind::Unavailable, "the database cannot answer just now")
                .help("what was read is kept; run the sync again"),
            About::Other => Error::new(ErrorKind::Rejected, "the database refused the statement")
                .help("look up the code in the database's manual; its log has the whole message"),
        };
        let is_passing = matches!(about, About::TooMany | About::Moment | About::Unreachable);
        let error = match cause {
            None => error,
            Some((code, message)) => {
                let error = error.with("code", code);
                if about == About::Other || message.is_empty() { error } else { error.caused_by(message) }
            }
        };
        Refusal { error, is_passing }
    }
}

fn code_of(error: &dyn DatabaseError) -> String {
    match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => error.number().to_string(),
        None => error.code().map(|code| code.into_owned()).unwrap_or_default(),
    }
}

fn about(engine: Engine, error: &dyn DatabaseError) -> About {
    match engine {
        Engine::Postgresql => {
            let code = error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code);
            about_sqlstate(code.unwrap_or_default())
        }
        Engine::Mysql => about_number(
            error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number).unwrap_or_default(),
        ),
        // Others are read through ODBC.
        _ => about_result(error.code().as_deref().unwrap_or_default(), error.message()),
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn about_sqlstate(code: &str) -> About {
    match code {
        "3D000" => About::Database,
        "42P01" | "3F000" => About::Table,
        "42501" => About::Permission,
        "53300" => About::TooMany,
        // The statement was cancelled: by the time limit, or by an administrator.
        "57014" => About::TimedOut,
        // A standby that replays what is being read; shutting down, starting up; deadlocks.
        "40001" | "40P01" | "57P01" | "57P02" | "57P03" | "25P03" => About::Moment,
        _ if code.starts_with("28") => About::Credential,
        _ if code.starts_with("42") => About::Sql,
        _ if code.starts_with("08") || code.starts_with("53") => About::Moment,
        _ => About::Other,
    }
}

/// <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>,
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>
fn about_number(number: u16) -> About {
    match number {
        1045 | 1130 | 1698 | 1862 | 3118 => About::Credential,
        1049 => About::Database,
        1146 | 1051 => About::Table,
        1054 | 1052 | 1064 | 1055 | 1060 | 1305 => About::Sql,
        1044 | 1142 | 1143 | 1227 | 1356 => About::Permission,
        1040 | 1203 | 1226 => About::TooMany,
        // The time limits of MySQL and of MariaDB; killed by an administrator.
        3024 | 1969 | 1317 => About::TimedOut,
        1205 | 1213 | 1053 | 1927 | 1158..=1161 => About::Moment,
        _ => About::Other,
    }
}

/// <https://www.sqlite.org/rescode.html>; extended codes have the plain one in their last byte.
fn about_result(code: &str, message: &str) -> About {
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        14 | 26 => About::Database,
        5 | 6 => About::Moment,
        9 => About::TimedOut,
        3 | 23 => About::Permission,
        1 if message.contains("no such table") => About::Table,
        1 => About::Sql,
        _ => About::Other,
    }
}

/// By the database's own numbers where they say more than SQLSTATE does.
#[cfg(feature = "odbc")]
fn about_odbc(engine: Engine, told: &odbc::Told) -> About {
    // What the driver manager and the driver say of themselves.
    if told.state.starts_with("IM") || told.message.contains("Can't open lib") {
        return About::Driver;
    }
    // PostgreSQL's driver says nothing but 08001 of whatever comes while it connects.
    if told.state == "08001" && told.message.contains("FATAL:") {
        return about_fatal(&told.message);
    }
    // Before it is connected a database of `system: odbc` is known by its driver's messages alone.
    let engine = match engine {
        Engine::Standard if told.message.starts_with("[ma-") || told.message.contains("[MySQL]") => Engine::Mysql,
        Engine::Standard if told.message.contains("[SQL Server]") => Engine::Sqlserver,
        Engine::Standard if told.message.contains("[Oracle]") => Engine::Oracle,
        engine => engine,
    };
    let by_number = match engine {
        Engine::Sqlserver => about_sqlserver(told.native),
        Engine::Oracle => about_oracle(told.native),
        // What the client library says of itself: <https://mariadb.com/docs/connectors/mariadb-connector-c/>
        Engine::Mysql if matches!(told.native, 2002 | 2003 | 2005) => About::Unreachable,
        Engine::Mysql if matches!(told.native, 2006 | 2013 | 2055) => About::Moment,
        Engine::Mysql => u16::try_from(told.native).map_or(About::Other, about_number),
        Engine::Sqlite => about_result(&told.native.to_string(), &told.message),
        Engine::Postgresql | Engine::Db2 | Engine::Standard => About::Other,
    };
    match by_number {
        About::Other => about_state(engine, &told.state),
        about => about,
    }
}

/// By PostgreSQL's words, as a server in English has them.
#[cfg(feature = "odbc")]
fn about_fatal(message: &str) -> About {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["too many", "remaining connection slots"]) {
        About::TooMany
    } else if has(&["permission denied"]) {
        About::Permission
    } else if has(&["authentication failed", "not permitted to log in", "pg_hba.conf", "role \""]) {
        About::Credential
    } else if has(&["database \""]) {
        About::Database
    } else {
        About::Moment
    }
}

/// <https://learn.microsoft.com/en-us/sql/odbc/reference/appendixes/appendix-a-odbc-error-codes>
#[cfg(feature = "odbc")]
fn about_state(engine: Engine, state: &str) -> About {
    match state {
        "HYT00" | "S1T00" | "HY008" => About::TimedOut,
        "08001" | "HYT01" => About::Unreachable,
        "08S01" | "40003" => About::Moment,
        "42S02" | "S0002" => About::Table,
        "42S22" | "S0022" => About::Sql,
        // SQL Server's and Oracle's are for anything that is wrong with a statement, values among it.
        "42000" | "37000" if matches!(engine, Engine::Sqlserver | Engine::Oracle) => About::Other,
        "37000" => About::Sql,
        // Db2: <https://www.ibm.com/docs/en/db2/11.5?topic=messages-sqlstate>
        "42704" if engine == Engine::Db2 => About::Table,
        "08004" if engine == Engine::Db2 => About::TooMany,
        state => about_sqlstate(state),
    }
}

/// <https://learn.microsoft.com/en-us/sql/relational-databases/errors-events/database-engine-events-and-errors>
#[cfg(feature = "odbc")]
fn about_sqlserver(number: i32) -> About {
    match number {
        18452 | 18456 | 18470 | 18486..=18488 => About::Credential,
        911 | 4060 => About::Database,
        208 => About::Table,
        102 | 105 | 156 | 170 | 195 | 207 | 209 | 1033 | 4104 | 8155 | 8156 => About::Sql,
        229 | 230 | 262 | 297 | 300 | 916 => About::Permission,
        10928 | 10929 | 17809 | 40501 | 49918..=49920 => About::TooMany,
        // A deadlock, a lock that was waited for in vain, a snapshot that has gone, a database that moves.
        1205 | 1222 | 3960 | 3961 | 6005 | 10053 | 10054 | 10060 | 40143 | 40197 | 40540 | 40613 => About::Moment,
        _ => About::Other,
    }
}

/// <https://docs.oracle.com/en/error-help/db/>
#[cfg(feature = "odbc")]
fn about_oracle(number: i32) -> About {
    match number {
        1005 | 1017 | 1045 | 28000 | 28001 | 28009 => About::Credential,
        12154 | 12504 | 12505 | 12514 => About::Database,
        12170 | 12535 | 12541 | 12543 | 12545 => About::Unreachable,
        942 | 4043 => About::Table,
        900..=907 | 911 | 917 | 918 | 920 | 923 | 933 | 936 | 979 => About::Sql,
        1031 | 1039 | 41900 => About::Permission,
        18 | 20 | 2391 | 12516 | 12519 | 12520 => About::TooMany,
        1013 => About::TimedOut,
        // A deadlock, a snapshot that is too old, a server that starts or stops, a connection that has gone.
        54 | 60 | 1012 | 1033 | 1034 | 1089 | 1090 | 1555 | 3113 | 3114 | 3135 | 8176 | 8177 | 12537 | 12571 => {
            About::Moment
        }
        _ => About::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (code, expected) in [
            ("28P01", About::Credential),
            ("3D000", About::Database),
            ("42P01", About::Table),
            ("42703", About::Sql),
            ("42501", About::Permission),
            ("53300", About::TooMany),
            ("57014", About::TimedOut),
            ("57P01", About::Moment),
            ("22P02", About::Other),
        ] {
            assert_eq!(about_sqlstate(code), expected, "{code}");
        }
        for (number, expected) in [
            (1045, About::Credential),
            (1146, About::Table),
            (1969, About::TimedOut),
            (3024, About::TimedOut),
            (1142, About::Permission),
            (1366, About::Other),
        ] {
            assert_eq!(about_number(number), expected, "{number}");
        }
        #[cfg(feature = "odbc")]
        for (engine, state, native, expected) in [
            (Engine::Sqlserver, "28000", 18456, About::Credential),
            (Engine::Sqlserver, "42000", 4060, About::Database),
            (Engine::Sqlserver, "42S02", 208, About::Table),
            (Engine::Sqlserver, "42000", 229, About::Permission),
            (Engine::Sqlserver, "40001", 1205, About::Moment),
            (Engine::Sqlserver, "HYT00", 0, About::TimedOut),
            (Engine::Sqlserver, "08001", 10061, About::Unreachable),
            (Engine::Sqlserver, "08S01", 0, About::Moment),
            // The value that cannot be converted is in the message.
            (Engine::Sqlserver, "22018", 245, About::Other),
            (Engine::Sqlserver, "42000", 8114, About::Other),
            (Engine::Oracle, "28000", 1017, About::Credential),
            (Engine::Oracle, "HY000", 12514, About::Database),
            (Engine::Oracle, "08001", 12541, About::Unreachable),
            (Engine::Oracle, "42S02", 942, About::Table),
            (Engine::Oracle, "HY000", 1031, About::Permission),
            (Engine::Oracle, "HY000", 1013, About::TimedOut),
            (Engine::Oracle, "HY000", 60, About::Moment),
            (Engine::Oracle, "HY000", 1722, About::Other),
            (Engine::Standard, "IM002", 0, About::Driver),
            (Engine::Standard, "28000", 0, About::Credential),
            (Engine::Standard, "40001", 0, About::Moment),
            (Engine::Mysql, "42000", 1142, About::Permission),
            (Engine::Postgresql, "42501", 1, About::Permission),
        ] {
            let told = odbc::Told { state: state.to_owned(), native, message: String::new() };
            assert_eq!(about_odbc(engine, &told), expected, "{engine:?} {state} {native}");
        }
        assert_eq!(about_result("1", "no such table: a"), About::Table);
        assert_eq!(about_result("1", "no such column: a"), About::Sql);
        assert_eq!(about_result("14", ""), About::Database);
        assert_eq!(about_result("261", ""), About::Moment);
    }
}
