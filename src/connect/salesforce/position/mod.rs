//! Where reading a stream stands: what the cursor says, and what follows from it.
//!
//! All decisions about what is read next are here, as plain functions. The rules they keep:
//!
//! - the end of a window is fixed when it begins, on the org's clock, and is the start of the next one;
//! - after any interruption reading goes on behind the last row that was landed;
//! - an interrupted reading is finished as it was begun; then the same run reads what came since.

mod job;
mod looks;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(super) use self::job::Transport;
pub(super) use self::looks::Looks;
use super::soql::Range;
use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::error::Result;
use crate::record::{Cursor, Reading};

/// Rows asked for at a time where Salesforce cannot sort the whole object in time.
const SLICE_ROWS: u32 = 2_000;

/// What the cursor of a stream holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The org that was read; another one is never read on from here.
    pub(super) org: String,
    /// What could be seen; see [`Reading::Pass`].
    pub(super) scope: String,
    #[serde(flatten)]
    pub(super) state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum State {
    /// Everything stamped before `until` has been read.
    Done {
        until: Timestamp,
        #[serde(flatten)]
        looks: Looks,
    },
    /// In the middle of a reading.
    Reading(Progress),
}

/// How far a reading has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    pub(super) kind: Kind,
    /// Everything stamped before has been read when the reading is complete.
    pub(super) until: Timestamp,
    /// Stamp and id of the last row read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<(Option<Timestamp>, String)>,
    /// Where the server continues the present query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) locator: Option<String>,
    /// Rows of the reading so far.
    pub(super) read: u64,
    /// Of these, those before the present query.
    pub(super) read_before: u64,
    /// The most rows that the server said the reading has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// What was looked at before this reading began.
    #[serde(flatten)]
    pub(super) looks: Looks,
    /// How the rest is asked for.
    #[serde(default, skip_serializing_if = "Transport::is_rest")]
    pub(super) transport: Transport,
    /// Begun after a window, for what windows do not show.
    #[serde(default)]
    pub(super) follows: bool,
    /// Begun by an earlier run.
    #[serde(default)]
    pub(super) resumed: bool,
    /// The query ended with fewer or more rows than it said, and the rest was asked for once more.
    #[serde(default)]
    pub(super) rechecked: bool,
    /// Rows that queries said they had and did not give.
    #[serde(default)]
    pub(super) lacking: u64,
    /// Rows were lacking at its end, so it was read once more from its beginning.
    #[serde(default)]
    pub(super) repeated: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Kind {
    /// All rows by id.
    Pass {
        id: String,
        started_at: Timestamp,
        /// In many small queries, because one is too slow.
        #[serde(default)]
        sliced: bool,
    },
    /// The ids of all rows: what is missing among them was deleted without a trace, or left the recycle bin.
    Sweep {
        id: String,
        started_at: Timestamp,
        #[serde(default)]
        sliced: bool,
    },
    /// The log of deletions since `from`: of rows that left no trace, or that have left the recycle bin.
    DeleteLog { from: Timestamp, started_at: Timestamp },
    /// The rows stamped in `[from, until)`; just now those in `[slice_from, slice_until)`.
    Window { from: Timestamp, slice_from: Timestamp, slice_until: Timestamp },
}

/// What to do next.
#[derive(Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum Step {
    BeginPass { since: Option<Timestamp> },
    BeginWindow { since: Timestamp, looks: Looks },
    Continue(Progress),
}

/// What the settings and the stream say about reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) lag_secs: i64,
    pub(super) overlap_secs: i64,
    /// How old the last pass or sweep may get; `None`: nothing is swept.
    pub(super) sweep_secs: Option<i64>,
    /// How old values may get that change without a stamp; `None`: there are none, or they are not refreshed.
    pub(super) refresh_secs: Option<i64>,
    /// How long ago the log of deletions may have been read; `None`: it is not read.
    pub(super) log_secs: Option<i64>,
    /// From how many rows on, of usual width, the rest of a reading is had by a bulk job; `None`: never.
    pub(super) bulk_from: Option<u64>,
    /// Whether passes begin with a bulk job, whatever there is to read.
    pub(super) bulk_first: bool,
    /// Whether the stream has a stamp to read changes by.
    pub(super) has_stamp: bool,
}

impl Position {
    /// Reads a cursor.
    pub(super) fn parse(cursor: &Cursor) -> Result<Position> {
        cursor.read()
    }

    /// Writes it as a cursor.
    pub(super) fn to_cursor(&self) -> Result<Cursor> {
        Cursor::of(self)
    }
}

/// Decides what to read next. `position` is `None` for the very first read and under a changed scope.
pub(super) fn next_step(position: Option<State>, first_of_run: bool, mode: ReadMode, rules: Rules) -> Step {
    let wants_all = first_of_run && mode == ReadMode::Full;
    match position {
        None => Step::BeginPass { since: None },
        Some(State::Done { until, .. }) if wants_all || !rules.has_stamp => Step::BeginPass { since: Some(until) },
        Some(State::Done { until, looks }) => Step::BeginWindow { since: until, looks },
        Some(State::Reading(progress)) => {
            if wants_all || !rules.has_stamp {
                match &progress.kind {
                    // A complete pass covers what the window or the sweep would have found.
                    Kind::Window { from, .. } => return Step::BeginPass { since: Some(*from) },
                    Kind::Sweep { .. } | Kind::DeleteLog { .. } => {
                        return Step::BeginPass { since: Some(progress.until) };
                    }
                    Kind::Pass { .. } => {}
                }
            }
            if !first_of_run {
                return Step::Continue(progress);
            }
            if progress.follows && progress.read == 0 {
                // Changes first: a sweep that ends in a refusal each time must not keep them out.
                return Step::BeginWindow { since: progress.until, looks: progress.looks };
            }
            if let Transport::Bulk { job: Some(_) } = progress.transport {
                return Step::Continue(Progress { resumed: true, ..progress });
            }
            // The server's result is as old as the last run; behind the last row, we ask anew.
            Step::Continue(Progress { resumed: true, ..progress.asked_anew() })
        }
    }
}

impl Progress {
    /// A complete pass that begins when the org's clock shows `now`.
    pub(super) fn pass(run_id: &str, now: Timestamp, since: Option<Timestamp>, rules: Rules) -> Progress {
        let until = now.plus_secs(-rules.lag_secs);
        let transport = if rules.bulk_first { Transport::Bulk { job: None } } else { Transport::Rest };
        Progress {
            kind: Kind::Pass { id: format!("{run_id}@{now}"), started_at: now, sliced: false },
            transport,
            ..Progress::new(since.map_or(until, |since| since.max(until)))
        }
    }

    /// The window that follows `since`, when the org's clock shows `now`.
    pub(super) fn window(now: Timestamp, since: Timestamp, looks: Looks, rules: Rules) -> Progress {
        let until = now.plus_secs(-rules.lag_secs).max(since);
        let from = since.plus_secs(-rules.overlap_secs);
        let kind = Kind::Window { from, slice_from: from, slice_until: until };
        Progress { kind, looks, ..Progress::new(until) }
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> State {
        State::Done { until: self.until, looks: self.looks_after() }
    }

    fn new(until: Timestamp) -> Progress {
        Progress {
            kind: Kind::Window { from: until, slice_from: until, slice_until: until },
            until,
            after: None,
            locator: None,
            read: 0,
            read_before: 0,
            total: None,
            looks: Looks::default(),
            transport: Transport::Rest,
            follows: false,
            resumed: false,
            rechecked: false,
            lacking: 0,
            repeated: false,
        }
    }

    /// The rows to ask for, when there is no place to continue on the server.
    pub(super) fn range<'a>(&'a self, stamp: Option<&'a str>) -> Range<'a> {
        match &self.kind {
            Kind::Pass { sliced, .. } | Kind::Sweep { sliced, .. } => Range::Pass {
                after: self.after.as_ref().map(|(_, id)| id.as_str()),
                limit: sliced.then_some(SLICE_ROWS),
            },
            // The log is not asked for by a query.
            Kind::DeleteLog { .. } => Range::Ids(&[]),
            Kind::Window { slice_from, slice_until, .. } => Range::Window {
                stamp: stamp.unwrap_or("SystemModstamp"),
                from: *slice_from,
                until: *slice_until,
                after: self.after.as_ref().and_then(|(at, id)| Some(((*at)?, id.as_str()))),
            },
        }
    }

    /// The same progress, with the rest asked for by a new query.
    pub(super) fn asked_anew(self) -> Progress {
        Progress { locator: None, read_before: self.read, ..self }
    }

    /// The same progress, asking for less at a time; `None` when it cannot be less.
    pub(super) fn narrowed(self) -> Option<Progress> {
        let kind = match self.kind.clone() {
            Kind::Pass { sliced: true, .. } | Kind::Sweep { sliced: true, .. } | Kind::DeleteLog { .. } => return None,
            Kind::Sweep { id, started_at, .. } => Kind::Sweep { id, started_at, sliced: true },
            Kind::Pass { id, started_at, .. } => Kind::Pass { id, started_at, sliced: true },
            Kind::Window { from, slice_from, slice_until } => {
                let start = self.after.as_ref().and_then(|(at, _)| *at).unwrap_or(slice_from).max(slice_from);
                let half_secs = (slice_until.micros() - start.micros()) / 2_000_000;
                if half_secs < 1 {
                    return None;
                }
                Kind::Window { from, slice_from, slice_until: start.plus_secs(half_secs) }
            }
        };
        Some(Progress { kind, ..self.asked_anew() })
    }

    /// How the page's reading is told to the stages that follow.
    pub(super) fn reading(&self, scope: &str) -> Reading {
        match &self.kind {
            Kind::Pass { id, started_at, .. } => {
                Reading::Pass { id: id.clone(), started_at: *started_at, scope: scope.to_owned() }
            }
            Kind::Sweep { id, started_at, .. } => {
                Reading::Sweep { id: id.clone(), started_at: *started_at, scope: scope.to_owned() }
            }
            Kind::DeleteLog { from, started_at } => Reading::Window { from: *from, until: *started_at },
            Kind::Window { from, .. } => Reading::Window { from: *from, until: self.until },
        }
    }

    /// Whether it reads ids only.
    pub(super) fn is_sweep(&self) -> bool {
        matches!(self.kind, Kind::Sweep { .. })
    }

    /// Whether it reads the log of deletions.
    pub(super) fn is_log(&self) -> bool {
        matches!(self.kind, Kind::DeleteLog { .. })
    }

    /// Whether the present query is for all that is left of the reading, so that its total counts.
    fn asks_for_all(&self) -> bool {
        match &self.kind {
            Kind::Pass { sliced, .. } | Kind::Sweep { sliced, .. } => !sliced,
            Kind::DeleteLog { .. } => true,
            Kind::Window { slice_until, .. } => *slice_until == self.until,
        }
    }

    /// Moves behind a page of `rows` rows; `None` when the reading is complete with it. Also gives the
    /// rows that the server says the whole reading has, where it can say so.
    pub(super) fn advanced(
        mut self,
        rows: u64,
        total: u64,
        next: Option<String>,
        last: Option<(Option<Timestamp>, String)>,
    ) -> (Option<Progress>, Option<u64>) {
        self.read += rows;
        if last.is_some() {
            self.after = last;
        }
        if self.asks_for_all() {
            self.total = self.total.max(Some(self.read_before + total));
        }
        let said = self.total;
        if next.is_some() {
            self.locator = next;
            return (Some(self), said);
        }
        if self.read - self.read_before != total && !self.rechecked {
            // Rows are missing that the server said were there: ask once more behind the last one.
            self.rechecked = true;
            self.lacking += total.saturating_sub(self.read - self.read_before);
            return (Some(self.asked_anew()), said);
        }
        if self.rechecked {
            self.lacking = self.lacking.saturating_sub(self.read - self.read_before);
            self.rechecked = false;
        }
        let is_complete = match &mut self.kind {
            Kind::Pass { sliced, .. } | Kind::Sweep { sliced, .. } => !*sliced || total < u64::from(SLICE_ROWS),
            Kind::DeleteLog { .. } => true,
            Kind::Window { slice_from, slice_until, .. } => {
                let was_last = *slice_until == self.until;
                if !was_last {
                    self.after = None;
                    *slice_from = *slice_until;
                    *slice_until = self.until;
                }
                was_last
            }
        };
        if !is_complete {
            return (Some(self.asked_anew()), said);
        }
        if self.lacking > 0 && !self.repeated {
            return (Some(self.begun_again()), said);
        }
        (None, said)
    }

    /// The same reading from its beginning: rows that were lacking somewhere in it are found nowhere else.
    fn begun_again(mut self) -> Progress {
        if let Kind::Window { from, slice_from, slice_until } = &mut self.kind {
            (*slice_from, *slice_until) = (*from, self.until);
        }
        Progress { after: None, locator: None, read: 0, read_before: 0, lacking: 0, repeated: true, ..self }
    }

    /// Rows that are still lacking behind a page with which the reading would be complete: it must not be believed.
    pub(super) fn still_lacks(&self, rows: u64, total: u64, next: Option<&str>) -> Option<u64> {
        if !self.repeated || next.is_some() {
            return None;
        }
        let got = self.read + rows - self.read_before;
        let lacking = if self.rechecked { self.lacking.saturating_sub(got) } else { self.lacking };
        (lacking > 0 && (self.rechecked || got == total)).then_some(lacking)
    }
}
