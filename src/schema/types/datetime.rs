//! `datetime`: instants, written with an offset or in the project's time zone.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::date::{calendar_day, digits, iso, leading};
use super::doc::{Cases, TypeDoc, empty, held, is, plain_options, reading};
use super::width::fold;
use super::{Reason, VariableType};
use crate::clock::Timestamp;
use crate::schema::ReadAs;

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Datetime,
    ja: "日時",
    about: "An instant: a day in any of the forms of `date`, and a time of day, with an offset, `Z`, `UTC`, `JST` or the name of a time \
            zone behind it. Without, it is in the project's time zone, or the one of `read_as: { timezone: … }`. A time that clocks \
            skipped or showed twice is held. Digits behind the microsecond are cut.",
    canonical: "in UTC, with as many digits of the second as it has: `2025-10-01T00:05:00Z`",
    order: "earlier first",
    cases: &[
        Cases {
            declared: "",
            options: plain_options,
            forms: &[
                is("2025-10-01T09:05:00+09:00", "2025-10-01T00:05:00Z"),
                is("2025-10-01T00:05:00.000+0000", "2025-10-01T00:05:00Z"),
                is("2025-10-01T00:05:00Z", "2025-10-01T00:05:00Z"),
                is("2025-10-01 00:05:00.123456+00", "2025-10-01T00:05:00.123456Z"),
                is("2025-10-01 00:05:00 UTC", "2025-10-01T00:05:00Z"),
                is("2025-10-01 09:05:00 +0900", "2025-10-01T00:05:00Z"),
                is("2025-10-01T09:05:00 JST", "2025-10-01T00:05:00Z"),
                is("2025-10-01 02:05 Europe/Berlin", "2025-10-01T00:05:00Z"),
                is("2025-10-01T09:05:00+09:00[Asia/Tokyo]", "2025-10-01T00:05:00Z"),
                is("2025-10-01T00:05:00.1234567Z", "2025-10-01T00:05:00.123456Z"),
                is("2025/10/01 9:05", "2025-10-01T00:05:00Z"),
                is("2025/10/01 9:05:30", "2025-10-01T00:05:30Z"),
                is("２０２５／１０／０１　９：０５", "2025-10-01T00:05:00Z"),
                is("20251001 09:05", "2025-10-01T00:05:00Z"),
                is("2025年10月1日 9時5分", "2025-10-01T00:05:00Z"),
                is("令和7年10月1日9時", "2025-10-01T00:00:00Z"),
                is("1948-05-02 01:00:00", "1948-05-01T15:00:00Z"),
                empty(""),
                held("2025-10-01", "time_missing"),
                held("令和7年10月1日", "time_missing"),
                held("2025-02-29 10:00", "no_such_day"),
                held("平成31年5月1日 10:00", "era_ended"),
                held("2025-10-01 24:00", "no_such_time"),
                held("1948-05-02 00:30", "no_such_local_time"),
                held("1948-09-12 00:30", "ambiguous_local_time"),
                held("2025-10-01T09:05:00 CST", "not_a_datetime"),
                held("2025-10-01T09:05:00 Asia/Tokio", "not_a_datetime"),
                held("2025-10-01T09:05:00+08:00[Asia/Tokyo]", "zones_disagree"),
                held("1759277100000", "not_a_datetime"),
                held("2025-10-01T", "not_a_datetime"),
                held("9999-12-31T23:59:59-09:00", "out_of_range"),
            ],
        },
        Cases {
            declared: "read_as: { timezone: America/New_York }",
            options: || reading(ReadAs { timezone: Some("America/New_York".to_owned()), ..ReadAs::default() }),
            forms: &[
                is("2025-10-01 09:05", "2025-10-01T13:05:00Z"),
                is("2025-10-01 09:05 JST", "2025-10-01T00:05:00Z"),
                empty(""),
                held("2025-03-09 02:30", "no_such_local_time"),
                held("2025-11-02 01:30", "ambiguous_local_time"),
            ],
        },
    ],
};

const DATETIME_FORMS: &str =
    "accepted: 2025-10-01T09:05:00+09:00, 2025-10-01T00:05:00.000Z, and in the project's time zone 2025/10/01 9:05";

/// How a time says where it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Not at all: the project's zone.
    Unsaid,
    /// Seconds east of UTC.
    Offset(i32),
    /// A time zone by its name.
    Named(Tz),
    /// Both, which must agree.
    Both(i32, Tz),
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
            "no_such_day" | "era_ended" | "era_not_begun" | "era_year_too_far" => reason,
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
        Zone::Offset(seconds) => at_offset(local, seconds),
        Zone::Named(timezone) => in_zone(local, timezone),
        Zone::Both(seconds, timezone) => {
            let instant = at_offset(local, seconds)?;
            if instant.to_datetime().with_timezone(&timezone).naive_local() == local {
                return Ok(instant);
            }
            Err(Reason::new(
                "zones_disagree",
                "the offset is not that of the time zone behind it; correct it in the source",
            ))
        }
    }
}

fn at_offset(local: NaiveDateTime, seconds: i32) -> Result<Timestamp, Reason> {
    in_range(Timestamp::from(local.and_utc() - chrono::TimeDelta::seconds(i64::from(seconds))))
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

/// `Z`, `+09:00`, `+0900`, `+09`, `UTC`, `JST`, `Asia/Tokyo`, `+09:00[Asia/Tokyo]`, or nothing.
fn zone(text: &str) -> Result<Zone, Reason> {
    match text {
        "" => return Ok(Zone::Unsaid),
        "Z" | "z" | "UTC" | "GMT" => return Ok(Zone::Offset(0)),
        // The one abbreviation that means one zone; CST, IST and others mean several.
        "JST" => return Ok(Zone::Offset(9 * 3600)),
        _ => {}
    }
    let (offset, name) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((offset, name)) => (offset.trim_end(), Some(name)),
        None if text.contains('/') => ("", Some(text)),
        None => (text, None),
    };
    let named = name.map(|name| name.parse::<Tz>().map_err(|_| not_a_datetime())).transpose()?;
    match (offset, named) {
        ("", Some(timezone)) => Ok(Zone::Named(timezone)),
        (offset, named) => {
            let seconds = if matches!(offset, "Z" | "z") { 0 } else { seconds_east(offset)? };
            Ok(named.map_or(Zone::Offset(seconds), |timezone| Zone::Both(seconds, timezone)))
        }
    }
}

/// `+09:00`, `+0900`, `+09`
fn seconds_east(text: &str) -> Result<i32, Reason> {
    let (east, offset) = match text.as_bytes().first() {
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        _ => return Err(not_a_datetime()),
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
    Ok(east * (value(hours) * 3600 + value(minutes) * 60))
}

fn not_a_datetime() -> Reason {
    Reason::new("not_a_datetime", format!("not a date with a time; {DATETIME_FORMS}"))
}
