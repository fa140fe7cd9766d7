//! What a run costs the database when nothing has happened.

use nenrin::connect::ReadMode;
use nenrin::sync::SyncOptions;

use super::{Database, Kind, Lab};
use crate::support::app::assert_complete;
use crate::support::postgres;

const TABLES: &str = "
CREATE TABLE a (id int PRIMARY KEY, name varchar(100), updated_at timestamp NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, name varchar(100), updated_at timestamp NOT NULL);
INSERT INTO a VALUES (1, '青空', '2025-10-01 09:00:00'), (2, '白雲', '2025-10-02 09:00:00');
INSERT INTO b VALUES (1, '赤土', '2025-10-01 09:00:00');
";

const STREAMS: &str = "timezone: Asia/Tokyo\nstreams: { a: { cursor: updated_at }, b: { cursor: updated_at } }\n";

#[tokio::test]
async fn a_quiet_run_asks_postgresql_once_per_stream_and_the_catalogue_once() {
    let lab = Lab::new(Kind::Postgres).await;
    lab.run(TABLES).await;
    let Database::Postgres(url) = &lab.database else { panic!() };
    let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    lab.run(&format!("ALTER DATABASE {name} SET log_statement = 'all'")).await;
    lab.source(STREAMS);
    assert_complete(&lab.sync(&SyncOptions::default()).await);
    let mut seen = 0;
    postgres::statements(url, &mut seen);
    let report = lab.sync(&SyncOptions::default()).await;
    assert_complete(&report);
    let statements = postgres::statements(url, &mut seen);
    let (catalogue, pages): (Vec<_>, Vec<_>) =
        statements.iter().partition(|statement| statement.contains("pg_attribute"));
    assert_eq!((catalogue.len(), pages.len()), (1, 2), "{statements:#?}");
    assert!(pages.iter().all(|page| page.starts_with("COPY (SELECT")), "{pages:#?}");
    for stream in &report.streams {
        assert_eq!((stream.requests, stream.counts.read, stream.mode), (1, 0, "incremental"), "{stream:?}");
    }
}

#[tokio::test]
async fn a_quiet_run_reads_each_table_of_mariadb_once() {
    let lab = Lab::new(Kind::Maria).await;
    let tables = TABLES.replace(" a (", " quiet_a (").replace(" b (", " quiet_b (");
    lab.run(&tables.replace(" a VALUES", " quiet_a VALUES").replace(" b VALUES", " quiet_b VALUES")).await;
    lab.source(&STREAMS.replace(" a:", " quiet_a:").replace(" b:", " quiet_b:"));
    lab.sync(&SyncOptions::default()).await;
    lab.run("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1").await;
    let report = lab.sync(&SyncOptions::default()).await;
    assert_complete(&report);
    let Database::Maria(database) = &lab.database else { panic!() };
    let statements = database.log_like("%FROM `quiet\\_%").await;
    assert_eq!(statements.len(), 2, "{statements:#?}");
    assert!(report.streams.iter().all(|stream| stream.requests == 1 && stream.counts.read == 0));
}

#[tokio::test]
async fn law5_an_unchanged_table_without_a_cursor_adds_no_file_and_no_commit() {
    for &(kind, way) in super::KINDS {
        let lab = Lab::over(kind, way).await;
        lab.run("CREATE TABLE t (id int PRIMARY KEY, name varchar(100)); INSERT INTO t VALUES (1, '青空'), (2, NULL), (3, '')").await;
        lab.source("page_rows: 2\nstreams: { t: {} }\n");
        assert_complete(&lab.sync(&SyncOptions::default()).await);
        let files = lab.app.lake_files();
        for mode in [ReadMode::Incremental, ReadMode::Full] {
            let report = lab.sync(&SyncOptions { mode, ..SyncOptions::default() }).await;
            assert_complete(&report);
            assert_eq!((report.streams[0].counts.read, report.streams[0].counts.unchanged), (3, 3), "{kind:?} {way:?}");
            assert_eq!(lab.app.lake_files(), files, "{kind:?} {way:?}");
        }
    }
}
