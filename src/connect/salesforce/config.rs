//! What a person fills in to read a Salesforce org.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::connect::http::is_safe;
use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// The API version that is asked for where the settings name none. Fields come and go between versions,
/// so it is never "the latest".
pub(super) const DEFAULT_API_VERSION: &str = "66.0";

/// A Salesforce org and what to read of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesforceConfig {
    /// Where to sign in: the org's My Domain, `https://<name>.my.salesforce.com`. Refresh tokens also work
    /// at `https://login.salesforce.com` and, for sandboxes, `https://test.salesforce.com`.
    pub login_url: String,
    /// How to sign in.
    pub auth: AuthConfig,
    /// The REST API version, such as `66.0`; default 66.0. Raise it on purpose: fields differ by version.
    #[serde(default = "default_api_version")]
    pub api_version: String,
    /// The objects to read, by API name, in the order they are shown.
    pub streams: Vec<StreamEntry>,
    /// How far behind the org's clock reading stops, in seconds; default 300. Rows become visible only when
    /// their transaction ends, which may be minutes after their stamp.
    #[serde(default = "default_lag_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub lag_secs: u32,
    /// How far before the end of the last run reading starts again, in seconds; default 600. Covers
    /// transactions that took longer than `lag_secs`.
    #[serde(default = "default_overlap_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub overlap_secs: u32,
    /// After how many days the ids of all records are looked through, so that records deleted for good, or deleted
    /// so long ago that they have left the recycle bin, are found to be gone; default 7, 0 for never. Costs one
    /// request per page of ids. Keep it below 15: the recycle bin is emptied after 15 days.
    #[serde(default = "default_sweep_days")]
    #[schemars(range(min = 0, max = 14))]
    pub sweep_days: u32,
    /// After how many days the values of objects with formulas, roll-ups and the like are all read again, since no stamp
    /// moves with them; default 7, 0 for never. Such a reading finds deletions too, and takes the place of a look at
    /// the ids. Costs one request per page of records, or a bulk job.
    #[serde(default = "default_refresh_days")]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: u32,
    /// After how many hours the log of deletions is read, which names records that were deleted past the recycle bin;
    /// default 24, 0 for never. Costs one request per object.
    #[serde(default = "default_delete_log_hours")]
    #[schemars(range(min = 0, max = 336))]
    pub delete_log_hours: u32,
    /// How records are read: `auto` (default: by REST, and the rest of a large reading by a bulk job), `rest`, or
    /// `bulk` (complete readings by a bulk job, whatever their size).
    #[serde(default)]
    pub transport: Transport,
    /// With `auto`, from how many records left to read on a bulk job is made; default 100000. Counted for records of 50
    /// fields: of wider ones, fewer are enough.
    #[serde(default = "default_bulk_from")]
    #[schemars(range(min = 1))]
    pub bulk_from: u64,
    /// Records asked for per page, from 200 to 2000; default 2000. Salesforce may send fewer.
    #[serde(default = "default_page_size")]
    #[schemars(range(min = 200, max = 2000))]
    pub page_size: u16,
    /// Requests under way at the same time; default 4. Keep it below 5 for Developer Edition orgs.
    #[serde(default = "default_concurrency")]
    #[schemars(range(min = 1, max = 20))]
    pub concurrency: usize,
    /// The share of the org's daily API requests, used by everybody together, at which this source stops
    /// until a later run; default 0.8.
    #[serde(default = "default_quota_share")]
    #[schemars(range(min = 0.01, max = 1.0))]
    pub quota_share: f64,
}

/// How to sign in: with a private key as a named user (JWT bearer), with a refresh token, or, without either, as
/// the app's own user (client credentials).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// The app's consumer key.
    pub client_id: String,
    /// The app's consumer secret; write `${env:NAME}`. May be left out with a refresh token of an app that
    /// does not require it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub client_secret: Option<SecretString>,
    /// A refresh token; write `${env:NAME}`. When the org rotates tokens, the newest one is kept in the
    /// control database and this one is only the first.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub refresh_token: Option<SecretString>,
    /// The private key (PEM, RSA) of the certificate that was uploaded to the app; write `${file:key.pem}`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub private_key: Option<SecretString>,
    /// The name of the user to sign in as with the private key, such as `sync@acme.co.jp`.
    #[serde(default)]
    pub username: Option<String>,
    /// Whom the signed statement is for; default `https://login.salesforce.com`, for sandboxes
    /// `https://test.salesforce.com`.
    #[serde(default)]
    pub audience: Option<String>,
}

/// An object to read: its API name, or its settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StreamEntry {
    /// All fields of the object that are visible.
    Name(String),
    /// The object with settings of its own.
    Settings(StreamConfig),
}

/// What to read of one object.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The object's API name.
    pub name: String,
    /// Only these fields; default all. The key and the stamps are always read.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Not these fields.
    #[serde(default)]
    pub deny: Vec<String>,
    /// A SOQL condition that limits the rows. Changing it reads everything again.
    #[serde(default)]
    pub r#where: Option<String>,
    /// `sweep_days` of this object, where it is not that of the source.
    #[serde(default)]
    #[schemars(range(min = 0, max = 14))]
    pub sweep_days: Option<u32>,
    /// `refresh_days` of this object, where it is not that of the source.
    #[serde(default)]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: Option<u32>,
    /// `transport` of this object, where it is not that of the source.
    #[serde(default)]
    pub transport: Option<Transport>,
    /// How these fields change, where the built-in rules are wrong: `business`, `calculated`,
    /// `bookkeeping` or `ticking`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub classes: BTreeMap<String, FieldClass>,
}

/// How records are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// By REST, and the rest of a large reading by a bulk job.
    #[default]
    Auto,
    /// By REST alone.
    Rest,
    /// Complete readings by a bulk job.
    Bulk,
}

fn default_api_version() -> String {
    DEFAULT_API_VERSION.to_owned()
}

fn default_lag_secs() -> u32 {
    300
}

fn default_overlap_secs() -> u32 {
    600
}

fn default_sweep_days() -> u32 {
    7
}

fn default_refresh_days() -> u32 {
    7
}

fn default_delete_log_hours() -> u32 {
    24
}

fn default_bulk_from() -> u64 {
    100_000
}

fn default_page_size() -> u16 {
    2000
}

fn default_concurrency() -> usize {
    4
}

fn default_quota_share() -> f64 {
    0.8
}

impl StreamConfig {
    /// All rows and visible fields of the object `name`.
    pub(super) fn all_of(name: &str) -> StreamConfig {
        StreamConfig {
            name: name.to_owned(),
            allow: Vec::new(),
            deny: Vec::new(),
            r#where: None,
            sweep_days: None,
            refresh_days: None,
            transport: None,
            classes: BTreeMap::new(),
        }
    }
}

impl SalesforceConfig {
    /// The objects with their settings.
    pub fn streams(&self) -> Vec<StreamConfig> {
        let settings = |entry: &StreamEntry| match entry {
            StreamEntry::Settings(config) => config.clone(),
            StreamEntry::Name(name) => StreamConfig::all_of(name),
        };
        self.streams.iter().map(settings).collect()
    }

    /// Checks what the types do not say; gives the login address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the setting and what it accepts.
    pub fn validate(&self) -> Result<Url> {
        let wrong = |name: &'static str, message: &str, help: &str| {
            Err(Error::new(ErrorKind::Config, message).with("setting", name).help(help))
        };
        let (major, minor) = self.api_version.split_once('.').unwrap_or((&self.api_version, ""));
        if !major.parse::<u16>().is_ok_and(|major| major >= 31) || minor != "0" {
            return wrong("api_version", "not an API version", "write it like 66.0; versions before 31.0 are retired");
        }
        if !(200..=2000).contains(&self.page_size) {
            return wrong("page_size", "page size out of range", "use a number from 200 to 2000");
        }
        if !(self.quota_share > 0.0 && self.quota_share <= 1.0) {
            return wrong("quota_share", "quota share out of range", "use a number above 0, up to 1");
        }
        if self.concurrency == 0 {
            return wrong("concurrency", "no request may be sent", "use a number from 1 to 20");
        }
        if self.streams.is_empty() {
            return wrong("streams", "no object is named", "list at least one object, such as Account");
        }
        let mut seen = std::collections::HashSet::new();
        for stream in self.streams() {
            let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !is_name(&stream.name) {
                return Err(Error::new(ErrorKind::Config, "not the API name of an object")
                    .with("setting", "streams")
                    .with("name", &stream.name)
                    .help("use the API name, such as Account or Health_Score__c, not the label"));
            }
            if !seen.insert(stream.name.to_ascii_lowercase()) {
                return Err(Error::new(ErrorKind::Config, "an object is listed twice")
                    .with("setting", "streams")
                    .with("name", &stream.name)
                    .help("list it once"));
            }
        }
        let auth = &self.auth;
        if auth.client_secret.is_none() && auth.refresh_token.is_none() && auth.private_key.is_none() {
            return wrong("auth", "no client secret, refresh token or key", "add `client_secret: ${env:NAME}`");
        }
        if let Some(pem) = &auth.private_key {
            if auth.refresh_token.is_some() {
                return wrong("auth", "a private key and a refresh token", "keep the one to sign in with");
            }
            if auth.username.is_none() {
                return wrong("auth.username", "a private key without a user", "name the user to sign in as");
            }
            super::jwt::key(pem)?;
        }
        self.login_address()
    }

    fn login_address(&self) -> Result<Url> {
        let wrong = |message: &str, help: &str| {
            Err(Error::new(ErrorKind::Config, message)
                .with("setting", "login_url")
                .with("value", &self.login_url)
                .help(help))
        };
        const EXAMPLE: &str = "use the org's My Domain, such as https://acme.my.salesforce.com";
        let Ok(url) = Url::parse(&self.login_url) else { return wrong("not an address", EXAMPLE) };
        let host = url.host_str().unwrap_or_default();
        if !is_safe(&url) {
            return wrong("the address is not https", "credentials are only sent over https");
        }
        if host.ends_with(".salesforce-setup.com") || host.ends_with(".lightning.force.com") {
            return wrong("this host serves pages, not the API", EXAMPLE);
        }
        let generic = host == "login.salesforce.com" || host == "test.salesforce.com";
        if generic && self.auth.refresh_token.is_none() && self.auth.private_key.is_none() {
            return wrong("client credentials are not accepted at the general login host", EXAMPLE);
        }
        Ok(url)
    }
}

impl SalesforceConfig {
    /// Whom a signed statement is for: the general login host that the org belongs to.
    pub(super) fn audience(&self, login: &Url) -> String {
        if let Some(audience) = &self.auth.audience {
            return audience.clone();
        }
        let host = login.host_str().unwrap_or_default();
        let is_sandbox = host == "test.salesforce.com" || host.contains(".sandbox.");
        if is_sandbox { "https://test.salesforce.com".to_owned() } else { "https://login.salesforce.com".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(change: impl FnOnce(&mut Value)) -> serde_json::Result<SalesforceConfig> {
        let mut value = json!({
            "login_url": "https://acme.my.salesforce.com",
            "auth": { "client_id": "id", "client_secret": "top-secret" },
            "streams": ["Account", { "name": "Contact", "deny": ["Fax"], "classes": { "Score__c": "ticking" } }],
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
        assert_eq!((config.lag_secs, config.overlap_secs, config.page_size), (300, 600, 2000));
        assert_eq!(config.api_version, "66.0");
        assert_eq!(config.validate().unwrap().host_str(), Some("acme.my.salesforce.com"));
        assert_eq!(config.streams()[1].classes["Score__c"], FieldClass::Ticking);
        assert!(!format!("{config:?}").contains("top-secret"));
    }

    #[test]
    fn lesson_25_wrong_settings_are_named_and_the_api_version_is_one() {
        assert_eq!(refusal(|c| c["api_version"] = json!("9.0")), "not an API version (setting: api_version)");
        assert_eq!(
            refusal(|c| c["login_url"] = json!("http://acme.my.salesforce.com")),
            "the address is not https (setting: login_url, value: http://acme.my.salesforce.com)"
        );
        assert!(refusal(|c| c["login_url"] = json!("https://login.salesforce.com")).starts_with("client credentials"));
        assert!(refusal(|c| c["login_url"] = json!("https://acme.lightning.force.com")).starts_with("this host"));
        assert!(refusal(|c| c["streams"] = json!(["取引先"])).starts_with("not the API name"));
        assert!(refusal(|c| c["streams"] = json!(["Account", "account"])).starts_with("an object is listed twice"));
        assert!(config(|c| c["page_sise"] = json!(3)).unwrap_err().to_string().contains("page_sise"));
    }
}
