//! What a property held earlier.

use serde_json::{Value as Json, json};

use crate::hubspot::object::Object;
use crate::hubspot::property::{Origin, Property};
use crate::hubspot::records::{CALCULATION, Entry, IMPORT, View};
use crate::hubspot::state::State;
use crate::hubspot::time::iso;
use crate::hubspot::value;

/// All values that a property held, the newest first.
pub(crate) fn all(state: &State, place: usize, view: &View<'_>, property: &Property) -> Vec<Entry> {
    let mut entries = Vec::new();
    let is_made = matches!(property.origin, Origin::Made(_));
    if view.is_base && is_made {
        match (property.steps, property.origin) {
            (Some(steps), _) => {
                let steps = steps(view.base, view.id).into_iter();
                entries.extend(steps.map(|(at, value)| Entry { value: value.into(), at, writer: IMPORT }));
            }
            (None, Origin::Made(make)) => {
                let value = make(view.base, view.id).map(|value| value.into());
                entries.extend(value.map(|value| Entry { value, at: view.created(), writer: IMPORT }));
            }
            _ => {}
        }
    }
    if let Some(written) = view.record.and_then(|record| record.history.get(&property.slot)) {
        entries.extend(written.iter().cloned());
    }
    if entries.is_empty() && !is_made {
        let at = if Object::is_stamp(property) { view.created() } else { view.modified() };
        let held = value::raw(state, place, view, property);
        entries.extend(held.map(|value| Entry { value: value.into(), at, writer: CALCULATION }));
    }
    // Among equals the one written last is the newest.
    entries.sort_by_key(|entry| entry.at);
    entries.reverse();
    entries
}

/// The history as the API gives it.
pub(crate) fn json(state: &State, place: usize, view: &View<'_>, property: &Property) -> Json {
    let open = &state.options.hypotheses;
    let depth = if state.objects[place].kind.name == "contacts" { open.contact_history } else { open.object_history };
    let entries = all(state, place, view, property).into_iter().take(depth);
    let entry = |entry: Entry| {
        let mut body = json!({
            "value": &*entry.value, "timestamp": iso(entry.at), "sourceType": entry.writer.source_type,
            "sourceId": entry.writer.source_id,
        });
        if let Some(user) = entry.writer.source_id.strip_prefix("userId:") {
            body["updatedByUserId"] = json!(user.parse::<u64>().unwrap_or_default());
        }
        if entry.writer.source_type == "API" {
            body["sourceLabel"] = json!("基幹連携");
        }
        body
    };
    entries.map(entry).collect()
}
