//! How a domain is set up.

use chrono::{DateTime, TimeZone, Utc};
use serde::Deserialize;

/// How a domain is set up and served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides all made-up values.
    pub seed: u64,
    /// How many records the customer app (顧客管理, app 1) has from the start.
    pub records: u64,
    /// How many records the deal app (案件管理, app 2) has from the start; needs customers.
    pub deals: u64,
    /// So many of the first customers were imported at once: all have the same minute.
    pub imported: u64,
    /// What the domain's clock shows at the start; it moves only when told to. Fractions of a second are cut off.
    pub at: DateTime<Utc>,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Whether answers are compressed for clients that accept it.
    pub gzip: bool,
    /// How many requests may run at once.
    pub concurrency: u64,
    /// How many records `like` looks at before it gives up and sends a part with a warning.
    pub like_limit: u64,
    /// After how many seconds `like` finds what was saved.
    pub like_lag_secs: i64,
    /// Login and password of the Basic authentication in front of the domain, if it has one.
    pub basic: Option<(String, String)>,
    /// The domain's time zone, in seconds east of UTC.
    pub zone_secs: i64,
    /// Whether records carry a key that no document knows.
    pub extra_keys: bool,
    /// Whether rows that are equal in all that `order by` names come in another order each time.
    pub shuffle_ties: bool,
    /// What the documents leave open.
    pub hypotheses: Hypotheses,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 1,
            records: 0,
            deals: 0,
            imported: 0,
            at: Utc.timestamp_opt(1_793_458_800, 0).single().unwrap_or_default(), // 2026-10-31T15:00:00Z
            port: 0,
            gzip: true,
            concurrency: 100,
            like_limit: 100_000,
            like_lag_secs: 10,
            basic: None,
            zone_secs: 9 * 3_600,
            extra_keys: false,
            shuffle_ties: true,
            hypotheses: Hypotheses::default(),
        }
    }
}

/// A language of messages and names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese.
    #[default]
    Ja,
    /// English.
    En,
}

/// What no source settles, each switchable; the default is the reading that asks more of a connector.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hypotheses {
    /// Filters on 更新日時 and 作成日時 compare the seconds that nobody gets to see.
    pub filter_sees_seconds: bool,
    /// An empty DATETIME is `null`, not `""`.
    pub datetime_null: bool,
    /// An empty RADIO_BUTTON is `null`, not `""`.
    pub radio_null: bool,
    /// An empty NUMBER or CALC is `null`, not `""`.
    pub number_null: bool,
    /// A CALC that was added after the record was last saved has no key at all, not `""`.
    pub calc_absent: bool,
    /// CHECK_BOX and MULTI_SELECT come in another order each time.
    pub choices_shuffled: bool,
    /// Each read gives a file another `fileKey`.
    pub file_keys_change: bool,
    /// Names of people follow the caller's language.
    pub names_localized: bool,
    /// Renaming an option changes what old records hold.
    pub option_rename_rewrites: bool,
    /// Renaming an option counts as an update of the records that hold it.
    pub option_rename_touches: bool,
    /// A comment counts as an update of its record.
    pub comment_touches: bool,
    /// A save that changes nothing moves revision and time.
    pub idle_save_counts: bool,
    /// Fields that a user may not view are missing in form/fields, not only in records.
    pub form_hides_fields: bool,
    /// A cursor answers only the credential that created it.
    pub cursor_bound: bool,
    /// apps.json takes OAuth tokens.
    pub oauth_apps: bool,
    /// Refreshing gives a new refresh token and ends the old one.
    pub rotate_refresh_tokens: bool,
    /// `limit 0` is taken.
    pub limit_zero: bool,
    /// Keywords of queries are taken in any case.
    pub keywords_any_case: bool,
    /// `$revision` may be filtered by.
    pub revision_filter: bool,
    /// CATEGORY may be filtered by.
    pub category_filter: bool,
    /// Getting one record that the user may not view is 404, not 403.
    pub hidden_record_missing: bool,
    /// The status of `GAIA_AP15`.
    pub wrong_app_status: u16,
    /// The language of messages for callers that name none.
    pub default_language: Language,
    /// What `Retry-After` says with a 429, if it is sent at all.
    pub retry_after_secs: Option<u64>,
    /// After so many requests a day to an app, further ones are refused with 429 (the code is made up).
    pub daily_refusal: Option<u64>,
    /// The domain is on the Light course, without any API (refused with 403 `CB_NO02`, which is a guess).
    pub light_course: bool,
    /// How often a deploy answers PROCESSING before SUCCESS, while the clock stands still.
    pub deploy_polls: u64,
}

impl Default for Hypotheses {
    fn default() -> Self {
        Hypotheses {
            filter_sees_seconds: false,
            datetime_null: true,
            radio_null: true,
            number_null: false,
            calc_absent: true,
            choices_shuffled: true,
            file_keys_change: true,
            names_localized: true,
            option_rename_rewrites: true,
            option_rename_touches: false,
            comment_touches: false,
            idle_save_counts: true,
            form_hides_fields: true,
            cursor_bound: true,
            oauth_apps: false,
            rotate_refresh_tokens: false,
            limit_zero: false,
            keywords_any_case: false,
            revision_filter: false,
            category_filter: false,
            hidden_record_missing: false,
            wrong_app_status: 403,
            default_language: Language::Ja,
            retry_after_secs: None,
            daily_refusal: None,
            light_course: false,
            deploy_polls: 1,
        }
    }
}
