//! What a source's own audit trail asserts of records before we read them (semantics C).
//!
//! Facts are the records of streams of their own (`AccountHistory`), landed like any other and never mixed into the
//! chains of the records they are about. They speak only for instants at which no version of a record counts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, StringArray};
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use super::model::StreamModel;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::log::{Lake, Ledger, LogTable, Pick, Wanted, system};
use crate::record::{FactShape, Facts, StreamId};

/// A log of facts.
#[derive(Debug, Clone)]
pub struct FactLog {
    /// What its records mean.
    pub facts: Facts,
    /// The stream.
    pub stream: StreamId,
    /// Its log.
    pub log: LogTable,
    /// Its ledger.
    pub ledger: Arc<Ledger>,
}

impl FactLog {
    /// The logs that there are of `facts` in the source of `about`.
    pub(super) async fn open_all(lake: &Lake, about: &StreamId, facts: Vec<Facts>) -> Result<Vec<FactLog>> {
        let mut logs = Vec::new();
        for facts in facts {
            let stream = StreamId::new(about.source.0.clone(), facts.stream.clone());
            if let Some(log) = LogTable::open(lake, &stream).await? {
                let ledger = Arc::new(Ledger::read(lake, &stream).await?);
                logs.push(FactLog { facts, stream, log, ledger });
            }
        }
        Ok(logs)
    }
}

/// A value that a fact tells; `None`: it tells that there was a change, but not of what.
type Told = Option<Option<String>>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    at: i64,
    old: Told,
    new: Told,
}

/// What is to be said of a field of a record at an instant before its first version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// It had this value, or none.
    Value(Option<&'a str>),
    /// It had not changed until the first version.
    AsFirst,
    Unknown,
}

/// The facts about some records, ready to be asked.
#[derive(Debug, Default)]
pub(super) struct FactTable {
    /// By key, then by field.
    by_key: HashMap<String, HashMap<String, Vec<Fact>>>,
    /// Since when changes of each field are on record.
    since: HashMap<String, i64>,
    /// Records that others were merged into, and when: before that, the others speak for themselves (C3).
    merged: HashMap<String, i64>,
}

impl FactTable {
    /// The facts about the records `keys` in their `fields`, as known at an instant.
    pub(super) async fn load(
        model: &StreamModel,
        keys: &HashSet<String>,
        fields: &[String],
        known_at: Timestamp,
    ) -> Result<FactTable> {
        let mut table = FactTable::default();
        if model.facts.is_empty() || keys.is_empty() {
            return Ok(table);
        }
        for log in &model.facts {
            table.take(log, keys, fields, known_at).await?;
        }
        for facts in table.by_key.values_mut().flat_map(HashMap::values_mut) {
            put_in_order(facts);
        }
        table.merged = merges(model, known_at).await?;
        Ok(table)
    }

    async fn take(
        &mut self,
        log: &FactLog,
        keys: &HashSet<String>,
        fields: &[String],
        known_at: Timestamp,
    ) -> Result<()> {
        let Facts { key, at, shape, .. } = &log.facts;
        let columns: Vec<String> = match shape {
            FactShape::Change { field, old, new } => vec![field.clone(), old.clone(), new.clone()],
            FactShape::State { fields } => fields.iter().map(|(column, _)| column.clone()).collect(),
        };
        let wanted = Wanted { system: Vec::new(), fields: [vec![key.clone(), at.clone()], columns].concat() };
        // A source forgets its history after a while; what it once told still counts.
        let winners = log.log.winners(Pick::LastLiving { known_at }).await?;
        for file in 0..winners.file_count() {
            let Some(batch) = winners.read(&log.log, file, &wanted).await? else { continue };
            let column = |at: usize| batch.column(at).as_string::<i32>();
            for row in 0..batch.num_rows() {
                let Some(at) = text(column(1), row).and_then(|at| at.parse::<Timestamp>().ok()) else { continue };
                let about = text(column(0), row).filter(|key| keys.contains(*key));
                match shape {
                    FactShape::Change { .. } => {
                        let Some(field) = text(column(2), row).and_then(|told| field_of(told, fields)) else {
                            continue;
                        };
                        let (old, new) = (text(column(3), row), text(column(4), row));
                        // Long texts and the like: that they changed is told, but not from what to what.
                        let is_told = old.is_some() || new.is_some();
                        let told = |value: Option<&str>| is_told.then(|| value.map(str::to_owned));
                        self.add(about, field, Fact { at: at.micros(), old: told(old), new: told(new) });
                    }
                    FactShape::State { fields: named } => {
                        for (index, (_, field)) in named.iter().enumerate() {
                            let Some(field) = fields.iter().find(|name| *name == field) else { continue };
                            let new = Some(text(column(2 + index), row).map(str::to_owned));
                            self.add(about, field, Fact { at: at.micros(), old: None, new });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, about: Option<&str>, field: &str, fact: Fact) {
        let since = self.since.entry(field.to_owned()).or_insert(i64::MAX);
        *since = (*since).min(fact.at);
        if let Some(key) = about {
            let of_key = self.by_key.entry(key.to_owned()).or_default();
            of_key.entry(field.to_owned()).or_default().push(fact);
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.since.is_empty()
    }

    /// What is to be said of `field` of the record `key` at `at`, when its first version dates from `first` (C2).
    pub(super) fn at(&self, key: &str, field: &str, at: i64, first: i64) -> Said<'_> {
        let not_before = self.merged.get(key).copied().unwrap_or(i64::MIN);
        if at < not_before {
            return Said::Unknown;
        }
        let facts = self.by_key.get(key).and_then(|fields| fields.get(field)).map_or(&[][..], Vec::as_slice);
        let mut usable = facts.iter().filter(|fact| not_before <= fact.at && fact.at <= first);
        let told = match usable.clone().rfind(|fact| fact.at <= at) {
            Some(fact) => Some(&fact.new),
            None => usable.find(|fact| fact.at > at).map(|fact| &fact.old),
        };
        match told {
            Some(Some(value)) => Said::Value(value.as_deref()),
            Some(None) => Said::Unknown,
            None if self.since.get(field).is_some_and(|since| *since <= at) => Said::AsFirst,
            None => Said::Unknown,
        }
    }
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The field that a trail calls `told`: it names look-ups without the `Id` at their end.
fn field_of<'f>(told: &str, fields: &'f [String]) -> Option<&'f String> {
    fields
        .iter()
        .find(|field| *field == told)
        .or_else(|| fields.iter().find(|field| field.strip_suffix("Id") == Some(told)))
}

/// By time. What is told of one instant is one fact: a look-up is told twice, by ids and by names, and the ids
/// count; several changes within a second are one from the first value to the last.
fn put_in_order(facts: &mut Vec<Fact>) {
    facts.sort_by_key(|fact| fact.at);
    let mut ordered: Vec<Fact> = Vec::with_capacity(facts.len());
    for group in facts.chunk_by(|a, b| a.at == b.at) {
        let mut group: Vec<&Fact> = group.iter().collect();
        if group.iter().any(|fact| has_ids(fact)) {
            group.retain(|fact| has_ids(fact));
        }
        ordered.push(chained(&group, ordered.last()));
    }
    // A state tells no old value: it is that of the state before.
    for at in 1..ordered.len() {
        if ordered[at].old.is_none() && ordered[at].new.is_some() {
            ordered[at].old = ordered[at - 1].new.clone();
        }
    }
    *facts = ordered;
}

/// One fact for several of one instant: they follow each other by their values, wherever they stand.
fn chained(group: &[&Fact], before: Option<&Fact>) -> Fact {
    let is_start = |fact: &&&Fact| match before.map(|before| &before.new) {
        Some(Some(value)) => fact.old.as_ref() == Some(value),
        _ => fact.old.is_some() && !group.iter().any(|other| other.new == fact.old),
    };
    let first = group.iter().find(is_start).or_else(|| group.iter().find(|fact| fact.old.is_some()));
    let mut left: Vec<&Fact> = group.to_vec();
    let Some(first) = first.copied().or_else(|| group.first().copied()) else {
        return Fact { at: 0, old: None, new: None };
    };
    let mut last = first;
    left.retain(|fact| !std::ptr::eq(*fact, first));
    while let Some(next) = left.iter().position(|fact| fact.old.is_some() && fact.old == last.new) {
        last = left.swap_remove(next);
    }
    // A state of the same instant says how it ended.
    let state = group.iter().find(|fact| fact.old.is_none() && fact.new.is_some());
    Fact { at: first.at, old: first.old.clone(), new: state.map_or(&last.new, |state| &state.new).clone() }
}

/// Whether a value looks like a Salesforce id, and the other like one or like nothing.
fn has_ids(fact: &Fact) -> bool {
    let is_id = |told: &Told| match told {
        Some(Some(value)) => Some(value.len() == 18 && value.bytes().all(|byte| byte.is_ascii_alphanumeric())),
        _ => None,
    };
    match (is_id(&fact.old), is_id(&fact.new)) {
        (None, None) => false,
        (old, new) => old.unwrap_or(true) && new.unwrap_or(true),
    }
}

/// When the first other record was merged into each record that lives on.
async fn merges(model: &StreamModel, known_at: Timestamp) -> Result<HashMap<String, i64>> {
    let wanted = Wanted { system: vec![system::DELETE_KIND, system::WINNER, system::VALID_FROM], fields: Vec::new() };
    let last = model.log.winners(Pick::AsOf { as_of: Timestamp::MAX, known_at, first_complete_at: None }).await?;
    let mut merged: HashMap<String, i64> = HashMap::new();
    for file in 0..last.file_count() {
        let Some(batch) = last.read(&model.log, file, &wanted).await? else { continue };
        let (kind, winner) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
        let valid_from = batch.column(2).as_primitive::<TimestampMicrosecondType>();
        for row in (0..batch.num_rows()).filter(|row| text(kind, *row) == Some("merged")) {
            let Some(winner) = text(winner, row) else { continue };
            let at = valid_from.value(row);
            merged.entry(winner.to_owned()).and_modify(|first| *first = (*first).min(at)).or_insert(at);
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: i64 = 1_000;

    fn value(text: &str) -> Told {
        Some(Some(text.to_owned()))
    }

    fn table(facts: &[(&str, &str, i64, Told, Told)]) -> FactTable {
        let mut table = FactTable::default();
        for (key, field, at, old, new) in facts {
            table.add(Some(key), field, Fact { at: *at, old: old.clone(), new: new.clone() });
        }
        table.by_key.values_mut().flat_map(HashMap::values_mut).for_each(put_in_order);
        table
    }

    #[test]
    fn c2_the_latest_fact_counts_else_the_old_value_of_the_next_one() {
        let table = table(&[
            ("a", "Plan", 300, value("B"), value("C")),
            ("a", "Plan", 200, value("A"), value("B")),
            ("b", "Plan", 400, None, value("X")),
        ]);
        let plan = |key, at| table.at(key, "Plan", at, FIRST);
        assert_eq!(plan("a", 100), Said::Value(Some("A")));
        assert_eq!(plan("a", 200), Said::Value(Some("B")));
        assert_eq!(plan("a", 299), Said::Value(Some("B")));
        assert_eq!(plan("a", 999), Said::Value(Some("C")));
        // No fact of this record: tracked by then, so it was as first read; before that nobody knows.
        assert_eq!(plan("c", 200), Said::AsFirst);
        assert_eq!(plan("c", 199), Said::Unknown);
        assert_eq!(table.at("a", "Name", 500, FIRST), Said::Unknown);
        // Facts from after the first version add nothing: that version is as good.
        assert_eq!(table.at("a", "Plan", 250, 260), Said::Value(Some("B")));
        assert_eq!(table.at("b", "Plan", 350, 390), Said::AsFirst);
    }

    #[test]
    fn a_change_without_values_makes_unknown_what_lies_behind_it() {
        let table = table(&[("a", "Note", 200, None, None), ("a", "Note", 300, value("x"), value("y"))]);
        let note = |at| table.at("a", "Note", at, FIRST);
        assert_eq!((note(100), note(250), note(300)), (Said::Unknown, Said::Unknown, Said::Value(Some("y"))));
    }

    #[test]
    fn what_is_told_of_one_instant_is_one_fact() {
        let (old_id, new_id) = ("005000000000001AAA", "005000000000002AAA");
        let table = table(&[
            ("a", "OwnerId", 200, value("佐藤"), value("鈴木")),
            ("a", "OwnerId", 200, value(old_id), value(new_id)),
            // Three changes within a second, in no order.
            ("a", "Plan", 200, value("B"), value("C")),
            ("a", "Plan", 200, value("A"), value("B")),
            ("a", "Plan", 200, value("C"), value("D")),
        ]);
        assert_eq!(table.at("a", "OwnerId", 100, FIRST), Said::Value(Some(old_id)));
        assert_eq!(table.at("a", "OwnerId", 200, FIRST), Said::Value(Some(new_id)));
        assert_eq!(table.at("a", "Plan", 100, FIRST), Said::Value(Some("A")));
        assert_eq!(table.at("a", "Plan", 200, FIRST), Said::Value(Some("D")));
    }

    #[test]
    fn states_follow_each_other_and_agree_with_changes() {
        let table = table(&[
            ("a", "StageName", 100, None, value("提案")),
            ("a", "StageName", 300, None, value("受注")),
            ("a", "StageName", 300, value("提案"), value("受注")),
            ("a", "Amount", 100, None, Some(None)),
        ]);
        let stage = |at| table.at("a", "StageName", at, FIRST);
        assert_eq!(
            (stage(50), stage(100), stage(300)),
            (Said::Unknown, Said::Value(Some("提案")), Said::Value(Some("受注")))
        );
        assert_eq!(table.at("a", "Amount", 150, FIRST), Said::Value(None));
    }

    #[test]
    fn c3_a_record_that_others_were_merged_into_has_no_facts_from_before() {
        let mut table =
            table(&[("a", "Plan", 200, value("A"), value("B")), ("a", "Plan", 500, value("B"), value("C"))]);
        table.merged.insert("a".into(), 400);
        let plan = |at| table.at("a", "Plan", at, FIRST);
        assert_eq!((plan(300), plan(450), plan(500)), (Said::Unknown, Said::Value(Some("B")), Said::Value(Some("C"))));
    }

    #[test]
    fn look_ups_are_found_under_the_name_that_the_trail_gives_them() {
        let fields = ["OwnerId".to_owned(), "Plan__c".to_owned()];
        assert_eq!(field_of("Owner", &fields), Some(&fields[0]));
        assert_eq!(field_of("OwnerId", &fields), Some(&fields[0]));
        assert_eq!(field_of("created", &fields), None);
    }
}
