//! Dates and times as Zoho writes them: whole seconds, with the offset of the org.

use crate::instant::{DAY, push_clock, push_date, push_padded};

/// `2026-01-31`.
pub(crate) fn date(days: i32) -> String {
    let mut out = String::with_capacity(10);
    push_date(days, &mut out);
    out
}

/// `2026-10-01T10:00:00+09:00`, in a zone that many seconds east of UTC.
pub(crate) fn stamp(secs: i64, zone_secs: i64) -> String {
    let local = secs + zone_secs;
    let mut out = date(local.div_euclid(DAY) as i32);
    out.push('T');
    push_clock(local.rem_euclid(DAY) as u64, &mut out);
    out.push(if zone_secs < 0 { '-' } else { '+' });
    let minutes = zone_secs.unsigned_abs() / 60;
    push_padded(minutes / 60, 2, &mut out);
    out.push(':');
    push_padded(minutes % 60, 2, &mut out);
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn stamps_have_the_offset_of_the_org() {
        assert_eq!(super::stamp(0, 9 * 3_600), "1970-01-01T09:00:00+09:00");
        assert_eq!(super::stamp(86_399, -5_400), "1970-01-01T22:29:59-01:30");
    }
}
