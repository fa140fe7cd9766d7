//! `identity.yaml` as people write it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How records of different sources are recognized as one customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// Rules in order; every rule links the records that agree on it.
    pub rules: Vec<Rule>,
    /// A cluster of more records than this loses the links of the value that bridges it; default 50.
    pub max_cluster: Option<usize>,
    /// A value held by more records than this never links; default 20.
    pub max_common: Option<usize>,
    /// Whose value wins: sources in order of trust.
    pub priority: Vec<String>,
    /// The same per variable of customer, where it differs.
    pub variable_priority: BTreeMap<String, Vec<String>>,
    /// Records a person has declared to be one customer: lists of `source/stream#key`.
    pub merge: Vec<Vec<String>>,
    /// Records a person has declared to be different customers: lists of `source/stream#key`.
    pub keep_apart: Vec<Vec<String>>,
}

/// One way of recognizing a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "match", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// A variable of customer holds the key of a record of another stream.
    ExternalId {
        /// The variable (text) that holds it.
        variable: String,
        /// The stream it is a key of: `source/stream`.
        stream: String,
    },
    /// The same valid 13-digit corporate number.
    CorporateNumber {
        /// The variable that holds it; default `corporate_number`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variable: Option<String>,
    },
    /// The same normalized company name, and the same value of another variable.
    Name {
        /// The variable that holds the name; default `name`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variable: Option<String>,
        /// Another variable that must agree (not empty) as well, such as `prefecture` or `phone`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        and: Option<String>,
    },
}
