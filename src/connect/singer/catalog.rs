//! What a tap says it has (`--discover`), and how it is told what to send.

use serde_json::{Map, Value, json};

use super::config::{Replication, SingerStreamConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Field, FieldClass, Stream};

/// A tap's catalog.
#[derive(Debug, Clone)]
pub(super) struct Catalog(Value);

impl Catalog {
    /// # Errors
    ///
    /// [`ErrorKind::BadData`] when it is none.
    pub(super) fn parse(text: &str) -> Result<Catalog> {
        let value: Option<Value> = serde_json::from_str(text).ok();
        value.filter(|value| value["streams"].is_array()).map(Catalog).ok_or_else(|| {
            Error::new(ErrorKind::BadData, "the catalog is not one")
                .help("run the tap with --discover by hand; a catalog is JSON with a list `streams`")
        })
    }

    fn entries(&self) -> impl Iterator<Item = &Value> {
        self.0["streams"].as_array().into_iter().flatten()
    }

    /// The streams' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries().filter_map(name_of)
    }

    /// The stream of that name.
    pub(super) fn entry(&self, name: &str) -> Option<&Value> {
        self.entries().find(|entry| name_of(entry) == Some(name))
    }

    /// The catalog with that stream alone, selected as the settings say.
    pub(super) fn selecting(&self, name: &str, settings: &SingerStreamConfig) -> Option<Value> {
        let mut entry = self.entry(name)?.clone();
        let fields: Vec<String> = properties(&entry).map(|(name, _)| name.clone()).collect();
        entry["selected"] = true.into();
        let mut whole = json!({ "selected": true });
        if let Some(replication) = settings.replication {
            whole["replication-method"] = replication.word().into();
            entry["replication_method"] = replication.word().into();
        }
        if let Some(key) = &settings.replication_key {
            whole["replication-key"] = key.as_str().into();
            entry["replication_key"] = key.as_str().into();
        }
        note(&mut entry, &json!([]), &whole);
        for field in fields {
            let is_kept =
                (settings.allow.is_empty() || settings.allow.contains(&field)) && !settings.deny.contains(&field);
            let is_needed = settings.key.contains(&field);
            note(&mut entry, &json!(["properties", field]), &json!({ "selected": is_kept || is_needed }));
        }
        Some(json!({ "streams": [entry] }))
    }

    /// Whether the tap sends all of it in every run.
    pub(super) fn is_full_table(&self, name: &str, settings: &SingerStreamConfig) -> Option<bool> {
        if let Some(replication) = settings.replication {
            return Some(replication == Replication::FullTable);
        }
        let entry = self.entry(name)?;
        let whole = metadata(entry, &json!([]));
        let told = ["replication-method", "forced-replication-method"]
            .into_iter()
            .find_map(|key| whole.and_then(|whole| whole[key].as_str()));
        told.or_else(|| entry["replication_method"].as_str()).map(|method| method == "FULL_TABLE")
    }
}

fn name_of(entry: &Value) -> Option<&str> {
    entry["tap_stream_id"].as_str().or_else(|| entry["stream"].as_str())
}

/// The name that messages have the stream under.
pub(super) fn spoken_name<'a>(entry: Option<&'a Value>, name: &'a str) -> &'a str {
    entry.and_then(|entry| entry["stream"].as_str()).unwrap_or(name)
}

fn properties(entry: &Value) -> impl Iterator<Item = (&String, &Value)> {
    entry["schema"]["properties"].as_object().into_iter().flatten()
}

fn metadata<'a>(entry: &'a Value, place: &Value) -> Option<&'a Value> {
    let notes = entry["metadata"].as_array()?;
    notes.iter().find(|note| note["breadcrumb"] == *place).map(|note| &note["metadata"])
}

/// Adds to what the catalog says of a place in the stream's schema.
fn note(entry: &mut Value, place: &Value, more: &Value) {
    if !entry["metadata"].is_array() {
        entry["metadata"] = json!([]);
    }
    let Some(notes) = entry["metadata"].as_array_mut() else { return };
    let found = notes.iter().position(|note| note["breadcrumb"] == *place).unwrap_or_else(|| {
        notes.push(json!({ "breadcrumb": place, "metadata": {} }));
        notes.len() - 1
    });
    if !notes[found]["metadata"].is_object() {
        notes[found]["metadata"] = Value::Object(Map::new());
    }
    for (name, value) in more.as_object().into_iter().flatten() {
        notes[found]["metadata"][name] = value.clone();
    }
}

/// The stream as settings and catalog have it.
///
/// # Errors
///
/// [`ErrorKind::Config`] when neither says what tells records apart.
pub(super) fn stream_of(name: &str, settings: &SingerStreamConfig, entry: Option<&Value>) -> Result<Stream> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut key = settings.key.clone();
    if key.is_empty()
        && let Some(entry) = entry
    {
        key = texts(&entry["key_properties"]);
        if key.is_empty() {
            let whole = metadata(entry, &json!([]));
            key = whole.map(|whole| texts(&whole["table-key-properties"])).unwrap_or_default();
        }
    }
    if key.is_empty() {
        return Err(Error::new(ErrorKind::Config, "the tap does not say what tells records apart")
            .help(format!("name the fields: `streams: {{ {name}: {{ key: [id] }} }}`")));
    }
    let stamp = settings.stamp.as_ref().map(|entry| entry.name().to_owned());
    let class = |field: &str| {
        let otherwise = if stamp.as_deref() == Some(field) { FieldClass::Bookkeeping } else { FieldClass::Business };
        settings.classes.get(field).copied().unwrap_or(otherwise)
    };
    let needed: Vec<String> = key.iter().cloned().chain(stamp.iter().cloned()).collect();
    let is_kept = |field: &String| {
        needed.contains(field)
            || ((settings.allow.is_empty() || settings.allow.contains(field)) && !settings.deny.contains(field))
    };
    let mut fields: Vec<Field> = Vec::new();
    for (field, schema) in entry.into_iter().flat_map(properties).filter(|(field, _)| is_kept(field)) {
        fields.push(Field::plain(field.clone(), type_of(schema), class(field)));
    }
    for field in needed {
        if !fields.iter().any(|known| known.name == field) {
            fields.push(Field::plain(field.clone(), "", class(&field)));
        }
    }
    Ok(Stream { name: name.to_owned(), label: None, key, stamp, fields, dated: false, tells_deletes: false })
}

/// The word for a JSON schema's type: its format where it has one.
fn type_of(schema: &Value) -> String {
    if let Some(format) = schema["format"].as_str() {
        return format.to_owned();
    }
    let named = |value: &Value| value.as_str().filter(|kind| *kind != "null").map(str::to_owned);
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find_map(named).unwrap_or_default(),
        kind => named(kind).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOG: &str = r#"{"streams":[
        {"tap_stream_id":"db-orders","stream":"orders","key_properties":["id"],
         "schema":{"properties":{"id":{"type":"integer"},"at":{"type":["null","string"],"format":"date-time"},"secret":{"type":"string"}}},
         "metadata":[{"breadcrumb":[],"metadata":{"forced-replication-method":"FULL_TABLE"}}]},
        {"tap_stream_id":"notes","stream":"notes","schema":{"properties":{}}}]}"#;

    #[test]
    fn one_stream_is_selected_with_the_fields_that_are_wanted() {
        let catalog = Catalog::parse(CATALOG).unwrap();
        assert_eq!(catalog.names().collect::<Vec<_>>(), ["db-orders", "notes"]);
        let settings = SingerStreamConfig {
            deny: vec!["secret".into()],
            replication: Some(Replication::Incremental),
            replication_key: Some("at".into()),
            ..SingerStreamConfig::default()
        };
        let selected = catalog.selecting("db-orders", &settings).unwrap();
        assert_eq!(selected["streams"].as_array().unwrap().len(), 1);
        let entry = &selected["streams"][0];
        let whole = metadata(entry, &json!([])).unwrap();
        assert_eq!((&whole["selected"], &whole["replication-key"]), (&json!(true), &json!("at")));
        assert_eq!(metadata(entry, &json!(["properties", "secret"])).unwrap()["selected"], false);
        assert_eq!(metadata(entry, &json!(["properties", "at"])).unwrap()["selected"], true);
        assert_eq!(catalog.is_full_table("db-orders", &SingerStreamConfig::default()), Some(true));
        assert_eq!(catalog.is_full_table("db-orders", &settings), Some(false));
        assert_eq!(catalog.is_full_table("notes", &SingerStreamConfig::default()), None);
        assert_eq!(spoken_name(catalog.entry("db-orders"), "db-orders"), "orders");
    }

    #[test]
    fn a_stream_without_a_key_says_what_to_do() {
        let catalog = Catalog::parse(CATALOG).unwrap();
        let stream = stream_of("db-orders", &SingerStreamConfig::default(), catalog.entry("db-orders")).unwrap();
        let types: Vec<&str> = stream.fields.iter().map(|field| field.source_type.as_str()).collect();
        assert_eq!((stream.key, types), (vec!["id".to_owned()], vec!["integer", "date-time", "string"]));
        let error = stream_of("notes", &SingerStreamConfig::default(), catalog.entry("notes")).unwrap_err();
        assert!(error.help_text().unwrap().contains("key: [id]"));
        assert!(Catalog::parse("INFO hello").is_err());
    }
}
