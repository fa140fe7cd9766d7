//! What a test or a person writes into a record.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::instant::{parse_date, parse_datetime};
use crate::number::Decimal;
use crate::zoho::field::{Column, FieldType, Source};
use crate::zoho::state::State;
use crate::zoho::value::{Value, Values};

/// Fields of a record by their API names, as answers have them: plain JSON values. Lookups may be ids alone, numbers may be
/// texts, rows of a sub-form are objects, with `id` to keep a row, and a multi-select lookup is a list of ids.
pub type Fields = Map<String, Json>;

/// A change to a record in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// New values by slot; what is not here stays.
    pub(crate) values: Values,
    /// Fields whose rows are other records, and the rows.
    pub(crate) rows: Vec<(String, Vec<Json>)>,
    /// Stamps set by whoever writes.
    pub(crate) created: Option<i64>,
    pub(crate) modified: Option<i64>,
}

/// Reads the fields of a record.
pub(crate) fn draft(state: &State, module: usize, fields: &Fields) -> Result<Draft, String> {
    let mut draft = Draft::default();
    for (name, given) in fields {
        let target = &state.modules[module];
        let column = target.column(name).ok_or_else(|| format!("{} has no field {name}", target.api_name))?;
        if column.kind().is_rows() {
            let rows = given.as_array().ok_or_else(|| format!("{name} takes a list of rows"))?;
            draft.rows.push((name.clone(), rows.clone()));
            continue;
        }
        let stamp = || given.as_str().and_then(parse_datetime).ok_or_else(|| format!("{name} is no instant"));
        match column.source {
            Source::Created => draft.created = Some(stamp()?),
            Source::Modified => draft.modified = Some(stamp()?),
            Source::Id | Source::Creator | Source::Modifier => return Err(format!("{name} cannot be written")),
            Source::Stored | Source::Made(_) | Source::Parent => {
                draft.values.insert(column.slot, read(column, given)?);
            }
        }
    }
    Ok(draft)
}

fn read(column: &Column, given: &Json) -> Result<Value, String> {
    use FieldType::{
        Bigint, Boolean, Currency, Date, Datetime, Double, Formula, Integer, Lookup, Multiselectpicklist, Ownerlookup,
        Percent, Raw, RollupSummary, Tag, Userlookup,
    };
    if given.is_null() {
        return Ok(Value::Empty);
    }
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    // A value of another type than the field's is kept as it was given: that happens in life.
    let or_text = |value: Option<Value>| value.unwrap_or_else(|| Value::text(&text));
    Ok(match column.kind() {
        Integer | Bigint | Double | Percent | Currency | Formula | RollupSummary => {
            or_text(Decimal::parse(&text).map(Value::Num))
        }
        Boolean => or_text(given.as_bool().map(Value::Bool)),
        Date => or_text(parse_date(&text).map(Value::Date)),
        Datetime => or_text(parse_datetime(&text).map(Value::Instant)),
        Lookup | Ownerlookup | Userlookup => {
            let id = given.get("id").and_then(Json::as_str).unwrap_or(&text);
            let id = id.parse().map_err(|_| format!("{} takes the id of a record", column.name()))?;
            Value::Ref(id)
        }
        Multiselectpicklist | Tag => {
            let items = given.as_array().ok_or_else(|| format!("{} takes a list", column.name()))?;
            Value::list(items.iter().filter_map(Json::as_str))
        }
        Raw => Value::Raw(Arc::new(given.clone())),
        _ => Value::text(text),
    })
}
