//! `date`: days in the forms that Japanese systems write.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options, reading};
use super::width::fold;
use super::{Reason, TypeOptions, VariableType, datetime, era, fiscal};
use crate::schema::ReadAs;
use crate::schema::read_as::{FiscalDay, SerialDays};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Date,
    ja: "日付",
    about: "A day, year first, in our calendar or in an era from 明治 on (by name, letter, kanji or square sign; 元年 is year 1); of an \
            era only days on which its name was in use. A time of day behind it must be midnight as written. Names of fiscal years \
            and days of spreadsheets are read where that is declared.",
    canonical: "`2025-10-01`",
    order: "earlier first",
    cases: &[
        Cases {
            declared: "",
            options: plain_options,
            forms: &[
                is("2025-10-01", "2025-10-01"),
                is("2025/10/1", "2025-10-01"),
                is("2025.10.1", "2025-10-01"),
                is("20251001", "2025-10-01"),
                is("2025年10月1日", "2025-10-01"),
                is("２０２５年１０月１日", "2025-10-01"),
                is("2025年 1月 5日", "2025-01-05"),
                is("令和7年10月1日", "2025-10-01"),
                is("令和元年5月1日", "2019-05-01"),
                is("R7.10.1", "2025-10-01"),
                is("R07/10/01", "2025-10-01"),
                is("Ｒ７．１０．１", "2025-10-01"),
                is("令7.10.1", "2025-10-01"),
                is("㋿7年10月1日", "2025-10-01"),
                is("平成31年4月30日", "2019-04-30"),
                is("H1.1.8", "1989-01-08"),
                is("昭和64年1月7日", "1989-01-07"),
                is("s50.4.1", "1975-04-01"),
                is("大正15年12月25日", "1926-12-25"),
                is("昭和元年12月25日", "1926-12-25"),
                is("明治45年7月30日", "1912-07-30"),
                is("M6.1.1", "1873-01-01"),
                is("2025-10-01T00:00:00Z", "2025-10-01"),
                is("2025-10-01T00:00:00.000+0900", "2025-10-01"),
                is("2025/10/01 0:00", "2025-10-01"),
                is("9999-12-31", "9999-12-31"),
                empty("\u{3000}"),
                held("2025-10-01T15:00:00Z", "has_time"),
                held("2025-02-29", "no_such_day"),
                held("0000-00-00", "no_such_day"),
                held("平成31年5月1日", "era_ended"),
                held("昭和64年1月8日", "era_ended"),
                held("令和元年4月30日", "era_not_begun"),
                held("明治5年12月2日", "era_not_begun"),
                held("令和99年12月31日", "era_year_too_far"),
                held("令和0年1月1日", "no_such_day"),
                held("25/10/1", "ambiguous_date"),
                held("10/1/2025", "ambiguous_date"),
                held("2025年10月", "day_missing"),
                held("2025-10", "day_missing"),
                held("2025年度", "fiscal_year"),
                held("FY2025", "fiscal_year"),
                held("45931", "serial_number"),
                held("2025-10/01", "not_a_date"),
                held("未定", "not_a_date"),
            ],
        },
        Cases {
            declared: "read_as: { fiscal: last }",
            options: || reading(ReadAs { fiscal: Some(FiscalDay::Last), ..ReadAs::default() }),
            forms: &[
                is("2025年度", "2026-03-31"),
                is("FY2025", "2026-03-31"),
                is("令和7年度", "2026-03-31"),
                is("R7年度上期", "2025-09-30"),
                is("２０２５年度 下期", "2026-03-31"),
                is("FY2025-H1", "2025-09-30"),
                is("2025年度第3四半期", "2025-12-31"),
                is("FY2025 Q4", "2026-03-31"),
                is("2025年度期首", "2025-04-01"),
                is("2025-10-01", "2025-10-01"),
                empty(""),
                held("25年度", "not_a_date"),
                held("平成40年度", "era_ended"),
                held("2025年度第5四半期", "not_a_date"),
            ],
        },
        Cases {
            declared: "read_as: { fiscal: first }",
            options: || reading(ReadAs { fiscal: Some(FiscalDay::First), ..ReadAs::default() }),
            forms: &[
                is("2025年度", "2025-04-01"),
                is("2025年度下期", "2025-10-01"),
                is("FY2025-Q2", "2025-07-01"),
                is("2025年度末", "2026-03-31"),
                empty(""),
            ],
        },
        Cases {
            declared: "read_as: { serial: excel_1900 }",
            options: || reading(ReadAs { serial: Some(SerialDays::Excel1900), ..ReadAs::default() }),
            forms: &[
                is("45931", "2025-10-01"),
                is("45931.0", "2025-10-01"),
                is("1", "1900-01-01"),
                is("59", "1900-02-28"),
                is("61", "1900-03-01"),
                is("2025/10/1", "2025-10-01"),
                empty(""),
                held("60", "no_such_day"),
                held("0", "no_such_day"),
                held("45931.5", "has_time"),
            ],
        },
        Cases {
            declared: "read_as: { serial: excel_1904 }",
            options: || reading(ReadAs { serial: Some(SerialDays::Excel1904), ..ReadAs::default() }),
            forms: &[is("44469", "2025-10-01"), is("0", "1904-01-01"), empty("")],
        },
    ],
};

const DATE_FORMS: &str = "accepted: 2025-10-01, 2025/10/1, 20251001, 2025年10月1日, 令和7年10月1日, R7.10.1";

/// Reads a day. A time behind it must be midnight as written: which day another instant falls on depends on
/// a time zone, and that is for the mapping to say.
pub(super) fn parse(text: &str, options: &TypeOptions) -> Result<NaiveDate, Reason> {
    let text = text.trim();
    if let Some((year, month, day)) = iso(text.as_bytes()) {
        return calendar_day(year, month, day);
    }
    let folded = fold(text);
    if let Some(days) = options.read_as.serial.and_then(|serial| serial_day(&folded, serial)) {
        return days;
    }
    let (date, rest) = match leading(&folded) {
        Ok(found) => found,
        Err(reason) => return fiscal::day(&folded, options).unwrap_or(Err(reason)),
    };
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

/// The day of a spreadsheet's count; `None` for what is no number of at most five digits.
fn serial_day(text: &str, serial: SerialDays) -> Option<Result<NaiveDate, Reason>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_count =
        (1..=5).contains(&whole.len()) && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    let count: i64 = whole.parse().ok().filter(|_| is_count)?;
    if fraction.bytes().any(|byte| byte != b'0') {
        return Some(Err(Reason::new(
            "has_time",
            "a spreadsheet's day with a time of day; export the column as a date",
        )));
    }
    let (first, since) = match serial {
        // Day 60 is the 29 February 1900 that there never was; from then on all are counted one too high.
        SerialDays::Excel1900 if count == 60 => (None, 0),
        SerialDays::Excel1900 if count > 60 => (NaiveDate::from_ymd_opt(1899, 12, 30), count),
        SerialDays::Excel1900 => (NaiveDate::from_ymd_opt(1899, 12, 31).filter(|_| count > 0), count),
        SerialDays::Excel1904 => (NaiveDate::from_ymd_opt(1904, 1, 1), count),
    };
    let date = first.and_then(|first| first.checked_add_signed(TimeDelta::days(since)));
    Some(date.ok_or_else(|| Reason::new("no_such_day", "there is no such day in the spreadsheet's calendar")))
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
