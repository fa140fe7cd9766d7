//! What a field of a record holds.

use crate::number::Decimal;
use crate::zoho::field::{Column, Formula, Source};
use crate::zoho::id;
use crate::zoho::population::nth_number;
use crate::zoho::records::{Place, View, When};
use crate::zoho::state::State;
use crate::zoho::value::Value;

/// The value of a field, computed ones included; rows of sub-forms and multi-select lookups are not one.
pub(crate) fn value(state: &State, module: usize, view: &View<'_>, column: &Column) -> Value {
    let user = |number: u64| Value::Ref(id::full(state.prefix, id::USERS, number));
    match column.source {
        Source::Id => return Value::Ref(state.id_of(module, view.number)),
        Source::Created => return Value::Instant(view.created()),
        Source::Modified => return Value::Instant(view.modified()),
        Source::Creator => return user(view.creator()),
        Source::Modifier => return user(view.modifier()),
        Source::Stored | Source::Made(_) | Source::Parent => {}
    }
    if let Some(value) = view.version.and_then(|version| version.values.get(&column.slot)) {
        return value.clone();
    }
    if let Some(formula) = &column.spec.formula {
        return computed(state, module, view, column, formula);
    }
    match column.source {
        Source::Made(make) if view.is_base => match make(view.base, view.number) {
            Value::Num(number) if column.kind().is_user() => user(number.to_int().unwrap_or(1).unsigned_abs()),
            made => made,
        },
        Source::Parent if view.is_base => Value::Ref(view.base.parent_base + view.base.parent(view.number)),
        // Whoever adds a record owns it.
        Source::Made(_) if column.name() == "Owner" => user(view.creator()),
        _ => Value::Empty,
    }
}

fn computed(state: &State, module: usize, view: &View<'_>, column: &Column, formula: &Formula) -> Value {
    let own =
        |name: &str| state.modules[module].column(name).map_or(Value::Empty, |other| value(state, module, view, other));
    match formula {
        Formula::Times { field, .. } => {
            let product = own(field).number().zip(column.spec.factor()).and_then(|(a, b)| a.times(b, 4));
            product.map_or(Value::Empty, |product| Value::Num(product.trimmed()))
        }
        Formula::DaysUntil { field } => match own(field) {
            Value::Date(day) => {
                let today = (state.now + state.options.zone_secs).div_euclid(crate::instant::DAY);
                Value::int(i64::from(day) - today)
            }
            _ => Value::Empty,
        },
        Formula::Count { module: other, lookup } => {
            Value::int(belonging(state, module, view, other, lookup).1.len() as i64)
        }
        Formula::Sum { module: other, lookup, field } => {
            let (place, numbers) = belonging(state, module, view, other, lookup);
            let Some(summed) = state.modules.get(place).and_then(|other| other.column(field)) else {
                return Value::Empty;
            };
            let values = numbers.into_iter().filter_map(|number| {
                let view = state.modules[place].records.view(number, view.when)?;
                value(state, place, &view, summed).number()
            });
            Value::Num(values.fold(Decimal::new(0, 0), |sum, number| sum.plus(number).unwrap_or(sum)).trimmed())
        }
    }
}

fn belonging(state: &State, module: usize, view: &View<'_>, other: &str, lookup: &str) -> (usize, Vec<u64>) {
    let Some(place) = state.find(other) else { return (usize::MAX, Vec::new()) };
    (place, children(state, place, lookup, state.id_of(module, view.number), view.when))
}

/// The numbers of the records whose `lookup` holds that id, rising.
pub(crate) fn children(state: &State, module: usize, lookup: &str, parent: u64, when: When) -> Vec<u64> {
    kin(state, module, lookup, parent, when, Place::Live)
}

/// The same, of those that are in that place.
pub(crate) fn kin(state: &State, module: usize, lookup: &str, parent: u64, when: When, place: Place) -> Vec<u64> {
    let target = &state.modules[module];
    let Some(column) = target.column(lookup) else { return Vec::new() };
    let records = &target.records;
    let mut numbers: Vec<u64> = Vec::new();
    if matches!(column.source, Source::Parent) {
        let number = parent.saturating_sub(records.base.parent_base);
        // Only what the population was made from has children by number.
        if number > 0 && number <= nth_number(records.base.parents) && !number.is_multiple_of(10) {
            numbers.extend(records.base.children(number));
        }
    }
    numbers.extend(records.touched.keys());
    numbers.sort_unstable();
    numbers.dedup();
    numbers.retain(|&number| {
        let view = records.trace(number, when).filter(|view| view.place() == place);
        view.is_some_and(|view| value(state, module, &view, column).id() == Some(parent))
    });
    numbers
}

/// What a record, or a user, is called.
pub(crate) fn name_of(state: &State, id: u64) -> Option<String> {
    let (module, number) = id::parts(state.prefix, id)?;
    if module == id::USERS {
        return Some(crate::zoho::people::full_name(number));
    }
    let (place, number) = state.place_of(id)?;
    let target = &state.modules[place];
    // A record in the recycle bin is still called what it was called.
    let view = target.records.trace(number, When::Now)?;
    let name = value(state, place, &view, target.name_column()?);
    name.as_text().map(str::to_owned)
}
