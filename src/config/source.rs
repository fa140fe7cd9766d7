//! `sources/*.yaml`: the part that every source has, and the rest, which its connector reads.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono_tz::Tz;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::Value;

use super::settings::timezone;
use super::validate::Fault;
use crate::record::SourceId;

/// The connectors that this build knows, with the JSON Schema of what each reads from a source file.
#[derive(Debug, Clone, Default)]
pub struct Connectors(pub BTreeMap<String, Schema>);

impl Connectors {
    /// Adds a connector whose part of the file is a `T`.
    pub fn with<T: JsonSchema>(mut self, name: &str) -> Self {
        self.0.insert(name.to_owned(), schemars::schema_for!(T));
        self
    }
}

/// What every source file says.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct SourceHead {
    /// The source's id; default the file's name without `.yaml`.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// Which connector reads it.
    pub connector: String,
    /// When `nenrin serve` reads it; without one, only `nenrin sync` does.
    pub schedule: Option<ScheduleConfig>,
}

/// When a source is read: either `cron` or `every`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Five fields: minute, hour, day of month, month, day of week (`0 2 * * *`: at two each night).
    pub cron: Option<String>,
    /// A pause between the starts of two runs (`15m`, `1h30m`, `1d`).
    pub every: Option<String>,
    /// The time zone of `cron`, an IANA name; default the project's.
    pub timezone: Option<String>,
    /// Starts up to that much later, always the same for one source, so that not all start at once (`2m`).
    pub jitter: Option<String>,
}

/// A configured account of a connector.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Its id.
    pub id: SourceId,
    /// Which connector reads it.
    pub connector: String,
    /// When the daemon reads it.
    pub schedule: Option<Schedule>,
    /// What the connector reads: the file without what every source says, references resolved. Holds
    /// secrets: not to be printed.
    pub settings: SourceSettings,
}

/// The part of a source file that its connector reads.
#[derive(Clone, PartialEq)]
pub struct SourceSettings(Value);

impl SourceSettings {
    /// The keys and values, to be deserialized into the connector's own type at once.
    pub fn expose(&self) -> &Value {
        &self.0
    }
}

impl std::fmt::Debug for SourceSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// When a source is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// What makes it due.
    pub cadence: Cadence,
    /// The most by which a start may be put off.
    pub jitter: Duration,
}

/// What makes a source due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cadence {
    /// A cron pattern of five fields in a time zone.
    Cron {
        /// The pattern, known to be valid.
        pattern: String,
        /// Where its hours are.
        timezone: Tz,
    },
    /// A pause between the starts of two runs.
    Every(Duration),
}

impl SourceConfig {
    /// What is wrong with the schedule of a file in which other things are wrong as well.
    pub(crate) fn faults(file: &Value, project_timezone: Tz) -> Vec<Fault> {
        let mut faults = Vec::new();
        let written = file.get("schedule").cloned().map(serde_json::from_value::<ScheduleConfig>);
        if let Some(Ok(config)) = written {
            schedule(&config, project_timezone, &mut faults);
        }
        faults
    }

    /// Takes a source file apart; `file_stem` is its name without `.yaml`.
    pub(crate) fn from_parts(
        head: SourceHead,
        mut settings: Value,
        file_stem: &str,
        project_timezone: Tz,
    ) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let id = head.name.clone().unwrap_or_else(|| file_stem.to_owned());
        if let Err(message) = check_id(&id) {
            let suggestion = Some("use letters, digits, `-` and `_`".to_owned());
            faults.push(Fault { code: "C041", pointer: "/name".into(), at_key: false, message, suggestion });
        }
        if let Some(settings) = settings.as_object_mut() {
            for key in ["apiVersion", "kind", "name", "connector", "schedule"] {
                settings.shift_remove(key);
            }
        }
        let schedule = head.schedule.and_then(|config| schedule(&config, project_timezone, &mut faults));
        let settings = SourceSettings(settings);
        (SourceConfig { id: SourceId(id), connector: head.connector, schedule, settings }, faults)
    }
}

/// An id is part of folder names, of `source/stream` and of SQL names.
fn check_id(id: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    match id.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!("a source's name may not hold `{c}`")),
        None if id.starts_with(['-', '_']) => Err("a source's name begins with a letter or digit".to_owned()),
        None => Ok(()),
    }
}

fn schedule(config: &ScheduleConfig, project_timezone: Tz, faults: &mut Vec<Fault>) -> Option<Schedule> {
    let mut fault = |pointer: &str, message: String, suggestion: &str| {
        let suggestion = Some(suggestion.to_owned());
        faults.push(Fault { code: "C032", pointer: pointer.into(), at_key: false, message, suggestion });
    };
    let duration_advice = "write it like `15m`, `1h30m` or `1d`";
    let jitter = match config.jitter.as_deref().map(parse_duration) {
        None => Some(Duration::ZERO),
        Some(Some(jitter)) => Some(jitter),
        Some(None) => {
            fault("/schedule/jitter", "this is no length of time".into(), duration_advice);
            None
        }
    };
    let cadence = match (&config.cron, &config.every) {
        (Some(_), Some(_)) => {
            fault("/schedule/every", "a schedule has either `cron` or `every`".into(), "remove one of them");
            None
        }
        (None, None) => {
            fault("/schedule", "a schedule needs `cron` or `every`".into(), "for example `every: 15m`");
            None
        }
        (None, Some(every)) => match parse_duration(every).filter(|every| every.as_secs() >= 1) {
            Some(every) => Some(Cadence::Every(every)),
            None => {
                fault("/schedule/every", "this is no length of time".into(), duration_advice);
                None
            }
        },
        (Some(pattern), None) => match parse_cron(pattern) {
            Ok(()) => Some((pattern, project_timezone)),
            Err(reason) => {
                let advice = "five fields: minute hour day month weekday, such as `0 2 * * *`";
                fault("/schedule/cron", format!("this is no cron pattern: {reason}"), advice);
                None
            }
        }
        .map(|(pattern, timezone)| Cadence::Cron { pattern: pattern.clone(), timezone }),
    };
    let zone = config.timezone.as_deref().map(|name| timezone(name, "/schedule/timezone"));
    let cadence = match (cadence, zone) {
        (Some(Cadence::Cron { pattern, .. }), Some(Ok(timezone))) => Some(Cadence::Cron { pattern, timezone }),
        (_, Some(Err(problem))) => {
            faults.push(problem);
            None
        }
        (cadence, _) => cadence,
    };
    Some(Schedule { cadence: cadence?, jitter: jitter? })
}

/// Checks a cron pattern of five fields.
fn parse_cron(pattern: &str) -> Result<(), String> {
    let parser = croner::parser::CronParser::builder().seconds(croner::parser::Seconds::Disallowed).build();
    parser.parse(pattern).map(|_| ()).map_err(|error| error.to_string().to_lowercase())
}

/// Reads `90s`, `15m`, `1h30m`, `2d`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut total: u64 = 0;
    let mut digits = String::new();
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit: u64 = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !text.trim().is_empty()).then(|| Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_units() {
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse_duration("2d"), Some(Duration::from_secs(172_800)));
        for text in ["", "15", "m", "1x", "1m5", "99999999999999999999d"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_schedule_takes_five_fields_and_its_own_time_zone() {
        let config = |cron: &str, timezone: Option<&str>| ScheduleConfig {
            cron: Some(cron.into()),
            every: None,
            timezone: timezone.map(str::to_owned),
            jitter: Some("2m".into()),
        };
        let mut faults = Vec::new();
        let read = schedule(&config("0 2 * * *", Some("Europe/Berlin")), Tz::Asia__Tokyo, &mut faults).unwrap();
        let cadence = Cadence::Cron { pattern: "0 2 * * *".into(), timezone: Tz::Europe__Berlin };
        assert_eq!(read, Schedule { cadence, jitter: Duration::from_secs(120) });
        assert_eq!(schedule(&config("0 0 2 * * *", None), Tz::Asia__Tokyo, &mut faults), None);
        assert_eq!(schedule(&config("0 2 * * *", Some("Asia/Tokio")), Tz::Asia__Tokyo, &mut faults), None);
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/schedule/cron", "/schedule/timezone"]);
        assert_eq!(faults[1].suggestion.as_deref(), Some("did you mean `Asia/Tokyo`?"));
    }
}
