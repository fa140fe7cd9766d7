//! The calendar the company lives by: Japan's time zone, its working days, its eras.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc, Weekday};

/// A month of the story as (year, month).
pub(super) type Month = (i32, u32);

/// The first month that is lived through.
pub(super) const FIRST: Month = (2025, 10);

/// How many months are lived through.
const MONTH_COUNT: u32 = 13;

/// Days off that are no weekend, 2025-10 to 2026-10, with the year-end closing.
const HOLIDAYS: [(i32, u32, u32); 24] = [
    (2025, 10, 13),
    (2025, 11, 3),
    (2025, 11, 24),
    (2025, 12, 29),
    (2025, 12, 30),
    (2025, 12, 31),
    (2026, 1, 1),
    (2026, 1, 2),
    (2026, 1, 12),
    (2026, 2, 11),
    (2026, 2, 23),
    (2026, 3, 20),
    (2026, 4, 29),
    (2026, 5, 4),
    (2026, 5, 5),
    (2026, 5, 6),
    (2026, 7, 20),
    (2026, 8, 11),
    (2026, 8, 13),
    (2026, 8, 14),
    (2026, 9, 21),
    (2026, 9, 22),
    (2026, 9, 23),
    (2026, 10, 12),
];

/// The date of a day that is known to exist.
pub(super) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

/// All months of the story, in order.
pub(super) fn months() -> Vec<Month> {
    let first = first_day(FIRST);
    (0..MONTH_COUNT).map(|n| month_of(add_months(first, n))).collect()
}

/// The month a day lies in.
pub(super) fn month_of(day: NaiveDate) -> Month {
    (day.year(), day.month())
}

/// The first day of a month.
pub(super) fn first_day(month: Month) -> NaiveDate {
    date(month.0, month.1, 1)
}

/// The last day of a month.
pub(super) fn last_day(month: Month) -> NaiveDate {
    add_months(first_day(month), 1) - Days::new(1)
}

/// The same day `count` months later.
pub(super) fn add_months(day: NaiveDate, count: u32) -> NaiveDate {
    day + Months::new(count)
}

/// The day `count` days later, or earlier when negative.
pub(super) fn add_days(day: NaiveDate, count: i64) -> NaiveDate {
    day + TimeDelta::days(count)
}

/// How many months lie between the months of two days; negative when `to` is the earlier one.
pub(super) fn months_between(from: NaiveDate, to: NaiveDate) -> i32 {
    (to.year() - from.year()) * 12 + to.month() as i32 - from.month() as i32
}

/// Whether people are at their desks on that day.
pub(super) fn is_working_day(day: NaiveDate) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    !weekend && !HOLIDAYS.contains(&(day.year(), day.month(), day.day()))
}

/// The next working day on or after `day`; the last one before it when the month would be left.
pub(super) fn working_day(day: NaiveDate) -> NaiveDate {
    let forward = day.iter_days().take_while(|other| month_of(*other) == month_of(day));
    let backward = day.iter_days().rev();
    forward.chain(backward.take(31)).find(|other| is_working_day(*other)).unwrap_or(day)
}

/// The instant at which a clock in Tokyo shows that day and second of the day.
pub(super) fn tokyo(day: NaiveDate, second_of_day: u32) -> DateTime<Utc> {
    let local = day.and_hms_opt(0, 0, 0).expect("midnight exists").and_utc();
    local + TimeDelta::seconds(i64::from(second_of_day) - 9 * 3600)
}

/// The first instant after a month, in Tokyo.
pub(super) fn end_of(month: Month) -> DateTime<Utc> {
    tokyo(last_day(month) + Days::new(1), 0)
}

/// How people write dates; every row of an export keeps its own habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateStyle {
    /// `2025/10/1`
    Slashes,
    /// `令和7年10月1日`
    Era,
    /// `R7.10.1`
    EraShort,
}

impl DateStyle {
    /// Writes a day of the Reiwa era (from 2019-05-01 on).
    pub(super) fn write(self, day: NaiveDate) -> String {
        let (year, month, day) = (day.year(), day.month(), day.day());
        match self {
            DateStyle::Slashes => format!("{year}/{month}/{day}"),
            DateStyle::Era => format!("令和{}年{month}月{day}日", year - 2018),
            DateStyle::EraShort => format!("R{}.{month}.{day}", year - 2018),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_has_thirteen_months_from_october_to_october() {
        let months = months();
        assert_eq!(months.len(), 13);
        assert_eq!((months[0], months[12]), ((2025, 10), (2026, 10)));
    }

    #[test]
    fn a_day_off_moves_on_but_never_out_of_its_month() {
        assert_eq!(working_day(date(2026, 5, 3)), date(2026, 5, 7));
        assert_eq!(working_day(date(2025, 12, 30)), date(2025, 12, 26));
        assert_eq!(working_day(date(2026, 10, 1)), date(2026, 10, 1));
    }

    #[test]
    fn a_month_ends_at_midnight_in_tokyo() {
        assert_eq!(end_of((2025, 10)).to_rfc3339(), "2025-10-31T15:00:00+00:00");
    }

    #[test]
    fn the_three_ways_to_write_a_day() {
        let day = date(2025, 10, 1);
        let written = [DateStyle::Slashes, DateStyle::Era, DateStyle::EraShort].map(|style| style.write(day));
        assert_eq!(written, ["2025/10/1", "令和7年10月1日", "R7.10.1"]);
    }
}
