//! Dates and times as kintone writes them, and the forms it takes.

use crate::instant::{DAY, civil, parse_date, push_date, push_padded};

/// `2026-01-31`.
pub(crate) fn date(days: i32) -> String {
    let mut out = String::with_capacity(10);
    push_date(days, &mut out);
    out
}

/// `2026-01-31T09:08:00Z`; seconds are never shown.
pub(crate) fn minute(secs: i64) -> String {
    let mut out = date(secs.div_euclid(DAY) as i32);
    out.push('T');
    push_clock(secs.rem_euclid(DAY) / 60, &mut out);
    out.push_str(":00Z");
    out
}

/// `2026-01-31T09:08:07Z`.
pub(crate) fn second(secs: i64) -> String {
    let text = minute(secs);
    format!("{}{:02}Z", &text[..17], secs.rem_euclid(60))
}

/// `09:08`, of minutes since midnight.
pub(crate) fn clock(minutes: u32) -> String {
    let mut out = String::with_capacity(5);
    push_clock(i64::from(minutes), &mut out);
    out
}

fn push_clock(minutes: i64, out: &mut String) {
    push_padded((minutes / 60) as u64, 2, out);
    out.push(':');
    push_padded((minutes % 60) as u64, 2, out);
}

/// The instant without its seconds.
pub(crate) fn floor(secs: i64) -> i64 {
    secs - secs.rem_euclid(60)
}

/// Reads `2026`, `2026-4` and `2026-4-1`; what is missing is the first.
pub(crate) fn read_date(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-');
    let year: u32 = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let mut number = || parts.next().map_or(Some(1), |part| part.parse::<u32>().ok());
    let (month, day) = (number()?, number()?);
    parse_date(&format!("{year:04}-{month:02}-{day:02}"))
}

/// Reads `9:30` and `09:30`, also with seconds, which are cut off, into minutes.
pub(crate) fn read_clock(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Reads an instant with `Z`, `+09:00` or `+0900`, with or without seconds, or a date alone (midnight in UTC).
/// Fractions are cut off, seconds are not.
pub(crate) fn read_instant(text: &str) -> Option<i64> {
    let Some((day, rest)) = text.split_once('T') else { return Some(i64::from(read_date(text)?) * DAY) };
    let at = rest.find(['Z', '+', '-'])?;
    let (clock, zone) = rest.split_at(at);
    let mut parts = clock.split('.').next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes, secs) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if hours > 23 || minutes > 59 || secs > 60 {
        return None;
    }
    let offset = match zone.strip_prefix('Z') {
        Some("") => 0,
        Some(_) => return None,
        None => {
            let digits: String = zone[1..].chars().filter(|&letter| letter != ':').collect();
            let number: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
            let east = (number / 100 * 60 + number % 100) * 60;
            if zone.starts_with('-') { -east } else { east }
        }
    };
    Some(i64::from(read_date(day)?) * DAY + hours * 3_600 + minutes * 60 + secs - offset)
}

/// The day of a month, clipped to its last; months may lie outside 1 to 12.
pub(crate) fn day_of(year: i64, month: i64, day: u32) -> i32 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    (1..=day.min(31)).rev().find_map(|day| parse_date(&format!("{year:04}-{month:02}-{day:02}"))).unwrap_or_default()
}

/// Year, month and day of a day.
pub(crate) fn parts(days: i32) -> (i64, i64, u32) {
    let (year, month, day) = civil(i64::from(days));
    (year, i64::from(month), day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_all_forms_and_lose_their_seconds_when_written() {
        let wanted = read_instant("2026-02-03T09:00:00Z").unwrap();
        for text in ["2026-02-03T18:00:00+09:00", "2026-02-03T18:00:00+0900", "2026-2-3T09:00Z"] {
            assert_eq!(read_instant(text), Some(wanted), "{text}");
        }
        assert_eq!(minute(read_instant("2026-07-02T11:21:25.174Z").unwrap()), "2026-07-02T11:21:00Z");
        assert_eq!(second(wanted + 7), "2026-02-03T09:00:07Z");
        assert_eq!(read_instant("2026-02-03").map(minute).as_deref(), Some("2026-02-03T00:00:00Z"));
        assert_eq!(read_instant("morgen"), None);
    }

    #[test]
    fn dates_and_clocks_are_padded() {
        assert_eq!(
            ["2026", "2026-4", "2026-4-1"].map(|text| date(read_date(text).unwrap())),
            ["2026-01-01", "2026-04-01", "2026-04-01"]
        );
        assert_eq!((clock(read_clock("9:05").unwrap()), read_clock("24:00")), ("09:05".to_owned(), None));
        assert_eq!(date(day_of(2026, 14, 31)), "2027-02-28");
    }
}
