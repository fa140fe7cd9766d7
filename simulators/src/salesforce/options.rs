//! How an org is set up.

use chrono::{DateTime, TimeZone, Utc};

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
    /// What the org has switched on.
    pub features: Features,
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
            features: Features::default(),
        }
    }
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
