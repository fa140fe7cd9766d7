//! A request being answered.

use serde_json::Value as Json;

use crate::hubspot::auth::Caller;
use crate::hubspot::catalogue::{EMAIL_SCOPE, is_email_content};
use crate::hubspot::fault::FaultKind;
use crate::hubspot::object::Object;
use crate::hubspot::property::{Property, Sensitivity};
use crate::hubspot::refusal::{Answer, missing_scope, unknown_type};
use crate::hubspot::state::{State, sensitive_scope};

/// What faults do to a page.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tricks {
    /// So many of its last records are missing.
    pub(crate) lose: usize,
    /// It holds at most so many.
    pub(crate) short: Option<usize>,
    /// It names no next one.
    pub(crate) no_next: bool,
    /// It counts so many more.
    pub(crate) phantoms: u64,
}

impl Tricks {
    pub(crate) fn of(kinds: &[FaultKind]) -> Self {
        let mut tricks = Tricks::default();
        for kind in kinds {
            match kind {
                FaultKind::Lose(records) => tricks.lose = *records,
                FaultKind::Short(records) => tricks.short = Some(*records),
                FaultKind::NoNext => tricks.no_next = true,
                FaultKind::Phantoms(records) => tricks.phantoms = *records,
                _ => {}
            }
        }
        tricks
    }
}

/// A request being answered.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) caller: Caller,
    /// Whether the path has a date for a version.
    pub(crate) is_dated: bool,
    /// What cannot be relied on in this answer.
    pub(crate) chance: u64,
    pub(crate) tricks: Tricks,
    /// How many records the answer holds.
    pub(crate) rows: u64,
}

impl Visit<'_> {
    /// Refuses callers without that scope.
    pub(crate) fn needs(&self, scope: &str) -> Answer<()> {
        if self.caller.has(scope) { Ok(()) } else { Err(missing_scope(scope)) }
    }

    /// The place of a type whose records the caller may read.
    pub(crate) fn readable(&self, name: &str) -> Answer<usize> {
        let place = self.state.find(name).ok_or_else(|| unknown_type(name))?;
        self.needs(self.state.objects[place].kind.scope)?;
        Ok(place)
    }

    /// The place of a type whose properties the caller may read.
    pub(crate) fn described(&self, name: &str) -> Answer<usize> {
        let place = self.state.find(name).ok_or_else(|| unknown_type(name))?;
        let kind = &self.state.objects[place].kind;
        if !self.caller.has(kind.schema_scope) {
            self.needs(kind.scope)?;
        }
        Ok(place)
    }

    /// How many records a page may hold that was asked for with this limit.
    pub(crate) fn page(&self, limit: usize) -> usize {
        self.tricks.short.map_or(limit, |short| limit.min(short))
    }

    /// Takes the records away that a fault loses.
    pub(crate) fn lose(&self, results: &mut Vec<Json>) {
        results.truncate(results.len().saturating_sub(self.tricks.lose));
    }

    /// Puts a list into an order that nobody can rely on.
    pub(crate) fn shuffle(&self, results: &mut [Json]) {
        for place in (1..results.len()).rev() {
            let other = crate::chance::mix(self.chance, place as u64, 5) % (place as u64 + 1);
            results.swap(place, other as usize);
        }
    }
}

/// Whether the caller may see a property.
pub(crate) fn sees(caller: &Caller, object: &Object, property: &Property) -> bool {
    if is_email_content(property) && !caller.has(EMAIL_SCOPE) {
        return false;
    }
    match property.sensitivity() {
        Sensitivity::NonSensitive => true,
        level => caller.has(&sensitive_scope(object.kind.name, level.name())),
    }
}
