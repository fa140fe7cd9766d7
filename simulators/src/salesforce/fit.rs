//! Written JSON becomes values that fit their fields, or a refusal.

use serde_json::{Map, Value as Json};

use crate::number::Decimal;
use crate::salesforce::catalogue::Origin;
use crate::salesforce::edit::{EditError, Edited, Written};
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::state::State;
use crate::salesforce::value::Value;
use crate::salesforce::{id, instant};

/// Turns JSON into values that fit their fields.
pub(crate) fn values(state: &State, table: usize, fields: &Map<String, Json>) -> Edited<Written> {
    let object = &state.store.tables[table];
    let mut values = Written::new();
    for (name, json) in fields {
        let slot = object.slot(name).ok_or_else(|| {
            EditError::new("INVALID_FIELD", format!("No such column '{name}' on sobject of type {}", object.name))
        })?;
        let column = &object.columns[slot];
        if column.spec.read_only || !matches!(column.origin, Origin::Stored(_)) {
            let message = format!("Unable to create/update fields: {name}");
            return Err(EditError::new("INVALID_FIELD_FOR_INSERT_UPDATE", message));
        }
        values.insert(slot as u16, fit(&column.spec, json)?);
    }
    Ok(values)
}

fn fit(spec: &FieldSpec, json: &Json) -> Edited<Value> {
    use FieldType as T;
    let wrong = || EditError::new("JSON_PARSER_ERROR", format!("{} does not take {json}", spec.name));
    let text = match json {
        Json::Null => return Ok(Value::Null),
        Json::Bool(value) if matches!(spec.field_type, T::Boolean | T::AnyType) => return Ok(Value::Bool(*value)),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return Err(wrong()),
    };
    Ok(match spec.field_type {
        T::Int => Value::Int(Decimal::parse(&text).and_then(Decimal::to_int).ok_or_else(wrong)?),
        T::Double | T::Currency | T::Percent => {
            let number = Decimal::parse(&text).ok_or_else(wrong)?.rounded(spec.scale);
            if number.whole_digits() > (spec.precision.saturating_sub(spec.scale)) as usize {
                return Err(EditError::new(
                    "NUMBER_OUTSIDE_VALID_RANGE",
                    format!("{}: value outside of valid range", spec.name),
                ));
            }
            Value::Num(number)
        }
        T::Date => Value::Date(instant::parse_date(&text).ok_or_else(wrong)?),
        T::Datetime => Value::Instant(instant::parse_datetime(&text).ok_or_else(wrong)?),
        T::Time => Value::Time(instant::parse_time(&text).ok_or_else(wrong)?),
        T::Reference | T::Id => {
            let id = id::parse(&text).ok_or_else(|| {
                EditError::new("MALFORMED_ID", format!("{}: id value of incorrect type: {text}", spec.name))
            })?;
            let full: String = id.iter().chain(&id::checks(&id)).map(|&byte| byte as char).collect();
            Value::text(&full)
        }
        T::AnyType => match json {
            Json::Number(_) => Decimal::parse(&text).map(Value::Num).ok_or_else(wrong)?,
            _ => Value::text(&text),
        },
        T::Boolean | T::Address | T::Location => return Err(wrong()),
        _ if json.is_number() => return Err(wrong()),
        _ => {
            if text.chars().count() > spec.length as usize {
                let message = format!("{}: data value too large (max length={})", spec.name, spec.length);
                return Err(EditError::new("STRING_TOO_LONG", message));
            }
            Value::text(&text)
        }
    })
}
