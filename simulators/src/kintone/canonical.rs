//! The truth about records: one form for each value, whatever the wire makes of it.

use serde_json::{Map, Value as Json, json};

use crate::kintone::app::{App, Column};
use crate::kintone::field::FieldType;
use crate::kintone::records::View;
use crate::kintone::value::Value;

/// The record as a flat object: `$id`, `$revision`, and each field by its present code. Empty is `null`, or `[]` for lists;
/// numbers are plain decimals in texts without zeros at the end; choices are sorted; people, organizations and groups are
/// their codes; files are `{name, size, contentType}`; rows of tables are objects with `$row` and their fields.
pub(crate) fn record(app: &App, view: &View<'_>) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("$id".to_owned(), view.id.to_string().into());
    out.insert("$revision".to_owned(), view.revision().to_string().into());
    for column in &app.live.columns {
        let kind = column.spec.field_type;
        if kind.is_decoration() || (kind.is_switched() && !column.spec.enabled) {
            continue;
        }
        out.insert(column.spec.code.clone(), cell(column, &app.value(view, column)));
    }
    out
}

fn cell(column: &Column, value: &Value) -> Json {
    match column.spec.field_type {
        FieldType::Creator | FieldType::Modifier => value.items().first().map_or(Json::Null, |code| json!(&**code)),
        FieldType::Subtable => value
            .rows()
            .iter()
            .map(|row| {
                let mut out = Map::from_iter([("$row".to_owned(), Json::from(row.id.to_string()))]);
                for inner in &column.inner {
                    let held = row.values.get(&inner.slot).unwrap_or(&Value::Empty);
                    out.insert(inner.spec.code.clone(), cell(inner, held));
                }
                Json::Object(out)
            })
            .collect(),
        FieldType::File => {
            let file = |file: &crate::kintone::value::File| json!({"name": &*file.name, "size": file.size.to_string(), "contentType": &*file.content_type});
            value.files().iter().map(file).collect()
        }
        kind if kind.is_list() => {
            let mut items: Vec<&str> = value.items().iter().map(|item| &**item).collect();
            if matches!(kind, FieldType::CheckBox | FieldType::MultiSelect) {
                items.sort_unstable();
            }
            json!(items)
        }
        _ => match value {
            Value::Empty => Json::Null,
            Value::Num(number) => number.trimmed().plain().into(),
            other => other.written().into(),
        },
    }
}
