//! Instants in whatever form an API writes them.

use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// A field that holds an instant: its name, or its name and form.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum InstantEntry {
    /// A field in RFC 3339 (`2026-10-01T09:00:00+09:00`).
    Field(String),
    /// A field in another form.
    Settings(InstantConfig),
}

impl InstantEntry {
    /// The field's name.
    pub fn name(&self) -> &str {
        match self {
            InstantEntry::Field(name) => name,
            InstantEntry::Settings(settings) => &settings.field,
        }
    }
}

/// A field that holds an instant in a form of its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstantConfig {
    /// The field.
    pub field: String,
    /// The form, as for `strftime` (`%Y/%m/%d %H:%M:%S`), or `epoch`, `epoch_ms`, `rfc3339`; without an offset in it, in
    /// the source's `time_zone`.
    pub format: String,
}

/// A field that holds an instant, and how it is read.
#[derive(Debug, Clone)]
pub(crate) struct InstantField {
    pub(crate) name: String,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Rfc3339,
    /// So many microseconds a unit.
    Epoch(i64),
    /// With an offset in the text.
    Offset(String),
    /// In a zone, with a time of day or without.
    Local {
        format: String,
        zone: Tz,
    },
}

impl InstantField {
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the form has no offset and the source no time zone.
    pub(crate) fn new(entry: &InstantEntry, zone: Option<Tz>, setting: &'static str) -> Result<InstantField> {
        let (name, format) = match entry {
            InstantEntry::Field(name) => (name, "rfc3339"),
            InstantEntry::Settings(settings) => (&settings.field, settings.format.as_str()),
        };
        let has_offset = ["%z", "%:z", "%#z", "%+"].iter().any(|part| format.contains(part));
        let form = match format {
            "rfc3339" => Form::Rfc3339,
            "epoch" => Form::Epoch(1_000_000),
            "epoch_ms" => Form::Epoch(1_000),
            format if has_offset => Form::Offset(format.to_owned()),
            format => {
                let zone = zone.ok_or_else(|| {
                    Error::new(ErrorKind::Config, "times without an offset need a time zone")
                        .with("setting", setting)
                        .with("format", format)
                        .help("set `time_zone: Asia/Tokyo` (or another) of the source")
                })?;
                Form::Local { format: format.to_owned(), zone }
            }
        };
        Ok(InstantField { name: name.clone(), form })
    }

    /// The instant that a value tells; `None` when it has another form.
    pub(crate) fn read(&self, text: &str) -> Option<Timestamp> {
        match &self.form {
            Form::Rfc3339 => Timestamp::from_str(text).ok(),
            Form::Epoch(unit) => {
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
                let micros = digits.parse::<i64>().ok()?.checked_mul(*unit)? / 1_000_000;
                whole.parse::<i64>().ok()?.checked_mul(*unit)?.checked_add(micros).map(Timestamp::from_micros)
            }
            Form::Offset(format) => DateTime::parse_from_str(text, format).ok().map(|at| at.to_utc().into()),
            Form::Local { format, zone } => {
                let local = NaiveDateTime::parse_from_str(text, format)
                    .or_else(|_| NaiveDate::parse_from_str(text, format).map(|day| day.and_time(NaiveTime::MIN)))
                    .ok()?;
                local_instant(local, *zone)
            }
        }
    }
}

/// The instant of a local time; of one that comes twice the first, of one that is skipped the end of the gap.
pub(crate) fn local_instant(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc().into()),
        LocalResult::None => {
            zone.from_local_datetime(&(local + chrono::TimeDelta::hours(1))).earliest().map(|at| at.to_utc().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        let entry = InstantEntry::Settings(InstantConfig { field: "f".into(), format: format.into() });
        let field = InstantField::new(&entry, Some(chrono_tz::Asia::Tokyo), "stamp").unwrap();
        field.read(text).map(|at| at.to_string())
    }

    #[test]
    fn instants_are_read_in_many_forms() {
        assert_eq!(read("%Y/%m/%d %H:%M:%S", "2026/10/01 09:00:00").as_deref(), Some("2026-10-01T00:00:00Z"));
        assert_eq!(read("%Y年%m月%d日", "2026年10月01日").as_deref(), Some("2026-09-30T15:00:00Z"));
        assert_eq!(read("%Y-%m-%dT%H:%M:%S%z", "2026-10-01T09:00:00+0900").as_deref(), Some("2026-10-01T00:00:00Z"));
        assert_eq!(read("epoch", "1790780400").as_deref(), Some("2026-09-30T15:00:00Z"));
        assert_eq!(read("epoch", "1790780400.25").as_deref(), Some("2026-09-30T15:00:00.250Z"));
        assert_eq!(read("epoch_ms", "1790780400123").as_deref(), Some("2026-09-30T15:00:00.123Z"));
        assert_eq!(read("%Y/%m/%d", "令和99年"), None);
    }

    #[test]
    fn a_time_without_an_offset_needs_a_zone() {
        let entry = InstantEntry::Settings(InstantConfig { field: "f".into(), format: "%Y/%m/%d".into() });
        assert!(InstantField::new(&entry, None, "stamp").unwrap_err().help_text().unwrap().contains("time_zone"));
    }
}
