//! What an org really holds.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::{Edited, Org, find};
use crate::zoho::input::Fields;
use crate::zoho::records::When;
use crate::zoho::{look, truth};

impl Org {
    /// The ids of all records, rising.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn ids(&self, module: &str) -> Edited<Vec<String>> {
        self.edit(module, |state, place| {
            let numbers = state.modules[place].records.numbers(When::Now);
            Ok(numbers.map(|number| state.id_of(place, number).to_string()).collect())
        })
    }

    /// A record as it is now, in the form of [`truth`](Self::truth); `None` when it is in the recycle bin or gone.
    ///
    /// # Errors
    ///
    /// When there is no such module, or the id is none in it.
    pub fn record(&self, module: &str, id: &str) -> Edited<Option<Fields>> {
        self.edit_one(module, id, |state, place, number| {
            let view = state.modules[place].records.view(number, When::Now);
            Ok(view.map(|view| truth::record(state, place, &view)))
        })
    }

    /// All records as they are now, by id, in a form of their own: see the crate's README. Hidden records and fields
    /// are there; records that cannot be seen yet are not.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn truth(&self, module: &str) -> Edited<Vec<Fields>> {
        self.edit(module, |state, place| Ok(truth::records(state, place, When::Now)))
    }

    /// All records as they were at `instant`, with the present fields: records count from their `Created_Time`, changes
    /// from their `Modified_Time`, silent changes and deletions from when they were made. Formulas are computed by
    /// today's clock.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn truth_at(&self, module: &str, instant: DateTime<Utc>) -> Edited<Vec<Fields>> {
        let when = When::At(instant.timestamp());
        self.edit(module, |state, place| Ok(truth::records(state, place, when)))
    }

    /// The list of deleted records by now: `id`, `display_name`, `type`, `deleted_time`, `purged_time`.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn deletions(&self, module: &str) -> Edited<Vec<Json>> {
        self.edit(module, |state, place| Ok(truth::deletions(state, place)))
    }

    /// What a deal's stages were, oldest first: records of `DealHistory`.
    ///
    /// # Errors
    ///
    /// When the id is none of a deal.
    pub fn stage_history(&self, deal: &str) -> Edited<Vec<Fields>> {
        self.edit_one("Deals", deal, |state, place, number| {
            let history = find(state, "DealHistory")?;
            let records = &state.modules[history].records;
            let numbers = look::children(state, history, "Parent_Id", state.id_of(place, number), When::Now);
            let views = numbers.into_iter().filter_map(|number| records.view(number, When::Now));
            Ok(views.map(|view| truth::record(state, history, &view)).collect())
        })
    }
}
