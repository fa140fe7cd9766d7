//! Bad rows and refusals: each is told with place and next step, and good rows are not lost.

use nenrin::error::ErrorKind;
use nenrin::sync::{RunReport, SyncOptions};

use super::{Database, KINDS, Kind, Lab};
use crate::support::app::{assert_adds_up, assert_complete};

async fn rejected(lab: &Lab) -> Vec<String> {
    lab.app.select("SELECT place || ': ' || reason AS line FROM rejected").await
}

fn told(report: &RunReport) -> (ErrorKind, String) {
    let error = report.first_error().unwrap();
    (error.kind.unwrap(), error.rendered.clone())
}

#[tokio::test]
async fn doubled_and_null_keys_are_rejected_and_the_rest_is_read() {
    for &(kind, way) in KINDS {
        let lab = Lab::over(kind, way).await;
        lab.run("CREATE TABLE t (code varchar(10), name varchar(20))").await;
        lab.run("INSERT INTO t VALUES ('C1', '青空'), ('C2', '白雲'), ('C2', '黒雲'), (NULL, '名無し'), ('C3', '赤土'), ('C3', '赤土'), ('C4', '緑'), ('C5', '紺')").await;
        for rows in [1, 2, 100] {
            lab.source(&format!("page_rows: {rows}\nstreams: {{ t: {{ key: [code] }} }}\n"));
            let report = lab.sync(&SyncOptions::default()).await;
            assert_complete(&report);
            assert_adds_up(&report.streams[0]);
            assert_eq!(lab.living("t").await.keys().collect::<Vec<_>>(), ["C1", "C4", "C5"], "{kind:?} {way:?} {rows}");
            let lines = rejected(&lab).await;
            assert!(
                lines.iter().any(|line| line.starts_with("t C2: more than one row has this key")),
                "{kind:?} {way:?} {rows}: {lines:#?}"
            );
            assert!(
                lines.iter().any(|line| line.contains("the key is NULL (code)")),
                "{kind:?} {way:?} {rows}: {lines:#?}"
            );
        }
        lab.run("DELETE FROM t WHERE name IN ('黒雲', '青空')").await;
        let report = lab.sync(&SyncOptions::default()).await;
        assert_eq!(
            (report.streams[0].counts.new, report.streams[0].counts.deleted_by_absence),
            (1, 1),
            "{kind:?} {way:?}: mended, and gone"
        );
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_rejected_and_the_rest_is_read() {
    let lab = Lab::new(Kind::Sqlite).await;
    lab.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);
         INSERT INTO t VALUES (1, '青空'), (2, CAST(x'8360ff' AS TEXT)), (3, '白雲')",
    )
    .await;
    lab.source("page_rows: 1\nstreams: { t: {} }\n");
    assert_complete(&lab.sync(&SyncOptions::default()).await);
    assert_eq!(lab.living("t").await.keys().collect::<Vec<_>>(), ["1", "3"]);
    let lines = rejected(&lab).await;
    assert!(lines.len() == 1 && lines[0].starts_with("t 2: bytes that are no UTF-8 in name: "), "{lines:?}");
}

#[tokio::test]
async fn keys_that_the_database_takes_for_one_are_not_passed_over() {
    let lab = Lab::new(Kind::Maria).await;
    lab.run("CREATE TABLE t (code varchar(10) COLLATE utf8mb4_general_ci, name varchar(20))").await;
    lab.run("INSERT INTO t VALUES ('a', '1'), ('A', '2'), ('b', '3')").await;
    for rows in [1, 2, 10] {
        lab.source(&format!("page_rows: {rows}\nstreams: {{ t: {{ key: [code] }} }}\n"));
        assert_complete(&lab.sync(&SyncOptions::default()).await);
        assert_eq!(lab.living("t").await.keys().collect::<Vec<_>>(), ["b"]);
        let lines = rejected(&lab).await;
        assert!(lines.iter().any(|line| line.contains("more than one row has this key")), "{rows}: {lines:?}");
    }
}

#[tokio::test]
async fn settings_that_do_not_fit_are_told_with_what_was_meant() {
    for &(kind, way) in KINDS {
        let lab = Lab::over(kind, way).await;
        lab.run("CREATE TABLE customers (id int PRIMARY KEY, name varchar(20), changed varchar(20), nokey int)").await;
        lab.run("CREATE TABLE plain (name varchar(20))").await;
        for (streams, expected, words) in [
            ("custmers: {}", ErrorKind::NotFound, "did you mean `customers`?"),
            ("customers: { key: [idd] }", ErrorKind::Config, "did you mean `id`?"),
            ("customers: { cursor: chnged }", ErrorKind::Config, "did you mean `changed`?"),
            ("plain: {}", ErrorKind::Config, "list the columns that tell its rows apart under `key`"),
            ("customers: { where: 'nosuch = 1' }", ErrorKind::Config, "`where`"),
            ("q: { query: 'SELEC 1', key: [a] }", ErrorKind::Config, "`query`"),
        ] {
            lab.source(&format!("streams: {{ {streams} }}\n"));
            let (error, rendered) = told(&lab.sync(&SyncOptions::default()).await);
            assert!(error == expected && rendered.contains(words), "{kind:?} {way:?} {streams}: {rendered}");
            assert!(rendered.contains("next: "), "{rendered}");
        }
        if kind != Kind::Sqlite {
            lab.source("streams: { customers: { cursor: changed } }\n");
            let (_, rendered) = told(&lab.sync(&SyncOptions::default()).await);
            assert!(rendered.contains("the column holds no times"), "{kind:?} {way:?}: {rendered}");
        }
    }
}

#[tokio::test]
async fn whoever_is_refused_is_told_why_and_no_password_is_shown() {
    let lab = Lab::new(Kind::Maria).await;
    lab.source("streams: { t: {} }\n");
    let Database::Maria(database) = &lab.database else { panic!() };
    for (url, expected, words) in [
        (database.url().replace("secret", "WRONGPASS"), ErrorKind::Auth, "check user and password"),
        (database.url().replace(&database.name, "nosuch"), ErrorKind::Permission, "GRANT"),
        ("mysql://nenrin:WRONGPASS@127.0.0.1:1/x".to_owned(), ErrorKind::Unavailable, "check host and port"),
        ("postgres://nenrin:WRONGPASS@127.0.0.1:1/x".to_owned(), ErrorKind::Unavailable, "check host and port"),
        ("sqlite://nosuch.db".to_owned(), ErrorKind::NotFound, "check the path"),
    ] {
        lab.app.write("secrets/db", &url);
        let (error, rendered) = told(&lab.sync(&SyncOptions::default()).await);
        assert!(error == expected && rendered.contains(words), "{url}: {rendered}");
        assert!(!rendered.contains("WRONGPASS"), "{rendered}");
    }
}

#[tokio::test]
async fn what_takes_too_long_is_ended_and_what_may_not_be_read_names_the_grant() {
    let lab = Lab::new(Kind::Postgres).await;
    lab.run("CREATE TABLE t (id int PRIMARY KEY, name text, salary int); INSERT INTO t VALUES (1, 'x', 5)").await;
    lab.source("statement_timeout_secs: 1\nstreams: { q: { query: 'SELECT id, pg_sleep(30)::text AS x FROM t', key: [id] } }\n");
    let (error, rendered) = told(&lab.sync(&SyncOptions::default()).await);
    assert!(error == ErrorKind::Unavailable && rendered.contains("did not answer in time"), "{rendered}");
    lab.source("streams: { q: { query: 'DELETE FROM t RETURNING id', key: [id] } }\n");
    let report = lab.sync(&SyncOptions::default()).await;
    assert!(report.first_error().is_some());
    // Somebody who may see two of the columns, and no other table.
    lab.run(
        "DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT (id, name) ON t TO reader; CREATE TABLE closed (id int PRIMARY KEY)",
    )
    .await;
    lab.app.write("secrets/db", &lab.database.url().replace("postgres://postgres@", "postgres://reader:x@"));
    lab.source("streams: { t: {} }\n");
    assert_complete(&lab.sync(&SyncOptions::default()).await);
    assert_eq!(lab.living("t").await["1"].keys().collect::<Vec<_>>(), ["id", "name"]);
    for streams in ["t: { created: salary }", "closed: {}"] {
        lab.source(&format!("streams: {{ {streams} }}\n"));
        let (error, rendered) = told(&lab.sync(&SyncOptions::default()).await);
        assert!(error == ErrorKind::Permission && rendered.contains("GRANT SELECT"), "{rendered}");
    }
}
