//! The answers of HubSpot: only what our logic depends on. Every field of an error is optional.

use serde::Deserialize;

/// What the token endpoint gives.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
}

/// The body of a refusal, the token endpoint's too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ErrorBody {
    pub(super) message: String,
    pub(super) category: String,
    pub(super) policy_name: String,
    pub(super) correlation_id: String,
    /// Of the token endpoint.
    pub(super) error: String,
    /// `error`, or of the token endpoint `BAD_REFRESH_TOKEN` and the like.
    pub(super) status: String,
    pub(super) errors: Vec<ErrorDetail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorDetail {
    pub(super) category: String,
    pub(super) context: ErrorContext,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ErrorContext {
    pub(super) required_granular_scopes: Vec<String>,
}

/// `account-info/…/details`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    pub(super) portal_id: u64,
    #[serde(default)]
    pub(super) account_type: String,
    #[serde(default)]
    pub(super) time_zone: String,
    #[serde(default)]
    pub(super) company_currency: String,
}

/// A list without pages.
#[derive(Debug, Deserialize)]
pub(super) struct Results<T> {
    #[serde(default = "Vec::new")]
    pub(super) results: Vec<T>,
}

/// A property as an object describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Property {
    pub(super) name: String,
    #[serde(default)]
    pub(super) label: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) calculated: bool,
    #[serde(default)]
    pub(super) hubspot_defined: bool,
    #[serde(default)]
    pub(super) options: Vec<PropertyOption>,
}

impl Property {
    /// A property of HubSpot's own that no list shows.
    pub(super) fn derived(name: String, kind: &str, label: String) -> Property {
        let (kind, label) = (kind.to_owned(), Some(label));
        Property { name, label, kind, calculated: false, hubspot_defined: true, options: Vec::new() }
    }
}

/// A value that a property offers.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PropertyOption {
    pub(super) value: String,
    #[serde(default)]
    pub(super) label: Option<String>,
}

/// A custom object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Schema {
    #[serde(default)]
    pub(super) object_type_id: String,
    #[serde(default)]
    pub(super) fully_qualified_name: String,
    #[serde(default)]
    pub(super) labels: Labels,
}

/// What people call a custom object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Labels {
    pub(super) plural: Option<String>,
    pub(super) singular: Option<String>,
}

/// A page of a search that asks for ids.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) total: u64,
    pub(super) results: Vec<FoundId>,
}

impl Found {
    /// The ids, and the last of them where there are more behind it.
    pub(super) fn into_ids(self) -> (Vec<String>, Option<String>) {
        let ids: Vec<String> = self.results.into_iter().map(|found| found.id).collect();
        let next = ids.last().filter(|_| self.total > ids.len() as u64).cloned();
        (ids, next)
    }
}

/// What a batch says of records that are not there.
#[derive(Debug, Deserialize)]
pub(super) struct Missing {
    #[serde(default)]
    category: String,
    #[serde(default)]
    pub(super) context: MissingContext,
}

impl Missing {
    /// Whether it says that something is not there, and not that it could not be found out.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self.category.as_str(), "" | "OBJECT_NOT_FOUND")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct MissingContext {
    pub(super) ids: Vec<String>,
    /// Of a batch of links.
    pub(super) from_object_id: Vec<String>,
}

/// The id of a record that was found.
#[derive(Debug, Deserialize)]
pub(super) struct FoundId {
    pub(super) id: String,
}
