//! A query job: what was asked, how far it is, and what it found.

use std::sync::Arc;

use serde_json::{Value, json};

use super::found::{Column, Found, Part};
use super::{PREFIX, csv};
use crate::salesforce::query::{JobTrouble, Tweaks};
use crate::salesforce::soql::plan::Plan;
use crate::salesforce::soql::select;
use crate::salesforce::state::State;
use crate::salesforce::{id, instant};

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::UploadComplete => "UploadComplete",
            Stage::InProgress => "InProgress",
            Stage::JobComplete => "JobComplete",
            Stage::Failed => "Failed",
            Stage::Aborted => "Aborted",
        }
    }

    /// Whether something may still happen to it.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Stage::UploadComplete | Stage::InProgress)
    }
}

/// What a job was asked for.
#[derive(Debug)]
pub(crate) struct Order {
    /// `query` or `queryAll`.
    pub(crate) operation: &'static str,
    pub(crate) object: &'static str,
    /// The version of the API.
    pub(crate) version: u32,
    /// The names of the delimiter and of the line ending.
    pub(crate) delimiter: &'static str,
    pub(crate) line_ending: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) style: csv::Style,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) order: Arc<Order>,
    pub(crate) stage: Stage,
    pub(crate) created: i64,
    /// When its stage last changed.
    pub(crate) changed: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) polls: u32,
    /// Whether it never gets on.
    pub(crate) sticks: bool,
    /// Why it fails when it would be done.
    pub(crate) doom: Option<String>,
    pub(crate) message: String,
    /// What was looked up so far.
    pub(crate) found: Arc<Found>,
    /// What is looked up when it is done.
    pub(crate) later: Option<Plan>,
    /// More records than that take too long.
    pub(crate) timeout_above: Option<u64>,
}

impl Job {
    /// Someone asks how far it is, which is what gets it on.
    pub(crate) fn poll(&mut self, state: &mut State, tweaks: &Tweaks) {
        if !self.stage.is_live() {
            return;
        }
        match &tweaks.job {
            Some(JobTrouble::Fails(message)) => return self.fail(message.clone(), state.now),
            Some(JobTrouble::Sticks) => self.sticks = true,
            None => {}
        }
        self.polls += 1;
        if self.sticks {
            return;
        }
        let bulk = state.options.bulk;
        let waits = self.polls <= bulk.waiting_polls || state.now < self.created + bulk.waiting_secs;
        let runs = self.polls <= bulk.waiting_polls + bulk.running_polls
            || state.now < self.created + bulk.waiting_secs + bulk.running_secs;
        if waits {
            return;
        }
        if runs {
            if self.stage == Stage::UploadComplete {
                self.stage = Stage::InProgress;
                self.changed = state.now;
            }
            return;
        }
        self.complete(state);
    }

    fn complete(&mut self, state: &mut State) {
        if let Some(plan) = self.later.take() {
            let part = look_up(state, &plan);
            let mut parts = self.found.parts.clone();
            parts.push(part);
            self.found = Arc::new(Found { parts });
        }
        let count = self.found.len();
        if self.timeout_above.is_some_and(|most| count > most) {
            let message =
                "InvalidBatch : Failed to process query: QUERY_TIMEOUT: Your query request was running for too long.";
            self.doom = Some(message.to_owned());
        }
        match self.doom.take() {
            Some(message) => self.fail(message, state.now),
            None => {
                let bytes = self.found.estimate_bytes(&state.store, &self.order);
                state.quota.bulk_kilobytes.count(state.now, bytes.div_ceil(1_000));
                self.end(Stage::JobComplete, state.now);
            }
        }
    }

    fn fail(&mut self, message: String, now: i64) {
        self.message = message;
        self.end(Stage::Failed, now);
    }

    pub(crate) fn end(&mut self, stage: Stage, now: i64) {
        self.stage = stage;
        self.changed = now;
        self.ended = Some(now);
    }

    /// The answer to the call that makes it.
    pub(crate) fn created_as(&self) -> Value {
        json!({
            "id": id::full(PREFIX, self.number), "operation": self.order.operation, "object": self.order.object,
            "createdById": id::full("005", 1), "createdDate": instant::datetime(self.created),
            "systemModstamp": instant::datetime(self.changed), "state": self.stage.name(),
            "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": f64::from(self.order.version),
            "lineEnding": self.order.line_ending, "columnDelimiter": self.order.delimiter,
        })
    }

    /// The line of it in a list of jobs.
    pub(crate) fn listed(&self) -> Value {
        let mut listed = self.created_as();
        listed["jobType"] = json!("V2Query");
        listed
    }

    /// The answer to a poll; counts begin when work does. `phantoms` are counted and not there.
    pub(crate) fn described(&self, phantoms: u64) -> Value {
        let mut described = self.listed();
        let count = match self.stage {
            Stage::UploadComplete => return described,
            Stage::JobComplete => self.found.len() + phantoms,
            _ => self.found.len() / 2,
        };
        described["numberRecordsProcessed"] = json!(count);
        described["retries"] = json!(if self.stage == Stage::Failed { 15 } else { 0 });
        described["totalProcessingTime"] = json!(334 + count / 100);
        described["isPkChunkingSupported"] = json!(true);
        if self.stage == Stage::Failed && !self.message.is_empty() {
            described["errorMessage"] = json!(self.message);
        }
        described
    }
}

/// The rows of `plan` as the org is now.
pub(crate) fn look_up(state: &mut State, plan: &Plan) -> Part {
    let chance = state.next_chance();
    let moment = state.moment();
    Part { moment, table: plan.table, rows: Arc::new(select::select(&state.store, plan, &moment, chance)) }
}
