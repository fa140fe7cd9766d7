//! Forms as app/form/fields.json and app/form/layout.json tell them.

use serde_json::{Map, Value as Json, json};

use crate::kintone::app::{Column, Form};
use crate::kintone::field::FieldType;

/// The properties of these columns by code.
pub(crate) fn properties(columns: &[&Column]) -> Json {
    let pairs = columns.iter().map(|column| (column.spec.code.clone(), property(column)));
    Json::Object(pairs.collect())
}

fn number(value: Option<u32>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn property(column: &Column) -> Json {
    let spec = &column.spec;
    let kind = spec.field_type;
    let mut out = Map::new();
    let mut put = |key: &str, value: Json| {
        out.insert(key.to_owned(), value);
    };
    put("type", json!(kind.name()));
    put("code", json!(spec.code));
    put("label", json!(spec.shown()));
    if kind.is_switched() {
        put("enabled", json!(spec.enabled));
        return Json::Object(out);
    }
    put("noLabel", json!(kind == FieldType::Subtable));
    if let Some(lookup) = &spec.lookup {
        let copies: Vec<Json> =
            lookup.copies.iter().map(|(here, there)| json!({"field": here, "relatedField": there})).collect();
        put("required", json!(spec.required));
        put(
            "lookup",
            json!({
                "relatedApp": {"app": lookup.app.to_string(), "code": ""}, "relatedKeyField": lookup.key, "fieldMappings": copies,
                "lookupPickerFields": [lookup.key], "filterCond": "", "sort": "レコード番号 desc",
            }),
        );
        return Json::Object(out);
    }
    if !kind.is_system() && !matches!(kind, FieldType::Subtable | FieldType::Group | FieldType::ReferenceTable) {
        put("required", json!(spec.required));
    }
    let default = || spec.default.clone().unwrap_or_default();
    let default_list = || spec.default.iter().cloned().collect::<Vec<_>>();
    match kind {
        FieldType::SingleLineText => {
            put("unique", json!(spec.unique));
            put("maxLength", json!(number(spec.max_length)));
            put("minLength", json!(""));
            put("defaultValue", json!(default()));
            put("expression", json!(spec.expression));
            put("hideExpression", json!(false));
        }
        FieldType::MultiLineText | FieldType::RichText => put("defaultValue", json!(default())),
        FieldType::Number => {
            put("unique", json!(spec.unique));
            put("minValue", json!(spec.min_value.clone().unwrap_or_default()));
            put("maxValue", json!(spec.max_value.clone().unwrap_or_default()));
            put("defaultValue", json!(default()));
            put("digit", json!(true));
            put("displayScale", json!(""));
            put("unit", json!(spec.unit));
            put("unitPosition", json!("AFTER"));
        }
        FieldType::Calc => {
            put("expression", json!(spec.expression));
            put("format", json!(spec.format.name()));
            put("displayScale", json!(""));
            put("hideExpression", json!(false));
            put("unit", json!(spec.unit));
            put("unitPosition", json!("AFTER"));
        }
        FieldType::RadioButton | FieldType::DropDown | FieldType::CheckBox | FieldType::MultiSelect => {
            let options: Map<String, Json> = spec
                .options
                .iter()
                .enumerate()
                .map(|(index, option)| (option.clone(), json!({"label": option, "index": index.to_string()})))
                .collect();
            put("options", Json::Object(options));
            match kind {
                FieldType::RadioButton => {
                    put("defaultValue", json!(spec.default.as_ref().or(spec.options.first())));
                    put("align", json!("HORIZONTAL"));
                }
                FieldType::DropDown => put("defaultValue", json!(default())),
                _ => put("defaultValue", json!(default_list())),
            }
        }
        FieldType::Date | FieldType::Time | FieldType::Datetime => {
            if kind != FieldType::Time {
                put("unique", json!(spec.unique));
            }
            // A local time without a zone, which must not be taken for one in UTC.
            put("defaultValue", json!(default().trim_end_matches('Z')));
            put("defaultNowValue", json!(false));
        }
        FieldType::Link => {
            put("unique", json!(spec.unique));
            let protocol = match spec.code.as_str() {
                "TEL" | "FAX" => "CALL",
                "メールアドレス" => "MAIL",
                _ => "WEB",
            };
            put("protocol", json!(protocol));
            put("maxLength", json!(number(spec.max_length)));
            put("minLength", json!(""));
            put("defaultValue", json!(default()));
        }
        FieldType::File => put("thumbnailSize", json!("150")),
        FieldType::UserSelect | FieldType::OrganizationSelect | FieldType::GroupSelect => {
            put("entities", json!([]));
            let default: Json = match (kind, &spec.default) {
                (FieldType::UserSelect, None) => json!([{"type": "FUNCTION", "code": "LOGINUSER()"}]),
                (_, Some(code)) => json!([{"type": "USER", "code": code}]),
                _ => json!([]),
            };
            put("defaultValue", default);
        }
        FieldType::Subtable => put("fields", properties(&column.inner.iter().collect::<Vec<_>>())),
        FieldType::Group => put("openGroup", json!(true)),
        FieldType::ReferenceTable => {
            if let Some(related) = &spec.related {
                put(
                    "referenceTable",
                    json!({
                        "relatedApp": {"app": related.app.to_string(), "code": ""},
                        "condition": {"field": related.field, "relatedField": related.related},
                        "filterCond": "", "displayFields": related.shown, "sort": "レコード番号 desc", "size": "5",
                    }),
                );
            }
        }
        _ => {}
    }
    Json::Object(out)
}

/// The layout: a field in each row, then what only people look at.
pub(crate) fn layout(form: &Form) -> Json {
    let field = |column: &Column| json!({"type": column.spec.field_type.name(), "code": column.spec.code, "size": {"width": "200"}});
    let mut rows: Vec<Json> = form
        .columns
        .iter()
        .filter(|column| !column.spec.field_type.is_switched())
        .map(|column| match column.spec.field_type {
            FieldType::Subtable => {
                json!({"type": "SUBTABLE", "code": column.spec.code, "fields": column.inner.iter().map(field).collect::<Vec<_>>()})
            }
            FieldType::Group => json!({"type": "GROUP", "code": column.spec.code, "layout": []}),
            _ => json!({"type": "ROW", "fields": [field(column)]}),
        })
        .collect();
    rows.push(json!({"type": "ROW", "fields": [
        {"type": "LABEL", "label": "<div>社外秘</div>", "size": {"width": "120"}},
        {"type": "SPACER", "elementId": "list", "size": {"width": "100", "height": "50"}},
        {"type": "HR", "size": {"width": "700"}},
    ]}));
    json!({"layout": rows, "revision": form.revision.to_string()})
}
