//! Calendar periods: `2025-10`, `2025-Q3`, `FY2025-H1`, `-6m`, and the instants they end at.
//!
//! Periods are half-open, and a period given as an instant means its last microsecond (semantics A2): what took
//! effect at 00:00:00 on the first belongs to the new month. A month ends with the project's closing day (締め日) and
//! is named after the month of that day (A3); months tile the time line without gap or overlap in any time zone.

mod day;
mod read;
mod suggest;

#[cfg(test)]
mod tests;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::schema::FiscalYear;

pub use crate::schema::FirstOrLast;
pub use read::{parse_as_of, parse_period};

/// The project's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The zone whose midnights separate days.
    pub timezone: Tz,
    /// The first month of the fiscal year, 1 to 12.
    pub fiscal_start_month: u32,
    /// Which of its two calendar years names a fiscal year.
    pub fiscal_year_named_by: FirstOrLast,
    /// The last day of a month, 1 to 31; in a shorter month its last day.
    pub closing_day: u32,
}

impl Default for Calendar {
    /// That of a new project: Asia/Tokyo, fiscal years from April named by their first year, whole calendar months.
    fn default() -> Self {
        Calendar {
            timezone: chrono_tz::Asia::Tokyo,
            fiscal_start_month: 4,
            fiscal_year_named_by: FirstOrLast::First,
            closing_day: 31,
        }
    }
}

impl Calendar {
    /// The fiscal year on days.
    pub fn fiscal_year(&self) -> FiscalYear {
        FiscalYear {
            start_month: self.fiscal_start_month,
            named_by: self.fiscal_year_named_by,
            closing_day: self.closing_day,
        }
    }
}

/// A span of time with the name it is shown under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Its canonical name, which gives the same period when parsed: `2025-10`, `FY2025-H1`, `2025-10-31`.
    pub label: String,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant that is no longer part of it.
    pub end: Timestamp,
}

impl Period {
    /// The instant that the period stands for as a point in time: its last microsecond.
    pub fn at(&self) -> Timestamp {
        self.end.plus_micros(-1)
    }
}

/// The first instant of a day.
pub(crate) fn day_start(date: NaiveDate, timezone: Tz) -> Timestamp {
    day::start(date, timezone)
}

/// Months counted from January of year 0, so that they can be added.
pub(crate) type MonthNumber = i32;

/// The number of a month; months beyond 1 to 12 count on into other years.
fn month_number(year: i32, month: u32) -> MonthNumber {
    year.saturating_mul(12).saturating_add(i32::try_from(month).unwrap_or(i32::MAX)).saturating_sub(1)
}

fn year_and_month(number: MonthNumber) -> (i32, u32) {
    (number.div_euclid(12), number.rem_euclid(12).unsigned_abs() + 1)
}

/// The months `first ..= last` as one period.
fn months(label: String, first: MonthNumber, last: MonthNumber, calendar: &Calendar) -> Period {
    Period { label, start: month_close(first - 1, calendar), end: month_close(last, calendar) }
}

fn month(number: MonthNumber, calendar: &Calendar) -> Period {
    let (year, month) = year_and_month(number);
    months(format!("{year:04}-{month:02}"), number, number, calendar)
}

/// The first instant after a month: midnight behind its closing day.
fn month_close(number: MonthNumber, calendar: &Calendar) -> Timestamp {
    let (year, month) = year_and_month(number);
    let closing =
        (1..=calendar.closing_day.clamp(1, 31)).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day));
    match closing.and_then(|date| date.succ_opt()) {
        Some(next) => day::start(next, calendar.timezone),
        None if year < 0 => Timestamp::MIN,
        None => Timestamp::MAX,
    }
}

/// The number of the month that `instant` falls in.
fn month_of(instant: Timestamp, calendar: &Calendar) -> MonthNumber {
    let instant =
        instant.clamp(month_close(month_number(0, 12), calendar), month_close(month_number(9999, 11), calendar));
    let date = day::of(instant, calendar.timezone);
    // Its closing day puts it into the month of its date or the next one. Comparing instants instead of dates also
    // gets right the zones whose clocks go back over midnight, so that a date begins twice.
    let mut number = month_number(date.year(), date.month()) - 1;
    while month_close(number, calendar) <= instant {
        number += 1;
    }
    number
}

/// The month that `instant` falls in; instants beyond the years 1 to 9999 count as the nearest in them.
pub fn month_containing(instant: Timestamp, calendar: &Calendar) -> Period {
    month(month_of(instant, calendar), calendar)
}

/// The months that closed after `after` and no later than `until`, oldest first: asked again from `until` on, no
/// month comes twice and none is left out. Instants count from the year 1 to the year 9999.
pub fn month_ends_between(after: Timestamp, until: Timestamp, calendar: &Calendar) -> Vec<Period> {
    let until = until.min(month_close(month_number(9999, 12), calendar));
    let mut number = month_of(after, calendar);
    let mut closed = Vec::new();
    while month_close(number, calendar) <= until {
        closed.push(month(number, calendar));
        number += 1;
    }
    closed
}

/// The instant that the end of a month stands for, its last microsecond: what `customers_202510.csv` states holds
/// then. `month` is 1 to 12; others count on into other years.
pub fn month_end(year: i32, month: u32, calendar: &Calendar) -> Timestamp {
    month_close(month_number(year, month), calendar).plus_micros(-1)
}

/// The instant that the end of a day stands for: what `customers_20251031.csv` states holds then.
pub fn day_end(date: NaiveDate, calendar: &Calendar) -> Timestamp {
    day::period(date, calendar.timezone).at()
}
