//! Where reading a stream stands: what the cursor says, and what follows from it.
//!
//! All decisions about what is read next are here, as plain functions. The rules they keep:
//!
//! - the end of a window is fixed when it begins, on the org's clock, and is the start of the next one;
//! - after any interruption reading goes on behind the last row that was landed;
//! - an interrupted reading is finished as it was begun; then the same run reads what came since.

use serde::{Deserialize, Serialize};

use super::bulk::{Done, Job};
use super::soql::Range;
use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Reading};

/// How far back the log of deletions is asked for: Salesforce keeps 15 days of it.
const MOST_LOGGED_SECS: i64 = 14 * 86_400;

/// The columns of a row of usual width: of wider rows, fewer are reason enough for a bulk job.
const USUAL_COLUMNS: u64 = 50;

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

/// When the org was last looked at for what no window shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Looks {
    /// When the last pass or sweep began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) swept_at: Option<Timestamp>,
    /// When the last pass began: all values were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refreshed_at: Option<Timestamp>,
    /// How far the log of deletions has been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) logged_until: Option<Timestamp>,
}

/// How the rest of a reading is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub(super) enum Transport {
    #[default]
    Rest,
    /// Bulk was refused, or failed: not again in this reading.
    OnlyRest,
    /// By a job, which may still have to be made.
    Bulk { job: Option<Job> },
}

impl Transport {
    fn is_rest(&self) -> bool {
        *self == Transport::Rest
    }
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
        Position::deserialize(&cursor.0).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "the stored cursor is not one of this connector")
                .help("read the stream again with `nenrin sync --full`")
                .caused_by(error)
        })
    }

    /// Writes it as a cursor.
    pub(super) fn to_cursor(&self) -> Result<Cursor> {
        serde_json::to_value(self)
            .map(Cursor)
            .map_err(|error| Error::new(ErrorKind::Internal, "a cursor cannot be written").caused_by(error))
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

    /// What follows when a reading is complete and the org's clock shows `now`: after a window, whatever of these was
    /// too long ago: the log of deletions, then a pass (where values change without a stamp) or a sweep.
    ///
    /// A window tells of deletions that are still in the recycle bin, which Salesforce empties after 15 days.
    pub(super) fn follow_up(&self, run_id: &str, now: Timestamp, rules: Rules) -> Option<Progress> {
        let due = |secs: Option<i64>, last: Option<Timestamp>| {
            secs.is_some_and(|secs| last.is_none_or(|at| now >= at.plus_secs(secs)))
        };
        let looks = self.looks_after();
        let id = format!("{run_id}@{now}");
        let (kind, transport) = match &self.kind {
            Kind::Pass { .. } | Kind::Sweep { .. } => return None,
            Kind::Window { .. } if due(rules.log_secs, looks.logged_until) => {
                let oldest = now.plus_secs(-MOST_LOGGED_SECS);
                let from = looks.logged_until.map_or(oldest, |at| at.plus_secs(-rules.overlap_secs).max(oldest));
                (Kind::DeleteLog { from, started_at: now }, Transport::Rest)
            }
            _ if due(rules.refresh_secs, looks.refreshed_at) => {
                let pass = Progress::pass(run_id, now, None, rules);
                (pass.kind, pass.transport)
            }
            _ if due(rules.sweep_secs, looks.swept_at) => {
                (Kind::Sweep { id, started_at: now, sliced: false }, Transport::Rest)
            }
            _ => return None,
        };
        Some(Progress { kind, transport, looks, follows: true, resumed: self.resumed, ..Progress::new(self.until) })
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> State {
        State::Done { until: self.until, looks: self.looks_after() }
    }

    /// What has been looked at when the reading is complete.
    fn looks_after(&self) -> Looks {
        match &self.kind {
            Kind::Pass { started_at, .. } => {
                let at = Some(*started_at);
                let logged_until = at.max(self.looks.logged_until);
                Looks { swept_at: at, refreshed_at: at, logged_until }
            }
            Kind::Sweep { started_at, .. } => Looks { swept_at: Some(*started_at), ..self.looks },
            Kind::DeleteLog { started_at, .. } => {
                Looks { logged_until: self.looks.logged_until.max(Some(*started_at)), ..self.looks }
            }
            Kind::Window { .. } => self.looks,
        }
    }

    /// The same progress, for a log of deletions that reaches to `covered` only, or that has gaps, so that all ids
    /// must be looked at.
    pub(super) fn logged(mut self, covered: Option<Timestamp>, has_gaps: bool) -> Progress {
        if let (Kind::DeleteLog { started_at, .. }, Some(covered)) = (&mut self.kind, covered) {
            *started_at = covered.min(*started_at);
        }
        if has_gaps {
            self.looks.swept_at = None;
        }
        self
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

    /// From when to when the log of deletions is read.
    pub(super) fn log_span(&self) -> Option<(Timestamp, Timestamp)> {
        match &self.kind {
            Kind::DeleteLog { from, started_at } => Some((*from, *started_at)),
            _ => None,
        }
    }

    /// The job that reads the rest, if one does.
    pub(super) fn job(&self) -> Option<&Option<Job>> {
        match &self.transport {
            Transport::Bulk { job } => Some(job),
            Transport::Rest | Transport::OnlyRest => None,
        }
    }

    /// The same progress, with the rest read by `job`.
    pub(super) fn with_job(self, job: Option<Job>) -> Progress {
        let rest = if self.job().is_some() { self } else { self.asked_anew() };
        Progress { transport: Transport::Bulk { job }, ..rest }
    }

    /// The same progress before its job, if it has one, and with no other to come: rows of a job come in no order,
    /// so there is no going on among them.
    pub(super) fn without_job(self) -> Progress {
        let read = if self.job().is_some() { self.read_before } else { self.read };
        Progress { transport: Transport::OnlyRest, read, locator: None, ..self }
    }

    /// Whether the rest is better had by a job, when the present query has `total` rows of `columns` columns.
    pub(super) fn wants_job(&self, total: u64, columns: usize, rules: Rules) -> bool {
        let left = (self.read_before + total).saturating_sub(self.read);
        self.transport.is_rest()
            && self.locator.is_some()
            && self.asks_for_all()
            && rules.bulk_from.is_some_and(|from| left >= from || left * columns as u64 >= from * USUAL_COLUMNS)
    }

    /// Moves behind a page of the job's result: `None` when the reading is complete with it. A result that ends with
    /// another number of rows than the job said is read once more, by REST.
    pub(super) fn advanced_in_job(
        mut self,
        rows: u64,
        next: Option<String>,
        done: Done,
    ) -> (Option<Progress>, Option<u64>) {
        self.read += rows;
        let said = Some(self.read_before + done.rows);
        if next.is_some() {
            if let Transport::Bulk { job: Some(job) } = &mut self.transport {
                job.locator = next;
            }
            return (Some(self), said);
        }
        let is_whole = self.read - self.read_before == done.rows;
        ((!is_whole).then(|| self.without_job()), said)
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

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        lag_secs: 300,
        overlap_secs: 600,
        sweep_secs: Some(86_400),
        refresh_secs: None,
        log_secs: None,
        bulk_from: None,
        bulk_first: false,
        has_stamp: true,
    };

    fn swept(swept_at: Option<Timestamp>) -> Looks {
        Looks { swept_at, ..Looks::default() }
    }

    fn at(text: &str) -> Timestamp {
        format!("2026-01-01T{text}Z").parse().unwrap()
    }

    fn window() -> Progress {
        Progress::window(at("12:00:00"), at("10:00:00"), Looks::default(), RULES)
    }

    #[test]
    fn lesson_1_and_10_a_window_overlaps_the_last_one_and_ends_before_now() {
        assert_eq!(window().reading(""), Reading::Window { from: at("09:50:00"), until: at("11:55:00") });
        // The clock of the org went back: nothing is skipped, nothing is un-read.
        let back = Progress::window(at("09:00:00"), at("10:00:00"), Looks::default(), RULES);
        assert_eq!(back.reading(""), Reading::Window { from: at("09:50:00"), until: at("10:00:00") });
    }

    #[test]
    fn e2_ids_are_swept_when_the_last_look_at_all_of_them_is_too_long_ago() {
        let now = at("12:00:00");
        let after = |swept_at, rules| {
            let window = Progress { looks: swept(swept_at), ..window() };
            window.follow_up("run", now, rules).map(|sweep| (sweep.reading("s"), sweep.until, sweep.done()))
        };
        let reading = Reading::Sweep { id: format!("run@{now}"), started_at: now, scope: "s".into() };
        let done = State::Done { until: at("11:55:00"), looks: swept(Some(now)) };
        assert_eq!(after(None, RULES), Some((reading.clone(), at("11:55:00"), done.clone())));
        assert_eq!(after(Some(now.plus_secs(-86_400)), RULES), Some((reading, at("11:55:00"), done)));
        assert_eq!(after(Some(now.plus_secs(-86_399)), RULES), None);
        assert_eq!(after(None, Rules { sweep_secs: None, ..RULES }), None);
        // A pass has looked at all of them.
        assert_eq!(Progress::pass("run", now, None, RULES).follow_up("run", now, RULES), None);
    }

    #[test]
    fn lesson_9_values_that_change_without_a_stamp_are_read_again() {
        let now = at("12:00:00");
        let ago = |secs: i64| Some(now.plus_secs(-secs));
        let rules = Rules { refresh_secs: Some(86_400), log_secs: Some(3_600), ..RULES };
        let kinds = |looks: Looks| {
            let mut kinds = Vec::new();
            let mut progress = Progress { looks, ..window() };
            while let Some(next) = progress.follow_up("run", now, rules) {
                assert!(next.follows);
                kinds.push(match next.kind {
                    Kind::Pass { .. } => "pass",
                    Kind::Sweep { .. } => "sweep",
                    Kind::DeleteLog { .. } => "log",
                    Kind::Window { .. } => "window",
                });
                progress = next;
            }
            kinds
        };
        let looks = |swept_at, refreshed_at, logged_until| Looks { swept_at, refreshed_at, logged_until };
        assert_eq!(kinds(looks(ago(0), ago(0), ago(0))), [""; 0]);
        assert_eq!(kinds(looks(ago(0), ago(0), ago(3_600))), ["log"]);
        assert_eq!(kinds(looks(ago(86_400), ago(0), ago(0))), ["sweep"]);
        // A pass looks at all ids too.
        assert_eq!(kinds(looks(ago(86_400), ago(86_400), ago(3_600))), ["log", "pass"]);
        // A log with gaps is made good for by a sweep.
        let log = Progress { looks: looks(ago(0), ago(0), ago(3_600)), ..window() }.follow_up("run", now, rules);
        let log = log.unwrap().logged(ago(60), true);
        let State::Done { looks, .. } = log.done() else { panic!() };
        assert_eq!((looks.logged_until, looks.swept_at), (ago(60), None));
        assert!(log.follow_up("run", now, rules).unwrap().is_sweep());
    }

    #[test]
    fn the_rest_of_a_large_reading_is_had_by_a_job() {
        let rules = Rules { bulk_from: Some(1_000), ..RULES };
        let pass = |total| {
            let pass = Progress::pass("run", at("12:00:00"), None, rules);
            pass.advanced(2_000, total, Some("/next".into()), Some((None, "b".into()))).0.unwrap()
        };
        assert!(!pass(2_999).wants_job(2_999, 50, rules) && pass(3_000).wants_job(3_000, 50, rules));
        // Wider rows sooner, narrower ones not later.
        assert!(pass(2_100).wants_job(2_100, 500, rules) && pass(3_000).wants_job(3_000, 1, rules));
        assert!(!pass(9_000).wants_job(9_000, 50, RULES));
        assert!(!pass(9_000).narrowed().unwrap().wants_job(9_000, 50, rules));
        let job = Job { id: "750".into(), columns: vec!["Id".into()], done: None, locator: None };
        let begun = pass(3_000).with_job(Some(job));
        assert_eq!(begun.range(None), Range::Pass { after: Some("b"), limit: None });
        let done = Done { at: at("12:05:00"), rows: 1_000 };
        let (half, said) = begun.clone().advanced_in_job(600, Some("L".into()), done);
        let half = half.unwrap();
        assert_eq!((half.read, said), (2_600, Some(3_000)));
        assert_eq!(half.clone().advanced_in_job(400, None, done), (None, Some(3_000)));
        // One row is missing: what the job was to read is read again by REST, behind the last row before it.
        let again = half.advanced_in_job(399, None, done).0.unwrap();
        assert_eq!(
            (again.read, again.job(), again.range(None)),
            (2_000, None, Range::Pass { after: Some("b"), limit: None })
        );
        assert!(!again.wants_job(9_000, 50, rules));
    }

    #[test]
    fn f5_a_run_that_begins_before_a_sweep_reads_what_changed_first() {
        let swept_at = Some(at("00:00:00").plus_secs(-86_400));
        let sweep = Progress { looks: swept(swept_at), ..window() }.follow_up("run", at("12:00:00"), RULES).unwrap();
        let step = |progress, first| next_step(Some(State::Reading(progress)), first, ReadMode::Incremental, RULES);
        assert_eq!(step(sweep.clone(), true), Step::BeginWindow { since: at("11:55:00"), looks: swept(swept_at) });
        assert_eq!(step(sweep.clone(), false), Step::Continue(sweep.clone()));
        // Half of one is read to its end.
        let half = sweep.advanced(2_000, 3_000, None, Some((None, "a".into()))).0.unwrap();
        assert!(matches!(step(half, true), Step::Continue(Progress { read: 2_000, .. })));
    }

    #[test]
    fn what_comes_next_follows_from_the_cursor() {
        let done = Some(State::Done { until: at("10:00:00"), looks: Looks::default() });
        let step = |state, first, mode| next_step(state, first, mode, RULES);
        assert_eq!(step(None, true, ReadMode::Incremental), Step::BeginPass { since: None });
        assert_eq!(
            step(done.clone(), true, ReadMode::Incremental),
            Step::BeginWindow { since: at("10:00:00"), looks: Looks::default() }
        );
        assert_eq!(step(done.clone(), true, ReadMode::Full), Step::BeginPass { since: Some(at("10:00:00")) });
        assert_eq!(
            step(done.clone(), false, ReadMode::Full),
            Step::BeginWindow { since: at("10:00:00"), looks: Looks::default() }
        );
        let no_stamp = Rules { has_stamp: false, ..RULES };
        assert_eq!(
            next_step(done, true, ReadMode::Incremental, no_stamp),
            Step::BeginPass { since: Some(at("10:00:00")) }
        );
        let half = Progress { locator: Some("/x".into()), read: 5, ..window() };
        let state = Some(State::Reading(half.clone()));
        assert_eq!(step(state.clone(), false, ReadMode::Incremental), Step::Continue(half.clone()));
        assert_eq!(step(state.clone(), true, ReadMode::Full), Step::BeginPass { since: Some(at("09:50:00")) });
        let Step::Continue(resumed) = step(state, true, ReadMode::Incremental) else { panic!() };
        assert_eq!((resumed.locator, resumed.read_before, resumed.resumed), (None, 5, true));
    }

    #[test]
    fn pages_lead_to_the_end_and_totals_add_up_over_queries() {
        let first = window().advanced(2_000, 3_000, Some("/next".into()), Some((Some(at("10:01:00")), "a".into())));
        let (Some(progress), Some(3_000)) = first else { panic!("{first:?}") };
        // The locator is lost: the rest is asked for behind the last row, and is 1,000 rows.
        let progress = progress.asked_anew();
        assert_eq!(
            progress.range(Some("S")),
            Range::Window {
                stamp: "S",
                from: at("09:50:00"),
                until: at("11:55:00"),
                after: Some((at("10:01:00"), "a"))
            }
        );
        assert_eq!(progress.advanced(1_000, 1_000, None, None), (None, Some(3_000)));
    }

    #[test]
    fn lesson_6_a_result_that_lacks_rows_is_asked_for_once_more_then_from_its_beginning_then_refused() {
        let advance = |progress: Progress, rows, total| progress.advanced(rows, total, None, None);
        let again = advance(window(), 9, 10).0.unwrap();
        assert!(again.rechecked && again.locator.is_none());
        // The last row was lacking: it comes behind the others.
        assert_eq!(advance(again.clone(), 1, 1), (None, Some(10)));
        // One in the middle was: only the whole reading gives it.
        let (whole, said) = advance(again, 0, 0);
        let whole = whole.unwrap();
        assert_eq!((whole.read, whole.range(Some("S")), said), (0, window().range(Some("S")), Some(10)));
        assert_eq!((whole.still_lacks(10, 10, None), advance(whole.clone(), 10, 10).0), (None, None));
        assert_eq!(whole.still_lacks(9, 10, None), None, "the rest is asked for first");
        let again = advance(whole, 9, 10).0.unwrap();
        assert_eq!((again.still_lacks(1, 1, None), again.still_lacks(0, 0, None)), (None, Some(1)));
    }

    #[test]
    fn a_slow_window_is_halved_and_still_read_to_its_end() {
        let mut progress = window().narrowed().unwrap();
        let mut slices = 0;
        loop {
            let Kind::Window { slice_from, slice_until, .. } = progress.kind else { panic!() };
            assert!(slice_from < slice_until);
            slices += 1;
            match progress.advanced(1, 1, None, Some((Some(slice_from), "a".into()))).0 {
                Some(next) => progress = next,
                None => break,
            }
        }
        assert_eq!(slices, 2);
        let mut narrow = window();
        let mut halvings = 0;
        while let Some(next) = narrow.clone().narrowed() {
            narrow = next;
            halvings += 1;
        }
        assert_eq!(halvings, 12);
    }

    #[test]
    fn a_slow_pass_is_read_in_slices_by_id() {
        let pass = Progress::pass("run", at("12:00:00"), None, RULES).narrowed().unwrap();
        assert!(pass.clone().narrowed().is_none());
        assert_eq!(pass.range(None), Range::Pass { after: None, limit: Some(2_000) });
        let (Some(next), None) = pass.advanced(2_000, 2_000, None, Some((None, "b".into()))) else { panic!() };
        assert_eq!(next.range(None), Range::Pass { after: Some("b"), limit: Some(2_000) });
        assert_eq!(next.advanced(1, 1, None, Some((None, "c".into()))).0, None);
    }

    #[test]
    fn a_cursor_round_trips() {
        let (progress, _) = window().advanced(1, 2, Some("/n".into()), Some((Some(at("10:00:00")), "a".into())));
        for state in [State::Done { until: at("10:00:00"), looks: Looks::default() }, State::Reading(progress.unwrap())]
        {
            let position = Position { org: "o".into(), scope: "s".into(), state };
            assert_eq!(Position::parse(&position.to_cursor().unwrap()).unwrap(), position);
        }
        assert_eq!(Position::parse(&Cursor(serde_json::json!({"files": {}}))).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
