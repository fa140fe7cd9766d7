//! `datetime`: instants, written with an offset or in the project's time zone.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::Reason;
use super::date::{calendar_day, digits, iso, leading};
use super::width::fold;
use crate::clock::Timestamp;

const DATETIME_FORMS: &str =
    "accepted: 2025-10-01T09:05:00+09:00, 2025-10-01T00:05:00.000Z, and in the project's time zone 2025/10/01 9:05";

/// How a time says where it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Not at all: the project's zone.
    Unsaid,
    /// Seconds east of UTC.
    Offset(i32),
}

/// Reads an instant. Digits behind the microsecond are cut, since instants end there (semantics A1).
pub(super) fn parse(text: &str, timezone: Tz) -> Result<Timestamp, Reason> {
    let text = fold(text);
    let bytes = text.as_bytes();
    let day = if bytes.get(10).is_some_and(u8::is_ascii_digit) { None } else { bytes.get(..10).and_then(iso) };
    let (date, rest) = match day {
        // Those ten bytes are ASCII, so a character begins behind them.
        Some((year, month, day)) => (calendar_day(year, month, day)?, &text[10..]),
        None => leading(&text).map_err(|reason| match reason.code {
            "no_such_day" | "era_ended" | "era_not_begun" => reason,
            _ => not_a_datetime(),
        })?,
    };
    at(date, rest, timezone)
}

fn at(date: NaiveDate, rest: &str, timezone: Tz) -> Result<Timestamp, Reason> {
    if rest.trim().is_empty() {
        return Err(Reason::new(
            "time_missing",
            "a day without a time of day; make the variable a date, or add the time in the mapping: datetime(x || ' 00:00')",
        ));
    }
    let (time, zone) = read_time(rest)?;
    let local = date.and_time(time);
    match zone {
        Zone::Unsaid => in_zone(local, timezone),
        Zone::Offset(seconds) => {
            let instant = local.and_utc() - chrono::TimeDelta::seconds(i64::from(seconds));
            in_range(Timestamp::from(instant))
        }
    }
}

/// The instant at which clocks of the zone show `local`; refused when they never do, or do twice.
fn in_zone(local: NaiveDateTime, timezone: Tz) -> Result<Timestamp, Reason> {
    match timezone.from_local_datetime(&local) {
        chrono::LocalResult::Single(instant) => in_range(Timestamp::from(instant.with_timezone(&Utc))),
        chrono::LocalResult::None => Err(Reason::new(
            "no_such_local_time",
            format!("clocks in {timezone} skipped that time; write it with its offset, such as +09:00"),
        )),
        chrono::LocalResult::Ambiguous(..) => Err(Reason::new(
            "ambiguous_local_time",
            format!("clocks in {timezone} showed that time twice; write it with its offset, such as +09:00"),
        )),
    }
}

/// Years 1 to 9999 in UTC, which every output can hold.
fn in_range(instant: Timestamp) -> Result<Timestamp, Reason> {
    if (1..=9999).contains(&instant.to_datetime().year()) {
        Ok(instant)
    } else {
        Err(Reason::new("out_of_range", "the instant lies outside the years 1 to 9999 in UTC"))
    }
}

/// Reads the time of day behind a date: `T09:05:00.123+09:00`, ` 9:05`, `9時5分30秒`.
pub(super) fn read_time(text: &str) -> Result<(NaiveTime, Zone), Reason> {
    let after_date = text.strip_prefix(['T', 't']).unwrap_or_else(|| text.trim_start());
    if after_date.len() == text.len() && !text.contains('時') {
        return Err(not_a_datetime());
    }
    let (hour, rest) = digits(after_date);
    let (minute, second, rest) = match rest.strip_prefix(':') {
        Some(rest) => {
            let (minute, rest) = digits(rest);
            match rest.strip_prefix(':') {
                Some(rest) => {
                    let (second, rest) = digits(rest);
                    (minute, second, rest)
                }
                None => (minute, "00", rest),
            }
        }
        None => kanji_time(rest)?,
    };
    if !(1..=2).contains(&hour.len()) || !(1..=2).contains(&minute.len()) || !(1..=2).contains(&second.len()) {
        return Err(not_a_datetime());
    }
    let (micros, rest) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    let value = |digits: &str| digits.parse::<u32>().map_err(|_| not_a_datetime());
    let time = NaiveTime::from_hms_micro_opt(value(hour)?, value(minute)?, value(second)?, micros)
        .ok_or_else(|| Reason::new("no_such_time", "hours go from 0 to 23, minutes and seconds from 0 to 59"))?;
    Ok((time, zone(rest.trim_start())?))
}

/// `時5分30秒` behind the hour; minutes and seconds may be missing.
fn kanji_time(text: &str) -> Result<(&str, &str, &str), Reason> {
    let rest = text.strip_prefix('時').ok_or_else(not_a_datetime)?;
    let (minute, after) = digits(rest);
    let Some(rest) = after.strip_prefix('分') else {
        return if minute.is_empty() { Ok(("00", "00", after)) } else { Err(not_a_datetime()) };
    };
    let (second, after) = digits(rest);
    match after.strip_prefix('秒') {
        Some(rest) => Ok((minute, second, rest)),
        None if second.is_empty() => Ok((minute, "00", after)),
        None => Err(not_a_datetime()),
    }
}

/// Microseconds of the digits behind the point.
fn fraction(text: &str) -> Result<(u32, &str), Reason> {
    let (digits, rest) = digits(text);
    if digits.is_empty() || digits.len() > 12 {
        return Err(not_a_datetime());
    }
    let micros =
        digits.bytes().chain(std::iter::repeat(b'0')).take(6).fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
    Ok((micros, rest))
}

/// `Z`, `+09:00`, `+0900`, `+09`, `UTC`, or nothing.
fn zone(text: &str) -> Result<Zone, Reason> {
    let (east, offset) = match text {
        "" => return Ok(Zone::Unsaid),
        "Z" | "z" | "UTC" | "GMT" => return Ok(Zone::Offset(0)),
        _ => match text.as_bytes().first() {
            Some(b'+') => (1, &text[1..]),
            Some(b'-') => (-1, &text[1..]),
            _ => return Err(not_a_datetime()),
        },
    };
    let (hours, minutes) = match *offset.as_bytes() {
        [a, b] => ([a, b], [b'0', b'0']),
        [a, b, c, d] | [a, b, b':', c, d] => ([a, b], [c, d]),
        _ => return Err(not_a_datetime()),
    };
    if !hours.iter().chain(&minutes).all(u8::is_ascii_digit) {
        return Err(not_a_datetime());
    }
    let value = |pair: [u8; 2]| i32::from(pair[0] - b'0') * 10 + i32::from(pair[1] - b'0');
    if value(hours) > 23 || value(minutes) > 59 {
        return Err(not_a_datetime());
    }
    Ok(Zone::Offset(east * (value(hours) * 3600 + value(minutes) * 60)))
}

fn not_a_datetime() -> Reason {
    Reason::new("not_a_datetime", format!("not a date with a time; {DATETIME_FORMS}"))
}
