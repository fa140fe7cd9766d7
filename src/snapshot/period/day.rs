//! Days in a time zone, whose clocks may skip or repeat midnight.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::Period;
use crate::clock::Timestamp;

/// More than any clock change and any offset from UTC together.
const MARGIN_SECS: i64 = 3 * 86_400;

/// The first instant of a day: the first at which clocks of the zone show its midnight, or later if they skip it.
pub(super) fn start(date: NaiveDate, timezone: Tz) -> Timestamp {
    let midnight = date.and_time(NaiveTime::MIN);
    match timezone.from_local_datetime(&midnight).earliest() {
        Some(instant) => Timestamp::from(instant.with_timezone(&Utc)),
        None => after_gap(midnight, timezone),
    }
}

/// The instant at which clocks jump over `midnight`.
fn after_gap(midnight: NaiveDateTime, timezone: Tz) -> Timestamp {
    let shows_later = |secs: i64| {
        DateTime::from_timestamp(secs, 0)
            .is_some_and(|instant| instant.with_timezone(&timezone).naive_local() >= midnight)
    };
    let middle = midnight.and_utc().timestamp();
    let (mut before, mut after) = (middle - MARGIN_SECS, middle + MARGIN_SECS);
    while after - before > 1 {
        let between = before + (after - before) / 2;
        if shows_later(between) {
            after = between;
        } else {
            before = between;
        }
    }
    Timestamp::from_micros(after.saturating_mul(1_000_000))
}

/// The date that clocks of the zone show at an instant.
pub(super) fn of(instant: Timestamp, timezone: Tz) -> NaiveDate {
    instant.to_datetime().with_timezone(&timezone).date_naive()
}

/// A day as a period.
pub(super) fn period(date: NaiveDate, timezone: Tz) -> Period {
    let end = date.succ_opt().map_or(Timestamp::MAX, |next| start(next, timezone));
    Period { label: date.format("%Y-%m-%d").to_string(), start: start(date, timezone), end }
}
