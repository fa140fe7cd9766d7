//! What the names in an expression can mean: the fields of a stream, or the variables of an entity.

use std::collections::HashMap;

use datafusion::arrow::datatypes::DataType;

use super::diagnostic::nearest;
use super::sql_type::SqlType;
use super::{StreamFields, TypedVariable};
use crate::record::FieldClass;

/// A name that an expression may use.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    /// The name, any text; case matters.
    pub(crate) name: String,
    /// What people in the source see.
    pub(crate) label: Option<String>,
    /// Its type inside expressions.
    pub(crate) sql_type: SqlType,
    /// Its type in the batches that expressions run on.
    pub(crate) data_type: DataType,
    /// For fields, how they change.
    pub(crate) class: Option<FieldClass>,
    /// For enums, their values in order.
    pub(crate) choices: Vec<String>,
}

/// All names that an expression may use.
#[derive(Debug)]
pub(crate) struct Scope {
    /// What the names are: `field` or `variable`.
    pub(crate) what: &'static str,
    /// Where they belong: ``stream `Account` ``.
    pub(crate) of: String,
    names: Vec<Name>,
    by_name: HashMap<String, usize>,
}

impl Scope {
    /// The fields of a stream, all of them text.
    pub(crate) fn of_stream(fields: &StreamFields<'_>) -> Self {
        let names = fields.fields.iter().map(|field| Name {
            name: field.name.clone(),
            label: field.label.clone(),
            sql_type: SqlType::Text,
            data_type: DataType::Utf8,
            class: Some(field.class),
            choices: Vec::new(),
        });
        Scope::new("field", format!("stream `{}`", fields.stream.stream), names.collect())
    }

    /// The variables of an entity, typed.
    pub(crate) fn of_entity(entity: &str, variables: &[TypedVariable]) -> Self {
        let names = variables.iter().map(|variable| Name {
            name: variable.name.clone(),
            label: None,
            sql_type: SqlType::of_variable(variable.kind),
            data_type: variable.data_type.clone(),
            class: None,
            choices: variable.choices.clone(),
        });
        Scope::new("variable", format!("entity `{entity}`"), names.collect())
    }

    fn new(what: &'static str, of: String, names: Vec<Name>) -> Self {
        let by_name = names.iter().enumerate().map(|(at, name)| (name.name.clone(), at)).collect();
        Scope { what, of, names, by_name }
    }

    /// The name that is exactly `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Name> {
        self.by_name.get(name).map(|at| &self.names[*at])
    }

    /// The name that `name` was probably meant to be: one whose label it is, or the nearest.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        let labelled = self.names.iter().find(|known| known.label.as_deref() == Some(name));
        match labelled {
            Some(known) => Some(&known.name),
            None => nearest(name, self.names.iter().map(|known| known.name.as_str())),
        }
    }
}

/// A name as it has to be written in an expression: in double quotes where SQL would read it otherwise.
pub(crate) fn written(name: &str) -> String {
    let mut chars = name.chars();
    let plain = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphabetic() || c.is_ascii_digit() || c == '_')
        && !is_keyword(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The words that do not stand for a name where an expression is expected.
fn is_keyword(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "all",
        "and",
        "any",
        "array",
        "as",
        "between",
        "case",
        "cast",
        "ceil",
        "current_date",
        "current_time",
        "current_timestamp",
        "date",
        "datetime",
        "distinct",
        "else",
        "end",
        "exists",
        "extract",
        "false",
        "floor",
        "from",
        "group",
        "having",
        "in",
        "interval",
        "is",
        "like",
        "limit",
        "not",
        "null",
        "on",
        "or",
        "order",
        "overlay",
        "position",
        "select",
        "struct",
        "substring",
        "then",
        "time",
        "timestamp",
        "trim",
        "true",
        "union",
        "when",
        "where",
    ];
    WORDS.contains(&name.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_only_where_sql_needs_it() {
        assert_eq!(written("MRR__c"), "MRR__c");
        assert_eq!(written("売上"), "売上");
        assert_eq!(written("売上(円)"), "\"売上(円)\"");
        assert_eq!(written("a.b"), "\"a.b\"");
        assert_eq!(written("$id"), "\"$id\"");
        assert_eq!(written("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(written("Case"), "\"Case\"");
    }
}
