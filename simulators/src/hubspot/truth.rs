//! What a portal really holds, in a form of its own.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;

use crate::hubspot::history;
use crate::hubspot::links;
use crate::hubspot::portal::{Edited, Fields, Portal};
use crate::hubspot::records::{Moment, Standing, View};
use crate::hubspot::refusal::{not_found, unknown_property, unknown_type};
use crate::hubspot::state::State;
use crate::hubspot::value;

/// A value that a property had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Earlier {
    /// The value; empty where one was taken away.
    pub value: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// What wrote it (`CRM_UI`, `API`, …).
    pub source_type: String,
}

/// What associates a record with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Association {
    /// The other record.
    pub to: u64,
    /// The type ids with their labels.
    pub types: Vec<(u32, Option<String>)>,
}

impl Portal {
    /// The ids of all live records, rising.
    ///
    /// # Errors
    ///
    /// When the type is unknown.
    pub fn ids(&self, type_name: &str) -> Edited<Vec<u64>> {
        self.edit(type_name, |state, place| {
            let records = &state.objects[place].records;
            Ok(records.ids(0, u64::MAX).filter(|id| records.live(*id).is_some()).collect())
        })
    }

    /// All live records as they are now, by id: all properties that are not archived, hidden ones too, as texts as the API
    /// has them; no value and `""` are `null`. Those of stages (`hs_v2_…`) are not there.
    ///
    /// # Errors
    ///
    /// When the type is unknown.
    pub fn truth(&self, type_name: &str) -> Edited<Vec<Fields>> {
        self.told(type_name, Moment::Now)
    }

    /// All records that were live at `instant`, as they were then, under the present names of properties: writes count from
    /// their stamps, silent changes, archiving and merges from when they were made. What HubSpot counts is as it is now.
    ///
    /// # Errors
    ///
    /// When the type is unknown.
    pub fn truth_at(&self, type_name: &str, instant: DateTime<Utc>) -> Edited<Vec<Fields>> {
        self.told(type_name, Moment::Stamped(instant.timestamp_millis()))
    }

    fn told(&self, type_name: &str, moment: Moment) -> Edited<Vec<Fields>> {
        self.edit(type_name, |state, place| {
            let records = &state.objects[place].records;
            let views = records.ids(0, u64::MAX).filter_map(|id| records.view(id, moment));
            let live = views.filter(|view| view.standing() == Standing::Live);
            Ok(live.map(|view| fields(state, place, &view)).collect())
        })
    }

    /// One record as it is now, archived or not.
    ///
    /// # Errors
    ///
    /// When there is no such record.
    pub fn record(&self, type_name: &str, id: u64) -> Edited<Fields> {
        self.edit(type_name, |state, place| {
            let records = &state.objects[place].records;
            let view = records.live(id).or_else(|| records.archived(id, state.now)).ok_or_else(not_found)?;
            Ok(fields(state, place, &view))
        })
    }

    /// The records in the archive, by id, with when they went there.
    ///
    /// # Errors
    ///
    /// When the type is unknown.
    pub fn archived(&self, type_name: &str) -> Edited<BTreeMap<u64, DateTime<Utc>>> {
        self.edit(type_name, |state, place| {
            let records = &state.objects[place].records;
            let views = records.touched().filter_map(|id| records.archived(id, state.now));
            Ok(views.filter_map(|view| Some((view.id, instant(view.archived_at()?)))).collect())
        })
    }

    /// The records that were merged away, by id, with what became of them in the end.
    ///
    /// # Errors
    ///
    /// When the type is unknown.
    pub fn merged(&self, type_name: &str) -> Edited<BTreeMap<u64, u64>> {
        self.edit(type_name, |state, place| {
            let records = &state.objects[place].records;
            Ok(records.touched().filter_map(|id| Some((id, records.survivor(id)?))).collect())
        })
    }

    /// All values that a property of a record had, the newest first, however far the API goes back.
    ///
    /// # Errors
    ///
    /// When there is no such record or property.
    pub fn history(&self, type_name: &str, id: u64, property: &str) -> Edited<Vec<Earlier>> {
        self.edit(type_name, |state, place| {
            let object = &state.objects[place];
            let property = object.property(property).ok_or_else(|| unknown_property(property))?;
            let view = object.records.view(id, Moment::Now).ok_or_else(not_found)?;
            let entries = history::all(state, place, &view, property).into_iter();
            let earlier = entries.map(|entry| Earlier {
                value: entry.value.to_string(),
                at: instant(entry.at),
                source_type: entry.writer.source_type.to_owned(),
            });
            Ok(earlier.collect())
        })
    }

    /// What a record is associated with in a type, by id.
    ///
    /// # Errors
    ///
    /// When a type is unknown.
    pub fn associations(&self, from: (&str, u64), to: &str) -> Edited<Vec<Association>> {
        self.edit(from.0, |state, place| {
            let to = state.find(to).ok_or_else(|| unknown_type(to))?;
            let linked = links::live(state, (place, from.1), to).into_iter();
            let told = linked.map(|(other, types)| Association {
                to: other,
                types: types
                    .iter()
                    .map(|&at| (state.links.types[at].id, state.links.types[at].label.clone()))
                    .collect(),
            });
            Ok(told.collect())
        })
    }
}

fn instant(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn fields(state: &State, place: usize, view: &View<'_>) -> Fields {
    let live = state.objects[place].properties.iter().filter(|property| property.archived_at.is_none());
    live.map(|property| {
        let held = value::raw(state, place, view, property).filter(|text| !text.is_empty());
        (property.spec.name.clone(), held.map_or(Json::Null, Json::String))
    })
    .collect()
}
