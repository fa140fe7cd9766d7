//! What happened in a world, and what a log is held to of it at every past instant (semantics M).
//!
//! A change of a record counts from its stamp. A log must know it from then on when a complete run could read it by its
//! stamp; from a full read on when only that could find it (a silent change, a deletion that nothing tells of); and need
//! not know it when it was changed again before any run came by. A log never says what was not yet true.

use std::collections::BTreeMap;

use nenrin::clock::Timestamp;

use super::world::{Facts, Truth, Values};
use crate::support::app::Record;

/// How a change can be dated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dated {
    /// It has this stamp.
    Stamped(Timestamp),
    /// It was made then, and nothing tells of it.
    Silent(Timestamp),
}

/// A record from one change to the next.
#[derive(Debug, Clone)]
struct Entry {
    since: Timestamp,
    is_stamped: bool,
    /// From when on the log must know it.
    known_from: Option<Timestamp>,
    /// `None`: gone.
    values: Option<Values>,
}

/// All changes, by key and in the order in which they were made.
pub(crate) struct Journal {
    facts: &'static Facts,
    entries: BTreeMap<String, Vec<Entry>>,
    now: Truth,
    instants: Vec<Timestamp>,
}

impl Journal {
    /// Begins with what a first load has read.
    pub(crate) fn new(facts: &'static Facts, truth: Truth) -> Journal {
        let entry = |values: &Values| Entry {
            since: Timestamp::MIN,
            is_stamped: true,
            known_from: Some(Timestamp::MIN),
            values: Some(values.clone()),
        };
        let entries = truth.iter().map(|(key, values)| (key.clone(), vec![entry(values)])).collect();
        Journal { facts, entries, now: truth, instants: Vec::new() }
    }

    /// Notes what an edit changed.
    pub(crate) fn note(&mut self, truth: Truth, dated: Dated) {
        let (made, is_stamped) = match dated {
            Dated::Stamped(at) => (self.shown(at), true),
            Dated::Silent(at) => (at, false),
        };
        let keys: Vec<String> = self.now.keys().chain(truth.keys()).cloned().collect();
        for key in keys {
            if self.now.get(&key) == truth.get(&key) {
                continue;
            }
            let is_stamped = is_stamped && (truth.contains_key(&key) || self.facts.tells_deletes);
            let since = if is_stamped { made } else { made.max(self.begun(dated)) };
            let values = truth.get(&key).cloned();
            let entries = self.entries.entry(key.clone()).or_default();
            if entries.last().map(|last| &last.values) == Some(&values) {
                continue; // noted under its other key
            }
            entries.push(Entry { since, is_stamped, known_from: None, values });
            self.instants.push(since);
        }
        self.now = truth;
    }

    /// When an edit was really made, whatever its stamp shows.
    fn begun(&self, dated: Dated) -> Timestamp {
        match dated {
            Dated::Stamped(at) | Dated::Silent(at) => at,
        }
    }

    /// A stamp as the system shows it.
    fn shown(&self, at: Timestamp) -> Timestamp {
        let grain = self.facts.grain_secs * 1_000_000;
        Timestamp::from_micros(at.micros() - at.micros().rem_euclid(grain))
    }

    /// Notes that a run which began at `now` was complete; `is_full` when it read everything from its beginning to its end.
    pub(crate) fn synced(&mut self, now: Timestamp, is_full: bool) {
        self.instants.push(now);
        let read_through = now.plus_secs(-self.facts.lag_secs);
        for entries in self.entries.values_mut() {
            let Some(top) = entries.last_mut().filter(|top| top.known_from.is_none()) else { continue };
            if top.is_stamped && top.since <= read_through {
                top.known_from = Some(top.since);
            } else if is_full {
                top.known_from = Some(now);
            }
        }
    }

    /// Whether a silent change of `key` would be told apart: nothing of it waits to be read.
    pub(crate) fn is_read(&self, key: &str) -> bool {
        self.entries.get(key).and_then(|entries| entries.last()).is_some_and(|top| top.known_from.is_some())
    }

    /// The instants at which anything happened, each with its neighbours.
    pub(crate) fn instants(&self) -> Vec<Timestamp> {
        let around = |at: &Timestamp| [at.plus_micros(-1), *at, at.plus_micros(1)];
        let mut instants: Vec<Timestamp> = self.instants.iter().flat_map(around).collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// Compares a log's state at `instant` with what it is held to.
    pub(crate) fn judge(&self, instant: Timestamp, log: &BTreeMap<String, Record>) -> Result<(), String> {
        for (key, entries) in &self.entries {
            let Some(counts) = entries.iter().rposition(|entry| entry.since <= instant) else {
                match log.get(key) {
                    Some(Some(_)) => return Err(format!("{instant}: {key} is there before it was born")),
                    _ => continue,
                }
            };
            let said = log.get(key).and_then(Option::as_ref);
            let must =
                entries[..=counts].iter().rposition(|entry| entry.known_from.is_some_and(|from| from <= instant));
            let allowed = &entries[must.unwrap_or(0)..=counts];
            let is_unborn = must.is_none() && said.is_none();
            if !is_unborn && !allowed.iter().any(|entry| agree(said, entry.values.as_ref())) {
                let told = |entry: &Entry| {
                    let values = entry.values.as_ref().map(|values| shown(values, said));
                    format!("since {} (known from {:?}): {values:?}", entry.since, entry.known_from)
                };
                let history: Vec<String> = entries.iter().map(told).collect();
                return Err(format!("{instant}: the log has {key} as {said:?}\n  {}", history.join("\n  ")));
            }
        }
        match log.iter().find(|(key, record)| record.is_some() && !self.entries.contains_key(*key)) {
            Some((key, _)) => Err(format!("{instant}: the log has {key}, which never was")),
            None => Ok(()),
        }
    }
}

/// Those of the values that the log has too, for a message.
fn shown<'a>(
    values: &'a Values,
    said: Option<&BTreeMap<String, Option<String>>>,
) -> Vec<(&'a String, &'a Option<String>)> {
    values.iter().filter(|(name, _)| said.is_none_or(|said| said.contains_key(*name))).collect()
}

/// Whether the log says what was true, in the fields that both know.
fn agree(said: Option<&BTreeMap<String, Option<String>>>, values: Option<&Values>) -> bool {
    match (said, values) {
        (None, None) => true,
        (Some(said), Some(values)) => {
            said.iter().all(|(name, value)| values.get(name).is_none_or(|expected| expected == value))
        }
        _ => false,
    }
}

mod tests {
    use super::*;
    use crate::contract::salesforce::SYSTEM;
    use crate::support::app::at;

    fn truth(records: &[(&str, &str)]) -> Truth {
        let values = |note: &str| Values::from([("note".to_owned(), Some(note.to_owned()))]);
        records.iter().map(|(key, note)| ((*key).to_owned(), values(note))).collect()
    }

    fn log(records: &[(&str, &str)]) -> BTreeMap<String, Record> {
        truth(records).into_iter().map(|(key, values)| (key, Some(values))).collect()
    }

    /// A note of noon, one of one o'clock that nobody read, one of two; a silent one at three; read at four, and fully at
    /// five.
    fn day() -> Journal {
        let hour = |hour: u32| at(&format!("2026-09-01T{hour:02}:00:00Z"));
        let mut journal = Journal::new(SYSTEM.facts, truth(&[("a", "0")]));
        journal.note(truth(&[("a", "1"), ("b", "1")]), Dated::Stamped(hour(12)));
        journal.synced(hour(12).plus_secs(1_800), false);
        journal.note(truth(&[("a", "2"), ("b", "1")]), Dated::Stamped(hour(13)));
        journal.note(truth(&[("a", "3"), ("b", "1")]), Dated::Stamped(hour(14)));
        journal.note(truth(&[("a", "3")]), Dated::Silent(hour(15)));
        journal.synced(hour(16), false);
        journal.synced(hour(17), true);
        journal
    }

    #[test]
    fn a_log_is_held_to_what_could_be_known_and_to_nothing_else() {
        let journal = day();
        let judge =
            |time: &str, records: &[(&str, &str)]| journal.judge(at(&format!("2026-09-01T{time}Z")), &log(records));
        judge("11:59:59", &[("a", "0")]).unwrap();
        judge("11:59:59", &[("a", "1")]).unwrap_err();
        judge("11:59:59", &[("a", "0"), ("b", "1")]).unwrap_err();
        judge("12:00:00", &[("a", "1"), ("b", "1")]).unwrap();
        judge("12:00:00", &[("a", "0"), ("b", "1")]).unwrap_err();
        judge("12:00:00", &[("a", "1")]).unwrap_err();
        // Nobody was there between one and two.
        judge("13:00:00", &[("a", "1"), ("b", "1")]).unwrap();
        judge("13:00:00", &[("a", "2"), ("b", "1")]).unwrap();
        judge("13:00:00", &[("a", "3"), ("b", "1")]).unwrap_err();
        judge("14:00:00", &[("a", "3"), ("b", "1")]).unwrap();
        judge("14:00:00", &[("a", "2"), ("b", "1")]).unwrap_err();
        // That one is gone may be known from three o'clock on, and must be from five.
        judge("16:59:59", &[("a", "3"), ("b", "1")]).unwrap();
        judge("16:59:59", &[("a", "3")]).unwrap();
        judge("14:59:59", &[("a", "3")]).unwrap_err();
        judge("17:00:00", &[("a", "3"), ("b", "1")]).unwrap_err();
        judge("17:00:00", &[("a", "3")]).unwrap();
        judge("17:00:00", &[("a", "3"), ("c", "1")]).unwrap_err();
    }
}
