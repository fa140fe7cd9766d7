//! The real program, killed and stopped in the middle of a page.

use std::process::{Command, Output, Stdio};

use nenrin::clock::Timestamp;
use serde_json::Value;

use super::with_accounts;
use crate::support::app::{TestApp, accounts};

fn nenrin(app: &TestApp) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nenrin"));
    command
        .args(["sync", "-o", "json", "--project"])
        .arg(app.path(""))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the program to its end, while the org goes on answering.
async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_in_mid_page_loses_and_doubles_nothing() {
    let app = with_accounts(450).await;
    let stall = app.org().stall("/query/");
    let mut child = nenrin(&app).spawn().unwrap();
    stall.reached().await;
    child.kill().unwrap();
    child.wait().unwrap();
    stall.open();
    // The lease of a process that is known to be dead holds nobody up.
    let output = run(nenrin(&app)).await;
    let told = report(&output);
    assert!(output.status.success(), "{told:#}");
    assert!(told["outcome"].as_str().unwrap().starts_with("complete"), "{told:#}");
    let lines = app.lines(&accounts()).await;
    assert_eq!(lines.len(), 450);
    let now = Timestamp::from(app.org().now());
    app.assert_true_at(now, &[]).await;
    let outcomes = app.select("SELECT outcome AS line FROM runs").await;
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.contains(&"interrupted".to_owned()), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_asked_to_stop_in_mid_page_ends_by_itself_and_keeps_what_it_read() {
    let app = with_accounts(450).await;
    let stall = app.org().stall("/query/");
    let child = nenrin(&app).spawn().unwrap();
    stall.reached().await;
    let stopped = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let told = report(&output);
    assert_eq!(output.status.code(), Some(75), "{told:#}");
    assert_eq!((&told["outcome"], &told["streams"][0]["read"]), (&Value::from("partial"), &Value::from(200)));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("what was read is kept; the next run continues from here"), "{said}");
    assert_eq!(app.lines(&accounts()).await.len(), 200);
    stall.open();
    let output = run(nenrin(&app)).await;
    let told = report(&output);
    assert!(output.status.success(), "{told:#}");
    assert_eq!(told["streams"][0]["read"], Value::from(250), "{told:#}");
    assert_eq!(app.lines(&accounts()).await.len(), 450);
}
