//! Values as someone sends them.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::kintone::app::{App, Column};
use crate::kintone::field::{FieldSpec, FieldType};
use crate::kintone::files::Files;
use crate::kintone::refusal::{Message, message, not_a_number, required};
use crate::kintone::time;
use crate::kintone::value::{File, Row, Value, Values};
use crate::number::Decimal;

/// Place and complaint.
pub(crate) type Complaints = Vec<(String, Message)>;

/// How strictly values are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// As the API does: required, length, range and options are checked.
    Full,
    /// As old records may be: only the type must fit.
    Type,
}

/// `{"value": x}` and `x` are the same.
pub(crate) fn unwrap(json: &Json) -> &Json {
    match json {
        Json::Object(map) if map.contains_key("value") && !map.contains_key("code") => &map["value"],
        other => other,
    }
}

/// Reads what is sent for a field; `place` is its name in complaints, such as `record.顧客名`.
pub(crate) fn value(
    app: &mut App,
    files: &Files,
    column: &Column,
    json: &Json,
    place: &str,
    care: Care,
) -> Result<Value, Complaints> {
    let json = unwrap(json);
    let spec = &column.spec;
    if spec.field_type == FieldType::Subtable {
        return rows(app, files, column, json, place, care);
    }
    let value = single(files, spec, json, place, false)?;
    if care == Care::Full {
        check(spec, &value, place)?;
    }
    Ok(value)
}

fn at(place: String, message: Message) -> Complaints {
    vec![(place, message)]
}

fn single(files: &Files, spec: &FieldSpec, json: &Json, place: &str, in_table: bool) -> Result<Value, Complaints> {
    let bad = |ja: &str, en: &str| at(format!("{place}.value"), message(ja, en));
    if spec.field_type.is_list() {
        let Json::Array(list) = json else {
            return if json.is_null() {
                Ok(Value::Empty)
            } else {
                Err(bad("配列でなければなりません。", "must be an array"))
            };
        };
        return items(files, spec, list, place);
    }
    let text = match json {
        Json::Null => return Ok(Value::Empty),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Object(entity) if spec.field_type.is_entity() => {
            entity.get("code").and_then(Json::as_str).unwrap_or_default().to_owned()
        }
        _ => return Err(bad("文字列でなければなりません。", "must be a string")),
    };
    if text.is_empty() {
        return Ok(Value::Empty);
    }
    match spec.field_type {
        FieldType::Number => match Decimal::parse(text.trim()) {
            Some(number) => Ok(Value::Num(number)),
            // Inside a table the service stores nothing, without a word.
            None if in_table => Ok(Value::Empty),
            None => Err(at(place.replacen('.', "[", 1) + "].value", not_a_number())),
        },
        FieldType::Date => time::read_date(&text)
            .map(Value::Date)
            .ok_or_else(|| bad("日付の形式が正しくありません。", "Enter a valid date.")),
        FieldType::Time => time::read_clock(&text)
            .map(Value::Time)
            .ok_or_else(|| bad("時刻の形式が正しくありません。", "Enter a valid time.")),
        FieldType::Datetime | FieldType::CreatedTime | FieldType::UpdatedTime => time::read_instant(&text)
            .map(|secs| Value::Instant(time::floor(secs)))
            .ok_or_else(|| bad("日時の形式が正しくありません。", "Enter a valid date and time.")),
        FieldType::Creator | FieldType::Modifier => Ok(Value::list([text])),
        _ => Ok(Value::text(text)),
    }
}

fn items(files: &Files, spec: &FieldSpec, list: &[Json], place: &str) -> Result<Value, Complaints> {
    if spec.field_type == FieldType::File {
        let mut found: Vec<File> = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let key = item.get("fileKey").and_then(Json::as_str).unwrap_or_default();
            let missing = || {
                at(
                    format!("{place}.values[{index}].value"),
                    message("指定したファイルが見つかりません。", "File not found."),
                )
            };
            found.push(files.uploaded(key).ok_or_else(missing)?);
        }
        return Ok(if found.is_empty() { Value::Empty } else { Value::Files(found.into()) });
    }
    let text = |item: &Json| match item {
        Json::String(text) => Some(text.clone()),
        Json::Object(entity) => entity.get("code").and_then(Json::as_str).map(str::to_owned),
        _ => None,
    };
    let mut texts = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        let wrong =
            || at(format!("{place}.values[{index}].value"), message("値が正しくありません。", "Invalid value."));
        texts.push(text(item).ok_or_else(wrong)?);
    }
    Ok(Value::list(texts))
}

fn rows(
    app: &mut App,
    files: &Files,
    table: &Column,
    json: &Json,
    place: &str,
    care: Care,
) -> Result<Value, Complaints> {
    let Json::Array(list) = json else {
        return if json.is_null() {
            Ok(Value::Empty)
        } else {
            Err(at(format!("{place}.value"), message("配列でなければなりません。", "must be an array")))
        };
    };
    let mut rows = Vec::with_capacity(list.len());
    let mut complaints = Vec::new();
    for (index, row) in list.iter().enumerate() {
        let empty = Map::new();
        let fields = unwrap(row).as_object().unwrap_or(&empty);
        let id = row.get("id").and_then(crate::kintone::params::whole).and_then(|id| u64::try_from(id).ok());
        let mut values = Values::new();
        for column in &table.inner {
            let spec = &column.spec;
            if spec.field_type == FieldType::Calc {
                continue;
            }
            let place = format!("{place}.value[{index}].value.{}", spec.code);
            let Some(sent) = fields.get(&spec.code) else { continue };
            let read = single(files, spec, unwrap(sent), &place, true).and_then(|value| match care {
                Care::Full => check(spec, &value, &place).map(|()| value),
                Care::Type => Ok(value),
            });
            match read {
                Ok(value) => {
                    values.insert(column.slot, value);
                }
                Err(more) => complaints.extend(more),
            }
        }
        // Numbers below the first new one belong to rows that are known, or are nobody's; the caller tells them apart.
        rows.push(Row { id: id.unwrap_or_else(|| app.records.next_row()), values });
    }
    if !complaints.is_empty() {
        return Err(complaints);
    }
    Ok(if rows.is_empty() { Value::Empty } else { Value::Rows(rows.into()) })
}

/// The rules of a field that the API enforces.
pub(crate) fn check(spec: &FieldSpec, value: &Value, place: &str) -> Result<(), Complaints> {
    let key = match spec.field_type {
        kind if kind.is_entity() => format!("{place}.values.value"),
        kind if kind.is_list() => format!("{place}.values"),
        _ => format!("{place}.value"),
    };
    if value.is_empty() {
        let is_enforced = spec.required && spec.field_type != FieldType::RadioButton;
        return if is_enforced { Err(at(key, required())) } else { Ok(()) };
    }
    if spec.field_type.is_choice() {
        let wrong = |option: &str| !spec.options.iter().any(|known| known == option);
        let complain = |option: &str| {
            message(
                format!("\"{option}\"は選択肢にありません。"),
                format!("The value, \"{option}\", is not in options."),
            )
        };
        if let Some(option) = value.as_text().filter(|option| wrong(option)) {
            return Err(at(key, complain(option)));
        }
        if let Some((index, option)) = value.items().iter().enumerate().find(|(_, option)| wrong(option)) {
            return Err(at(format!("{key}[{index}].value"), complain(option)));
        }
    }
    let over = spec.max_length.filter(|&most| value.as_text().is_some_and(|text| text.chars().count() > most as usize));
    if let Some(over) = over.map(|most| most + 1) {
        let complaint =
            message(format!("{over}文字より短くなければなりません。"), format!("Enter less than {over} characters."));
        return Err(at(key, complaint));
    }
    if let Value::Num(number) = value {
        let bound = |text: &Option<String>| text.as_deref().and_then(Decimal::parse);
        if bound(&spec.min_value).is_some_and(|least| *number < least) {
            return Err(at(key, message("最小値より小さい値です。", "The value is less than the minimum.")));
        }
        if bound(&spec.max_value).is_some_and(|most| *number > most) {
            return Err(at(key, message("最大値より大きい値です。", "The value is more than the maximum.")));
        }
    }
    Ok(())
}

/// What a new record has in a field for which nothing was sent.
pub(crate) fn default(spec: &FieldSpec) -> Value {
    let Some(default) = spec.default.as_deref() else { return Value::Empty };
    match spec.field_type {
        FieldType::Number => Decimal::parse(default).map_or(Value::Empty, Value::Num),
        FieldType::Date => time::read_date(default).map_or(Value::Empty, Value::Date),
        FieldType::Time => time::read_clock(default).map_or(Value::Empty, Value::Time),
        FieldType::Datetime => time::read_instant(default).map_or(Value::Empty, Value::Instant),
        kind if kind.is_list() => Value::List([Arc::from(default)].into()),
        _ => Value::text(default),
    }
}
