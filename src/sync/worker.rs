//! The daemon: pushes runs when they are due, does them, and keeps the snapshots that fall due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::queue::{JobEnd, JobHandler, Queue, SyncJob};
use super::run::RunReport;
use super::schedule::{latest_due, missed, next_due};
use crate::clock::Timestamp;
use crate::config::{Cadence, Schedule};
use crate::control::{Control, RunFilter, RunOutcome};
use crate::error::{ErrorKind, Result};
use crate::record::SourceId;

/// What a run is told about who asked for it.
pub const TRIGGER: &str = "schedule";

/// The longest that the scheduler waits without looking at the clock, which may jump.
const LOOK_EVERY_SECS: i64 = 30;

/// How long the daemon waits before it tries again what failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Runs one source, from connect to log.
#[async_trait]
pub trait SyncRunner: Send + Sync {
    /// Reads `source` once. Takes the source's lease itself (`source:<id>`), so that a run from the
    /// command line and one of the daemon exclude each other. When `cancel` is cancelled it lands the batch in
    /// hand, stores its checkpoint and returns a `partial` report.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when another run has the lease; others when there is no run to report on.
    async fn sync(&self, source: &SourceId, trigger: &str, cancel: CancellationToken) -> Result<RunReport>;
}

/// Keeps the snapshots of closed periods.
#[async_trait]
pub trait SnapshotKeeper: Send + Sync {
    /// Keeps every snapshot that is due and settled and not kept yet. May be dropped at any await.
    ///
    /// # Errors
    ///
    /// What kept it from keeping one; it is tried again after the next run.
    async fn keep_due(&self) -> Result<()>;
}

/// Is told of every run, for metrics.
pub trait Watch: Send + Sync {
    /// A run ended.
    fn finished(&self, run: &RunReport, duration_secs: f64);

    /// A due run was left out, for another run of the source was going on.
    fn skipped(&self, source: &SourceId);

    /// A run could not even be reported on.
    fn broke(&self, source: &SourceId);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWatch;

impl Watch for NoWatch {
    fn finished(&self, _run: &RunReport, _duration_secs: f64) {}
    fn skipped(&self, _source: &SourceId) {}
    fn broke(&self, _source: &SourceId) {}
}

/// The schedules of a project, by source.
pub type Schedules = BTreeMap<SourceId, Schedule>;

/// What the daemon works with.
#[derive(Clone)]
pub struct Daemon {
    /// The control database; its clock says what is due.
    pub control: Control,
    /// The queue of due runs.
    pub queue: Queue,
    /// When sources are due.
    pub schedules: Arc<Schedules>,
    /// Does runs.
    pub runner: Arc<dyn SyncRunner>,
    /// Keeps snapshots.
    pub keeper: Arc<dyn SnapshotKeeper>,
    /// Is told of runs.
    pub watch: Arc<dyn Watch>,
    /// Names this process among the workers.
    pub worker: String,
    /// How many sources may be read at a time.
    pub slot_count: usize,
}

impl Daemon {
    /// Works until `cancel`; then the batches in hand are landed, and it returns.
    ///
    /// Runs that a dead process left are marked interrupted first.
    ///
    /// # Errors
    ///
    /// Failures of the control database at the start; later ones are logged, and it goes on.
    pub fn run(&self, cancel: CancellationToken) -> impl Future<Output = Result<()>> + Send + '_ {
        self.run_all(cancel)
    }

    async fn run_all(&self, cancel: CancellationToken) -> Result<()> {
        for run_id in self.control.runs().mark_interrupted().await? {
            warn!(run_id, "a run was interrupted, its source will be read again when due");
        }
        let wake = Arc::new(Notify::new());
        wake.notify_one();
        let jobs = Arc::new(Jobs { daemon: self.clone(), wake: wake.clone(), cancel: cancel.clone() });
        tokio::join!(self.schedule(&cancel), self.work(jobs, &cancel), self.keep(&wake, &cancel));
        Ok(())
    }

    /// Pushes what is due, again and again.
    async fn schedule(&self, cancel: &CancellationToken) {
        let mut scheduler = Scheduler::new(self.control.clone(), self.queue.clone(), self.schedules.clone());
        while !cancel.is_cancelled() {
            let wait = match scheduler.tick().await {
                Ok(next) => wait(self.control.now(), next),
                Err(error) => {
                    warn!(error = %error, "could not push what is due, trying again");
                    PAUSE
                }
            };
            pause(wait, cancel).await;
        }
    }

    /// Does jobs, again after every loss of the queue.
    async fn work(&self, jobs: Arc<Jobs>, cancel: &CancellationToken) {
        for life in 0_u64.. {
            let name = format!("{}-{life}", self.worker);
            match self.queue.work(&name, self.slot_count, jobs.clone(), cancel.clone()).await {
                Ok(()) => {}
                Err(error) => warn!(error = %error, "the worker stopped, starting another"),
            }
            if cancel.is_cancelled() {
                return;
            }
            pause(PAUSE, cancel).await;
        }
    }

    /// Keeps snapshots at the start and after runs; several runs in the meantime count as one.
    async fn keep(&self, wake: &Notify, cancel: &CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                () = wake.notified() => {}
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                kept = self.keeper.keep_due() => {
                    if let Err(error) = kept {
                        warn!(error = %error, "could not keep the snapshots that are due");
                    }
                }
            }
        }
    }
}

async fn pause(wait: Duration, cancel: &CancellationToken) {
    tokio::select! {
        () = cancel.cancelled() => {}
        () = tokio::time::sleep(wait) => {}
    }
}

/// How long to wait for `next`: no longer than the clock may be left alone, and never not at all.
fn wait(now: Timestamp, next: Option<Timestamp>) -> Duration {
    let longest = LOOK_EVERY_SECS * 1_000_000;
    let micros = next.map_or(longest, |next| next.micros().saturating_sub(now.micros()).clamp(1_000, longest));
    Duration::from_micros(u64::try_from(micros).unwrap_or(1_000))
}

/// Pushes every run when it is due, and one for those that were missed.
#[derive(Debug)]
pub struct Scheduler {
    control: Control,
    queue: Queue,
    schedules: Arc<Schedules>,
    /// Source → up to when its due runs were attended to.
    since: BTreeMap<SourceId, Timestamp>,
}

impl Scheduler {
    /// A scheduler that has pushed nothing yet.
    pub fn new(control: Control, queue: Queue, schedules: Arc<Schedules>) -> Self {
        Scheduler { control, queue, schedules, since: BTreeMap::new() }
    }

    /// Pushes what is due now. Returns when something will be due next.
    ///
    /// A source that was never read is due at once with `every`, and at its time with `cron`.
    ///
    /// # Errors
    ///
    /// Failures of the databases; what was not pushed is pushed by the next tick.
    pub async fn tick(&mut self) -> Result<Option<Timestamp>> {
        let now = self.control.now();
        for (source, schedule) in &*self.schedules {
            let since = match self.since.get(source) {
                Some(since) => *since,
                None => attended_to(&self.control, source, schedule, now).await?,
            };
            if let Some(due) = missed(schedule, source, since, now) {
                self.queue.push(&SyncJob { source: source.clone(), due }).await?;
                info!(source_id = %source, due = %due, "run is due");
            }
            self.since.insert(source.clone(), now.max(since));
        }
        Ok(self.schedules.iter().filter_map(|(source, schedule)| next_due(schedule, source, now)).min())
    }
}

/// Up to when the due runs of a source were attended to before this process: to the start of its last run.
async fn attended_to(control: &Control, source: &SourceId, schedule: &Schedule, now: Timestamp) -> Result<Timestamp> {
    let last = RunFilter { source: Some(&source.0), limit: Some(1), ..Default::default() };
    let last = control.runs().list(&last).await?.into_iter().next();
    Ok(match (last, &schedule.cadence) {
        (Some(run), _) => run.started_at,
        (None, Cadence::Every(_)) => Timestamp::MIN,
        (None, Cadence::Cron { .. }) => now,
    })
}

/// Does the jobs of a daemon.
struct Jobs {
    daemon: Daemon,
    wake: Arc<Notify>,
    cancel: CancellationToken,
}

#[async_trait]
impl JobHandler for Jobs {
    async fn handle(&self, job: SyncJob) -> JobEnd {
        if self.cancel.is_cancelled() {
            return JobEnd::Again;
        }
        let control = &self.daemon.control;
        let started_at = control.now();
        if !is_current(&self.daemon.schedules, &job, started_at) {
            info!(source_id = %job.source, due = %job.due, "left out a due run, a later one is due");
            return JobEnd::Done;
        }
        let (runner, source, cancel) = (self.daemon.runner.clone(), job.source.clone(), self.cancel.clone());
        // A task of its own, so that computing does not keep this worker's heart-beat from going out.
        let run = tokio::spawn(async move { runner.sync(&source, TRIGGER, cancel).await });
        let watch = &self.daemon.watch;
        let end = match run.await {
            Ok(Ok(report)) => {
                for error in report.errors() {
                    error!(source_id = %job.source, run_id = report.run_id, error = error.rendered, "the run is not complete");
                }
                for warning in &report.warnings {
                    warn!(source_id = %job.source, run_id = report.run_id, warning = warning.rendered, "the run is complete but for this");
                }
                watch.finished(&report, seconds(started_at, control.now()));
                if self.cancel.is_cancelled() && report.outcome == RunOutcome::Partial {
                    JobEnd::Again
                } else {
                    JobEnd::Done
                }
            }
            Ok(Err(error)) if error.kind() == ErrorKind::Conflict => {
                info!(source_id = %job.source, error = %error, "left out a due run, another one is going on");
                watch.skipped(&job.source);
                return JobEnd::Done;
            }
            Ok(Err(error)) if error.kind() == ErrorKind::Cancelled => JobEnd::Again,
            Ok(Err(error)) => {
                error!(source_id = %job.source, error = %error.render(), "the run failed");
                watch.broke(&job.source);
                JobEnd::Done
            }
            Err(panic) => {
                error!(source_id = %job.source, error = %panic, "the run broke off, which is a bug");
                watch.broke(&job.source);
                JobEnd::Done
            }
        };
        self.wake.notify_one();
        end
    }
}

/// Whether a job is worth doing: its source is still scheduled, and no later run of it is due.
fn is_current(schedules: &Schedules, job: &SyncJob, now: Timestamp) -> bool {
    schedules
        .get(&job.source)
        .is_some_and(|schedule| latest_due(schedule, &job.source, now).is_none_or(|latest| latest <= job.due))
}

#[allow(clippy::cast_precision_loss)] // a duration for people
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.micros().saturating_sub(from.micros()).max(0) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_scheduler_sleeps_until_the_next_due_run_but_looks_at_the_clock_in_between() {
        let now = at("2026-10-01T12:00:00Z");
        assert_eq!(wait(now, Some(at("2026-10-01T12:00:10Z"))), Duration::from_secs(10));
        assert_eq!(wait(now, Some(at("2026-10-02T12:00:00Z"))), Duration::from_secs(30));
        assert_eq!(wait(now, None), Duration::from_secs(30));
        assert_eq!(wait(now, Some(now)), Duration::from_millis(1));
    }

    #[test]
    fn a_job_that_waited_past_the_next_due_run_is_left_to_that() {
        let source = SourceId("sf".to_owned());
        let schedule = Schedule { cadence: Cadence::Every(Duration::from_secs(900)), jitter: Duration::ZERO };
        let schedules = Schedules::from([(source.clone(), schedule)]);
        let job = |due| SyncJob { source: source.clone(), due: at(due) };
        assert!(is_current(&schedules, &job("2026-10-01T12:00:00Z"), at("2026-10-01T12:14:59Z")));
        assert!(!is_current(&schedules, &job("2026-10-01T12:00:00Z"), at("2026-10-01T12:15:00Z")));
        let unknown = SyncJob { source: SourceId("gone".to_owned()), due: at("2026-10-01T12:00:00Z") };
        assert!(!is_current(&schedules, &unknown, at("2026-10-01T12:00:00Z")));
    }
}
