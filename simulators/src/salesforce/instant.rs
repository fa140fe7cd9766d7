//! Instants and times as Salesforce prints and reads them.

use chrono::{NaiveTime, Timelike};

pub(crate) use crate::instant::{DAY, at, http_date, parse_date, parse_datetime, push_date};
use crate::instant::{push_clock, push_padded};

/// Appends `2026-01-31T09:08:07.000+0000`.
pub(crate) fn push_datetime(secs: i64, out: &mut String) {
    push_date(secs.div_euclid(DAY) as i32, out);
    out.push('T');
    push_clock(secs.rem_euclid(DAY) as u64, out);
    out.push_str(".000+0000");
}

/// Appends `08:30:00.000Z`.
pub(crate) fn push_time(millis: u32, out: &mut String) {
    push_clock(u64::from(millis / 1000), out);
    out.push('.');
    push_padded(u64::from(millis % 1000), 3, out);
    out.push('Z');
}

/// The text of [`push_datetime`].
pub(crate) fn datetime(secs: i64) -> String {
    let mut out = String::with_capacity(28);
    push_datetime(secs, &mut out);
    out
}

/// Reads `08:30:00.000Z` and `08:30:00` into milliseconds of the day.
pub(crate) fn parse_time(text: &str) -> Option<u32> {
    let time = NaiveTime::parse_from_str(text.trim_end_matches('Z'), "%H:%M:%S%.f").ok()?;
    Some(time.num_seconds_from_midnight() * 1000 + time.nanosecond() / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_round_trip_through_text() {
        for text in ["1969-12-31T23:59:59", "1970-01-01T00:00:00", "2024-02-29T12:34:56", "2100-03-01T00:00:01"] {
            let secs = parse_datetime(&format!("{text}Z")).unwrap();
            assert_eq!(datetime(secs), format!("{text}.000+0000"));
            assert_eq!(parse_datetime(&datetime(secs)), Some(secs));
        }
        assert_eq!(parse_datetime("2026-01-31T09:00:00+09:00"), parse_datetime("2026-01-31T00:00:00.999Z"));
        assert_eq!(parse_datetime("2026-01-31T09:00:00"), None);
    }

    #[test]
    fn dates_and_times_are_read_strictly() {
        let mut out = String::new();
        push_date(parse_date("2024-02-29").unwrap(), &mut out);
        assert_eq!(out, "2024-02-29");
        assert_eq!(parse_date("2023-02-29"), None);
        out.clear();
        push_time(parse_time("08:30:00.000Z").unwrap(), &mut out);
        assert_eq!(out, "08:30:00.000Z");
    }
}
