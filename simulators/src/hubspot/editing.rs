//! A portal in the hands of a test: its records and what they are associated with.

use chrono::{DateTime, Utc};

use crate::hubspot::edit::{self, When};
use crate::hubspot::links::{self, Types};
use crate::hubspot::portal::{Edited, Fields, Portal};
use crate::hubspot::records::CALCULATION;
use crate::hubspot::refusal::{Refusal, invalid, not_found, unknown_type};
use crate::hubspot::state::State;
use crate::hubspot::time::SECOND;

impl Portal {
    /// Adds a record and gives its id. `createdate` and the stamp may be back-dated, values that only HubSpot writes may
    /// be given. `type_name` is as in paths: `companies`, `0-2`, `company`.
    ///
    /// # Errors
    ///
    /// When the type or a property is unknown.
    pub fn insert(&self, type_name: &str, fields: &Fields) -> Edited<u64> {
        self.insert_late(type_name, fields, 0)
    }

    /// Adds a record that is stamped now but can be seen only `delay_secs` later. Gives its id.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_late(&self, type_name: &str, fields: &Fields, delay_secs: i64) -> Edited<u64> {
        self.edit(type_name, |state, place| add(state, place, fields, None, delay_secs))
    }

    /// Adds a record as if that had been done at an earlier instant: stamps, history and
    /// [`truth_at`](Self::truth_at) have it from then on; nobody could see it before now.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_at(&self, type_name: &str, fields: &Fields, instant: DateTime<Utc>) -> Edited<u64> {
        self.edit(type_name, |state, place| add(state, place, fields, Some(instant.timestamp_millis()), 0))
    }

    /// Writes to a record; its stamp moves, also when nothing changes.
    ///
    /// # Errors
    ///
    /// When there is no such live record, or a property is unknown.
    pub fn update(&self, type_name: &str, id: u64, fields: &Fields) -> Edited<()> {
        self.update_late(type_name, id, fields, 0)
    }

    /// The same, stamped now but seen only `delay_secs` later.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_late(&self, type_name: &str, id: u64, fields: &Fields, delay_secs: i64) -> Edited<()> {
        self.edit(type_name, |state, place| write(state, place, id, fields, None, delay_secs))
    }

    /// Writes to a record as if that had been done at an earlier instant.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_at(&self, type_name: &str, id: u64, fields: &Fields, instant: DateTime<Utc>) -> Edited<()> {
        self.edit(type_name, |state, place| write(state, place, id, fields, Some(instant.timestamp_millis()), 0))
    }

    /// Writes the same to all live records of a type, in the same millisecond; gives how many there were.
    ///
    /// # Errors
    ///
    /// When the type or a property is unknown.
    pub fn update_all(&self, type_name: &str, fields: &Fields) -> Edited<u64> {
        self.edit(type_name, |state, place| {
            let records = &state.objects[place].records;
            let ids: Vec<u64> = records.ids(0, u64::MAX).filter(|id| records.live(*id).is_some()).collect();
            for &id in &ids {
                write(state, place, id, fields, None, 0)?;
            }
            Ok(ids.len() as u64)
        })
    }

    /// Changes what a record holds without moving its stamp or telling its history; also what HubSpot computes.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn change_silently(&self, type_name: &str, id: u64, fields: &Fields) -> Edited<()> {
        self.edit(type_name, |state, place| {
            let draft = edit::draft(&state.objects[place], fields, true)?;
            edit::silently(state, place, id, draft, None)
        })
    }

    /// HubSpot computes values anew: no stamp moves, but the history has them.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn recalculate(&self, type_name: &str, id: u64, fields: &Fields) -> Edited<()> {
        self.edit(type_name, |state, place| {
            let draft = edit::draft(&state.objects[place], fields, true)?;
            edit::silently(state, place, id, draft, Some(CALCULATION))
        })
    }

    /// Moves a record's stamp without changing anything that can be seen.
    ///
    /// # Errors
    ///
    /// When there is no such live record.
    pub fn touch(&self, type_name: &str, id: u64) -> Edited<()> {
        self.edit(type_name, |state, place| edit::touch(state, place, id))
    }

    /// Deletes a record as people do: it goes to the archive for 90 days. No stamp moves.
    ///
    /// # Errors
    ///
    /// When there is no such live record.
    pub fn archive(&self, type_name: &str, id: u64) -> Edited<()> {
        self.edit(type_name, |state, place| edit::archive(state, place, id))
    }

    /// Brings a record back from the archive, under its old id.
    ///
    /// # Errors
    ///
    /// When there is no such record in the archive.
    pub fn restore(&self, type_name: &str, id: u64) -> Edited<()> {
        self.edit(type_name, |state, place| edit::restore(state, place, id))
    }

    /// Deletes a record so that nothing tells of it: the GDPR delete, or the end of the 90 days.
    ///
    /// # Errors
    ///
    /// When there is no such record, in the archive or outside.
    pub fn erase(&self, type_name: &str, id: u64) -> Edited<()> {
        self.edit(type_name, |state, place| edit::erase(state, place, id))
    }

    /// Merges `loser` into `primary`; gives the id of the survivor, which is new unless it is assumed that the type
    /// keeps the primary's.
    ///
    /// # Errors
    ///
    /// When either is not a live record, or both are the same.
    pub fn merge(&self, type_name: &str, primary: u64, loser: u64) -> Edited<u64> {
        self.edit(type_name, |state, place| edit::merge(state, place, primary, loser))
    }

    /// Leaves a live record out of what searches get to know for so many seconds.
    ///
    /// # Errors
    ///
    /// When the type is unknown.
    pub fn straggle(&self, type_name: &str, id: u64, secs: i64) -> Edited<()> {
        self.edit(type_name, |state, place| {
            let now = state.now;
            state.objects[place].records.straggle(id, now, now + secs * SECOND);
            Ok(())
        })
    }

    /// Associates two records, given by type and id, beside what associates them already: with that label, or with none.
    ///
    /// # Errors
    ///
    /// When either is not a live record, or there is no such label from the one type to the other.
    pub fn associate(&self, from: (&str, u64), to: (&str, u64), label: Option<&str>) -> Edited<()> {
        let mut state = self.lock();
        let (from, to) = (live(&state, from)?, live(&state, to)?);
        let kind = state.links.between(from.0, to.0).find(|&at| state.links.types[at].label.as_deref() == label);
        let kind = kind.ok_or_else(|| invalid(format!("there is no association {label:?} between these types")))?;
        let mut types = links::all(&state, from, to.0).remove(&to.1).unwrap_or_default();
        types.insert(kind);
        relate(&mut state, from, to, types);
        Ok(())
    }

    /// Takes the association of two records away: that label alone, or all of it.
    ///
    /// # Errors
    ///
    /// When either is not a live record.
    pub fn dissociate(&self, from: (&str, u64), to: (&str, u64), label: Option<&str>) -> Edited<()> {
        let mut state = self.lock();
        let (from, to) = (live(&state, from)?, live(&state, to)?);
        let mut types = links::all(&state, from, to.0).remove(&to.1).unwrap_or_default();
        types.retain(|&at| label.is_some() && state.links.types[at].label.as_deref() != label);
        relate(&mut state, from, to, types);
        Ok(())
    }
}

fn when(state: &State, instant: Option<i64>, delay_secs: i64) -> When {
    When { stamp: instant.unwrap_or(state.now), delay: delay_secs * SECOND }
}

fn add(state: &mut State, place: usize, fields: &Fields, at: Option<i64>, delay_secs: i64) -> Result<u64, Refusal> {
    // A record that is made without a value never had one.
    let given: Fields = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let draft = edit::draft(&state.objects[place], &given, true)?;
    let when = when(state, at, delay_secs);
    Ok(edit::insert(state, place, draft, when))
}

fn write(
    state: &mut State,
    place: usize,
    id: u64,
    fields: &Fields,
    at: Option<i64>,
    delay_secs: i64,
) -> Result<(), Refusal> {
    let draft = edit::draft(&state.objects[place], fields, true)?;
    let when = when(state, at, delay_secs);
    edit::update(state, place, id, draft, when)
}

fn live(state: &State, (name, id): (&str, u64)) -> Result<(usize, u64), Refusal> {
    let place = state.find(name).ok_or_else(|| unknown_type(name))?;
    state.objects[place].records.live(id).ok_or_else(not_found)?;
    Ok((place, id))
}

fn relate(state: &mut State, from: (usize, u64), to: (usize, u64), types: Types) {
    state.links.set(from, to, types);
    if state.options.hypotheses.associations_touch {
        for (place, id) in [from, to] {
            // Both are live, as was checked.
            let _ = edit::touch(state, place, id);
        }
    }
}
