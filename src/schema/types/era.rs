//! The Japanese eras and the days on which their names were in use.

use chrono::NaiveDate;

use super::Reason;

/// No era has lasted longer; a year of the present one beyond it stands for "no end" or is a typing error.
const LONGEST_ERA_YEARS: i32 = 64;

/// One era. Its first and last day are those on which its name was valid by law.
#[derive(Debug)]
pub(super) struct Era {
    pub(super) name: &'static str,
    /// Other ways to write it: one letter, one kanji, the square sign.
    signs: [&'static str; 3],
    first_year: i32,
    first: (i32, u32, u32),
    last: Option<(i32, u32, u32)>,
}

/// Newest first. The day of a succession bears both names up to 1926; since 1989 the new name began with the
/// following day. 明治 counts from 1873 on: until 明治5年 months were lunar, so that a date converted as if they
/// were ours would be wrong.
static ERAS: [Era; 5] = [
    Era { name: "令和", signs: ["R", "令", "㋿"], first_year: 2019, first: (2019, 5, 1), last: None },
    Era {
        name: "平成", signs: ["H", "平", "㍻"], first_year: 1989, first: (1989, 1, 8), last: Some((2019, 4, 30))
    },
    Era {
        name: "昭和", signs: ["S", "昭", "㍼"], first_year: 1926, first: (1926, 12, 25), last: Some((1989, 1, 7))
    },
    Era {
        name: "大正", signs: ["T", "大", "㍽"], first_year: 1912, first: (1912, 7, 30), last: Some((1926, 12, 25))
    },
    Era {
        name: "明治", signs: ["M", "明", "㍾"], first_year: 1868, first: (1873, 1, 1), last: Some((1912, 7, 30))
    },
];

/// The era that `text` begins with, and what follows its sign; its letter counts in both cases.
pub(super) fn leading(text: &str) -> Option<(&'static Era, &str)> {
    let first = text.chars().next().filter(|c| !c.is_ascii_digit())?.to_ascii_uppercase();
    ERAS.iter().find_map(|era| {
        let rest = text.strip_prefix(era.name).or_else(|| {
            let is_sign = era.signs.iter().any(|sign| sign.starts_with(first));
            is_sign.then(|| &text[first.len_utf8()..])
        })?;
        Some((era, rest))
    })
}

impl Era {
    /// The day in our calendar, if the era's name was in use on it.
    pub(super) fn day(&self, year: i32, month: u32, day: u32) -> Result<NaiveDate, Reason> {
        let no_such_day = || Reason::new("no_such_day", "there is no such day in the calendar");
        if year < 1 {
            return Err(no_such_day());
        }
        self.check_far(year)?;
        let year = year.checked_add(self.first_year - 1).filter(|year| *year <= 9999).ok_or_else(no_such_day)?;
        let date = NaiveDate::from_ymd_opt(year, month, day).ok_or_else(no_such_day)?;
        let name = self.name;
        if as_date(self.first).is_some_and(|first| date < first) {
            let (year, month, day) = self.first;
            return Err(Reason::new(
                "era_not_begun",
                format!("the day lies before {name} began (dates are accepted from {year}-{month:02}-{day:02} on)"),
            ));
        }
        if let Some((year, month, day)) = self.last.filter(|last| as_date(*last).is_some_and(|last| date > last)) {
            return Err(Reason::new(
                "era_ended",
                format!(
                    "the day lies after {name} ended on {year}-{month:02}-{day:02}; write it in the era that followed"
                ),
            ));
        }
        Ok(date)
    }
}

impl Era {
    /// The year that gives a fiscal year its name: 令和7年度 is that of 2025.
    pub(super) fn fiscal_year(&self, year: i32) -> Result<i32, Reason> {
        if year < 1 {
            return Err(Reason::new("no_such_day", "the years of an era begin with 1 (元年)"));
        }
        self.check_far(year)?;
        let named = self.first_year - 1 + year;
        match self.last {
            // 平成31年度 is what the year from April 2019 on was called at first.
            Some((last, _, _)) if named > last => Err(Reason::new(
                "era_ended",
                format!("{} had no such year; write it in the era that followed", self.name),
            )),
            _ => Ok(named),
        }
    }

    fn check_far(&self, year: i32) -> Result<(), Reason> {
        if self.last.is_some() || year <= LONGEST_ERA_YEARS {
            return Ok(());
        }
        let name = self.name;
        Err(Reason::new(
            "era_year_too_far",
            format!(
                "{name} is accepted up to its year {LONGEST_ERA_YEARS}, since no era has lasted longer; a later one stands for no end, or is a typing error"
            ),
        ))
    }
}

/// The era's name and the year of it that a day bears today: of a day with two names the later one; `None` before 1873.
pub fn era_of(date: NaiveDate) -> Option<(&'static str, i32)> {
    let era = ERAS.iter().find(|era| as_date(era.first).is_some_and(|first| date >= first))?;
    Some((era.name, chrono::Datelike::year(&date) - era.first_year + 1))
}

fn as_date((year, month, day): (i32, u32, u32)) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

/// The day in our calendar that a text such as 令和7年10月1日 names, by its era's name or sign.
///
/// # Errors
///
/// The reason, when there is no such era, or its name was not in use on that day.
pub fn era_day(sign: &str, year: i32, month: u32, day: u32) -> Result<NaiveDate, Reason> {
    match leading(sign) {
        Some((era, "")) => era.day(year, month, day),
        _ => Err(Reason::new("no_such_era", "there is no such era")),
    }
}
