//! Where reading a stream of a tap stands.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::connect::source::ReadMode;
use crate::record::Reading;

/// What the cursor of a stream holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// The tap and its settings: with others everything is read again.
    pub(super) scope: String,
    /// The fields that records had so far.
    pub(super) fields: Vec<String>,
    /// The tap's own state, as it said it last.
    pub(super) state: Option<Value>,
    /// Whether it sends versions: then it sends everything in every run.
    #[serde(default)]
    pub(super) is_versioned: bool,
    pub(super) stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    Done { until: Timestamp, refreshed_at: Option<Timestamp> },
    Reading(Progress),
}

/// A reading under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    /// Of a complete pass its name; else where the changes begin.
    pub(super) kind: Kind,
    pub(super) started_at: Timestamp,
    pub(super) refreshed_at: Option<Timestamp>,
    /// Pages read: the tap that runs is at the same one.
    pub(super) pages: u64,
    /// Whether records showed a field that none had before.
    #[serde(default)]
    pub(super) new_field: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Pass(String),
    Window(Timestamp),
}

impl Progress {
    /// A complete pass that begins now.
    pub(super) fn pass(now: Timestamp, refreshed_at: Option<Timestamp>, run_id: &str) -> Progress {
        Progress {
            kind: Kind::Pass(format!("{run_id}@{now}")),
            started_at: now,
            refreshed_at,
            pages: 0,
            new_field: false,
        }
    }

    /// What to read next, and whether from the tap's state.
    pub(super) fn next(
        stage: Option<Stage>,
        first_of_run: bool,
        mode: ReadMode,
        is_full_table: bool,
        refresh_secs: Option<i64>,
        now: Timestamp,
        run_id: &str,
    ) -> (Progress, bool) {
        let wants_all = (first_of_run && mode == ReadMode::Full) || is_full_table;
        match stage {
            None => (Progress::pass(now, None, run_id), false),
            Some(Stage::Reading(progress)) => match progress.kind {
                Kind::Window(_) if first_of_run && mode == ReadMode::Full => {
                    (Progress::pass(now, progress.refreshed_at, run_id), false)
                }
                _ => (progress, true),
            },
            Some(Stage::Done { until, refreshed_at }) => {
                let is_due = |secs: i64| refreshed_at.is_none_or(|at| now >= at.plus_secs(secs));
                if wants_all || refresh_secs.is_some_and(is_due) {
                    return (Progress::pass(now, refreshed_at, run_id), false);
                }
                let kind = Kind::Window(until);
                (Progress { kind, started_at: now.max(until), refreshed_at, pages: 0, new_field: false }, true)
            }
        }
    }

    pub(super) fn is_pass(&self) -> bool {
        matches!(self.kind, Kind::Pass(_))
    }

    /// How the page's reading is told to the stages that follow.
    pub(super) fn reading(&self, scope: &str) -> Reading {
        match &self.kind {
            Kind::Pass(id) => Reading::Pass { id: id.clone(), started_at: self.started_at, scope: scope.to_owned() },
            Kind::Window(from) => Reading::Window { from: *from, until: self.started_at },
        }
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> Stage {
        let refreshed_at = if self.is_pass() { Some(self.started_at) } else { self.refreshed_at };
        Stage::Done { until: self.started_at, refreshed_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-06-01T{text}Z").parse().unwrap()
    }

    #[test]
    fn changes_are_read_from_the_taps_state_and_everything_without_it() {
        let done = Some(Stage::Done { until: at("10:00:00"), refreshed_at: Some(at("09:00:00")) });
        let next = |mode, is_full_table, refresh| {
            Progress::next(done.clone(), true, mode, is_full_table, refresh, at("12:00:00"), "run")
        };
        let (window, from_state) = next(ReadMode::Incremental, false, Some(86_400));
        assert_eq!(window.reading("s"), Reading::Window { from: at("10:00:00"), until: at("12:00:00") });
        assert!(from_state);
        assert_eq!(window.done(), Stage::Done { until: at("12:00:00"), refreshed_at: Some(at("09:00:00")) });
        for (pass, from_state) in [
            next(ReadMode::Full, false, None),
            next(ReadMode::Incremental, true, None),
            next(ReadMode::Incremental, false, Some(3_600)),
        ] {
            assert!(pass.is_pass() && !from_state);
        }
        // An interrupted one goes on from the last state, also a pass.
        let half = Progress { pages: 3, ..Progress::pass(at("11:00:00"), None, "run") };
        let stage = Some(Stage::Reading(half.clone()));
        let (again, from_state) = Progress::next(stage, true, ReadMode::Incremental, true, None, at("12:00:00"), "run");
        assert!(again == half && from_state);
    }
}
