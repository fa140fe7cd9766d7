//! Records as JSON, written straight into a string.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::chance::mix;
use crate::kintone::app::{App, Column};
use crate::kintone::field::FieldType;
use crate::kintone::options::{Language, Options};
use crate::kintone::people::Person;
use crate::kintone::records::View;
use crate::kintone::value::Value;
use crate::wire::json;

/// Whatever decides how the same value is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style<'a> {
    pub(crate) people: &'a [Person],
    pub(crate) options: &'a Options,
    pub(crate) language: Language,
    /// Differs from call to call; 0 for the plain order.
    pub(crate) chance: u64,
}

impl<'a> Style<'a> {
    pub(crate) fn plain(people: &'a [Person], options: &'a Options) -> Self {
        Style { people, options, language: Language::Ja, chance: 0 }
    }
}

/// A key of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key<'a> {
    Id,
    Revision,
    Field(&'a Column),
}

/// Appends a record with these keys, in no particular order.
pub(crate) fn record(app: &App, view: &View<'_>, keys: &[Key<'_>], style: &Style<'_>, out: &mut String) {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    if style.chance != 0 {
        order.sort_by_key(|&place| mix(style.chance, place as u64, view.id));
    }
    out.push('{');
    let mut is_first = true;
    let mut comma = |out: &mut String| {
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
    };
    for place in order {
        match keys[place] {
            Key::Id => {
                comma(out);
                let _ = write!(out, r#""$id":{{"type":"__ID__","value":"{}"}}"#, view.id);
            }
            Key::Revision => {
                comma(out);
                let _ = write!(out, r#""$revision":{{"type":"__REVISION__","value":"{}"}}"#, view.revision());
            }
            Key::Field(column) => {
                if has_key(app, view, column, style.options) {
                    comma(out);
                    json::key(&column.spec.code, out);
                    cell(column, &app.value(view, column), style, view.id, out);
                }
            }
        }
    }
    if style.options.extra_keys {
        comma(out);
        out.push_str(r#""$future":{"type":"__FUTURE__","value":"?"}"#);
    }
    out.push('}');
}

/// Whether records have a key for the column.
fn has_key(app: &App, view: &View<'_>, column: &Column, options: &Options) -> bool {
    let kind = column.spec.field_type;
    if kind.is_decoration() || (kind.is_switched() && !column.spec.enabled) {
        return false;
    }
    // A formula that came after the last save has never been computed.
    let is_unknown = kind == FieldType::Calc && column.came_later && app.stored(view, column).is_none();
    !(is_unknown && options.hypotheses.calc_absent)
}

/// A record as a tree, with all its keys.
pub(crate) fn record_value(app: &App, view: &View<'_>, columns: &[&Column], style: &Style<'_>) -> Json {
    let mut keys = vec![Key::Id, Key::Revision];
    keys.extend(columns.iter().map(|column| Key::Field(column)));
    let mut out = String::new();
    record(app, view, &keys, style, &mut out);
    serde_json::from_str(&out).unwrap_or(Json::Null)
}

fn cell(column: &Column, value: &Value, style: &Style<'_>, id: u64, out: &mut String) {
    let kind = column.spec.field_type;
    let _ = write!(out, r#"{{"type":"{}","value":"#, kind.name());
    match kind {
        FieldType::Subtable => rows(column, value, style, out),
        FieldType::File => files(value, style, out),
        FieldType::Creator | FieldType::Modifier => match value.items().first() {
            Some(code) => entity(code, style, out),
            None => out.push_str("null"),
        },
        _ if kind.is_entity() => list(value.items(), out, |code, out| entity(code, style, out)),
        FieldType::CheckBox | FieldType::MultiSelect => {
            let mut items = value.items().to_vec();
            if style.options.hypotheses.choices_shuffled && style.chance != 0 {
                items.sort_by_key(|item| mix(style.chance, id, item.bytes().map(u64::from).sum()));
            }
            list(&items, out, |item, out| json::string(item, out));
        }
        FieldType::Category => list(value.items(), out, |item, out| json::string(item, out)),
        _ if value.is_empty() => out.push_str(if is_null(kind, style.options) { "null" } else { "\"\"" }),
        _ => json::string(&value.written(), out),
    }
    out.push('}');
}

/// Whether an empty value of that type is null.
fn is_null(kind: FieldType, options: &Options) -> bool {
    let open = &options.hypotheses;
    match kind {
        FieldType::Date | FieldType::Time | FieldType::DropDown => true,
        FieldType::Datetime => open.datetime_null,
        FieldType::RadioButton => open.radio_null,
        FieldType::Number | FieldType::Calc => open.number_null,
        _ => false,
    }
}

fn list<T>(items: &[T], out: &mut String, mut write: impl FnMut(&T, &mut String)) {
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

fn entity(code: &str, style: &Style<'_>, out: &mut String) {
    let person = style.people.iter().find(|person| *person.code == *code);
    let is_english = style.language == Language::En && style.options.hypotheses.names_localized;
    let name = person.map_or(code, |person| if is_english { &person.name_en } else { &person.name });
    out.push_str("{\"code\":");
    json::string(code, out);
    out.push_str(",\"name\":");
    json::string(name, out);
    out.push('}');
}

fn files(value: &Value, style: &Style<'_>, out: &mut String) {
    let chance = if style.options.hypotheses.file_keys_change { style.chance } else { 0 };
    list(value.files(), out, |file, out| {
        out.push_str("{\"contentType\":");
        json::string(&file.content_type, out);
        let _ = write!(out, ",\"fileKey\":\"{}\",\"name\":", crate::kintone::files::download_key(file.id, chance));
        json::string(&file.name, out);
        let _ = write!(out, ",\"size\":\"{}\"}}", file.size);
    });
}

fn rows(table: &Column, value: &Value, style: &Style<'_>, out: &mut String) {
    list(value.rows(), out, |row, out| {
        let _ = write!(out, r#"{{"id":"{}","value":"#, row.id);
        out.push('{');
        for (place, column) in table.inner.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            json::key(&column.spec.code, out);
            cell(column, row.values.get(&column.slot).unwrap_or(&Value::Empty), style, row.id, out);
        }
        out.push_str("}}");
    });
}
