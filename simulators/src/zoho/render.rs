//! Records as answers have them. Lists, single records and queries each have forms of their own.

use serde_json::Value as Json;

use crate::wire::json;
use crate::zoho::field::{Column, FieldType};
use crate::zoho::id;
use crate::zoho::look;
use crate::zoho::people;
use crate::zoho::records::View;
use crate::zoho::state::State;
use crate::zoho::time;
use crate::zoho::value::Value;

/// How many characters of a rich text are in a list.
const RICH_TEXT: usize = 500;

/// What a record is shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A page of records.
    List,
    /// A call for one record, or for its whole texts.
    Single,
    /// An answer to a query.
    Coql,
}

/// Appends a record as an object: its id and these fields.
pub(crate) fn record(state: &State, module: usize, view: &View<'_>, columns: &[&Column], form: Form, out: &mut String) {
    out.push_str("{\"id\":\"");
    out.push_str(&state.id_of(module, view.number).to_string());
    out.push('"');
    for column in columns.iter().filter(|column| column.name() != "id") {
        if column.kind().is_rows() && form != Form::Single {
            continue;
        }
        out.push(',');
        json::key(column.name(), out);
        field(state, module, view, column, form, out);
    }
    if form == Form::Single {
        system(state, module, view, columns, out);
    }
    if state.options.extra_keys && form != Form::Coql {
        out.push_str(",\"$recently_invented__s\":{\"a\":[1,null]}");
    }
    out.push('}');
}

/// The keys that only single records have.
fn system(state: &State, module: usize, view: &View<'_>, columns: &[&Column], out: &mut String) {
    let target = &state.modules[module];
    let approved = target.column("$approved").map(|column| look::value(state, module, view, column));
    let is_approved = approved != Some(Value::Bool(false));
    out.push_str(",\"$currency_symbol\":\"￥\",\"$approval_state\":");
    json::string(if is_approved { "approved" } else { "pending" }, out);
    out.push_str(",\"$editable\":true,\"$in_merge\":false,\"$has_more\":{");
    let cut = state.options.hypotheses.subform_cut;
    let subforms = columns.iter().filter(|column| column.kind() == FieldType::Subform);
    for (nth, column) in subforms.enumerate() {
        if nth > 0 {
            out.push(',');
        }
        json::key(column.name(), out);
        let has_more = rows(state, module, view, column).1.len() > cut;
        out.push_str(if has_more { "true" } else { "false" });
    }
    out.push('}');
}

/// The module and the numbers of the rows that a field shows.
pub(crate) fn rows(state: &State, module: usize, view: &View<'_>, column: &Column) -> (usize, Vec<u64>) {
    let parent = match column.kind() {
        FieldType::Subform => "Parent_Id",
        _ => &state.modules[module].api_name,
    };
    let Some(child) = column.spec.module.as_deref().and_then(|name| state.find(name)) else {
        return (module, Vec::new());
    };
    (child, look::children(state, child, parent, state.id_of(module, view.number), view.when))
}

/// Appends what a field holds.
pub(crate) fn field(state: &State, module: usize, view: &View<'_>, column: &Column, form: Form, out: &mut String) {
    if column.kind().is_rows() {
        return children(state, module, view, column, out);
    }
    value(state, column, &look::value(state, module, view, column), form, out);
}

fn children(state: &State, module: usize, view: &View<'_>, column: &Column, out: &mut String) {
    let (child, numbers) = rows(state, module, view, column);
    let target = &state.modules[child];
    let is_subform = column.kind() == FieldType::Subform;
    let mut shown: Vec<&Column> = target.columns.iter().collect();
    if !is_subform {
        shown.retain(|other| other.name() == column.name());
    }
    out.push('[');
    for (nth, number) in numbers.into_iter().take(state.options.hypotheses.subform_cut).enumerate() {
        let Some(row) = target.records.view(number, view.when) else { continue };
        if nth > 0 {
            out.push(',');
        }
        record(state, child, &row, &shown, Form::List, out);
    }
    out.push(']');
}

/// Appends a value of a field.
pub(crate) fn value(state: &State, column: &Column, value: &Value, form: Form, out: &mut String) {
    let open = &state.options.hypotheses;
    let kind = column.kind();
    match value {
        Value::Empty => out.push_str(match kind {
            FieldType::Picklist if open.none_placeholder => "\"-None-\"",
            FieldType::Multiselectpicklist if !open.multiselect_null => "[]",
            FieldType::Tag => "[]",
            _ => "null",
        }),
        Value::Text(text) if kind == FieldType::RichText && form == Form::List => {
            json::string(&text.chars().take(RICH_TEXT).collect::<String>(), out);
        }
        Value::Text(text) => json::string(text, out),
        Value::Word(text) => json::string(text, out),
        Value::Num(number) if kind == FieldType::Bigint => json::string(&number.plain(), out),
        Value::Num(number) => {
            let text = number.plain();
            out.push_str(&text);
            if kind == FieldType::Currency && open.whole_with_point && !text.contains('.') {
                out.push_str(".0");
            }
        }
        Value::Bool(is_true) => out.push_str(if *is_true { "true" } else { "false" }),
        Value::Date(days) => json::string(&time::date(*days), out),
        Value::Instant(secs) => json::string(&time::stamp(*secs, state.options.zone_secs), out),
        Value::Ref(id) if column.name() == "id" => json::string(&id.to_string(), out),
        Value::Ref(id) => reference(state, column, *id, form, out),
        Value::List(items) => {
            out.push('[');
            for (nth, item) in items.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                if kind == FieldType::Tag { tag(state, item, out) } else { json::string(item, out) }
            }
            out.push(']');
        }
        Value::Raw(raw) => out.push_str(&raw.to_string()),
    }
}

fn tag(state: &State, name: &str, out: &mut String) {
    let number = name.chars().fold(7, |sum, letter| (sum * 31 + u64::from(u32::from(letter))) % 1_000_000);
    out.push_str("{\"name\":");
    json::string(name, out);
    out.push_str(&format!(",\"id\":\"{}\",\"color_code\":\"#57B1FD\"}}", id::full(state.prefix, id::TAGS, number)));
}

fn reference(state: &State, column: &Column, id: u64, form: Form, out: &mut String) {
    out.push('{');
    if form != Form::Coql || state.options.hypotheses.coql_names {
        out.push_str("\"name\":");
        match look::name_of(state, id) {
            Some(name) => json::string(&name, out),
            None => out.push_str("null"),
        }
        out.push(',');
    }
    out.push_str(&format!("\"id\":\"{id}\""));
    if column.kind().is_user() && form != Form::Coql {
        let person = id::parts(state.prefix, id).and_then(|(_, number)| people::person(number));
        out.push_str(",\"email\":");
        json::string(person.map_or("", |person| person.2), out);
    }
    out.push('}');
}

/// A value as it is in a file of a bulk read job.
pub(crate) fn text(state: &State, column: &Column, value: &Value) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Text(text) => text.to_string(),
        Value::Word(text) => (*text).to_owned(),
        Value::Num(number) => number.plain(),
        Value::Bool(is_true) => is_true.to_string(),
        Value::Date(days) => time::date(*days),
        Value::Instant(secs) => time::stamp(*secs, state.options.zone_secs),
        Value::Ref(id) => id.to_string(),
        Value::List(items) => {
            let separator = if column.kind() == FieldType::Tag { ',' } else { state.options.bulk.separator };
            items.join(&separator.to_string())
        }
        Value::Raw(raw) => raw.to_string(),
    }
}

/// A value in the form that the truth is told in.
pub(crate) fn told(state: &State, value: &Value) -> Json {
    match value {
        Value::Empty => Json::Null,
        Value::Bool(is_true) => Json::Bool(*is_true),
        Value::List(items) => items.iter().map(|item| Json::from(&**item)).collect(),
        Value::Raw(raw) => Json::clone(raw),
        Value::Num(number) => Json::String(number.trimmed().plain()),
        Value::Text(text) => Json::from(&**text),
        Value::Word(text) => Json::from(*text),
        Value::Date(days) => Json::String(time::date(*days)),
        Value::Instant(secs) => Json::String(time::stamp(*secs, state.options.zone_secs)),
        Value::Ref(id) => Json::String(id.to_string()),
    }
}
