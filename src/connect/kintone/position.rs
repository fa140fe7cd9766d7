//! Where reading a stream stands: what the cursor says, and what follows from it.
//!
//! All decisions about what is read next are here, as plain functions. The rules they keep:
//!
//! - a window begins where everything had been read for sure, less an overlap, and has no upper end; how far
//!   everything is read is fixed from kintone's clock before the first page is asked for;
//! - pages follow each other by `$id`, never by time, which has no seconds, and never by offset, which ends at 10,000;
//! - an interrupted reading is finished as it was begun; then the same run reads what came since.

use serde::{Deserialize, Serialize};

use super::plan::Seen;
use super::query::{Range, floor_minute};
use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::error::Result;
use crate::record::{Cursor, Reading, RecordHead};

/// The fewest records that are asked for at a time where kintone is too slow for more.
const FEWEST: u16 = 10;

/// What the cursor of a stream holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Domain and number of the app that was read; another one is never read on from here.
    pub(super) app: String,
    /// What could be seen; see [`Reading::Pass`].
    pub(super) scope: String,
    /// The form under which it was read.
    pub(super) form: Seen,
    /// What was asked today.
    pub(super) spent: Spent,
    #[serde(flatten)]
    pub(super) state: State,
}

/// Requests of one day, in UTC: kintone counts them by app and starts again at midnight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spent {
    pub(super) day: String,
    pub(super) requests: u64,
}

impl Spent {
    /// What is spent at `now`.
    pub(super) fn at(self, now: Timestamp) -> Spent {
        let day = now.to_datetime().format("%Y-%m-%d").to_string();
        if self.day == day { self } else { Spent { day, requests: 0 } }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub(super) enum State {
    /// Everything changed before `until` has been read.
    Done {
        until: Timestamp,
        /// When the last complete look at all ids began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        swept_at: Option<Timestamp>,
        /// The highest id that was read: what is higher is new, whatever its time of change.
        max_id: u64,
    },
    /// In the middle of a reading.
    Reading(Progress),
}

/// How far a reading has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    pub(super) kind: Kind,
    /// Everything changed before has been read when the reading is complete.
    pub(super) until: Timestamp,
    /// The id of the last record read.
    pub(super) after: u64,
    /// The highest id read in this and all earlier readings.
    pub(super) max_id: u64,
    /// Records of the app read so far.
    pub(super) read: u64,
    /// How many there were when the reading began, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// Records asked for at a time, once the usual number was too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u16>,
    /// When the last complete look at all ids before this reading began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) swept_at: Option<Timestamp>,
    /// Begun by an earlier run.
    #[serde(default)]
    pub(super) resumed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Kind {
    /// All records by id.
    Pass { id: String, started_at: Timestamp },
    /// The ids and revisions of all records.
    Sweep { id: String, started_at: Timestamp },
    /// What changed since `from`, and what has an id above `above`; changes stamped before `ends` are dated by their
    /// stamp.
    Window { from: Timestamp, ends: Timestamp, above: u64 },
}

impl Kind {
    /// The same kind, gone on with when kintone's clock shows `now`. A window has no upper end: what is read of it now
    /// may have changed since it began, perhaps days ago in a run that was cut off, and its time of change dates it all
    /// the same.
    fn claiming(self, now: Timestamp) -> Kind {
        match self {
            Kind::Window { from, ends, above } => Kind::Window { from, ends: ends.max(minute_after(now)), above },
            other => other,
        }
    }
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    BeginPass { since: Option<Timestamp> },
    BeginWindow { since: Timestamp, swept_at: Option<Timestamp>, max_id: u64 },
    Continue(Progress),
}

/// What the settings and the stream say about reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) lag_secs: i64,
    pub(super) overlap_secs: i64,
    /// How old the last look at all ids may get; `None`: nothing is swept.
    pub(super) sweep_secs: Option<i64>,
    /// Whether there is a time of change to read by.
    pub(super) has_stamp: bool,
    /// Whether a look at all ids reads the values too: the ids of a table's rows come with them only.
    pub(super) sweeps_values: bool,
    /// Whether what gives values is another than when the stream was last read.
    pub(super) form_changed: bool,
    /// Records asked for at a time.
    pub(super) page_size: u16,
    /// Whether another request may be spent on the page behind the next one.
    pub(super) asks_ahead: bool,
}

impl Rules {
    fn sweep_is_due(&self, swept_at: Option<Timestamp>, now: Timestamp) -> bool {
        self.sweep_secs.is_some_and(|secs| swept_at.is_none_or(|at| now >= at.plus_secs(secs)))
    }
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

/// Decides what to read next, when kintone's clock shows `now`. `position` is `None` for the very first read and under
/// a changed scope.
pub(super) fn next_step(
    position: Option<State>,
    first_of_run: bool,
    mode: ReadMode,
    now: Timestamp,
    rules: Rules,
) -> Step {
    let wants_all = first_of_run && (mode == ReadMode::Full || rules.form_changed);
    match position {
        None => Step::BeginPass { since: None },
        Some(State::Done { until, swept_at, max_id }) => {
            let looks_again = rules.sweeps_values && first_of_run && rules.sweep_is_due(swept_at, now);
            if wants_all || looks_again || !rules.has_stamp {
                Step::BeginPass { since: Some(until) }
            } else {
                Step::BeginWindow { since: until, swept_at, max_id }
            }
        }
        Some(State::Reading(progress)) => {
            let is_pass = matches!(progress.kind, Kind::Pass { .. });
            // A complete pass covers what a window or a sweep would have found; but half of a pass under another
            // form has other fields.
            if (wants_all && (!is_pass || rules.form_changed)) || (!rules.has_stamp && !is_pass) {
                return Step::BeginPass { since: Some(progress.since()) };
            }
            if first_of_run && progress.is_sweep() && progress.read == 0 {
                // Changes first: a sweep that ends in a refusal each time must not keep them out.
                let Progress { until, swept_at, max_id, .. } = progress;
                return Step::BeginWindow { since: until, swept_at, max_id };
            }
            let (kind, resumed) = (progress.kind.claiming(now), progress.resumed || first_of_run);
            Step::Continue(Progress { kind, resumed, ..progress })
        }
    }
}

impl Progress {
    /// A complete pass that begins when kintone's clock shows `now`.
    pub(super) fn pass(run_id: &str, now: Timestamp, since: Option<Timestamp>, rules: Rules) -> Progress {
        let until = read_through(now, rules);
        let kind = Kind::Pass { id: format!("{run_id}@{now}"), started_at: now };
        Progress::new(kind, since.map_or(until, |since| since.max(until)), 0)
    }

    /// The window that follows `since`, when kintone's clock shows `now`.
    pub(super) fn window(
        now: Timestamp,
        since: Timestamp,
        swept_at: Option<Timestamp>,
        max_id: u64,
        rules: Rules,
    ) -> Progress {
        let until = read_through(now, rules).max(since);
        let from = floor_minute(since.plus_secs(-rules.overlap_secs));
        let ends = minute_after(now).max(until);
        Progress { swept_at, ..Progress::new(Kind::Window { from, ends, above: max_id }, until, max_id) }
    }

    /// What follows when a reading is complete and kintone's clock shows `now`: after a window, when the last look at
    /// all ids is too long ago, a sweep; else nothing.
    pub(super) fn sweep_after(&self, run_id: &str, now: Timestamp, rules: Rules) -> Option<Progress> {
        let due = !rules.sweeps_values && rules.sweep_is_due(self.swept_at, now);
        let kind = Kind::Sweep { id: format!("{run_id}@{now}"), started_at: now };
        (due && matches!(self.kind, Kind::Window { .. })).then(|| Progress {
            swept_at: self.swept_at,
            resumed: self.resumed,
            ..Progress::new(kind, self.until, self.max_id)
        })
    }

    /// Where the stream stands when the reading is complete.
    pub(super) fn done(&self) -> State {
        let swept_at = match &self.kind {
            Kind::Pass { started_at, .. } | Kind::Sweep { started_at, .. } => Some(*started_at),
            Kind::Window { .. } => self.swept_at,
        };
        // What a sweep shows is not read by it: a record above `max_id` is left to the next window.
        State::Done { until: self.until, swept_at, max_id: self.max_id }
    }

    fn new(kind: Kind, until: Timestamp, max_id: u64) -> Progress {
        Progress { kind, until, after: 0, max_id, read: 0, total: None, limit: None, swept_at: None, resumed: false }
    }

    /// From when on changes are lost if this reading is given up.
    fn since(&self) -> Timestamp {
        match &self.kind {
            Kind::Window { from, .. } => *from,
            Kind::Pass { .. } | Kind::Sweep { .. } => self.until,
        }
    }

    /// The records to ask for.
    pub(super) fn range<'a>(&self, stamp: Option<&'a str>) -> Range<'a> {
        match (&self.kind, stamp) {
            (Kind::Window { from, above, .. }, Some(stamp)) => Range::Since { stamp, from: *from, above: *above },
            _ => Range::All,
        }
    }

    /// How many records to ask for.
    pub(super) fn limit(&self, rules: Rules) -> u16 {
        self.limit.unwrap_or(rules.page_size)
    }

    /// Whether to ask how many records there are: once, when a reading begins.
    pub(super) fn asks_total(&self) -> bool {
        self.read == 0 && self.total.is_none()
    }

    /// Whether there will be a page behind the next one, as far as is known.
    pub(super) fn goes_on(&self, rules: Rules) -> bool {
        rules.asks_ahead && self.total.is_some_and(|total| total > self.read + u64::from(self.limit(rules)))
    }

    /// The same progress, asking for half as much at a time; `None` when it cannot be less.
    pub(super) fn narrowed(self, rules: Rules) -> Option<Progress> {
        let limit = self.limit(rules);
        (limit > FEWEST).then(|| Progress { limit: Some((limit / 2).max(FEWEST)), ..self })
    }

    /// How the page's reading is told to the stages that follow.
    pub(super) fn reading(&self, scope: &str) -> Reading {
        match &self.kind {
            Kind::Pass { id, started_at } => {
                Reading::Pass { id: id.clone(), started_at: *started_at, scope: scope.to_owned() }
            }
            Kind::Sweep { id, started_at } => {
                Reading::Sweep { id: id.clone(), started_at: *started_at, scope: scope.to_owned() }
            }
            Kind::Window { from, ends, .. } => Reading::Window { from: *from, until: *ends },
        }
    }

    /// Whether a record of an app answers the question that was asked: a page of an earlier question, kept by a proxy
    /// and sent once more, looks like any other.
    pub(super) fn asked_for(&self, head: &RecordHead) -> bool {
        match &self.kind {
            Kind::Window { from, above, .. } => {
                head.stamp.is_none_or(|stamp| stamp >= *from) || head.key.parse::<u64>().is_ok_and(|id| id > *above)
            }
            Kind::Pass { .. } | Kind::Sweep { .. } => true,
        }
    }

    /// Whether it reads ids and revisions only.
    pub(super) fn is_sweep(&self) -> bool {
        matches!(self.kind, Kind::Sweep { .. })
    }

    /// Moves behind a page of `count` records, the last with the id `last`. Also tells whether the reading is complete
    /// with it: all that were there when it began have been read (what was added since has a higher id, and is read by
    /// the next window), or there is nothing behind them. A page that is not full ends it only when nothing is missing:
    /// records may have been deleted since, or the page may lack some.
    pub(super) fn advanced(
        mut self,
        count: u64,
        total: Option<u64>,
        last: Option<u64>,
        rules: Rules,
    ) -> (Progress, bool) {
        if self.asks_total() {
            self.total = total;
        }
        self.read += count;
        self.after = last.unwrap_or(self.after).max(self.after);
        if !self.is_sweep() {
            self.max_id = self.max_id.max(self.after);
        }
        let is_complete = match self.total {
            _ if count == 0 => true,
            Some(total) => self.read >= total,
            None => count < u64::from(self.limit(rules)),
        };
        (self, is_complete)
    }
}

/// Up to when everything has been read for sure by what is asked after `now`: records become visible a little after
/// the time of change that they show, which has no seconds.
fn read_through(now: Timestamp, rules: Rules) -> Timestamp {
    floor_minute(now.plus_secs(-rules.lag_secs))
}

/// The end of the minute that kintone shows for a change made now.
fn minute_after(now: Timestamp) -> Timestamp {
    floor_minute(now).plus_secs(60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const RULES: Rules = Rules {
        lag_secs: 60,
        overlap_secs: 300,
        sweep_secs: Some(86_400),
        has_stamp: true,
        sweeps_values: false,
        form_changed: false,
        page_size: 500,
        asks_ahead: true,
    };

    fn at(text: &str) -> Timestamp {
        format!("2026-01-01T{text}Z").parse().unwrap()
    }

    fn window() -> Progress {
        Progress::window(at("12:00:30"), at("10:00:00"), None, 900, RULES)
    }

    fn done(swept_at: Option<Timestamp>) -> Option<State> {
        Some(State::Done { until: at("10:00:00"), swept_at, max_id: 900 })
    }

    #[test]
    fn f1_a_window_overlaps_the_last_one_and_claims_whole_minutes_that_are_past() {
        let window = window();
        assert_eq!(window.reading(""), Reading::Window { from: at("09:55:00"), until: at("12:01:00") });
        assert_eq!(window.until, at("11:59:00"));
        assert_eq!(
            window.range(Some("更新日時")),
            Range::Since { stamp: "更新日時", from: at("09:55:00"), above: 900 }
        );
        // kintone's clock went back: nothing is skipped, nothing is un-read.
        let back = Progress::window(at("09:00:00"), at("10:00:00"), None, 900, RULES);
        assert_eq!(
            (back.reading(""), back.until),
            (Reading::Window { from: at("09:55:00"), until: at("10:00:00") }, at("10:00:00"))
        );
    }

    #[test]
    fn a_record_that_was_not_asked_for_is_told_apart() {
        let head = |key: &str, stamp: Option<&str>| RecordHead {
            key: key.into(),
            stamp: stamp.map(at),
            ..RecordHead::default()
        };
        let window = window();
        for (key, stamp, asked) in [
            ("5", Some("09:55:00"), true),
            ("5", Some("09:54:00"), false),
            ("901", Some("08:00:00"), true),
            ("900", Some("08:00:00"), false),
            ("5", None, true),
        ] {
            assert_eq!(window.asked_for(&head(key, stamp)), asked, "{key} {stamp:?}");
        }
        assert!(Progress::pass("run", at("12:00:00"), None, RULES).asked_for(&head("5", Some("01:00:00"))));
    }

    #[test]
    fn what_comes_next_follows_from_the_cursor() {
        let step = |state, first, mode| next_step(state, first, mode, at("12:00:00"), RULES);
        let window = Step::BeginWindow { since: at("10:00:00"), swept_at: None, max_id: 900 };
        assert_eq!(step(None, true, ReadMode::Incremental), Step::BeginPass { since: None });
        assert_eq!(step(done(None), true, ReadMode::Incremental), window);
        assert_eq!(step(done(None), true, ReadMode::Full), Step::BeginPass { since: Some(at("10:00:00")) });
        assert_eq!(step(done(None), false, ReadMode::Full), window);
        let half = Progress { read: 5, after: 5, ..self::window() };
        let state = || Some(State::Reading(half.clone()));
        assert_eq!(step(state(), false, ReadMode::Incremental), Step::Continue(half.clone()));
        assert_eq!(step(state(), true, ReadMode::Full), Step::BeginPass { since: Some(at("09:55:00")) });
        let Step::Continue(resumed) = step(state(), true, ReadMode::Incremental) else { panic!() };
        assert_eq!((resumed.after, resumed.resumed), (5, true));
        let no_stamp = Rules { has_stamp: false, ..RULES };
        let step = next_step(done(None), true, ReadMode::Incremental, at("12:00:00"), no_stamp);
        assert_eq!(step, Step::BeginPass { since: Some(at("10:00:00")) });
    }

    #[test]
    fn b2_a_window_gone_on_with_later_claims_what_changed_since_it_began() {
        let half = Progress { read: 5, after: 5, ..window() };
        for (first_of_run, now, until) in [(true, "15:30:10", "15:31:00"), (false, "12:02:00", "12:03:00")] {
            let state = Some(State::Reading(half.clone()));
            let step = next_step(state, first_of_run, ReadMode::Incremental, at(now), RULES);
            let Step::Continue(resumed) = step else { panic!() };
            assert_eq!(resumed.reading(""), Reading::Window { from: at("09:55:00"), until: at(until) });
            assert_eq!(resumed.until, half.until, "how far everything was read for sure stays as it was");
        }
    }

    #[test]
    fn another_form_reads_everything_again_also_in_the_middle_of_a_pass() {
        let rules = Rules { form_changed: true, ..RULES };
        let step = |state, first| next_step(state, first, ReadMode::Incremental, at("12:00:00"), rules);
        assert_eq!(step(done(None), true), Step::BeginPass { since: Some(at("10:00:00")) });
        let pass = Progress::pass("run", at("11:00:00"), None, RULES);
        assert_eq!(step(Some(State::Reading(pass.clone())), true), Step::BeginPass { since: Some(at("10:59:00")) });
        assert_eq!(step(Some(State::Reading(pass.clone())), false), Step::Continue(pass));
    }

    #[test]
    fn e2_ids_and_revisions_are_swept_when_the_last_look_at_them_is_too_long_ago() {
        let now = at("12:00:00");
        let after = |swept_at, rules| {
            let window = Progress { swept_at, ..window() };
            window
                .sweep_after("run", now, rules)
                .map(|sweep| (sweep.reading("s"), sweep.range(Some("U")), sweep.done()))
        };
        let swept = Reading::Sweep { id: format!("run@{now}"), started_at: now, scope: "s".into() };
        let done = State::Done { until: at("11:59:00"), swept_at: Some(now), max_id: 900 };
        assert_eq!(after(None, RULES), Some((swept.clone(), Range::All, done.clone())));
        assert_eq!(after(Some(now.plus_secs(-86_400)), RULES), Some((swept, Range::All, done)));
        assert_eq!(after(Some(now.plus_secs(-86_399)), RULES), None);
        assert_eq!(after(None, Rules { sweep_secs: None, ..RULES }), None);
        // A pass has looked at all of them.
        assert_eq!(Progress::pass("run", now, None, RULES).sweep_after("run", now, RULES), None);
    }

    #[test]
    fn f5_a_run_that_begins_before_a_sweep_reads_what_changed_first() {
        let swept_at = Some(at("00:00:00").plus_secs(-86_400));
        let sweep = Progress { swept_at, ..window() }.sweep_after("run", at("12:00:00"), RULES).unwrap();
        let step = |progress: &Progress, first| {
            let state = Some(State::Reading(progress.clone()));
            next_step(state, first, ReadMode::Incremental, at("12:00:00"), RULES)
        };
        assert_eq!(step(&sweep, true), Step::BeginWindow { since: at("11:59:00"), swept_at, max_id: 900 });
        assert_eq!(step(&sweep, false), Step::Continue(sweep.clone()));
        // Half of one is read to its end.
        let half = sweep.advanced(500, Some(1_000), Some(700), RULES).0;
        assert!(matches!(step(&half, true), Step::Continue(Progress { read: 500, .. })));
    }

    #[test]
    fn e2_a_table_is_read_whole_where_an_app_would_be_swept() {
        let rules = Rules { sweeps_values: true, ..RULES };
        let step = |swept_at, first| next_step(done(swept_at), first, ReadMode::Incremental, at("12:00:00"), rules);
        let long_ago = Some(at("12:00:00").plus_secs(-86_400));
        assert_eq!(step(long_ago, true), Step::BeginPass { since: Some(at("10:00:00")) });
        assert!(matches!(step(long_ago, false), Step::BeginWindow { .. }));
        assert!(matches!(step(Some(at("11:00:00")), true), Step::BeginWindow { .. }));
        assert_eq!(window().sweep_after("run", at("12:00:00"), rules), None);
    }

    #[test]
    fn pages_lead_to_the_end_with_no_request_for_an_empty_one() {
        let pass = Progress::pass("run", at("12:00:00"), None, RULES);
        assert!(pass.asks_total());
        let next = pass.advanced(500, Some(1_000), Some(700), RULES).0;
        assert!(!next.asks_total());
        assert_eq!((next.after, next.max_id, next.total), (700, 700, Some(1_000)));
        let (end, is_complete) = next.clone().advanced(500, None, Some(1_300), RULES);
        assert!(is_complete, "all that were there are read");
        assert_eq!(end.done(), State::Done { until: at("11:59:00"), swept_at: Some(at("12:00:00")), max_id: 1_300 });
        // Some were deleted meanwhile, or the last page lacks some: only an empty page ends it.
        assert!(!next.clone().advanced(499, None, Some(1_299), RULES).1);
        let (next, is_complete) = Progress { total: Some(1_100), ..next }.advanced(500, None, Some(1_300), RULES);
        assert!(!is_complete && next.advanced(0, None, None, RULES).1);
        let window = window();
        let next = window.advanced(500, None, Some(40), RULES).0;
        assert_eq!((next.after, next.max_id), (40, 900));
    }

    #[test]
    fn a_sweep_reads_no_record_so_it_moves_no_highest_id() {
        let sweep = window().sweep_after("run", at("12:00:00"), RULES).unwrap();
        let next = sweep.advanced(500, Some(1_000), Some(950), RULES).0;
        assert_eq!((next.after, next.max_id), (950, 900));
    }

    #[test]
    fn pages_that_take_too_long_are_halved_down_to_a_few_records() {
        let mut progress = window();
        let mut limits = Vec::new();
        while let Some(narrower) = progress.clone().narrowed(RULES) {
            progress = narrower;
            limits.push(progress.limit(RULES));
        }
        assert_eq!(limits, [250, 125, 62, 31, 15, 10]);
        assert!(!progress.clone().advanced(10, None, Some(10), RULES).1);
        assert!(progress.advanced(9, None, Some(9), RULES).1);
    }

    #[test]
    fn requests_are_counted_by_the_day_in_utc() {
        let spent = Spent { day: "2026-01-01".into(), requests: 7 };
        assert_eq!(spent.clone().at(at("23:59:59")).requests, 7);
        assert_eq!(spent.at(at("23:59:59").plus_secs(1)), Spent { day: "2026-01-02".into(), requests: 0 });
    }

    #[test]
    fn a_cursor_round_trips() {
        let states = [done(Some(at("09:00:00"))).unwrap(), State::Reading(window())];
        for state in states {
            let position = Position {
                app: "a/8".into(),
                scope: "s".into(),
                form: Seen::default(),
                spent: Spent::default(),
                state,
            };
            assert_eq!(Position::parse(&position.to_cursor().unwrap()).unwrap(), position);
        }
        assert_eq!(Position::parse(&Cursor(serde_json::json!({"files": {}}))).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
