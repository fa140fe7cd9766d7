//! The answers of Zoho: only what our logic depends on. What does not apply is sent as `{}` or null, both at times, so
//! such parts are taken as they come.

use serde::Deserialize;
use serde_json::Value;

/// What the token endpoint gives, with whatever status.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenAnswer {
    pub(super) access_token: Option<String>,
    pub(super) api_domain: Option<String>,
    /// Seconds; of some data centres milliseconds.
    pub(super) expires_in: Option<i64>,
    pub(super) error: Option<String>,
}

/// A refusal: always the same four keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) details: Value,
}

/// `org`.
#[derive(Debug, Deserialize)]
pub(super) struct Orgs {
    pub(super) org: Vec<Org>,
}

/// The org that the credential belongs to.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Org {
    pub(super) zgid: String,
    #[serde(default)]
    pub(super) company_name: Option<String>,
    #[serde(default)]
    pub(super) time_zone: Option<String>,
    #[serde(default)]
    pub(super) iso_code: Option<String>,
}

/// `users`.
#[derive(Debug, Deserialize)]
pub(super) struct Users {
    pub(super) users: Vec<Named>,
}

/// Something with an id.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// `settings/modules`.
#[derive(Debug, Deserialize)]
pub(super) struct Modules {
    pub(super) modules: Vec<Module>,
}

/// A module as it is listed; not all that are can be read.
#[derive(Debug, Deserialize)]
pub(super) struct Module {
    pub(super) api_name: String,
    #[serde(default)]
    pub(super) plural_label: Option<String>,
    #[serde(default)]
    pub(super) generated_type: Option<String>,
    #[serde(default)]
    pub(super) api_supported: bool,
    #[serde(default)]
    pub(super) viewable: bool,
}

/// `settings/fields`.
#[derive(Debug, Deserialize)]
pub(super) struct DescribedFields {
    pub(super) fields: Vec<DescribedField>,
}

/// A field as its module describes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DescribedField {
    pub(super) api_name: String,
    #[serde(default)]
    pub(super) display_label: Option<String>,
    #[serde(default)]
    pub(super) data_type: Option<String>,
    #[serde(default)]
    pub(super) json_type: Option<String>,
    #[serde(default)]
    pub(super) pick_list_values: Option<Vec<PickListValue>>,
    #[serde(default)]
    pub(super) formula: Value,
    #[serde(default)]
    pub(super) rollup_summary: Value,
    #[serde(default)]
    pub(super) lookup: Value,
    #[serde(default)]
    pub(super) subform: Value,
}

/// A value that a picklist offers.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PickListValue {
    /// What records hold.
    #[serde(default)]
    pub(super) actual_value: Option<String>,
    /// What people see.
    #[serde(default)]
    pub(super) display_value: Option<String>,
}

/// `{module}/actions/count`.
#[derive(Debug, Deserialize)]
pub(super) struct Count {
    pub(super) count: u64,
}

/// `{module}/deleted`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct DeletedPage {
    pub(super) data: Vec<Deleted>,
    #[serde(default)]
    pub(super) info: PageInfo,
}

/// A record that was deleted.
#[derive(Debug, Deserialize)]
pub(super) struct Deleted {
    pub(super) id: String,
    #[serde(default)]
    pub(super) deleted_time: Option<String>,
}

/// What a page says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PageInfo {
    pub(super) more_records: bool,
    pub(super) next_page_token: Option<String>,
    pub(super) count: Option<u64>,
}

/// What came of making a bulk job.
#[derive(Debug, Deserialize)]
pub(super) struct JobsMade {
    pub(super) data: Vec<JobMade>,
}

#[derive(Debug, Deserialize)]
pub(super) struct JobMade {
    pub(super) details: Named,
}

/// How a bulk job is doing.
#[derive(Debug, Deserialize)]
pub(super) struct JobsSeen {
    pub(super) data: Vec<JobSeen>,
}

#[derive(Debug, Deserialize)]
pub(super) struct JobSeen {
    pub(super) state: String,
    #[serde(default)]
    pub(super) result: Option<JobResult>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JobResult {
    pub(super) count: u64,
    pub(super) next_page_token: Option<String>,
    pub(super) error_message: Value,
}
