//! Where reading a stream stands: what the cursor says, and what follows from it.
//!
//! All decisions about what is read next are here, as plain functions. The rules they keep:
//!
//! - a window ends a little before now, and begins an overlap before the end of the last one: never a second after it;
//! - records follow each other by id, or by stamp and id, never by number;
//! - an interrupted reading is finished as it was begun; then the same run reads what came since.

use serde::{Deserialize, Serialize};

use super::bulk::Job;
use super::coql::Range;
use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::error::Result;
use crate::record::{Cursor, Reading};

/// Zoho forgets after 120 days what was deleted for good: who was away longer looks at everything.
const DELETED_KNOWN_SECS: i64 = 110 * 86_400;

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
    /// When the last pass began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refreshed_at: Option<Timestamp>,
    /// Since when nobody asked for deleted records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deleted_at: Option<Timestamp>,
}

/// How the records of a reading are asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub(super) enum By {
    /// That depends on how many there are.
    #[default]
    Undecided,
    Query,
    List,
    /// By a job, which may still have to be made.
    Job {
        job: Option<Job>,
    },
}

/// How far a reading has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    pub(super) kind: Kind,
    #[serde(flatten)]
    pub(super) by: By,
    /// Everything stamped before has been read when the reading is complete.
    pub(super) until: Timestamp,
    /// Stamp and id of the last record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<(Option<Timestamp>, String)>,
    /// Where a list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// Pages of the list of deleted records that were read.
    #[serde(default)]
    pub(super) pages: u32,
    /// Records read so far.
    pub(super) read: u64,
    /// How many there were when the reading began, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// What was looked at before this reading began.
    #[serde(flatten)]
    pub(super) looks: Looks,
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
    /// Those deleted since `deleted_from`, then all records: a pass ends with a page of those, which tells its fields.
    Pass { id: String, started_at: Timestamp, deleted_from: Option<Timestamp>, in_deleted: bool },
    /// The records stamped in `[from, until)`.
    Window { from: Timestamp },
    /// The records deleted since `from`.
    Deleted { from: Timestamp, started_at: Timestamp },
}

/// What to do next.
#[derive(Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum Step {
    BeginPass { since: Option<Timestamp>, looks: Looks },
    BeginWindow { since: Timestamp, looks: Looks },
    Continue(Progress),
}

/// What the settings and the stream say about reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) lag_secs: i64,
    pub(super) overlap_secs: i64,
    /// How old the last pass may get; `None`: as old as it may.
    pub(super) refresh_secs: Option<i64>,
    /// How long ago deleted records may have been asked for; `None`: Zoho keeps no list of them.
    pub(super) deleted_secs: Option<i64>,
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

/// Decides what to read next. `state` is `None` for the very first read and under a changed scope.
pub(super) fn next_step(state: Option<State>, first_of_run: bool, mode: ReadMode, rules: Rules) -> Step {
    let wants_all = (first_of_run && mode == ReadMode::Full) || !rules.has_stamp;
    match state {
        None => Step::BeginPass { since: None, looks: Looks::default() },
        Some(State::Done { until, looks }) if wants_all => Step::BeginPass { since: Some(until), looks },
        Some(State::Done { until, looks }) => Step::BeginWindow { since: until, looks },
        Some(State::Reading(progress)) => match &progress.kind {
            // A complete pass covers what a window, or the list of deleted records, would have told.
            Kind::Window { from } if wants_all => Step::BeginPass { since: Some(*from), looks: progress.looks },
            Kind::Deleted { .. } if wants_all => Step::BeginPass { since: Some(progress.until), looks: progress.looks },
            // Changes first: what ends in a refusal each time must not keep them out.
            _ if first_of_run && progress.follows && progress.read == 0 && progress.pages == 0 => {
                Step::BeginWindow { since: progress.until, looks: progress.looks }
            }
            _ => Step::Continue(Progress { resumed: progress.resumed || first_of_run, ..progress }),
        },
    }
}

impl Progress {
    /// A complete pass that begins when Zoho's clock shows `now`.
    pub(super) fn pass(run_id: &str, now: Timestamp, since: Option<Timestamp>, looks: Looks, rules: Rules) -> Progress {
        let until = now.plus_secs(-rules.lag_secs);
        let deleted_from = looks.deleted_at.filter(|_| rules.deleted_secs.is_some());
        let kind = Kind::Pass {
            id: format!("{run_id}@{now}"),
            started_at: now,
            deleted_from: deleted_from.map(|at| at.plus_secs(-rules.overlap_secs)),
            in_deleted: deleted_from.is_some(),
        };
        Progress { looks, ..Progress::new(kind, since.map_or(until, |since| since.max(until))) }
    }

    /// The window that follows `since`, when Zoho's clock shows `now`.
    pub(super) fn window(now: Timestamp, since: Timestamp, looks: Looks, rules: Rules) -> Progress {
        let until = now.plus_secs(-rules.lag_secs).max(since);
        let kind = Kind::Window { from: since.plus_secs(-rules.overlap_secs) };
        Progress { looks, ..Progress::new(kind, until) }
    }

    fn new(kind: Kind, until: Timestamp) -> Progress {
        Progress {
            kind,
            by: By::Undecided,
            until,
            after: None,
            token: None,
            pages: 0,
            read: 0,
            total: None,
            looks: Looks::default(),
            follows: false,
            repeated: false,
            resumed: false,
        }
    }

    /// What follows when a reading is complete and Zoho's clock shows `now`: after a window, whatever was too long ago,
    /// a pass, or else a look at what was deleted.
    pub(super) fn follow_up(&self, run_id: &str, now: Timestamp, rules: Rules) -> Option<Progress> {
        let due = |secs: Option<i64>, last: Option<Timestamp>| {
            secs.is_some_and(|secs| last.is_none_or(|at| now >= at.plus_secs(secs)))
        };
        let looks = self.looks_after();
        let forgot = rules.deleted_secs.map(|_| DELETED_KNOWN_SECS);
        let next = match (&self.kind, looks.deleted_at) {
            (Kind::Pass { .. } | Kind::Deleted { .. }, _) => return None,
            (Kind::Window { .. }, deleted_at)
                if due(rules.refresh_secs, looks.refreshed_at) || due(forgot, deleted_at) =>
            {
                Progress { until: self.until, ..Progress::pass(run_id, now, None, looks, rules) }
            }
            (Kind::Window { .. }, Some(at)) if due(rules.deleted_secs, Some(at)) => {
                let kind = Kind::Deleted { from: at.plus_secs(-rules.overlap_secs), started_at: now };
                Progress { looks, ..Progress::new(kind, self.until) }
            }
            (Kind::Window { .. }, _) => return None,
        };
        Some(Progress { follows: true, resumed: self.resumed, ..next })
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> State {
        State::Done { until: self.until, looks: self.looks_after() }
    }

    fn looks_after(&self) -> Looks {
        match &self.kind {
            Kind::Pass { started_at, .. } => Looks { refreshed_at: Some(*started_at), deleted_at: Some(*started_at) },
            Kind::Deleted { started_at, .. } => Looks { deleted_at: Some(*started_at), ..self.looks },
            Kind::Window { .. } => self.looks,
        }
    }

    /// How the page's reading is told to the stages that follow.
    pub(super) fn reading(&self, scope: &str) -> Reading {
        match &self.kind {
            Kind::Pass { id, started_at, .. } => {
                Reading::Pass { id: id.clone(), started_at: *started_at, scope: scope.to_owned() }
            }
            Kind::Window { from } => Reading::Window { from: *from, until: self.until },
            Kind::Deleted { from, started_at } => Reading::Window { from: *from, until: *started_at },
        }
    }

    /// Since when deleted records are asked for, where those are read now.
    pub(super) fn reads_deleted(&self) -> Option<Timestamp> {
        match &self.kind {
            Kind::Deleted { from, .. } => Some(*from),
            Kind::Pass { deleted_from, in_deleted: true, .. } => *deleted_from,
            Kind::Pass { .. } | Kind::Window { .. } => None,
        }
    }

    /// Whether all records are read.
    pub(super) fn is_pass(&self) -> bool {
        matches!(self.kind, Kind::Pass { .. })
    }

    /// The records to ask a query for.
    pub(super) fn range(&self) -> Range<'_> {
        match &self.kind {
            Kind::Window { from } => {
                let after = self.after.as_ref().and_then(|(at, id)| Some(((*at)?, id.as_str())));
                Range::Window { from: *from, ends: self.until, after, until: None }
            }
            Kind::Pass { .. } | Kind::Deleted { .. } => {
                Range::All { after: self.after.as_ref().map(|(_, id)| id.as_str()), until: None }
            }
        }
    }

    /// The same reading from its beginning, asked for in that way.
    pub(super) fn begun_again(self, by: By) -> Progress {
        Progress { by, after: None, token: None, read: 0, ..self }
    }

    /// Moves behind a page of `rows` records; also tells whether the reading is complete with it.
    pub(super) fn advanced(
        mut self,
        rows: u64,
        last: Option<(Option<Timestamp>, String)>,
        more: bool,
        token: Option<String>,
    ) -> (Progress, bool) {
        self.read += rows;
        self.after = last.or(self.after);
        self.token = token;
        (self, !more)
    }

    /// Moves behind a page of deleted records; also tells whether the reading is complete with it.
    pub(super) fn advanced_in_deleted(mut self, more: bool) -> (Progress, bool) {
        self.pages += 1;
        if let Kind::Pass { in_deleted, .. } = &mut self.kind {
            *in_deleted = more;
            return (self, false);
        }
        (self, !more)
    }

    /// The same progress, with the rest read by `job`.
    pub(super) fn with_job(self, job: Job) -> Progress {
        Progress { by: By::Job { job: Some(job) }, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const RULES: Rules =
        Rules { lag_secs: 60, overlap_secs: 600, refresh_secs: Some(7 * DAY), deleted_secs: Some(0), has_stamp: true };

    fn at(text: &str) -> Timestamp {
        format!("2026-06-01T{text}Z").parse().unwrap()
    }

    fn looks(refreshed_ago: i64, deleted_ago: i64) -> Looks {
        let ago = |secs: i64| Some(at("12:00:00").plus_secs(-secs));
        Looks { refreshed_at: ago(refreshed_ago), deleted_at: ago(deleted_ago) }
    }

    fn window(looks: Looks) -> Progress {
        Progress::window(at("12:00:00"), at("11:00:00"), looks, RULES)
    }

    fn step(state: Option<State>, first: bool, mode: ReadMode) -> Step {
        next_step(state, first, mode, RULES)
    }

    #[test]
    fn lesson_5_a_window_begins_before_the_last_one_ended_and_ends_where_the_next_begins() {
        let window = window(looks(0, 0));
        let Reading::Window { from, until } = window.reading("s") else { panic!() };
        assert_eq!((from, until), (at("10:50:00"), at("11:59:00")));
        assert_eq!(window.done(), State::Done { until: at("11:59:00"), looks: looks(0, 0) });
        // The cursor moves with the end of the window, not with its pages.
        let (half, is_done) = window.advanced(2_000, Some((Some(at("11:30:00")), "9".into())), true, None);
        assert!(!is_done && half.until == at("11:59:00"));
        assert!(matches!(half.range(), Range::Window { after: Some((_, "9")), .. }));
    }

    #[test]
    fn what_windows_do_not_show_follows_when_it_is_due() {
        let after = |looks| {
            let next = window(looks).follow_up("run", at("12:00:00"), RULES);
            next.map(|next| (next.is_pass(), next.reads_deleted(), next.follows))
        };
        assert_eq!(after(looks(6 * DAY, 3_600)), Some((false, Some(at("10:50:00")), true)));
        // A pass tells of deleted records itself.
        assert_eq!(after(looks(7 * DAY, 3_600)), Some((true, Some(at("10:50:00")), true)));
        let none = Rules { refresh_secs: None, deleted_secs: None, ..RULES };
        assert_eq!(window(looks(999 * DAY, 999 * DAY)).follow_up("run", at("12:00:00"), none), None);
    }

    #[test]
    fn a_pass_tells_first_what_was_deleted() {
        let pass = Progress::pass("run", at("12:00:00"), None, looks(DAY, DAY), RULES);
        assert_eq!(pass.reads_deleted(), Some(at("11:50:00").plus_secs(-DAY)));
        let (pass, is_done) = pass.advanced_in_deleted(true);
        assert!(!is_done && pass.reads_deleted().is_some());
        let (pass, is_done) = pass.advanced_in_deleted(false);
        assert!(!is_done && pass.reads_deleted().is_none());
        assert!(pass.advanced(9, None, false, None).1);
        // The first one has nothing to ask for.
        assert_eq!(Progress::pass("run", at("12:00:00"), None, Looks::default(), RULES).reads_deleted(), None);
        let look = window(looks(0, DAY)).follow_up("run", at("12:00:00"), RULES).unwrap();
        assert!(look.clone().advanced_in_deleted(false).1 && !look.advanced_in_deleted(true).1);
    }

    #[test]
    fn e2_who_was_away_longer_than_zoho_remembers_deletions_looks_at_everything() {
        let never = Rules { refresh_secs: None, ..RULES };
        let next = |days: i64| window(looks(0, days * DAY)).follow_up("run", at("12:00:00"), never).unwrap();
        assert!(!next(109).is_pass() && next(110).is_pass());
    }

    #[test]
    fn lesson_2_without_a_stamp_everything_is_read_in_every_run() {
        let rules = Rules { has_stamp: false, ..RULES };
        let done = State::Done { until: at("11:00:00"), looks: looks(0, 0) };
        let begun = next_step(Some(done), true, ReadMode::Incremental, rules);
        assert_eq!(begun, Step::BeginPass { since: Some(at("11:00:00")), looks: looks(0, 0) });
    }

    #[test]
    fn an_interrupted_reading_is_finished_first_but_changes_come_before_what_follows_them() {
        let (half, _) = window(looks(0, 0)).advanced(20, Some((None, "9".into())), true, None);
        let Step::Continue(next) = step(Some(State::Reading(half.clone())), true, ReadMode::Incremental) else {
            panic!()
        };
        assert_eq!(next, Progress { resumed: true, ..half.clone() });
        let full = step(Some(State::Reading(half)), true, ReadMode::Full);
        assert_eq!(full, Step::BeginPass { since: Some(at("10:50:00")), looks: looks(0, 0) });
        let pass = window(looks(9 * DAY, 0)).follow_up("run", at("12:00:00"), RULES).unwrap();
        let begun = step(Some(State::Reading(pass.clone())), true, ReadMode::Incremental);
        assert_eq!(begun, Step::BeginWindow { since: at("11:59:00"), looks: looks(9 * DAY, 0) });
        assert_eq!(step(Some(State::Reading(pass.clone())), false, ReadMode::Incremental), Step::Continue(pass));
    }

    #[test]
    fn a_cursor_is_written_and_read() {
        let job = Job { id: "1".into(), done: None, read: 7 };
        for progress in
            [window(looks(0, 0)), Progress::pass("run", at("12:00:00"), None, looks(1, 1), RULES).with_job(job)]
        {
            let position = Position { org: "1".into(), scope: "s".into(), state: State::Reading(progress) };
            assert_eq!(Position::parse(&position.to_cursor().unwrap()).unwrap(), position);
        }
    }
}
