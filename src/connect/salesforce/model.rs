//! The answers of Salesforce: only what our logic depends on.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::rows::parse_datetime;
use crate::clock::Timestamp;

/// What the token endpoint gives. Only these two are sure to be there in every flow.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    pub(super) instance_url: String,
    /// Ends with `/<org id>/<user id>`.
    pub(super) id: Option<String>,
    /// Only when the org rotates refresh tokens (or on first consent).
    pub(super) refresh_token: Option<String>,
}

/// What the token endpoint says when it refuses: an object, unlike everywhere else.
#[derive(Debug, Deserialize)]
pub(super) struct TokenRefusal {
    pub(super) error: String,
    #[serde(default)]
    pub(super) error_description: String,
}

/// One of the errors in a REST answer.
#[derive(Debug, Deserialize)]
pub(super) struct RestError {
    #[serde(rename = "errorCode", default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

/// The objects of an org.
#[derive(Debug, Deserialize)]
pub(super) struct Objects {
    pub(super) sobjects: Vec<ObjectSummary>,
}

/// An object without its fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectSummary {
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) queryable: bool,
    #[serde(default)]
    pub(super) deprecated_and_hidden: bool,
    #[serde(default)]
    pub(super) custom_setting: bool,
}

/// An object's description.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Describe {
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) queryable: bool,
    /// Whether the object has a log of deletions.
    #[serde(default)]
    pub(super) replicateable: bool,
    pub(super) fields: Vec<DescribedField>,
}

/// One field of a description.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribedField {
    pub(super) name: String,
    pub(super) label: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) calculated: bool,
    pub(super) calculated_formula: Option<String>,
    #[serde(default)]
    pub(super) nillable: bool,
    #[serde(default)]
    pub(super) filterable: bool,
    #[serde(default)]
    pub(super) sortable: bool,
    #[serde(default)]
    pub(super) picklist_values: Vec<PicklistValue>,
}

/// One value of a picklist.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PicklistValue {
    pub(super) value: String,
    #[serde(default)]
    pub(super) label: Option<String>,
}

/// The answer of the composite resource; always status 200 outside.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompositeAnswer<'a> {
    #[serde(borrow)]
    pub(super) composite_response: Vec<CompositePart<'a>>,
}

/// One part of it, with the status that counts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompositePart<'a> {
    #[serde(borrow)]
    pub(super) body: &'a RawValue,
    pub(super) http_status_code: u16,
}

/// The log of deletions of one object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteLog {
    pub(super) deleted_records: Vec<Deleted>,
    /// Nothing is known of what came before.
    pub(super) earliest_date_available: Option<Instant>,
    /// From where to ask next time.
    pub(super) latest_date_covered: Option<Instant>,
}

/// One row of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deleted {
    pub(super) id: String,
    pub(super) deleted_date: Instant,
}

/// An instant as Salesforce prints it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant(Timestamp);

impl Instant {
    pub(super) fn at(self) -> Timestamp {
        self.0
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_datetime(&text).map(Instant).ok_or_else(|| serde::de::Error::custom("not an instant"))
    }
}

/// The one row of `Organization`, as `check` shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Organization {
    pub(super) name: String,
    pub(super) organization_type: Option<String>,
    pub(super) is_sandbox: bool,
}

/// Any query's rows, where they are few.
#[derive(Debug, Deserialize)]
pub(super) struct Rows<T> {
    pub(super) records: Vec<T>,
}

/// How much of the daily allowance the whole org has used (`Sforce-Limit-Info`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) used: u64,
    pub(super) max: u64,
}

impl Usage {
    /// Reads `api-usage=18/5000; api-bursts=1/750`; other parts come and go.
    pub(super) fn parse(header: &str) -> Option<Usage> {
        let (used, max) = header.split(';').find_map(|part| part.trim().strip_prefix("api-usage="))?.split_once('/')?;
        Some(Usage { used: used.trim().parse().ok()?, max: max.trim().parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_header_is_read_in_all_its_forms() {
        let used = |header| Usage::parse(header).map(|usage| (usage.used, usage.max));
        assert_eq!(used("api-usage=25/5000"), Some((25, 5000)));
        assert_eq!(used("api-usage=110018/100000; api-bursts=1/750"), Some((110018, 100000)));
        assert_eq!(used("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)"), Some((25, 5000)));
        assert_eq!(used("per-app-api-usage=17/250(appName=sample);api-usage=25/5000"), Some((25, 5000)));
        assert_eq!(used("something=else"), None);
    }
}
