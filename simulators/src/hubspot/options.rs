//! How a portal is set up.

use chrono::{DateTime, TimeZone, Utc};
use serde::Deserialize;

/// How a portal is set up and served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides all made-up values.
    pub seed: u64,
    /// How many companies there are from the start.
    pub records: u64,
    /// How many contacts there are from the start.
    pub contacts: u64,
    /// How many deals there are from the start.
    pub deals: u64,
    /// How many tickets there are from the start.
    pub tickets: u64,
    /// How many line items there are from the start.
    pub line_items: u64,
    /// How many calls there are from the start, and as many emails, meetings, notes and tasks.
    pub activities: u64,
    /// How many records the custom object 利用環境 has from the start.
    pub environments: u64,
    /// How many answers to surveys there are from the start.
    pub feedback: u64,
    /// So many of the first records of each type were imported at once: all have the same millisecond.
    pub imported: u64,
    /// What the portal's clock shows at the start; it moves only when told to. Fractions of a millisecond are cut off.
    pub at: DateTime<Utc>,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Whether answers are compressed for clients that accept it.
    pub gzip: bool,
    /// The portal's number.
    pub portal_id: u64,
    /// The account's time zone, in seconds east of UTC: the day's allowance ends at its midnight.
    pub zone_secs: i64,
    /// So many `hs_…` properties without values are added to each type, as the service has hundreds.
    pub padding: u64,
    /// Whether answers carry keys that no document knows.
    pub extra_keys: bool,
    /// Whether too many calls in ten seconds, or searches in one, of the portal's clock are refused. Off, since a clock that
    /// stands still would refuse the 191st call for ever.
    pub rate_limits: bool,
    /// How many calls a private app has in ten seconds.
    pub burst: u64,
    /// How many calls an OAuth app has in ten seconds.
    pub oauth_burst: u64,
    /// How many searches the portal has in a second, by all apps together.
    pub searches_per_second: u64,
    /// How many calls private apps have in a day; always enforced.
    pub daily_limit: u64,
    /// The longest URL that is read, in bytes.
    pub longest_url: usize,
    /// After how many seconds a search finds what was written.
    pub index_lag_secs: i64,
    /// How many associations of one record a page holds.
    pub association_page: usize,
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
            tickets: 0,
            line_items: 0,
            activities: 0,
            environments: 0,
            feedback: 0,
            imported: 0,
            at: Utc.timestamp_opt(1_793_458_800, 0).single().unwrap_or_default(), // 2026-10-31T15:00:00Z
            port: 0,
            gzip: true,
            portal_id: 24_681_357,
            zone_secs: 9 * 3_600,
            padding: 0,
            extra_keys: false,
            rate_limits: false,
            burst: 190,
            oauth_burst: 110,
            searches_per_second: 5,
            daily_limit: 650_000,
            longest_url: 15_000,
            index_lag_secs: 10,
            association_page: 500,
            hypotheses: Hypotheses::default(),
        }
    }
}

/// How a refusal for too many calls looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitForm {
    /// As documented, with `errorType` and `policyName`; as recorded for searches.
    #[default]
    Mixed,
    /// With `errorType` and `policyName`.
    Documented,
    /// With `category` alone.
    Recorded,
    /// Only a message.
    Bare,
}

/// What no source settles, each switchable; the default is the reading that asks more of a connector.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hypotheses {
    /// The status of a batch answer that lacks some of what was asked for: 207 or 200.
    pub partial_status: u16,
    /// A known property without a value has no key at all, instead of `null`.
    pub empty_absent: bool,
    /// A property that was cleared reads `null`, not `""`.
    pub cleared_null: bool,
    /// `after` of a list is the next record's id, readable.
    pub plain_after: bool,
    /// The types (`contacts`, …) whose merges keep the primary record's id.
    pub merge_keeps_id: Vec<String>,
    /// A batch read by an id that was merged away gives the survivor.
    pub merged_in_batch: bool,
    /// How many values a contact's property history goes back.
    pub contact_history: usize,
    /// How many values any other record's property history goes back.
    pub object_history: usize,
    /// Searches with a body longer than that are refused.
    pub search_body_limit: Option<usize>,
    /// Results of a search end at 10,000 without an error.
    pub cap_is_quiet: bool,
    /// A search finds what was archived, merged or erased until its index catches up.
    pub index_keeps_removed: bool,
    /// `toObjectId` is a text, as in the published specification, and not a number.
    pub object_ids_are_text: bool,
    /// A change of associations moves the stamps of both records.
    pub associations_touch: bool,
    /// Bringing a record back from the archive moves its stamp.
    pub restore_touches: bool,
    /// Ids that come twice in a batch read are refused.
    pub repeated_inputs_refused: bool,
    /// Refreshing gives a new refresh token and ends the old one.
    pub rotate_refresh_tokens: bool,
    /// What `Retry-After` says with a 429, if it is sent at all.
    pub retry_after_secs: Option<u64>,
    /// How a 429 looks.
    pub limit_form: LimitForm,
    /// Errors hold only `message`.
    pub bare_errors: bool,
    /// Searches count to the day's allowance.
    pub searches_count_daily: bool,
    /// The deprecated headers for a second's allowance are sent.
    pub secondly_headers: bool,
}

impl Default for Hypotheses {
    fn default() -> Self {
        Hypotheses {
            partial_status: 207,
            empty_absent: false,
            cleared_null: false,
            plain_after: false,
            merge_keeps_id: Vec::new(),
            merged_in_batch: false,
            contact_history: 45,
            object_history: 20,
            search_body_limit: Some(3_000),
            cap_is_quiet: false,
            index_keeps_removed: true,
            object_ids_are_text: false,
            associations_touch: false,
            restore_touches: false,
            repeated_inputs_refused: true,
            rotate_refresh_tokens: false,
            retry_after_secs: None,
            limit_form: LimitForm::Mixed,
            bare_errors: false,
            searches_count_daily: true,
            secondly_headers: false,
        }
    }
}
