//! Any HTTP API that answers with JSON, CSV or XML, described in the source's file.
//!
//! A stream without a `window` is read whole in every run; one with it by windows, and whole again after some days. A
//! stream with a parent is asked for once for each record of that. What the description does not fit is told: an answer
//! without the records, a list without an end, a record without a key.

mod ask;
mod auth;
mod config;
mod draft;
mod formats;
mod look;
mod paging;
mod position;
mod print;
mod read;
mod rules;
mod select;
mod stream;
mod template;

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono_tz::Tz;
use secrecy::SecretString;
use url::Url;

pub use config::{
    Action, AuthConfig, BodyTest, ByKeyConfig, ErrorRule, FieldConfig, Format, Method, OauthConfig, ParentConfig,
    RestConfig, StreamConfig, WindowConfig,
};
pub use draft::draft_stream;
pub use paging::Paging;

use self::auth::{Fixed, TokenPoint};
use self::read::Parents;
use self::stream::StreamPlan;
use self::template::{Template, Templates};
use super::http::{Authorize, Client, Limits, is_safe};
use super::oauth::Session;
use super::registry::OpenArgs;
use super::source::{Few, Finding, ReadMode, Sighting, Source};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Page, Records, SourceId, Stream};

/// An HTTP API, as configured.
pub struct Rest {
    id: SourceId,
    config: RestConfig,
    base: Url,
    plans: Vec<StreamPlan>,
    templates: Templates,
    client: Arc<Client>,
    auth: Option<Arc<dyn Authorize>>,
    /// The key, where it is a header of its own.
    key_header: Option<(String, SecretString)>,
    /// The key, where it is a parameter.
    key_param: Option<(String, SecretString)>,
    /// The headers that sign a request.
    signature: Vec<(String, Template)>,
    clock: Arc<dyn Clock>,
    /// The API's clock when it last told, in microseconds.
    told: AtomicI64,
    run_id: String,
    /// The page of parents that was read last.
    parents: Mutex<Option<Parents>>,
}

impl Rest {
    /// Opens the source; nothing is asked of the API yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings are wrong.
    pub fn open(args: OpenArgs) -> Result<Self> {
        let config: RestConfig = args.parse_config()?;
        let here = |error: Error| error.with("source", &args.id);
        let base = base_of(&config.base_url).map_err(here)?;
        let zone = config.time_zone.as_ref().map(|name| zone_of(name)).transpose().map_err(here)?;
        let templates = Templates::new(zone);
        let plans = config.streams.keys().map(|name| {
            StreamPlan::new(name, &config, zone, &templates)
                .map_err(|error| error.with("stream", name).with("source", &args.id))
        });
        let plans = plans.collect::<Result<Vec<_>>>()?;
        let limits = Limits {
            concurrency: config.concurrency,
            per_second: config.requests_per_second.and_then(NonZeroU32::new),
        };
        let client = Arc::new(Client::new(Arc::clone(&args.hosts), limits, args.run_id.clone()));
        let (mut key_header, mut key_param, mut signature) = (None, None, Vec::new());
        let auth: Option<Arc<dyn Authorize>> = match &config.auth {
            AuthConfig::None => None,
            AuthConfig::Signed { headers } => {
                for (name, text) in headers {
                    let template = templates.parse(text, format!("auth.headers.{name}"), template::Target::Text);
                    signature.push((name.clone(), template.map_err(here)?));
                }
                None
            }
            AuthConfig::Basic { username, password } => Some(Arc::new(Fixed::basic(username, password))),
            AuthConfig::Bearer { token } => Some(Arc::new(Fixed::bearer(token))),
            AuthConfig::ApiKey { header, param, key } => {
                match (header, param) {
                    (Some(header), None) => key_header = Some((header.clone(), key.clone())),
                    (None, Some(param)) => key_param = Some((param.clone(), key.clone())),
                    _ => {
                        return Err(here(
                            Error::new(ErrorKind::Config, "the key needs one place")
                                .with("setting", "auth")
                                .help("name either `header` or `param`"),
                        ));
                    }
                }
                None
            }
            AuthConfig::Oauth2(oauth) => {
                let address = base.join(&oauth.token_url).ok().filter(is_safe).ok_or_else(|| {
                    here(
                        Error::new(ErrorKind::Config, "not an address to ask for tokens at")
                            .with("setting", "auth.token_url")
                            .help("write an https address, or a path relative to `base_url`"),
                    )
                })?;
                let first = oauth.refresh_token.clone().unwrap_or_else(|| oauth.client_secret.clone());
                let point = TokenPoint { address, config: oauth.clone(), client: Arc::clone(&client) };
                Some(Arc::new(Session::new(args.id.clone(), first, Arc::clone(&args.token_store), point)))
            }
        };
        let is_secret = !matches!(config.auth, AuthConfig::None);
        if is_secret && !is_safe(&base) {
            return Err(here(
                Error::new(ErrorKind::Config, "a credential would be sent without encryption")
                    .with("setting", "base_url")
                    .help("use an https address"),
            ));
        }
        Ok(Rest {
            id: args.id,
            base,
            plans,
            templates,
            client,
            auth,
            key_header,
            key_param,
            signature,
            clock: args.clock,
            told: AtomicI64::new(i64::MIN),
            run_id: args.run_id,
            parents: Mutex::default(),
            config,
        })
    }

    fn plan(&self, name: &str) -> Result<&StreamPlan> {
        self.plans.iter().find(|plan| plan.name == name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file").with("stream", name)
        })
    }

    fn note(&self, date: Option<Timestamp>) {
        if let Some(date) = date {
            self.told.fetch_max(date.micros(), Ordering::Relaxed);
        }
    }

    /// The API's clock; ours where it does not tell.
    fn now(&self) -> Timestamp {
        match self.told.load(Ordering::Relaxed) {
            i64::MIN => self.clock.now(),
            micros => Timestamp::from_micros(micros),
        }
    }
}

fn base_of(text: &str) -> Result<Url> {
    let with_slash = if text.ends_with('/') { text.to_owned() } else { format!("{text}/") };
    let base =
        Url::parse(&with_slash).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
    base.ok_or_else(|| {
        Error::new(ErrorKind::Config, "not an address to read from")
            .with("setting", "base_url")
            .help("write it like https://keiyaku.example.jp/api/v1/")
    })
}

fn zone_of(name: &str) -> Result<Tz> {
    Tz::from_str(name).map_err(|_| {
        Error::new(ErrorKind::Config, "not a time zone")
            .with("setting", "time_zone")
            .with("found", name)
            .help("write it like Asia/Tokyo")
    })
}

#[async_trait]
impl Source for Rest {
    async fn check(&self) -> Vec<Finding> {
        self.findings().await
    }

    fn streams(&self) -> Vec<String> {
        self.plans.iter().map(|plan| plan.name.clone()).collect()
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        let plan = self.plan(name).map_err(|error| error.with("source", &self.id))?;
        Ok(plan.stream(std::iter::empty()))
    }

    async fn describe_other(&self, name: &str) -> Result<Stream> {
        self.described_by_looking(name).await.map_err(|error| error.with("stream", name).with("source", &self.id))
    }

    async fn read_page(
        &self,
        stream: &Stream,
        cursor: Option<&Cursor>,
        first_of_run: bool,
        mode: ReadMode,
    ) -> Result<Page> {
        let here = |error: Error| error.with("stream", &stream.name).with("source", &self.id);
        self.page(&stream.name, cursor, first_of_run, mode).await.map_err(here)
    }

    async fn sample(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        self.look(stream, few).await.map_err(|error| error.with("stream", &stream.name).with("source", &self.id))
    }

    async fn still_there(&self, stream: &Stream, keys: &[String]) -> Result<Option<Sighting>> {
        self.sighting(&stream.name, keys)
            .await
            .map_err(|error| error.with("stream", &stream.name).with("source", &self.id))
    }
}
