//! How an org is set up.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeZone, Utc};
use serde::Deserialize;

/// How an org is set up and served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides all made-up values.
    pub seed: u64,
    /// How many accounts there are from the start.
    pub records: u64,
    /// What the org's clock shows at the start; it moves only when told to. Fractions of a second are cut off.
    pub at: DateTime<Utc>,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The most records on a page, at most 2,000.
    pub page_size: usize,
    /// Whether pages are of random, smaller sizes (the same page always of the same size).
    pub ragged_pages: bool,
    /// How many REST calls are allowed in any 24 hours.
    pub daily_requests: u64,
    /// After how many idle seconds an access token expires.
    pub session_secs: i64,
    /// Whether each refresh token works once.
    pub rotate_refresh_tokens: bool,
    /// What kind of host `login_url` is.
    pub login_host: LoginHost,
    /// How many logins a user may do in an hour.
    pub hourly_logins: usize,
    /// Whether numbers from 10^7 on are printed as `1.0E7`.
    pub exponents: bool,
    /// Whether answers are compressed for clients that accept it.
    pub gzip: bool,
    /// The most ids that `/deleted/` and `/updated/` give.
    pub replication_cap: usize,
    /// Where there are several currencies: how many of a hundred accounts are not in yen.
    pub foreign_percent: u64,
    /// Which fields of an object have a history, at most 20, by the name of the object; objects that are not named
    /// have the usual ones.
    pub tracked_fields: BTreeMap<String, Vec<String>>,
    /// For how many days field histories are kept: the API gives 24 months, people see 18.
    pub history_days: i64,
    /// What the org has switched on.
    pub features: Features,
    /// How the Bulk API behaves.
    pub bulk: BulkOptions,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 1,
            records: 0,
            at: Utc.timestamp_opt(1_793_458_800, 0).single().unwrap_or_default(), // 2026-10-31T15:00:00Z
            port: 0,
            page_size: 2_000,
            ragged_pages: false,
            daily_requests: 100_000,
            session_secs: 7_200,
            rotate_refresh_tokens: false,
            login_host: LoginHost::MyDomain,
            hourly_logins: 3_600,
            exponents: true,
            gzip: true,
            replication_cap: 600_000,
            foreign_percent: 0,
            tracked_fields: BTreeMap::new(),
            history_days: 730,
            features: Features::default(),
            bulk: BulkOptions::default(),
        }
    }
}

/// How the Bulk API behaves where sources leave it open or a test needs it otherwise.
///
/// A job waits (`UploadComplete`), runs (`InProgress`) and is done (`JobComplete`). It goes on when both have
/// passed: so many polls, and so many seconds of the org's clock. A job that nobody polls waits.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BulkOptions {
    /// How many polls find a job waiting.
    pub waiting_polls: u32,
    /// For how long it waits at least.
    pub waiting_secs: i64,
    /// How many polls find it running.
    pub running_polls: u32,
    /// For how long it runs at least.
    pub running_secs: i64,
    /// When the records of a result are looked up.
    pub result_of: ResultOf,
    /// The most records on a page of a result, and how many there are when the client names no number.
    pub page_size: u64,
    /// How many query jobs may be made in any 24 hours.
    pub daily_jobs: u64,
    /// How many kilobytes of results may be made in any 24 hours.
    pub daily_kilobytes: u64,
    /// Whether datetimes end in `+0000` and not in `Z`.
    pub datetime_offset: bool,
    /// Whether only the first page has a header row.
    pub header_once: bool,
    /// Whether a result without records has no header row either.
    pub empty_without_header: bool,
    /// The status of results that are asked for too early: 412 with a reason, or 204 without.
    pub early_status: u16,
}

impl Default for BulkOptions {
    fn default() -> Self {
        BulkOptions {
            waiting_polls: 0,
            waiting_secs: 0,
            running_polls: 1,
            running_secs: 0,
            result_of: ResultOf::Creation,
            page_size: 50_000,
            daily_jobs: 10_000,
            daily_kilobytes: 1_000_000_000,
            datetime_offset: false,
            header_once: false,
            empty_without_header: false,
            early_status: 412,
        }
    }
}

/// When the records of a bulk result are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultOf {
    /// When the job is made.
    Creation,
    /// When the job is done.
    Completion,
    /// The lower half of the ids when the job is made, the upper half when it is done: chunks are not of one instant.
    Both,
}

/// What kind of host answers at `login_url`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginHost {
    /// The org's own My Domain.
    MyDomain,
    /// The login host that all orgs share; it refuses client credentials.
    Generic,
}

/// What an org has switched on.
#[derive(Debug, Clone, Copy)]
pub struct Features {
    /// Compound fields, such as `BillingAddress`, stand beside their parts.
    pub compounds: bool,
    /// `StateCode` and `CountryCode` in addresses.
    pub state_and_country_codes: bool,
    /// A geolocation field on accounts.
    pub geolocation: bool,
    /// People as accounts.
    pub person_accounts: bool,
    /// `CurrencyIsoCode` and the currency table.
    pub multi_currency: bool,
}

impl Default for Features {
    fn default() -> Self {
        Features {
            compounds: true,
            state_and_country_codes: false,
            geolocation: false,
            person_accounts: false,
            multi_currency: false,
        }
    }
}
