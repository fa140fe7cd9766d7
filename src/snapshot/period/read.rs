//! Periods and instants as people write them on the command line.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::{Calendar, FirstOrLast, Period, day, month, month_number, month_of, months, suggest, year_and_month};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::VariableType;
use crate::schema::types::{TypeOptions, Value, parse};

const FORMS: &str = "accepted: 2025-10, 2025-10-31, 2025, 2025-Q3, 2025-H1, 2025-W40, FY2025, FY2025-H1, FY2025-Q2, \
                     -6m (the sixth month before this one; also d, w, q, y, fy), today, yesterday, latest, \
                     2025-10-31T12:00:00+09:00";

/// Reads a period; letters count in both cases. `-6m` is the month six before the one that contains `now`, `-1y` the
/// calendar year before its, `latest` is `now` itself. An instant is a period of one microsecond.
///
/// # Errors
///
/// [`ErrorKind::Usage`] with the accepted forms, and with what was probably meant.
pub fn parse_period(text: &str, calendar: &Calendar, now: Timestamp) -> Result<Period> {
    let text = text.trim();
    let error = |message: &str| Error::new(ErrorKind::Usage, message).with("period", text);
    if text.contains(':') {
        let options = TypeOptions { timezone: calendar.timezone, ..TypeOptions::default() };
        return match parse(VariableType::Datetime, &options, text) {
            Ok(Some(Value::Datetime(at))) => Ok(instant(at)),
            Ok(_) => Err(error("not an instant").help(FORMS)),
            Err(reason) => Err(error("not an instant").help(reason.message)),
        };
    }
    read(&text.to_ascii_lowercase(), calendar, now).ok_or_else(|| {
        let meant = suggest::candidates(text)
            .into_iter()
            .find_map(|candidate| read(&candidate, calendar, now).map(|_| candidate.to_ascii_uppercase()))
            .map(|candidate| match candidate.as_str() {
                "TODAY" | "YESTERDAY" | "LATEST" => candidate.to_ascii_lowercase(),
                relative if relative.starts_with('-') => candidate.to_ascii_lowercase(),
                _ => candidate,
            });
        error("not a period").help(match meant {
            Some(meant) => format!("did you mean {meant}? {FORMS}"),
            None if suggest::is_month_out_of_range(text) => format!("months go from 01 to 12; {FORMS}"),
            None => FORMS.to_owned(),
        })
    })
}

/// Reads the instant that a question is about: a period or day means its last microsecond, an instant itself.
///
/// # Errors
///
/// As [`parse_period`].
pub fn parse_as_of(text: &str, calendar: &Calendar, now: Timestamp) -> Result<Timestamp> {
    parse_period(text, calendar, now).map(|period| period.at())
}

fn instant(at: Timestamp) -> Period {
    Period { label: at.to_string(), start: at, end: at.plus_micros(1) }
}

/// Reads any form but a written instant; `text` is in lower case.
pub(super) fn read(text: &str, calendar: &Calendar, now: Timestamp) -> Option<Period> {
    let today = || day::of(now, calendar.timezone);
    match text {
        "today" => return Some(day::period(today(), calendar.timezone)),
        "yesterday" => return today().pred_opt().map(|date| day::period(date, calendar.timezone)),
        "latest" | "now" => return Some(instant(now)),
        _ => {}
    }
    if let Some(back) = text.strip_prefix('-') {
        return relative(back, calendar, now);
    }
    if let Some(named) = text.strip_prefix("fy") {
        let (year, part) = match named.split_once('-') {
            Some((year, part)) => (number(year, 4)?, Some(part)),
            None => (number(named, 4)?, None),
        };
        return fiscal(year, part, calendar);
    }
    let mut parts = text.splitn(3, '-');
    let year = number(parts.next()?, 4).filter(|year| *year >= 1)?;
    match (parts.next(), parts.next()) {
        (None, _) => Some(year_of(year, calendar)),
        (Some(month), Some(day)) => {
            let date = NaiveDate::from_ymd_opt(year, unsigned(month)?, unsigned(day)?)?;
            Some(day::period(date, calendar.timezone))
        }
        (Some(part), None) => match part.strip_prefix('w') {
            Some(week) => week_of(NaiveDate::from_isoywd_opt(year, unsigned(week)?, Weekday::Mon)?, calendar),
            None if part.starts_with(['q', 'h']) => {
                let (first, last) = part_of_year(part)?;
                let january = month_number(year, 1);
                let label = format!("{year:04}-{}", part.to_ascii_uppercase());
                Some(months(label, january + first, january + last, calendar))
            }
            None => {
                let number = unsigned(part).filter(|month| (1..=12).contains(month))?;
                Some(month(month_number(year, number), calendar))
            }
        },
    }
}

/// `6m`, `1y`, …: so many whole units before the one that contains now.
fn relative(text: &str, calendar: &Calendar, now: Timestamp) -> Option<Period> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit);
    let count = if count.len() <= 5 { count.parse::<u16>().ok()? } else { return None };
    let today = day::of(now, calendar.timezone);
    let current = month_of(now, calendar);
    let back = i32::from(count);
    match unit {
        "d" => Some(day::period(today.checked_sub_days(Days::new(count.into()))?, calendar.timezone)),
        "w" => {
            let monday = today.week(Weekday::Mon).checked_first_day()?;
            week_of(monday.checked_sub_days(Days::new(u64::from(count) * 7))?, calendar)
        }
        "m" => Some(month(current - back, calendar)).filter(is_in_years),
        "q" => {
            let first = (current.div_euclid(3) - back) * 3;
            let (year, month) = year_and_month(first);
            Some(months(format!("{year:04}-Q{}", month.div_ceil(3)), first, first + 2, calendar)).filter(is_in_years)
        }
        "y" => Some(year_of(year_and_month(current).0 - back, calendar)).filter(is_in_years),
        "fy" => {
            let start = fiscal_start(calendar);
            let first_year = (current - (start - 1)).div_euclid(12) - back;
            let last_year = year_and_month(month_number(first_year, 1) + start + 10).0;
            let name = match calendar.fiscal_year_named_by {
                FirstOrLast::First => first_year,
                FirstOrLast::Last => last_year,
            };
            fiscal(name, None, calendar)
        }
        _ => None,
    }
}

/// Whether the label has a year of four digits, so that it can be read again.
fn is_in_years(period: &Period) -> bool {
    let year = period.label.split('-').next().unwrap_or_default();
    year.len() == 4 && year != "0000"
}

fn year_of(year: i32, calendar: &Calendar) -> Period {
    months(format!("{year:04}"), month_number(year, 1), month_number(year, 12), calendar)
}

fn week_of(monday: NaiveDate, calendar: &Calendar) -> Option<Period> {
    let week = monday.iso_week();
    let next = monday.checked_add_days(Days::new(7))?;
    let label = format!("{:04}-W{:02}", week.year(), week.week());
    Some(Period { label, start: day::start(monday, calendar.timezone), end: day::start(next, calendar.timezone) })
}

/// A fiscal year or its part (`h1`, `q2`).
fn fiscal(year: i32, part: Option<&str>, calendar: &Calendar) -> Option<Period> {
    if !(1..=9999).contains(&year) {
        return None;
    }
    let start = fiscal_start(calendar);
    let first_year = match calendar.fiscal_year_named_by {
        FirstOrLast::Last if start > 1 => year - 1,
        FirstOrLast::First | FirstOrLast::Last => year,
    };
    let begin = month_number(first_year, 1) + start - 1;
    let (first, last, label) = match part {
        None => (0, 11, format!("FY{year:04}")),
        Some(part) => {
            let (first, last) = part_of_year(part)?;
            (first, last, format!("FY{year:04}-{}", part.to_ascii_uppercase()))
        }
    };
    Some(months(label, begin + first, begin + last, calendar))
}

fn fiscal_start(calendar: &Calendar) -> i32 {
    i32::try_from(calendar.fiscal_start_month.clamp(1, 12)).unwrap_or(1)
}

/// The first and last month, from 0, of `q1` to `q4`, `h1` and `h2`.
fn part_of_year(part: &str) -> Option<(i32, i32)> {
    Some(match part {
        "q1" => (0, 2),
        "q2" => (3, 5),
        "q3" => (6, 8),
        "q4" => (9, 11),
        "h1" => (0, 5),
        "h2" => (6, 11),
        _ => return None,
    })
}

/// Exactly `length` digits.
fn number(text: &str, length: usize) -> Option<i32> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Exactly two digits.
fn unsigned(text: &str) -> Option<u32> {
    number(text, 2).and_then(|value| u32::try_from(value).ok())
}
