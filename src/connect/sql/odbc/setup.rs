//! What a session is told before the first statement of ours, and what is asked of it.
//!
//! That it can only read, and how it writes times and numbers. ODBC's own read-only attribute is a hint that drivers are
//! free to pass over, so the database is told in its own words.

use std::time::Duration;

use crate::connect::sql::config::Engine;
use crate::connect::sql::dialect;

/// Whose SQL is spoken, by what the driver calls the database.
pub(super) fn engine_of(name: &str) -> Engine {
    let name = name.to_lowercase();
    let known = [
        ("postgres", Engine::Postgresql),
        ("mysql", Engine::Mysql),
        ("mariadb", Engine::Mysql),
        ("sqlite", Engine::Sqlite),
        ("sql server", Engine::Sqlserver),
        ("oracle", Engine::Oracle),
        ("db2", Engine::Db2),
    ];
    known.into_iter().find(|(part, _)| name.contains(part)).map_or(Engine::Standard, |(_, engine)| engine)
}

/// What the session is set up with.
pub(super) fn statements(engine: Engine, timeout: Duration) -> Vec<String> {
    let (secs, millis) = (timeout.as_secs(), timeout.as_millis());
    match engine {
        Engine::Postgresql => {
            let millis = millis.to_string();
            let settings = [
                ("default_transaction_read_only", "on"),
                ("statement_timeout", millis.as_str()),
                ("standard_conforming_strings", "on"),
                ("bytea_output", "hex"),
                ("extra_float_digits", "3"),
                ("DateStyle", "ISO, YMD"),
                ("IntervalStyle", "iso_8601"),
                ("TimeZone", "UTC"),
            ];
            let set = settings.map(|(name, value)| format!("set_config('{name}', '{value}', false)"));
            vec![format!("SELECT {}", set.join(", "))]
        }
        Engine::Mysql => vec![
            "SET SESSION TRANSACTION READ ONLY".to_owned(),
            format!(
                "SET SESSION time_zone = '+00:00', lock_wait_timeout = {secs} \
                 /*!50708 , max_execution_time = {millis} */ /*M!100101 , max_statement_time = {secs} */"
            ),
        ],
        Engine::Sqlite => vec!["PRAGMA query_only = on".to_owned()],
        // SQL Server has no session that can only read. Without a limit a lock is waited for as long as it is held.
        Engine::Sqlserver => vec![format!("SET NOCOUNT ON; SET QUOTED_IDENTIFIER ON; SET LOCK_TIMEOUT {millis}")],
        // Keys are compared by their bytes, which is what indexes are in the order of.
        Engine::Oracle => vec![
            "ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY NLS_NUMERIC_CHARACTERS = '.,'".to_owned(),
            "ALTER SESSION SET TIME_ZONE = '+00:00'".to_owned(),
        ],
        Engine::Db2 | Engine::Standard => Vec::new(),
    }
}

/// What begins the transaction of a page, where each has one of its own.
pub(in crate::connect::sql) fn begin(engine: Engine) -> Option<&'static str> {
    (engine == Engine::Oracle).then_some("SET TRANSACTION READ ONLY")
}

/// The statement that tells what time it is.
pub(super) fn clock(engine: Engine) -> Option<String> {
    let from = match engine {
        Engine::Mysql | Engine::Sqlserver => "",
        Engine::Oracle => " FROM DUAL",
        Engine::Db2 => " FROM SYSIBM.SYSDUMMY1",
        Engine::Postgresql | Engine::Sqlite | Engine::Standard => return None,
    };
    Some(format!("SELECT {}{from}", dialect::clock(engine)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_known_by_what_their_drivers_call_them() {
        for (name, engine) in [
            ("PostgreSQL", Engine::Postgresql),
            ("MariaDB", Engine::Mysql),
            ("SQLite", Engine::Sqlite),
            ("Microsoft SQL Server", Engine::Sqlserver),
            ("Oracle", Engine::Oracle),
            ("DB2/LINUXX8664", Engine::Db2),
            ("HDB", Engine::Standard),
        ] {
            assert_eq!(engine_of(name), engine, "{name}");
        }
    }

    #[test]
    fn the_clock_is_asked_in_utc() {
        assert_eq!(clock(Engine::Sqlserver).as_deref(), Some("SELECT CONVERT(varchar(40), SYSUTCDATETIME(), 121)"));
        assert_eq!(
            clock(Engine::Oracle).as_deref(),
            Some("SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') FROM DUAL")
        );
        assert_eq!(begin(Engine::Oracle), Some("SET TRANSACTION READ ONLY"));
        assert_eq!(begin(Engine::Sqlserver), None);
    }
}
