//! What a save fills in by itself: copies of look-ups and computed fields. Nothing else ever recomputes them.

use std::collections::BTreeMap;

use crate::kintone::app::{App, Column};
use crate::kintone::auth::{Caller, Right};
use crate::kintone::edit::Change;
use crate::kintone::field::{CalcFormat, FieldType};
use crate::kintone::formula::{self, Operand};
use crate::kintone::refusal::{Answer, lookup_missed};
use crate::kintone::state::State;
use crate::kintone::time;
use crate::kintone::value::{Row, Value, Values};
use crate::number::Decimal;

/// How many digits of a quotient are kept.
const PLACES: u32 = 4;

/// Copies what the look-ups in a change ask for.
pub(crate) fn look_up(state: &State, app: usize, _id: Option<u64>, change: &mut Change) -> Answer<()> {
    let form = &state.apps[app].live;
    let mut copied = BTreeMap::new();
    for column in &form.columns {
        let (Some(lookup), Some(key)) = (&column.spec.lookup, change.values.get(&column.slot)) else { continue };
        let copies = |source: &dyn Fn(&str) -> Value| -> Vec<(u16, Value)> {
            let pairs = lookup.copies.iter();
            pairs.filter_map(|(here, there)| Some((form.find(here)?.slot, source(there)))).collect()
        };
        if key.is_empty() {
            copied.extend(copies(&|_| Value::Empty));
            continue;
        }
        let missed = || lookup_missed(column.spec.shown());
        let master = state.apps.iter().find(|app| app.id == lookup.app && !app.is_deleted).ok_or_else(missed)?;
        let wanted = master.live.find(&lookup.key).ok_or_else(missed)?;
        let found = master
            .records
            .ids(1, u64::MAX)
            .find(|&id| master.records.view(id, None).is_some_and(|view| master.value(&view, wanted) == *key));
        let view = found.and_then(|id| master.records.view(id, None)).ok_or_else(missed)?;
        copied
            .extend(copies(&|code| master.live.find(code).map_or(Value::Empty, |column| master.value(&view, column))));
    }
    change.values.extend(copied);
    Ok(())
}

/// Refuses a caller who writes look-ups without being allowed to read the app that they copy from.
pub(crate) fn may_look_up(state: &State, app: usize, caller: &Caller, values: &Values) -> Answer<()> {
    let Caller::Tokens(apps) = caller else { return Ok(()) };
    for column in state.apps[app].live.columns.iter().filter(|column| values.contains_key(&column.slot)) {
        let Some(lookup) = &column.spec.lookup else { continue };
        if !apps.iter().any(|(known, rights)| *known == lookup.app && rights.allow(Right::View)) {
            return Err(lookup_missed(column.spec.shown()));
        }
    }
    Ok(())
}

/// Fills in the computed fields of a record about to be saved. `stamps` are its id, when it was added and when it is
/// saved; `values` what it will hold, on top of what the population says.
pub(crate) fn compute(app: &App, id: Option<u64>, stamps: (u64, i64, i64), values: &mut Values) {
    let view = id.and_then(|id| app.records.view(id, None));
    let held = |column: &Column, values: &Values| match (values.get(&column.slot), &view) {
        (Some(value), _) => value.clone(),
        (None, Some(view)) => app.value(view, column),
        (None, None) => Value::Empty,
    };
    for table in app.live.columns.iter().filter(|column| !column.inner.is_empty()) {
        if !table.inner.iter().any(|column| !column.spec.expression.is_empty()) {
            continue;
        }
        let rows: Vec<Row> = held(table, values).rows().iter().map(|row| computed_row(table, row)).collect();
        if !rows.is_empty() {
            values.insert(table.slot, Value::Rows(rows.into()));
        }
    }
    // A formula may name a computed field that stands below it: twice around settles chains of two.
    for _ in 0..2 {
        for column in app.live.columns.iter().filter(|column| !column.spec.expression.is_empty()) {
            let operand = |code: &str| -> Option<Operand> {
                if let Some(column) = app.live.find(code) {
                    return Some(match column.spec.field_type {
                        FieldType::CreatedTime => Operand::One(Value::Instant(time::floor(stamps.1))),
                        FieldType::UpdatedTime => Operand::One(Value::Instant(time::floor(stamps.2))),
                        FieldType::RecordNumber => Operand::One(Value::text(stamps.0.to_string())),
                        _ => Operand::One(held(column, values)),
                    });
                }
                let (table, inner) = app.live.find_inner(code)?;
                let rows = held(table, values);
                let cells = rows.rows().iter().map(|row| row.values.get(&inner.slot).cloned().unwrap_or(Value::Empty));
                Some(Operand::Many(cells.collect()))
            };
            let value = computed(column, &operand);
            values.insert(column.slot, value);
        }
    }
}

fn computed_row(table: &Column, row: &Row) -> Row {
    let mut values = row.values.clone();
    for column in table.inner.iter().filter(|column| !column.spec.expression.is_empty()) {
        let value = computed(column, &|code| {
            let found = table.inner.iter().find(|column| column.spec.code == code)?;
            Some(Operand::One(values.get(&found.slot).cloned().unwrap_or(Value::Empty)))
        });
        values.insert(column.slot, value);
    }
    Row { id: row.id, values }
}

fn computed(column: &Column, operand: &dyn Fn(&str) -> Option<Operand>) -> Value {
    let Some(result) = formula::evaluate(&column.spec.expression, operand) else { return Value::Empty };
    if column.spec.field_type != FieldType::Calc {
        return Value::text(result.written());
    }
    match result {
        Value::Num(number) => shown(number, column.spec.format),
        other => other,
    }
}

/// A number, in seconds where it is a time, in the form that the field asks for.
fn shown(number: Decimal, format: CalcFormat) -> Value {
    let number = number.rounded(PLACES).trimmed();
    let secs = number.rounded(0).to_int().unwrap_or_default();
    match format {
        CalcFormat::Number | CalcFormat::NumberDigit => Value::Num(number),
        CalcFormat::Datetime => Value::Instant(secs),
        CalcFormat::Date => Value::Date(secs.div_euclid(crate::instant::DAY) as i32),
        CalcFormat::Time => Value::Time(secs.rem_euclid(crate::instant::DAY) as u32 / 60),
        CalcFormat::HourMinute | CalcFormat::DayHourMinute => {
            let minutes = secs.div_euclid(60);
            let sign = if minutes < 0 { "-" } else { "" };
            Value::text(format!("{sign}{}:{:02}", minutes.abs() / 60, minutes.abs() % 60))
        }
    }
}
