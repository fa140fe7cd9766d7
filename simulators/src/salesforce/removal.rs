//! Rows that go: to the recycle bin and out of it, for good, or into another row.

use std::sync::Arc;

use crate::salesforce::catalogue::Origin;
use crate::salesforce::edit::{EditError, Edited, Written, find, live, locate, revise, view_life, write};
use crate::salesforce::field::FieldType;
use crate::salesforce::state::State;
use crate::salesforce::table::{Deletion, Life};
use crate::salesforce::value::Value;
use crate::salesforce::{history, id, person};

/// Moves a row to the recycle bin, and what belongs to it.
pub(crate) fn delete(state: &mut State, object: &str, id: &str) -> Edited<()> {
    let (table, serial) = live(state, object, id)?;
    deletable(state, table)?;
    if state.store.tables[table].has_no_bin() {
        return hard_delete(state, object, id);
    }
    if state.store.tables[table].name == "Contact" && person::other_half(state, table, serial).is_some() {
        return Err(EditError::new("INVALID_OPERATION", "a person is deleted as an account"));
    }
    bin(state, table, serial, None);
    for (child, row) in children(state, table, serial) {
        let is_live = view_life(state, child, row) == Some(Life::Live);
        if !is_live || !state.store.tables[child].deletable {
            continue;
        }
        if state.store.tables[child].has_no_bin() {
            let at = state.now;
            state.store.tables[child].deletions.push(Deletion { at, serial: row });
            retire(state, child, row);
        } else {
            bin(state, child, row, None);
        }
    }
    Ok(())
}

/// Takes a row out of the recycle bin, and what went there with it.
pub(crate) fn undelete(state: &mut State, object: &str, id: &str) -> Edited<()> {
    let (table, serial) = locate(state, object, id)?;
    let Some(Life::Bin(since)) = view_life(state, table, serial) else {
        return Err(EditError::new("UNDELETE_FAILED", "Entity is not in the recycle bin"));
    };
    let mut rows = vec![(table, serial)];
    rows.extend(children(state, table, serial));
    for (table, serial) in rows {
        if view_life(state, table, serial) == Some(Life::Bin(since)) {
            let now = state.now;
            revise(state, table, serial, |version| {
                version.life = Life::Live;
                version.master = None;
                version.stamp = now;
                version.modified = now;
            });
            state.store.tables[table].deletions.retain(|deletion| deletion.serial != serial);
        }
    }
    Ok(())
}

/// Empties the recycle bin of an object; returns how many rows are gone for good.
pub(crate) fn purge(state: &mut State, object: &str) -> Edited<u64> {
    let table = find(state, object)?;
    let binned: Vec<u64> = state.store.tables[table]
        .touched()
        .filter(|&serial| matches!(view_life(state, table, serial), Some(Life::Bin(_))))
        .collect();
    for &serial in &binned {
        if let Some((table, serial)) = person::other_half(state, table, serial) {
            retire(state, table, serial);
        }
        retire(state, table, serial);
    }
    Ok(binned.len() as u64)
}

/// Deletes a row past the recycle bin.
pub(crate) fn hard_delete(state: &mut State, object: &str, id: &str) -> Edited<()> {
    let (table, serial) = locate(state, object, id)?;
    deletable(state, table)?;
    let life = view_life(state, table, serial).unwrap_or(Life::Gone);
    if life == Life::Gone {
        return Err(EditError::new("ENTITY_IS_DELETED", "entity is deleted"));
    }
    let rows = [Some((table, serial)), person::other_half(state, table, serial)];
    for (table, serial) in rows.into_iter().flatten() {
        if life == Life::Live {
            let at = state.now;
            state.store.tables[table].deletions.push(Deletion { at, serial });
        }
        retire(state, table, serial);
    }
    Ok(())
}

/// Merges rows into `winner`: the losers go to the bin and name it, their children move over.
pub(crate) fn merge(state: &mut State, object: &str, winner: &str, losers: &[&str]) -> Edited<()> {
    let (table, target) = live(state, object, winner)?;
    if !state.store.tables[table].mergeable {
        return Err(EditError::new("INVALID_OPERATION", format!("{object} cannot be merged")));
    }
    let losers: Vec<u64> =
        losers.iter().map(|loser| live(state, object, loser).map(|(_, serial)| serial)).collect::<Edited<_>>()?;
    if losers.contains(&target) {
        return Err(EditError::new("INVALID_OPERATION", "a row cannot be merged into itself"));
    }
    let now = state.now;
    let winner_id = Value::text(&id::full(state.store.tables[table].prefix, target));
    for loser in losers {
        let loser_id = id::full(state.store.tables[table].prefix, loser);
        let shadow = person::other_half(state, table, loser);
        for (child, row, slot) in pointers(state, &loser_id) {
            if (child, row) != (table, target) && Some((child, row)) != shadow {
                write(state, child, row, now, Arc::new(Written::from([(slot as u16, winner_id.clone())])));
            }
        }
        bin(state, table, loser, Some(target));
        if let Some((contacts, row)) = shadow {
            bin(state, contacts, row, person::other_half(state, table, target).map(|(_, winner)| winner));
        }
    }
    write(state, table, target, now, Arc::default());
    history::event(state, table, target, now, if object == "Contact" { "contactMerged" } else { "accountMerged" });
    Ok(())
}

fn deletable(state: &State, table: usize) -> Edited<()> {
    let table = &state.store.tables[table];
    if table.deletable {
        Ok(())
    } else {
        Err(EditError::new("INVALID_OPERATION", format!("{} cannot be deleted", table.name)))
    }
}

/// Takes a row away for good.
pub(crate) fn retire(state: &mut State, table: usize, serial: u64) {
    revise(state, table, serial, |version| version.life = Life::Gone);
}

fn bin(state: &mut State, table: usize, serial: u64, master: Option<u64>) {
    let now = state.now;
    revise(state, table, serial, |version| {
        version.life = Life::Bin(now);
        version.stamp = now;
        version.modified = now;
        version.master = master;
    });
    state.store.tables[table].deletions.push(Deletion { at: now, serial });
}

/// The lookups over which rows go where others go.
const OWNERS: [(&str, &str); 3] =
    [("Account", "AccountId"), ("Opportunity", "OpportunityId"), ("Campaign", "CampaignId")];

/// Rows of other objects that belong to this one and go where it goes, and what belongs to those.
fn children(state: &State, table: usize, serial: u64) -> Vec<(usize, u64)> {
    let Some((_, lookup)) = OWNERS.iter().find(|(owner, _)| *owner == state.store.tables[table].name) else {
        return Vec::new();
    };
    let own_id = id::full(state.store.tables[table].prefix, serial);
    let mut found = Vec::new();
    for (child, row, slot) in pointers(state, &own_id) {
        if child != table && state.store.tables[child].columns[slot].spec.name == *lookup {
            found.push((child, row));
            found.extend(children(state, child, row));
        }
    }
    found
}

/// All touched rows with a lookup that holds `target`: object, row, column.
fn pointers(state: &State, target: &str) -> Vec<(usize, u64, usize)> {
    let moment = state.moment();
    let mut found = Vec::new();
    for (table, object) in state.store.tables.iter().enumerate().filter(|(_, object)| object.history.is_none()) {
        for (slot, column) in object.columns.iter().enumerate() {
            let is_lookup =
                column.spec.field_type == FieldType::Reference && matches!(column.origin, Origin::Stored(_));
            if !is_lookup || column.removed {
                continue;
            }
            for serial in object.touched() {
                let points_there = object
                    .view(serial, &moment)
                    .and_then(|view| view.version?.values.get(&(slot as u16))?.as_text().map(|text| text == target));
                if points_there == Some(true) {
                    found.push((table, serial, slot));
                }
            }
        }
    }
    found
}
