//! A whole project that reads one world: every case of the suite runs through sync, log and as-of state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use nenrin::clock::Timestamp;
use nenrin::connect::ReadMode;
use nenrin::connect::http::{Hosts, ManualTimer, Settings};
use nenrin::record::{FieldClass, StreamId};
use nenrin::sync::{RunReport, StreamReport, SyncOptions};

use super::world::{Ability, Call, Setup, SignIn, System, World};
use crate::support::app::{Record, TestApp, assert_complete, at};

/// Longer than a lease lasts: the holder of a cut-off run never dies, since it is the test itself.
pub(crate) const LEASE_SECS: i64 = 61;
/// When worlds begin.
const BEGIN: &str = "2026-08-31T15:10:00Z";

impl Setup {
    /// A small world that is read in pages of 20, each a batch of its own.
    pub(crate) fn of(records: u64) -> Setup {
        Setup {
            at: at(BEGIN),
            records,
            seed: 1,
            page_rows: 20,
            all_fields: false,
            sign_in: SignIn::Plain,
            batch_rows: 1,
            no_log: false,
        }
    }
}

/// A project, and the world that it reads.
pub(crate) struct Project {
    pub(crate) app: TestApp,
    pub(crate) world: Arc<dyn World>,
    pub(crate) system: System,
    timer: ManualTimer,
}

impl Project {
    /// A project that has read nothing yet.
    pub(crate) async fn new(system: System, setup: Setup) -> Project {
        let world = (system.start)(setup).await;
        let timer = ManualTimer::default();
        let hosts = Hosts::new(Settings::default(), Arc::new(timer.clone())).unwrap();
        let settings = format!(
            "apiVersion: nenrin/v1\nkind: Project\nname: テスト\ntimezone: Asia/Tokyo\n\
             sync: {{ batch_records: {} }}\n",
            setup.batch_rows
        );
        let app = TestApp::new(&setup.at.to_string()).with_hosts(Arc::new(hosts)).with("nenrin.yaml", &settings);
        Project { app, world, system, timer }
    }

    /// A project that has read its world once.
    pub(crate) async fn read(system: System, setup: Setup) -> Project {
        let project = Project::new(system, setup).await;
        project.sync().await;
        project
    }

    pub(crate) fn stream(&self) -> StreamId {
        self.world.stream()
    }

    /// Moves the clocks of the project and its world.
    pub(crate) fn advance(&self, secs: i64) {
        self.app.clock.advance_secs(secs);
        self.world.advance(secs);
    }

    /// Moves the clocks on so far that the next run reads what was edited before.
    pub(crate) fn pass_lag(&self) {
        self.advance(self.system.facts.lag_secs);
    }

    /// Moves the clocks on so far that the next run looks at all keys.
    pub(crate) fn pass_sweep(&self) {
        self.advance(self.system.facts.sweep_secs);
    }

    /// How long the run paused.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.timer.pauses()
    }

    /// Writes the source's files as they have to be now.
    pub(crate) fn write_source(&self) {
        for (file, text) in self.world.files() {
            self.app.write(&file, &text);
        }
    }

    /// Runs the source, whatever comes of it.
    pub(crate) async fn run(&self, mode: ReadMode) -> RunReport {
        self.write_source();
        self.world.clear_calls();
        let options = SyncOptions { mode, ..SyncOptions::default() };
        self.app.sync_with(self.system.facts.name, &options).await.unwrap()
    }

    /// Reads what is new after another run was cut off, whose last requests may still be on their way.
    pub(crate) async fn go_on(&self, mode: ReadMode) {
        assert_complete(&self.run(mode).await);
    }

    /// Reads what is new, in a run that must be complete and count what the world counted.
    pub(crate) async fn sync(&self) -> StreamReport {
        let report = self.sync_through_trouble(ReadMode::Incremental).await;
        self.assert_rows_counted(&report);
        report
    }

    /// Reads everything once more.
    pub(crate) async fn sync_full(&self) -> StreamReport {
        let report = self.sync_through_trouble(ReadMode::Full).await;
        self.assert_rows_counted(&report);
        report
    }

    /// The same where answers may have held records that were never received.
    pub(crate) async fn sync_through_trouble(&self, mode: ReadMode) -> StreamReport {
        let report = self.run(mode).await;
        assert_complete(&report);
        let report = report.streams.into_iter().next().unwrap();
        let calls = self.world.calls();
        let counted = calls.iter().filter(|seen| seen.is_counted).count() as u64;
        assert_eq!(report.requests, counted, "requests of the run and calls of the world: {calls:?}");
        report
    }

    /// Fails unless the run counts as many records as the world sent.
    #[track_caller]
    pub(crate) fn assert_rows_counted(&self, report: &StreamReport) {
        let calls = self.world.calls();
        let sent: u64 = calls.iter().filter(|seen| seen.call == Call::Records).map(|seen| seen.rows).sum();
        let gone: u64 = calls.iter().filter(|seen| seen.call == Call::Removed).map(|seen| seen.rows).sum();
        if gone == 0 && !self.system.facts.records_tell_merges {
            assert_eq!(report.counts.read, sent, "records of the run and of the calls: {calls:?}");
            return;
        }
        // Of those that are gone, the run takes the new ones; and records tell of others that were merged into them.
        let most = sent + gone + report.counts.deleted;
        assert!((sent..=most).contains(&report.counts.read), "{} records of the run: {calls:?}", report.counts.read);
    }

    /// How many pages of records the world sent.
    pub(crate) fn pages(&self) -> usize {
        self.world.count(Call::Records)
    }

    /// The records that the log has at `instant`, with all fields that make versions.
    pub(crate) async fn log_at(&self, instant: Timestamp) -> BTreeMap<String, Record> {
        let states = self.app.records_at(&self.stream(), &[instant], Timestamp::MAX, FieldClass::is_hashed).await;
        states.into_iter().next().unwrap()
    }

    /// Fails unless the log's current state is the world's own truth.
    pub(crate) async fn assert_true(&self) {
        let (log, truth) = (self.log_at(self.world.now()).await, self.world.truth());
        if let Err(difference) = differs(&log, &truth) {
            panic!("now: {difference}");
        }
    }

    /// What somebody gave back who may or may not know how: `None` when the system is declared not to, and only then.
    #[track_caller]
    pub(crate) fn known<T>(&self, ability: Ability, given: Option<T>) -> Option<T> {
        let is_declared = self.system.lacks(ability);
        assert_eq!(given.is_none(), is_declared, "whether {} knows how to {ability}", self.system.facts.name);
        given
    }

    /// The same project in another folder, with a clock of its own, on the same world.
    pub(crate) fn fork(&self) -> Project {
        self.write_source();
        Project { app: self.app.fork(), world: Arc::clone(&self.world), system: self.system, timer: self.timer.clone() }
    }
}

/// What a log has that is not the truth, or lacks; the values of fields that both know must be equal.
pub(crate) fn differs(
    log: &BTreeMap<String, Record>,
    truth: &BTreeMap<String, BTreeMap<String, Option<String>>>,
) -> Result<(), String> {
    for key in truth.keys() {
        match log.get(key) {
            None => return Err(format!("the log lacks {key}")),
            Some(None) => return Err(format!("{key} is gone in the log")),
            Some(Some(_)) => {}
        }
    }
    for (key, record) in log {
        let Some(record) = record else { continue };
        let Some(true_values) = truth.get(key) else { return Err(format!("{key} is there in the log alone")) };
        let mut compared = 0;
        for (name, value) in record {
            let Some(expected) = true_values.get(name) else { continue };
            compared += 1;
            if value != expected {
                return Err(format!("{name} of {key} is {value:?} in the log and {expected:?} in truth"));
            }
        }
        if compared < 3 {
            return Err(format!("{key} has no fields to compare: {record:?}"));
        }
    }
    Ok(())
}
