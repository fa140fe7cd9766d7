//! From an object's properties to a stream, and from a stream to the columns that are read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::config::StreamConfig;
use super::model::Property;
use super::place::HISTORY;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Choice, FactShape, Facts, Field, FieldClass, Stream};

/// The property that is the key.
pub(super) const ID: &str = "hs_object_id";
/// The ids of the records that were merged into one, where there are any.
pub(super) const MERGED: &str = "hs_merged_object_ids";

/// The fields of a stream of history, in their order.
pub(super) const HISTORY_FIELDS: [&str; 6] = ["id", "property", "at", "before", "value", "source_type"];

/// The stamp that moves with every change of a record: contacts have another than all others.
pub(super) fn stamp_of(object: &str) -> &'static str {
    if matches!(object, "contacts" | "contact" | "0-1") { "lastmodifieddate" } else { "hs_lastmodifieddate" }
}

/// The name of the stream that holds the history of `object`.
pub(super) fn history_of(object: &str) -> String {
    format!("{object}.{HISTORY}")
}

/// The streams that hold facts about the records of `object`.
pub fn facts_about(object: &str) -> Vec<Facts> {
    vec![Facts {
        stream: history_of(object),
        key: "id".into(),
        at: "at".into(),
        shape: FactShape::Change { field: "property".into(), old: "before".into(), new: "value".into() },
    }]
}

/// The stream of an object.
///
/// # Errors
///
/// [`ErrorKind::Config`] when the settings name a property that the object does not show.
pub(super) fn stream_of(properties: &[Property], config: &StreamConfig, tells_deletes: bool) -> Result<Stream> {
    let known: HashSet<&str> = properties.iter().map(|property| property.name.as_str()).collect();
    let named = config.allow.iter().chain(&config.deny).chain(&config.history).chain(config.classes.keys());
    for name in named {
        if !known.contains(name.as_str()) {
            return Err(unknown(name, &known));
        }
    }
    let stamp = stamp_of(&config.name);
    let needed = |name: &str| name == ID || name == MERGED || name == stamp;
    let wanted = |property: &&Property| {
        let listed = config.allow.is_empty() || config.allow.contains(&property.name);
        needed(&property.name) || (listed && !config.deny.contains(&property.name))
    };
    let field = |property: &Property| Field {
        name: property.name.clone(),
        label: property.label.clone(),
        source_type: property.kind.clone(),
        class: config.classes.get(&property.name).copied().unwrap_or_else(|| class_of(property)),
        choices: property.options.iter().map(|option| Choice::labelled(&option.value, option.label.clone())).collect(),
    };
    Ok(Stream {
        name: config.name.clone(),
        label: None,
        key: vec![ID.to_owned()],
        stamp: Some(stamp.to_owned()),
        fields: properties.iter().filter(wanted).map(field).collect(),
        dated: false,
        tells_deletes,
    })
}

fn unknown(name: &str, known: &HashSet<&str>) -> Error {
    let close = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)).then(b.cmp(a)));
    Error::new(ErrorKind::Config, "the settings name a property that the object does not show")
        .with("property", name)
        .help(format!(
            "did you mean `{}`? A sensitive property is shown only when `sensitive` lists its class and the token has \
             the scope",
            close.copied().unwrap_or_default()
        ))
}

/// The stream of an object's history.
pub(super) fn history_stream(config: &StreamConfig) -> Stream {
    let field = |name: &str| Field::plain(name, if name == "at" { "datetime" } else { "string" }, FieldClass::Business);
    Stream {
        name: history_of(&config.name),
        label: None,
        key: ["id", "property", "at"].map(str::to_owned).to_vec(),
        stamp: Some("at".to_owned()),
        fields: HISTORY_FIELDS.iter().map(|name| field(name)).collect(),
        dated: false,
        tells_deletes: false,
    }
}

fn class_of(property: &Property) -> FieldClass {
    let name = property.name.as_str();
    let is_own = property.hubspot_defined || name.starts_with("hs_");
    if matches!(name, "lastmodifieddate" | "hs_lastmodifieddate" | "hs_updated_by_user_id" | "hs_pinned_engagement_id")
    {
        FieldClass::Bookkeeping
    } else if is_own && (name.contains("time_in_") || name.starts_with("hs_time_since") || name == "days_to_close") {
        FieldClass::Ticking
    } else if property.calculated || name.starts_with("hs_v2_date_") || name == MERGED {
        FieldClass::Calculated
    } else {
        FieldClass::Business
    }
}

/// How a value arrives, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Text,
    /// A decimal, written plainly; what is none stays as it is.
    Number,
    /// A day; some arrive as milliseconds of its midnight in UTC.
    Date,
    /// An instant; with milliseconds, without, or as nothing but milliseconds.
    Datetime,
}

/// The columns to read of one stream.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) names: Arc<[String]>,
    pub(super) cells: Vec<Cell>,
    places: HashMap<String, usize>,
    /// The properties whose history is read in place of the values of all.
    pub(super) history: Option<Vec<String>>,
}

impl Plan {
    /// The properties of `stream`.
    pub(super) fn new(stream: &Stream) -> Plan {
        let cell = |field: &Field| match field.source_type.as_str() {
            "number" => Cell::Number,
            "date" => Cell::Date,
            "datetime" => Cell::Datetime,
            _ => Cell::Text,
        };
        Plan {
            names: stream.fields.iter().map(|field| field.name.clone()).collect(),
            cells: stream.fields.iter().map(cell).collect(),
            places: stream.fields.iter().enumerate().map(|(at, field)| (field.name.clone(), at)).collect(),
            history: None,
        }
    }

    /// The history of some properties.
    pub(super) fn history(config: &StreamConfig) -> Plan {
        Plan { history: Some(config.history.clone()), ..Plan::new(&history_stream(config)) }
    }

    /// Ids alone.
    pub(super) fn ids() -> Plan {
        Plan { names: Arc::from([]), cells: Vec::new(), places: HashMap::new(), history: None }
    }

    /// The column of a property. Answers come in an order of their own, the same for all records of a page.
    pub(super) fn place(&self, name: &str, expected: Option<usize>) -> Option<usize> {
        match expected {
            Some(column) if self.names.get(column).is_some_and(|known| known == name) => Some(column),
            _ => self.places.get(name).copied(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in super::super) fn property(name: &str, kind: &str) -> Property {
        serde_json::from_value(json!({ "name": name, "label": name, "type": kind })).unwrap()
    }

    #[test]
    fn lesson_9_properties_are_classed_by_how_they_change() {
        let score: Property =
            serde_json::from_value(json!({ "name": "score", "type": "number", "calculated": true })).unwrap();
        let properties = [
            property(ID, "number"),
            property("name", "string"),
            property("hs_lastmodifieddate", "datetime"),
            score,
            property("hs_v2_latest_time_in_1", "number"),
        ];
        let stream = stream_of(&properties, &StreamConfig::all_of("deals"), true).unwrap();
        let classes: Vec<FieldClass> = stream.fields.iter().map(|field| field.class).collect();
        use FieldClass::{Bookkeeping, Business, Calculated, Ticking};
        assert_eq!(classes, [Business, Business, Bookkeeping, Calculated, Ticking]);
    }

    #[test]
    fn what_reading_depends_on_is_read_whatever_the_settings_say() {
        let properties = [
            property(ID, "number"),
            property(MERGED, "enumeration"),
            property("name", "string"),
            property("lastmodifieddate", "datetime"),
            property("phone", "string"),
        ];
        let config = StreamConfig { allow: vec!["phone".into()], ..StreamConfig::all_of("contacts") };
        let stream = stream_of(&properties, &config, true).unwrap();
        let names: Vec<&str> = stream.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, [ID, MERGED, "lastmodifieddate", "phone"]);
        let wrong = StreamConfig { deny: vec!["fone".into()], ..StreamConfig::all_of("contacts") };
        let error = stream_of(&properties, &wrong, true).unwrap_err();
        assert!(error.help_text().unwrap().starts_with("did you mean `phone`?"), "{}", error.render());
    }
}
