//! What was: history rows, written when a row is made and when a tracked field of it changes.

use crate::salesforce::catalogue::Origin;
use crate::salesforce::edit::{EditError, Edited, Written, append, find};
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::id;
use crate::salesforce::removal::retire;
use crate::salesforce::state::State;
use crate::salesforce::value::Value;

/// The most fields of an object that are tracked.
const MOST_TRACKED: usize = 20;

/// What is tracked unless an administrator says otherwise.
const TRACKED: [(&str, &str); 8] = [
    (
        "Account",
        "Name OwnerId ParentId Type Industry Rating Phone Website MRR__c Plan__c Stage__c HealthScore__c TouchModel__c \
         ContractStartDate__c RenewalDate__c ChurnDate__c Products__c Seats__c LoginRate__c CsmNote__c",
    ),
    ("Contact", "AccountId OwnerId LastName FirstName Email Phone Title Department Role__c IsKeyPerson__c"),
    ("Contract", "AccountId OwnerId Status StartDate EndDate ContractTerm MRR__c Plan__c"),
    ("Opportunity", "AccountId OwnerId Name StageName Amount CloseDate Probability Type NextStep MRR__c"),
    ("Case", "AccountId ContactId OwnerId Status Priority Type Subject IsEscalated"),
    ("Asset", "AccountId Status Price Quantity UsageEndDate CurrentMrr"),
    ("Lead", "OwnerId Status Company Email Rating IsConverted"),
    ("Campaign", "Name Status StartDate EndDate IsActive"),
];

/// What a deal's stages are made of.
const STAGE_FIELDS: [&str; 7] =
    ["StageName", "Amount", "ExpectedRevenue", "CloseDate", "Probability", "ForecastCategory", "CurrencyIsoCode"];

/// From then on (2020-10-17) rows of stages tell what was before.
const FIRST_WITH_PREVIOUS: i64 = 1_602_892_800;

/// Sets up what is tracked in a new org.
pub(crate) fn set_up(state: &mut State) {
    let said = state.options.tracked_fields.clone();
    for (object, fields) in TRACKED {
        let fields: Vec<&str> = match said.get(object) {
            Some(fields) => fields.iter().map(String::as_str).collect(),
            None => fields.split_whitespace().collect(),
        };
        // A name that the org does not have is left out: orgs differ in what they have switched on.
        let Some(table) = state.store.find(object) else { continue };
        let known: Vec<&str> =
            fields.into_iter().filter(|name| state.store.tables[table].slot(name).is_some()).collect();
        let _ = track(state, object, &known);
    }
}

/// Tracks these fields of an object, and no others.
pub(crate) fn track(state: &mut State, object: &str, fields: &[&str]) -> Edited<()> {
    let table = find(state, object)?;
    if histories(state, table).next().is_none() {
        return Err(EditError::new("INVALID_TYPE", format!("{object} has no history")));
    }
    if fields.len() > MOST_TRACKED {
        return Err(EditError::new("LIMIT_EXCEEDED", format!("at most {MOST_TRACKED} fields can be tracked")));
    }
    let slots: Edited<Vec<u16>> = fields
        .iter()
        .map(|name| {
            state.store.tables[table]
                .slot(name)
                .filter(|&slot| matches!(state.store.tables[table].columns[slot].origin, Origin::Stored(_)))
                .map(|slot| slot as u16)
                .ok_or_else(|| EditError::new("INVALID_FIELD", format!("{object} has no field {name} to track")))
        })
        .collect();
    state.store.tables[table].tracked = slots?;
    Ok(())
}

/// What fields held that are about to be written.
#[derive(Debug, Default)]
pub(crate) struct Before {
    tracked: Vec<(usize, Value)>,
    /// For deals: all of a stage.
    stage: Vec<(usize, Value)>,
}

/// Looks at what `values` are about to be written over.
pub(crate) fn before(state: &State, table: usize, serial: u64, values: &Written) -> Before {
    let object = &state.store.tables[table];
    let moment = state.moment();
    let Some(view) = object.view(serial, &moment) else { return Before::default() };
    let held = |slot: usize| (slot, state.store.value(table, &view, slot, &moment));
    let is_written = |slot: &usize| values.contains_key(&(*slot as u16));
    let tracked = object.tracked.iter().map(|&slot| usize::from(slot)).filter(is_written).map(held).collect();
    let stage_slots = stage_slots(state, table);
    let stage =
        if stage_slots.iter().any(is_written) { stage_slots.into_iter().map(held).collect() } else { Vec::new() };
    Before { tracked, stage }
}

/// Writes the history of a row that was just written.
pub(crate) fn changed(state: &mut State, table: usize, serial: u64, stamp: i64, before: Before) {
    if before.tracked.is_empty() && before.stage.is_empty() {
        return;
    }
    let moment = state.moment();
    let now: Vec<Value> = {
        let Some(view) = state.store.tables[table].view(serial, &moment) else { return };
        let slots = before.tracked.iter().chain(&before.stage).map(|(slot, _)| *slot);
        slots.map(|slot| state.store.value(table, &view, slot, &moment)).collect()
    };
    let (tracked, stage) = now.split_at(before.tracked.len());
    for ((slot, old), new) in before.tracked.iter().zip(tracked) {
        if !is_same(old, new) {
            field_rows(state, table, serial, stamp, *slot, old, new);
        }
    }
    if before.stage.iter().zip(stage).any(|((_, old), new)| !is_same(old, new)) {
        let old: Vec<Value> = before.stage.into_iter().map(|(_, old)| old).collect();
        stage_row(state, table, serial, stamp, stage, Some(&old));
    }
}

/// Writes the history of a row that was just made.
pub(crate) fn created(state: &mut State, table: usize, serial: u64, stamp: i64) {
    event(state, table, serial, stamp, "created");
    let slots = stage_slots(state, table);
    if slots.is_empty() {
        return;
    }
    let moment = state.moment();
    let Some(view) = state.store.tables[table].view(serial, &moment) else { return };
    let stage: Vec<Value> = slots.iter().map(|&slot| state.store.value(table, &view, slot, &moment)).collect();
    stage_row(state, table, serial, stamp, &stage, None);
}

/// Writes that something happened to a row, without values, where anything is tracked.
pub(crate) fn event(state: &mut State, table: usize, serial: u64, stamp: i64, what: &'static str) {
    if state.store.tables[table].tracked.is_empty() {
        return;
    }
    let values = [("Field", Value::Word(what)), ("DataType", Value::Word("Text"))];
    add(state, table, serial, stamp, false, &values);
}

/// Takes the history of a field away, which goes with it.
pub(crate) fn forget_field(state: &mut State, table: usize, field: &str) {
    let moment = state.moment();
    for log in histories(state, table).collect::<Vec<_>>() {
        let object = &state.store.tables[log];
        let Some(slot) = object.slot("Field") else { continue };
        let rows: Vec<u64> = object
            .touched()
            .filter(|&serial| {
                let view = object.view(serial, &moment);
                view.is_some_and(|view| state.store.value(log, &view, slot, &moment).as_text() == Some(field))
            })
            .collect();
        rows.into_iter().for_each(|serial| retire(state, log, serial));
    }
}

/// The history objects of an object.
fn histories(state: &State, table: usize) -> impl Iterator<Item = usize> + '_ {
    let parent = state.store.tables[table].name;
    let is_of = move |log: &usize| state.store.tables[*log].history.is_some_and(|history| history.parent == parent);
    (0..state.store.tables.len()).filter(is_of)
}

fn stage_slots(state: &State, table: usize) -> Vec<usize> {
    let object = &state.store.tables[table];
    let names: &[&str] = if object.name == "Opportunity" { &STAGE_FIELDS } else { &[] };
    names.iter().filter_map(|name| object.slot(name)).collect()
}

fn field_rows(state: &mut State, table: usize, serial: u64, stamp: i64, slot: usize, old: &Value, new: &Value) {
    let spec = &state.store.tables[table].columns[slot].spec;
    if spec.field_type == FieldType::Reference {
        let name = if spec.is_custom() { spec.name.clone() } else { spec.relationship().unwrap_or_default() };
        let names = [old, new].map(|value| name_of(state, value));
        for ([old, new], kind) in [(names, "Text"), ([old.clone(), new.clone()], "EntityId")] {
            let row =
                [("Field", Value::text(&name)), ("DataType", Value::Word(kind)), ("OldValue", old), ("NewValue", new)];
            add(state, table, serial, stamp, false, &row);
        }
        return;
    }
    let mut row = vec![("Field", Value::text(&spec.name)), ("DataType", Value::Word(data_type(spec)))];
    if !spec.is_long_text() && spec.field_type != FieldType::Multipicklist {
        row.extend([("OldValue", old.clone()), ("NewValue", new.clone())]);
    }
    add(state, table, serial, stamp, false, &row);
}

fn stage_row(state: &mut State, table: usize, serial: u64, stamp: i64, stage: &[Value], old: Option<&[Value]>) {
    let mut row: Vec<(&str, Value)> = STAGE_FIELDS.into_iter().zip(stage.iter().cloned()).collect();
    if let Some(old) = old.filter(|_| stamp >= FIRST_WITH_PREVIOUS) {
        for (name, place) in [("PrevAmount", 1), ("PrevCloseDate", 3)] {
            row.push((name, old.get(place).cloned().unwrap_or(Value::Null)));
        }
    }
    add(state, table, serial, stamp, true, &row);
}

/// Adds a row to the history of that row.
fn add(state: &mut State, table: usize, serial: u64, stamp: i64, of_stages: bool, row: &[(&str, Value)]) {
    let log = histories(state, table)
        .find(|&log| state.store.tables[log].history.is_some_and(|history| history.of_stages == of_stages));
    let Some(log) = log else { return };
    let object = &state.store.tables[log];
    let mut values: Written = row
        .iter()
        .filter(|(_, value)| !value.is_null())
        .filter_map(|(name, value)| Some((object.slot(name)? as u16, value.clone())))
        .collect();
    if let Some(history) = object.history {
        values.insert(history.lookup as u16, Value::text(&id::full(state.store.tables[table].prefix, serial)));
    }
    append(state, log, stamp, values);
}

/// What people call the row that a lookup points to.
fn name_of(state: &State, pointer: &Value) -> Value {
    let moment = state.moment();
    let named = || {
        let (table, serial) = state.store.by_id(pointer.as_text()?)?;
        let object = &state.store.tables[table];
        let view = object.view(serial, &moment)?;
        Some(state.store.value(table, &view, object.name_slot()?, &moment))
    };
    named().unwrap_or(Value::Null)
}

fn data_type(spec: &FieldSpec) -> &'static str {
    use FieldType as T;
    match spec.field_type {
        T::Boolean => "Boolean",
        T::Currency => "Currency",
        T::Date => "DateOnly",
        T::Datetime => "DateTime",
        T::Double => "Double",
        T::Picklist => "DynamicEnum",
        T::Int => "Integer",
        T::Multipicklist => "MultiEnum",
        T::Percent => "Percent",
        T::Textarea => "TextArea",
        T::Time => "Time",
        T::Url => "Url",
        _ => "Text",
    }
}

/// Whether nothing changed; unlike in filters, the case of letters counts.
fn is_same(old: &Value, new: &Value) -> bool {
    match (old.as_text(), new.as_text()) {
        (Some(old), Some(new)) => old == new,
        _ => old.order(new).is_eq(),
    }
}
