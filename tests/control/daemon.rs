//! The daemon: what is due runs once, one run of a source at a time, and a signal loses nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use nenrin::clock::ManualClock;
use nenrin::config::{Cadence, Schedule};
use nenrin::control::{Control, Prepare, RunOutcome, StartRun};
use nenrin::error::{Error, ErrorKind, Result};
use nenrin::record::{Cursor, SourceId, StreamId};
use nenrin::sync::RunReport;
use nenrin::sync::queue::{Queue, SyncJob};
use nenrin::sync::worker::{Daemon, NoWatch, Scheduler, Schedules, SnapshotKeeper, SyncRunner, Watch};
use nenrin::web::{Metrics, Probe, Web, router};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Bench, at};

on_both! {
    the_same_due_run_is_queued_once_by_two_daemons,
    runs_missed_while_nobody_was_there_are_caught_up_by_one,
    a_new_source_with_a_pause_is_due_at_once_and_one_with_a_time_at_its_time,
    two_daemons_never_run_one_source_at_once,
    a_run_that_breaks_off_does_not_stop_the_daemon,
    snapshots_are_kept_at_the_start_and_after_runs,
    sigterm_in_mid_page_lands_the_batch_in_hand_and_the_next_daemon_goes_on,
    a_run_that_a_dead_process_left_is_marked_interrupted_at_the_start,
    health_readiness_and_metrics_are_answered,
}

fn sf() -> SourceId {
    SourceId("sf".to_owned())
}

fn every(secs: u64) -> Schedule {
    Schedule { cadence: Cadence::Every(Duration::from_secs(secs)), jitter: Duration::ZERO }
}

fn nightly() -> Schedule {
    let cadence = Cadence::Cron { pattern: "0 2 * * *".to_owned(), timezone: chrono_tz::Asia::Tokyo };
    Schedule { cadence, jitter: Duration::ZERO }
}

fn schedules(schedule: Schedule) -> Arc<Schedules> {
    Arc::new(BTreeMap::from([(sf(), schedule)]))
}

/// What the queue holds: source and due instant of every job that was ever pushed.
async fn jobs(queue: &Queue) -> Vec<SyncJob> {
    use sea_orm::sqlx;
    let rows: Vec<(Vec<u8>,)> = match queue {
        Queue::Sqlite(pool) => {
            sqlx::query_as("SELECT CAST(job AS BLOB) FROM Jobs ORDER BY id").fetch_all(pool).await.unwrap()
        }
        Queue::Postgres(pool) => {
            sqlx::query_as("SELECT job FROM apalis.jobs ORDER BY id").fetch_all(pool).await.unwrap()
        }
    };
    let mut jobs: Vec<SyncJob> = rows.iter().map(|(job,)| serde_json::from_slice(job).unwrap()).collect();
    jobs.sort_by_key(|job| job.due);
    jobs
}

fn dues(jobs: &[SyncJob]) -> Vec<String> {
    jobs.iter().map(|job| job.due.to_string()).collect()
}

/// A runner that does what a test tells it, under the source's lease like the real one.
struct Script {
    control: Control,
    started: mpsc::UnboundedSender<SourceId>,
    /// A run ends when it is given one of these, or when it is cancelled.
    may_end: Arc<Semaphore>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    panics: bool,
}

#[async_trait]
impl SyncRunner for Script {
    async fn sync(&self, source: &SourceId, _trigger: &str, cancel: CancellationToken) -> Result<RunReport> {
        let lease = self.control.leases().acquire(&format!("source:{source}"), "test", 600).await?;
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.started.send(source.clone()).unwrap();
        let outcome = tokio::select! {
            permit = self.may_end.acquire() => { permit.unwrap().forget(); RunOutcome::Complete }
            () = cancel.cancelled() => RunOutcome::Partial,
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.control.leases().release(&lease).await?;
        assert!(!self.panics, "as the script says");
        Ok(report(source, outcome))
    }
}

fn report(source: &SourceId, outcome: RunOutcome) -> RunReport {
    RunReport {
        run_id: "r".to_owned(),
        source: source.0.clone(),
        outcome,
        streams: Vec::new(),
        held: 0,
        value_count: 0,
        warnings: Vec::new(),
        error: None,
    }
}

/// Tells a test what the daemon did.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Finished(RunOutcome),
    Skipped,
    Broke,
    Kept,
}

struct Witness(mpsc::UnboundedSender<Seen>);

impl Watch for Witness {
    fn finished(&self, run: &RunReport, _duration_secs: f64) {
        let _ = self.0.send(Seen::Finished(run.outcome));
    }
    fn skipped(&self, _source: &SourceId) {
        let _ = self.0.send(Seen::Skipped);
    }
    fn broke(&self, _source: &SourceId) {
        let _ = self.0.send(Seen::Broke);
    }
}

struct NoSnapshots;

#[async_trait]
impl SnapshotKeeper for NoSnapshots {
    async fn keep_due(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl SnapshotKeeper for Witness {
    async fn keep_due(&self) -> Result<()> {
        let _ = self.0.send(Seen::Kept);
        Ok(())
    }
}

/// A daemon with a scripted runner, running in the background.
struct Running {
    started: mpsc::UnboundedReceiver<SourceId>,
    seen: mpsc::UnboundedReceiver<Seen>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<Result<()>>,
}

impl Running {
    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// What several daemons of a test share.
#[derive(Clone, Default)]
struct Stage {
    may_end: Option<Arc<Semaphore>>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    panics: bool,
    witness_keeps: bool,
}

async fn start(control: Control, name: &str, schedule: Schedule, stage: &Stage) -> Running {
    let (started_sender, started) = mpsc::unbounded_channel();
    let (seen_sender, seen) = mpsc::unbounded_channel();
    let runner = Script {
        control: control.clone(),
        started: started_sender,
        may_end: stage.may_end.clone().unwrap_or_else(|| Arc::new(Semaphore::new(1_000))),
        running: stage.running.clone(),
        most: stage.most.clone(),
        panics: stage.panics,
    };
    let keeper: Arc<dyn SnapshotKeeper> =
        if stage.witness_keeps { Arc::new(Witness(seen_sender.clone())) } else { Arc::new(NoSnapshots) };
    let daemon = Daemon {
        queue: Queue::open(&control).await.unwrap(),
        control,
        schedules: schedules(schedule),
        runner: Arc::new(runner),
        keeper,
        watch: Arc::new(Witness(seen_sender)),
        worker: name.to_owned(),
        slot_count: 2,
    };
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let task = tokio::spawn(async move { daemon.run(stop).await });
    Running { started, seen, cancel, task }
}

async fn the_same_due_run_is_queued_once_by_two_daemons(bench: Bench) {
    let queue = Queue::open(&bench.control).await.unwrap();
    let other = bench.another().await;
    let other_queue = Queue::open(&other).await.unwrap();
    let mut one = Scheduler::new(bench.control.clone(), queue.clone(), schedules(every(900)));
    let mut two = Scheduler::new(other, other_queue, schedules(every(900)));
    for _ in 0..3 {
        let next = one.tick().await.unwrap();
        assert_eq!(two.tick().await.unwrap(), next);
        assert_eq!(next, Some(bench.control.now().plus_secs(900)));
        one.tick().await.unwrap();
        bench.clock.advance_secs(900);
    }
    assert_eq!(dues(&jobs(&queue).await), ["2026-10-01T12:00:00Z", "2026-10-01T12:15:00Z", "2026-10-01T12:30:00Z"]);
}

async fn runs_missed_while_nobody_was_there_are_caught_up_by_one(bench: Bench) {
    let lease = bench.control.leases().acquire("source:sf", "sync", 60).await.unwrap();
    let run = StartRun { run_id: "r1", source: "sf", trigger: "schedule" };
    bench.control.runs().start(&run, &lease).await.unwrap();
    bench.clock.set(at("2026-10-09T09:00:00+09:00"));
    let queue = Queue::open(&bench.control).await.unwrap();
    let mut scheduler = Scheduler::new(bench.control.clone(), queue.clone(), schedules(nightly()));
    assert_eq!(scheduler.tick().await.unwrap(), Some(at("2026-10-10T02:00:00+09:00")));
    assert_eq!(dues(&jobs(&queue).await), ["2026-10-08T17:00:00Z"]);
    // The same while it is up, when the machine slept.
    bench.clock.set(at("2026-10-15T09:00:00+09:00"));
    scheduler.tick().await.unwrap();
    assert_eq!(dues(&jobs(&queue).await), ["2026-10-08T17:00:00Z", "2026-10-14T17:00:00Z"]);
}

async fn a_new_source_with_a_pause_is_due_at_once_and_one_with_a_time_at_its_time(bench: Bench) {
    let queue = Queue::open(&bench.control).await.unwrap();
    let mut scheduler = Scheduler::new(bench.control.clone(), queue.clone(), schedules(nightly()));
    scheduler.tick().await.unwrap();
    assert_eq!(jobs(&queue).await, []);
    bench.clock.set(at("2026-10-02T02:00:00+09:00"));
    scheduler.tick().await.unwrap();
    assert_eq!(dues(&jobs(&queue).await), ["2026-10-01T17:00:00Z"]);
    bench.clock.set(at("2026-10-02T02:07:00+09:00"));
    Scheduler::new(bench.control.clone(), queue.clone(), schedules(every(900))).tick().await.unwrap();
    assert_eq!(jobs(&queue).await.len(), 1, "02:00 was queued already, under the same name");
    bench.clock.set(at("2026-10-02T02:16:00+09:00"));
    Scheduler::new(bench.control.clone(), queue.clone(), schedules(every(900))).tick().await.unwrap();
    assert_eq!(dues(&jobs(&queue).await), ["2026-10-01T17:00:00Z", "2026-10-01T17:15:00Z"]);
}

async fn two_daemons_never_run_one_source_at_once(bench: Bench) {
    let may_end = Arc::new(Semaphore::new(0));
    let stage = Stage { may_end: Some(may_end.clone()), ..Stage::default() };
    let mut one = start(bench.control.clone(), "one", every(900), &stage).await;
    let mut two = start(bench.another().await, "two", every(900), &stage).await;
    let queue = Queue::open(&bench.control).await.unwrap();
    let mut scheduler = Scheduler::new(bench.control.clone(), queue.clone(), schedules(every(900)));

    let either_started = async |one: &mut Running, two: &mut Running| {
        tokio::select! { id = one.started.recv() => id.unwrap(), id = two.started.recv() => id.unwrap() }
    };
    let either_saw = async |one: &mut Running, two: &mut Running| {
        tokio::select! { seen = one.seen.recv() => seen.unwrap(), seen = two.seen.recv() => seen.unwrap() }
    };
    assert_eq!(either_started(&mut one, &mut two).await, sf());
    // Another comes while the first goes on: it is left out, whoever takes it up.
    bench.clock.advance_secs(300);
    queue.push(&SyncJob { source: sf(), due: bench.control.now() }).await.unwrap();
    assert_eq!(either_saw(&mut one, &mut two).await, Seen::Skipped);
    may_end.add_permits(1);
    assert_eq!(either_saw(&mut one, &mut two).await, Seen::Finished(RunOutcome::Complete));
    // Then the next runs.
    bench.clock.set(at("2026-10-01T12:15:00Z"));
    scheduler.tick().await.unwrap();
    may_end.add_permits(1);
    assert_eq!(either_saw(&mut one, &mut two).await, Seen::Finished(RunOutcome::Complete));
    assert_eq!(stage.most.load(Ordering::SeqCst), 1);
    one.stop().await;
    two.stop().await;
}

async fn a_run_that_breaks_off_does_not_stop_the_daemon(bench: Bench) {
    let stage = Stage { panics: true, ..Stage::default() };
    let mut daemon = start(bench.control.clone(), "one", every(900), &stage).await;
    assert_eq!(daemon.seen.recv().await, Some(Seen::Broke));
    bench.clock.advance_secs(900);
    let queue = Queue::open(&bench.control).await.unwrap();
    Scheduler::new(bench.control.clone(), queue, schedules(every(900))).tick().await.unwrap();
    assert_eq!(daemon.seen.recv().await, Some(Seen::Broke));
    daemon.stop().await;
}

async fn snapshots_are_kept_at_the_start_and_after_runs(bench: Bench) {
    let may_end = Arc::new(Semaphore::new(0));
    let stage = Stage { may_end: Some(may_end.clone()), witness_keeps: true, ..Stage::default() };
    let mut daemon = start(bench.control.clone(), "one", every(900), &stage).await;
    assert_eq!(daemon.seen.recv().await, Some(Seen::Kept));
    daemon.started.recv().await.unwrap();
    may_end.add_permits(1);
    assert_eq!(daemon.seen.recv().await, Some(Seen::Finished(RunOutcome::Complete)));
    assert_eq!(daemon.seen.recv().await, Some(Seen::Kept));
    daemon.stop().await;
}

async fn a_run_that_a_dead_process_left_is_marked_interrupted_at_the_start(bench: Bench) {
    let lease = bench.control.leases().acquire("source:sf", "sync", 60).await.unwrap();
    let run = StartRun { run_id: "r1", source: "sf", trigger: "schedule" };
    bench.control.runs().start(&run, &lease).await.unwrap();
    bench.clock.advance_secs(60);
    let daemon = start(bench.control.clone(), "one", nightly(), &Stage::default()).await;
    daemon.stop().await;
    assert_eq!(bench.control.runs().get("r1").await.unwrap().unwrap().outcome, RunOutcome::Interrupted);
}

// A signal is given to a process: here to this test program, run again as a daemon.

async fn sigterm_in_mid_page_lands_the_batch_in_hand_and_the_next_daemon_goes_on(bench: Bench) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "control::daemon::is_a_daemon_until_it_is_terminated"])
        .env("NENRIN_TEST_DATABASE", &bench.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("in mid-page")), "the daemon never read a page");
    let terminated = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    let rest: Vec<String> = lines.map_while(std::result::Result::ok).collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    // The batch in hand was landed, and the lease given back.
    let stream = StreamId::new("sf", "Account");
    let landed = bench.control.checkpoints().latest_committed(&stream).await.unwrap().unwrap();
    assert_eq!(landed.cursor, Cursor(serde_json::json!("page 7")));
    bench
        .control
        .leases()
        .release(&bench.control.leases().acquire("source:sf", "test", 60).await.unwrap())
        .await
        .unwrap();
    // The same due run is taken up again, though its instant was queued before.
    let mut next = start(bench.control.clone(), "next", every(900), &Stage::default()).await;
    assert_eq!(next.started.recv().await, Some(sf()));
    assert_eq!(next.seen.recv().await, Some(Seen::Finished(RunOutcome::Complete)));
    let queue = Queue::open(&bench.control).await.unwrap();
    assert_eq!(dues(&jobs(&queue).await), ["2026-10-01T12:00:00Z"]);
    next.stop().await;
}

/// Lands the page it is reading when it is cancelled.
struct SlowReader(Control);

#[async_trait]
impl SyncRunner for SlowReader {
    async fn sync(&self, source: &SourceId, _trigger: &str, cancel: CancellationToken) -> Result<RunReport> {
        let lease = self.0.leases().acquire(&format!("source:{source}"), "test", 600).await?;
        println!("in mid-page");
        std::io::stdout().flush().unwrap();
        cancel.cancelled().await;
        let prepare = Prepare {
            stream: StreamId::new("sf", "Account"),
            n: 1,
            attempt: "a".to_owned(),
            run_id: "r".to_owned(),
            cursor: Cursor(serde_json::json!("page 7")),
            payload: serde_json::Value::Null,
            wrote: false,
            complete_through: None,
            verified_through: None,
            deletes_through: None,
        };
        self.0.checkpoints().prepare(&prepare, &lease).await?;
        self.0.checkpoints().commit("a").await?;
        self.0.leases().release(&lease).await?;
        Ok(report(source, RunOutcome::Partial))
    }
}

/// Not a test by itself: the process that is terminated in the one above.
#[tokio::test]
#[ignore = "run by sigterm_in_mid_page_lands_the_batch_in_hand_and_the_next_daemon_goes_on"]
async fn is_a_daemon_until_it_is_terminated() {
    let cancel = nenrin::cli::serve::cancelled_by_signal().unwrap();
    let clock = ManualClock::at(at("2026-10-01T12:00:00Z"));
    let url = std::env::var("NENRIN_TEST_DATABASE").unwrap();
    let control = Control::open(&url, Arc::new(clock)).await.unwrap();
    let daemon = Daemon {
        queue: Queue::open(&control).await.unwrap(),
        schedules: schedules(every(900)),
        runner: Arc::new(SlowReader(control.clone())),
        keeper: Arc::new(NoSnapshots),
        watch: Arc::new(NoWatch),
        worker: "terminated".to_owned(),
        slot_count: 2,
        control,
    };
    daemon.run(cancel).await.unwrap();
}

struct Gone;

#[async_trait]
impl Probe for Gone {
    async fn probe(&self) -> Result<()> {
        Err(Error::new(ErrorKind::Storage, "the lake is gone").with("secret", "s3cret"))
    }
}

async fn health_readiness_and_metrics_are_answered(bench: Bench) {
    let metrics = Arc::new(Metrics::new().unwrap());
    metrics.finished(&report(&sf(), RunOutcome::Complete), 3.0);
    metrics.skipped(&sf());
    let serve = async |probes: Vec<(&'static str, Arc<dyn Probe>)>| {
        let web = Web {
            control: bench.control.clone(),
            schedules: schedules(nightly()),
            metrics: metrics.clone(),
            probes: Arc::new(probes),
            stopping: CancellationToken::new(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router(web)).await });
        address
    };
    let get = async |address: std::net::SocketAddr, path: &str| {
        let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let well = serve(vec![("lake", Arc::new(bench.control.clone()))]).await;
    assert_eq!(get(well, "/healthz").await, (200, r#"{"status":"ok"}"#.to_owned()));
    assert_eq!(get(well, "/readyz").await, (200, r#"{"database":"ok","lake":"ok"}"#.to_owned()));
    let (status, text) = get(well, "/metrics").await;
    assert_eq!(status, 200);
    let next_due = at("2026-10-02T02:00:00+09:00").micros() / 1_000_000;
    for line in [
        r#"nenrin_runs_total{outcome="complete",source="sf"} 1"#,
        r#"nenrin_runs_skipped_total{source="sf"} 1"#,
        r#"nenrin_run_duration_seconds_bucket{source="sf",le="5"} 1"#,
        r#"nenrin_held_open{source="sf"} 0"#,
        &format!(r#"nenrin_next_due_timestamp_seconds{{source="sf"}} {next_due}"#),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    let ill = serve(vec![("lake", Arc::new(Gone))]).await;
    assert_eq!(get(ill, "/readyz").await, (503, r#"{"database":"ok","lake":"the lake is gone"}"#.to_owned()));
    assert_eq!(get(ill, "/healthz").await.0, 200);
}
