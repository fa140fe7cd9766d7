//! One page of records, from bytes straight into columns, by whichever interface.
//!
//! The three of them print one record in three ways; here it becomes one (semantics B7). What was asked for and is in
//! no record of the page was not delivered: it is left out, and never told as empty.

mod csv;
mod order;
mod shape;
#[cfg(test)]
mod tests;
mod value;
mod walk;

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

pub(super) use self::csv::{Problem, Table};
pub(super) use self::order::{is_distinct, is_in_order};
pub(super) use self::shape::{completed, cut_texts, join, none, only, renamed, with};
pub(super) use self::value::instant;
use self::walk::{PageSeed, RecordsSeed};
use super::model::PageInfo;
use super::plan::{Cell, Columns, Head};
use crate::clock::Timestamp;
use crate::connect::http::Answer;
use crate::connect::json;
use crate::record::{RecordHead, Records, RecordsBuilder};

/// So many records make a page of a list; larger ones grow.
const PAGE: usize = 200;
/// What a page says of itself stands in its last bytes.
const INFO_BYTES: usize = 2_000;

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
    json::read(body, |text, _| {
        let mut rows = Rows::new(columns, PAGE);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let info = PageSeed(&mut rows).deserialize(&mut deserializer)?;
        deserializer.end()?;
        if info.count.is_some_and(|count| count != rows.count) {
            return Err(serde::de::Error::custom("a page with another number of records than it says"));
        }
        Ok(RecordPage { records: rows.finish(), more: info.more_records, token: info.next_page_token })
    })
}

/// The rows of a sub-form of a single record; and whether there are more than its record shows.
///
/// # Errors
///
/// As for a page.
pub(super) fn parse_rows(body: &[u8], field: &str, columns: &Columns) -> serde_json::Result<(Records, bool)> {
    let page: Members<'_> = serde_json::from_slice(body)?;
    let mut rows = Rows::new(columns, 16);
    let mut has_more = false;
    for record in page.data {
        if let Some(raw) = record.get("$has_more") {
            let cut: HashMap<String, bool> = serde_json::from_str(raw.get()).unwrap_or_default();
            has_more = cut.get(field).copied().unwrap_or_default();
        }
        if let Some(raw) = record.get(field).filter(|raw| raw.get() != "null") {
            RecordsSeed(&mut rows).deserialize(&mut serde_json::Deserializer::from_str(raw.get()))?;
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
    let page: Members<'_> = serde_json::from_slice(body)?;
    let first =
        page.data.first().and_then(|record| record.values().find_map(|raw| raw.get().trim_matches('"').parse().ok()));
    first.ok_or_else(|| serde::de::Error::custom("an answer without a number"))
}

/// A small answer, of whose records a part is wanted.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    data: Vec<HashMap<String, &'a RawValue>>,
}

/// Where the list goes on, without reading the page: it stands behind the records.
pub(super) fn next_after(answer: &Answer) -> Option<String> {
    let name = b"\"info\":";
    let tail = &answer.body[answer.body.len().saturating_sub(INFO_BYTES)..];
    let at = tail.windows(name.len()).rposition(|part| part == name)? + name.len();
    let info = serde_json::Deserializer::from_slice(&tail[at..]).into_iter::<PageInfo>().next()?.ok()?;
    info.next_page_token.filter(|_| info.more_records)
}

/// The rows so far, and the one being built.
struct Rows<'c> {
    columns: &'c Columns,
    builder: RecordsBuilder,
    head: RecordHead,
    delivered: Vec<bool>,
    /// The columns of the members in the order of the last record.
    order: Vec<Option<usize>>,
    count: u64,
}

impl Rows<'_> {
    fn new(columns: &Columns, capacity: usize) -> Rows<'_> {
        Rows {
            columns,
            builder: RecordsBuilder::new(columns.names.clone(), capacity),
            head: RecordHead::default(),
            delivered: vec![false; columns.names.len()],
            order: Vec::new(),
            count: 0,
        }
    }

    /// Takes a value of the row being built.
    fn set(&mut self, column: usize, value: Option<&str>) {
        self.delivered[column] = true;
        let instant = || value.and_then(value::instant);
        match self.columns.heads[column] {
            Some(Head::Key) => value.unwrap_or_default().clone_into(&mut self.head.key),
            Some(Head::Stamp) => self.head.stamp = instant(),
            Some(Head::Created) => self.head.created_at = instant(),
            None => {}
        }
        self.builder.set(column, value);
    }

    fn finish_row(&mut self) {
        self.count += 1;
        self.builder.finish_row(std::mem::take(&mut self.head));
    }

    fn finish(self) -> Records {
        let records = self.builder.finish();
        if records.is_empty() || self.delivered.iter().all(|is_delivered| *is_delivered) {
            return records;
        }
        let names = records.fields().iter().zip(&self.delivered).filter(|(_, delivered)| **delivered);
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        only(records, &names.into(), |_| true)
    }
}
