//! Days and instants as the three APIs write and read them. All of them live in Japan.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};

/// Seconds by which Japan is ahead of UTC.
const JAPAN: i32 = 9 * 3_600;

fn tokyo(secs: i64) -> DateTime<FixedOffset> {
    let zone = FixedOffset::east_opt(JAPAN).expect("nine hours are an offset");
    crate::instant::at(secs).with_timezone(&zone)
}

/// The day that it is in Japan.
pub(crate) fn day(secs: i64) -> NaiveDate {
    tokyo(secs).date_naive()
}

/// `2026/10/01 09:00:00`
pub(crate) fn slashed(secs: i64) -> String {
    tokyo(secs).format("%Y/%m/%d %H:%M:%S").to_string()
}

/// `2026/10/01`
pub(crate) fn slashed_day(day: NaiveDate) -> String {
    day.format("%Y/%m/%d").to_string()
}

/// `2026-10-01T09:00:00+09:00`
pub(crate) fn with_offset(secs: i64) -> String {
    tokyo(secs).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Reads `2026/10/01 09:00:00`, and nothing like it.
pub(crate) fn read_slashed(text: &str) -> Option<i64> {
    let read = NaiveDateTime::parse_from_str(text, "%Y/%m/%d %H:%M:%S").ok().filter(|_| text.len() == 19)?;
    Some(read.and_utc().timestamp() - i64::from(JAPAN))
}

/// Reads `2026-10-01`, and nothing like it.
pub(crate) fn read_day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_those_of_clocks_in_japan() {
        let secs = crate::instant::parse_datetime("2026-09-30T15:00:01Z").unwrap();
        assert_eq!(slashed(secs), "2026/10/01 00:00:01");
        assert_eq!(with_offset(secs), "2026-10-01T00:00:01+09:00");
        assert_eq!(read_slashed("2026/10/01 00:00:01"), Some(secs));
        assert_eq!(read_slashed("2026/10/1 0:00:01"), None);
        assert_eq!(read_slashed("2026-10-01 00:00:01"), None);
        assert_eq!(read_day("2026-10-01"), Some(day(secs)));
        assert_eq!((read_day("2026-10-1"), read_day("2026-02-30")), (None, None));
        assert_eq!(slashed_day(day(secs)), "2026/10/01");
    }
}
