//! The edits that people make in Salesforce, in the order in which they happen.
//!
//! Records have numbers of our own until Salesforce gives them ids.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

/// The fields of one edit.
pub(super) type Fields = Map<String, Value>;

/// A record as the story knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RecordNo(usize);

/// What a CRM must be able to do for the story.
///
/// Ids are the CRM's own. A story never edits a record that is deleted, but to undelete it.
pub trait Crm {
    /// Creates a record and returns its id.
    fn insert(&mut self, object: &str, fields: Map<String, Value>) -> String;
    /// Changes some fields of a record.
    fn update(&mut self, object: &str, id: &str, fields: Map<String, Value>);
    /// Moves a record, and the children of an account, to the recycle bin.
    fn delete(&mut self, object: &str, id: &str);
    /// Brings a record, and the children that went with it, back from the recycle bin.
    fn undelete(&mut self, object: &str, id: &str);
    /// Removes a record for good, without the recycle bin.
    fn hard_delete(&mut self, object: &str, id: &str);
    /// Merges `losers` into `winner`, which gets their children.
    fn merge(&mut self, object: &str, winner: &str, losers: &[String]);
    /// Sets the simulated clock, with which edits are stamped; never goes back.
    fn set_now(&mut self, now: DateTime<Utc>);
}

#[derive(Debug, Clone)]
enum Act {
    Insert { fields: Fields, refs: Vec<(&'static str, RecordNo)> },
    Update { fields: Fields },
    Delete,
    Undelete,
    HardDelete,
    Merge { loser: RecordNo },
}

#[derive(Debug, Clone)]
struct Edit {
    at: DateTime<Utc>,
    record: RecordNo,
    act: Act,
}

#[derive(Debug, Clone, Copy)]
struct Birth {
    object: &'static str,
    at: DateTime<Utc>,
    /// The account whose fate it shares; itself for accounts.
    family: RecordNo,
}

/// All edits of the story, and the ids of the records that exist.
#[derive(Debug, Default)]
pub(super) struct Book {
    edits: Vec<Edit>,
    births: Vec<Birth>,
    pauses: Vec<(RecordNo, DateTime<Utc>, DateTime<Utc>)>,
    ids: HashMap<RecordNo, String>,
    applied_count: usize,
}

impl Book {
    /// A record is created, with references to others; not before these others are.
    pub(super) fn insert(
        &mut self,
        at: DateTime<Utc>,
        object: &'static str,
        fields: Fields,
        refs: Vec<(&'static str, RecordNo)>,
    ) -> RecordNo {
        let record = RecordNo(self.births.len());
        let parents = refs.iter().map(|(_, parent)| self.births[parent.0].at + TimeDelta::minutes(2));
        let at = parents.fold(at, DateTime::max);
        let family = refs.iter().find(|(name, _)| *name == "AccountId").map_or(record, |(_, account)| *account);
        self.births.push(Birth { object, at, family });
        self.edits.push(Edit { at, record, act: Act::Insert { fields, refs } });
        record
    }

    /// Fields of a record are changed; not before it is created.
    pub(super) fn update(&mut self, at: DateTime<Utc>, record: RecordNo, fields: Fields) {
        self.push(at, record, Act::Update { fields });
    }

    /// A record is removed, to the recycle bin.
    pub(super) fn delete(&mut self, at: DateTime<Utc>, record: RecordNo) {
        self.push(at, record, Act::Delete);
    }

    /// An account is deleted by mistake and brought back; edits of its family in between wait until then.
    pub(super) fn lose(&mut self, from: DateTime<Utc>, until: DateTime<Utc>, account: RecordNo) {
        self.push(from, account, Act::Delete);
        self.push(until, account, Act::Undelete);
        self.pauses.push((account, from, until));
    }

    /// A record is removed for good.
    pub(super) fn hard_delete(&mut self, at: DateTime<Utc>, record: RecordNo) {
        self.push(at, record, Act::HardDelete);
    }

    /// `loser` is merged into `winner`.
    pub(super) fn merge(&mut self, at: DateTime<Utc>, winner: RecordNo, loser: RecordNo) {
        self.push(at, winner, Act::Merge { loser });
    }

    fn push(&mut self, at: DateTime<Utc>, record: RecordNo, act: Act) {
        let at = at.max(self.births[record.0].at + TimeDelta::minutes(1));
        self.edits.push(Edit { at, record, act });
    }

    /// Puts the edits into the order in which they happen. Call it once, after the last of them.
    pub(super) fn close(&mut self) {
        for (account, from, until) in &self.pauses {
            let waiting = self.edits.iter_mut().filter(|edit| {
                let in_family = self.births[edit.record.0].family == *account;
                let is_the_mistake = edit.record == *account && matches!(edit.act, Act::Delete);
                in_family && *from <= edit.at && edit.at < *until && !is_the_mistake
            });
            for (place, edit) in waiting.enumerate() {
                edit.at = *until + TimeDelta::minutes(30 + place as i64);
            }
        }
        self.edits.sort_by_key(|edit| edit.at);
    }

    /// Makes the edits that are due before `until` and have not been made yet.
    pub(super) fn apply(&mut self, until: DateTime<Utc>, crm: &mut dyn Crm) {
        while let Some(edit) = self.edits.get(self.applied_count).filter(|edit| edit.at < until).cloned() {
            crm.set_now(edit.at);
            self.apply_one(edit, crm);
            self.applied_count += 1;
        }
    }

    fn apply_one(&mut self, edit: Edit, crm: &mut dyn Crm) {
        let object = self.births[edit.record.0].object;
        if let Act::Insert { mut fields, refs } = edit.act {
            for (name, target) in refs {
                fields.insert(name.to_owned(), Value::String(self.known_id(target)));
            }
            let id = crm.insert(object, fields);
            self.ids.insert(edit.record, id);
            return;
        }
        let id = self.known_id(edit.record);
        match edit.act {
            Act::Insert { .. } => {}
            Act::Update { fields } => crm.update(object, &id, fields),
            Act::Delete => crm.delete(object, &id),
            Act::Undelete => crm.undelete(object, &id),
            Act::HardDelete => crm.hard_delete(object, &id),
            Act::Merge { loser } => crm.merge(object, &id, &[self.known_id(loser)]),
        }
    }

    fn known_id(&self, record: RecordNo) -> String {
        self.ids.get(&record).cloned().expect("a record is created before it is edited")
    }

    /// The id of a record, once it is created.
    pub(super) fn id(&self, record: RecordNo) -> Option<&str> {
        self.ids.get(&record).map(String::as_str)
    }
}
