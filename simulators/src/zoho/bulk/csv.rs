//! The file of a job: a table with the names of fields above it.

use super::job::Order;
use crate::zoho::records::When;
use crate::zoho::render;
use crate::zoho::state::State;

/// The table of these records, as they were after that change.
pub(crate) fn write(state: &State, order: &Order, numbers: &[u64], moment: u64) -> String {
    let mut out = String::with_capacity(numbers.len() * order.columns.len() * 12 + 256);
    for (nth, (name, _)) in order.columns.iter().enumerate() {
        cell(nth, name, &mut out);
    }
    out.push('\n');
    let records = &state.modules[order.module].records;
    for view in numbers.iter().filter_map(|&number| records.view(number, When::After(moment))) {
        for (nth, (_, path)) in order.columns.iter().enumerate() {
            let text = path.column(state).map(|column| render::text(state, column, &path.value(state, &view)));
            cell(nth, &text.unwrap_or_default(), &mut out);
        }
        out.push('\n');
    }
    out
}

/// Appends a cell; what could be taken for something else is in quotes.
fn cell(nth: usize, text: &str, out: &mut String) {
    if nth > 0 {
        out.push(',');
    }
    if !text.contains([',', '"', '\n', '\r']) {
        return out.push_str(text);
    }
    out.push('"');
    for (nth, piece) in text.split('"').enumerate() {
        if nth > 0 {
            out.push_str("\"\"");
        }
        out.push_str(piece);
    }
    out.push('"');
}
