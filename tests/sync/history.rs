//! Random histories: whatever happens in the org, and however often a run is cut off, at every past sync the log
//! says what was true then (semantics M).

use nenrin::clock::{Clock, Timestamp};
use nenrin::connect::ReadMode;
use nenrin::sync::SyncOptions;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use simulators::salesforce::{Fault, FaultKind, Options};

use super::{FIELDS, SEPTEMBER};
use crate::support::app::{TestApp, accounts, assert_complete};
use crate::support::org::fields;

/// How far a sync stays behind the org's clock: what is edited and edited again within it was never to be seen.
const LAG_SECS: i64 = 301;
/// The field that only changes without a stamp, so that nobody can say when.
const SILENT: &str = "Site";

struct History {
    app: TestApp,
    random: ChaCha8Rng,
    /// Accounts with a change that cannot be seen yet, or not for long: what comes over it now hides it.
    resting: Vec<String>,
    /// Up to when each sync had read everything.
    synced: Vec<Timestamp>,
}

impl History {
    async fn begin(seed: u64) -> History {
        let options = Options { seed, records: 230, ragged_pages: seed.is_multiple_of(2), ..Options::default() };
        let app = TestApp::new(SEPTEMBER).with_salesforce(options, FIELDS).await;
        let mut history =
            History { app, random: ChaCha8Rng::seed_from_u64(seed), resting: Vec::new(), synced: Vec::new() };
        history.sync().await;
        history
    }

    /// An account that may be edited.
    fn any(&mut self) -> String {
        let ids = self.app.ids();
        loop {
            let id = &ids[self.random.random_range(0..ids.len())];
            if !self.resting.contains(id) {
                return id.clone();
            }
        }
    }

    /// Makes some edit; one that the org refuses, such as of a deleted account, is no edit.
    fn edit(&mut self, step: usize) {
        let org = self.app.org();
        let name = fields(json!({ "Name": format!("第{step}版"), "MRR__c": format!("{step}000") }));
        let id = self.any();
        match self.random.random_range(0..10) {
            0 => drop(org.insert("Account", &name).unwrap()),
            1 => {
                let delay = self.random.random_range(1..700);
                self.resting.push(org.insert_late("Account", &name, delay).unwrap());
            }
            2 => {
                let delay = self.random.random_range(1..700);
                if org.update_late("Account", &id, &name, delay).is_ok() {
                    self.resting.push(id);
                }
            }
            3 => drop(org.delete("Account", &id)),
            4 => drop(org.undelete("Account", &id)),
            5 => {
                let winner = self.any();
                drop(org.merge("Account", &winner, &[&id]));
            }
            6 => drop(org.change_silently("Account", &id, &fields(json!({ SILENT: format!("{step}") })))),
            7 if self.resting.is_empty() => {
                let rating = fields(json!({ "Rating": "Cold" }));
                org.mass_update("Account", "Type = 'Other'", &rating).unwrap();
            }
            _ => drop(org.update("Account", &id, &name)),
        }
    }

    /// Something goes wrong on the way, or nothing.
    fn trouble(&mut self) {
        let org = self.app.org();
        match self.random.random_range(0..6) {
            0 => org.arm(Fault::once(FaultKind::Expired, "query")),
            1 => org.arm(Fault::once(FaultKind::Repeat, "/query/")),
            2 => org.arm(Fault::once(FaultKind::Short(37), "queryAll")),
            3 => org.drop_cursors(),
            _ => {}
        }
    }

    /// Syncs after a pause, some runs only after others were cut off.
    async fn sync(&mut self) {
        self.app.advance(LAG_SECS);
        let mode = if self.random.random_bool(0.2) { ReadMode::Full } else { ReadMode::Incremental };
        let read_through = self.app.clock.now().plus_secs(-LAG_SECS + 1);
        while self.random.random_bool(0.3) {
            let cut_at = self.random.random_range(0..14);
            self.app.cut_off("salesforce", mode, cut_at).await;
            self.app.clock.advance_secs(61);
            if self.random.random_bool(0.3) {
                self.app.remove(".nenrin");
            }
        }
        self.trouble();
        self.read(mode).await;
        self.app.org().disarm();
        self.synced.push(read_through);
        self.resting.clear();
    }

    async fn read(&self, mode: ReadMode) {
        let options = SyncOptions { mode, ..SyncOptions::default() };
        let mut report = self.app.sync_with("salesforce", &options).await.unwrap();
        if report.exit_code() == 75 {
            report = self.app.sync_with("salesforce", &options).await.unwrap();
        }
        assert_complete(&report);
    }
}

#[tokio::test]
async fn m_any_history_in_any_pieces_says_at_every_sync_what_was_true() {
    for seed in 0..4 {
        let mut history = History::begin(seed).await;
        for step in 0..24 {
            history.edit(step);
            let pause = history.random.random_range(1..4_000);
            history.app.advance(pause);
            if history.random.random_bool(0.25) {
                // What was late can be seen by now, and what is resting will be read.
                history.app.advance(700);
                history.sync().await;
            }
        }
        history.app.advance(700);
        history.sync().await;
        for instant in history.synced.clone() {
            history.app.assert_true_at(instant, &[SILENT]).await;
        }
        // A full pass finds what no stamp told of; after it nothing is left to be found.
        history.app.advance(LAG_SECS);
        history.read(ReadMode::Full).await;
        let now = history.app.clock.now();
        history.app.assert_true_at(now, &[]).await;
        let lines = history.app.lines(&accounts()).await;
        history.app.remove(".nenrin");
        history.app.remove_control();
        history.read(ReadMode::Incremental).await;
        assert_eq!(history.app.lines(&accounts()).await, lines, "seed {seed}: read again from nothing");
    }
}
