//! How an org is set up.

use chrono::{DateTime, TimeZone, Utc};
use serde::Deserialize;

/// How an org is set up and served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides all made-up values.
    pub seed: u64,
    /// How many accounts there are from the start.
    pub records: u64,
    /// How many contacts, spread over the accounts, which they need.
    pub contacts: u64,
    /// How many deals: each account's first is 新規, the next ones are what became of it. They need accounts.
    pub deals: u64,
    /// How many leads; some are converted, some wait for approval.
    pub leads: u64,
    /// How many records of the custom module `Subscriptions` (契約), with two rows in its sub-form each. They need accounts.
    pub subscriptions: u64,
    /// How many records of `Health_Checks`, a module of 120 custom fields.
    pub wide: u64,
    /// So many of the first accounts were imported at once: all have the same second.
    pub imported: u64,
    /// What the org's clock shows at the start; it moves only when told to. Fractions of a second are cut off.
    pub at: DateTime<Utc>,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Whether answers are compressed for clients that accept it.
    pub gzip: bool,
    /// The org's time zone, in seconds east of UTC.
    pub zone_secs: i64,
    /// What was paid for: decides credits and concurrency.
    pub edition: Edition,
    /// How many users are paid for, which adds to the credits.
    pub users: u64,
    /// Credits of 24 hours, instead of those of the edition.
    pub credits: Option<u64>,
    /// Whether records, and all that describes them, carry a key that no document knows.
    pub extra_keys: bool,
    /// How bulk read jobs go.
    pub bulk: BulkOptions,
    /// What the documents leave open.
    pub hypotheses: Hypotheses,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 1,
            records: 0,
            contacts: 0,
            deals: 0,
            leads: 0,
            subscriptions: 0,
            wide: 0,
            imported: 0,
            at: Utc.timestamp_opt(1_793_458_800, 0).single().unwrap_or_default(), // 2026-10-31T15:00:00Z
            port: 0,
            gzip: true,
            zone_secs: 9 * 3_600,
            edition: Edition::Enterprise,
            users: 10,
            credits: None,
            extra_keys: false,
            bulk: BulkOptions::default(),
            hypotheses: Hypotheses::default(),
        }
    }
}

impl Options {
    /// The credits of 24 hours.
    pub(crate) fn daily_credits(&self) -> u64 {
        self.credits.unwrap_or_else(|| self.edition.credits(self.users))
    }
}

/// What was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edition {
    /// 5,000 credits, 5 requests at once.
    Free,
    /// 50,000 credits and 250 for each user, at most 100,000; 10 requests at once.
    Standard,
    /// 50,000 credits and 500 for each user; 15 requests at once.
    Professional,
    /// 50,000 credits and 1,000 for each user; 20 requests at once.
    Enterprise,
    /// 50,000 credits and 2,000 for each user; 25 requests at once.
    Ultimate,
}

impl Edition {
    fn credits(self, users: u64) -> u64 {
        match self {
            Edition::Free => 5_000,
            Edition::Standard => (50_000 + 250 * users).min(100_000),
            Edition::Professional => (50_000 + 500 * users).min(3_000_000),
            Edition::Enterprise => (50_000 + 1_000 * users).min(5_000_000),
            Edition::Ultimate => 50_000 + 2_000 * users,
        }
    }

    /// How many requests may run at once.
    pub(crate) fn concurrency(self) -> u64 {
        match self {
            Edition::Free => 5,
            Edition::Standard => 10,
            Edition::Professional => 15,
            Edition::Enterprise => 20,
            Edition::Ultimate => 25,
        }
    }
}

/// How bulk read jobs go. A job gets on when it is polled, and not before the org's clock has moved so far.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BulkOptions {
    /// How many polls find it `ADDED`.
    pub added_polls: u32,
    /// How many more find it `QUEUED`.
    pub queued_polls: u32,
    /// How many more find it `IN PROGRESS`.
    pub running_polls: u32,
    /// How long it is not begun, in seconds.
    pub waiting_secs: i64,
    /// How long it runs then, in seconds.
    pub running_secs: i64,
    /// The rows of a page.
    pub page_rows: u64,
    /// The largest page number.
    pub last_page: u64,
    /// Which job (the first is 1) ends in `FAILURE`.
    pub failing_job: Option<u64>,
    /// Whether a job tells of records as they were when it was made, not when it was done.
    pub as_of_creation: bool,
    /// Whether the columns come in another order than they were asked for.
    pub columns_shuffled: bool,
    /// Asking for a result that is not ready, or gone, is answered 404, not 400.
    pub not_ready_missing: bool,
    /// What stands between the items of a multi-select picklist.
    pub separator: char,
}

impl Default for BulkOptions {
    fn default() -> Self {
        BulkOptions {
            added_polls: 0,
            queued_polls: 1,
            running_polls: 1,
            waiting_secs: 0,
            running_secs: 0,
            page_rows: 200_000,
            last_page: 50,
            failing_job: None,
            as_of_creation: false,
            columns_shuffled: true,
            not_ready_missing: false,
            separator: ';',
        }
    }
}

/// What is answered when a record is asked for that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownId {
    /// 204 without a body.
    NoContent,
    /// 404 `INVALID_DATA`.
    NotFound,
    /// 400 `INVALID_DATA`.
    BadRequest,
}

/// What no source settles, each switchable; the default is the reading that asks more of a connector.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hypotheses {
    /// What is said of a record that is not there.
    pub unknown_id: UnknownId,
    /// Names in `fields` that are unknown, or hidden, are refused with 400 `INVALID_DATA`, not left out in silence.
    pub unknown_field_refused: bool,
    /// A used-up allowance is 429 `LIMIT_EXCEEDED`, not `TOO_MANY_REQUESTS`.
    pub exhausted_is_limit: bool,
    /// What `Retry-After` says with a 429; the dossier knows of none.
    pub retry_after_secs: Option<u64>,
    /// Restoring a record from the recycle bin moves its `Modified_Time`.
    pub restore_moves: bool,
    /// A change in a sub-form moves the `Modified_Time` of the record.
    pub subform_moves: bool,
    /// Bare lookups in COQL carry a name besides the id.
    pub coql_names: bool,
    /// How many columns COQL selects.
    pub coql_columns: usize,
    /// How far COQL reads by offset.
    pub coql_reach: u64,
    /// Whole amounts of money are shown with `.0`.
    pub whole_with_point: bool,
    /// An empty picklist is `-None-`, not null.
    pub none_placeholder: bool,
    /// An empty multi-select picklist is null, not `[]`.
    pub multiselect_null: bool,
    /// How many rows of a sub-form come with their record.
    pub subform_cut: usize,
    /// `DealHistory` can be read as a module.
    pub deal_history_module: bool,
    /// The list of deleted records is in no order.
    pub deleted_shuffled: bool,
    /// The status of the answer to too many token requests.
    pub token_throttle_status: u16,
    /// Token answers have `expires_in` in milliseconds, beside `expires_in_sec`.
    pub expires_in_millis: bool,
    /// An expired access token gives an empty 200, not 401.
    pub expired_silently: bool,
    /// `Bearer` works like `Zoho-oauthtoken`.
    pub bearer: bool,
}

impl Default for Hypotheses {
    fn default() -> Self {
        Hypotheses {
            unknown_id: UnknownId::NoContent,
            unknown_field_refused: false,
            exhausted_is_limit: false,
            retry_after_secs: None,
            restore_moves: false,
            subform_moves: false,
            coql_names: false,
            coql_columns: 50,
            coql_reach: 100_000,
            whole_with_point: false,
            none_placeholder: false,
            multiselect_null: true,
            subform_cut: 200,
            deal_history_module: true,
            deleted_shuffled: true,
            token_throttle_status: 200,
            expires_in_millis: false,
            expired_silently: false,
            bearer: true,
        }
    }
}
