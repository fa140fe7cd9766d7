//! What a person fills in to read kintone apps.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::connect::http::is_safe;
use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// How many API tokens one request may carry.
const MAX_TOKENS: usize = 9;

/// A kintone domain and what to read of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KintoneConfig {
    /// The domain, `https://<name>.cybozu.com`; with a client certificate `https://<name>.s.cybozu.com`.
    pub base_url: String,
    /// A user to read as, where the apps have no API tokens. The user's permissions decide what is seen.
    #[serde(default)]
    pub login: Option<LoginConfig>,
    /// An OAuth client to read with, where the apps have no API tokens. It sees what the user sees who allowed it.
    #[serde(default)]
    pub oauth: Option<OauthConfig>,
    /// The Basic authentication that the domain asks for in front of everything, if it does.
    #[serde(default)]
    pub basic_auth: Option<BasicConfig>,
    /// A client certificate and its private key as PEM text; write `${file:client.pem}`. Of a `.pfx` file it is made
    /// by `openssl pkcs12 -in client.pfx -out client.pem -nodes`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub client_private_key: Option<SecretString>,
    /// The apps to read, in the order they are shown.
    pub streams: Vec<AppConfig>,
    /// How far behind kintone's clock a run is sure to have read everything, in seconds; default 60.
    #[serde(default = "default_lag_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub lag_secs: u32,
    /// How far before the end of the last run reading starts again, in seconds; default 300. At least 120: kintone
    /// shows the time of a change without its seconds.
    #[serde(default = "default_overlap_secs")]
    #[schemars(range(min = 120, max = 86400))]
    pub overlap_secs: u32,
    /// After how many hours the ids and revisions of all records are looked through, for deleted records and changes
    /// that no time of change tells of; default 24, 0 for never. Costs one request per `page_size` records.
    #[serde(default = "default_sweep_hours")]
    #[schemars(range(min = 0, max = 720))]
    pub sweep_hours: u32,
    /// Records asked for per page, from 1 to 500; default 500.
    #[serde(default = "default_page_size")]
    #[schemars(range(min = 1, max = 500))]
    pub page_size: u16,
    /// Requests under way at the same time for the whole domain, from 1 to 10; default 4.
    #[serde(default = "default_concurrency")]
    #[schemars(range(min = 1, max = 10))]
    pub concurrency: usize,
    /// Requests a day, in UTC, at which reading an app stops until the next; default 5000, half of what a Standard
    /// course allows an app. 0 for no limit of our own. An app's streams share it equally.
    #[serde(default = "default_daily_requests")]
    #[schemars(range(min = 0, max = 100000))]
    pub daily_requests: u32,
    /// What to do when a field that was read is no longer in the app: `stop` before anything is read (default), or
    /// `continue` without it.
    #[serde(default)]
    pub on_missing_field: OnMissingField,
}

/// What a field that vanished means for its stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMissingField {
    /// Nothing is read until a person says what became of the field.
    #[default]
    Stop,
    /// The other fields are read; the field is unknown from then on.
    Continue,
}

/// A user who reads.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// The login name; that of a guest begins with `guest/`.
    pub user: String,
    /// The password; write `${env:NAME}`. Users with two-factor login cannot be used.
    #[schemars(with = "String")]
    pub password: SecretString,
}

/// An OAuth client of the domain, allowed by a user with the scopes `k:app_record:read k:app_settings:read`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthConfig {
    /// The client's id.
    pub client_id: String,
    /// The client's secret; write `${env:NAME}`.
    #[schemars(with = "String")]
    pub client_secret: SecretString,
    /// A refresh token; write `${env:NAME}`. Should kintone give a new one, that is kept in the control database.
    #[schemars(with = "String")]
    pub refresh_token: SecretString,
}

/// A Basic authentication in front of the domain.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicConfig {
    /// The name.
    pub user: String,
    /// The password; write `${env:NAME}`.
    #[schemars(with = "String")]
    pub password: SecretString,
}

/// What to read of one app.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// What the stream is called here, such as 顧客管理.
    pub name: String,
    /// The app's number: the 8 in `https://<name>.cybozu.com/k/8/`.
    #[schemars(range(min = 1))]
    pub app: u64,
    /// An API token of the app that may view records; write `${env:NAME}`. Where a `filter` asks other apps, theirs
    /// follow after commas.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub token: Option<SecretString>,
    /// The number of the guest space that the app is in: the 5 in `/k/guest/5/8/`.
    #[serde(default)]
    pub guest_space: Option<u64>,
    /// Only these fields, by field code; default all.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Not these fields.
    #[serde(default)]
    pub deny: Vec<String>,
    /// A condition that limits the records, in kintone's query language, without `like`, `order by`, `limit` and
    /// `offset`. Changing it reads everything again.
    #[serde(default)]
    pub filter: Option<String>,
    /// Tables within the app's records, by field code. Each becomes a stream `<name>.<code>` with a record per row.
    #[serde(default)]
    pub tables: Vec<String>,
    /// Fields, by code, that are known to be gone or to have been made anew: reading goes on without what they were.
    #[serde(default)]
    pub gone: Vec<String>,
    /// `sweep_hours` of this app, where it is not that of the source.
    #[serde(default)]
    #[schemars(range(min = 0, max = 720))]
    pub sweep_hours: Option<u32>,
    /// How these fields change, where the built-in rules are wrong: `business`, `calculated`, `bookkeeping` or
    /// `ticking`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub classes: BTreeMap<String, FieldClass>,
}

fn default_lag_secs() -> u32 {
    60
}

fn default_overlap_secs() -> u32 {
    300
}

fn default_sweep_hours() -> u32 {
    24
}

fn default_page_size() -> u16 {
    500
}

fn default_concurrency() -> usize {
    4
}

fn default_daily_requests() -> u32 {
    5_000
}

impl AppConfig {
    /// All records and fields of the app with this number, as the source's user sees them.
    pub(super) fn all_of(name: String, app: u64) -> AppConfig {
        AppConfig {
            name,
            app,
            token: None,
            guest_space: None,
            allow: Vec::new(),
            deny: Vec::new(),
            filter: None,
            tables: Vec::new(),
            gone: Vec::new(),
            sweep_hours: None,
            classes: BTreeMap::new(),
        }
    }

    /// The tokens, one by one.
    pub(super) fn tokens(&self) -> Vec<&str> {
        let text = self.token.as_ref().map_or("", |token| token.expose_secret());
        text.split(',').map(str::trim).filter(|token| !token.is_empty()).collect()
    }

    /// The app's streams: its own, then one per table.
    pub(super) fn stream_names(&self) -> Vec<String> {
        let tables = self.tables.iter().map(|table| format!("{}.{table}", self.name));
        std::iter::once(self.name.clone()).chain(tables).collect()
    }
}

impl KintoneConfig {
    /// Checks what the types do not say; gives the domain's address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the setting and what it accepts.
    pub fn validate(&self) -> Result<Url> {
        let wrong = |name: &'static str, message: &str, help: &str| {
            Err(Error::new(ErrorKind::Config, message).with("setting", name).help(help))
        };
        if self.streams.is_empty() {
            return wrong("streams", "no app is named", "list at least one app: `- { name: 顧客管理, app: 8 }`");
        }
        if !(1..=500).contains(&self.page_size) {
            return wrong("page_size", "page size out of range", "use a number from 1 to 500");
        }
        if !(1..=10).contains(&self.concurrency) {
            return wrong("concurrency", "number of requests out of range", "use a number from 1 to 10");
        }
        if self.overlap_secs < 120 {
            return wrong("overlap_secs", "overlap too short", "use at least 120: times of change have no seconds");
        }
        if self.login.is_some() && self.oauth.is_some() {
            return wrong("oauth", "two ways to sign in", "keep either `login` or `oauth`");
        }
        if self.oauth.is_some() && self.basic_auth.is_some() {
            return wrong(
                "oauth",
                "OAuth and Basic authentication need the same header",
                "use API tokens on a domain with Basic authentication in front",
            );
        }
        let mut seen = HashSet::new();
        for app in &self.streams {
            self.validate_app(app)?;
            for name in app.stream_names() {
                if !seen.insert(name.to_lowercase()) {
                    return Err(Error::new(ErrorKind::Config, "two streams have the same name")
                        .with("setting", "streams")
                        .with("name", name)
                        .help("give each its own"));
                }
            }
        }
        self.domain_address()
    }

    fn validate_app(&self, app: &AppConfig) -> Result<()> {
        let wrong = |message: &str, help: &str| {
            let error = Error::new(ErrorKind::Config, message).with("setting", "streams").with("name", &app.name);
            Err(error.help(help))
        };
        if app.name.trim().is_empty() {
            return wrong("a stream without a name", "name it like its app");
        }
        if app.app == 0 {
            return wrong("not the number of an app", "it is the 8 in https://<name>.cybozu.com/k/8/");
        }
        let tokens = app.tokens();
        let user = self.login.is_some() || self.oauth.is_some();
        if tokens.is_empty() && !user {
            return wrong(
                "the app has no API token",
                "add `token: ${env:NAME}` with a token that may view records, or a `login` for all apps",
            );
        }
        if !tokens.is_empty() && user {
            return wrong(
                "an API token beside a `login` or `oauth`",
                "kintone looks at one of them only: keep the token, it sees every record and field",
            );
        }
        if tokens.len() > MAX_TOKENS {
            return wrong("too many API tokens", "a request carries at most 9");
        }
        let is_token = |token: &&str| token.bytes().all(|byte| byte.is_ascii_graphic());
        if !tokens.iter().all(is_token) {
            return wrong("not an API token", "copy it from the app's settings, without spaces");
        }
        if let Some(clause) = app.filter.as_deref().and_then(refused_clause) {
            return wrong(
                &format!("`{clause}` in a filter"),
                "a filter is a condition only; `like` is a word search that leaves records out without a word",
            );
        }
        Ok(())
    }

    fn domain_address(&self) -> Result<Url> {
        let wrong = |message: &str, help: &str| {
            let error =
                Error::new(ErrorKind::Config, message).with("setting", "base_url").with("value", &self.base_url);
            Err(error.help(help))
        };
        const EXAMPLE: &str = "use the domain's address, such as https://acme.cybozu.com";
        let Ok(url) = Url::parse(&self.base_url) else { return wrong("not an address", EXAMPLE) };
        if url.host_str().is_none_or(str::is_empty) || url.query().is_some() {
            return wrong("not the address of a domain", EXAMPLE);
        }
        if url.path().split('/').any(|part| part == "k") {
            return wrong("the address of an app, not of the domain", EXAMPLE);
        }
        if !is_safe(&url) {
            return wrong("the address is not https", "credentials are only sent over https");
        }
        Ok(url)
    }
}

/// A word outside of quotes that no filter may have.
fn refused_clause(filter: &str) -> Option<&'static str> {
    let mut words: Vec<String> = vec![String::new()];
    let mut chars = filter.chars();
    while let Some(sign) = chars.next() {
        match sign {
            '"' => {
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
                words.push(String::new());
            }
            _ if sign.is_whitespace() || "()=<>!,".contains(sign) => words.push(String::new()),
            _ => words.last_mut().expect("never empty").extend(sign.to_lowercase()),
        }
    }
    words.retain(|word| !word.is_empty());
    let refused = |word: &String| ["like", "limit", "offset"].into_iter().find(|refused| word == refused);
    let ordered = words.windows(2).any(|pair| pair[0] == "order" && pair[1] == "by");
    words.iter().find_map(refused).or(ordered.then_some("order by"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(change: impl FnOnce(&mut Value)) -> serde_json::Result<KintoneConfig> {
        let mut value = json!({
            "base_url": "https://acme.cybozu.com",
            "streams": [{ "name": "顧客管理", "app": 8, "token": "top-secret,other-secret", "tables": ["明細"] }],
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
        assert_eq!((config.lag_secs, config.overlap_secs, config.sweep_hours), (60, 300, 24));
        assert_eq!((config.page_size, config.concurrency, config.daily_requests), (500, 4, 5_000));
        assert_eq!(config.on_missing_field, OnMissingField::Stop);
        assert_eq!(config.validate().unwrap().host_str(), Some("acme.cybozu.com"));
        assert_eq!(config.streams[0].tokens(), ["top-secret", "other-secret"]);
        assert_eq!(config.streams[0].stream_names(), ["顧客管理", "顧客管理.明細"]);
        assert!(!format!("{config:?}").contains("secret,"));
    }

    #[test]
    fn wrong_settings_are_named() {
        let login = json!({ "user": "sato", "password": "p" });
        assert!(refusal(|c| c["streams"][0]["token"] = Value::Null).starts_with("the app has no API token"));
        assert!(refusal(|c| c["login"] = login.clone()).starts_with("an API token beside a `login`"));
        assert!(
            refusal(|c| c["streams"][0]["token"] = json!("a,b,c,d,e,f,g,h,i,j")).starts_with("too many API tokens")
        );
        assert!(refusal(|c| c["base_url"] = json!("http://acme.cybozu.com")).starts_with("the address is not https"));
        assert!(
            refusal(|c| c["base_url"] = json!("https://acme.cybozu.com/k/8/")).starts_with("the address of an app")
        );
        assert!(refusal(|c| c["overlap_secs"] = json!(60)).starts_with("overlap too short"));
        assert!(refusal(|c| c["page_size"] = json!(501)).starts_with("page size out of range"));
        let twice = json!([{ "name": "A.明細", "app": 1, "token": "t" }, { "name": "A", "app": 2, "token": "t", "tables": ["明細"] }]);
        assert!(refusal(|c| c["streams"] = twice).starts_with("two streams have the same name"));
        let both = |c: &mut Value| {
            c["streams"][0]["token"] = Value::Null;
            c["oauth"] = json!({ "client_id": "i", "client_secret": "s", "refresh_token": "r" });
            c["basic_auth"] = json!({ "user": "u", "password": "p" });
        };
        assert!(refusal(both).starts_with("OAuth and Basic authentication"));
        assert!(config(|c| c["page_sise"] = json!(3)).unwrap_err().to_string().contains("page_sise"));
    }

    #[test]
    fn a_filter_is_a_condition_and_nothing_else() {
        for (filter, refused) in [
            ("会社名 like \"アクメ\"", Some("like")),
            ("会社名 not  LIKE \"アクメ\"", Some("like")),
            ("確度 in (\"A\") order　by 会社名 asc", Some("order by")),
            ("単価 > 3 limit 10", Some("limit")),
            ("備考 = \"no limit, as you \\\" like\" and 単価 > 3", None),
            ("like_count > 3 or 顧客ランク in (\"A\")", None),
        ] {
            assert_eq!(refused_clause(filter), refused, "{filter}");
        }
    }
}
