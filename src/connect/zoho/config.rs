//! What a person fills in to read a Zoho CRM org.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::connect::http::is_safe;
use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// A Zoho CRM org and what to read of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZohoConfig {
    /// The accounts server of the org's data centre: `https://accounts.zoho.jp`, `https://accounts.zoho.com`,
    /// `https://accounts.zoho.eu`, …. Where the data is, that server says.
    pub accounts_url: String,
    /// The client that an administrator made in the data centre's API console.
    pub auth: AuthConfig,
    /// The modules to read, in the order they are shown: `Accounts`, or its settings.
    pub streams: Vec<StreamEntry>,
    /// By which interface records are read; default `auto`.
    #[serde(default)]
    pub transport: Transport,
    /// From how many records on everything is read by a bulk job, in place of queries; default 40000. Of modules that
    /// take several queries a page, from as many fewer. A job costs 50 credits, a page of 2,000 records 3.
    #[serde(default = "default_bulk_from")]
    #[schemars(range(min = 1))]
    pub bulk_from: u64,
    /// How far behind Zoho's clock reading stops, in seconds; default 60.
    #[serde(default = "default_lag_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub lag_secs: u32,
    /// How far before the end of the last run reading starts again, in seconds; default 600.
    #[serde(default = "default_overlap_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub overlap_secs: u32,
    /// After how many minutes the list of deleted records is read; default 0, in every run. Costs 2 credits.
    #[serde(default)]
    #[schemars(range(min = 0, max = 43200))]
    pub deleted_minutes: u32,
    /// After how many days all records are read again, for values that change without a stamp (formulas, roll-ups) and
    /// for records that are gone, or back, without a trace; default 7, 0 for never.
    #[serde(default = "default_refresh_days")]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: u32,
    /// Records asked for per page, from 10 to 2000; default 2000. Lists give 200 at most.
    #[serde(default = "default_page_size")]
    #[schemars(range(min = 10, max = 2000))]
    pub page_size: u16,
    /// Columns asked for per query, from 10 to 500; default 50, which is what Zoho documents.
    #[serde(default = "default_query_columns")]
    #[schemars(range(min = 10, max = 500))]
    pub query_columns: u16,
    /// Requests under way at the same time, from 1 to 10, for all sources of the same client together; default 3.
    #[serde(default = "default_concurrency")]
    #[schemars(range(min = 1, max = 10))]
    pub concurrency: usize,
    /// Credits of the day that this source leaves to others: when no more are left, reading stops until a later run;
    /// default 500.
    #[serde(default = "default_reserve_credits")]
    pub reserve_credits: u64,
}

/// A client of Zoho's API console.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// The client id.
    pub client_id: String,
    /// The client secret; write `${env:NAME}`. Each data centre has another.
    #[schemars(with = "String")]
    pub client_secret: SecretString,
    /// A refresh token; write `${env:NAME}`. It does not expire.
    #[schemars(with = "String")]
    pub refresh_token: SecretString,
}

/// By which interface records are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// By queries (COQL), and by a bulk job where that costs less; by lists where queries are not allowed.
    #[default]
    Auto,
    /// By lists alone, 200 records a page; they end at 100,000 records.
    Rest,
    /// Everything by bulk jobs, whatever its size; changes as for `auto`.
    Bulk,
}

/// A module to read: its name, or its settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StreamEntry {
    /// All fields of the module that are visible.
    Name(String),
    /// The module with settings of its own.
    Settings(StreamConfig),
}

/// What to read of one module.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The API name: `Accounts`, `Contacts`, `Deals`, a custom module's own.
    pub name: String,
    /// Only these fields; default all.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Not these fields.
    #[serde(default)]
    pub deny: Vec<String>,
    /// Sub-forms whose rows are read too, each as the stream `<name>.<sub-form>`. Costs one credit for every record that
    /// changed, and for every record of the module when all is read.
    #[serde(default)]
    pub subforms: Vec<String>,
    /// Whether the stages that deals have been through are read too, as the stream `Deals.Stage_History`: what they
    /// were before the first sync. Of `Deals` alone; default no.
    #[serde(default)]
    pub stage_history: bool,
    /// `refresh_days` of this module, where it is not that of the source.
    #[serde(default)]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: Option<u32>,
    /// How these fields change, where the built-in rules are wrong: `business`, `calculated`, `bookkeeping` or `ticking`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub classes: BTreeMap<String, FieldClass>,
}

fn default_bulk_from() -> u64 {
    40_000
}

fn default_lag_secs() -> u32 {
    60
}

fn default_overlap_secs() -> u32 {
    600
}

fn default_refresh_days() -> u32 {
    7
}

fn default_page_size() -> u16 {
    2_000
}

fn default_query_columns() -> u16 {
    50
}

fn default_concurrency() -> usize {
    3
}

fn default_reserve_credits() -> u64 {
    500
}

impl StreamConfig {
    /// All records and fields of the module `name`.
    pub(super) fn all_of(name: &str) -> StreamConfig {
        StreamConfig {
            name: name.to_owned(),
            allow: Vec::new(),
            deny: Vec::new(),
            subforms: Vec::new(),
            stage_history: false,
            refresh_days: None,
            classes: BTreeMap::new(),
        }
    }
}

impl ZohoConfig {
    /// The modules with their settings.
    pub fn streams(&self) -> Vec<StreamConfig> {
        let settings = |entry: &StreamEntry| match entry {
            StreamEntry::Settings(config) => config.clone(),
            StreamEntry::Name(name) => StreamConfig::all_of(name),
        };
        self.streams.iter().map(settings).collect()
    }

    /// Checks what the types do not say; gives the address of the accounts server.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the setting and what it accepts.
    pub fn validate(&self) -> Result<Url> {
        let wrong = |name: &'static str, message: &str, help: &str| {
            Err(Error::new(ErrorKind::Config, message).with("setting", name).help(help))
        };
        if self.streams.is_empty() {
            return wrong("streams", "no module is named", "list at least one module, such as Accounts");
        }
        if !(10..=2_000).contains(&self.page_size) {
            return wrong("page_size", "page size out of range", "use a number from 10 to 2000");
        }
        if !(10..=500).contains(&self.query_columns) {
            return wrong("query_columns", "number of columns out of range", "use a number from 10 to 500");
        }
        if !(1..=10).contains(&self.concurrency) {
            return wrong("concurrency", "number of requests out of range", "use a number from 1 to 10");
        }
        let mut seen = HashSet::new();
        for stream in self.streams() {
            let named = |message: &str, help: &str| {
                let error = Error::new(ErrorKind::Config, message).with("setting", "streams");
                Err(error.with("name", &stream.name).help(help))
            };
            if !stream.subforms.iter().chain([&stream.name]).all(|name| is_name(name)) {
                return named("not an API name", "use the name in Setup under APIs and SDKs, such as Accounts");
            }
            if stream.stage_history && stream.name != "Deals" {
                return named("only deals have a history of stages", "take `stage_history` out");
            }
            if !seen.insert(stream.name.clone()) {
                return named("a module is listed twice", "list it once");
            }
        }
        let address = Url::parse(&self.accounts_url).ok().filter(is_safe);
        address.map_or_else(
            || wrong("accounts_url", "not an https address", "use that of your data centre: https://accounts.zoho.jp"),
            Ok,
        )
    }
}

/// Whether a text can stand in a path and in a query.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(change: impl FnOnce(&mut Value)) -> serde_json::Result<ZohoConfig> {
        let mut value = json!({
            "accounts_url": "https://accounts.zoho.jp",
            "auth": { "client_id": "1000.A", "client_secret": "hush", "refresh_token": "1000.r.secret" },
            "streams": ["Accounts", { "name": "Deals", "stage_history": true }],
        });
        change(&mut value);
        serde_json::from_value(value)
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        config(change).unwrap().validate().unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_as_documented_and_secrets_do_not_show() {
        let config = config(|_| ()).unwrap();
        assert_eq!(config.validate().unwrap().as_str(), "https://accounts.zoho.jp/");
        assert_eq!((config.lag_secs, config.overlap_secs, config.page_size), (60, 600, 2_000));
        assert!(config.streams()[1].stage_history);
        let shown = format!("{config:?}");
        assert!(!shown.contains("hush") && !shown.contains("1000.r"), "{shown}");
    }

    #[test]
    fn wrong_settings_are_named() {
        assert!(refusal(|c| c["streams"] = json!([])).starts_with("no module is named"));
        assert!(refusal(|c| c["streams"] = json!(["取引先"])).starts_with("not an API name"));
        assert!(refusal(|c| c["streams"] = json!(["Deals", "Deals"])).starts_with("a module is listed twice"));
        let history = json!([{ "name": "Leads", "stage_history": true }]);
        assert!(refusal(|c| c["streams"] = history).starts_with("only deals have a history of stages"));
        assert!(refusal(|c| c["accounts_url"] = json!("http://accounts.zoho.jp")).starts_with("not an https address"));
        assert!(refusal(|c| c["page_size"] = json!(5)).starts_with("page size out of range"));
        assert!(config(|c| c["page_sise"] = json!(3)).unwrap_err().to_string().contains("page_sise"));
    }
}
