//! Where reading a stream stands: what the cursor says, and what follows from it.
//!
//! All decisions about what is read next are here, as plain functions. The rules they keep:
//!
//! - a window ends some minutes before now, since the search index is behind, and begins an overlap before the end of
//!   the last one; about an hour later the same span is asked for once more;
//! - within a window records follow each other by id, never by offset, which ends at 10,000;
//! - an interrupted reading is finished as it was begun; then the same run reads what came since.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::error::Result;
use crate::record::{Cursor, Reading};

/// How far behind now the second look at changes ends.
const TRAIL_SECS: i64 = 3_600;

/// The fewest records that are asked for at a time where HubSpot is too slow for more.
const FEWEST: u16 = 10;

/// What the cursor of a stream holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The account that was read; another one is never read on from here.
    pub(super) portal: u64,
    /// What could be seen; see [`Reading::Pass`].
    pub(super) scope: String,
    #[serde(flatten)]
    pub(super) state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum State {
    /// Everything changed before `until` has been read.
    Done {
        until: Timestamp,
        #[serde(flatten)]
        looks: Looks,
    },
    /// In the middle of a reading.
    Reading(Progress),
}

/// When the account was last looked at for what no window shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Looks {
    /// When the last pass began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refreshed_at: Option<Timestamp>,
    /// When the archive was last looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) archived_at: Option<Timestamp>,
    /// How far changes were asked for a second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trailed_until: Option<Timestamp>,
}

/// A record that was merged into another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Merge {
    pub(super) gone: String,
    pub(super) winner: String,
    /// When the winner was last changed.
    pub(super) at: Option<Timestamp>,
}

/// How far a reading has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    pub(super) kind: Kind,
    /// Everything changed before has been read when the reading is complete.
    pub(super) until: Timestamp,
    /// Where it goes on: in a list the place that HubSpot told, in a window the id of the last record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
    /// Records read so far.
    pub(super) read: u64,
    /// Records asked for at a time, once the usual number was too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u16>,
    /// What was looked at before this reading began.
    #[serde(flatten)]
    pub(super) looks: Looks,
    /// What the records read last tell of others, to be told next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) merges: Vec<Merge>,
    /// All has been read, and only the merges are left to tell.
    #[serde(default)]
    pub(super) is_read: bool,
    /// Begun after a window, for what windows do not show.
    #[serde(default)]
    pub(super) follows: bool,
    /// Records were lacking at its end, so it was read once more from its beginning.
    #[serde(default)]
    pub(super) repeated: bool,
    /// Begun by an earlier run.
    #[serde(default)]
    pub(super) resumed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Kind {
    /// All records by id, then those in the archive.
    Pass { id: String, started_at: Timestamp, archived: bool },
    /// The records changed in `[from, ends)`.
    Window { from: Timestamp, ends: Timestamp, trailing: bool },
    /// The records put into the archive since `from`.
    Archive { from: Option<Timestamp>, started_at: Timestamp },
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
    /// After how long a span is asked for a second time; `None`: never.
    pub(super) trail_secs: Option<i64>,
    /// How old the last pass may get; `None`: as old as it may.
    pub(super) refresh_secs: Option<i64>,
    /// How long ago the archive may have been looked through; `None`: there is none.
    pub(super) archive_secs: Option<i64>,
    /// Records asked for at a time.
    pub(super) page_size: u16,
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

/// Decides what to read next. `state` is `None` for the very first read and under a changed scope.
pub(super) fn next_step(state: Option<State>, first_of_run: bool, mode: ReadMode) -> Step {
    let wants_all = first_of_run && mode == ReadMode::Full;
    match state {
        None => Step::BeginPass { since: None },
        Some(State::Done { until, .. }) if wants_all => Step::BeginPass { since: Some(until) },
        Some(State::Done { until, looks }) => Step::BeginWindow { since: until, looks },
        Some(State::Reading(progress)) => match &progress.kind {
            // A complete pass covers what a window would have found.
            Kind::Window { from, trailing: false, .. } if wants_all => Step::BeginPass { since: Some(*from) },
            Kind::Window { .. } | Kind::Archive { .. } if wants_all => Step::BeginPass { since: Some(progress.until) },
            // Changes first: what ends in a refusal each time must not keep them out.
            _ if first_of_run && progress.follows && progress.read == 0 => {
                Step::BeginWindow { since: progress.until, looks: progress.looks }
            }
            _ => Step::Continue(Progress { resumed: progress.resumed || first_of_run, ..progress }),
        },
    }
}

impl Progress {
    /// A complete pass that begins when HubSpot's clock shows `now`.
    pub(super) fn pass(run_id: &str, now: Timestamp, since: Option<Timestamp>, rules: Rules) -> Progress {
        let until = now.plus_secs(-rules.lag_secs);
        let kind = Kind::Pass { id: format!("{run_id}@{now}"), started_at: now, archived: false };
        Progress::new(kind, since.map_or(until, |since| since.max(until)))
    }

    /// The window that follows `since`, when HubSpot's clock shows `now`.
    pub(super) fn window(now: Timestamp, since: Timestamp, looks: Looks, rules: Rules) -> Progress {
        let until = now.plus_secs(-rules.lag_secs).max(since);
        let kind = Kind::Window { from: since.plus_secs(-rules.overlap_secs), ends: until, trailing: false };
        Progress { looks, ..Progress::new(kind, until) }
    }

    fn new(kind: Kind, until: Timestamp) -> Progress {
        Progress {
            kind,
            until,
            after: None,
            read: 0,
            limit: None,
            looks: Looks::default(),
            merges: Vec::new(),
            is_read: false,
            follows: false,
            repeated: false,
            resumed: false,
        }
    }

    /// What follows when a reading is complete and HubSpot's clock shows `now`: whatever of these was too long ago, a
    /// second look at changes, then a pass, or else the archive.
    pub(super) fn follow_up(&self, run_id: &str, now: Timestamp, rules: Rules) -> Option<Progress> {
        let due = |secs: Option<i64>, last: Option<Timestamp>| {
            secs.is_some_and(|secs| last.is_none_or(|at| now >= at.plus_secs(secs)))
        };
        let looks = self.looks_after();
        let trail_ends = self.until.plus_secs(-TRAIL_SECS);
        let trails = |secs: i64| looks.trailed_until.is_none_or(|at| trail_ends >= at.plus_secs(secs));
        let kind = match &self.kind {
            Kind::Pass { .. } | Kind::Archive { .. } => return None,
            Kind::Window { trailing: false, .. } if rules.trail_secs.is_some_and(trails) => {
                let from = looks.trailed_until.unwrap_or(trail_ends.plus_secs(-TRAIL_SECS));
                Kind::Window { from: from.plus_secs(-rules.overlap_secs), ends: trail_ends.max(from), trailing: true }
            }
            Kind::Window { .. } if due(rules.refresh_secs, looks.refreshed_at) => {
                Progress::pass(run_id, now, None, rules).kind
            }
            Kind::Window { .. } if due(rules.archive_secs, looks.archived_at) => {
                let from = looks.archived_at.map(|at| at.plus_secs(-rules.overlap_secs));
                Kind::Archive { from, started_at: now }
            }
            Kind::Window { .. } => return None,
        };
        Some(Progress { looks, follows: true, resumed: self.resumed, ..Progress::new(kind, self.until) })
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> State {
        State::Done { until: self.until, looks: self.looks_after() }
    }

    fn looks_after(&self) -> Looks {
        match &self.kind {
            Kind::Pass { started_at, .. } => Looks {
                refreshed_at: Some(*started_at),
                archived_at: Some(*started_at),
                trailed_until: self.looks.trailed_until.max(Some(self.until.plus_secs(-TRAIL_SECS))),
            },
            Kind::Archive { started_at, .. } => Looks { archived_at: Some(*started_at), ..self.looks },
            Kind::Window { ends, trailing: true, .. } => Looks { trailed_until: Some(*ends), ..self.looks },
            Kind::Window { .. } => self.looks,
        }
    }

    /// How the page's reading is told to the stages that follow.
    pub(super) fn reading(&self, scope: &str) -> Reading {
        match &self.kind {
            Kind::Pass { id, started_at, .. } => {
                Reading::Pass { id: id.clone(), started_at: *started_at, scope: scope.to_owned() }
            }
            Kind::Window { from, ends, .. } => Reading::Window { from: *from, until: *ends },
            Kind::Archive { from, started_at } => {
                Reading::Window { from: from.unwrap_or(Timestamp::from_micros(0)), until: *started_at }
            }
        }
    }

    /// Whether the archive is read.
    pub(super) fn reads_archive(&self) -> bool {
        matches!(self.kind, Kind::Pass { archived: true, .. } | Kind::Archive { .. })
    }

    /// How many records to ask for.
    pub(super) fn limit(&self, rules: Rules) -> u16 {
        self.limit.unwrap_or(rules.page_size)
    }

    /// The same progress, asking for half as much at a time; `None` when it cannot be less.
    pub(super) fn narrowed(self, rules: Rules) -> Option<Progress> {
        let limit = self.limit(rules);
        (limit > FEWEST).then(|| Progress { limit: Some((limit / 2).max(FEWEST)), ..self })
    }

    /// Moves behind a page with `rows` records, `next` being where HubSpot goes on; `merges` are told next. Also tells
    /// whether the reading is complete with it.
    pub(super) fn advanced(
        mut self,
        rows: u64,
        next: Option<String>,
        merges: Vec<Merge>,
        has_archive: bool,
    ) -> (Progress, bool) {
        self.read += rows;
        self.merges = merges;
        let is_end = next.is_none();
        self.after = next;
        if is_end
            && has_archive
            && let Kind::Pass { archived, .. } = &mut self.kind
            && !*archived
        {
            *archived = true;
            return (self, false);
        }
        self.is_read = is_end;
        let is_complete = is_end && self.merges.is_empty();
        (self, is_complete)
    }

    /// The same pass from its beginning: records that are lacking somewhere in a list are found nowhere else.
    pub(super) fn begun_again(self) -> Progress {
        Progress { after: None, read: 0, repeated: true, ..self }
    }

    /// The same progress when the merges have been told; and whether the reading is complete with that.
    pub(super) fn told(self) -> (Progress, bool) {
        let is_read = self.is_read;
        (Progress { merges: Vec::new(), ..self }, is_read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        lag_secs: 300,
        overlap_secs: 600,
        trail_secs: Some(3_600),
        refresh_secs: Some(86_400 * 7),
        archive_secs: Some(0),
        page_size: 100,
    };

    fn at(text: &str) -> Timestamp {
        format!("2026-01-01T{text}Z").parse().unwrap()
    }

    fn looked(at: Timestamp) -> Looks {
        Looks { refreshed_at: Some(at), archived_at: Some(at), trailed_until: Some(at) }
    }

    #[test]
    fn lesson_5_windows_overlap_end_before_now_and_are_asked_for_again_later() {
        let window = Progress::window(at("12:00:00"), at("10:00:00"), looked(at("10:00:00")), RULES);
        assert_eq!(window.reading(""), Reading::Window { from: at("09:50:00"), until: at("11:55:00") });
        // 10:55 is not an hour behind the last second look.
        let next = window.follow_up("run", at("12:00:00"), RULES).unwrap();
        assert!(matches!(next.kind, Kind::Archive { from: Some(from), .. } if from == at("09:50:00")));
        let later = Progress::window(at("12:30:00"), at("11:55:00"), looked(at("10:00:00")), RULES);
        let trail = later.follow_up("run", at("12:30:00"), RULES).unwrap();
        assert_eq!(trail.reading(""), Reading::Window { from: at("09:50:00"), until: at("11:25:00") });
        let State::Done { until, looks } = trail.done() else { panic!() };
        assert_eq!((until, looks.trailed_until), (at("12:25:00"), Some(at("11:25:00"))));
        // Behind it comes the archive, and then nothing.
        let archive = trail.follow_up("run", at("12:30:00"), RULES).unwrap();
        assert!(archive.reads_archive() && archive.follow_up("run", at("12:30:00"), RULES).is_none());
    }

    #[test]
    fn lesson_7_values_that_change_without_a_stamp_are_read_again() {
        let now = at("12:00:00");
        let old = Looks { refreshed_at: Some(now.plus_secs(-86_400 * 7)), ..looked(now) };
        let window = Progress::window(now, now, old, RULES);
        let pass = window.follow_up("run", now, RULES).unwrap();
        assert!(matches!(pass.kind, Kind::Pass { archived: false, .. }));
        assert_eq!(
            pass.done(),
            State::Done { until: at("12:00:00"), looks: Looks { trailed_until: Some(now), ..looked(now) } }
        );
    }

    #[test]
    fn a_pass_ends_with_the_archive_and_merges_are_told_before_the_end() {
        let pass = Progress::pass("run", at("12:00:00"), None, RULES);
        let (pass, complete) = pass.advanced(100, Some("200".into()), Vec::new(), true);
        assert!(!complete && pass.after.as_deref() == Some("200"));
        let (pass, complete) = pass.advanced(7, None, Vec::new(), true);
        assert!(!complete && pass.reads_archive() && pass.after.is_none());
        let merge = Merge { gone: "1".into(), winner: "2".into(), at: None };
        let (pass, complete) = pass.advanced(1, None, vec![merge], true);
        assert!(!complete);
        assert!(pass.told().1);
    }

    #[test]
    fn f5_a_run_that_begins_before_a_look_at_everything_reads_what_changed_first() {
        let now = at("12:00:00");
        let old = Looks { refreshed_at: None, ..looked(now) };
        let pass = Progress::window(now, now, old, RULES).follow_up("run", now, RULES).unwrap();
        let step = |progress, first| next_step(Some(State::Reading(progress)), first, ReadMode::Incremental);
        assert_eq!(step(pass.clone(), true), Step::BeginWindow { since: now, looks: old });
        assert_eq!(step(pass.clone(), false), Step::Continue(pass.clone()));
        let (half, _) = pass.advanced(100, Some("101".into()), Vec::new(), true);
        assert!(matches!(step(half, true), Step::Continue(Progress { read: 100, resumed: true, .. })));
    }

    #[test]
    fn a_cursor_round_trips() {
        let merge = Merge { gone: "1".into(), winner: "2".into(), at: Some(at("10:00:00")) };
        let (progress, _) = Progress::pass("run", at("12:00:00"), None, RULES).advanced(1, None, vec![merge], false);
        for state in [State::Done { until: at("10:00:00"), looks: looked(at("09:00:00")) }, State::Reading(progress)] {
            let position = Position { portal: 7, scope: "s".into(), state };
            assert_eq!(Position::parse(&position.to_cursor().unwrap()).unwrap(), position);
        }
    }
}
