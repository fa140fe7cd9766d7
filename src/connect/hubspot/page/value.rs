//! Days and instants in one form, whichever of HubSpot's they came in.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat};

use crate::clock::Timestamp;

/// The instant that a text tells.
pub(in super::super) fn instant(text: &str) -> Option<Timestamp> {
    datetime(text).parse().ok()
}

/// Milliseconds since 1970, as some values arrive.
fn millis(text: &str) -> Option<DateTime<chrono::Utc>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_count = (9..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_count.then(|| text.parse().ok()).flatten().and_then(DateTime::from_timestamp_millis)
}

/// A day as `2026-04-30`.
pub(super) fn date(text: &str) -> Cow<'_, str> {
    match millis(text) {
        Some(at) => Cow::Owned(at.format("%Y-%m-%d").to_string()),
        None => Cow::Borrowed(text),
    }
}

/// An instant as `2026-04-30T01:02:03.004Z`.
pub(super) fn datetime(text: &str) -> Cow<'_, str> {
    if text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.' {
        return Cow::Borrowed(text);
    }
    let parsed = millis(text).or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()));
    match parsed {
        Some(at) if at.timestamp_subsec_micros() % 1_000 == 0 => {
            Cow::Owned(at.to_rfc3339_opts(SecondsFormat::Millis, true))
        }
        Some(at) => Cow::Owned(at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        None => Cow::Borrowed(text),
    }
}
