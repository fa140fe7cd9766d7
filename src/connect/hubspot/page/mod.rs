//! One page of records, from bytes straight into columns.
//!
//! No tree of values is built. Every value is text or null, and becomes canonical text (semantics B7): `""` is null;
//! plain decimals; days and instants in one form, whichever of HubSpot's they came in. A property that has no value
//! may be there as null or be left out: both are null, since every name asked for is one that the object has.

#[cfg(test)]
mod tests;
mod value;
mod walk;

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeSeed;

pub(super) use self::value::instant;
use self::value::{date, datetime};
use self::walk::PageSeed;
use super::plan::{Cell, HISTORY_FIELDS, Plan};
use super::position::Merge;
use crate::clock::Timestamp;
use crate::connect::http::Answer;
use crate::connect::{canonical, json};
use crate::record::{DeleteKind, RecordHead, Records, RecordsBuilder};

/// With so many values of a property, there may have been more before: HubSpot keeps the last 20 of most objects.
const DEEP_HISTORY: usize = 20;

/// What a page says.
#[derive(Debug, Default)]
pub(super) struct RecordPage {
    /// The records, or what became of their properties.
    pub(super) records: Records,
    /// The ids of the records of the object, in the order sent.
    pub(super) ids: Vec<String>,
    /// What they tell of other records.
    pub(super) merges: Vec<Merge>,
    /// Of a batch, the ids that there is no record of.
    pub(super) missing: Vec<String>,
    /// Where HubSpot goes on.
    pub(super) next: Option<String>,
}

/// Reads a page of a list, or of a batch.
///
/// # Errors
///
/// When it is not JSON of this form, or is cut.
pub(super) fn parse(body: &[u8], plan: &Plan) -> serde_json::Result<RecordPage> {
    json::read(body, |text, _| {
        let names = match &plan.history {
            Some(_) => HISTORY_FIELDS.iter().map(|name| (*name).to_owned()).collect(),
            None => plan.names.clone(),
        };
        let mut rows = Rows {
            plan,
            builder: RecordsBuilder::new(names, 100),
            head: RecordHead::default(),
            archived_at: None,
            merged: None,
            ids: Vec::new(),
            merges: Vec::new(),
            missing: Vec::new(),
            order: Vec::new(),
            history: HashMap::new(),
            scratch: String::new(),
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let next = PageSeed(&mut rows).deserialize(&mut deserializer)?;
        deserializer.end()?;
        let Rows { builder, ids, merges, missing, .. } = rows;
        Ok(RecordPage { records: builder.finish(), ids, merges, missing, next })
    })
}

/// Where the next page is, without reading the page: it stands behind the records.
pub(super) fn next_after(answer: &Answer) -> Option<String> {
    let name = b"\"paging\":";
    let from = answer.body.len().saturating_sub(2_000);
    let tail = &answer.body[from..];
    let at = tail.windows(name.len()).rposition(|part| part == name)? + name.len();
    let paging = serde_json::Deserializer::from_slice(&tail[at..]).into_iter::<Paging>().next()?;
    paging.ok()?.next()
}

/// Where HubSpot goes on, if it does.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Option<Pages>")]
pub(super) struct Paging(Option<String>);

#[derive(Deserialize)]
struct Pages {
    #[serde(default)]
    next: Option<NextPage>,
}

#[derive(Deserialize)]
struct NextPage {
    after: String,
}

impl From<Option<Pages>> for Paging {
    fn from(pages: Option<Pages>) -> Self {
        Paging(pages.and_then(|pages| pages.next).map(|next| next.after))
    }
}

impl Paging {
    /// What to ask for to go on.
    pub(super) fn next(self) -> Option<String> {
        self.0
    }
}

/// A value that a property once had.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow, default, rename = "sourceType")]
    source_type: Option<Cow<'a, str>>,
}

/// The rows so far, and the one being built.
struct Rows<'p, 'de> {
    plan: &'p Plan,
    builder: RecordsBuilder,
    head: RecordHead,
    archived_at: Option<Timestamp>,
    merged: Option<String>,
    ids: Vec<String>,
    merges: Vec<Merge>,
    missing: Vec<String>,
    /// The columns of the properties in the order of the last record.
    order: Vec<Option<usize>>,
    history: HashMap<Cow<'de, str>, Vec<Entry<'de>>>,
    scratch: String,
}

impl Rows<'_, '_> {
    fn set(&mut self, column: usize, value: Option<&str>) {
        let value = value.filter(|text| !text.is_empty());
        match (self.plan.cells[column], value) {
            (Cell::Number, Some(text)) => self.builder.set(column, Some(&canonical::number(text))),
            (Cell::Date, Some(text)) => self.builder.set(column, Some(&date(text))),
            (Cell::Datetime, Some(text)) => self.builder.set(column, Some(&datetime(text))),
            _ => self.builder.set(column, value),
        }
    }

    fn finish_row(&mut self) {
        let mut head = std::mem::take(&mut self.head);
        let changed_at = head.stamp;
        if let Some(at) = self.archived_at.take() {
            head.deleted = Some(DeleteKind::Archived);
            head.stamp = Some(at);
        }
        self.ids.push(head.key.clone());
        if let Some(merged) = self.merged.take() {
            for gone in merged.split(';').map(str::trim).filter(|gone| !gone.is_empty() && *gone != head.key) {
                self.merges.push(Merge { gone: gone.to_owned(), winner: head.key.clone(), at: changed_at });
            }
        }
        match &self.plan.history {
            None => self.builder.finish_row(head),
            Some(names) => {
                let mut history = std::mem::take(&mut self.history);
                for name in names {
                    if let Some(entries) = history.remove(name.as_str()) {
                        self.tell(&head.key, name, &entries);
                    }
                }
            }
        }
    }

    /// The values of a property, the newest first, as rows of history.
    fn tell(&mut self, id: &str, property: &str, entries: &[Entry<'_>]) {
        let told = |entry: &Entry<'_>| entry.value.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        let mut at = 0;
        while at < entries.len() {
            let entry = &entries[at];
            // Of several at one instant, the first is the newest.
            let before = entries[at..].iter().position(|other| other.timestamp != entry.timestamp).map(|n| at + n);
            let is_deep = before.is_none() && entries.len() >= DEEP_HISTORY;
            let stamp = datetime(&entry.timestamp).into_owned();
            let old = before.and_then(|before| told(&entries[before]));
            let source = entry.source_type.as_deref();
            self.tell_one(id, property, &stamp, old.as_deref(), told(entry).as_deref(), source);
            if is_deep && let Ok(instant) = stamp.parse::<Timestamp>() {
                // There was a change, but nobody knows of what: what it was before is not said.
                let earlier = instant.plus_micros(-1).to_string();
                self.tell_one(id, property, &earlier, None, None, None);
            }
            at = before.unwrap_or(entries.len());
        }
    }

    fn tell_one(
        &mut self,
        id: &str,
        property: &str,
        at: &str,
        before: Option<&str>,
        value: Option<&str>,
        source: Option<&str>,
    ) {
        let values = [Some(id), Some(property), Some(at), before, value, source];
        for (column, value) in values.into_iter().enumerate() {
            self.builder.set(column, value);
        }
        self.scratch = serde_json::json!([id, property, at]).to_string();
        self.builder.finish_row(RecordHead {
            key: self.scratch.clone(),
            stamp: at.parse().ok(),
            ..RecordHead::default()
        });
    }
}
