//! Opening the control database: made, migrated, or refused with advice.

use std::sync::Arc;

use nenrin::clock::{ManualClock, Timestamp};
use nenrin::control::Control;
use nenrin::error::{Error, ErrorKind};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

use super::Bench;

on_both! {
    a_second_process_finds_what_the_first_stored,
    many_that_open_a_new_database_at_once_all_succeed,
    a_database_of_a_newer_nenrin_is_refused_with_advice,
    no_table_takes_a_name_of_the_job_queue,
}

async fn open(url: &str) -> Result<Control, Error> {
    Control::open(url, Arc::new(ManualClock::at(Timestamp::from_micros(0)))).await
}

async fn a_second_process_finds_what_the_first_stored(bench: Bench) {
    let lease = bench.control.leases().acquire("source:sf", "sync", 60).await.unwrap();
    let other = bench.another().await;
    other.ping().await.unwrap();
    other.leases().check(&lease).await.unwrap();
}

async fn many_that_open_a_new_database_at_once_all_succeed(bench: Bench) {
    let url = if bench.url.starts_with("sqlite:") {
        format!("sqlite:{}", bench.folder.path().join("deep/er/other.db").display())
    } else {
        crate::support::postgres::new_database()
    };
    let opened = (0..6).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { open(&url).await.map(|_| ()) })
    });
    for answer in futures::future::join_all(opened).await {
        answer.unwrap().unwrap();
    }
}

async fn a_database_of_a_newer_nenrin_is_refused_with_advice(bench: Bench) {
    let db = Database::connect(&bench.url).await.unwrap();
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_from_the_future', 0)";
    db.execute_unprepared(newer).await.unwrap();
    let error = open(&bench.url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("newer nenrin"));
}

async fn no_table_takes_a_name_of_the_job_queue(bench: Bench) {
    let db = Database::connect(&bench.url).await.unwrap();
    let tables = match db.get_database_backend() {
        DbBackend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        _ => "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'",
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), tables)).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.try_get("", "name").unwrap()).collect();
    assert!(names.contains(&"checkpoints".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| ["jobs", "workers"].contains(&name.to_lowercase().as_str())), "{names:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nenrin.db");
    std::fs::write(&file, "これは帳簿ではありません。".repeat(100)).unwrap();
    let error = open(&format!("sqlite:{}", file.display())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert!(error.render().contains("nenrin.db"));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable_and_its_password_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://app:hunter2@localhost/nenrin?host={}", folder.path().display());
    let error = open(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(!error.render().contains("hunter2"));
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_a_matter_of_configuration() {
    let url = crate::support::postgres::new_database().replace("/test_", "/missing_");
    let error = open(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
}
