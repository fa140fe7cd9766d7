//! Where reading a stream stands: what the cursor says, and what follows from it.
//!
//! All decisions about what is read next are here, as plain functions. The rules they keep:
//!
//! - the end of a window is fixed when it begins, on the org's clock, and is the start of the next one;
//! - after any interruption reading goes on behind the last row that was landed;
//! - an interrupted reading is finished as it was begun; then the same run reads what came since.

use serde::{Deserialize, Serialize};

use super::soql::Range;
use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::error::{Error, ErrorKind, Result};
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
pub(super) enum State {
    /// Everything stamped before `until` has been read.
    Done {
        until: Timestamp,
        /// When the last pass or sweep began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        swept_at: Option<Timestamp>,
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
    /// When the last pass or sweep before this reading began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) swept_at: Option<Timestamp>,
    /// Begun by an earlier run.
    #[serde(default)]
    pub(super) resumed: bool,
    /// The query ended with fewer or more rows than it said, and the rest was asked for once more.
    #[serde(default)]
    pub(super) rechecked: bool,
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
    /// The rows stamped in `[from, until)`; just now those in `[slice_from, slice_until)`.
    Window { from: Timestamp, slice_from: Timestamp, slice_until: Timestamp },
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    BeginPass { since: Option<Timestamp> },
    BeginWindow { since: Timestamp, swept_at: Option<Timestamp> },
    Continue(Progress),
}

/// What the settings and the stream say about reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) lag_secs: i64,
    pub(super) overlap_secs: i64,
    /// How old the last pass or sweep may get; `None`: nothing is swept.
    pub(super) sweep_secs: Option<i64>,
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
        Some(State::Done { until, swept_at }) => Step::BeginWindow { since: until, swept_at },
        Some(State::Reading(progress)) => {
            if wants_all || !rules.has_stamp {
                match &progress.kind {
                    // A complete pass covers what the window or the sweep would have found.
                    Kind::Window { from, .. } => return Step::BeginPass { since: Some(*from) },
                    Kind::Sweep { .. } => return Step::BeginPass { since: Some(progress.until) },
                    Kind::Pass { .. } => {}
                }
            }
            if !first_of_run {
                return Step::Continue(progress);
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
        Progress {
            kind: Kind::Pass { id: format!("{run_id}@{now}"), started_at: now, sliced: false },
            ..Progress::new(since.map_or(until, |since| since.max(until)))
        }
    }

    /// The window that follows `since`, when the org's clock shows `now`.
    pub(super) fn window(now: Timestamp, since: Timestamp, swept_at: Option<Timestamp>, rules: Rules) -> Progress {
        let until = now.plus_secs(-rules.lag_secs).max(since);
        let from = since.plus_secs(-rules.overlap_secs);
        let kind = Kind::Window { from, slice_from: from, slice_until: until };
        Progress { kind, swept_at, ..Progress::new(until) }
    }

    /// What follows when a reading is complete and the org's clock shows `now`: after a window, when the last look
    /// at all ids is too long ago, a sweep; else nothing.
    ///
    /// A window tells of deletions that are still in the recycle bin, which Salesforce empties after 15 days.
    pub(super) fn sweep_after(&self, run_id: &str, now: Timestamp, rules: Rules) -> Option<Progress> {
        let due = rules.sweep_secs.is_some_and(|secs| self.swept_at.is_none_or(|at| now >= at.plus_secs(secs)));
        let kind = Kind::Sweep { id: format!("{run_id}@{now}"), started_at: now, sliced: false };
        (due && matches!(self.kind, Kind::Window { .. })).then(|| Progress {
            kind,
            resumed: self.resumed,
            ..Progress::new(self.until)
        })
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> State {
        let swept_at = match &self.kind {
            Kind::Pass { started_at, .. } | Kind::Sweep { started_at, .. } => Some(*started_at),
            Kind::Window { .. } => self.swept_at,
        };
        State::Done { until: self.until, swept_at }
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
            swept_at: None,
            resumed: false,
            rechecked: false,
        }
    }

    /// The rows to ask for, when there is no place to continue on the server.
    pub(super) fn range<'a>(&'a self, stamp: Option<&'a str>) -> Range<'a> {
        match &self.kind {
            Kind::Pass { sliced, .. } | Kind::Sweep { sliced, .. } => Range::Pass {
                after: self.after.as_ref().map(|(_, id)| id.as_str()),
                limit: sliced.then_some(SLICE_ROWS),
            },
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
            Kind::Pass { sliced: true, .. } | Kind::Sweep { sliced: true, .. } => return None,
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
            Kind::Window { from, .. } => Reading::Window { from: *from, until: self.until },
        }
    }

    /// Whether it reads ids only.
    pub(super) fn is_sweep(&self) -> bool {
        matches!(self.kind, Kind::Sweep { .. })
    }

    /// Whether the present query is for all that is left of the reading, so that its total counts.
    fn asks_for_all(&self) -> bool {
        match &self.kind {
            Kind::Pass { sliced, .. } | Kind::Sweep { sliced, .. } => !sliced,
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
            return (Some(self.asked_anew()), said);
        }
        self.rechecked = false;
        let is_complete = match &mut self.kind {
            Kind::Pass { sliced, .. } | Kind::Sweep { sliced, .. } => !*sliced || total < u64::from(SLICE_ROWS),
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
        ((!is_complete).then(|| self.asked_anew()), said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { lag_secs: 300, overlap_secs: 600, sweep_secs: Some(86_400), has_stamp: true };

    fn at(text: &str) -> Timestamp {
        format!("2026-01-01T{text}Z").parse().unwrap()
    }

    fn window() -> Progress {
        Progress::window(at("12:00:00"), at("10:00:00"), None, RULES)
    }

    #[test]
    fn a_window_overlaps_the_last_one_and_ends_before_now() {
        assert_eq!(window().reading(""), Reading::Window { from: at("09:50:00"), until: at("11:55:00") });
        // The clock of the org went back: nothing is skipped, nothing is un-read.
        let back = Progress::window(at("09:00:00"), at("10:00:00"), None, RULES);
        assert_eq!(back.reading(""), Reading::Window { from: at("09:50:00"), until: at("10:00:00") });
    }

    #[test]
    fn e2_ids_are_swept_when_the_last_look_at_all_of_them_is_too_long_ago() {
        let now = at("12:00:00");
        let after = |swept_at, rules| {
            let window = Progress { swept_at, ..window() };
            window.sweep_after("run", now, rules).map(|sweep| (sweep.reading("s"), sweep.until, sweep.done()))
        };
        let swept = Reading::Sweep { id: format!("run@{now}"), started_at: now, scope: "s".into() };
        let done = State::Done { until: at("11:55:00"), swept_at: Some(now) };
        assert_eq!(after(None, RULES), Some((swept.clone(), at("11:55:00"), done.clone())));
        assert_eq!(after(Some(now.plus_secs(-86_400)), RULES), Some((swept, at("11:55:00"), done)));
        assert_eq!(after(Some(now.plus_secs(-86_399)), RULES), None);
        assert_eq!(after(None, Rules { sweep_secs: None, ..RULES }), None);
        // A pass has looked at all of them.
        assert_eq!(Progress::pass("run", now, None, RULES).sweep_after("run", now, RULES), None);
    }

    #[test]
    fn what_comes_next_follows_from_the_cursor() {
        let done = Some(State::Done { until: at("10:00:00"), swept_at: None });
        let step = |state, first, mode| next_step(state, first, mode, RULES);
        assert_eq!(step(None, true, ReadMode::Incremental), Step::BeginPass { since: None });
        assert_eq!(
            step(done.clone(), true, ReadMode::Incremental),
            Step::BeginWindow { since: at("10:00:00"), swept_at: None }
        );
        assert_eq!(step(done.clone(), true, ReadMode::Full), Step::BeginPass { since: Some(at("10:00:00")) });
        assert_eq!(
            step(done.clone(), false, ReadMode::Full),
            Step::BeginWindow { since: at("10:00:00"), swept_at: None }
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
    fn a_result_that_ends_early_is_asked_for_once_more_and_the_gap_stays_visible() {
        let (Some(again), Some(10)) = window().advanced(9, 10, None, None) else { panic!() };
        assert!(again.rechecked && again.locator.is_none());
        let (end, said) = again.advanced(0, 0, None, None);
        assert_eq!((end, said), (None, Some(10)));
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
        for state in [State::Done { until: at("10:00:00"), swept_at: None }, State::Reading(progress.unwrap())] {
            let position = Position { org: "o".into(), scope: "s".into(), state };
            assert_eq!(Position::parse(&position.to_cursor().unwrap()).unwrap(), position);
        }
        assert_eq!(Position::parse(&Cursor(serde_json::json!({"files": {}}))).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
