//! What a domain knows about a field.

use serde::Deserialize;

/// The type of a field, as form/fields names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // the names are those of the service
pub enum FieldType {
    RecordNumber,
    Creator,
    CreatedTime,
    Modifier,
    UpdatedTime,
    SingleLineText,
    MultiLineText,
    RichText,
    Number,
    Calc,
    RadioButton,
    CheckBox,
    MultiSelect,
    DropDown,
    Date,
    Time,
    Datetime,
    Link,
    File,
    UserSelect,
    OrganizationSelect,
    GroupSelect,
    Subtable,
    ReferenceTable,
    Group,
    Category,
    Status,
    StatusAssignee,
}

impl FieldType {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            FieldType::RecordNumber => "RECORD_NUMBER",
            FieldType::Creator => "CREATOR",
            FieldType::CreatedTime => "CREATED_TIME",
            FieldType::Modifier => "MODIFIER",
            FieldType::UpdatedTime => "UPDATED_TIME",
            FieldType::SingleLineText => "SINGLE_LINE_TEXT",
            FieldType::MultiLineText => "MULTI_LINE_TEXT",
            FieldType::RichText => "RICH_TEXT",
            FieldType::Number => "NUMBER",
            FieldType::Calc => "CALC",
            FieldType::RadioButton => "RADIO_BUTTON",
            FieldType::CheckBox => "CHECK_BOX",
            FieldType::MultiSelect => "MULTI_SELECT",
            FieldType::DropDown => "DROP_DOWN",
            FieldType::Date => "DATE",
            FieldType::Time => "TIME",
            FieldType::Datetime => "DATETIME",
            FieldType::Link => "LINK",
            FieldType::File => "FILE",
            FieldType::UserSelect => "USER_SELECT",
            FieldType::OrganizationSelect => "ORGANIZATION_SELECT",
            FieldType::GroupSelect => "GROUP_SELECT",
            FieldType::Subtable => "SUBTABLE",
            FieldType::ReferenceTable => "REFERENCE_TABLE",
            FieldType::Group => "GROUP",
            FieldType::Category => "CATEGORY",
            FieldType::Status => "STATUS",
            FieldType::StatusAssignee => "STATUS_ASSIGNEE",
        }
    }

    /// Whether records have no value of it.
    pub(crate) fn is_decoration(self) -> bool {
        matches!(self, FieldType::ReferenceTable | FieldType::Group)
    }

    /// Whether the domain fills it in by itself.
    pub(crate) fn is_system(self) -> bool {
        matches!(
            self,
            FieldType::RecordNumber
                | FieldType::Creator
                | FieldType::CreatedTime
                | FieldType::Modifier
                | FieldType::UpdatedTime
        )
    }

    /// Whether it is there only while its feature is on.
    pub(crate) fn is_switched(self) -> bool {
        matches!(self, FieldType::Category | FieldType::Status | FieldType::StatusAssignee)
    }

    pub(crate) fn is_choice(self) -> bool {
        matches!(self, FieldType::RadioButton | FieldType::CheckBox | FieldType::MultiSelect | FieldType::DropDown)
    }

    /// Whether it holds people, organizations or groups.
    pub(crate) fn is_entity(self) -> bool {
        matches!(
            self,
            FieldType::Creator
                | FieldType::Modifier
                | FieldType::UserSelect
                | FieldType::OrganizationSelect
                | FieldType::GroupSelect
                | FieldType::StatusAssignee
        )
    }

    /// Whether it holds a list.
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            FieldType::CheckBox
                | FieldType::MultiSelect
                | FieldType::Category
                | FieldType::File
                | FieldType::Subtable
                | FieldType::UserSelect
                | FieldType::OrganizationSelect
                | FieldType::GroupSelect
                | FieldType::StatusAssignee
        )
    }
}

/// How a CALC shows its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // the names are those of the service
pub enum CalcFormat {
    #[default]
    Number,
    NumberDigit,
    Datetime,
    Date,
    Time,
    HourMinute,
    DayHourMinute,
}

impl CalcFormat {
    pub(crate) fn name(self) -> &'static str {
        match self {
            CalcFormat::Number => "NUMBER",
            CalcFormat::NumberDigit => "NUMBER_DIGIT",
            CalcFormat::Datetime => "DATETIME",
            CalcFormat::Date => "DATE",
            CalcFormat::Time => "TIME",
            CalcFormat::HourMinute => "HOUR_MINUTE",
            CalcFormat::DayHourMinute => "DAY_HOUR_MINUTE",
        }
    }
}

/// Where a look-up copies from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The other app.
    pub app: u64,
    /// The field there that the key is looked for in.
    pub key: String,
    /// Pairs of a field here and the field there that is copied into it.
    #[serde(default)]
    pub copies: Vec<(String, String)>,
}

/// Whose records a REFERENCE_TABLE shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Related {
    /// The other app.
    pub app: u64,
    /// The field here.
    pub field: String,
    /// The field there that must be equal to it.
    pub related: String,
    /// The fields of the other app that are shown.
    #[serde(default)]
    pub shown: Vec<String>,
}

/// A field of an app, as an administrator sets it up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// The field code.
    pub code: String,
    /// What people see.
    #[serde(default)]
    pub label: String,
    /// Its type.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Whether a record must have it.
    #[serde(default)]
    pub required: bool,
    /// Whether no two records may have the same.
    #[serde(default)]
    pub unique: bool,
    /// For texts, how many characters fit.
    #[serde(default)]
    pub max_length: Option<u32>,
    /// For numbers, the smallest, as a decimal.
    #[serde(default)]
    pub min_value: Option<String>,
    /// For numbers, the largest, as a decimal.
    #[serde(default)]
    pub max_value: Option<String>,
    /// For choices, what can be chosen.
    #[serde(default)]
    pub options: Vec<String>,
    /// What a new record has when nothing is said; for lists, one of the list.
    #[serde(default)]
    pub default: Option<String>,
    /// For CALC, and for texts that are computed, the formula.
    #[serde(default)]
    pub expression: String,
    /// For CALC, how its number is shown.
    #[serde(default)]
    pub format: CalcFormat,
    /// For numbers, the unit that people see.
    #[serde(default)]
    pub unit: String,
    /// For look-ups, where it copies from.
    #[serde(default)]
    pub lookup: Option<Lookup>,
    /// For REFERENCE_TABLE, whose records it shows.
    #[serde(default)]
    pub related: Option<Related>,
    /// For SUBTABLE, the fields of its rows.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
    /// For CATEGORY, STATUS and STATUS_ASSIGNEE, whether the feature is on.
    #[serde(default)]
    pub enabled: bool,
}

impl FieldSpec {
    /// A field of that type whose label is its code.
    pub fn new(code: &str, field_type: FieldType) -> Self {
        FieldSpec {
            code: code.to_owned(),
            label: code.to_owned(),
            field_type,
            required: false,
            unique: false,
            max_length: None,
            min_value: None,
            max_value: None,
            options: Vec::new(),
            default: None,
            expression: String::new(),
            format: CalcFormat::Number,
            unit: String::new(),
            lookup: None,
            related: None,
            fields: Vec::new(),
            enabled: false,
        }
    }

    /// A text of one line.
    pub fn text(code: &str) -> Self {
        FieldSpec::new(code, FieldType::SingleLineText)
    }

    /// A number.
    pub fn number(code: &str) -> Self {
        FieldSpec::new(code, FieldType::Number)
    }

    /// A computed number.
    pub fn calc(code: &str, expression: &str, format: CalcFormat) -> Self {
        FieldSpec { expression: expression.to_owned(), format, ..FieldSpec::new(code, FieldType::Calc) }
    }

    /// A choice of that type among these.
    pub fn choice(code: &str, field_type: FieldType, options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        FieldSpec { options, ..FieldSpec::new(code, field_type) }
    }

    /// A table of rows with these fields.
    pub fn table(code: &str, fields: Vec<FieldSpec>) -> Self {
        FieldSpec { fields, ..FieldSpec::new(code, FieldType::Subtable) }
    }

    /// The same, with that label.
    pub fn labelled(self, label: &str) -> Self {
        FieldSpec { label: label.to_owned(), ..self }
    }

    /// The same, and every record must have it.
    pub fn required(self) -> Self {
        FieldSpec { required: true, ..self }
    }

    /// The same, and no two records may have the same.
    pub fn unique(self) -> Self {
        FieldSpec { unique: true, ..self }
    }

    /// The same, with that value for new records.
    pub fn default_value(self, value: &str) -> Self {
        FieldSpec { default: Some(value.to_owned()), ..self }
    }

    /// The same, with that unit behind the number.
    pub fn unit(self, unit: &str) -> Self {
        FieldSpec { unit: unit.to_owned(), ..self }
    }

    /// The same, as a look-up.
    pub fn looking_up(self, app: u64, key: &str, copies: &[(&str, &str)]) -> Self {
        let copies = copies.iter().map(|&(here, there)| (here.to_owned(), there.to_owned())).collect();
        FieldSpec { lookup: Some(Lookup { app, key: key.to_owned(), copies }), ..self }
    }

    /// The code, or the label when there is none.
    pub(crate) fn shown(&self) -> &str {
        if self.label.is_empty() { &self.code } else { &self.label }
    }
}
