//! Texts with dates in them: names of files (`customers_{yyyymm}.csv`), cells of titles (`基準日：{era}{y}年{m}月{d}日*`).

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::schema::types::era_day;

/// The day or month that a file states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct FileDate {
    pub(super) year: i32,
    pub(super) month: u32,
    /// `None`: the whole month is meant.
    pub(super) day: Option<u32>,
}

/// How a text fits a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    No,
    /// It fits, and the pattern has no date.
    Undated,
    Dated(FileDate),
    /// It fits but for its date, for this reason.
    NoDate(String),
}

/// What texts look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Literal(char),
    /// One character, not `/`.
    One,
    /// Any characters, not `/`.
    Any,
    /// A number of so many digits, at least and at most.
    Number(Unit, usize, usize),
    /// The name or sign of an era.
    Era,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    /// Of an era; without one, of this century.
    ShortYear,
    Month,
    Day,
}

/// The date parts that a text was found to hold.
#[derive(Debug, Default, Clone, Copy)]
struct Parts<'a> {
    era: Option<&'a str>,
    year: u32,
    month: u32,
    day: u32,
}

const WORDS: &str = "yyyymm, yyyymmdd, yyyy, yy, y, mm, m, dd, d and era";

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong.
    pub(super) fn parse(text: &str) -> Result<Pattern, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                '*' => parts.push(Part::Any),
                '?' => parts.push(Part::One),
                '{' => {
                    let Some((word, after)) = rest.split_once('}') else {
                        return Err("a `{` is not closed".to_owned());
                    };
                    let (year, month, day) = (
                        Part::Number(Unit::Year, 4, 4),
                        Part::Number(Unit::Month, 2, 2),
                        Part::Number(Unit::Day, 2, 2),
                    );
                    parts.extend(match word {
                        "yyyymmdd" => vec![year, month, day],
                        "yyyymm" => vec![year, month],
                        "yyyy" => vec![year],
                        "yy" => vec![Part::Number(Unit::ShortYear, 2, 2)],
                        "y" => vec![Part::Number(Unit::ShortYear, 1, 2)],
                        "mm" => vec![month],
                        "m" => vec![Part::Number(Unit::Month, 1, 2)],
                        "dd" => vec![day],
                        "d" => vec![Part::Number(Unit::Day, 1, 2)],
                        "era" => vec![Part::Era],
                        _ => return Err(format!("`{{{word}}}` is not a date part; there are {WORDS}")),
                    });
                    rest = after;
                }
                other => parts.push(Part::Literal(other)),
            }
        }
        let count = |wanted: &[Unit]| {
            parts.iter().filter(|part| matches!(part, Part::Number(unit, ..) if wanted.contains(unit))).count()
        };
        let eras = parts.iter().filter(|part| **part == Part::Era).count();
        let long = count(&[Unit::Year]);
        let counts = (count(&[Unit::Year, Unit::ShortYear]), count(&[Unit::Month]), count(&[Unit::Day]));
        let short_alone = parts.contains(&Part::Number(Unit::ShortYear, 1, 2)) && eras == 0;
        match counts {
            _ if parts.is_empty() => Err("it is empty".to_owned()),
            _ if eras > 1 || (eras == 1 && long == 1) || short_alone || (eras == 1 && counts.0 == 0) => {
                Err("an `{era}` goes with `{yy}` or `{y}`, and `{y}` with an `{era}`".to_owned())
            }
            (0, 0, 0) | (1, 1, 0 | 1) => Ok(Pattern { parts, text: text.to_owned() }),
            _ => Err("a date needs a year and a month, once each".to_owned()),
        }
    }

    /// The pattern as written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it holds a date.
    pub(super) fn is_dated(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Number(..)))
    }

    /// How many folders below the source's own the files are.
    pub(super) fn depth(&self) -> usize {
        self.parts.iter().filter(|part| **part == Part::Literal('/')).count()
    }

    /// Whether `text` (of files: the name relative to the folder, with `/`) fits, and its date if the pattern has one.
    pub(super) fn matches(&self, text: &str) -> Fit {
        let mut found = Parts::default();
        if !fits(&self.parts, text, &mut found) {
            return Fit::No;
        }
        if !self.is_dated() {
            return Fit::Undated;
        }
        let has_day = self.parts.iter().any(|part| matches!(part, Part::Number(Unit::Day, ..)));
        let is_short = self.parts.iter().any(|part| matches!(part, Part::Number(Unit::ShortYear, ..)));
        match found.date(has_day, is_short) {
            Ok(date) => Fit::Dated(date),
            Err(reason) => Fit::NoDate(reason),
        }
    }
}

impl Parts<'_> {
    fn date(&self, has_day: bool, is_short: bool) -> Result<FileDate, String> {
        let none = || "there is no such day in the calendar".to_owned();
        let year = i32::try_from(self.year).map_err(|_| none())?;
        let date = match self.era {
            Some(era) if has_day => era_day(era, year, self.month, self.day).map_err(|reason| reason.message)?,
            // The era's name was in use on some day of that month.
            Some(era) => (28..=31)
                .rev()
                .find_map(|day| era_day(era, year, self.month, day).ok())
                .map_or_else(|| era_day(era, year, self.month, 1).map_err(|reason| reason.message), Ok)?,
            None => {
                let year = if is_short { 2000 + year } else { year };
                let day = if has_day { self.day } else { 1 };
                NaiveDate::from_ymd_opt(year, self.month, day).filter(|_| year > 0).ok_or_else(none)?
            }
        };
        Ok(FileDate { year: date.year(), month: date.month(), day: has_day.then_some(self.day) })
    }
}

/// The digit that a character is, full-width ones too.
fn digit(character: char) -> Option<u32> {
    match character {
        '０'..='９' => Some(u32::from(character) - u32::from('０')),
        other => other.to_digit(10),
    }
}

fn fits<'a>(parts: &[Part], text: &'a str, found: &mut Parts<'a>) -> bool {
    let Some((part, parts)) = parts.split_first() else { return text.is_empty() };
    let first = text.chars().next();
    let rest = |length: usize| &text[length..];
    match *part {
        Part::Literal(wanted) => first == Some(wanted) && fits(parts, rest(wanted.len_utf8()), found),
        Part::One => first.is_some_and(|first| first != '/' && fits(parts, rest(first.len_utf8()), found)),
        Part::Any => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.take_while(|end| !text[..*end].contains('/')).any(|end| fits(parts, rest(end), found))
        }
        Part::Era => ["令和", "平成", "昭和", "大正", "明治"].into_iter().map(str::len).chain([3, 1]).any(|length| {
            let Some((sign, rest)) = text.split_at_checked(length) else { return false };
            let is_era = era_day(sign, 7, 6, 1).is_ok() && fits(parts, rest, found);
            if is_era {
                found.era = Some(sign);
            }
            is_era
        }),
        Part::Number(unit, least, most) => {
            let mut set = |value: u32, rest: &'a str| {
                if !fits(parts, rest, found) {
                    return false;
                }
                match unit {
                    Unit::Year | Unit::ShortYear => found.year = value,
                    Unit::Month => found.month = value,
                    Unit::Day => found.day = value,
                }
                true
            };
            if let (Unit::ShortYear, Some(rest)) = (unit, text.strip_prefix('元'))
                && set(1, rest)
            {
                return true;
            }
            let digits: Vec<(u32, usize)> =
                text.chars().map_while(|one| Some((digit(one)?, one.len_utf8()))).take(most).collect();
            (least..=digits.len()).rev().any(|count| {
                let (value, length) =
                    digits[..count].iter().fold((0, 0), |(sum, at), (digit, len)| (sum * 10 + digit, at + len));
                set(value, rest(length))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(pattern: &str, name: &str) -> Option<(i32, u32, Option<u32>)> {
        match Pattern::parse(pattern).unwrap().matches(name) {
            Fit::Dated(date) => Some((date.year, date.month, date.day)),
            _ => None,
        }
    }

    fn fit(pattern: &str, name: &str) -> Fit {
        Pattern::parse(pattern).unwrap().matches(name)
    }

    #[test]
    fn dates_are_found_in_names() {
        assert_eq!(date("customers_{yyyymm}.csv", "customers_202510.csv"), Some((2025, 10, None)));
        assert_eq!(date("顧客_{yyyymmdd}.csv", "顧客_20251031.csv"), Some((2025, 10, Some(31))));
        assert_eq!(date("{yyyy}/sales-{mm}*.csv", "2025/sales-10-v2.csv"), Some((2025, 10, None)));
        assert_eq!(date("{dd}.{mm}.{yyyy}.csv", "31.10.2025.csv"), Some((2025, 10, Some(31))));
        assert_eq!(date("*{yyyymm}.csv", "a20251202511.csv"), Some((2025, 11, None)));
        assert_eq!(date("c{yy}{mm}.csv", "c2510.csv"), Some((2025, 10, None)));
        assert_eq!(date("請求{yyyy}年{m}月.xlsx", "請求２０２５年４月.xlsx"), Some((2025, 4, None)));
    }

    #[test]
    fn dates_in_eras_are_found() {
        assert_eq!(date("売上_{era}{yy}{mm}.csv", "売上_R0710.csv"), Some((2025, 10, None)));
        assert_eq!(date("{era}{y}年{m}月末*.xlsx", "令和7年4月末_確定.xlsx"), Some((2025, 4, None)));
        assert_eq!(date("{era}{y}年{m}月{d}日.csv", "令和元年5月1日.csv"), Some((2019, 5, Some(1))));
        assert_eq!(date("{era}{y}.{m}.{d}.csv", "h31.4.30.csv"), Some((2019, 4, Some(30))));
        // The last month of one era is the first of the next.
        assert_eq!(date("{era}{y}年{m}月", "昭和64年1月"), Some((1989, 1, None)));
        assert_eq!(date("{era}{y}年{m}月", "平成元年1月"), Some((1989, 1, None)));
        assert!(matches!(fit("{era}{y}年{m}月", "平成31年5月"), Fit::NoDate(reason) if reason.contains("平成 ended")));
        assert_eq!(fit("{era}{y}年{m}月", "慶応3年5月"), Fit::No);
    }

    #[test]
    fn what_fits_but_for_its_date_is_told_apart_from_what_does_not_fit() {
        assert_eq!(
            fit("customers_{yyyymm}.csv", "customers_202513.csv"),
            Fit::NoDate("there is no such day in the calendar".into())
        );
        assert!(matches!(fit("c_{yyyymmdd}.csv", "c_20250230.csv"), Fit::NoDate(_)));
        for name in ["customers_2025-1.csv", "customers_202510.csv.bak", "x/customers_202510.csv"] {
            assert_eq!(fit("customers_{yyyymm}.csv", name), Fit::No, "{name}");
        }
        assert_eq!(fit("*.csv", "a/b.csv"), Fit::No);
        assert_eq!(fit("c?.csv", "c1.csv"), Fit::Undated);
    }

    #[test]
    fn patterns_that_cannot_be_dates_are_refused() {
        for wrong in [
            "a_{yyyy}.csv",
            "a_{mm}{dd}.csv",
            "a_{yyyymm}{mm}.csv",
            "a_{yymm}.csv",
            "a_{yyyymm.csv",
            "",
            "a_{era}{yyyymm}",
            "a_{y}{m}",
            "a_{era}",
        ] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
