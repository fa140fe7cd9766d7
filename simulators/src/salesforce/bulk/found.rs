//! What a job found: rows that are fixed, with the moment that each is looked at from.

use std::sync::Arc;

use super::csv;
use super::job::Order;
use crate::salesforce::soql::matching::{Route, follow};
use crate::salesforce::soql::rows::Rows;
use crate::salesforce::store::Store;
use crate::salesforce::table::Moment;

/// A column of a result: its header, and the way to its values.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) header: String,
    pub(crate) route: Route,
}

/// Rows that were looked up at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) moment: Moment,
    pub(crate) table: usize,
    pub(crate) rows: Arc<Rows>,
}

/// The rows of a result, part after part.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) parts: Vec<Part>,
}

/// How many rows stand for all when the size of a result is estimated.
const SAMPLE: u64 = 50;

impl Found {
    pub(crate) fn len(&self) -> u64 {
        self.parts.iter().map(|part| part.rows.len()).sum()
    }

    /// Appends the row at that place, counted from 0, as a line of the result.
    pub(crate) fn push_line(&self, store: &Store, order: &Order, place: u64, out: &mut String) {
        let mut place = place;
        for part in &self.parts {
            if place >= part.rows.len() {
                place -= part.rows.len();
                continue;
            }
            let row = part.rows.get(place).and_then(|serial| store.tables[part.table].view(serial, &part.moment));
            let Some(view) = row else { return };
            let values =
                order.columns.iter().map(|column| follow(store, part.table, &view, &column.route, &part.moment));
            csv::push_line(values, &order.style, out);
            return;
        }
    }

    /// About how long all lines are together.
    pub(crate) fn estimate_bytes(&self, store: &Store, order: &Order) -> u64 {
        let count = self.len();
        let sampled = count.min(SAMPLE);
        let mut lines = String::new();
        (0..sampled).for_each(|place| self.push_line(store, order, place, &mut lines));
        lines.len() as u64 * count / sampled.max(1)
    }
}
