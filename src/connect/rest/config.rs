//! What a person fills in to read any HTTP API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use super::paging::Paging;
use crate::connect::instant::InstantEntry;
use crate::connect::shape::DeletedConfig;
use crate::record::FieldClass;

/// An HTTP API that answers with JSON, CSV or XML, and what to read of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestConfig {
    /// The address that the streams' paths are relative to: `https://keiyaku.example.jp/api/v1/`.
    pub base_url: String,
    /// How requests are authorized; default not at all.
    #[serde(default)]
    pub auth: AuthConfig,
    /// Headers of every request; values are templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Values of your own for templates, as `vars.name`; write secrets as `${env:NAME}`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub vars: BTreeMap<String, SecretString>,
    /// The zone of times that the API gives or takes without one: `Asia/Tokyo`.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What answers mean that are no data, for all streams: the first rule that fits counts.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// Requests under way at the same time; default 2.
    #[serde(default = "default_concurrency")]
    #[schemars(range(min = 1, max = 32))]
    pub concurrency: usize,
    /// Requests a second; default no limit.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: Option<u32>,
    /// How far behind the API's clock windows end, in seconds; default 60.
    #[serde(default = "default_lag_secs")]
    #[schemars(range(min = 0, max = 86400))]
    pub lag_secs: u32,
    /// After how many days a stream with a `window` is read whole again, for what is gone and for what changed without a
    /// stamp; default 7, 0 for never.
    #[serde(default = "default_refresh_days")]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: u32,
    /// The streams by name.
    pub streams: BTreeMap<String, StreamConfig>,
}

/// How requests are authorized.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthConfig {
    /// Not at all.
    #[default]
    None,
    /// User and password (HTTP Basic).
    Basic {
        /// The user's name.
        username: String,
        /// The password; write `${env:NAME}`.
        #[schemars(with = "String")]
        password: SecretString,
    },
    /// A token in the header `Authorization: Bearer`.
    Bearer {
        /// The token; write `${env:NAME}`.
        #[schemars(with = "String")]
        token: SecretString,
    },
    /// A key in a header or a parameter of its own.
    ApiKey {
        /// The header: `X-Api-Key`.
        #[serde(default)]
        header: Option<String>,
        /// The parameter, where the key is no header.
        #[serde(default)]
        param: Option<String>,
        /// The key; write `${env:NAME}`.
        #[schemars(with = "String")]
        key: SecretString,
    },
    /// OAuth 2: an access token is asked for, and again when it is refused.
    Oauth2(OauthConfig),
    /// Headers made anew for each request, such as a signature.
    Signed {
        /// The headers; values are templates that know `method`, `path`, `query`, `url`, `body` and `now`.
        headers: BTreeMap<String, String>,
    },
}

/// OAuth 2.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthConfig {
    /// Where access tokens are asked for; absolute, or relative to `base_url`.
    pub token_url: String,
    /// The client id.
    pub client_id: String,
    /// The client secret; write `${env:NAME}`.
    #[schemars(with = "String")]
    pub client_secret: SecretString,
    /// A refresh token; without one, the client signs in for itself (client credentials). A new one that the API gives is
    /// kept in the control database.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub refresh_token: Option<SecretString>,
    /// The rights to ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether client id and secret go in the `Authorization` header instead of the body; default no.
    #[serde(default)]
    pub client_in_header: bool,
    /// More parameters of the request, such as `audience`.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// One stream: what is asked for, and how its records stand in the answers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// What people call it.
    #[serde(default)]
    pub label: Option<String>,
    /// The path, relative to `base_url`, or an address; a template whose values are encoded: `contracts/{{ parent.id }}/lines`.
    pub path: String,
    /// `get` or `post`; default `get`.
    #[serde(default)]
    pub method: Method,
    /// Parameters; values are templates. One that becomes empty is left out.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Headers beside those of the source; values are templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The JSON body of a `post`, as a template whose values are written as JSON: `{"cursor": {{ page.cursor }}}`.
    #[serde(default)]
    pub body: Option<String>,
    /// How answers are written; default `auto`, by their `Content-Type`.
    #[serde(default)]
    pub format: Format,
    /// How CSV is encoded where the answer does not say: `cp932`, `utf-8`, …; default `utf-8`.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Where in an answer the records are (JSON path, RFC 9535): `$.data.items`; default `$`, the answer itself.
    #[serde(default = "default_records")]
    pub records: String,
    /// Whether an answer without `records` is one without records; default no: it is an error.
    #[serde(default)]
    pub records_optional: bool,
    /// The fields that tell records apart.
    pub key: Vec<String>,
    /// The field that says when a record was last changed, in RFC 3339 or in a form of its own.
    #[serde(default)]
    pub stamp: Option<InstantEntry>,
    /// The field that says when a record was made.
    #[serde(default)]
    pub created: Option<InstantEntry>,
    /// How a record says that it was deleted.
    #[serde(default)]
    pub deleted: Option<DeletedConfig>,
    /// What is known of fields: types, labels, how they change. Others are read all the same.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldConfig>,
    /// Only these fields are kept; default all.
    #[serde(default)]
    pub allow: Vec<String>,
    /// These fields are not kept.
    #[serde(default)]
    pub deny: Vec<String>,
    /// Where an answer says how many records there are in all.
    #[serde(default)]
    pub total: Option<String>,
    /// How the next page is asked for; default there is one page.
    #[serde(default)]
    pub paging: Paging,
    /// How changes alone are asked for; without, everything is read in every run.
    #[serde(default)]
    pub window: Option<WindowConfig>,
    /// The stream whose records this one is asked for, one by one.
    #[serde(default)]
    pub parent: Option<ParentConfig>,
    /// How a single record is asked for. With it, records that a complete reading did not show are asked for before they
    /// count as gone.
    #[serde(default)]
    pub by_key: Option<ByKeyConfig>,
    /// What answers mean that are no data, before the rules of the source.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// `refresh_days` of this stream, where it is not that of the source.
    #[serde(default)]
    #[schemars(range(min = 0, max = 365))]
    pub refresh_days: Option<u32>,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// GET.
    #[default]
    Get,
    /// POST, of something that only reads.
    Post,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// As their `Content-Type` says; JSON where it says nothing.
    #[default]
    Auto,
    /// JSON.
    Json,
    /// CSV with a header row.
    Csv,
    /// XML: elements become fields, attributes fields with `@`.
    Xml,
}

impl Format {
    /// What the API is asked to answer with.
    pub(super) fn accepted(self) -> &'static str {
        match self {
            Format::Auto => "application/json, text/csv;q=0.8, application/xml;q=0.8, */*;q=0.5",
            Format::Json => "application/json",
            Format::Csv => "text/csv",
            Format::Xml => "application/xml, text/xml",
        }
    }
}

/// What is known of a field.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldConfig {
    /// What people see.
    #[serde(default)]
    pub label: Option<String>,
    /// The word for its type, for people and for drafts of mappings: `number`, `date`, ….
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// How it changes: `business`, `calculated`, `bookkeeping` or `ticking`; default `business`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub class: Option<FieldClass>,
}

/// How changes alone are asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// Parameters beside those of the stream; templates that know `window.from` (inclusive), `window.until` (exclusive)
    /// and `window.last` (the last instant in it).
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// The first instant or day that there is anything of: `2024-04-01`. Without, a first load asks for everything,
    /// without the parameters of `window`.
    #[serde(default)]
    pub start: Option<String>,
    /// The most days that one request may ask for; with `start`. Windows then begin and end with days of `time_zone`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 366))]
    pub step_days: Option<u32>,
    /// How far before the end of the last run a window begins, in seconds; default 600. For readings that are corrected
    /// later, as long as that takes: `259200` for three days.
    #[serde(default = "default_overlap_secs")]
    #[schemars(range(min = 0, max = 31622400))]
    pub overlap_secs: u32,
}

/// The stream whose records another one is asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParentConfig {
    /// Its name; a stream of the same source that has no parent itself.
    pub stream: String,
    /// Its fields that every record of this stream gets too, because its own do not name them.
    #[serde(default)]
    pub keep: Vec<String>,
}

/// How a single record is asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByKeyConfig {
    /// The path; a template that knows the key's fields: `contracts/{{ key.id }}`.
    pub path: String,
    /// Where in the answer the record is; default `$`.
    #[serde(default = "default_records")]
    pub record: String,
}

/// What an answer means that is no data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// The statuses that it is about; default every one.
    #[serde(default)]
    pub status: Vec<u16>,
    /// What must stand in the body.
    #[serde(default)]
    pub body: Option<BodyTest>,
    /// What is done.
    pub then: Action,
    /// What is told of it.
    #[serde(default)]
    pub message: Option<String>,
}

/// What must stand in a body.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BodyTest {
    /// The place (JSON path); it must be there.
    pub path: String,
    /// The values that fit, as text; default any.
    #[serde(default)]
    pub is: Vec<String>,
}

/// What is done after an answer that is no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Ask again, a few times, with growing pauses.
    Retry,
    /// There is nothing: as an empty answer.
    Skip,
    /// The credential has expired: renew it and ask once more.
    Renew,
    /// The allowance is used up: what was read is kept, and a later run goes on.
    Quota,
    /// End the stream with an error.
    Fail,
}

fn default_concurrency() -> usize {
    2
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

fn default_records() -> String {
    "$".to_owned()
}
