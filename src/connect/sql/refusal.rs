//! What the database's refusals mean, and what to do about them.
//!
//! A database's own words are shown only where they cannot hold values of records: about names, permissions and
//! connections. Of anything else the code is shown.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

use super::config::Engine;
use super::link::{Failure, Target};
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
                self.told(about, Some(error))
            }
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

    fn told(&self, about: About, cause: Option<Box<dyn DatabaseError>>) -> Refusal {
        let user = &self.user;
        let error = match about {
            About::Credential => Error::new(ErrorKind::Auth, "the database refused the user or the password")
                .with("user", user)
                .help("check user and password in `url` (or `user` and `password`), and that the user may sign in from this machine"),
            About::Database => Error::new(ErrorKind::NotFound, "there is no such database")
                .help(match self.engine() {
                    Engine::Sqlite => "check the path in `url` or `database`; it starts at the project folder",
                    _ => "check the database's name at the end of `url`, or under `database`",
                }),
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
        let is_passing = matches!(about, About::TooMany | About::Moment);
        let error = match cause {
            None => error,
            Some(cause) => {
                let code = code_of(cause.as_ref());
                let error = error.with("code", code);
                if about == About::Other { error } else { error.caused_by(cause.message().to_owned()) }
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
        Engine::Sqlite => about_result(error.code().as_deref().unwrap_or_default(), error.message()),
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
        assert_eq!(about_result("1", "no such table: a"), About::Table);
        assert_eq!(about_result("1", "no such column: a"), About::Sql);
        assert_eq!(about_result("14", ""), About::Database);
        assert_eq!(about_result("261", ""), About::Moment);
    }
}
