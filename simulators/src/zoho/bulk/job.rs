//! A bulk read job: what was asked, how far it is, and what it found.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::chance::secret;
use crate::zoho::filter::{Filter, Path};
use crate::zoho::records::When;
use crate::zoho::state::State as Org;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Added,
    Queued,
    InProgress,
    Completed,
    Failure,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Added => "ADDED",
            State::Queued => "QUEUED",
            State::InProgress => "IN PROGRESS",
            State::Completed => "COMPLETED",
            State::Failure => "FAILURE",
        }
    }
}

/// What a job was asked for.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) module: usize,
    pub(crate) is_admin: bool,
    /// What the columns are called, and where they come from; the id is the first.
    pub(crate) columns: Vec<(String, Path)>,
    pub(crate) filter: Filter,
    /// As it was sent.
    pub(crate) query: Json,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) order: Arc<Order>,
    pub(crate) user: u64,
    pub(crate) page: u64,
    /// Where its page begins: after that record, or after so many.
    pub(crate) after: u64,
    pub(crate) skip: u64,
    pub(crate) state: State,
    pub(crate) created: i64,
    /// When its state last changed.
    pub(crate) changed: i64,
    pub(crate) polls: u32,
    pub(crate) is_doomed: bool,
    /// Whether it never gets on.
    pub(crate) sticks: bool,
    /// The change of the org up to which it knows records.
    pub(crate) moment: u64,
    pub(crate) numbers: Vec<u64>,
    /// The token for the next page, and after which record that begins.
    pub(crate) next: Option<(String, u64)>,
}

impl Job {
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Completed
    }

    /// Someone asks how far it is, which is what gets it on.
    pub(crate) fn poll(&mut self, org: &mut Org) {
        if matches!(self.state, State::Completed | State::Failure) || self.sticks {
            return;
        }
        self.polls += 1;
        let bulk = org.options.bulk;
        let age = org.now - self.created;
        let queued = bulk.added_polls + bulk.queued_polls;
        let state = if self.polls <= bulk.added_polls {
            State::Added
        } else if self.polls <= queued || age < bulk.waiting_secs {
            State::Queued
        } else if self.polls <= queued + bulk.running_polls || age < bulk.waiting_secs + bulk.running_secs {
            State::InProgress
        } else if self.is_doomed {
            State::Failure
        } else {
            State::Completed
        };
        if state == self.state {
            return;
        }
        self.state = state;
        self.changed = org.now;
        if self.is_done() {
            self.find(org);
        }
    }

    /// Looks up the records of its page.
    fn find(&mut self, org: &mut Org) {
        if !org.options.bulk.as_of_creation {
            self.moment = org.changes;
        }
        let chance = org.next_chance();
        let most = org.options.bulk.page_rows as usize;
        let target = &org.modules[self.order.module];
        let when = When::After(self.moment);
        let (hidden, filter) = (&target.hidden, &self.order.filter);
        let matching = (self.after + 1..=target.records.last()).filter(|&number| {
            let view = target.records.view(number, when);
            let is_seen = self.order.is_admin || !hidden.contains(&number);
            is_seen && view.is_some_and(|view| filter.holds(org, &view))
        });
        let mut numbers: Vec<u64> = matching.skip(self.skip as usize).take(most + 1).collect();
        if numbers.len() > most {
            numbers.truncate(most);
            let last = numbers.last().copied().unwrap_or_default();
            self.next = Some((secret(org.options.seed, chance, 40), last));
        }
        self.numbers = numbers;
    }
}
