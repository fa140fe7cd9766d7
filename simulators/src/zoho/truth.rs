//! What an org really holds, in a form of its own.

use serde_json::{Value as Json, json};

use crate::zoho::field::{Column, FieldType};
use crate::zoho::input::Fields;
use crate::zoho::look;
use crate::zoho::records::{View, When};
use crate::zoho::render;
use crate::zoho::state::State;
use crate::zoho::time;

/// All records of a module, by id.
pub(crate) fn records(state: &State, module: usize, when: When) -> Vec<Fields> {
    let records = &state.modules[module].records;
    let views = (1..=records.last()).filter_map(|number| records.view(number, when));
    views.map(|view| record(state, module, &view)).collect()
}

/// A record: all fields, also hidden ones. Rows of a sub-form are records, those of a multi-select lookup ids.
pub(crate) fn record(state: &State, module: usize, view: &View<'_>) -> Fields {
    let columns = state.modules[module].columns.iter();
    columns.map(|column| (column.name().to_owned(), field(state, module, view, column))).collect()
}

fn field(state: &State, module: usize, view: &View<'_>, column: &Column) -> Json {
    if !column.kind().is_rows() {
        return render::told(state, &look::value(state, module, view, column));
    }
    let (child, numbers) = render::rows(state, module, view, column);
    let rows = &state.modules[child];
    let views = numbers.into_iter().filter_map(|number| rows.records.view(number, view.when));
    let told = |row: View<'_>| match rows.column(column.name()).filter(|_| column.kind() != FieldType::Subform) {
        Some(target) => render::told(state, &look::value(state, child, &row, target)),
        None => Json::Object(record(state, child, &row)),
    };
    Json::Array(views.map(told).collect())
}

/// The list of deleted records, as it is by now, oldest first.
pub(crate) fn deletions(state: &State, module: usize) -> Vec<Json> {
    let zone = state.options.zone_secs;
    let deletions = state.modules[module].deletions.iter();
    let told = deletions.map(|deletion| {
        json!({
            "id": state.id_of(module, deletion.number).to_string(), "display_name": deletion.display_name,
            "type": if deletion.purged.is_some() { "permanent" } else { "recycle" },
            "deleted_time": time::stamp(deletion.deleted, zone),
            "purged_time": deletion.purged.map(|purged| time::stamp(purged, zone)),
        })
    });
    told.collect()
}
