//! Where reading a stream stands: what the cursor says, and what follows from it.
//!
//! All decisions about what is read next are here, as plain functions. The rules they keep:
//!
//! - a window begins where everything had been read for sure, less an overlap, and has no upper end; how far everything
//!   is read is fixed from the database's clock on its first page;
//! - pages follow each other by the key, or by the cursor column and the key, never by offset;
//! - an interrupted reading is finished as it was begun; then the same run reads what came since.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::error::Result;
use crate::record::{Cursor, Reading};

/// A value of a key or a cursor column, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Datum {
    Text(String),
    /// Digits (SQLite, where a column's values may be of any type).
    Number(String),
    /// base64.
    Bytes(String),
}

impl Datum {
    /// The text of it.
    pub(super) fn kept(&self) -> &str {
        match self {
            Datum::Text(text) | Datum::Number(text) | Datum::Bytes(text) => text,
        }
    }
}

/// What the cursor of a stream holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// What could be seen; see [`Reading::Pass`].
    pub(super) scope: String,
    /// The columns of key and cursor; under others nothing is gone on with.
    pub(super) order: Vec<String>,
    #[serde(flatten)]
    pub(super) state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub(super) enum State {
    /// Everything changed before `until` has been read.
    Done {
        until: Timestamp,
        /// The highest number of the cursor column that was read, where that is a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<i64>,
        /// When the last complete look at all keys began.
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
    /// Which of its rows are being read.
    pub(super) part: Part,
    /// Everything changed before has been read when the reading is complete; `None` before its first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
    /// The highest number of the cursor column read so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<i64>,
    /// Cursor (in a window) and key of the last row read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Vec<Datum>>,
    /// When the last complete look at all keys before this reading began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) swept_at: Option<Timestamp>,
    /// From when on changes are lost if this reading is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// The number from which on they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since_mark: Option<i64>,
    /// Begun by an earlier run.
    #[serde(default)]
    pub(super) resumed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Kind {
    /// All rows by key. Id and beginning are known with the first answer.
    Pass { begun: Option<Begun> },
    /// Keys and cursors of all rows.
    Sweep { begun: Option<Begun> },
    /// What changed since `from`.
    Window {
        /// The first stamp that is read.
        from: Timestamp,
        /// The first number that is read, where the cursor is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_mark: Option<i64>,
        /// Changes stamped before are dated by their stamp; known with the first answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends: Option<Timestamp>,
    },
}

/// A pass or a sweep that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) id: String,
    pub(super) at: Timestamp,
}

/// Which rows of a reading are being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    /// Those that are in its order.
    Main,
    /// Of a pass, those that have NULL in the key: they are rejected, not passed over.
    Keyless,
    /// Of a window, those whose cursor is NULL, by key: no window would show them.
    Unstamped,
}

/// What the settings and the stream say about reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) lag_secs: i64,
    pub(super) overlap_secs: i64,
    pub(super) overlap_numbers: i64,
    /// How old the last look at all keys may get; `None`: nothing is swept.
    pub(super) sweep_secs: Option<i64>,
    pub(super) has_cursor: bool,
    /// Whether the key may be NULL in some rows.
    pub(super) has_keyless: bool,
    /// Whether the cursor may be.
    pub(super) has_unstamped: bool,
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

/// Decides what to read next. `state` is `None` for the very first read, under a changed scope and another order.
pub(super) fn next_step(state: Option<State>, first_of_run: bool, mode: ReadMode, rules: Rules) -> Progress {
    let wants_all = first_of_run && mode == ReadMode::Full;
    match state {
        None => Progress::pass(None, None, None),
        Some(State::Done { until, mark, swept_at }) => {
            if wants_all || !rules.has_cursor {
                Progress::pass(Some(until), mark, swept_at)
            } else {
                Progress::window(until, mark, swept_at, rules)
            }
        }
        Some(State::Reading(progress)) => {
            let is_pass = matches!(progress.kind, Kind::Pass { .. });
            // A complete pass covers what a window or a sweep would have found.
            if !is_pass && (wants_all || !rules.has_cursor) {
                return Progress::pass(progress.since, progress.since_mark, progress.swept_at);
            }
            if first_of_run && progress.is_sweep() && progress.after.is_none() {
                // Changes first: a sweep that ends in a refusal each time must not keep them out.
                let until = progress.until.or(progress.since).unwrap_or(Timestamp::MIN);
                return Progress::window(until, progress.mark, progress.swept_at, rules);
            }
            Progress { resumed: progress.resumed || first_of_run, ..progress }
        }
    }
}

impl Progress {
    fn new(kind: Kind, since: Option<Timestamp>, mark: Option<i64>, swept_at: Option<Timestamp>) -> Progress {
        Progress {
            kind,
            part: Part::Main,
            until: None,
            mark,
            after: None,
            swept_at,
            since,
            since_mark: mark,
            resumed: false,
        }
    }

    /// A complete pass.
    fn pass(since: Option<Timestamp>, mark: Option<i64>, swept_at: Option<Timestamp>) -> Progress {
        Progress::new(Kind::Pass { begun: None }, since, mark, swept_at)
    }

    /// The window that follows `since`.
    fn window(since: Timestamp, mark: Option<i64>, swept_at: Option<Timestamp>, rules: Rules) -> Progress {
        let from = since.plus_secs(-rules.overlap_secs);
        let from_mark = mark.map(|mark| mark.saturating_sub(rules.overlap_numbers));
        Progress::new(Kind::Window { from, from_mark, ends: None }, Some(since), mark, swept_at)
    }

    /// Whether it reads keys and cursors only.
    pub(super) fn is_sweep(&self) -> bool {
        matches!(self.kind, Kind::Sweep { .. })
    }

    /// The same, once the first answer has told what time it is there. What a window shows may have changed since it
    /// began; its stamp dates it all the same.
    pub(super) fn answered(mut self, run_id: &str, now: Timestamp, rules: Rules) -> Progress {
        let through = now.plus_secs(-rules.lag_secs);
        if self.until.is_none() {
            self.until = Some(self.since.map_or(through, |since| through.max(since)));
        }
        match &mut self.kind {
            Kind::Pass { begun } | Kind::Sweep { begun } => {
                begun.get_or_insert_with(|| Begun { id: format!("{run_id}@{now}"), at: now });
            }
            // Far ahead, so that the pages of a window are one reading; no change is dated later than its answer.
            Kind::Window { ends, .. } => {
                if ends.is_none_or(|ends| ends <= now) {
                    *ends = Some(now.plus_secs(3_600));
                }
            }
        }
        self
    }

    /// The same, once rows have shown a number of the cursor column.
    pub(super) fn with_mark(self, mark: Option<i64>) -> Progress {
        Progress { mark: self.mark.max(mark), ..self }
    }

    /// How the page's reading is told to the stages that follow.
    pub(super) fn reading(&self, scope: &str) -> Reading {
        let begun = |begun: &Option<Begun>| {
            let begun = begun.clone().unwrap_or(Begun { id: String::new(), at: Timestamp::MIN });
            (begun.id, begun.at)
        };
        match &self.kind {
            Kind::Pass { begun: at } => {
                let (id, started_at) = begun(at);
                Reading::Pass { id, started_at, scope: scope.to_owned() }
            }
            Kind::Sweep { begun: at } => {
                let (id, started_at) = begun(at);
                Reading::Sweep { id, started_at, scope: scope.to_owned() }
            }
            Kind::Window { from, ends, .. } => Reading::Window { from: *from, until: ends.unwrap_or(*from) },
        }
    }

    /// Moves behind a page whose last row had these values; `has_more` tells whether rows of its part follow. Also tells
    /// whether the reading is complete with it.
    pub(super) fn advanced(mut self, last: Option<Vec<Datum>>, has_more: bool, rules: Rules) -> (Progress, bool) {
        self.after = last.or(self.after);
        if has_more {
            return (self, false);
        }
        let next = match (&self.kind, self.part) {
            (Kind::Pass { .. }, Part::Main) if rules.has_keyless => Some(Part::Keyless),
            (Kind::Window { .. }, Part::Main) if rules.has_unstamped => Some(Part::Unstamped),
            _ => None,
        };
        match next {
            Some(part) => (Progress { part, after: None, ..self }, false),
            None => (self, true),
        }
    }

    /// What follows when a window is complete and the last look at all keys is too long ago: a sweep.
    pub(super) fn sweep_after(&self, now: Timestamp, rules: Rules) -> Option<Progress> {
        let is_due = rules.sweep_secs.is_some_and(|secs| self.swept_at.is_none_or(|at| now >= at.plus_secs(secs)));
        (is_due && matches!(self.kind, Kind::Window { .. })).then(|| Progress {
            until: self.until,
            resumed: self.resumed,
            ..Progress::new(Kind::Sweep { begun: None }, self.until, self.mark, self.swept_at)
        })
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> State {
        let swept_at = match &self.kind {
            Kind::Pass { begun } | Kind::Sweep { begun } => begun.as_ref().map(|begun| begun.at).or(self.swept_at),
            Kind::Window { .. } => self.swept_at,
        };
        State::Done { until: self.until.or(self.since).unwrap_or(Timestamp::MIN), mark: self.mark, swept_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        lag_secs: 10,
        overlap_secs: 600,
        overlap_numbers: 1_000,
        sweep_secs: Some(86_400),
        has_cursor: true,
        has_keyless: false,
        has_unstamped: false,
    };

    fn at(text: &str) -> Timestamp {
        format!("2026-01-01T{text}Z").parse().unwrap()
    }

    fn key(text: &str) -> Option<Vec<Datum>> {
        Some(vec![Datum::Text(text.to_owned())])
    }

    fn done(until: &str) -> State {
        State::Done { until: at(until), mark: None, swept_at: Some(at("00:00:00")) }
    }

    #[test]
    fn the_first_reading_is_a_pass_and_what_follows_are_windows() {
        let pass = next_step(None, true, ReadMode::Incremental, RULES).answered("run", at("12:00:00"), RULES);
        assert!(matches!(&pass.kind, Kind::Pass { begun: Some(begun) } if begun.at == at("12:00:00")));
        let (pass, is_complete) = pass.advanced(key("9"), true, RULES);
        assert!(!is_complete);
        // Later answers do not move the end.
        let pass = pass.answered("run", at("13:00:00"), RULES);
        let (pass, is_complete) = pass.advanced(key("17"), false, RULES);
        assert!(is_complete);
        let State::Done { until, swept_at, .. } = pass.done() else { panic!() };
        assert_eq!((until, swept_at), (at("11:59:50"), Some(at("12:00:00"))));
        let window = next_step(Some(pass.done()), true, ReadMode::Incremental, RULES);
        assert!(matches!(window.kind, Kind::Window { from, .. } if from == at("11:49:50")));
        assert!(matches!(next_step(Some(pass.done()), true, ReadMode::Full, RULES).kind, Kind::Pass { .. }));
    }

    #[test]
    fn a_clock_that_goes_back_loses_no_ground_and_claims_none() {
        let window = next_step(Some(done("12:00:00")), true, ReadMode::Incremental, RULES);
        let window = window.answered("run", at("11:00:00"), RULES);
        assert_eq!(window.until, Some(at("12:00:00")));
    }

    #[test]
    fn without_a_cursor_every_run_is_a_pass() {
        let rules = Rules { has_cursor: false, ..RULES };
        assert!(matches!(
            next_step(Some(done("12:00:00")), true, ReadMode::Incremental, rules).kind,
            Kind::Pass { .. }
        ));
    }

    #[test]
    fn rows_without_a_key_or_a_stamp_are_a_part_of_their_own() {
        let rules = Rules { has_keyless: true, has_unstamped: true, ..RULES };
        let (pass, is_complete) = next_step(None, true, ReadMode::Incremental, rules).advanced(key("9"), false, rules);
        assert_eq!((pass.part, pass.after.clone(), is_complete), (Part::Keyless, None, false));
        assert!(pass.advanced(None, false, rules).1);
        let window = next_step(Some(done("12:00:00")), true, ReadMode::Incremental, rules);
        let (window, is_complete) = window.advanced(None, false, rules);
        assert_eq!((window.part, is_complete), (Part::Unstamped, false));
        assert!(window.advanced(key("3"), false, rules).1);
    }

    #[test]
    fn a_sweep_follows_a_window_when_the_last_look_is_too_long_ago() {
        let window = next_step(Some(done("12:00:00")), true, ReadMode::Incremental, RULES);
        let window = window.answered("run", at("12:30:00"), RULES);
        assert_eq!(window.sweep_after(at("12:30:00"), RULES), None);
        let sweep = window.sweep_after(at("00:00:00").plus_secs(86_400), RULES).unwrap();
        assert!(sweep.is_sweep());
        // Interrupted before its first page it waits for the changes; later it is gone on with.
        let step = next_step(Some(State::Reading(sweep.clone())), true, ReadMode::Incremental, RULES);
        assert!(matches!(step.kind, Kind::Window { .. }));
        let begun = Progress { after: key("5"), ..sweep };
        let step = next_step(Some(State::Reading(begun)), true, ReadMode::Incremental, RULES);
        assert!(step.is_sweep() && step.resumed);
    }

    #[test]
    fn a_window_that_is_given_up_for_a_pass_loses_nothing() {
        let window = next_step(Some(done("12:00:00")), true, ReadMode::Incremental, RULES);
        let step = next_step(Some(State::Reading(window)), true, ReadMode::Full, RULES);
        assert_eq!(step.since, Some(at("12:00:00")));
    }

    #[test]
    fn numbers_are_read_again_from_below_the_highest() {
        let state = State::Done { until: at("12:00:00"), mark: Some(5_000), swept_at: None };
        let window = next_step(Some(state), true, ReadMode::Incremental, RULES);
        assert!(matches!(window.kind, Kind::Window { from_mark: Some(4_000), .. }));
    }
}
