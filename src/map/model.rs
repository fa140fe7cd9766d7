//! Mapping files as people write them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::ReadAs;
use crate::schema::model::OnError;

/// A mapping: how the records of one stream become rows of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingConfig {
    /// The source's id.
    pub source: String,
    /// The stream, by the source's name.
    pub stream: String,
    /// The entity its records become.
    pub entity: String,
    /// Variable name → where its value comes from.
    pub variables: BTreeMap<String, VariableMapping>,
    /// A SQL condition over the stream's fields; records for which it is not true are out of scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#where: Option<String>,
    /// When a record counts (semantics H3); SQL expressions that give dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Effective>,
    /// Fields that had another name before: their present name → the old one. What was recorded under the old name
    /// is read under the new one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed: BTreeMap<String, Renamed>,
    /// Whether the source gives the key of a deleted record to a new one. Then a key that returns after a deletion
    /// is another record; without it, only when the source says that it was born at another time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reuses_keys: bool,
}

/// What a field was called before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    /// Its old name.
    pub was: String,
    /// The first day of the new name, such as `2026-03-01`, in the project's time zone.
    pub on: String,
}

/// When a record counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effective {
    /// From this date on, inclusive.
    pub from: String,
    /// Up to this date, exclusive; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum VariableMapping {
    /// A SQL expression over the stream's fields; a bare field name is one.
    Expr(String),
    /// The same with more to say.
    Full(FullMapping),
}

/// An expression with a translation of values, error handling, or a reference's target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FullMapping {
    /// A SQL expression over the stream's fields.
    pub from: String,
    /// Translates values before conversion; a value that is not listed is converted as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// What happens to a value that does not convert.
    #[serde(default)]
    pub on_error: OnError,
    /// For `ref`: the stream whose key the value is (`stream`, or `source/stream`); default: the one
    /// stream of the same source that is mapped to the entity referred to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// How this source writes its texts, where they could be read in two ways.
    #[serde(default, skip_serializing_if = "ReadAs::is_default")]
    pub read_as: ReadAs,
    /// For `money`: a SQL expression that gives the record's currency (ISO 4217); an amount in another currency than the
    /// variable's is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}
