//! What a person fills in to run a tap.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use crate::connect::instant::InstantEntry;
use crate::record::FieldClass;

/// A Singer tap, and what to read of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SingerConfig {
    /// The program and its arguments. `{config}`, `{catalog}` and `{state}` stand for files that are made for the run; an
    /// option with one of them is left out where there is none. Default, after the program alone: `--config {config}
    /// --catalog {catalog} --state {state}`.
    pub command: Vec<String>,
    /// The tap's own settings, given to it as the file `{config}`; write secrets as `${env:NAME}`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub config: serde_json::Value,
    /// Environment variables beside those of nenrin itself.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: BTreeMap<String, SecretString>,
    /// A catalog file, relative to the project; default what the tap says with `--discover`.
    #[serde(default)]
    pub catalog: Option<String>,
    /// The streams by the name that the tap gives them (`tap_stream_id`).
    pub streams: BTreeMap<String, SingerStreamConfig>,
    /// After how many days a stream that is read by changes is read whole again, for what is gone; default 7, 0 for never.
    #[serde(default = "default_refresh_days")]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: u32,
    /// After how many minutes without a word the tap is stopped; default 30.
    #[serde(default = "default_idle_minutes")]
    #[schemars(range(min = 1, max = 1440))]
    pub idle_minutes: u32,
}

/// What is known of one stream of a tap.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SingerStreamConfig {
    /// The fields that tell records apart; default what the tap says.
    #[serde(default)]
    pub key: Vec<String>,
    /// The field that says when a record was last changed.
    #[serde(default)]
    pub stamp: Option<InstantEntry>,
    /// `full_table`, `incremental` or `log_based`, where the tap leaves the choice; default the tap's own.
    #[serde(default)]
    pub replication: Option<Replication>,
    /// The field that changes are read by, with `incremental`; default the tap's own.
    #[serde(default)]
    pub replication_key: Option<String>,
    /// Only these fields; default all.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Not these fields.
    #[serde(default)]
    pub deny: Vec<String>,
    /// How these fields change: `business`, `calculated`, `bookkeeping` or `ticking`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub classes: BTreeMap<String, FieldClass>,
}

/// How a tap reads a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replication {
    /// Everything in every run.
    FullTable,
    /// What changed, by the replication key.
    Incremental,
    /// What changed, by the log of a database.
    LogBased,
}

impl Replication {
    /// The word in a catalog.
    pub(super) fn word(self) -> &'static str {
        match self {
            Replication::FullTable => "FULL_TABLE",
            Replication::Incremental => "INCREMENTAL",
            Replication::LogBased => "LOG_BASED",
        }
    }
}

fn default_refresh_days() -> u32 {
    7
}

fn default_idle_minutes() -> u32 {
    30
}
