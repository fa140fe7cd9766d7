//! The fields of a module.

use serde::Deserialize;

use crate::number::Decimal;
use crate::zoho::population::Generator;

/// What a field can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line.
    #[default]
    Text,
    /// Several lines.
    Textarea,
    /// HTML; lists cut it to 500 characters.
    RichText,
    /// An address.
    Email,
    /// A telephone number.
    Phone,
    /// A URL.
    Website,
    /// One of some texts.
    Picklist,
    /// Several of some texts.
    Multiselectpicklist,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// A whole number that is sent as a text.
    Bigint,
    /// A number with prefix that the org gives.
    Autonumber,
    /// A number.
    Double,
    /// A number.
    Percent,
    /// An amount of money.
    Currency,
    /// A day.
    Date,
    /// An instant.
    Datetime,
    /// A record of another module.
    Lookup,
    /// A user.
    Ownerlookup,
    /// A user.
    Userlookup,
    /// Several records, by rows of a linking module.
    Multiselectlookup,
    /// Rows, which are records of a module of their own.
    Subform,
    /// Computed whenever it is read.
    Formula,
    /// Computed from records that belong to this one, whenever it is read.
    RollupSummary,
    /// Tags.
    Tag,
    /// A text (a picture of a person).
    Profileimage,
    /// Anything, shown as it was given: files, reminders, and types that nobody knows ([`FieldSpec::declared`]).
    Raw,
}

impl FieldType {
    /// The names in the description: `data_type` and `json_type`.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            FieldType::Text => ("text", "string"),
            FieldType::Textarea | FieldType::RichText => ("textarea", "string"),
            FieldType::Email => ("email", "string"),
            FieldType::Phone => ("phone", "string"),
            FieldType::Website => ("website", "string"),
            FieldType::Picklist => ("picklist", "string"),
            FieldType::Multiselectpicklist => ("multiselectpicklist", "jsonarray"),
            FieldType::Boolean => ("boolean", "boolean"),
            FieldType::Integer => ("integer", "integer"),
            FieldType::Bigint => ("bigint", "string"),
            FieldType::Autonumber => ("autonumber", "string"),
            FieldType::Double => ("double", "double"),
            FieldType::Percent => ("percent", "double"),
            FieldType::Currency => ("currency", "double"),
            FieldType::Date => ("date", "string"),
            FieldType::Datetime => ("datetime", "string"),
            FieldType::Lookup => ("lookup", "jsonobject"),
            FieldType::Ownerlookup => ("ownerlookup", "jsonobject"),
            FieldType::Userlookup => ("userlookup", "jsonobject"),
            FieldType::Multiselectlookup => ("multiselectlookup", "jsonarray"),
            FieldType::Subform => ("subform", "jsonarray"),
            FieldType::Formula => ("formula", "double"),
            FieldType::RollupSummary => ("rollup_summary", "double"),
            FieldType::Tag => ("text", "jsonarray"),
            FieldType::Profileimage => ("profileimage", "string"),
            FieldType::Raw => ("fileupload", "jsonarray"),
        }
    }

    /// Whether it holds a number that records carry as one.
    pub(crate) fn is_number(self) -> bool {
        use FieldType::{Currency, Double, Formula, Integer, Percent, RollupSummary};
        matches!(self, Integer | Double | Percent | Currency | Formula | RollupSummary)
    }

    /// Whether it holds the id of a user.
    pub(crate) fn is_user(self) -> bool {
        matches!(self, FieldType::Ownerlookup | FieldType::Userlookup)
    }

    /// Whether its rows are records of another module.
    pub(crate) fn is_rows(self) -> bool {
        matches!(self, FieldType::Subform | FieldType::Multiselectlookup)
    }
}

/// How a formula is computed; nothing is when what it is computed from is empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Formula {
    /// A field of the record, times a factor.
    Times {
        /// The field.
        field: String,
        /// A decimal number.
        factor: String,
    },
    /// How many days from today, by the org's clock, until a date.
    DaysUntil {
        /// The field.
        field: String,
    },
    /// How many records belong to this one.
    Count {
        /// Their module.
        module: String,
        /// Their lookup.
        lookup: String,
    },
    /// The sum of a field of the records that belong to this one.
    Sum {
        /// Their module.
        module: String,
        /// Their lookup.
        lookup: String,
        /// The field.
        field: String,
    },
}

/// A value of a picklist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What records hold.
    pub actual: String,
    /// What people see.
    pub display: String,
}

impl Choice {
    /// A value that looks like what it is.
    pub fn plain(text: &str) -> Choice {
        Choice { actual: text.to_owned(), display: text.to_owned() }
    }
}

/// How a field is set up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldSpec {
    /// As it is called in calls and answers.
    pub api_name: String,
    /// As people see it; the API name without one.
    pub label: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// The `data_type` to be told instead of that which belongs to `field_type`: `rich_thing`, `RRULE`.
    pub declared: Option<String>,
    /// The values of a picklist.
    pub choices: Vec<Choice>,
    /// The module that a lookup looks up; for sub-forms and multi-select lookups that of their rows.
    pub module: Option<String>,
    /// How a formula or roll-up is computed.
    pub formula: Option<Formula>,
    /// The longest text.
    pub length: u64,
}

impl FieldSpec {
    /// A field of that type.
    pub fn new(api_name: &str, label: &str, field_type: FieldType) -> FieldSpec {
        FieldSpec {
            api_name: api_name.to_owned(),
            label: label.to_owned(),
            field_type,
            length: 255,
            ..FieldSpec::default()
        }
    }

    /// A line of text.
    pub fn text(api_name: &str, label: &str) -> FieldSpec {
        FieldSpec::new(api_name, label, FieldType::Text)
    }

    /// A picklist with these values.
    pub fn picklist(api_name: &str, label: &str, values: &[&str]) -> FieldSpec {
        let choices = values.iter().map(|value| Choice::plain(value)).collect();
        FieldSpec { choices, ..FieldSpec::new(api_name, label, FieldType::Picklist) }
    }

    /// A lookup of records of a module.
    pub fn lookup(api_name: &str, label: &str, module: &str) -> FieldSpec {
        FieldSpec { module: Some(module.to_owned()), ..FieldSpec::new(api_name, label, FieldType::Lookup) }
    }

    /// A formula or roll-up.
    pub fn formula(api_name: &str, label: &str, formula: Formula) -> FieldSpec {
        let field_type = match formula {
            Formula::Times { .. } | Formula::DaysUntil { .. } => FieldType::Formula,
            Formula::Count { .. } | Formula::Sum { .. } => FieldType::RollupSummary,
        };
        FieldSpec { formula: Some(formula), ..FieldSpec::new(api_name, label, field_type) }
    }

    /// The factor of a formula that multiplies.
    pub(crate) fn factor(&self) -> Option<Decimal> {
        if let Some(Formula::Times { factor, .. }) = &self.formula { Decimal::parse(factor) } else { None }
    }
}

/// Where a field has its values from, as long as nobody wrote one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Source {
    /// It is empty.
    #[default]
    Stored,
    /// Made up.
    Made(Generator),
    /// The record that it belongs to by its number.
    Parent,
    Id,
    Created,
    Modified,
    Creator,
    Modifier,
}

/// A field of a module.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) slot: u16,
    pub(crate) spec: FieldSpec,
    pub(crate) source: Source,
    pub(crate) is_custom: bool,
    /// Whether the profile of everybody but administrators may not see it.
    pub(crate) is_hidden: bool,
}

impl Column {
    pub(crate) fn name(&self) -> &str {
        &self.spec.api_name
    }

    pub(crate) fn kind(&self) -> FieldType {
        self.spec.field_type
    }

    /// Whether it is none of the fields that a person gives a record.
    pub(crate) fn is_system(&self) -> bool {
        !matches!(self.source, Source::Stored | Source::Made(_) | Source::Parent)
    }
}
