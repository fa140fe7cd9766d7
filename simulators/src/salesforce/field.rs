//! What an org knows about a field.

use serde::Deserialize;

/// The type of a field, as `describe` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the names are those of the service
pub enum FieldType {
    Id,
    Reference,
    String,
    Textarea,
    Email,
    Phone,
    Url,
    Picklist,
    Multipicklist,
    Combobox,
    Boolean,
    Int,
    Double,
    Currency,
    Percent,
    Date,
    Datetime,
    Time,
    Address,
    Location,
    /// A value of any type: what a history row says a field held.
    AnyType,
}

impl FieldType {
    /// The word in `describe`.
    pub fn name(self) -> &'static str {
        match self {
            FieldType::Id => "id",
            FieldType::Reference => "reference",
            FieldType::String => "string",
            FieldType::Textarea => "textarea",
            FieldType::Email => "email",
            FieldType::Phone => "phone",
            FieldType::Url => "url",
            FieldType::Picklist => "picklist",
            FieldType::Multipicklist => "multipicklist",
            FieldType::Combobox => "combobox",
            FieldType::Boolean => "boolean",
            FieldType::Int => "int",
            FieldType::Double => "double",
            FieldType::Currency => "currency",
            FieldType::Percent => "percent",
            FieldType::Date => "date",
            FieldType::Datetime => "datetime",
            FieldType::Time => "time",
            FieldType::Address => "address",
            FieldType::Location => "location",
            FieldType::AnyType => "anyType",
        }
    }

    /// The SOAP type that belongs to it.
    pub(crate) fn soap(self) -> &'static str {
        match self {
            FieldType::Id | FieldType::Reference => "tns:ID",
            FieldType::Boolean => "xsd:boolean",
            FieldType::Int => "xsd:int",
            FieldType::Double | FieldType::Currency | FieldType::Percent => "xsd:double",
            FieldType::Date => "xsd:date",
            FieldType::Datetime => "xsd:dateTime",
            FieldType::Time => "xsd:time",
            FieldType::Address => "urn:address",
            FieldType::Location => "urn:location",
            FieldType::AnyType => "xsd:anyType",
            _ => "xsd:string",
        }
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent)
    }

    pub(crate) fn is_compound(self) -> bool {
        matches!(self, FieldType::Address | FieldType::Location)
    }

    pub(crate) fn is_id(self) -> bool {
        matches!(self, FieldType::Id | FieldType::Reference)
    }
}

/// How a formula field gets its value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// A number field times a factor, written as a decimal.
    Times {
        /// The field that is multiplied.
        field: String,
        /// By what, such as `12` or `1.1`.
        factor: String,
    },
    /// A field of the row that a lookup points to; changes when that row does.
    Parent {
        /// The lookup field, such as `AccountId`.
        lookup: String,
        /// The field of the other object.
        field: String,
    },
    /// The days from today to a date field; changes every day.
    DaysUntil {
        /// The date field.
        field: String,
    },
}

impl Formula {
    /// The formula as an administrator would have written it.
    pub(crate) fn text(&self) -> String {
        match self {
            Formula::Times { field, factor } => format!("{field} * {factor}"),
            Formula::Parent { lookup, field } => format!("{}.{field}", relationship_of(lookup)),
            Formula::DaysUntil { field } => format!("{field} - TODAY()"),
        }
    }
}

/// `AccountId` is followed as `Account`, `Partner__c` as `Partner__r`.
pub(crate) fn relationship_of(lookup: &str) -> String {
    match (lookup.strip_suffix("__c"), lookup.strip_suffix("Id")) {
        (Some(stem), _) => format!("{stem}__r"),
        (None, Some(stem)) => stem.to_owned(),
        (None, None) => lookup.to_owned(),
    }
}

/// A field of an object, as an administrator sets it up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// The API name; custom fields end in `__c`.
    pub name: String,
    /// What people see.
    #[serde(default)]
    pub label: String,
    /// Its type.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// For texts, how many characters fit.
    #[serde(default)]
    pub length: u32,
    /// For numbers, how many digits there are in all.
    #[serde(default)]
    pub precision: u32,
    /// For numbers, how many digits follow the point.
    #[serde(default)]
    pub scale: u32,
    /// For picklists, the active values.
    #[serde(default)]
    pub values: Vec<String>,
    /// For lookups, the objects that it may point to.
    #[serde(default)]
    pub reference_to: Vec<String>,
    /// For formula fields, how they are computed.
    #[serde(default)]
    pub formula: Option<Formula>,
    /// For parts of a compound field, the whole.
    #[serde(default)]
    pub compound: Option<String>,
    /// Whether a row need not have it.
    #[serde(default = "yes")]
    pub nillable: bool,
    /// Whether it is an external id.
    #[serde(default)]
    pub external_id: bool,
    /// Whether only the platform writes it.
    #[serde(default)]
    pub read_only: bool,
}

fn yes() -> bool {
    true
}

impl FieldSpec {
    /// A nillable field of that type, with the size that is usual for it.
    pub fn new(name: &str, label: &str, field_type: FieldType) -> Self {
        let (length, precision, scale) = match field_type {
            FieldType::Id | FieldType::Reference => (18, 0, 0),
            FieldType::Email => (80, 0, 0),
            FieldType::Phone => (40, 0, 0),
            FieldType::String | FieldType::Textarea | FieldType::Url | FieldType::Picklist => (255, 0, 0),
            FieldType::Multipicklist => (4099, 0, 0),
            FieldType::Int => (0, 8, 0),
            FieldType::Currency => (0, 18, 2),
            FieldType::Double | FieldType::Percent => (0, 18, 2),
            _ => (0, 0, 0),
        };
        FieldSpec {
            name: name.to_owned(),
            label: label.to_owned(),
            field_type,
            length,
            precision,
            scale,
            values: Vec::new(),
            reference_to: Vec::new(),
            formula: None,
            compound: None,
            nillable: !matches!(field_type, FieldType::Id | FieldType::Boolean),
            external_id: false,
            read_only: false,
        }
    }

    /// A text of at most that many characters.
    pub fn text(name: &str, label: &str, length: u32) -> Self {
        FieldSpec { length, ..FieldSpec::new(name, label, FieldType::String) }
    }

    /// A text of several lines; more than 255 characters make it a long text.
    pub fn textarea(name: &str, label: &str, length: u32) -> Self {
        FieldSpec { length, ..FieldSpec::new(name, label, FieldType::Textarea) }
    }

    /// A choice of one of these values.
    pub fn picklist(name: &str, label: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        FieldSpec { values, ..FieldSpec::new(name, label, FieldType::Picklist) }
    }

    /// A choice of any of these values.
    pub fn multipicklist(name: &str, label: &str, values: &[&str]) -> Self {
        FieldSpec { field_type: FieldType::Multipicklist, length: 4099, ..FieldSpec::picklist(name, label, values) }
    }

    /// A number of that type with `precision` digits in all, `scale` of them after the point.
    pub fn number(name: &str, label: &str, field_type: FieldType, precision: u32, scale: u32) -> Self {
        FieldSpec { precision, scale, ..FieldSpec::new(name, label, field_type) }
    }

    /// A pointer to a row of one of these objects.
    pub fn lookup(name: &str, label: &str, targets: &[&str]) -> Self {
        let reference_to = targets.iter().map(|&target| target.to_owned()).collect();
        FieldSpec { reference_to, ..FieldSpec::new(name, label, FieldType::Reference) }
    }

    /// Gives it a formula, which makes it read-only.
    pub fn calculated(mut self, formula: Formula) -> Self {
        self.formula = Some(formula);
        self.read_only = true;
        self
    }

    /// Makes it a part of a compound field.
    pub fn part_of(mut self, compound: &str) -> Self {
        self.compound = Some(compound.to_owned());
        self
    }

    /// Makes it one that every row has.
    pub fn required(mut self) -> Self {
        self.nillable = false;
        self
    }

    /// Makes it one that only the platform writes.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Makes it an external id.
    pub fn external(mut self) -> Self {
        self.external_id = true;
        self
    }

    /// Whether an administrator has added it.
    pub fn is_custom(&self) -> bool {
        ["__c", "__s", "__pc"].iter().any(|end| self.name.ends_with(end))
    }

    /// Whether its texts are too long to be filtered or sorted by.
    pub(crate) fn is_long_text(&self) -> bool {
        self.field_type == FieldType::Textarea && self.length > 255
    }

    pub(crate) fn is_filterable(&self) -> bool {
        !self.is_long_text() && !self.field_type.is_compound() && self.field_type != FieldType::AnyType
    }

    pub(crate) fn is_sortable(&self) -> bool {
        self.is_filterable() && self.field_type != FieldType::Multipicklist
    }

    /// The name under which queries follow it, for lookups.
    pub(crate) fn relationship(&self) -> Option<String> {
        (self.field_type == FieldType::Reference).then(|| relationship_of(&self.name))
    }
}
