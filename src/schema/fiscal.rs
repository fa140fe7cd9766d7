//! The fiscal year (年度) on days: which year, half, quarter and month a day belongs to, and where they begin and end.
//!
//! Months close with the project's closing day (締め日), as periods do: with closing day 20, 21 March is the first day
//! of April's month. The same rules as those of `snapshot/period`, on days instead of instants; a test holds them
//! together.

use chrono::{Datelike, Months, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of its two calendar years names a fiscal year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstOrLast {
    /// FY2025 begins in 2025 (usual in Japan: 2025年度).
    #[default]
    First,
    /// FY2025 ends in 2025.
    Last,
}

/// The project's fiscal year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct FiscalYear {
    /// The month in which it begins, 1 to 12.
    pub start_month: u32,
    /// Which of its two calendar years names it.
    pub named_by: FirstOrLast,
    /// The last day of a month, 1 to 31; in a shorter month its last day.
    pub closing_day: u32,
}

impl Default for FiscalYear {
    /// That of a new project: from 1 April on, named by its first year.
    fn default() -> Self {
        FiscalYear { start_month: 4, named_by: FirstOrLast::First, closing_day: 31 }
    }
}

/// A fiscal year or a part of it, as the months 0 to 11 that it spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FiscalPart {
    /// The whole year.
    Year,
    /// The half 1 or 2 (上期, 下期).
    Half(u32),
    /// The quarter 1 to 4 (四半期).
    Quarter(u32),
}

impl FiscalPart {
    /// How many months it has, and how many of them come before it.
    fn months(self) -> Option<(i32, i32)> {
        let (length, number) = match self {
            FiscalPart::Year => (12, 1),
            FiscalPart::Half(number) => (6, number),
            FiscalPart::Quarter(number) => (3, number),
        };
        let before = (i32::try_from(number).ok()?.checked_sub(1)?).checked_mul(length)?;
        (number >= 1 && before < 12).then_some((length, before))
    }
}

impl FiscalYear {
    /// The name of the fiscal year that a day belongs to, and the month of it, 0 to 11.
    pub fn year_and_month(&self, date: NaiveDate) -> (i32, u32) {
        let number = self.month_of(date);
        let month = (number - self.start()).rem_euclid(12);
        let begin = number - month;
        let named = match self.named_by {
            FirstOrLast::First => begin,
            FirstOrLast::Last => begin + 11,
        };
        (named.div_euclid(12), month.unsigned_abs())
    }

    /// The first and the last day of a fiscal year's part; `None` beyond the years 1 to 9999 and for parts that
    /// a year does not have.
    pub fn days(&self, year: i32, part: FiscalPart) -> Option<(NaiveDate, NaiveDate)> {
        if !(1..=9999).contains(&year) {
            return None;
        }
        let (length, before) = part.months()?;
        let start = self.start();
        let first_year = match self.named_by {
            FirstOrLast::Last if start > 0 => year - 1,
            FirstOrLast::First | FirstOrLast::Last => year,
        };
        let first = first_year * 12 + start + before;
        Some((self.close(first - 1)?.succ_opt()?, self.close(first + length - 1)?))
    }

    fn start(&self) -> i32 {
        i32::try_from(self.start_month.clamp(1, 12)).unwrap_or(1) - 1
    }

    /// The month that a day counts for, counted from January of year 0.
    fn month_of(&self, date: NaiveDate) -> i32 {
        let number = date.year() * 12 + i32::try_from(date.month0()).unwrap_or(0);
        number + i32::from(date.day() > self.closing_day_of(date))
    }

    fn closing_day_of(&self, date: NaiveDate) -> u32 {
        let next = date.with_day(1).and_then(|first| first.checked_add_months(Months::new(1)));
        let last = next.and_then(|next| next.pred_opt()).map_or(31, |last| last.day());
        self.closing_day.clamp(1, 31).min(last)
    }

    /// The last day of a month that is counted from January of year 0.
    fn close(&self, number: i32) -> Option<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(number.div_euclid(12), number.rem_euclid(12).unsigned_abs() + 1, 1)?;
        first.with_day(self.closing_day_of(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn in_japan_the_year_begins_in_april_and_is_named_by_its_first_year() {
        let year = FiscalYear::default();
        assert_eq!(year.year_and_month(day("2025-10-31")), (2025, 6));
        assert_eq!(year.year_and_month(day("2026-03-31")), (2025, 11));
        assert_eq!(year.days(2025, FiscalPart::Year), Some((day("2025-04-01"), day("2026-03-31"))));
        assert_eq!(year.days(2025, FiscalPart::Half(2)), Some((day("2025-10-01"), day("2026-03-31"))));
        assert_eq!(year.days(2025, FiscalPart::Quarter(1)), Some((day("2025-04-01"), day("2025-06-30"))));
        assert_eq!(year.days(2025, FiscalPart::Quarter(5)), None);
    }

    #[test]
    fn a_closing_day_moves_the_days_behind_it_into_the_next_month() {
        let year = FiscalYear { closing_day: 20, ..FiscalYear::default() };
        assert_eq!(year.year_and_month(day("2026-03-20")), (2025, 11));
        assert_eq!(year.year_and_month(day("2026-03-21")), (2026, 0));
        assert_eq!(year.days(2025, FiscalPart::Year), Some((day("2025-03-21"), day("2026-03-20"))));
    }

    #[test]
    fn a_year_named_by_its_last_ends_in_it() {
        let year = FiscalYear { start_month: 10, named_by: FirstOrLast::Last, closing_day: 31 };
        assert_eq!(year.year_and_month(day("2025-10-01")), (2026, 0));
        assert_eq!(year.days(2026, FiscalPart::Year), Some((day("2025-10-01"), day("2026-09-30"))));
        let calendar = FiscalYear { start_month: 1, ..year };
        assert_eq!(calendar.days(2026, FiscalPart::Year), Some((day("2026-01-01"), day("2026-12-31"))));
    }
}
