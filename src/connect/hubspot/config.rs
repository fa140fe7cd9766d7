//! What a person fills in to read a HubSpot account.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::place::{HISTORY, OWNERS, PIPELINES, STAGES};
use crate::connect::http::is_safe;
use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// Where every account is, whatever region its data is in.
const DEFAULT_BASE: &str = "https://api.hubapi.com";

/// A HubSpot account and what to read of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HubspotConfig {
    /// The API's address; default `https://api.hubapi.com`, for all regions.
    #[serde(default = "default_base_url")]
    pub base_url: String,
    /// A service key, or the token of a private app; write `${env:NAME}`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub token: Option<SecretString>,
    /// An app that an account allowed to read it, in place of a `token`.
    #[serde(default)]
    pub oauth: Option<OauthConfig>,
    /// The kinds of record to read, in the order they are shown: `companies`, or its settings.
    pub streams: Vec<StreamEntry>,
    /// How far behind HubSpot's clock reading stops, in seconds; default 300. The search index that tells of changes
    /// is that far behind at times.
    #[serde(default = "default_lag_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub lag_secs: u32,
    /// How far before the end of the last run reading starts again, in seconds; default 600.
    #[serde(default = "default_overlap_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub overlap_secs: u32,
    /// After how many minutes changes are asked for a second time, for those that the index told late; default 60,
    /// 0 for never.
    #[serde(default = "default_trail_minutes")]
    #[schemars(range(min = 0, max = 1440))]
    pub trail_minutes: u32,
    /// After how many minutes the archive is looked through, for records that were deleted; default 0, in every run.
    /// Costs one request per 100 records that were deleted in the last 90 days.
    #[serde(default)]
    #[schemars(range(min = 0, max = 43200))]
    pub archive_minutes: u32,
    /// After how many days all records are read again, for values that change without a stamp (calculations, scores)
    /// and for records that are gone without a trace; default 7, 0 for never.
    #[serde(default = "default_refresh_days")]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: u32,
    /// After how many hours all links, owners, pipelines and stages are looked through for those that are gone; default 24,
    /// 0 for never. No stamp tells of a link: it is also how links between records that did not change are found. Costs
    /// about one request per 91 records of an object with `associations`.
    #[serde(default = "default_sweep_hours")]
    #[schemars(range(min = 0, max = 8760))]
    pub sweep_hours: u32,
    /// Which sensitive properties are read, where the credential may: `sensitive`, `highly_sensitive`; default none.
    #[serde(default)]
    pub sensitive: Vec<Sensitivity>,
    /// Records asked for per page, from 10 to 100; default 100.
    #[serde(default = "default_page_size")]
    #[schemars(range(min = 10, max = 100))]
    pub page_size: u16,
    /// Requests under way at the same time, from 1 to 10; default 4.
    #[serde(default = "default_concurrency")]
    #[schemars(range(min = 1, max = 10))]
    pub concurrency: usize,
    /// Requests a second, for all sources that use the same token together; default 9, which a free account allows. A
    /// Professional or Enterprise account allows 18.
    #[serde(default = "default_per_second")]
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: u32,
    /// The share of the account's daily requests, used by everybody together, at which this source stops until a later
    /// run; default 0.9.
    #[serde(default = "default_quota_share")]
    #[schemars(range(min = 0.01, max = 1.0))]
    pub quota_share: f64,
}

/// An OAuth app of HubSpot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthConfig {
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret; write `${env:NAME}`.
    #[schemars(with = "String")]
    pub client_secret: SecretString,
    /// A refresh token; write `${env:NAME}`. Should HubSpot give a new one, that is kept in the control database.
    #[schemars(with = "String")]
    pub refresh_token: SecretString,
}

/// A class of properties that HubSpot keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Sensitive.
    Sensitive,
    /// Highly sensitive.
    HighlySensitive,
}

impl Sensitivity {
    /// The word in a request.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Sensitivity::Sensitive => "sensitive",
            Sensitivity::HighlySensitive => "highly_sensitive",
        }
    }
}

/// A kind of record to read: its name, or its settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StreamEntry {
    /// All properties of the object that are visible.
    Name(String),
    /// The object with settings of its own.
    Settings(StreamConfig),
}

/// What to read of one kind of record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// `companies`, `contacts`, `deals`, `tickets`, `line_items`, …; a custom object by its number (`2-123`) or full name.
    pub name: String,
    /// Only these properties; default all.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Not these properties.
    #[serde(default)]
    pub deny: Vec<String>,
    /// Properties whose history is read too, as the stream `<name>.history`: what they were before the first sync. At
    /// most a few: each is asked for with every record.
    #[serde(default)]
    pub history: Vec<String>,
    /// Objects whose links with this one are read too, each as the stream `<name>.<object>`: which of their records belong
    /// to which, and as what. Name them with the child: `companies` with `contacts`, `deals` and `tickets`.
    #[serde(default)]
    pub associations: Vec<String>,
    /// Whether its pipelines are read too, as the streams `<name>.pipelines` and `<name>.stages`, and with each record when
    /// it came to which stage (`hs_v2_date_entered_…`); default no.
    #[serde(default)]
    pub pipelines: bool,
    /// `refresh_days` of this object, where it is not that of the source.
    #[serde(default)]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: Option<u32>,
    /// How these properties change, where the built-in rules are wrong: `business`, `calculated`, `bookkeeping` or
    /// `ticking`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub classes: BTreeMap<String, FieldClass>,
}

fn default_base_url() -> String {
    DEFAULT_BASE.to_owned()
}

fn default_lag_secs() -> u32 {
    300
}

fn default_overlap_secs() -> u32 {
    600
}

fn default_trail_minutes() -> u32 {
    60
}

fn default_refresh_days() -> u32 {
    7
}

fn default_sweep_hours() -> u32 {
    24
}

fn default_page_size() -> u16 {
    100
}

fn default_concurrency() -> usize {
    4
}

fn default_per_second() -> u32 {
    9
}

fn default_quota_share() -> f64 {
    0.9
}

impl StreamConfig {
    /// All records and properties of the object `name`.
    pub(super) fn all_of(name: &str) -> StreamConfig {
        StreamConfig {
            name: name.to_owned(),
            allow: Vec::new(),
            deny: Vec::new(),
            history: Vec::new(),
            associations: Vec::new(),
            pipelines: false,
            refresh_days: None,
            classes: BTreeMap::new(),
        }
    }
}

impl StreamConfig {
    /// Whether nothing but the name is set.
    fn is_plain(&self) -> bool {
        let lists = [&self.allow, &self.deny, &self.history, &self.associations];
        lists.iter().all(|list| list.is_empty())
            && self.classes.is_empty()
            && self.refresh_days.is_none()
            && !self.pipelines
    }
}

impl HubspotConfig {
    /// The objects with their settings.
    pub fn streams(&self) -> Vec<StreamConfig> {
        let settings = |entry: &StreamEntry| match entry {
            StreamEntry::Settings(config) => config.clone(),
            StreamEntry::Name(name) => StreamConfig::all_of(name),
        };
        self.streams.iter().map(settings).collect()
    }

    /// Checks what the types do not say; gives the API's address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the setting and what it accepts.
    pub fn validate(&self) -> Result<Url> {
        let wrong = |name: &'static str, message: &str, help: &str| {
            Err(Error::new(ErrorKind::Config, message).with("setting", name).help(help))
        };
        match (&self.token, &self.oauth) {
            (None, None) => return wrong("token", "no credential", "add `token: ${env:NAME}` with a service key"),
            (Some(_), Some(_)) => return wrong("oauth", "two ways to sign in", "keep either `token` or `oauth`"),
            _ => {}
        }
        if self.streams.is_empty() {
            return wrong("streams", "no object is named", "list at least one object, such as companies");
        }
        if !(10..=100).contains(&self.page_size) {
            return wrong("page_size", "page size out of range", "use a number from 10 to 100");
        }
        if !(1..=10).contains(&self.concurrency) {
            return wrong("concurrency", "number of requests out of range", "use a number from 1 to 10");
        }
        if !(1..=1000).contains(&self.requests_per_second) {
            return wrong("requests_per_second", "number of requests out of range", "use a number from 1 to 1000");
        }
        if !(self.quota_share > 0.0 && self.quota_share <= 1.0) {
            return wrong("quota_share", "quota share out of range", "use a number above 0, up to 1");
        }
        let mut seen = HashSet::new();
        for stream in self.streams() {
            let is_name = |name: &str| {
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            };
            let named = |message: &str, help: &str| {
                let error = Error::new(ErrorKind::Config, message).with("setting", "streams");
                Err(error.with("name", &stream.name).help(help))
            };
            if !is_name(&stream.name) {
                return named(
                    "not the name of an object",
                    "use the API's name, such as companies, or a custom object's number, such as 2-1234567",
                );
            }
            if !seen.insert(stream.name.to_ascii_lowercase()) {
                return named("an object is listed twice", "list it once");
            }
            if stream.is_owners() && !stream.is_plain() {
                return named("owners are no object and take no settings", "write `- owners`");
            }
            let mut linked = HashSet::new();
            for other in &stream.associations {
                if !is_name(other) || matches!(other.as_str(), OWNERS | PIPELINES | STAGES | HISTORY) {
                    return named(
                        "not the name of an object in `associations`",
                        "use the API's name, such as companies",
                    );
                }
                if !linked.insert(other) {
                    return named("an object is listed twice in `associations`", "list it once");
                }
            }
        }
        let address = Url::parse(&self.base_url).ok().filter(is_safe);
        address
            .map_or_else(|| wrong("base_url", "not an https address", "leave it out: all accounts have the same"), Ok)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(change: impl FnOnce(&mut Value)) -> serde_json::Result<HubspotConfig> {
        let mut value =
            json!({ "token": "pat-na1-secret", "streams": ["companies", { "name": "deals", "history": ["amount"] }] });
        change(&mut value);
        serde_json::from_value(value)
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        config(change).unwrap().validate().unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_as_documented_and_secrets_do_not_show() {
        let config = config(|_| ()).unwrap();
        assert_eq!(config.validate().unwrap().as_str(), "https://api.hubapi.com/");
        assert_eq!((config.lag_secs, config.overlap_secs, config.page_size), (300, 600, 100));
        assert_eq!(config.streams()[1].history, ["amount"]);
        assert!(!format!("{config:?}").contains("secret\""));
    }

    #[test]
    fn wrong_settings_are_named() {
        assert!(refusal(|c| c["token"] = Value::Null).starts_with("no credential"));
        let oauth = json!({ "client_id": "c", "client_secret": "s", "refresh_token": "r" });
        assert!(refusal(|c| c["oauth"] = oauth).starts_with("two ways to sign in"));
        assert!(refusal(|c| c["streams"] = json!([])).starts_with("no object is named"));
        assert!(refusal(|c| c["streams"] = json!(["会社"])).starts_with("not the name of an object"));
        assert!(refusal(|c| c["streams"] = json!(["deals", "Deals"])).starts_with("an object is listed twice"));
        assert!(refusal(|c| c["streams"] = json!([{ "name": "owners", "pipelines": true }])).starts_with("owners are"));
        let linked = |with: Value| json!([{ "name": "deals", "associations": with }]);
        assert!(refusal(|c| c["streams"] = linked(json!(["stages"]))).starts_with("not the name of an object in"));
        assert!(refusal(|c| c["streams"] = linked(json!(["companies", "companies"]))).contains("twice in"));
        assert!(refusal(|c| c["base_url"] = json!("http://api.hubapi.com")).starts_with("not an https address"));
        assert!(refusal(|c| c["page_size"] = json!(200)).starts_with("page size out of range"));
        assert!(config(|c| c["page_sise"] = json!(3)).unwrap_err().to_string().contains("page_sise"));
    }
}
