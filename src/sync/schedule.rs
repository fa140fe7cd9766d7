//! When sources are due.
//!
//! Plain arithmetic on instants: nothing here reads a clock or waits. Every daemon of a project computes the
//! same instants, so that `source@due` names a run for all of them.

use chrono::{DateTime, LocalResult, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds};
use croner::{Cron, JobType};
use xxhash_rust::xxh3::xxh3_64;

use crate::clock::Timestamp;
use crate::config::{Cadence, Schedule};
use crate::record::SourceId;

/// The first instant after `after` at which `source` is due; `None` when its pattern never matches again.
///
/// A cron pattern is read in its own time zone. Where the clock is put forward, a time that is skipped is due
/// when the clocks have moved; where it is put back, a fixed time is due once, and a repeated one (`*/15`) goes
/// on. `every` counts from 1970-01-01T00:00:00Z, whenever runs end: runs that take longer skip instants.
pub fn next_due(schedule: &Schedule, source: &SourceId, after: Timestamp) -> Option<Timestamp> {
    let jitter_secs = jitter_secs(schedule, source);
    let base = next_base(&schedule.cadence, after.plus_secs(-jitter_secs))?;
    Some(base.plus_secs(jitter_secs))
}

/// The last instant up to `at` (inclusive) at which `source` was due.
pub fn latest_due(schedule: &Schedule, source: &SourceId, at: Timestamp) -> Option<Timestamp> {
    let jitter_secs = jitter_secs(schedule, source);
    let base = latest_base(&schedule.cadence, at.plus_secs(-jitter_secs))?;
    Some(base.plus_secs(jitter_secs))
}

/// What is due at `now` for a source that was last attended to at `since`: the last due instant between, if
/// there is one. However many were missed, they are caught up by one run.
pub fn missed(schedule: &Schedule, source: &SourceId, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    latest_due(schedule, source, now).filter(|due| *due > since)
}

/// By how much `source` starts late: always the same for one source, up to the schedule's most, spread over
/// the sources by their names.
fn jitter_secs(schedule: &Schedule, source: &SourceId) -> i64 {
    let spread = xxh3_64(source.0.as_bytes()) % schedule.jitter.as_secs().saturating_add(1);
    i64::try_from(spread).unwrap_or(0)
}

fn next_base(cadence: &Cadence, after: Timestamp) -> Option<Timestamp> {
    match cadence {
        Cadence::Every(pause) => {
            let pause = pause_micros(*pause)?;
            Some(Timestamp::from_micros(after.micros().div_euclid(pause).checked_add(1)?.checked_mul(pause)?))
        }
        Cadence::Cron { pattern, timezone } => Wall::parse(pattern, *timezone)?.next(after),
    }
}

fn latest_base(cadence: &Cadence, at: Timestamp) -> Option<Timestamp> {
    match cadence {
        Cadence::Every(pause) => {
            let pause = pause_micros(*pause)?;
            Some(Timestamp::from_micros(at.micros().div_euclid(pause).checked_mul(pause)?))
        }
        Cadence::Cron { pattern, timezone } => Wall::parse(pattern, *timezone)?.latest(at),
    }
}

fn pause_micros(pause: std::time::Duration) -> Option<i64> {
    i64::try_from(pause.as_micros()).ok().filter(|micros| *micros > 0)
}

/// How far a change of the clocks may move wall time against real time.
const CHANGE_HOURS: i64 = 3;

/// A cron pattern on the clock on the wall of a time zone.
///
/// The pattern is matched against wall time as if clocks never changed, and the matches are turned into instants
/// here: croner's own walk through a change of the clocks fails for some patterns and answers differently
/// backwards.
struct Wall {
    cron: Cron,
    timezone: Tz,
    /// A fixed time of day (`30 2 * * *`), not a repeated one (`*/15 * * * *`).
    is_fixed: bool,
}

impl Wall {
    fn parse(pattern: &str, timezone: Tz) -> Option<Wall> {
        let cron = CronParser::builder().seconds(Seconds::Disallowed).build().parse(pattern).ok()?;
        let is_fixed = cron.determine_job_type() == JobType::FixedTime;
        Some(Wall { cron, timezone, is_fixed })
    }

    /// The first due instant after `after`.
    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let mut wall = self.wall(after)? - TimeDelta::hours(CHANGE_HOURS);
        let mut best: Option<Timestamp> = None;
        loop {
            wall = match self.cron.find_next_occurrence(&wall, false) {
                Ok(wall) => wall,
                Err(_) => return best,
            };
            if let Some(best) = best
                && wall > self.wall(best)? + TimeDelta::hours(CHANGE_HOURS)
            {
                return Some(best);
            }
            best = self.instants(wall).into_iter().flatten().filter(|due| *due > after).chain(best).min();
        }
    }

    /// The last due instant up to `at`.
    fn latest(&self, at: Timestamp) -> Option<Timestamp> {
        let mut wall = self.wall(at)? + TimeDelta::hours(CHANGE_HOURS);
        let mut best: Option<Timestamp> = None;
        loop {
            wall = match self.cron.find_previous_occurrence(&wall, false) {
                Ok(wall) => wall,
                Err(_) => return best,
            };
            if let Some(best) = best
                && wall < self.wall(best)? - TimeDelta::hours(CHANGE_HOURS)
            {
                return Some(best);
            }
            best = self.instants(wall).into_iter().flatten().filter(|due| *due <= at).chain(best).max();
        }
    }

    /// What the clock on the wall shows at an instant, written as if the wall were in Greenwich.
    fn wall(&self, at: Timestamp) -> Option<DateTime<Utc>> {
        let local = at.to_datetime().with_timezone(&self.timezone).naive_local();
        local.with_nanosecond(0).map(|local| local.and_utc())
    }

    /// The instants at which a match on the wall is due.
    fn instants(&self, wall: DateTime<Utc>) -> [Option<Timestamp>; 2] {
        let instant = |at: DateTime<Tz>| Some(Timestamp::from(at.to_utc()));
        match self.timezone.from_local_datetime(&wall.naive_utc()) {
            LocalResult::Single(at) => [instant(at), None],
            LocalResult::Ambiguous(first, _) if self.is_fixed => [instant(first), None],
            LocalResult::Ambiguous(first, second) => [instant(first), instant(second)],
            LocalResult::None if self.is_fixed => [self.end_of_gap(wall), None],
            LocalResult::None => [None, None],
        }
    }

    /// When the clocks have moved that skip `wall`.
    fn end_of_gap(&self, wall: DateTime<Utc>) -> Option<Timestamp> {
        let minutes = (1..=26 * 60).map(|minutes| (wall + TimeDelta::minutes(minutes)).naive_utc());
        let mut found = minutes.filter_map(|wall| self.timezone.from_local_datetime(&wall).earliest());
        found.next().map(|at| Timestamp::from(at.to_utc()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cron(pattern: &str, timezone: Tz) -> Schedule {
        Schedule { cadence: Cadence::Cron { pattern: pattern.to_owned(), timezone }, jitter: Duration::ZERO }
    }

    fn every(secs: u64) -> Schedule {
        Schedule { cadence: Cadence::Every(Duration::from_secs(secs)), jitter: Duration::ZERO }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn source() -> SourceId {
        SourceId("sf".to_owned())
    }

    /// The next `count` due instants after `after`, in the schedule's own time zone.
    fn dues(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
        let Cadence::Cron { timezone, .. } = &schedule.cadence else { panic!("cron only") };
        let mut after = at(after);
        (0..count)
            .map(|_| {
                after = next_due(schedule, &source(), after).unwrap();
                after.to_datetime().with_timezone(timezone).format("%m-%d %H:%M %:z").to_string()
            })
            .collect()
    }

    #[test]
    fn the_last_evening_of_a_month_is_that_of_tokyo() {
        let month_end = cron("0 23 L * *", Tz::Asia__Tokyo);
        assert_eq!(
            dues(&month_end, "2026-01-31T14:00:00Z", 3),
            ["02-28 23:00 +09:00", "03-31 23:00 +09:00", "04-30 23:00 +09:00"]
        );
        // 23:00 in Tokyo on the 31st is 14:00 UTC; a second earlier it is still due that day.
        assert_eq!(dues(&month_end, "2026-01-31T13:59:59Z", 1), ["01-31 23:00 +09:00"]);
        assert_eq!(dues(&cron("0 23 L * *", Tz::Asia__Tokyo), "2028-02-01T00:00:00Z", 1), ["02-29 23:00 +09:00"]);
    }

    #[test]
    fn an_hour_that_is_skipped_is_due_when_the_clocks_have_moved() {
        let nightly = cron("30 2 * * *", Tz::Europe__Berlin);
        assert_eq!(
            dues(&nightly, "2026-03-28T00:00:00Z", 3),
            ["03-28 02:30 +01:00", "03-29 03:00 +02:00", "03-30 02:30 +02:00"]
        );
    }

    #[test]
    fn an_hour_that_comes_twice_is_due_once_at_a_fixed_time_and_goes_on_for_a_repeated_one() {
        let nightly = cron("30 2 * * *", Tz::Europe__Berlin);
        assert_eq!(
            dues(&nightly, "2026-10-24T00:00:00Z", 3),
            ["10-24 02:30 +02:00", "10-25 02:30 +02:00", "10-26 02:30 +01:00"]
        );
        let often = cron("*/30 * * * *", Tz::Europe__Berlin);
        assert_eq!(
            dues(&often, "2026-10-24T23:59:00Z", 5),
            [
                "10-25 02:00 +02:00",
                "10-25 02:30 +02:00",
                "10-25 02:00 +01:00",
                "10-25 02:30 +01:00",
                "10-25 03:00 +01:00"
            ]
        );
    }

    #[test]
    fn a_pause_counts_on_a_fixed_grid() {
        let quarter = every(900);
        assert_eq!(next_due(&quarter, &source(), at("2026-10-01T12:00:00Z")), Some(at("2026-10-01T12:15:00Z")));
        assert_eq!(next_due(&quarter, &source(), at("2026-10-01T12:14:59.9Z")), Some(at("2026-10-01T12:15:00Z")));
        assert_eq!(latest_due(&quarter, &source(), at("2026-10-01T12:15:00Z")), Some(at("2026-10-01T12:15:00Z")));
        assert_eq!(latest_due(&quarter, &source(), at("2026-10-01T12:14:59Z")), Some(at("2026-10-01T12:00:00Z")));
    }

    #[test]
    fn jitter_is_the_same_each_time_and_differs_between_sources() {
        let jittered = Schedule { jitter: Duration::from_secs(600), ..cron("0 2 * * *", Tz::Asia__Tokyo) };
        let delays: Vec<i64> = (0..20)
            .map(|i| {
                let source = SourceId(format!("source-{i}"));
                let due = next_due(&jittered, &source, at("2026-10-01T00:00:00+09:00")).unwrap();
                let next_day = next_due(&jittered, &source, due).unwrap();
                assert_eq!(next_day, due.plus_secs(86_400));
                assert_eq!(latest_due(&jittered, &source, due), Some(due));
                (due.micros() - at("2026-10-01T02:00:00+09:00").micros()) / 1_000_000
            })
            .collect();
        assert!(delays.iter().all(|delay| (0..=600).contains(delay)), "{delays:?}");
        let mut different = delays.clone();
        different.sort_unstable();
        different.dedup();
        assert!(different.len() > 15, "{delays:?}");
    }

    #[test]
    fn however_many_were_missed_one_is_caught_up() {
        let nightly = cron("0 2 * * *", Tz::Asia__Tokyo);
        let slept = missed(&nightly, &source(), at("2026-10-01T02:00:00+09:00"), at("2026-10-09T09:00:00+09:00"));
        assert_eq!(slept, Some(at("2026-10-09T02:00:00+09:00")));
        let awake = missed(&nightly, &source(), at("2026-10-09T02:00:07+09:00"), at("2026-10-09T09:00:00+09:00"));
        assert_eq!(awake, None);
    }

    #[test]
    fn a_day_that_never_comes_is_never_due() {
        assert_eq!(next_due(&cron("0 0 31 2 *", Tz::UTC), &source(), at("2026-01-01T00:00:00Z")), None);
        assert_eq!(latest_due(&cron("0 0 31 2 *", Tz::UTC), &source(), at("2026-01-01T00:00:00Z")), None);
    }

    proptest::proptest! {
        #[test]
        fn looking_back_finds_what_looking_ahead_had_announced(
            micros in at("2026-03-25T00:00:00Z").micros()..at("2026-11-05T00:00:00Z").micros(),
            pattern in proptest::sample::select(vec![
                "30 2 * * *", "*/15 * * * *", "0 3 * * 0", "59 1 L * *", "0 0 1 * *", "5 */6 * * 1-5", "15 2 25 10 *", "7,37 1-3 * * *",
            ]),
            timezone in proptest::sample::select(vec![
                Tz::Asia__Tokyo, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe,
            ]),
        ) {
            let schedule = cron(pattern, timezone);
            let now = Timestamp::from_micros(micros);
            let next = next_due(&schedule, &source(), now).unwrap();
            proptest::prop_assert!(next > now);
            proptest::prop_assert_eq!(latest_due(&schedule, &source(), next), Some(next));
            proptest::prop_assert_eq!(
                latest_due(&schedule, &source(), next.plus_micros(-1)),
                latest_due(&schedule, &source(), now)
            );
            if let Some(latest) = latest_due(&schedule, &source(), now) {
                proptest::prop_assert!(latest <= now);
                proptest::prop_assert_eq!(next_due(&schedule, &source(), latest), Some(next));
            }
        }
    }
}
