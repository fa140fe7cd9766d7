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
    pub(super) options: Vec<Choice>,
}

/// A value that a property offers.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Choice {
    pub(super) value: String,
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

/// What a batch says of records that are not there.
#[derive(Debug, Deserialize)]
pub(super) struct Missing {
    #[serde(default)]
    pub(super) context: MissingContext,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MissingContext {
    pub(super) ids: Vec<String>,
}

/// The id of a record that was found.
#[derive(Debug, Deserialize)]
pub(super) struct FoundId {
    pub(super) id: String,
}
