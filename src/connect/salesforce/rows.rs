//! Rows as they are read, by whichever interface: columns filled, heads told.
//!
//! What both interfaces must agree on is decided here (semantics B7): `""` is null, since CSV cannot tell them
//! apart, and datetimes end with `Z`.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate};

use super::plan::{Plan, Role};
use crate::clock::Timestamp;
use crate::record::{DeleteKind, RecordHead, Records, RecordsBuilder};

/// The rows so far, and the one being built.
pub(super) struct Rows<'p> {
    pub(super) plan: &'p Plan,
    builder: RecordsBuilder,
    head: RecordHead,
    is_deleted: bool,
}

impl<'p> Rows<'p> {
    /// No row yet, with room for so many.
    pub(super) fn new(plan: &'p Plan, capacity: usize) -> Rows<'p> {
        let fields = if plan.delivers { plan.names.clone() } else { Arc::from([]) };
        let builder = RecordsBuilder::new(fields, capacity);
        Rows { plan, builder, head: RecordHead::default(), is_deleted: false }
    }

    /// All rows, and stamp and id of the last that has an id.
    pub(super) fn finish(self) -> (Records, Option<(Option<Timestamp>, String)>) {
        let records = self.builder.finish();
        let last = records.heads().iter().rfind(|head| !head.key.is_empty()).map(|head| (head.stamp, head.key.clone()));
        (records, last)
    }

    /// Puts a value into a column of the row being built.
    pub(super) fn set(&mut self, column: usize, value: Option<&str>) {
        let value = value.filter(|text| !text.is_empty());
        let (builder, head) = (&mut self.builder, &mut self.head);
        match self.plan.roles[column] {
            Role::Plain => builder.set(column, value),
            Role::Datetime => set_datetime(builder, column, value),
            Role::Key => {
                value.unwrap_or_default().clone_into(&mut head.key);
                if self.plan.delivers {
                    builder.set(column, value);
                }
            }
            Role::Stamp => {
                head.stamp = value.and_then(parse_datetime);
                set_datetime(builder, column, value);
            }
            Role::Created => {
                head.created_at = value.and_then(parse_datetime);
                set_datetime(builder, column, value);
            }
            Role::StampAndCreated => {
                head.stamp = value.and_then(parse_datetime);
                head.created_at = head.stamp;
                set_datetime(builder, column, value);
            }
            Role::IsDeleted => {
                self.is_deleted = value == Some("true");
                builder.set(column, value);
            }
            Role::Winner => {
                head.winner = value.map(str::to_owned);
                builder.set(column, value);
            }
        }
    }

    /// Ends the row being built.
    pub(super) fn finish_row(&mut self) {
        let mut head = std::mem::take(&mut self.head);
        if std::mem::take(&mut self.is_deleted) {
            head.deleted = Some(if head.winner.is_some() { DeleteKind::Merged } else { DeleteKind::Deleted });
        } else {
            head.winner = None;
        }
        self.builder.finish_row(head);
    }
}

/// `…+0000` and `…Z` are the same instant, printed by different interfaces.
fn set_datetime(builder: &mut RecordsBuilder, column: usize, value: Option<&str>) {
    match value.and_then(|text| text.strip_suffix("+0000")) {
        Some(local) => {
            let mut canonical = String::with_capacity(local.len() + 1);
            canonical.push_str(local);
            canonical.push('Z');
            builder.set(column, Some(&canonical));
        }
        None => builder.set(column, value),
    }
}

/// Reads `2026-01-01T00:00:00.000+0000`, also with `Z` or another offset.
pub(super) fn parse_datetime(text: &str) -> Option<Timestamp> {
    fast_utc(text.as_bytes()).or_else(|| {
        let parsed = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok();
        parsed.map(|instant| Timestamp::from_micros(instant.timestamp_micros()))
    })
}

/// The form that Salesforce sends, without a general date parser.
fn fast_utc(bytes: &[u8]) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| {
        bytes
            .get(range)?
            .iter()
            .try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.')];
    if !separators.iter().all(|(at, byte)| bytes.get(*at) == Some(byte)) || !matches!(bytes.get(23..)?, b"+0000" | b"Z")
    {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0..4)?).ok()?, number(5..7)?, number(8..10)?)?;
    let time = date.and_hms_milli_opt(number(11..13)?, number(14..16)?, number(17..19)?, number(20..23)?)?;
    Some(Timestamp::from_micros(time.and_utc().timestamp_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_with_every_suffix() {
        for text in ["2026-01-01T09:00:00.123+0900", "2026-01-01T00:00:00.123+0000", "2026-01-01T00:00:00.123Z"] {
            assert_eq!(parse_datetime(text).unwrap().to_string(), "2026-01-01T00:00:00.123Z", "{text}");
        }
        for text in ["", "2026-01-01", "2026-13-01T00:00:00.000Z", "+026-01-01T00:00:00.000Z"] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }
}
