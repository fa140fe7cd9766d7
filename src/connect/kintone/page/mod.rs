//! One page of records, from bytes straight into columns.
//!
//! No tree of values is built: strings are copied once. Values become canonical text (semantics B7): plain decimals;
//! sets and users sorted, one a line, as kintone's own CSV has them; `""`, `[]` and null alike nothing, since which of
//! them an empty field sends differs by type and by how the record came to be. A key that is absent is told apart:
//! kintone leaves out, without a word, what does not exist or may not be seen.

#[cfg(test)]
mod tests;
mod walk;

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

use self::walk::{PageSeed, TableSeed};
use super::plan::{Cell, Plan, Wires};
use crate::clock::Timestamp;
use crate::connect::http::Answer;
use crate::connect::{canonical, json};
use crate::record::{RecordHead, Records, RecordsBuilder};

/// What a page says.
#[derive(Debug)]
pub(super) struct RecordPage {
    /// The records; of a table, its rows.
    pub(super) records: Records,
    /// How many records of the app there are on the page.
    pub(super) count: u64,
    /// Records that meet the condition, where that was asked for.
    pub(super) total: Option<u64>,
    /// The id of the first record.
    pub(super) first: Option<u64>,
    /// The highest id.
    pub(super) last: Option<u64>,
    /// Whether the ids rise from record to record, as was asked for.
    pub(super) rising: bool,
    /// Fields that were asked for and that a record lacks.
    pub(super) missing: Vec<String>,
}

/// Reads a page.
///
/// # Errors
///
/// When it is not JSON of this form, or is cut.
pub(super) fn parse(body: &[u8], plan: &Plan) -> serde_json::Result<RecordPage> {
    json::read(body, |text, trust_types| parse_as(text, plan, trust_types))
}

/// The id of the last record of a page, without reading the page.
pub(super) fn last_id(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Id {
        value: String,
    }
    // Cannot stand within a text, whose quotes are escaped; and no field's code begins with `$`.
    let name = b"\"$id\":";
    let at = answer.body.windows(name.len()).rposition(|part| part == name)? + name.len();
    let id = serde_json::Deserializer::from_slice(&answer.body[at..]).into_iter::<Id>().next()?;
    id.ok().map(|id| id.value)
}

fn parse_as(text: &str, plan: &Plan, trust_types: bool) -> serde_json::Result<RecordPage> {
    let mut rows = Rows {
        plan,
        builder: RecordsBuilder::new(plan.names.clone(), 500),
        head: RecordHead::default(),
        row: String::new(),
        table: None,
        outer: Sight::new(&plan.outer),
        inner: plan.inner.as_ref().map(Sight::new).unwrap_or_default(),
        count: 0,
        first: None,
        last: None,
        rising: true,
        trust_types,
        scratch: String::new(),
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let total = PageSeed(&mut rows).deserialize(&mut deserializer)?;
    deserializer.end()?;
    let mut missing = rows.outer.missing(&plan.outer);
    if let Some(inner) = &plan.inner {
        missing.extend(rows.inner.missing(inner));
    }
    Ok(RecordPage {
        records: rows.builder.finish(),
        count: rows.count,
        total,
        first: rows.first,
        last: rows.last,
        rising: rows.rising,
        missing,
    })
}

/// Which fields the objects of a page had, and in what order the last one had them.
#[derive(Debug, Default)]
struct Sight {
    order: Vec<usize>,
    /// Per field, the number of the last object that had it.
    last_in: Vec<u64>,
    objects: u64,
    found: usize,
    missing: Vec<bool>,
}

/// No field.
const UNKNOWN: usize = usize::MAX;

impl Sight {
    fn new(wires: &Wires) -> Sight {
        let count = wires.wires.len();
        Sight { last_in: vec![0; count], missing: vec![false; count], ..Sight::default() }
    }

    fn begin(&mut self) {
        self.objects += 1;
        self.found = 0;
    }

    fn guess(&self, at: usize) -> usize {
        self.order.get(at).copied().unwrap_or(UNKNOWN)
    }

    fn saw(&mut self, at: usize, place: Option<usize>) {
        let place = place.unwrap_or(UNKNOWN);
        match self.order.get_mut(at) {
            Some(known) => *known = place,
            None => self.order.push(place),
        }
        if let Some(last_in) = self.last_in.get_mut(place)
            && *last_in != self.objects
        {
            *last_in = self.objects;
            self.found += 1;
        }
    }

    fn end(&mut self) {
        if self.found < self.last_in.len() {
            for (missing, last_in) in self.missing.iter_mut().zip(&self.last_in) {
                *missing |= *last_in != self.objects;
            }
        }
    }

    fn missing(&self, wires: &Wires) -> Vec<String> {
        let named = self.missing.iter().zip(&wires.wires).zip(&wires.codes);
        named.filter(|((missing, wire), _)| **missing && !wire.may_miss).map(|(_, code)| code.clone()).collect()
    }
}

/// The rows so far, and the one being built.
struct Rows<'p, 'de> {
    plan: &'p Plan,
    builder: RecordsBuilder,
    head: RecordHead,
    /// The id of the row of a table.
    row: String,
    /// The table of the record, which may come before the record's id.
    table: Option<&'de RawValue>,
    outer: Sight,
    inner: Sight,
    count: u64,
    first: Option<u64>,
    last: Option<u64>,
    rising: bool,
    /// Whether values are read by their type at once, which is faster than looking first.
    trust_types: bool,
    scratch: String,
}

impl<'p, 'de> Rows<'p, 'de> {
    fn wires(&self, inner: bool) -> &'p Wires {
        match &self.plan.inner {
            Some(wires) if inner => wires,
            _ => &self.plan.outer,
        }
    }

    fn sight(&mut self, inner: bool) -> &mut Sight {
        if inner { &mut self.inner } else { &mut self.outer }
    }

    fn set(&mut self, inner: bool, place: usize, value: Option<&str>) {
        let wire = &self.wires(inner).wires[place];
        let value = value.filter(|text| !text.is_empty());
        match wire.cell {
            Cell::Id => value.unwrap_or_default().clone_into(&mut self.head.key),
            Cell::Revision => self.head.revision = value.and_then(|text| text.parse().ok()),
            Cell::Stamp => self.head.stamp = value.and_then(parse_datetime),
            Cell::Created => self.head.created_at = value.and_then(parse_datetime),
            _ => {}
        }
        let Some(column) = wire.column else { return };
        match wire.cell {
            Cell::Number => self.builder.set(column, value.map(canonical::number).as_deref()),
            _ => self.builder.set(column, value),
        }
    }

    /// Users: codes in one column, names in another, in the order of the codes.
    fn set_users(&mut self, inner: bool, place: usize, mut users: Vec<Person<'_>>) {
        users.sort_unstable();
        let wire = &self.wires(inner).wires[place];
        for (column, part) in [(wire.column, true), (wire.names, false)] {
            let Some(column) = column else { continue };
            let texts = users.iter().map(|user| if part { user.code.as_ref() } else { user.name.as_ref() });
            set_lines(&mut self.builder, &mut self.scratch, column, texts);
        }
    }

    fn set_set(&mut self, inner: bool, place: usize, mut texts: Vec<Cow<'_, str>>) {
        texts.sort_unstable();
        if let Some(column) = self.wires(inner).wires[place].column {
            set_lines(&mut self.builder, &mut self.scratch, column, texts.iter().map(AsRef::as_ref));
        }
    }

    fn finish_record<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.outer.end();
        self.count += 1;
        let id = self.head.key.parse::<u64>().ok();
        self.rising &= id.is_some() && id > self.last;
        self.first = self.first.or(id);
        self.last = self.last.max(id);
        let head = std::mem::take(&mut self.head);
        if self.plan.inner.is_none() {
            self.builder.finish_row(head);
            return Ok(());
        }
        let Some(table) = self.table.take() else { return Ok(()) };
        let mut deserializer = serde_json::Deserializer::from_str(table.get());
        TableSeed { rows: self, parent: &head }.deserialize(&mut deserializer).map_err(E::custom)
    }

    fn finish_row(&mut self, parent: &RecordHead, position: usize) {
        self.inner.end();
        let row = std::mem::take(&mut self.row);
        if self.plan.delivers() {
            self.builder.set(0, Some(&parent.key));
            self.builder.set(1, Some(&row));
            self.builder.set(2, Some(&position.to_string()));
        }
        // Of a row without an id nobody could tell which one it is.
        let key = if row.is_empty() { String::new() } else { row_key(&parent.key, &row) };
        let place = format!("record {} row {}", parent.key, position + 1);
        self.builder.finish_row(RecordHead { key, created_at: None, place, ..parent.clone() });
    }
}

/// The key of a table's row: a JSON array of the record's id and its own.
pub(super) fn row_key(parent: &str, row: &str) -> String {
    serde_json::json!([parent, row]).to_string()
}

/// The record that a key of a table's row names.
pub(super) fn parent_of(key: &str) -> Option<String> {
    serde_json::from_str::<(String, String)>(key).ok().map(|(parent, _)| parent)
}

fn set_lines<'t>(
    builder: &mut RecordsBuilder,
    scratch: &mut String,
    column: usize,
    texts: impl Iterator<Item = &'t str>,
) {
    scratch.clear();
    for text in texts.filter(|text| !text.is_empty()) {
        if !scratch.is_empty() {
            scratch.push('\n');
        }
        scratch.push_str(text);
    }
    builder.set(column, Some(scratch.as_str()).filter(|text| !text.is_empty()));
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(default)]
#[derive(Default)]
struct Person<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// What of a file lasts; in the order of canonical JSON.
#[derive(Deserialize, serde::Serialize)]
struct FileAbout<'a> {
    #[serde(rename = "contentType", borrow, default)]
    content_type: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    size: Cow<'a, str>,
}

/// The canonical text of a value; null is nothing.
fn text<'v>(raw: &'v RawValue) -> serde_json::Result<Option<Cow<'v, str>>> {
    let json = raw.get();
    Ok(match json.as_bytes() {
        [b'n', ..] => None,
        [b'"', ..] => Some(Cow::Owned(serde_json::from_str(json)?)),
        [b'{' | b'[', ..] => Some(Cow::Owned(canonical::json(raw)?)),
        [b'-' | b'0'..=b'9', ..] => Some(canonical::number(json)),
        _ => Some(Cow::Borrowed(json)),
    })
}

/// Reads `2026-01-01T00:00:00Z`, also with another offset.
fn parse_datetime(text: &str) -> Option<Timestamp> {
    fast_utc(text.as_bytes()).or_else(|| {
        let parsed = DateTime::parse_from_rfc3339(text).ok();
        parsed.map(|instant| Timestamp::from_micros(instant.timestamp_micros()))
    })
}

/// The form that kintone sends, without a general date parser.
fn fast_utc(bytes: &[u8]) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| {
        bytes
            .get(range)?
            .iter()
            .try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if bytes.len() != 20 || !separators.iter().all(|(at, byte)| bytes.get(*at) == Some(byte)) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0..4)?).ok()?, number(5..7)?, number(8..10)?)?;
    let time = date.and_hms_opt(number(11..13)?, number(14..16)?, number(17..19)?)?;
    Some(Timestamp::from_micros(time.and_utc().timestamp_micros()))
}
