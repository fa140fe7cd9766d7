//! `date`: days in the forms that Japanese systems write.

use chrono::{NaiveDate, NaiveTime};

use super::width::fold;
use super::{Reason, datetime, era};

const DATE_FORMS: &str = "accepted: 2025-10-01, 2025/10/1, 20251001, 2025年10月1日, 令和7年10月1日, R7.10.1";

/// Reads a day. A time behind it must be midnight as written: which day another instant falls on depends on
/// a time zone, and that is for the mapping to say.
pub(super) fn parse(text: &str) -> Result<NaiveDate, Reason> {
    let text = text.trim();
    if let Some((year, month, day)) = iso(text.as_bytes()) {
        return calendar_day(year, month, day);
    }
    let folded = fold(text);
    let (date, rest) = leading(&folded)?;
    if rest.trim().is_empty() {
        return Ok(date);
    }
    match datetime::read_time(rest) {
        Ok((time, _)) if time == NaiveTime::MIN => Ok(date),
        Ok(_) => Err(Reason::new(
            "has_time",
            "a day with a time of day; say in the mapping which day it counts for, such as date(datetime(x)), or make the variable a datetime",
        )),
        Err(_) => Err(not_a_date()),
    }
}

/// The day that `text` (in narrow forms, trimmed) begins with, and what follows it.
pub(super) fn leading(text: &str) -> Result<(NaiveDate, &str), Reason> {
    let (era, rest) = match era::leading(text) {
        Some((era, rest)) => (Some(era), rest.trim_start()),
        None => (None, text),
    };
    let (year, rest) = match (era, rest.strip_prefix('元')) {
        (Some(_), Some(rest)) => ("1", rest),
        _ => digits(rest),
    };
    if era.is_none() && year.len() == 8 {
        let (month_day, year) = (&year[4..], &year[..4]);
        return Ok((calendar_day(number(year)?, number(&month_day[..2])?, number(&month_day[2..])?)?, rest));
    }
    let Some((month, day, rest)) = month_and_day(rest)? else {
        return Err(match (era, year.len(), rest) {
            (None, 5, "") => Reason::new(
                "serial_number",
                "a bare number, perhaps the serial day of a spreadsheet: export the column as a date",
            ),
            _ => not_a_date(),
        });
    };
    let date = match era {
        Some(era) if (1..=3).contains(&year.len()) => era.day(number(year)?, number(month)?, number(day)?)?,
        None if year.len() == 4 => calendar_day(number(year)?, number(month)?, number(day)?)?,
        None if year.len() == 2 || year.len() == 1 => {
            return Err(Reason::new(
                "ambiguous_date",
                format!("the year needs four digits and comes first; {DATE_FORMS}"),
            ));
        }
        _ => return Err(not_a_date()),
    };
    Ok((date, rest))
}

/// `-10-1`, `/10/1`, `.10.1` or `年10月1日`, as month, day and what follows; `None` if it begins otherwise.
fn month_and_day(text: &str) -> Result<Option<(&str, &str, &str)>, Reason> {
    let day_missing = || Reason::new("day_missing", format!("the day is missing; {DATE_FORMS}"));
    if let Some(rest) = text.trim_start().strip_prefix('年') {
        let (month, rest) = digits(rest.trim_start());
        let rest = rest.trim_start().strip_prefix('月').ok_or_else(not_a_date)?;
        let (day, rest) = digits(rest.trim_start());
        if day.is_empty() {
            return Err(day_missing());
        }
        let rest = rest.trim_start().strip_prefix('日').ok_or_else(not_a_date)?;
        return Ok(Some((month, day, rest)));
    }
    let Some(separator) = text.chars().next().filter(|c| matches!(c, '-' | '/' | '.')) else {
        return Ok(None);
    };
    let (month, rest) = digits(&text[1..]);
    let Some(rest) = rest.strip_prefix(separator) else {
        return Err(if month.is_empty() || !rest.is_empty() { not_a_date() } else { day_missing() });
    };
    let (day, rest) = digits(rest);
    Ok(Some((month, day, rest)))
}

/// The ASCII digits that `text` begins with, and what follows them.
pub(super) fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// A number of one to four digits.
fn number<T: TryFrom<u32>>(digits: &str) -> Result<T, Reason> {
    if digits.is_empty() || digits.len() > 4 {
        return Err(not_a_date());
    }
    digits.parse::<u32>().ok().and_then(|value| T::try_from(value).ok()).ok_or_else(not_a_date)
}

/// Year, month and day of exactly `2025-10-01`.
pub(super) fn iso(bytes: &[u8]) -> Option<(i32, u32, u32)> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else {
        return None;
    };
    let all = [*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2];
    if !all.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |high: u8, low: u8| u32::from(high - b'0') * 10 + u32::from(low - b'0');
    let year = two(all[0], all[1]) * 100 + two(all[2], all[3]);
    Some((i32::try_from(year).ok()?, two(all[4], all[5]), two(all[6], all[7])))
}

/// The day, if the calendar has it.
pub(super) fn calendar_day(year: i32, month: u32, day: u32) -> Result<NaiveDate, Reason> {
    (year >= 1)
        .then(|| NaiveDate::from_ymd_opt(year, month, day))
        .flatten()
        .ok_or_else(|| Reason::new("no_such_day", "there is no such day in the calendar"))
}

fn not_a_date() -> Reason {
    Reason::new("not_a_date", format!("not a date; {DATE_FORMS}"))
}
