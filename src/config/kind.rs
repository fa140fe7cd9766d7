//! The kinds of project files, and the JSON Schema of each, made from the types that read them.

use std::collections::BTreeMap;

use schemars::{Schema, schema_for};
use serde_json::{Map, Value, json};

use super::settings::ProjectConfig;
use super::source::{Connectors, SourceHead};
use super::validate::Shape;
use super::walk::{SECRET_KEYWORD, accepts_type};
use crate::error::Result;
use crate::map::MappingConfig;
use crate::schema::{EntityConfig, VariableConfig};
use crate::unify::IdentityConfig;

/// What every project file says in its first line.
pub const API_VERSION: &str = "nenrin/v1";

/// What a project file is about; its second line says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `nenrin.yaml`.
    Project,
    /// `sources/*.yaml`.
    Source,
    /// `mappings/<source>/*.yaml`.
    Mapping,
    /// `schemas/entities/*.yaml`.
    Entity,
    /// `schemas/variables/*.yaml`.
    Variable,
    /// `identity.yaml`.
    Identity,
}

impl Kind {
    /// All kinds, in the order in which a project is read.
    pub const ALL: [Kind; 6] =
        [Kind::Project, Kind::Source, Kind::Mapping, Kind::Entity, Kind::Variable, Kind::Identity];

    /// The word after `kind:`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Project => "Project",
            Kind::Source => "Source",
            Kind::Mapping => "Mapping",
            Kind::Entity => "Entity",
            Kind::Variable => "Variable",
            Kind::Identity => "Identity",
        }
    }

    /// Reads the word after `kind:`.
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Where files of this kind are.
    pub fn home(self) -> &'static str {
        match self {
            Kind::Project => "nenrin.yaml",
            Kind::Source => "sources/",
            Kind::Mapping => "mappings/",
            Kind::Entity => "schemas/entities/",
            Kind::Variable => "schemas/variables/",
            Kind::Identity => "identity.yaml",
        }
    }
}

/// A file in `schemas/variables/`: a variable, and the entity that it is added to.
///
/// In the file, `entity:` is the entity it is added to; what a `ref` refers to is `refers_to:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomVariable {
    /// The entity it is added to.
    pub entity: String,
    /// The variable.
    pub variable: VariableConfig,
}

impl CustomVariable {
    /// Reads a file's value that its schema accepts.
    pub(crate) fn from_value(mut value: Value) -> serde_json::Result<Self> {
        let mut entity = Value::Null;
        if let Some(members) = value.as_object_mut() {
            entity = members.shift_remove("entity").unwrap_or_default();
            if let Some(target) = members.shift_remove("refers_to") {
                members.insert("entity".into(), target);
            }
        }
        Ok(CustomVariable { entity: serde_json::from_value(entity)?, variable: serde_json::from_value(value)? })
    }
}

/// The schema of every kind, compiled.
#[derive(Debug)]
pub(crate) struct Shapes {
    kinds: BTreeMap<Kind, Shape>,
    sources: BTreeMap<String, Shape>,
}

impl Shapes {
    /// Compiles the schemas of all kinds, and of the source files of these connectors.
    pub(crate) fn new(connectors: &Connectors) -> Result<Self> {
        let mut kinds = BTreeMap::new();
        for kind in Kind::ALL {
            kinds.insert(kind, Shape::new(kind_schema(kind))?);
        }
        let mut sources = BTreeMap::new();
        for (name, schema) in &connectors.0 {
            sources.insert(name.clone(), Shape::new(source_schema(name, schema))?);
        }
        Ok(Shapes { kinds, sources })
    }

    /// The schema of a kind; of a source file, only the part that all sources have.
    pub(crate) fn of(&self, kind: Kind) -> &Shape {
        &self.kinds[&kind]
    }

    /// The schema of the source files of a connector.
    pub(crate) fn of_connector(&self, name: &str) -> Option<&Shape> {
        self.sources.get(name)
    }
}

/// The JSON Schemas for editors, by file name; `connectors` each give `source-<name>.json`.
pub fn json_schemas(connectors: &Connectors) -> BTreeMap<String, Value> {
    let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Source);
    let kinds = kinds.map(|kind| (format!("{}.json", kind.as_str().to_lowercase()), kind_schema(kind)));
    let sources =
        connectors.0.iter().map(|(name, schema)| (format!("source-{name}.json"), source_schema(name, schema)));
    kinds.chain(sources).collect()
}

fn kind_schema(kind: Kind) -> Value {
    let body = match kind {
        Kind::Project => schema_for!(ProjectConfig),
        Kind::Source => schema_for!(SourceHead),
        Kind::Mapping => schema_for!(MappingConfig),
        Kind::Entity => schema_for!(EntityConfig),
        Kind::Variable => variable_file_schema(),
        Kind::Identity => schema_for!(IdentityConfig),
    };
    with_header(kind, body.to_value())
}

/// [`VariableConfig`] as a file of its own; see [`CustomVariable`].
fn variable_file_schema() -> Schema {
    let mut schema = schema_for!(VariableConfig);
    if let Some(known) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        known.shift_remove("entity");
        known.insert("entity".into(), json!({"description": "The entity it is added to.", "type": "string"}));
        let target = json!({"description": "For `ref`: the entity it refers to.", "type": ["string", "null"]});
        known.insert("refers_to".into(), target);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.insert(0, "entity".into());
    }
    schema
}

/// What every source says and what the connector reads, in one schema.
fn source_schema(connector: &str, settings: &Schema) -> Value {
    let head = schema_for!(SourceHead).to_value();
    let mut body = settings.as_value().clone();
    let Some(members) = body.as_object_mut() else { return body };
    let merge = |members: &mut Map<String, Value>, key: &str| {
        let common = head.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        let own = members.entry(key).or_insert_with(|| json!({}));
        if let Some(own) = own.as_object_mut() {
            let mut merged = common;
            merged.extend(std::mem::take(own));
            *own = merged;
        }
    };
    merge(members, "properties");
    merge(members, "$defs");
    if let Some(known) = members.get_mut("properties").and_then(Value::as_object_mut) {
        known.insert("connector".into(), json!({"description": "Which connector reads it.", "const": connector}));
    }
    members.entry("additionalProperties").or_insert(Value::Bool(false));
    mark_secrets(&mut body);
    let Some(members) = body.as_object_mut() else { return body };
    let required = members.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut().filter(|required| !required.contains(&json!("connector"))) {
        required.insert(0, "connector".into());
    }
    with_header(Kind::Source, body)
}

/// Marks text settings that are secrets by their name, so that no connector can forget to: their values
/// are hidden in messages, and `check` complains of literals.
fn mark_secrets(schema: &mut Value) {
    const ENDINGS: &[&str] = &["password", "secret", "token", "api_key", "private_key", "passphrase"];
    match schema {
        Value::Object(members) => {
            if let Some(known) = members.get_mut("properties").and_then(Value::as_object_mut) {
                let secrets = known.iter_mut().filter(|(name, _)| ENDINGS.iter().any(|ending| name.ends_with(ending)));
                for (_, property) in secrets {
                    let is_text = accepts_type(&[property], "string");
                    if let Some(property) = property.as_object_mut().filter(|_| is_text) {
                        property.insert(SECRET_KEYWORD.into(), Value::Bool(true));
                    }
                }
            }
            members.values_mut().for_each(mark_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(mark_secrets),
        _ => {}
    }
}

/// The schema of a whole file: the body's, with `apiVersion` and `kind` in front.
fn with_header(kind: Kind, body: Value) -> Value {
    let Value::Object(mut members) = body else { return body };
    let mut known = Map::new();
    known.insert("apiVersion".into(), json!({"description": "Write `apiVersion: nenrin/v1`.", "const": API_VERSION}));
    let about = format!("Write `kind: {}`.", kind.as_str());
    known.insert("kind".into(), json!({"description": about, "const": kind.as_str()}));
    if let Some(Value::Object(body)) = members.remove("properties") {
        known.extend(body);
    }
    let mut required = vec![Value::from("apiVersion"), Value::from("kind")];
    if let Some(Value::Array(body)) = members.remove("required") {
        required.extend(body);
    }
    members.insert("title".into(), format!("nenrin {}", kind.as_str()).into());
    members.insert("properties".into(), Value::Object(known));
    members.insert("required".into(), Value::Array(required));
    Value::Object(members)
}
