//! The properties of an object type.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::hubspot::population::{Maker, Steps};
use crate::hubspot::time::iso;

/// What a property holds. On the wire all of it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are those of HubSpot's documentation")]
pub enum PropertyType {
    String,
    Number,
    Date,
    #[serde(rename = "datetime")]
    DateTime,
    Enumeration,
    Bool,
    PhoneNumber,
    Json,
}

impl PropertyType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            PropertyType::String => "string",
            PropertyType::Number => "number",
            PropertyType::Date => "date",
            PropertyType::DateTime => "datetime",
            PropertyType::Enumeration => "enumeration",
            PropertyType::Bool => "bool",
            PropertyType::PhoneNumber => "phone_number",
            PropertyType::Json => "json",
        }
    }

    /// The usual `fieldType`.
    fn field_type(self) -> &'static str {
        match self {
            PropertyType::String | PropertyType::Json => "text",
            PropertyType::Number => "number",
            PropertyType::Date | PropertyType::DateTime => "date",
            PropertyType::Enumeration => "select",
            PropertyType::Bool => "booleancheckbox",
            PropertyType::PhoneNumber => "phonenumber",
        }
    }
}

/// Who may see a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Everyone who may read the object.
    #[default]
    NonSensitive,
    /// Who has the scope `crm.objects.TYPE.sensitive.read.v2`.
    Sensitive,
    /// Who has the scope `crm.objects.TYPE.highly_sensitive.read.v2`.
    HighlySensitive,
}

impl Sensitivity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Sensitivity::NonSensitive => "non_sensitive",
            Sensitivity::Sensitive => "sensitive",
            Sensitivity::HighlySensitive => "highly_sensitive",
        }
    }
}

/// An option of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Choice {
    /// What records hold.
    pub value: String,
    /// What people see.
    pub label: String,
}

/// A property as an administrator defines it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertySpec {
    /// Its name in the API.
    pub name: String,
    /// What people see.
    #[serde(default)]
    pub label: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub property_type: PropertyType,
    /// How it is entered (`textarea`, `checkbox`, …); empty for what is usual.
    #[serde(default)]
    pub field_type: String,
    /// For enumerations.
    #[serde(default)]
    pub options: Vec<Choice>,
    /// Whether no two records hold the same.
    #[serde(default)]
    pub unique: bool,
    /// Whether HubSpot computes it: writes are refused, and changes move no stamp.
    #[serde(default)]
    pub calculated: bool,
    /// Who may see it.
    #[serde(default)]
    pub sensitivity: Sensitivity,
}

impl PropertySpec {
    /// A property of that type, entered as is usual.
    pub fn new(name: &str, label: &str, property_type: PropertyType) -> Self {
        PropertySpec {
            name: name.to_owned(),
            label: label.to_owned(),
            property_type,
            field_type: String::new(),
            options: Vec::new(),
            unique: false,
            calculated: false,
            sensitivity: Sensitivity::NonSensitive,
        }
    }

    /// A line of text.
    pub fn text(name: &str, label: &str) -> Self {
        PropertySpec::new(name, label, PropertyType::String)
    }

    /// An enumeration with these options (value and label).
    pub fn choice(name: &str, label: &str, options: &[(&str, &str)]) -> Self {
        let options = options.iter().map(|(value, label)| Choice { value: (*value).into(), label: (*label).into() });
        PropertySpec { options: options.collect(), ..PropertySpec::new(name, label, PropertyType::Enumeration) }
    }
}

/// What the stage of a record says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StageFact {
    Closed,
    Won,
    Lost,
    Probability,
}

/// Where a property has its values from, unless somebody wrote one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Origin {
    /// It has none until someone writes it.
    #[default]
    Stored,
    Made(Maker),
    Id,
    Created,
    Modified,
    /// The ids that were merged into it.
    MergedIds,
    /// The same, with the instants.
    MergedVids,
    /// What another property holds.
    Copy(&'static str),
    /// From the stage that it is in.
    OfStage(StageFact),
    /// How many records of that type it is associated with.
    Count(&'static str),
    /// The record of that type that it is associated with first of all.
    Primary(&'static str),
}

/// A property of a type. Its slot never changes.
#[derive(Debug, Clone)]
pub(crate) struct Property {
    pub(crate) spec: PropertySpec,
    pub(crate) slot: u32,
    pub(crate) origin: Origin,
    /// What it held earlier; the last is what it holds.
    pub(crate) steps: Option<Steps>,
    pub(crate) hubspot_defined: bool,
    pub(crate) read_only: bool,
    /// What it refers to, elsewhere than in its options.
    pub(crate) reference: Option<&'static str>,
    pub(crate) archived_at: Option<i64>,
    /// Hidden from whoever reads, as if it were sensitive.
    pub(crate) is_hidden: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Property {
    pub(crate) fn new(spec: PropertySpec) -> Self {
        Property {
            spec,
            slot: 0,
            origin: Origin::Stored,
            steps: None,
            hubspot_defined: true,
            read_only: false,
            reference: None,
            archived_at: None,
            is_hidden: false,
            created: 0,
            updated: 0,
        }
    }

    /// Who may see it, as things are.
    pub(crate) fn sensitivity(&self) -> Sensitivity {
        if self.is_hidden { Sensitivity::HighlySensitive } else { self.spec.sensitivity }
    }

    /// The definition, as the API gives it.
    pub(crate) fn json(&self) -> Json {
        let spec = &self.spec;
        let field_type = match spec.field_type.as_str() {
            "" => spec.property_type.field_type(),
            given => given,
        };
        let is_external = self.reference.is_some() && spec.property_type == PropertyType::Enumeration;
        let options: Vec<Json> = (0..)
            .zip(&spec.options)
            .map(|(order, option)| {
                json!({"label": option.label, "value": option.value, "displayOrder": order, "hidden": false, "description": null})
            })
            .collect();
        let mut body = json!({
            "name": spec.name,
            "label": spec.label,
            "type": spec.property_type.name(),
            "fieldType": field_type,
            "description": "",
            "groupName": "information",
            "options": options,
            "displayOrder": -1,
            "calculated": spec.calculated,
            "externalOptions": is_external,
            "hasUniqueValue": spec.unique,
            "hidden": false,
            "hubspotDefined": self.hubspot_defined,
            "formField": !self.read_only && !spec.calculated,
            "archived": self.archived_at.is_some(),
            "dataSensitivity": self.sensitivity().name(),
            "modificationMetadata": {
                "archivable": !self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined,
                "readOnlyValue": self.read_only || spec.calculated,
            },
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
        });
        if !self.hubspot_defined {
            body["createdUserId"] = json!("77");
            body["updatedUserId"] = json!("77");
        }
        if let Some(reference) = self.reference {
            body["referencedObjectType"] = json!(reference);
        }
        if let Some(at) = self.archived_at {
            body["archivedAt"] = json!(iso(at));
        }
        body
    }
}
