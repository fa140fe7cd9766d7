//! A value against its JSON Schema: all problems at once, in our own words and with their places.

use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::document::Document;
use super::problem::{Place, Problem};
use super::suggest::{advice, quoted_list};
use super::yaml::child_pointer;
use crate::error::{Error, ErrorKind, Result};

/// A JSON Schema, compiled once.
#[derive(Debug)]
pub struct Shape {
    /// The schema as JSON.
    pub schema: Value,
    validator: Validator,
}

/// What is wrong at one JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) pointer: String,
    /// Whether the key is meant, not its value.
    pub(crate) at_key: bool,
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
}

impl Fault {
    /// The fault as a problem of the file it was found in.
    pub(crate) fn problem(self, doc: &Document) -> Problem {
        let place: Place = match self.at_key {
            true if self.pointer.is_empty() => doc.whole_file(),
            true => doc.key_place(&self.pointer),
            false => doc.place(&self.pointer),
        };
        doc.problem_at(self.code, place, self.message, self.suggestion)
    }
}

impl Shape {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when it is no valid JSON Schema: schemas come from our own types.
    pub fn new(schema: Value) -> Result<Self> {
        let validator = jsonschema::validator_for(&schema).map_err(|error| {
            Error::new(ErrorKind::Internal, "a schema does not compile").caused_by(error.to_string())
        })?;
        Ok(Shape { schema, validator })
    }

    /// Everything in `value` that the schema does not allow, in the order of the schema's keywords.
    /// `written` gives a scalar as its author wrote it, by JSON pointer: nothing else of a value is shown.
    pub(crate) fn faults<'d>(&self, value: &Value, written: &dyn Fn(&str) -> Option<&'d str>) -> Vec<Fault> {
        let explainer = Explainer { schema: &self.schema, value, written };
        let mut faults = Vec::new();
        for error in self.validator.iter_errors(value) {
            explainer.explain(&error, &mut faults);
        }
        // A key that is missing because it is misspelt is one problem, not two.
        let meant: Vec<(String, String)> = faults
            .iter()
            .filter(|fault| fault.code == "C010")
            .filter_map(|fault| Some((parent_of(&fault.pointer)?.to_owned(), fault.suggestion.clone()?)))
            .collect();
        faults.retain(|fault| {
            let is_meant = |(parent, advice): &(String, String)| {
                *parent == fault.pointer
                    && advice.strip_prefix("did you mean ").map(|key| key.trim_end_matches('?'))
                        == fault.message.strip_prefix("missing key ")
            };
            fault.code != "C012" || !meant.iter().any(is_meant)
        });
        let mut seen = BTreeSet::new();
        faults.retain(|fault| seen.insert((fault.pointer.clone(), fault.at_key, fault.message.clone())));
        faults
    }
}

struct Explainer<'a, 'd> {
    schema: &'a Value,
    value: &'a Value,
    written: &'a dyn Fn(&str) -> Option<&'d str>,
}

impl Explainer<'_, '_> {
    fn explain(&self, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
        let pointer = error.instance_path().as_str().to_owned();
        let keyword = self.schema.pointer(error.schema_path().as_str());
        let parent = parent_of(error.schema_path().as_str()).and_then(|path| self.schema.pointer(path));
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = parent.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
                let known: Vec<&str> = known.into_iter().flat_map(|known| known.keys().map(String::as_str)).collect();
                for key in unexpected {
                    let present = self.value.pointer(&pointer).and_then(Value::as_object);
                    // A key that is already there was hardly meant a second time.
                    let free =
                        known.iter().copied().filter(|key| !present.is_some_and(|object| object.contains_key(*key)));
                    faults.push(Fault {
                        code: "C010",
                        pointer: child_pointer(&pointer, key),
                        at_key: true,
                        message: format!("unknown key `{key}`"),
                        suggestion: advice(key, free),
                    });
                }
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let about = parent.and_then(|schema| schema.get("properties")).and_then(|known| known.get(key));
                faults.push(Fault {
                    code: "C012",
                    at_key: true,
                    message: format!("missing key `{key}`"),
                    suggestion: about.and_then(|schema| self.description(schema)),
                    pointer,
                });
            }
            ValidationErrorKind::Type { .. } => {
                let expected = keyword.map(expected_types).unwrap_or_default();
                faults.push(self.wrong_type(pointer, &expected, parent));
            }
            ValidationErrorKind::Enum { options } => {
                let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
                faults.push(self.not_accepted(pointer, &texts(options)));
            }
            ValidationErrorKind::Constant { expected_value } => {
                faults.push(self.not_accepted(pointer, &texts(std::slice::from_ref(&**expected_value))));
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context }
            | ValidationErrorKind::OneOfMultipleValid { context } => {
                self.alternatives(pointer, context, faults);
            }
            kind => faults.push(Fault {
                code: "C014",
                message: self.out_of_bounds(kind, &pointer),
                suggestion: parent.and_then(|schema| self.description(schema)),
                pointer,
                at_key: false,
            }),
        }
    }

    /// None of several shapes fits: explain the one that was meant, or say what all of them accept.
    fn alternatives(&self, pointer: String, context: &[Vec<ValidationError<'static>>], faults: &mut Vec<Fault>) {
        let meant = context.iter().filter(|errors| !errors.iter().any(|error| is_another_shape(error, &pointer)));
        if let Some(errors) = meant.min_by_key(|errors| errors.len()) {
            for error in errors {
                self.explain(error, faults);
            }
            return;
        }
        // All shapes are told apart by the same key, and it names none of them.
        let tags = context.iter().filter_map(|errors| {
            errors.iter().find(|error| error.instance_path().as_str() != pointer && is_another_shape(error, &pointer))
        });
        let tags: Vec<_> = tags.collect();
        if let Some(first) = tags.first().filter(|_| tags.len() == context.len()) {
            let options: Vec<String> = tags.iter().flat_map(|error| accepted_by(error)).collect();
            faults.push(self.not_accepted(first.instance_path().as_str().to_owned(), &options));
            return;
        }
        let mut expected = Vec::new();
        for error in context.iter().flatten().filter(|error| error.instance_path().as_str() == pointer) {
            match error.kind() {
                ValidationErrorKind::Type { .. } => {
                    let keyword = self.schema.pointer(error.schema_path().as_str());
                    expected.extend(keyword.map(expected_types).unwrap_or_default());
                }
                _ => expected.extend(accepted_by(error).into_iter().map(|word| format!("`{word}`"))),
            }
        }
        expected.retain(|word| word != "nothing");
        let mut seen = BTreeSet::new();
        expected.retain(|word| seen.insert(word.clone()));
        // Values among values: what was meant may be close to one of them.
        let words: Vec<&str> = expected.iter().map(|word| word.trim_matches('`')).collect();
        let mut fault = self.wrong_type(pointer.clone(), &expected, None);
        if let Some(Value::String(text)) = self.value.pointer(&pointer)
            && let Some(close) = super::suggest::closest(text, words)
        {
            fault.suggestion = Some(format!("did you mean `{close}`?"));
        }
        faults.push(fault);
    }

    fn wrong_type(&self, pointer: String, expected: &[String], schema: Option<&Value>) -> Fault {
        let found = self.value.pointer(&pointer).unwrap_or(&Value::Null);
        let wants = |word: &str| expected.iter().any(|expected| expected == word);
        let written = (self.written)(&pointer);
        let scalar = matches!(found, Value::Number(_) | Value::Bool(_));
        let suggestion = match (found, written) {
            (_, Some(written)) if scalar && wants("text") => Some(format!("write it in quotes: \"{written}\"")),
            (Value::String(text), Some(_)) if wants("a whole number") && text.parse::<i64>().is_ok() => {
                Some("write it without quotes".to_owned())
            }
            (Value::String(text), Some(_)) if wants("true or false") => match text.to_lowercase().as_str() {
                "yes" | "on" | "true" => Some("write `true`".to_owned()),
                "no" | "off" | "false" => Some("write `false`".to_owned()),
                _ => None,
            },
            (Value::String(_), Some(written)) if wants("a list") => Some(format!("write it as a list: [{written}]")),
            _ => None,
        };
        // Where some words are accepted, say which word was written.
        let shown = match written {
            Some(written) if expected.iter().any(|word| word.starts_with('`')) => format!("`{written}`"),
            _ => described(found).to_owned(),
        };
        Fault {
            code: "C011",
            message: format!("expected {}, found {shown}", joined(expected)),
            suggestion: suggestion.or_else(|| schema.and_then(|schema| self.description(schema))),
            pointer,
            at_key: false,
        }
    }

    fn not_accepted(&self, pointer: String, options: &[String]) -> Fault {
        let words: Vec<&str> = options.iter().map(String::as_str).collect();
        let shown = (self.written)(&pointer).map(|text| format!("`{text}`"));
        let found = self.value.pointer(&pointer).map_or("nothing", described);
        let suggestion = match self.value.pointer(&pointer) {
            Some(Value::String(text)) => super::suggest::closest(text, words.iter().copied()),
            _ => None,
        };
        let accepted = if words.len() == 1 { quoted_list(&words) } else { format!("one of {}", quoted_list(&words)) };
        Fault {
            code: "C013",
            message: format!("expected {accepted}, found {}", shown.as_deref().unwrap_or(found)),
            suggestion: suggestion.map(|word| format!("did you mean `{word}`?")),
            pointer,
            at_key: false,
        }
    }

    fn out_of_bounds(&self, kind: &ValidationErrorKind, pointer: &str) -> String {
        let found = (self.written)(pointer).map(|text| format!(", found `{text}`")).unwrap_or_default();
        match kind {
            ValidationErrorKind::Minimum { limit } => format!("must be {limit} or more{found}"),
            ValidationErrorKind::Maximum { limit } => format!("must be {limit} or less{found}"),
            ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be more than {limit}{found}"),
            ValidationErrorKind::ExclusiveMaximum { limit } => format!("must be less than {limit}{found}"),
            ValidationErrorKind::MinLength { limit: 1 } => "must not be empty".to_owned(),
            ValidationErrorKind::MinLength { limit } => format!("must have {limit} characters or more{found}"),
            ValidationErrorKind::MaxLength { limit } => format!("must have {limit} characters or fewer{found}"),
            ValidationErrorKind::MinItems { limit } => format!("must have {limit} items or more"),
            ValidationErrorKind::MaxItems { limit } => format!("must have {limit} items or fewer"),
            ValidationErrorKind::MinProperties { limit } => format!("must have {limit} keys or more"),
            ValidationErrorKind::UniqueItems => "must not name anything twice".to_owned(),
            ValidationErrorKind::Pattern { pattern } => format!("must match `{pattern}`{found}"),
            kind => format!("does not keep the rule `{}`{found}", kind.keyword()),
        }
    }

    /// The first sentence of what the schema says a value is.
    fn description(&self, schema: &Value) -> Option<String> {
        let referred =
            schema.get("$ref").and_then(Value::as_str).and_then(|path| self.schema.pointer(path.strip_prefix('#')?));
        let text = schema.get("description").or_else(|| referred?.get("description")).and_then(Value::as_str)?;
        let sentence = text.split("\n\n").next().unwrap_or(text).replace('\n', " ");
        Some(sentence.trim_end_matches('.').to_owned())
    }
}

/// Whether an error says that another alternative was meant: the value is of another type, or the key
/// that tells alternatives apart has another value.
fn is_another_shape(error: &ValidationError<'_>, pointer: &str) -> bool {
    let path = error.instance_path().as_str();
    let below = path.strip_prefix(pointer).unwrap_or_default();
    match error.kind() {
        ValidationErrorKind::Type { .. } => below.is_empty(),
        ValidationErrorKind::Enum { .. } => below.is_empty(),
        ValidationErrorKind::Constant { .. } => below.matches('/').count() <= 1,
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            below.is_empty() && context.iter().all(|errors| errors.iter().any(|error| is_another_shape(error, pointer)))
        }
        _ => false,
    }
}

/// The values that an error names as accepted, through alternatives within alternatives.
fn accepted_by(error: &ValidationError<'_>) -> Vec<String> {
    match error.kind() {
        ValidationErrorKind::Constant { expected_value } => texts(std::slice::from_ref(&**expected_value)),
        ValidationErrorKind::Enum { options } => texts(options.as_array().map(Vec::as_slice).unwrap_or_default()),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.iter().flatten().flat_map(accepted_by).collect()
        }
        _ => Vec::new(),
    }
}

fn parent_of(pointer: &str) -> Option<&str> {
    pointer.rfind('/').map(|at| &pointer[..at])
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
}

/// A schema's `type` in words.
fn expected_types(keyword: &Value) -> Vec<String> {
    let word = |name: &str| match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "keys with values",
        _ => "nothing",
    };
    let names: Vec<&str> = match keyword {
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        name => name.as_str().into_iter().collect(),
    };
    names.into_iter().map(|name| word(name).to_owned()).collect()
}

/// What a value is, in the words of [`expected_types`].
fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "keys with values",
    }
}

fn joined(words: &[String]) -> String {
    match words {
        [] => "something else".to_owned(),
        [word] => word.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
