//! The functions that stand for days: `TODAY()`, `FROM_TODAY(-3, DAYS)`, `THIS_MONTH(LAST)`.

use crate::kintone::refusal::{Answer, bad_function, bad_query};
use crate::kintone::time::{day_of, parts};

const WEEKDAYS: [&str; 7] = ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

/// First and last day that a function stands for, where it is `today`.
pub(crate) fn span(name: &str, arguments: &[String], today: i32) -> Answer<(i32, i32)> {
    let (year, month, day) = parts(today);
    let first = arguments.first().map(String::as_str);
    let one = |day: i32| Ok((day, day));
    match name {
        "TODAY" => one(today),
        "YESTERDAY" => one(today - 1),
        "TOMORROW" => one(today + 1),
        "FROM_TODAY" => {
            let count: i32 =
                first.and_then(|count| count.parse().ok()).ok_or_else(|| bad_function("GAIA_IQ23", name))?;
            match arguments.get(1).map(String::as_str) {
                Some("DAYS") => one(today.saturating_add(count)),
                Some("WEEKS") => one(today.saturating_add(count.saturating_mul(7))),
                Some("MONTHS") => one(day_of(year, month + i64::from(count), day)),
                Some("YEARS") => one(day_of(year + i64::from(count), month, day)),
                _ => Err(bad_function("GAIA_IQ25", name)),
            }
        }
        "THIS_WEEK" => week(name, first, today),
        "LAST_WEEK" => week(name, first, today - 7),
        "NEXT_WEEK" => week(name, first, today + 7),
        "THIS_MONTH" => month_of(name, first, year, month),
        "LAST_MONTH" => month_of(name, first, year, month - 1),
        "NEXT_MONTH" => month_of(name, first, year, month + 1),
        "THIS_YEAR" => Ok((day_of(year, 1, 1), day_of(year, 12, 31))),
        "LAST_YEAR" => Ok((day_of(year - 1, 1, 1), day_of(year - 1, 12, 31))),
        "NEXT_YEAR" => Ok((day_of(year + 1, 1, 1), day_of(year + 1, 12, 31))),
        _ => Err(bad_query()),
    }
}

fn week(name: &str, day: Option<&str>, within: i32) -> Answer<(i32, i32)> {
    // 1970-01-01 was a Thursday; weeks begin on Sunday.
    let sunday = within - (within + 4).rem_euclid(7);
    let Some(day) = day else { return Ok((sunday, sunday + 6)) };
    let place = WEEKDAYS.iter().position(|known| *known == day).ok_or_else(|| bad_function("GAIA_IQ23", name))?;
    Ok((sunday + place as i32, sunday + place as i32))
}

fn month_of(name: &str, day: Option<&str>, year: i64, month: i64) -> Answer<(i32, i32)> {
    let (first, last) = (day_of(year, month, 1), day_of(year, month, 31));
    match day {
        None => Ok((first, last)),
        Some("LAST") => Ok((last, last)),
        Some(number) => {
            let wanted: u32 = number
                .parse()
                .ok()
                .filter(|day| (1..=31).contains(day))
                .ok_or_else(|| bad_function("GAIA_IQ23", name))?;
            let day = day_of(year, month, wanted);
            Ok((day, day))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kintone::time::{date, read_date};

    #[test]
    fn functions_stand_for_days() {
        let today = read_date("2026-11-22").unwrap(); // a Sunday
        let days = |name: &str, arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
            span(name, &arguments, today).map(|(first, last)| format!("{} {}", date(first), date(last))).unwrap()
        };
        assert_eq!(days("THIS_WEEK", &[]), "2026-11-22 2026-11-28");
        assert_eq!(days("LAST_WEEK", &["MONDAY"]), "2026-11-16 2026-11-16");
        assert_eq!(days("NEXT_MONTH", &["LAST"]), "2026-12-31 2026-12-31");
        assert_eq!(days("FROM_TODAY", &["-9", "MONTHS"]), "2026-02-22 2026-02-22");
        assert!(span("FROM_TODAY", &["1".to_owned(), "HOURS".to_owned()], today).is_err());
    }
}
