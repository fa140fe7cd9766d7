//! One page of records, from bytes into columns, by whichever interface.
//!
//! The three of them print one record in three ways; here it becomes one (semantics B7). What was asked for and is in
//! no record of the page was not delivered: it is left out, and never told as empty.

mod csv;
#[cfg(test)]
mod tests;
mod value;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(super) use self::csv::{Problem, Table};
pub(super) use self::value::instant;
use super::model::PageInfo;
use super::plan::{CREATED, Cell, Columns, ID, STAMP};
use crate::clock::Timestamp;
use crate::record::{RecordHead, Records, RecordsBuilder};

/// What lists cut formatted text to, in characters.
const CUT: usize = 500;

/// What a page says.
#[derive(Debug, Default)]
pub(super) struct RecordPage {
    /// The records, with those columns that were delivered.
    pub(super) records: Records,
    /// Whether there are more behind it.
    pub(super) more: bool,
    /// Of a list, where it goes on.
    pub(super) token: Option<String>,
}

impl RecordPage {
    /// Stamp and id of the last record.
    pub(super) fn last(&self) -> Option<(Option<Timestamp>, String)> {
        self.records.heads().last().map(|head| (head.stamp, head.key.clone()))
    }
}

/// Reads a page of a list or of a query, or single records.
///
/// # Errors
///
/// When it is not JSON of this form, is cut, or has another number of records than it says.
pub(super) fn parse(body: &[u8], columns: &Columns) -> serde_json::Result<RecordPage> {
    let page: Envelope<'_> = serde_json::from_slice(body)?;
    let info = page.info.unwrap_or_default();
    if info.count.is_some_and(|count| count != page.data.len() as u64) {
        return Err(serde::de::Error::custom("a page with another number of records than it says"));
    }
    let mut rows = Rows::new(columns, page.data.len());
    for Row(members) in page.data {
        rows.take(members)?;
    }
    Ok(RecordPage { records: rows.finish(), more: info.more_records, token: info.next_page_token })
}

/// The rows of a sub-form of a single record; and whether there are more than its record shows.
///
/// # Errors
///
/// As for a page.
pub(super) fn parse_rows(body: &[u8], field: &str, columns: &Columns) -> serde_json::Result<(Records, bool)> {
    let page: Envelope<'_> = serde_json::from_slice(body)?;
    let mut rows = Rows::new(columns, 16);
    let mut has_more = false;
    for (Name(name), raw) in page.data.into_iter().flat_map(|Row(members)| members) {
        if name == "$has_more" {
            let cut: HashMap<String, bool> = serde_json::from_str(raw.get()).unwrap_or_default();
            has_more = cut.get(field).copied().unwrap_or_default();
        } else if name == field {
            for Row(members) in serde_json::from_str::<Option<Vec<Row<'_>>>>(raw.get())?.unwrap_or_default() {
                rows.take(members)?;
            }
        }
    }
    Ok((rows.finish(), has_more))
}

/// The first number in the first record: what a query that counts gives.
///
/// # Errors
///
/// When there is none.
pub(super) fn parse_count(body: &[u8]) -> serde_json::Result<u64> {
    let page: Envelope<'_> = serde_json::from_slice(body)?;
    let first = page
        .data
        .first()
        .and_then(|Row(members)| members.iter().find_map(|(_, raw)| raw.get().trim_matches('"').parse().ok()));
    first.ok_or_else(|| serde::de::Error::custom("an answer without a number"))
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Vec<Row<'a>>,
    #[serde(default)]
    info: Option<PageInfo>,
}

/// A record's members in the order sent.
struct Row<'a>(Vec<(Name<'a>, &'a RawValue)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
            type Value = Row<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'a>, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Row(members))
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// The rows so far, and the one being built.
struct Rows<'c> {
    columns: &'c Columns,
    builder: RecordsBuilder,
    head: RecordHead,
    delivered: Vec<bool>,
}

impl Rows<'_> {
    fn new(columns: &Columns, capacity: usize) -> Rows<'_> {
        let builder = RecordsBuilder::new(columns.names.clone(), capacity);
        Rows { columns, builder, head: RecordHead::default(), delivered: vec![false; columns.names.len()] }
    }

    fn take(&mut self, members: Vec<(Name<'_>, &RawValue)>) -> serde_json::Result<()> {
        for (Name(name), raw) in members {
            if let Some(column) = self.columns.place(&name) {
                let value = value::of_json(&self.columns.cells[column], raw)?;
                self.set(column, value.as_deref());
            }
        }
        self.finish_row();
        Ok(())
    }

    fn set(&mut self, column: usize, value: Option<&str>) {
        self.delivered[column] = true;
        match self.columns.names[column].as_str() {
            ID => value.unwrap_or_default().clone_into(&mut self.head.key),
            STAMP => self.head.stamp = value.and_then(|text| text.parse().ok()),
            CREATED => self.head.created_at = value.and_then(|text| text.parse().ok()),
            _ => {}
        }
        self.builder.set(column, value);
    }

    fn finish_row(&mut self) {
        self.builder.finish_row(std::mem::take(&mut self.head));
    }

    fn finish(self) -> Records {
        let records = self.builder.finish();
        if records.is_empty() || self.delivered.iter().all(|is_delivered| *is_delivered) {
            return records;
        }
        let names = records.fields().iter().zip(&self.delivered).filter(|(_, delivered)| **delivered);
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        only(&records, &names.into(), |_| true)
    }
}

/// Of some records those that are wanted, with these fields, which they have.
pub(super) fn only(records: &Records, names: &Arc<[String]>, wanted: impl Fn(&RecordHead) -> bool) -> Records {
    let place = |name: &String| records.fields().iter().position(|known| known == name);
    let places: Vec<Option<usize>> = names.iter().map(place).collect();
    let mut builder = RecordsBuilder::new(names.clone(), records.len());
    for (row, head) in records.heads().iter().enumerate().filter(|(_, head)| wanted(head)) {
        for (field, place) in places.iter().enumerate() {
            builder.set(field, place.and_then(|place| records.value(row, place)));
        }
        builder.finish_row(head.clone());
    }
    builder.finish()
}

/// No records of these fields.
pub(super) fn none(names: &Arc<[String]>) -> Records {
    RecordsBuilder::new(names.clone(), 0).finish()
}

/// The records with that value in the field `name`, which they have from now on.
pub(super) fn with(records: &Records, name: &str, value: &str) -> Records {
    let others = records.fields().iter().filter(|known| *known != name).cloned();
    let names: Arc<[String]> = others.chain([name.to_owned()]).collect();
    let place = |name: &String| records.fields().iter().position(|known| known == name);
    let places: Vec<Option<usize>> = names.iter().take(names.len() - 1).map(place).collect();
    let mut builder = RecordsBuilder::new(names, records.len());
    for (row, head) in records.heads().iter().enumerate() {
        for (field, place) in places.iter().enumerate() {
            builder.set(field, place.and_then(|place| records.value(row, place)));
        }
        builder.set(places.len(), Some(value));
        builder.finish_row(head.clone());
    }
    builder.finish()
}

/// The records with the field `from` called `to`.
pub(super) fn renamed(records: &Records, from: &str, to: &str) -> Records {
    let names: Vec<String> =
        records.fields().iter().map(|name| if name == from { to.to_owned() } else { name.clone() }).collect();
    let mut builder = RecordsBuilder::new(names.into(), records.len());
    for (row, head) in records.heads().iter().enumerate() {
        for field in 0..records.fields().len() {
            builder.set(field, records.value(row, field));
        }
        builder.finish_row(head.clone());
    }
    builder.finish()
}

/// Puts the parts of records together: those of the first part, as far as all have them.
///
/// Gives besides the ids of records that some part has under another stamp, or not at all: they changed, or went, while
/// the parts were read.
pub(super) fn join(names: &Arc<[String]>, parts: &[Records]) -> (Records, Vec<String>) {
    let Some((first, others)) = parts.split_first() else { return (Records::default(), Vec::new()) };
    let delivered = |name: &&String| parts.iter().any(|part| part.is_empty() || part.fields().contains(name));
    let names: Arc<[String]> = names.iter().filter(delivered).cloned().collect();
    let place = |name: &String| {
        let found = parts
            .iter()
            .enumerate()
            .find_map(|(nth, part)| part.fields().iter().position(|known| known == name).map(|column| (nth, column)));
        found.unwrap_or((0, usize::MAX))
    };
    let places: Vec<(usize, usize)> = names.iter().map(place).collect();
    let rows = |part: &Records| -> HashMap<String, usize> {
        part.heads().iter().enumerate().map(|(row, head)| (head.key.clone(), row)).collect()
    };
    let others_rows: Vec<HashMap<String, usize>> = others.iter().map(rows).collect();
    let mut builder = RecordsBuilder::new(names, first.len());
    let mut odd = Vec::new();
    for (row, head) in first.heads().iter().enumerate() {
        let in_others = others
            .iter()
            .zip(&others_rows)
            .map(|(part, rows)| rows.get(&head.key).copied().filter(|other| part.heads()[*other].stamp == head.stamp));
        let Some(in_others) = in_others.collect::<Option<Vec<usize>>>() else {
            odd.push(head.key.clone());
            continue;
        };
        for (field, (part, column)) in places.iter().enumerate() {
            let in_part = if *part == 0 { row } else { in_others[part - 1] };
            let value = (*column != usize::MAX).then(|| parts[*part].value(in_part, *column)).flatten();
            builder.set(field, value);
        }
        builder.finish_row(head.clone());
    }
    (builder.finish(), odd)
}

/// The names of long texts that may be cut, and the ids of the records that have them.
pub(super) fn cut_texts(records: &Records, columns: &[Arc<Columns>]) -> (Vec<String>, Vec<String>) {
    let is_long = |name: &&String| {
        let cell = |part: &Arc<Columns>| part.place(name).map(|column| part.cells[column] == Cell::LongText);
        columns.iter().find_map(cell).unwrap_or_default()
    };
    let names: Vec<String> = records.fields().iter().filter(is_long).cloned().collect();
    let places: Vec<usize> =
        names.iter().filter_map(|name| records.fields().iter().position(|known| known == name)).collect();
    let may_be_cut = |row: usize| {
        places.iter().any(|column| {
            let text = records.value(row, *column).unwrap_or_default();
            text.len() >= CUT && text.chars().count() == CUT
        })
    };
    let ids = records.heads().iter().enumerate().filter(|(row, _)| may_be_cut(*row)).map(|(_, head)| head.key.clone());
    let ids: Vec<String> = ids.collect();
    (names, ids)
}

/// The records with the texts that `whole` has in place of their own, where those begin alike.
pub(super) fn completed(records: &Records, whole: &Records) -> Records {
    let rows: HashMap<&str, usize> =
        whole.heads().iter().enumerate().map(|(row, head)| (head.key.as_str(), row)).collect();
    let place = |name: &String| whole.fields().iter().position(|known| known == name);
    let places: Vec<Option<usize>> = records.fields().iter().map(place).collect();
    let mut builder = RecordsBuilder::new(records.fields().clone(), records.len());
    for (row, head) in records.heads().iter().enumerate() {
        let in_whole = rows.get(head.key.as_str());
        for (field, place) in places.iter().enumerate() {
            let own = records.value(row, field);
            let longer = in_whole.zip(*place).and_then(|(row, column)| whole.value(*row, column));
            let is_its = |longer: &&str| own.is_some_and(|own| longer.starts_with(own));
            builder.set(field, longer.filter(is_its).or(own));
        }
        builder.finish_row(head.clone());
    }
    builder.finish()
}

/// The order of ids, which are numbers of 18 or 19 digits and are never computed with.
pub(super) fn by_id(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Whether the records of a page come behind a place, each once, by id or by stamp and id.
pub(super) fn is_in_order(records: &Records, after: Option<(Option<Timestamp>, &str)>, by_stamp: bool) -> bool {
    let compare = |a: (Option<Timestamp>, &str), b: (Option<Timestamp>, &str)| {
        let stamps = if by_stamp { a.0.cmp(&b.0) } else { Ordering::Equal };
        stamps.then_with(|| by_id(a.1, b.1))
    };
    let spots = || records.heads().iter().map(|head| (head.stamp, head.key.as_str()));
    let begins_behind = after.is_none_or(|after| spots().next().is_none_or(|first| compare(after, first).is_lt()));
    begins_behind && spots().is_sorted_by(|a, b| compare(*a, *b).is_lt())
}

/// Whether no record comes twice.
pub(super) fn is_distinct(records: &Records) -> bool {
    let mut seen = HashSet::new();
    records.heads().iter().all(|head| seen.insert(head.key.as_str()))
}
