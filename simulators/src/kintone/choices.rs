//! Renamed options: what old records hold is read under the new name.

use std::sync::Arc;

use crate::kintone::app::Column;
use crate::kintone::value::{Row, Value};

/// The value with renamed options in it, as it was read at `as_of`.
pub(crate) fn present(column: &Column, value: Value, as_of: Option<i64>) -> Value {
    if let Value::Rows(rows) = &value {
        if column.inner.iter().all(|inner| inner.renamed.is_empty()) {
            return value;
        }
        let row = |row: &Row| {
            let mut values = row.values.clone();
            for inner in &column.inner {
                if let Some(held) = values.remove(&inner.slot) {
                    values.insert(inner.slot, present(inner, held, as_of));
                }
            }
            Row { id: row.id, values }
        };
        return Value::Rows(rows.iter().map(row).collect());
    }
    let mut value = value;
    for (since, from, to) in &column.renamed {
        if as_of.is_some_and(|at| at < *since) {
            continue;
        }
        value = match value {
            Value::List(items) if items.iter().any(|item| **item == **from) => {
                let item = |item: &Arc<str>| if **item == **from { Arc::from(to.as_str()) } else { item.clone() };
                Value::List(items.iter().map(item).collect())
            }
            held if held.as_text() == Some(from) => Value::text(to),
            held => held,
        };
    }
    value
}
