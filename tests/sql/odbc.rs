//! What is a matter of ODBC alone: the exact text of values through drivers that would write them otherwise, refusals, and what
//! a driver cuts off.

use nenrin::error::ErrorKind;
use nenrin::sync::SyncOptions;

use super::types::assert_kept;
use super::{Kind, Lab, Way};
use crate::support::app::assert_complete;
use crate::support::postgres;

#[tokio::test]
async fn a_quiet_run_asks_once_per_stream_over_odbc_too() {
    let lab = Lab::over(Kind::Postgres, Way::Odbc).await;
    lab.run(
        "CREATE TABLE a (id int PRIMARY KEY, name varchar(100), updated_at timestamptz NOT NULL);
         CREATE TABLE b (id int PRIMARY KEY, name varchar(100), updated_at timestamptz NOT NULL);
         INSERT INTO a VALUES (1, '青空', '2025-10-01 09:00:00'); INSERT INTO b VALUES (1, '赤土', '2025-10-01 09:00:00')",
    )
    .await;
    let super::Database::Postgres(url) = &lab.database else { panic!() };
    let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    lab.run(&format!("ALTER DATABASE {name} SET log_statement = 'all'")).await;
    lab.source("streams: { a: { cursor: updated_at }, b: { cursor: updated_at } }\n");
    assert_complete(&lab.sync(&SyncOptions::default()).await);
    let mut seen = 0;
    postgres::statements(url, &mut seen);
    let report = lab.sync(&SyncOptions::default()).await;
    assert_complete(&report);
    let statements = postgres::statements(url, &mut seen);
    let about = |word: &str| statements.iter().filter(|statement| statement.contains(word)).count();
    assert_eq!((about("nenrin_rows"), about("pg_attribute"), about("set_config")), (2, 1, 1), "{statements:#?}");
    assert!(report.streams.iter().all(|stream| stream.requests == 1 && stream.counts.read == 0));
}

#[tokio::test]
async fn a_value_that_is_longer_than_its_column_says_is_not_cut_off() {
    // SQLite keeps to no length; its driver believes in them.
    let lab = Lab::over(Kind::Sqlite, Way::Odbc).await;
    let long = "樹の年輪𠮷".repeat(20_000);
    lab.run(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name varchar(5), note varchar(10));
         INSERT INTO t VALUES (1, '短い', 'x'), (2, '{long}', ''), (3, '終', NULL)"
    ))
    .await;
    for rows in [1, 2, 100] {
        lab.source(&format!("page_rows: {rows}\nstreams: {{ t: {{}} }}\n"));
        assert_complete(
            &lab.sync(&SyncOptions { mode: nenrin::connect::ReadMode::Full, ..SyncOptions::default() }).await,
        );
        let records = lab.living("t").await;
        assert_eq!(records["2"]["name"].as_deref(), Some(long.as_str()));
        assert_eq!(
            (records.len(), records["3"]["note"].as_deref(), records["2"]["note"].as_deref()),
            (3, None, Some(""))
        );
    }
    for kind in [Kind::Postgres, Kind::Maria] {
        let lab = Lab::over(kind, Way::Odbc).await;
        let bytes = if kind == Kind::Postgres { "bytea" } else { "longblob" };
        lab.run(&format!(
            "CREATE TABLE t (id int PRIMARY KEY, name {}, b {bytes})",
            if kind == Kind::Postgres { "text" } else { "longtext" }
        ))
        .await;
        let zeros = if kind == Kind::Postgres {
            "decode(repeat('00ff', 50000), 'hex')"
        } else {
            "unhex(repeat('00ff', 50000))"
        };
        lab.run(&format!("INSERT INTO t VALUES (1, '{long}', {zeros})")).await;
        let kept = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [0u8, 255].repeat(50_000));
        assert_kept(&lab, &[("name", Some(&long)), ("b", Some(&kept))]).await;
    }
}

#[tokio::test]
async fn a_character_that_stands_for_a_broken_one_is_kept_where_it_is_in_the_database() {
    let lab = Lab::over(Kind::Maria, Way::Odbc).await;
    lab.run(
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(20)); INSERT INTO t VALUES (1, 'a\u{fffd}b'), (2, '青空')",
    )
    .await;
    assert_kept(&lab, &[("name", Some("a\u{fffd}b"))]).await;
}

#[tokio::test]
async fn queries_are_described_and_read_over_odbc() {
    for kind in [Kind::Postgres, Kind::Maria, Kind::Sqlite] {
        let lab = Lab::over(kind, Way::Odbc).await;
        lab.run("CREATE TABLE t (id int PRIMARY KEY, n decimal(10, 2), d date); INSERT INTO t VALUES (1, 0.5, '2025-10-01'), (2, 1200, NULL)").await;
        lab.source("page_rows: 1\nstreams: { q: { query: 'SELECT id AS 番号, n AS 額, d FROM t', key: [番号] } }\n");
        assert_complete(&lab.sync(&SyncOptions::default()).await);
        let records = lab.living("q").await;
        // SQLite has no decimals.
        let amounts = if kind == Kind::Sqlite { ["0.5", "1200"] } else { ["0.50", "1200.00"] };
        assert_eq!(records["1"]["額"].as_deref(), Some(amounts[0]), "{kind:?}");
        assert_eq!(records["2"]["額"].as_deref(), Some(amounts[1]), "{kind:?}");
        assert_eq!(records["1"]["d"].as_deref(), Some("2025-10-01"), "{kind:?}");
    }
}

#[tokio::test]
async fn refusals_over_odbc_are_told_apart_and_show_no_password() {
    let lab = Lab::over(Kind::Maria, Way::Odbc).await;
    lab.source("streams: { t: {} }\n");
    let connection = lab.database.connection();
    let driver = connection.split(';').next().unwrap();
    let postgres = Lab::over(Kind::Postgres, Way::Odbc).await.database.connection();
    let postgres_driver = postgres.split(';').next().unwrap();
    for (connection, expected, words) in [
        (connection.replace("secret", "WRONGPASS"), ErrorKind::Auth, "check user and password"),
        (connection.replace("Database=", "Database=nosuch_"), ErrorKind::Permission, "GRANT"),
        (
            format!("{driver};Server=127.0.0.1;Port=1;UID=nenrin;PWD=WRONGPASS"),
            ErrorKind::Unavailable,
            "check host and port",
        ),
        (
            format!("{postgres_driver};Servername=127.0.0.1;Port=1;Database=x;UID=nenrin;PWD=WRONGPASS"),
            ErrorKind::Unavailable,
            "check host and port",
        ),
        ("Driver=/nowhere/libnosuch.so;PWD=WRONGPASS".to_owned(), ErrorKind::Config, "odbcinst -q -d"),
        ("DSN=nosuch;PWD=WRONGPASS".to_owned(), ErrorKind::Config, "odbcinst -q -d"),
    ] {
        lab.app.write("secrets/db", &connection);
        let error = lab.sync_error().await;
        assert!(error.0 == expected && error.1.contains(words), "{connection}: {}", error.1);
        assert!(!error.1.contains("WRONGPASS"), "{}", error.1);
    }
}

#[tokio::test]
async fn nothing_is_written_and_what_takes_too_long_is_ended_over_odbc() {
    let lab = Lab::over(Kind::Postgres, Way::Odbc).await;
    lab.run("CREATE TABLE t (id int PRIMARY KEY, name text, salary int); INSERT INTO t VALUES (1, 'x', 5)").await;
    lab.source("statement_timeout_secs: 1\nstreams: { q: { query: 'SELECT id, pg_sleep(30)::text AS x FROM t', key: [id] } }\n");
    let (kind, rendered) = lab.sync_error().await;
    // By the database, not by our patience with it.
    assert!(rendered.contains("code: 57014"), "{rendered}");
    assert!(kind == ErrorKind::Unavailable && rendered.contains("did not answer in time"), "{rendered}");
    // What would write is refused, though it is a SELECT.
    lab.run("CREATE SEQUENCE s").await;
    lab.source("streams: { q: { query: \"SELECT id, nextval('s')::text AS x FROM t\", key: [id] } }\n");
    let (_, rendered) = lab.sync_error().await;
    assert!(rendered.contains("code: 25006"), "{rendered}");
    // Somebody who may see two of the columns, and no other table.
    lab.run(
        "DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT (id, name) ON t TO reader; CREATE TABLE closed (id int PRIMARY KEY)",
    )
    .await;
    lab.app.write("secrets/db", &lab.database.connection().replace("UID=postgres", "UID=reader;PWD=x"));
    lab.source("streams: { t: {} }\n");
    assert_complete(&lab.sync(&SyncOptions::default()).await);
    assert_eq!(lab.living("t").await["1"].keys().collect::<Vec<_>>(), ["id", "name"]);
    for streams in ["t: { created: salary }", "closed: {}"] {
        lab.source(&format!("streams: {{ {streams} }}\n"));
        let (kind, rendered) = lab.sync_error().await;
        assert!(kind == ErrorKind::Permission && rendered.contains("GRANT SELECT"), "{rendered}");
    }
}
