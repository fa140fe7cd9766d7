//! All objects of an org, and what their fields hold at a given moment.

use crate::number::Decimal;
use crate::salesforce::catalogue::Origin;
use crate::salesforce::field::{FieldType, Formula};
use crate::salesforce::id;
use crate::salesforce::instant::DAY;
use crate::salesforce::table::{Calc, Life, Moment, Table, View};
use crate::salesforce::value::Value;

/// How long deleted rows stay in the recycle bin.
pub(crate) const BIN_SECS: i64 = 15 * DAY;

/// After how long activities that are over are archived.
const ARCHIVED_AFTER_SECS: i64 = 365 * DAY;

/// The offset of the org's own time zone, which decides what day it is in formulas.
const ZONE_SECS: i64 = 9 * 3_600;

/// The objects of an org.
pub(crate) struct Store {
    pub(crate) tables: Vec<Table>,
    /// For how long rows of field histories are kept.
    pub(crate) history_secs: i64,
}

impl Store {
    /// The object of that name, in any case.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// The object whose ids begin like this one.
    pub(crate) fn by_id(&self, text: &str) -> Option<(usize, u64)> {
        let prefix = text.get(..3)?;
        let table = self.tables.iter().position(|table| table.prefix == prefix)?;
        Some((table, id::serial(prefix, text)?))
    }

    /// Whether a reader sees the row: live rows, and with `all` those in the bin. Rows of a history go where the
    /// row goes that they tell of, and are kept for a while only.
    pub(crate) fn is_visible(&self, table: usize, view: &View<'_>, all: bool, moment: &Moment) -> bool {
        let now = moment.as_of.unwrap_or(moment.now);
        let is_alive = match view.life() {
            Life::Live => true,
            Life::Bin(since) => all && now - since < BIN_SECS,
            Life::Gone => false,
        };
        if !all && is_alive && self.is_archived(table, view, moment) {
            return false;
        }
        let Some(history) = self.tables[table].history else { return is_alive };
        let is_kept = history.of_stages || now - view.created < self.history_secs;
        is_alive
            && is_kept
            && self.told_of(table, view, history.lookup, moment).is_some_and(|(other, parent)| {
                self.is_visible(other, &parent, all, moment) && !self.tables[other].unshared.contains(&parent.serial)
            })
    }

    /// Whether it is an activity that is over for more than a year: an event that has ended, or a task that is done and
    /// was due (without a date: made) by then.
    fn is_archived(&self, table: usize, view: &View<'_>, moment: &Moment) -> bool {
        let object = &self.tables[table];
        let held = |name: &str| object.slot(name).map(|slot| self.value(table, view, slot, moment));
        let over = match object.name {
            "Task" => match (held("IsClosed"), held("ActivityDate")) {
                (Some(Value::Bool(true)), Some(Value::Date(days))) => i64::from(days) * DAY,
                (Some(Value::Bool(true)), _) => view.created,
                _ => return false,
            },
            "Event" => match held("EndDateTime") {
                Some(Value::Instant(secs)) => secs,
                _ => return false,
            },
            _ => return false,
        };
        moment.as_of.unwrap_or(moment.now) - over > ARCHIVED_AFTER_SECS
    }

    /// The row that a row of a history tells of.
    fn told_of(&self, table: usize, view: &View<'_>, lookup: usize, moment: &Moment) -> Option<(usize, View<'_>)> {
        let (other, serial) = self.by_id(self.value(table, view, lookup, moment).as_text()?)?;
        Some((other, self.tables[other].view(serial, moment)?))
    }

    /// What the row holds in that column.
    pub(crate) fn value(&self, table: usize, view: &View<'_>, slot: usize, moment: &Moment) -> Value {
        let object = &self.tables[table];
        let column = &object.columns[slot];
        match column.origin {
            Origin::Id => Value::Text(id::full(object.prefix, view.serial).into()),
            Origin::Created => Value::Instant(view.created),
            Origin::Modified => Value::Instant(
                view.version.map_or_else(|| object.base.modified(view.serial), |version| version.modified),
            ),
            Origin::Stamp => Value::Instant(self.stamp(table, view)),
            Origin::Deleted => {
                let parent = object.history.and_then(|history| self.told_of(table, view, history.lookup, moment));
                Value::Bool(parent.map_or(view.life(), |(_, parent)| parent.life()) != Life::Live)
            }
            Origin::Master => match view.version.and_then(|version| version.master) {
                Some(serial) => Value::Text(id::full(object.prefix, serial).into()),
                None => Value::Null,
            },
            Origin::Writer => Value::Text(id::full("005", 1).into()),
            Origin::Archived => Value::Bool(self.is_archived(table, view, moment)),
            Origin::Formula => self.calculate(table, view, slot, moment),
            Origin::Compound => Value::Null,
            Origin::Stored(generator) => {
                let written = view.version.and_then(|version| version.values.get(&(slot as u16)));
                match (written, generator) {
                    (Some(value), _) => value.clone(),
                    (None, Some(generator)) if view.is_base => generator(&object.base, view.serial),
                    _ if column.spec.field_type == FieldType::Boolean => Value::Bool(false),
                    _ => Value::Null,
                }
            }
        }
    }

    /// The row's `SystemModstamp`.
    pub(crate) fn stamp(&self, table: usize, view: &View<'_>) -> i64 {
        view.version.map_or_else(|| self.tables[table].base.stamp(view.serial), |version| version.stamp)
    }

    fn calculate(&self, table: usize, view: &View<'_>, slot: usize, moment: &Moment) -> Value {
        let calcs = &self.tables[table].columns[slot].calcs;
        let current = calcs.iter().rev().find(|(seq, since, _)| match moment.as_of {
            None => *seq <= moment.seq,
            Some(at) => *since <= at,
        });
        // A formula asked about before it was there is computed as it first was.
        let Some((_, _, calc)) = current.or_else(|| calcs.first()) else { return Value::Null };
        match calc {
            Calc::Times { slot, factor, scale } => self
                .value(table, view, *slot, moment)
                .as_number()
                .and_then(|number| number.times(*factor, *scale))
                .map_or(Value::Null, Value::Num),
            Calc::Parent { lookup, table: other, slot } => self
                .parent(table, view, *lookup, moment)
                .filter(|(found, _)| found == other)
                .map_or(Value::Null, |(found, parent)| self.value(found, &parent, *slot, moment)),
            Calc::DaysUntil { slot } => match self.value(table, view, *slot, moment) {
                Value::Date(days) => {
                    let today = (moment.as_of.unwrap_or(moment.now) + ZONE_SECS).div_euclid(DAY);
                    Value::Num(Decimal::new(i128::from(i64::from(days) - today), 0))
                }
                _ => Value::Null,
            },
        }
    }

    /// The row that a lookup points to, if it is there and shared.
    pub(crate) fn parent(
        &self,
        table: usize,
        view: &View<'_>,
        lookup: usize,
        moment: &Moment,
    ) -> Option<(usize, View<'_>)> {
        let pointer = self.value(table, view, lookup, moment);
        let (other, serial) = self.by_id(pointer.as_text()?)?;
        let parent = self.tables[other].view(serial, moment)?;
        let is_seen = self.is_visible(other, &parent, true, moment) && !self.tables[other].unshared.contains(&serial);
        is_seen.then_some((other, parent))
    }

    /// Resolves the names in a formula of that table.
    pub(crate) fn resolve(&self, table: usize, formula: &Formula, scale: u32) -> Result<Calc, String> {
        let object = &self.tables[table];
        let slot = |name: &str| object.slot(name).ok_or_else(|| format!("no field {name} on {}", object.name));
        match formula {
            Formula::Times { field, factor } => {
                let factor = Decimal::parse(factor).ok_or_else(|| format!("{factor} is no decimal"))?;
                Ok(Calc::Times { slot: slot(field)?, factor, scale })
            }
            Formula::Parent { lookup, field } => {
                let lookup = slot(lookup)?;
                let target = object.columns[lookup].spec.reference_to.first().map(String::as_str).unwrap_or_default();
                let table = self.find(target).ok_or_else(|| format!("no object {target}"))?;
                let slot = self.tables[table].slot(field).ok_or_else(|| format!("no field {field} on {target}"))?;
                Ok(Calc::Parent { lookup, table, slot })
            }
            Formula::DaysUntil { field } => Ok(Calc::DaysUntil { slot: slot(field)? }),
        }
    }
}
