//! What a source's type word means for a variable.

use std::borrow::Cow;

use crate::record::{Field, FieldClass};
use crate::schema::VariableType;

/// Groups of type words, over all connectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Says nothing about its values: text, and every column of a file.
    Text,
    /// Paragraphs, files, formatted text.
    Prose,
    Number,
    Money,
    Percent,
    Date,
    Instant,
    Time,
    Boolean,
    Choice,
    Choices,
    Email,
    Phone,
    Url,
    /// The key of another record.
    Reference,
    /// The key of the record itself.
    Id,
    /// Several users, groups or organizations, one a line.
    Users,
    /// The record that a table's row belongs to.
    Parent,
}

impl Family {
    /// The family of a field.
    pub(super) fn of(field: &Field) -> Family {
        match word(&field.source_type).as_ref() {
            "textarea" | "multi_line_text" | "rich_text" | "file" | "base64" | "encryptedstring" => Family::Prose,
            "int" | "integer" | "long" | "double" | "number" | "calc" | "position" => Family::Number,
            "currency" => Family::Money,
            "percent" => Family::Percent,
            "date" => Family::Date,
            "datetime" | "created_time" | "updated_time" => Family::Instant,
            "time" => Family::Time,
            "boolean" => Family::Boolean,
            "picklist" | "combobox" | "radio_button" | "drop_down" | "status" => Family::Choice,
            "multipicklist" | "multiselectpicklist" | "check_box" | "multi_select" | "category" => Family::Choices,
            "email" => Family::Email,
            "phone" => Family::Phone,
            "url" | "link" | "website" => Family::Url,
            "reference" | "lookup" | "ownerlookup" | "userlookup" => Family::Reference,
            "id" | "__id__" | "__revision__" | "row" | "record_number" => Family::Id,
            "user_select" | "organization_select" | "group_select" | "status_assignee" => Family::Users,
            "creator" | "modifier" | "user_name" => Family::Id,
            "parent" => Family::Parent,
            // Databases.
            "smallint" | "mediumint" | "tinyint" | "bigint" | "numeric" | "decimal" | "real" | "double precision"
            | "float" | "int4" | "int8" | "year" | "bit" => Family::Number,
            "money" => Family::Money,
            "timestamp with time zone" | "timestamp without time zone" | "timestamp" | "timestamptz" => Family::Instant,
            "time without time zone" | "time with time zone" | "interval" => Family::Time,
            "enum" => Family::Choice,
            "set" => Family::Choices,
            "bytea" | "blob" | "binary" | "varbinary" | "longblob" | "mediumblob" | "json" | "jsonb" | "xml"
            | "longtext" | "mediumtext" => Family::Prose,
            "uuid" => Family::Id,
            _ => Family::Text,
        }
    }
}

/// A type word without what a database adds to it: `numeric(12,2)`, `timestamp(3) with time zone`, `int unsigned`.
fn word(source_type: &str) -> Cow<'_, str> {
    let bare = match (source_type.split_once('('), source_type.split_once(')')) {
        (Some((before, _)), Some((_, after))) => Cow::Owned(format!("{before}{after}")),
        _ => Cow::Borrowed(source_type),
    };
    match bare.strip_suffix(" unsigned") {
        Some(bare) => Cow::Owned(bare.to_owned()),
        None => bare,
    }
}

/// How much a field of that family may be a variable of that type: hundredths to take off, `None` for never.
pub(super) fn doubt(kind: VariableType, family: Family, takes_users: bool) -> Option<u8> {
    use Family as F;
    use VariableType as V;
    // kintone's links hold numbers to call and addresses to write to as well.
    let plain = matches!(family, F::Text | F::Url);
    match (kind, family) {
        (_, F::Id | F::Time) => None,
        (V::Ref, F::Reference | F::Parent) => Some(0),
        (V::Ref, F::Text | F::Number | F::Url) => Some(0),
        (_, F::Reference | F::Parent) | (V::Ref, _) => None,
        (V::Text, F::Users) => takes_users.then_some(0),
        (_, F::Users) => None,
        (V::Text, F::Text | F::Choice | F::Url | F::Phone) => Some(0),
        (V::Text, F::Number) => Some(10),
        (V::Text, F::Email | F::Choices) => Some(30),
        (V::Text, _) => None,
        (V::Enum, F::Choice | F::Text) => Some(0),
        (V::Enum, F::Boolean | F::Choices) => Some(30),
        (V::Enum, _) => None,
        (V::Integer, F::Number) | (V::Decimal, F::Number | F::Money | F::Percent) => Some(0),
        (V::Integer, F::Choice) => Some(15),
        (V::Money, F::Money | F::Number) | (V::Percent, F::Percent | F::Number | F::Choice) => Some(0),
        (V::Date, F::Date) | (V::Datetime, F::Instant) => Some(0),
        (V::Date, F::Instant) => Some(10),
        (V::Boolean, F::Boolean) => Some(0),
        (V::Boolean, F::Choice) => Some(15),
        (V::Email, F::Email | F::Text | F::Url) => Some(0),
        (V::CorporateNumber, F::Number) => Some(0),
        (_, _) if plain => Some(2),
        _ => None,
    }
}

/// Why fields of a class are not mapped.
pub(super) fn why_not(class: FieldClass) -> Option<&'static str> {
    match class {
        FieldClass::Business => None,
        FieldClass::Calculated => Some("calculated by the source"),
        FieldClass::Bookkeeping => Some("bookkeeping"),
        FieldClass::Ticking => Some("depends on the day"),
    }
}
