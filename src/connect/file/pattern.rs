//! File names with dates in them.

/// A date in a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileDate {
    pub(super) year: i32,
    pub(super) month: u32,
    /// `None`: the whole month is meant.
    pub(super) day: Option<u32>,
}

/// What file names look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(char),
    /// One character, not `/`.
    One,
    /// Any characters, not `/`.
    Any,
    Year,
    Month,
    Day,
}

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
                        return Err("a `{` is not closed in the file name".to_owned());
                    };
                    parts.extend(match word {
                        "yyyymmdd" => vec![Part::Year, Part::Month, Part::Day],
                        "yyyymm" => vec![Part::Year, Part::Month],
                        "yyyy" => vec![Part::Year],
                        "mm" => vec![Part::Month],
                        "dd" => vec![Part::Day],
                        _ => {
                            return Err(format!(
                                "`{{{word}}}` is not a date part; there are yyyymm, yyyymmdd, yyyy, mm and dd"
                            ));
                        }
                    });
                    rest = after;
                }
                other => parts.push(Part::Literal(other)),
            }
        }
        let count = |wanted: &Part| parts.iter().filter(|part| *part == wanted).count();
        match (count(&Part::Year), count(&Part::Month), count(&Part::Day)) {
            _ if parts.is_empty() => Err("the file name is empty".to_owned()),
            (0, 0, 0) | (1, 1, 0 | 1) => Ok(Pattern { parts, text: text.to_owned() }),
            _ => Err("a date needs a year and a month, once each".to_owned()),
        }
    }

    /// The pattern as written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether each file states a date.
    pub(super) fn is_dated(&self) -> bool {
        self.parts.contains(&Part::Year)
    }

    /// How many folders below the source's own the files are.
    pub(super) fn depth(&self) -> usize {
        self.parts.iter().filter(|part| **part == Part::Literal('/')).count()
    }

    /// Whether `name` (relative, with `/`) fits, and its date if the pattern has one. Dates that do not
    /// exist do not fit.
    pub(super) fn matches(&self, name: &str) -> Option<Option<FileDate>> {
        let name: Vec<char> = name.chars().collect();
        let mut found = [0_u32; 3];
        if !fits(&self.parts, &name, &mut found) {
            return None;
        }
        if !self.is_dated() {
            return Some(None);
        }
        let [year, month, day] = found;
        let has_day = self.parts.contains(&Part::Day);
        let date = chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, if has_day { day } else { 1 })?;
        use chrono::Datelike;
        Some(Some(FileDate { year: date.year(), month: date.month(), day: has_day.then_some(day) }))
    }
}

fn fits(parts: &[Part], name: &[char], found: &mut [u32; 3]) -> bool {
    let Some((part, parts)) = parts.split_first() else { return name.is_empty() };
    let mut digits = |length: usize, place: usize| {
        let Some((number, rest)) = name.split_at_checked(length) else { return false };
        let Some(value) = number.iter().try_fold(0, |sum, digit| Some(sum * 10 + digit.to_digit(10)?)) else {
            return false;
        };
        if !fits(parts, rest, found) {
            return false;
        }
        found[place] = value;
        true
    };
    match part {
        Part::Year => digits(4, 0),
        Part::Month => digits(2, 1),
        Part::Day => digits(2, 2),
        Part::Literal(wanted) => name.first() == Some(wanted) && fits(parts, &name[1..], found),
        Part::One => name.first().is_some_and(|first| *first != '/') && fits(parts, &name[1..], found),
        Part::Any => (0..=name.len())
            .take_while(|taken| *taken == 0 || name[taken - 1] != '/')
            .any(|taken| fits(parts, &name[taken..], found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(pattern: &str, name: &str) -> Option<Option<(i32, u32, Option<u32>)>> {
        let found = Pattern::parse(pattern).unwrap().matches(name)?;
        Some(found.map(|date| (date.year, date.month, date.day)))
    }

    #[test]
    fn dates_are_found_in_names() {
        assert_eq!(date("customers_{yyyymm}.csv", "customers_202510.csv"), Some(Some((2025, 10, None))));
        assert_eq!(date("顧客_{yyyymmdd}.csv", "顧客_20251031.csv"), Some(Some((2025, 10, Some(31)))));
        assert_eq!(date("{yyyy}/sales-{mm}*.csv", "2025/sales-10-v2.csv"), Some(Some((2025, 10, None))));
        assert_eq!(date("{dd}.{mm}.{yyyy}.csv", "31.10.2025.csv"), Some(Some((2025, 10, Some(31)))));
        assert_eq!(date("*{yyyymm}.csv", "a20251202511.csv"), Some(Some((2025, 11, None))));
    }

    #[test]
    fn other_names_and_impossible_dates_do_not_fit() {
        for name in
            ["customers_202513.csv", "customers_2025-1.csv", "customers_202510.csv.bak", "x/customers_202510.csv"]
        {
            assert_eq!(date("customers_{yyyymm}.csv", name), None, "{name}");
        }
        assert_eq!(date("c_{yyyymmdd}.csv", "c_20250230.csv"), None);
        assert_eq!(date("*.csv", "a/b.csv"), None);
        assert_eq!(date("c?.csv", "c1.csv"), Some(None));
    }

    #[test]
    fn patterns_that_cannot_be_dates_are_refused() {
        for wrong in ["a_{yyyy}.csv", "a_{mm}{dd}.csv", "a_{yyyymm}{mm}.csv", "a_{yymm}.csv", "a_{yyyymm.csv", ""] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
