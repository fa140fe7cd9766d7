//! How the core systems are set up.

use chrono::{DateTime, NaiveDate, TimeZone, Utc};

/// How the core systems are set up and served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides all made-up values, as the company's story of the same seed.
    pub seed: u64,
    /// How many contracts there are from the start. The customers are the company's (fewer than 400); beyond their
    /// number customers have second and third contracts.
    pub records: u64,
    /// How many invoices there are from the start; `None`: as many as contracts.
    pub invoices: Option<u64>,
    /// So many of the first contracts and invoices were moved in at once: all have the same stamp.
    pub imported: u64,
    /// What the clock shows at the start; it moves only when told to. Fractions of a second are cut off.
    pub at: DateTime<Utc>,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Whether answers are compressed for clients that accept it.
    pub gzip: bool,
    /// There is only one plan.
    pub single_plan: bool,
    /// How many calls of the accounting API are allowed in a minute of the clock; `None`: any number.
    pub calls_a_minute: Option<u64>,
    /// Errors of the accounting API come with status 200.
    pub errors_with_200: bool,
    /// A refresh token is good once, and gives the next one.
    pub rotate_refresh_tokens: bool,
    /// The usage API checks `X-Timestamp` and `X-Signature`.
    pub signed: bool,
    /// By how many seconds `X-Timestamp` may differ from the clock; `None`: not looked at.
    pub signature_skew_secs: Option<i64>,
    /// The first day with usage readings, in Japan.
    pub usage_since: NaiveDate,
    /// For how many days a reading grows: the day itself and those after it.
    pub corrected_days: u32,
    /// How many readings a page of the usage API has.
    pub usage_page: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 1,
            records: 0,
            invoices: None,
            imported: 0,
            at: Utc.timestamp_opt(1_793_458_800, 0).single().unwrap_or_default(), // 2026-10-31T15:00:00Z
            port: 0,
            gzip: true,
            single_plan: false,
            calls_a_minute: None,
            errors_with_200: false,
            rotate_refresh_tokens: true,
            signed: false,
            signature_skew_secs: None,
            usage_since: NaiveDate::from_ymd_opt(2026, 4, 1).unwrap_or_default(),
            corrected_days: 3,
            usage_page: 200,
        }
    }
}
