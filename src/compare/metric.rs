//! A variable over all customers of a side: its aggregate and how much of it is known.

use std::cmp::Ordering;

use super::model::{MetricSide, Value};
use super::number::{Decimal, add, divide_half_even, subtract};
use super::side::{Column, Presence, Side, Values};
use crate::error::Result;
use crate::schema::types::compare_choices;
use crate::schema::{Aggregate, VariableConfig, VariableType};
use crate::snapshot::Cell;

/// Places of an average of whole numbers; one of decimals keeps theirs where they have more.
const AVERAGE_PLACES: u8 = 6;

/// How a variable is added up: as it says, else the sum for money and whole numbers, else not at all.
pub(super) fn aggregate_of(variable: &VariableConfig) -> Aggregate {
    variable.aggregate.unwrap_or(match variable.r#type {
        VariableType::Money | VariableType::Integer => Aggregate::Sum,
        _ => Aggregate::None,
    })
}

/// Adds up a column over the customers that are there or may be there on a side.
///
/// Only known values are in the aggregate; customers of whom we cannot say it are counted beside it, with the
/// `unknown_missing` ones that may have been there and have no row. Sums and averages are of numbers only,
/// averages rounded half to even; minimum and maximum are of any type.
pub(super) fn add_up(side: &Side<'_>, unknown_missing: u64, column: usize, aggregate: Aggregate) -> Result<MetricSide> {
    let whole = &side.columns[column];
    let Column { values, cells, .. } = whole;
    let (mut known, mut empty, mut unknown) = (0_u64, 0_u64, unknown_missing);
    let mut sum = 0_i128;
    let mut extreme: Option<usize> = None;
    let wanted = match aggregate {
        Aggregate::Min => Some(Ordering::Less),
        Aggregate::Max => Some(Ordering::Greater),
        _ => None,
    };
    let is_summed = matches!(aggregate, Aggregate::Sum | Aggregate::Avg);
    for (row, (presence, cell)) in side.presence().iter().zip(cells).enumerate() {
        match (presence, cell) {
            (Presence::Present, Cell::Value) => {
                known += 1;
                if is_summed && let Some(number) = values.number(row) {
                    sum = add(sum, number)?;
                }
                if let Some(wanted) = wanted
                    && extreme.is_none_or(|best| whole.order(row, best) == wanted)
                {
                    extreme = Some(row);
                }
            }
            (Presence::Present, Cell::Empty | Cell::NoSource) => empty += 1,
            _ => unknown += 1,
        }
    }
    let value = match aggregate {
        Aggregate::None => None,
        Aggregate::Count => Some(Value::Integer(i64::try_from(known).unwrap_or(i64::MAX))),
        Aggregate::Sum => values.scale().filter(|_| known > 0).map(|scale| Value::Decimal(Decimal::new(sum, scale))),
        Aggregate::Avg => values.scale().and_then(|scale| average(sum, known, scale)).map(Value::Decimal),
        Aggregate::Min | Aggregate::Max => extreme.map(|row| values.get(row)),
    };
    Ok(MetricSide { value, values: known, empty, unknown })
}

fn average(sum: i128, count: u64, scale: u8) -> Option<Decimal> {
    let places = scale.max(AVERAGE_PLACES);
    let unit = 10_i128.pow(u32::from(places - scale));
    let count = i128::from(count);
    (count > 0).then(|| match sum.checked_mul(unit) {
        Some(scaled) => Decimal::new(divide_half_even(scaled, count), places),
        None => Decimal::new(divide_half_even(sum, count), scale),
    })
}

/// B minus A, where both are numbers.
pub(super) fn delta(a: &MetricSide, b: &MetricSide) -> Result<Option<Decimal>> {
    let (Some(before), Some(after)) = (number(a), number(b)) else { return Ok(None) };
    if before.scale != after.scale {
        return Ok(None);
    }
    Ok(Some(Decimal::new(subtract(after.unscaled, before.unscaled)?, after.scale)))
}

fn number(side: &MetricSide) -> Option<Decimal> {
    match side.value {
        Some(Value::Decimal(number)) => Some(number),
        Some(Value::Integer(number)) => Some(Decimal::new(number.into(), 0)),
        _ => None,
    }
}

impl Column {
    /// How two values of the column compare; both rows have one. An enum compares as its values are listed, other text
    /// by its bytes.
    fn order(&self, row: usize, other: usize) -> Ordering {
        match &self.values {
            Values::Text(array) if !self.choices.is_empty() => {
                compare_choices(&self.choices, array.value(row), array.value(other))
            }
            Values::Text(array) => array.value(row).cmp(array.value(other)),
            Values::Integer(array) => array.value(row).cmp(&array.value(other)),
            Values::Decimal(array, _) => array.value(row).cmp(&array.value(other)),
            Values::Boolean(array) => array.value(row).cmp(&array.value(other)),
            Values::Date(array) => array.value(row).cmp(&array.value(other)),
            Values::Instant(array) => array.value(row).cmp(&array.value(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_rounded_half_to_even_at_six_places_or_their_own() {
        assert_eq!(average(10, 4, 0).unwrap().to_string(), "2.500000");
        assert_eq!(average(2, 3, 0).unwrap().to_string(), "0.666667");
        assert_eq!(average(750_000_000_001, 2, 10).unwrap().to_string(), "37.5");
        assert_eq!(average(0, 0, 0), None);
        assert_eq!(average(i128::MAX, 1, 0).unwrap().unscaled, i128::MAX);
    }
}
