//! Instants as HubSpot writes them. They are whole milliseconds since 1970 in UTC.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Milliseconds of a second.
pub(crate) const SECOND: i64 = 1_000;
/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// `2026-01-05T01:02:03.004Z`.
pub(crate) fn iso(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `2026-01-05`.
pub(crate) fn date(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().format("%Y-%m-%d").to_string()
}

/// Reads what stands in a date or datetime property, or in a filter on one: `1767575723004`, `2026-01-05T01:02:03.004Z`,
/// the same without milliseconds or zone, `2026-01-05`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse::<i64>() {
        return Some(millis);
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp_millis());
    }
    if let Ok(instant) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some(instant.and_utc().timestamp_millis());
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_an_instant_are_read() {
        assert_eq!(iso(1_767_575_723_004), "2026-01-05T01:15:23.004Z");
        for text in ["1767575723000", "2026-01-05T01:15:23Z", "2026-01-05T10:15:23.000+09:00", "2026-01-05T01:15:23"] {
            assert_eq!(parse(text), Some(1_767_575_723_000), "{text}");
        }
        assert_eq!(parse("2026-01-05").map(date).as_deref(), Some("2026-01-05"));
        assert_eq!(parse("1;2"), None);
    }
}
