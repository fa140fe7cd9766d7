//! `nenrin.yaml`: the settings of a project, merged from file, environment and flags.

use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::environment::Environment;
use super::project::PROJECT_FILE;
use super::secret::Secret;
use super::suggest::closest;
use super::validate::Fault;
use super::yaml;
use crate::schema::FiscalYear;
use crate::snapshot::period::{Calendar, FirstOrLast};

/// A project's settings, as people write them.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectConfig {
    /// What people call the project.
    pub name: Option<String>,
    /// The time zone of periods, an IANA name; default `Asia/Tokyo`.
    pub timezone: String,
    /// The ISO 4217 code of money that names no other; default `JPY`.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// The fiscal year.
    pub fiscal: FiscalConfig,
    /// The day on which a month closes (締め日), 31 for its last day; default 31.
    #[schemars(range(min = 1, max = 31))]
    pub closing_day: u8,
    /// Where the logs and snapshots are kept.
    pub lake: LakeConfig,
    /// Where progress and the published tables are kept.
    pub database: DatabaseConfig,
    /// Held fields of a run, in percent of the fields converted, above which it ends with exit code 1; default 5.
    #[schemars(range(min = 0, max = 100))]
    pub held_threshold_percent: f64,
    /// How records are landed.
    pub sync: SyncConfig,
    /// How patiently outside systems are asked.
    pub http: HttpConfig,
    /// What is written to standard error.
    pub log: LogConfig,
}

impl Default for ProjectConfig {
    fn default() -> Self {
        ProjectConfig {
            name: None,
            timezone: "Asia/Tokyo".into(),
            currency: "JPY".into(),
            fiscal: FiscalConfig::default(),
            closing_day: 31,
            lake: LakeConfig::default(),
            database: DatabaseConfig::default(),
            held_threshold_percent: 5.0,
            sync: SyncConfig::default(),
            http: HttpConfig::default(),
            log: LogConfig::default(),
        }
    }
}

/// When the fiscal year begins, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FiscalConfig {
    /// The month in which the fiscal year begins, 1 to 12; default 4.
    #[schemars(range(min = 1, max = 12))]
    pub start_month: u8,
    /// Whether FY2025 is the year that begins (`first`) or ends (`last`) in 2025; default `first`.
    pub named_by: NamedBy,
}

impl Default for FiscalConfig {
    fn default() -> Self {
        FiscalConfig { start_month: 4, named_by: NamedBy::First }
    }
}

/// By which of its calendar years a fiscal year is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedBy {
    /// The year it begins in.
    First,
    /// The year it ends in.
    Last,
}

/// Where the logs and snapshots are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LakeConfig {
    /// A folder, relative to the project, or a URL (`s3://…`, `gs://…`, `az://…`); default `./lake`.
    #[schemars(length(min = 1))]
    pub url: String,
}

impl Default for LakeConfig {
    fn default() -> Self {
        LakeConfig { url: "./lake".into() }
    }
}

/// Where progress and the published tables are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite://FILE`, relative to the project, or `postgres://…`; default `sqlite://nenrin.db`.
    #[schemars(length(min = 1))]
    pub url: String,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        DatabaseConfig { url: "sqlite://nenrin.db".into() }
    }
}

/// How records are landed: a batch ends at whichever limit is reached first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SyncConfig {
    /// Records of a batch; default 50000.
    #[schemars(range(min = 1))]
    pub batch_records: u64,
    /// Bytes of a batch in memory; default 33554432 (32 MiB).
    #[schemars(range(min = 1))]
    pub batch_bytes: u64,
    /// Seconds after which a batch is landed; default 30.
    #[schemars(range(min = 1))]
    pub batch_secs: u64,
}

impl Default for SyncConfig {
    fn default() -> Self {
        SyncConfig { batch_records: 50_000, batch_bytes: 32 * 1024 * 1024, batch_secs: 30 }
    }
}

/// How patiently outside systems are asked: a request that fails for the moment is repeated after a pause, which
/// doubles each time, with up to as much again at random.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Repetitions after the first try; default 5.
    #[schemars(range(max = 20))]
    pub retries: u32,
    /// Milliseconds of the first pause; default 1000.
    #[schemars(range(min = 1))]
    pub first_pause_ms: u64,
    /// Milliseconds of the longest pause; default 60000. A service that asks for a longer one ends the run.
    #[schemars(range(min = 1))]
    pub longest_pause_ms: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig { retries: 5, first_pause_ms: 1_000, longest_pause_ms: 60_000 }
    }
}

/// What is written to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// For people (`text`) or machines (`json`); default `text`.
    pub format: LogFormat,
    /// What is logged, as in `RUST_LOG`, which goes first; default `info` for `serve`, else `warn`.
    pub filter: Option<String>,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { format: LogFormat::Text, filter: None }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A project's settings, ready for use.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What people call the project.
    pub name: Option<String>,
    /// The time zone of periods.
    pub timezone: Tz,
    /// The ISO 4217 code of money that names no other.
    pub currency: String,
    /// The fiscal year.
    pub fiscal: FiscalConfig,
    /// The day on which a month closes, 31 for its last day.
    pub closing_day: u8,
    /// Where the lake is.
    pub lake: LakeSettings,
    /// The control database: `sqlite:///absolute/path` or `postgres://…`, with its password.
    pub database_url: Secret,
    /// Held fields of a run in percent of the fields converted, above which it ends with exit code 1.
    pub held_threshold_percent: f64,
    /// How records are landed.
    pub sync: SyncConfig,
    /// How patiently outside systems are asked.
    pub http: HttpConfig,
    /// What is written to standard error.
    pub log: LogConfig,
}

impl LogConfig {
    /// What the project in `root` wants logged, as far as that can be told before it is loaded: a file that
    /// is wrong is reported when it is, and until then the defaults hold.
    pub fn peek(root: &Path, environment: &Environment) -> LogConfig {
        let file = std::fs::read_to_string(root.join(PROJECT_FILE)).ok();
        let file = file.and_then(|text| yaml::parse(PROJECT_FILE, &text).value).unwrap_or_default();
        let merged = environment.merge_into(&file).unwrap_or_default();
        merged.get("log").and_then(|log| serde_json::from_value(log.clone()).ok()).unwrap_or_default()
    }
}

/// Where the lake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeSettings {
    /// Its URL with a closing `/`; a local folder is `file:///…/`.
    pub url: Url,
    /// The folder, where it is local.
    pub folder: Option<PathBuf>,
}

impl Settings {
    /// What is wrong with merged settings beyond their types; looks at each by itself, so that it tells
    /// also of settings of which others are wrong.
    pub(crate) fn faults(merged: &Value, root: &Path) -> Vec<Fault> {
        let text = |pointer| merged.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let timezone = text("/timezone").and_then(|name| timezone(name, "/timezone").err());
        let lake = text("/lake/url").and_then(|url| lake(url, root).err());
        let database = text("/database/url").and_then(|url| database_url(url, root).err());
        [timezone, lake, database].into_iter().flatten().collect()
    }

    /// The calendar by which periods are read.
    pub fn calendar(&self) -> Calendar {
        Calendar {
            timezone: self.timezone,
            fiscal_start_month: u32::from(self.fiscal.start_month),
            fiscal_year_named_by: match self.fiscal.named_by {
                NamedBy::First => FirstOrLast::First,
                NamedBy::Last => FirstOrLast::Last,
            },
            closing_day: u32::from(self.closing_day),
        }
    }

    /// The fiscal year on days.
    pub fn fiscal_year(&self) -> FiscalYear {
        self.calendar().fiscal_year()
    }

    /// The settings that `config` means for the project in `root`.
    pub(crate) fn from_config(config: ProjectConfig, root: &Path) -> Result<Settings, Fault> {
        Ok(Settings {
            timezone: timezone(&config.timezone, "/timezone")?,
            lake: lake(&config.lake.url, root)?,
            database_url: database_url(&config.database.url, root)?,
            name: config.name,
            currency: config.currency,
            fiscal: config.fiscal,
            closing_day: config.closing_day,
            held_threshold_percent: config.held_threshold_percent,
            sync: config.sync,
            http: config.http,
            log: config.log,
        })
    }
}

/// The time zone called `name`.
pub(crate) fn timezone(name: &str, pointer: &str) -> Result<Tz, Fault> {
    name.parse().map_err(|_| {
        let close = closest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let example = "write an IANA name such as `Asia/Tokyo`".to_owned();
        let suggestion = close.map_or(example, |zone| format!("did you mean `{zone}`?"));
        fault(pointer, format!("unknown time zone `{name}`"), suggestion)
    })
}

fn lake(text: &str, root: &Path) -> Result<LakeSettings, Fault> {
    let accepted = || "write a folder, or a URL that begins with s3://, gs://, az:// or file://".to_owned();
    let no_place = |text: &str| fault("/lake/url", format!("`{text}` is no place for the lake"), accepted());
    if text.contains("://") {
        let closed = if text.ends_with('/') { text.to_owned() } else { format!("{text}/") };
        let url = Url::parse(&closed).map_err(|_| no_place(text))?;
        let folder = match url.scheme() {
            "file" => Some(url.to_file_path().map_err(|()| no_place(text))?),
            "s3" | "s3a" | "gs" | "az" | "abfs" | "abfss" => None,
            _ => return Err(no_place(text)),
        };
        return Ok(LakeSettings { url, folder });
    }
    let folder = clean(&root.join(text));
    let url = Url::from_directory_path(&folder).map_err(|()| no_place(text))?;
    Ok(LakeSettings { url, folder: Some(folder) })
}

fn database_url(text: &str, root: &Path) -> Result<Secret, Fault> {
    let accepted = || "write `sqlite://FILE` or `postgres://USER@HOST/DATABASE`".to_owned();
    match text.split_once("://") {
        Some(("postgres" | "postgresql", _)) => match Url::parse(text) {
            Ok(_) => Ok(Secret::new(text)),
            Err(error) => Err(fault("/database/url", format!("the database URL cannot be read: {error}"), accepted())),
        },
        Some(("sqlite", rest)) => {
            let (file, options) = rest.split_once('?').map_or((rest, None), |(file, options)| (file, Some(options)));
            if file.is_empty() {
                return Err(fault("/database/url", "the database URL names no file".to_owned(), accepted()));
            }
            let options = options.map(|options| format!("?{options}")).unwrap_or_default();
            Ok(Secret::new(format!("sqlite://{}{options}", clean(&root.join(file)).display())))
        }
        _ => Err(fault("/database/url", "this is no URL of a database that nenrin knows".to_owned(), accepted())),
    }
}

/// A path without the `.` and `..` that people write, not asking the file system.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                cleaned.pop();
            }
            part => cleaned.push(part),
        }
    }
    cleaned
}

fn fault(pointer: &str, message: String, suggestion: String) -> Fault {
    Fault { code: "C014", pointer: pointer.to_owned(), at_key: false, message, suggestion: Some(suggestion) }
}
