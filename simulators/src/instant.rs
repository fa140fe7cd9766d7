//! Days and instants. Instants are whole seconds since 1970 in UTC.

use chrono::{DateTime, NaiveDate, Utc};

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// Year, month and day of a day since 1970-01-01.
pub(crate) fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Appends a number with zeros in front.
pub(crate) fn push_padded(number: u64, width: usize, out: &mut String) {
    let mut divisor = 10u64.pow(width as u32 - 1);
    while divisor > 0 {
        out.push((b'0' + (number / divisor % 10) as u8) as char);
        divisor /= 10;
    }
}

/// Appends `2026-01-31`.
pub(crate) fn push_date(days: i32, out: &mut String) {
    let (year, month, day) = civil(i64::from(days));
    push_padded(year.unsigned_abs(), 4, out);
    out.push('-');
    push_padded(u64::from(month), 2, out);
    out.push('-');
    push_padded(u64::from(day), 2, out);
}

/// Appends `09:08:07`.
pub(crate) fn push_clock(secs: u64, out: &mut String) {
    push_padded(secs / 3600, 2, out);
    out.push(':');
    push_padded(secs / 60 % 60, 2, out);
    out.push(':');
    push_padded(secs % 60, 2, out);
}

/// `Sun, 22 Nov 2026 03:17:30 GMT`, as in HTTP headers.
pub(crate) fn http_date(secs: i64) -> String {
    at(secs).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The calendar form of an instant; the epoch where it lies outside the calendar.
pub(crate) fn at(secs: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(secs, 0).unwrap_or_default()
}

/// Days since 1970-01-01 of `2026-01-31`.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    if text.len() != 10 {
        return None;
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    i32::try_from(date.signed_duration_since(epoch).num_days()).ok()
}

/// Reads `2026-01-31T00:00:00Z`, with any offset, with or without a fraction (which is cut off).
pub(crate) fn parse_datetime(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
        .map(|instant| instant.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_strictly_and_round_trip() {
        for text in ["1969-12-31", "1970-01-01", "2024-02-29", "2100-03-01"] {
            let mut out = String::new();
            push_date(parse_date(text).unwrap(), &mut out);
            assert_eq!(out, text);
        }
        assert_eq!(parse_date("2023-02-29"), None);
        assert_eq!(parse_datetime("2026-01-31T09:00:00+09:00"), parse_datetime("2026-01-31T00:00:00.999Z"));
        assert_eq!(parse_datetime("2026-01-31T09:00:00"), None);
    }
}
