//! What an administrator changes: fields, who sees them, who sees which rows.

use crate::salesforce::catalogue::{self, Origin};
use crate::salesforce::edit::{EditError, Edited, find, locate};
use crate::salesforce::field::{FieldSpec, Formula};
use crate::salesforce::population::Population;
use crate::salesforce::state::State;
use crate::salesforce::table::{Column, Table};
use crate::salesforce::{history, person};

/// Adds a custom object with these fields, and what keeps its history.
pub(crate) fn add_object(state: &mut State, name: &str, label: &str, fields: Vec<FieldSpec>) -> Edited<()> {
    let Some(stem) = name.strip_suffix("__c").filter(|stem| !stem.is_empty()) else {
        return Err(EditError::new("INVALID_TYPE", format!("{name} does not end in __c")));
    };
    if state.store.find(name).is_some() {
        return Err(EditError::new("DUPLICATE_DEVELOPER_NAME", format!("there is an object {name}")));
    }
    let number = state.store.tables.iter().filter(|table| table.name.ends_with("__c")).count();
    let Some(sign) = SIGNS.get(number).copied().map(char::from) else {
        return Err(EditError::new("LIMIT_EXCEEDED", "no more objects can be added"));
    };
    // Objects are never taken away, so that what they are called lives as long as the program.
    let keep = |text: String| -> &'static str { text.leak() };
    let (name, label) = (keep(name.to_owned()), keep(label.to_owned()));
    let object = catalogue::custom(name, label, keep(format!("a0{sign}")), &state.options.features);
    let log = keep(format!("{stem}__History"));
    let history = catalogue::custom_history(log, keep(format!("履歴: {label}")), keep(format!("0176{sign}")), name);
    let nobody = Population { seed: state.options.seed, count: 0, at: state.now, foreign: 0 };
    state.store.tables.extend([Table::new(object, nobody), Table::new(history, nobody)]);
    fields.into_iter().try_for_each(|field| add_field(state, name, field))
}

/// What tells the ids of custom objects apart.
const SIGNS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Adds a field; rows keep their stamps and have null in it (or what its formula says).
pub(crate) fn add_field(state: &mut State, object: &str, spec: FieldSpec) -> Edited<()> {
    let table = find(state, object)?;
    if state.store.tables[table].slot(&spec.name).is_some() {
        return Err(EditError::new("DUPLICATE_DEVELOPER_NAME", format!("{object} has a field {}", spec.name)));
    }
    let spec = FieldSpec {
        length: if spec.length == 0 { FieldSpec::new(&spec.name, "", spec.field_type).length } else { spec.length },
        precision: if spec.precision == 0 { 18 } else { spec.precision },
        label: if spec.label.is_empty() { spec.name.clone() } else { spec.label.clone() },
        read_only: spec.read_only || spec.formula.is_some(),
        ..spec
    };
    let column = match &spec.formula {
        None => Column::new(spec, Origin::Stored(None)),
        Some(formula) => {
            let calc = state
                .store
                .resolve(table, formula, spec.scale)
                .map_err(|message| EditError::new("INVALID_FIELD", message))?;
            let mut column = Column::new(spec, Origin::Formula);
            state.seq += 1;
            column.calcs.push((state.seq, state.now, calc));
            column
        }
    };
    let on_account = shown_on_account(state, table, &column.spec);
    state.store.tables[table].columns.push(column);
    changed(state, table);
    match on_account {
        Some(spec) => add_field(state, "Account", spec),
        None => Ok(()),
    }
}

/// What a custom field of contacts is on accounts, where people are accounts.
fn shown_on_account(state: &State, table: usize, spec: &FieldSpec) -> Option<FieldSpec> {
    let is_shown = state.options.features.person_accounts && state.store.tables[table].name == "Contact";
    let name = person::name_on_account(&spec.name).filter(|_| is_shown && spec.formula.is_none())?;
    Some(FieldSpec { name, ..spec.clone() })
}

/// Takes a field away, with its values.
pub(crate) fn remove_field(state: &mut State, object: &str, field: &str) -> Edited<()> {
    let (table, slot) = custom(state, object, field)?;
    if let Some(shown) = shown_on_account(state, table, &state.store.tables[table].columns[slot].spec) {
        remove_field(state, "Account", &shown.name)?;
    }
    state.store.tables[table].columns[slot].removed = true;
    let name = state.store.tables[table].columns[slot].spec.name.clone();
    history::forget_field(state, table, &name);
    changed(state, table);
    Ok(())
}

/// Gives a field another API name; the values stay.
pub(crate) fn rename_field(state: &mut State, object: &str, field: &str, name: &str) -> Edited<()> {
    let (table, slot) = custom(state, object, field)?;
    if state.store.tables[table].slot(name).is_some() {
        return Err(EditError::new("DUPLICATE_DEVELOPER_NAME", format!("{object} has a field {name}")));
    }
    if let Some(shown) = shown_on_account(state, table, &state.store.tables[table].columns[slot].spec)
        && let Some(new) = person::name_on_account(name)
    {
        rename_field(state, "Account", &shown.name, &new)?;
    }
    state.store.tables[table].columns[slot].spec.name = name.to_owned();
    changed(state, table);
    Ok(())
}

/// Hides a field from the integration user, or shows it again. That leaves no trace in `Last-Modified`.
pub(crate) fn set_hidden(state: &mut State, object: &str, field: &str, hidden: bool) -> Edited<()> {
    let (table, slot) = slot(state, object, field)?;
    state.store.tables[table].columns[slot].hidden = hidden;
    Ok(())
}

/// Gives a formula field another formula; no stamp moves.
pub(crate) fn change_formula(state: &mut State, object: &str, field: &str, formula: Formula) -> Edited<()> {
    let (table, slot) = slot(state, object, field)?;
    let column = &state.store.tables[table].columns[slot];
    if !matches!(column.origin, Origin::Formula) {
        return Err(EditError::new("INVALID_FIELD", format!("{field} has no formula")));
    }
    let calc = state
        .store
        .resolve(table, &formula, column.spec.scale)
        .map_err(|message| EditError::new("INVALID_FIELD", message))?;
    state.seq += 1;
    let (seq, now) = (state.seq, state.now);
    let column = &mut state.store.tables[table].columns[slot];
    column.calcs.push((seq, now, calc));
    column.spec.formula = Some(formula);
    changed(state, table);
    Ok(())
}

/// Takes rows out of the integration user's sight, or puts them back.
pub(crate) fn share_rows(state: &mut State, object: &str, ids: &[&str], shared: bool) -> Edited<()> {
    for id in ids {
        let (table, serial) = locate(state, object, id)?;
        let unshared = &mut state.store.tables[table].unshared;
        if shared {
            unshared.remove(&serial);
        } else {
            unshared.insert(serial);
        }
    }
    Ok(())
}

fn slot(state: &State, object: &str, field: &str) -> Edited<(usize, usize)> {
    let table = find(state, object)?;
    let slot = state.store.tables[table]
        .slot(field)
        .ok_or_else(|| EditError::new("INVALID_FIELD", format!("No such column '{field}' on entity '{object}'")))?;
    Ok((table, slot))
}

fn custom(state: &State, object: &str, field: &str) -> Edited<(usize, usize)> {
    let (table, slot) = slot(state, object, field)?;
    if !state.store.tables[table].columns[slot].spec.is_custom() {
        return Err(EditError::new("INVALID_OPERATION", format!("{field} is a standard field")));
    }
    Ok((table, slot))
}

fn changed(state: &mut State, table: usize) {
    let now = state.now;
    let table = &mut state.store.tables[table];
    table.metadata_at = table.metadata_at.max(now);
    table.index_names();
}
