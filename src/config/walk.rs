//! A value and its schema, walked side by side.

use serde_json::Value;

use super::yaml::child_pointer;

/// The key by which a schema says that a value is a secret.
pub(crate) const SECRET_KEYWORD: &str = "x-secret";

/// Calls `visit` for `value` and everything in it, with its JSON pointer and all schemas that may
/// describe it (references followed, alternatives opened), parents first.
pub(crate) fn walk(root: &Value, value: &mut Value, visit: &mut dyn FnMut(&str, &[&Value], &mut Value)) {
    let schemas = open(root, root);
    step(root, &schemas, "", value, visit);
}

fn step(
    root: &Value,
    schemas: &[&Value],
    pointer: &str,
    value: &mut Value,
    visit: &mut dyn FnMut(&str, &[&Value], &mut Value),
) {
    visit(pointer, schemas, value);
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let below: Vec<&Value> = schemas.iter().flat_map(|schema| member_schema(root, schema, key)).collect();
                step(root, &below, &child_pointer(pointer, key), member, visit);
            }
        }
        Value::Array(items) => {
            let below: Vec<&Value> =
                schemas.iter().filter_map(|schema| schema.get("items")).flat_map(|schema| open(root, schema)).collect();
            for (index, item) in items.iter_mut().enumerate() {
                step(root, &below, &format!("{pointer}/{index}"), item, visit);
            }
        }
        _ => {}
    }
}

fn member_schema<'s>(root: &'s Value, schema: &'s Value, key: &str) -> Vec<&'s Value> {
    let named = schema.get("properties").and_then(|known| known.get(key));
    let other = schema.get("additionalProperties").filter(|schema| schema.is_object());
    named.or(other).map(|schema| open(root, schema)).unwrap_or_default()
}

/// A schema with its reference followed and its alternatives opened, itself first.
pub(crate) fn open<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let mut found = vec![schema];
    let referred = schema.get("$ref").and_then(Value::as_str).and_then(|path| root.pointer(path.strip_prefix('#')?));
    if let Some(referred) = referred.filter(|referred| !std::ptr::eq(*referred, schema)) {
        found.extend(open(root, referred));
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array);
        found.extend(branches.into_iter().flatten().flat_map(|branch| open(root, branch)));
    }
    found
}

/// Whether one of the schemas accepts values of this type.
pub(crate) fn accepts_type(schemas: &[&Value], name: &str) -> bool {
    schemas.iter().any(|schema| match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(|other| other == name),
        Some(other) => other == name,
        None => false,
    })
}

/// Whether one of the schemas accepts exactly this text.
pub(crate) fn accepts_word(schemas: &[&Value], word: &str) -> bool {
    schemas.iter().any(|schema| {
        schema.get("const").is_some_and(|only| only == word)
            || schema.get("enum").and_then(Value::as_array).is_some_and(|words| words.iter().any(|other| other == word))
    })
}

/// Text from outside YAML (an environment variable, a resolved reference) as the type the schemas want:
/// `50000` becomes a number only where a number is wanted and text is not.
pub(crate) fn typed(schemas: &[&Value], text: &str) -> Value {
    let wants = |name| accepts_type(schemas, name);
    if !wants("string") {
        if wants("integer")
            && let Ok(number) = text.trim().parse::<i64>()
        {
            return Value::from(number);
        }
        if wants("number")
            && let Some(number) = text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64)
        {
            return Value::Number(number);
        }
        if wants("boolean")
            && let Ok(truth) = text.trim().parse::<bool>()
        {
            return Value::Bool(truth);
        }
    }
    Value::String(text.to_owned())
}
