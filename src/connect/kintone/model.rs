//! The answers of kintone: only what our logic depends on.

use serde::Deserialize;
use serde_json::{Map, Value};

/// What `oauth2/token` gives.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    /// Whether refreshing gives a new one is not documented: the old one stays good where it does not.
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
}

/// What `oauth2/token` says when it refuses.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenRefusal {
    pub(super) error: String,
    pub(super) error_description: String,
}

/// The body of a refused request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    pub(super) code: String,
    /// Opaque; their support asks for it.
    pub(super) id: String,
    /// In the language of the user; never branched on.
    pub(super) message: String,
    /// Only of validation failures: which parameter, and what is wrong with it.
    pub(super) errors: Map<String, Value>,
}

/// What `app.json` tells, as `check` shows it.
#[derive(Debug, Deserialize)]
pub(super) struct App {
    #[serde(default)]
    pub(super) name: String,
}

/// What `apps.json` tells.
#[derive(Debug, Deserialize)]
pub(super) struct AppList {
    pub(super) apps: Vec<ListedApp>,
}

/// One app of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListedApp {
    #[serde(rename = "appId", deserialize_with = "number")]
    pub(super) id: u64,
    pub(super) name: String,
}

/// A number that kintone writes as text.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// The fields of an app, in the form's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) fields: Vec<Described>,
    pub(super) revision: String,
}

/// One field of a form. Read leniently: one odd property must not hide the others, and settings of defaults and
/// bounds, whose spelling has changed before, are not read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) code: String,
    /// The type word, such as `SINGLE_LINE_TEXT`.
    pub(super) kind: String,
    pub(super) label: Option<String>,
    /// The options of a choice, in their order; they are the values too.
    pub(super) choices: Vec<String>,
    /// How a calculated field prints.
    pub(super) format: String,
    /// The formula, or where a look-up looks: a change of it may change values without a save.
    pub(super) source: String,
    /// Of categories and process management: whether records have it.
    pub(super) enabled: bool,
    /// The fields of a table.
    pub(super) fields: Vec<Described>,
}

impl Form {
    /// Reads the answer of `app/form/fields.json`; `None` when it is not one.
    pub(super) fn read(answer: &Value) -> Option<Form> {
        let fields = described(answer.get("properties")?.as_object()?);
        let revision = text(answer, "revision").unwrap_or_default();
        Some(Form { fields, revision })
    }

    /// The field `code`.
    pub(super) fn field(&self, code: &str) -> Option<&Described> {
        self.fields.iter().find(|field| field.code == code)
    }

    /// The only field of a type that every form has once. Its code differs by language and can be changed.
    pub(super) fn of_kind(&self, kind: &str) -> Option<&Described> {
        self.fields.iter().find(|field| field.kind == kind)
    }
}

fn described(properties: &Map<String, Value>) -> Vec<Described> {
    let field = |(code, property): (&String, &Value)| Described {
        code: text(property, "code").unwrap_or_else(|| code.clone()),
        kind: text(property, "type").unwrap_or_default(),
        label: text(property, "label").filter(|label| !label.is_empty()),
        choices: choices(property.get("options")),
        format: text(property, "format").unwrap_or_default(),
        source: ["expression", "lookup"]
            .into_iter()
            .filter_map(|key| property.get(key).map(Value::to_string))
            .filter(|text| text != "\"\"" && text != "null")
            .collect(),
        enabled: property.get("enabled").is_none_or(|enabled| enabled != &Value::Bool(false)),
        fields: property.get("fields").and_then(Value::as_object).map(described).unwrap_or_default(),
    };
    properties.iter().map(field).collect()
}

/// A text, or a number as text: kintone writes numbers as texts, and its own description says otherwise.
fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn choices(options: Option<&Value>) -> Vec<String> {
    let Some(options) = options.and_then(Value::as_object) else { return Vec::new() };
    let index = |option: &Value| text(option, "index").and_then(|index| index.parse::<u64>().ok()).unwrap_or(u64::MAX);
    let mut options: Vec<(u64, &String)> = options.iter().map(|(name, option)| (index(option), name)).collect();
    options.sort();
    options.into_iter().map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lesson_8_and_9_odd_defaults_and_odd_properties_hide_no_field() {
        let form = Form::read(&json!({ "properties": {
            "時刻": { "type": "TIME", "code": "時刻", "label": "時刻", "defaultValue": "" },
            "日時": { "type": "DATETIME", "code": "日時", "label": "日時", "defaultValue": "2021-03-01T09:00" },
            "確度": { "type": "DROP_DOWN", "code": "確度", "label": "", "options": { "B": { "index": "1" }, "A": { "index": 0 }, "C": 7 } },
            "何か": 3,
            "明細": { "type": "SUBTABLE", "code": "明細", "fields": { "品名": { "type": "SINGLE_LINE_TEXT", "code": "品名" } } },
            "作業者": { "type": "STATUS_ASSIGNEE", "code": "作業者", "enabled": false },
        }, "revision": 12 }))
        .unwrap();
        let codes: Vec<&str> = form.fields.iter().map(|field| field.code.as_str()).collect();
        assert_eq!(codes, ["時刻", "日時", "確度", "何か", "明細", "作業者"]);
        assert_eq!(form.revision, "12");
        assert_eq!(form.field("確度").unwrap().choices, ["A", "B", "C"]);
        assert_eq!(form.field("明細").unwrap().fields[0].kind, "SINGLE_LINE_TEXT");
        assert!(!form.field("作業者").unwrap().enabled && form.field("時刻").unwrap().enabled);
        assert_eq!(Form::read(&json!({ "code": "GAIA_AP01" })), None);
    }
}
