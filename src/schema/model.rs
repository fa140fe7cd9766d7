//! Entities and variables as people write them in `schemas/entities/` and `schemas/variables/`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read_as::ReadAs;

/// What people read instead of a name, in the languages that the project speaks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Japanese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja: Option<String>,
    /// English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

/// What a variable's values are.
///
/// In memory: text, enum, set, email, url, phone, postal_code, corporate_number and ref are `Utf8`; integer `Int64`;
/// decimal and percent `Decimal128(38, 10)`; money `Decimal128(38, scale)`; boolean `Boolean`; date
/// `Date32`; datetime `Timestamp(µs, UTC)`. A percent of 75 % is the number 75.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum VariableType {
    Text,
    Integer,
    Decimal,
    Money,
    Percent,
    Boolean,
    Date,
    Datetime,
    Enum,
    Set,
    Url,
    Email,
    Phone,
    PostalCode,
    CorporateNumber,
    Ref,
}

impl VariableType {
    /// All types, in the order they are shown.
    pub const ALL: [VariableType; 16] = [
        VariableType::Text,
        VariableType::Integer,
        VariableType::Decimal,
        VariableType::Money,
        VariableType::Percent,
        VariableType::Boolean,
        VariableType::Date,
        VariableType::Datetime,
        VariableType::Enum,
        VariableType::Set,
        VariableType::Url,
        VariableType::Email,
        VariableType::Phone,
        VariableType::PostalCode,
        VariableType::CorporateNumber,
        VariableType::Ref,
    ];

    /// The word for it in files.
    pub fn word(self) -> &'static str {
        match self {
            VariableType::Text => "text",
            VariableType::Integer => "integer",
            VariableType::Decimal => "decimal",
            VariableType::Money => "money",
            VariableType::Percent => "percent",
            VariableType::Boolean => "boolean",
            VariableType::Date => "date",
            VariableType::Datetime => "datetime",
            VariableType::Enum => "enum",
            VariableType::Set => "set",
            VariableType::Url => "url",
            VariableType::Email => "email",
            VariableType::Phone => "phone",
            VariableType::PostalCode => "postal_code",
            VariableType::CorporateNumber => "corporate_number",
            VariableType::Ref => "ref",
        }
    }
}

/// How a variable adds up over customers in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Aggregate {
    #[default]
    None,
    Sum,
    Avg,
    Min,
    Max,
    Count,
}

/// Which direction of change is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Better {
    Up,
    Down,
}

/// What happens to a value that does not convert.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Keep it aside with its reason; the cell is unknown.
    #[default]
    Hold,
    /// The cell is empty.
    Null,
    /// The cell has this value (written as the source would write it).
    Default(String),
}

/// One place a variable's value can come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FromConfig {
    /// The source's id.
    pub source: String,
    /// The stream; it must have a mapping to the variable's entity.
    pub stream: String,
    /// A SQL expression over the stream's fields (a bare field name is one).
    pub expr: String,
    /// Translates values before conversion.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// What happens to a value that does not convert.
    #[serde(default)]
    pub on_error: OnError,
    /// How this source writes its texts, where they could be read in two ways.
    #[serde(default, skip_serializing_if = "ReadAs::is_default")]
    pub read_as: ReadAs,
    /// For `money`: a SQL expression that gives the record's currency (ISO 4217); an amount in another currency than the
    /// variable's is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// A variable: one named, typed column of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariableConfig {
    /// Its name: lower-case letters, digits and `_`, starting with a letter.
    pub name: String,
    /// What people read.
    #[serde(default)]
    pub label: Label,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its values are.
    pub r#type: VariableType,
    /// Custom variables: where its value comes from; the first that has a value wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<FromConfig>,
    /// Custom variables: a SQL expression over this entity's variables, instead of `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derive: Option<String>,
    /// For `enum`: the values in order; others are held. For `set`: its elements in order; without them any text is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// For `enum` and `set`: what people read instead of a value; read as the value where a source writes it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub value_labels: BTreeMap<String, Label>,
    /// How its texts are read, where they could be read in two ways; a mapping may say otherwise for its source.
    #[serde(default, skip_serializing_if = "ReadAs::is_default")]
    pub read_as: ReadAs,
    /// For `money`: the ISO 4217 code; default the project's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// For `money`: decimal places, 0 to 10; default that of the currency (JPY 0, most 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u8>,
    /// For `ref`: the entity it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// How it adds up over customers in a comparison; default `sum` for money and integer, else `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Aggregate>,
    /// Which direction is good news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better: Option<Better>,
}

/// An entity: one table of the unified schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityConfig {
    /// Its name: `customer`, `contact`, `contract`, `deal`.
    pub name: String,
    /// What people read.
    #[serde(default)]
    pub label: Label,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its built-in variables, in the order they are shown.
    pub variables: Vec<VariableConfig>,
}
