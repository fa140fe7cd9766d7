//! Where reading a stream stands.

use serde::{Deserialize, Serialize};

use super::paging::Place;
use crate::clock::Timestamp;
use crate::connect::source::ReadMode;
use crate::record::Reading;

/// What the cursor of a stream holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// What is asked for: with other settings everything is read again.
    pub(super) scope: String,
    /// The fields that records had so far, in the order they were seen.
    pub(super) fields: Vec<String>,
    pub(super) state: State,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Done {
        /// Everything up to here was read.
        until: Timestamp,
        /// When everything was read last.
        refreshed_at: Option<Timestamp>,
    },
    Reading(Box<Progress>),
}

/// A reading under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    pub(super) kind: Kind,
    /// Where it ends.
    pub(super) until: Timestamp,
    /// When everything was read last.
    pub(super) refreshed_at: Option<Timestamp>,
    /// Where the part of it begins that one list shows, where it is asked for in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<Timestamp>,
    /// Where the list stands that is read: the stream's own, or that of its parents.
    #[serde(default)]
    pub(super) list: ListAt,
    /// Of the parents on that page, how many were asked for their children.
    #[serde(default)]
    pub(super) parents: usize,
    /// Records read.
    pub(super) read: u64,
    /// Whether records showed a field that none had before: all are to be read for it.
    #[serde(default)]
    pub(super) new_field: bool,
    /// Whether it is read for the second time, since the API counted more records than it showed.
    #[serde(default)]
    pub(super) repeated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Pass { id: String, started_at: Timestamp },
    Window { from: Timestamp },
}

/// Where a list stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListAt {
    pub(super) place: Place,
    /// Pages read.
    pub(super) pages: u64,
    /// Different records read.
    pub(super) read: u64,
    /// Records on the page before.
    pub(super) before: Option<u64>,
    /// The page before, told by its content.
    pub(super) print: Option<u64>,
    /// The last record of the page before, where the next one is to begin with it.
    pub(super) last: Option<u64>,
    /// How often it went back because records had moved up.
    pub(super) retreats: u8,
    /// A place that was come by, against going round in circles: it is moved to every second, fourth, eighth … page.
    pub(super) mark: Place,
}

impl ListAt {
    /// The list behind a page. Gives `None` when it came by that place before: it goes round in circles.
    pub(super) fn advanced(&self, next: Place, rows: u64, new: u64, print: u64, last: Option<u64>) -> Option<ListAt> {
        let pages = self.pages + 1;
        if self.pages > 0 && next == self.mark || next == self.place {
            return None;
        }
        // Brent's way to find a cycle with one remembered place.
        let mark = if pages.is_power_of_two() { next.clone() } else { self.mark.clone() };
        Some(ListAt {
            place: next,
            pages,
            read: self.read + new,
            before: Some(rows),
            print: Some(print),
            last,
            retreats: self.retreats,
            mark,
        })
    }
}

/// How a stream is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    /// Whether changes alone can be asked for.
    pub(super) has_window: bool,
    pub(super) lag_secs: i64,
    pub(super) overlap_secs: i64,
    /// After how long everything is read again.
    pub(super) refresh_secs: Option<i64>,
}

impl Progress {
    /// What to read next. `state` is none for the very first reading, and under another scope.
    pub(super) fn next(
        state: Option<State>,
        first_of_run: bool,
        mode: ReadMode,
        rhythm: Rhythm,
        now: Timestamp,
        run_id: &str,
    ) -> Progress {
        let wants_all = first_of_run && mode == ReadMode::Full;
        match state {
            None => Progress::pass(now, now, None, rhythm, run_id),
            Some(State::Reading(progress)) => match progress.kind {
                Kind::Window { from } if wants_all => Progress::pass(now, from, progress.refreshed_at, rhythm, run_id),
                _ => *progress,
            },
            Some(State::Done { until, refreshed_at }) => {
                if wants_all || !rhythm.has_window {
                    return Progress::pass(now, until, refreshed_at, rhythm, run_id);
                }
                let ends = now.plus_secs(-rhythm.lag_secs).max(until);
                let from = until.plus_secs(-rhythm.overlap_secs);
                Progress::begun(Kind::Window { from }, ends, refreshed_at)
            }
        }
    }

    /// A complete pass.
    pub(super) fn pass(
        now: Timestamp,
        since: Timestamp,
        refreshed_at: Option<Timestamp>,
        rhythm: Rhythm,
        run_id: &str,
    ) -> Progress {
        let until = now.plus_secs(-rhythm.lag_secs);
        let until = if since < now { until.max(since) } else { until };
        Progress::begun(Kind::Pass { id: format!("{run_id}@{now}"), started_at: now }, until, refreshed_at)
    }

    fn begun(kind: Kind, until: Timestamp, refreshed_at: Option<Timestamp>) -> Progress {
        Progress {
            kind,
            until,
            refreshed_at,
            step: None,
            list: ListAt::default(),
            parents: 0,
            read: 0,
            new_field: false,
            repeated: false,
        }
    }

    /// The same reading from its beginning.
    pub(super) fn begun_again(&self) -> Progress {
        Progress {
            new_field: self.new_field,
            repeated: self.repeated,
            ..Progress::begun(self.kind.clone(), self.until, self.refreshed_at)
        }
    }

    /// Whether nothing of it was read yet.
    pub(super) fn is_begin(&self) -> bool {
        self.list.pages == 0 && self.parents == 0 && self.step.is_none()
    }

    pub(super) fn is_pass(&self) -> bool {
        matches!(self.kind, Kind::Pass { .. })
    }

    /// Whether everything is to be read once this window is: records showed a new field, or it was too long ago. Changes
    /// come first, so that a complete reading that fails each time does not keep them out.
    pub(super) fn is_followed(&self, rhythm: Rhythm, now: Timestamp) -> bool {
        let is_due = |secs: i64| self.refreshed_at.is_none_or(|at| now >= at.plus_secs(secs));
        !self.is_pass() && (self.new_field || rhythm.refresh_secs.is_some_and(is_due))
    }

    /// How the page's reading is told to the stages that follow.
    pub(super) fn reading(&self, scope: &str) -> Reading {
        match &self.kind {
            Kind::Pass { id, started_at } => {
                Reading::Pass { id: id.clone(), started_at: *started_at, scope: scope.to_owned() }
            }
            Kind::Window { from } => Reading::Window { from: *from, until: self.until },
        }
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> State {
        let refreshed_at = match &self.kind {
            Kind::Pass { started_at, .. } => Some(*started_at),
            Kind::Window { .. } => self.refreshed_at,
        };
        State::Done { until: self.until, refreshed_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Rhythm = Rhythm { has_window: true, lag_secs: 60, overlap_secs: 600, refresh_secs: Some(86_400) };

    fn at(text: &str) -> Timestamp {
        format!("2026-06-01T{text}Z").parse().unwrap()
    }

    fn next(state: Option<State>, mode: ReadMode, rhythm: Rhythm) -> Progress {
        Progress::next(state, true, mode, rhythm, at("12:00:00"), "run")
    }

    fn done(refreshed: &str) -> Option<State> {
        Some(State::Done { until: at("11:00:00"), refreshed_at: Some(at(refreshed)) })
    }

    #[test]
    fn a_window_begins_before_the_last_one_ended() {
        let window = next(done("10:00:00"), ReadMode::Incremental, RHYTHM);
        assert_eq!(window.reading("s"), Reading::Window { from: at("10:50:00"), until: at("11:59:00") });
        assert_eq!(window.done(), State::Done { until: at("11:59:00"), refreshed_at: Some(at("10:00:00")) });
    }

    #[test]
    fn everything_is_read_again_when_it_is_wanted_or_there_are_no_windows_and_after_a_window_when_it_is_due() {
        let is_pass = |refreshed, mode, rhythm| next(done(refreshed), mode, rhythm).is_pass();
        assert!(!is_pass("10:00:00", ReadMode::Incremental, RHYTHM));
        assert!(is_pass("10:00:00", ReadMode::Full, RHYTHM));
        assert!(is_pass("10:00:00", ReadMode::Incremental, Rhythm { has_window: false, ..RHYTHM }));
        assert!(next(None, ReadMode::Incremental, RHYTHM).is_pass());
        let window = next(done("10:00:00"), ReadMode::Incremental, RHYTHM);
        let soon = Rhythm { refresh_secs: Some(3_600), ..RHYTHM };
        assert!(!window.is_followed(RHYTHM, at("12:00:00")) && window.is_followed(soon, at("12:00:00")));
        assert!(Progress { new_field: true, ..window }.is_followed(RHYTHM, at("12:00:00")));
    }

    #[test]
    fn an_interrupted_reading_is_finished_first_unless_everything_is_wanted() {
        let window = next(done("10:00:00"), ReadMode::Incremental, RHYTHM);
        let state = Some(State::Reading(Box::new(window.clone())));
        assert_eq!(next(state.clone(), ReadMode::Incremental, RHYTHM), window);
        assert!(next(state, ReadMode::Full, RHYTHM).is_pass());
    }

    #[test]
    fn a_list_that_goes_round_in_circles_is_seen() {
        for (lead, cycle) in [(0, 1), (0, 2), (3, 5), (7, 12)] {
            let name =
                |step: u64| Place::Text((if step < lead { step } else { lead + (step - lead) % cycle }).to_string());
            let mut list = ListAt { place: name(0), ..ListAt::default() };
            let mut steps = 0;
            while let Some(next) = list.advanced(name(steps + 1), 9, 9, steps, None) {
                list = next;
                steps += 1;
                assert!(steps < 100, "{lead} {cycle}");
            }
            assert!(steps + 1 >= lead + cycle, "{lead} {cycle}: {steps}");
        }
        let mut list = ListAt::default();
        for number in 1..2_000 {
            list = list.advanced(Place::Page(number), 9, 9, number, None).unwrap();
        }
    }
}
