//! One page of records, from bytes straight into columns.
//!
//! No tree of values is built: strings are copied once. Values become canonical text (semantics B7): plain decimals;
//! sets and users sorted, one a line, as kintone's own CSV has them; `""`, `[]` and null alike nothing, since which of
//! them an empty field sends differs by type and by how the record came to be. A key that is absent is told apart:
//! kintone leaves out, without a word, what does not exist or may not be seen.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::plan::{Cell, Plan, Wires};
use crate::clock::Timestamp;
use crate::connect::canonical;
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
    // Checked once here, so that the parser need not check each string.
    let not_utf8 = || serde_json::Error::custom("bytes that are not UTF-8");
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        // Cut within a character: told as the cut that it is.
        Err(cut) if cut.error_len().is_none() => {
            let whole = std::str::from_utf8(&body[..cut.valid_up_to()]).unwrap_or_default();
            return Err(parse_as(whole, plan, true).err().unwrap_or_else(not_utf8));
        }
        Err(_) => return Err(not_utf8()),
    };
    match parse_as(text, plan, true) {
        // A value has another shape than its type says: take every value as it stands.
        Err(error) if error.is_data() => parse_as(text, plan, false),
        done => done,
    }
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

struct PageSeed<'r, 'p, 'de>(&'r mut Rows<'p, 'de>);

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_, 'de> {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_, 'de> {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<u64>, A::Error> {
        let (mut total, mut has_records) = (None, false);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match key.as_ref() {
                // A text, or null where it was not asked for; a number is taken as well.
                "totalCount" => total = map.next_value::<&RawValue>()?.get().trim_matches('"').parse().ok(),
                "records" => {
                    map.next_value_seed(RecordsSeed(&mut *self.0))?;
                    has_records = true;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if has_records { Ok(total) } else { Err(A::Error::custom("a page without records")) }
    }
}

struct RecordsSeed<'r, 'p, 'de>(&'r mut Rows<'p, 'de>);

impl<'de> DeserializeSeed<'de> for RecordsSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RecordsSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            self.0.outer.begin();
            if seq.next_element_seed(CellsSeed { rows: &mut *self.0, inner: false })?.is_none() {
                return Ok(());
            }
            self.0.finish_record()?;
        }
    }
}

/// The rows of a table, whose record is known by now.
struct TableSeed<'r, 'p, 'de, 'h> {
    rows: &'r mut Rows<'p, 'de>,
    parent: &'h RecordHead,
}

impl<'de> DeserializeSeed<'de> for TableSeed<'_, '_, 'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TableSeed<'_, '_, 'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rows of a table")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for position in 0.. {
            self.rows.inner.begin();
            if seq.next_element_seed(RowSeed(&mut *self.rows))?.is_none() {
                break;
            }
            self.rows.finish_row(self.parent, position);
        }
        Ok(())
    }
}

/// One row of a table: `{id, value}`.
struct RowSeed<'r, 'p, 'de>(&'r mut Rows<'p, 'de>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match key.as_ref() {
                "id" => {
                    let raw = map.next_value::<&RawValue>()?;
                    self.0.row = text(raw).map_err(A::Error::custom)?.unwrap_or_default().into_owned();
                }
                "value" => map.next_value_seed(CellsSeed { rows: &mut *self.0, inner: true })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The fields of a record or of a table's row.
struct CellsSeed<'r, 'p, 'de> {
    rows: &'r mut Rows<'p, 'de>,
    inner: bool,
}

impl<'de> DeserializeSeed<'de> for CellsSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for CellsSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let CellsSeed { rows, inner } = self;
        let wires = rows.wires(inner);
        for at in 0.. {
            let guess = rows.sight(inner).guess(at);
            let Some(place) = map.next_key_seed(PlaceSeed { wires, guess })? else { break };
            rows.sight(inner).saw(at, place);
            match place {
                Some(place) => map.next_value_seed(CellSeed { rows: &mut *rows, inner, place })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Turns a key into its place without keeping the key.
struct PlaceSeed<'p> {
    wires: &'p Wires,
    guess: usize,
}

impl<'de> DeserializeSeed<'de> for PlaceSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for PlaceSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's code")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.wires.place(key, self.guess))
    }
}

/// One field: `{type, value}`, in either order. The type is known from the form.
struct CellSeed<'r, 'p, 'de> {
    rows: &'r mut Rows<'p, 'de>,
    inner: bool,
    place: usize,
}

impl<'de> DeserializeSeed<'de> for CellSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field with type and value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_value) = map.next_key_seed(IsValue)? {
            if is_value {
                map.next_value_seed(ValueSeed { rows: &mut *self.rows, inner: self.inner, place: self.place })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct IsValue;

impl<'de> DeserializeSeed<'de> for IsValue {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsValue {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`type` or `value`")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == "value")
    }
}

struct ValueSeed<'r, 'p, 'de> {
    rows: &'r mut Rows<'p, 'de>,
    inner: bool,
    place: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let ValueSeed { rows, inner, place } = self;
        let cell = rows.wires(inner).wires[place].cell;
        if cell == Cell::Table {
            rows.table = Some(<&RawValue>::deserialize(deserializer)?);
            return Ok(());
        }
        if !rows.trust_types || cell == Cell::Raw {
            let raw = <&RawValue>::deserialize(deserializer)?;
            return set_raw(rows, inner, place, cell, raw).map_err(D::Error::custom);
        }
        match cell {
            Cell::Set => {
                let texts = Option::<Vec<Cow<'_, str>>>::deserialize(deserializer)?.unwrap_or_default();
                rows.set_set(inner, place, texts);
            }
            Cell::User => {
                let user = Option::<Person<'_>>::deserialize(deserializer)?;
                rows.set_users(inner, place, user.into_iter().collect());
            }
            Cell::Users => {
                let users = Option::<Vec<Person<'_>>>::deserialize(deserializer)?.unwrap_or_default();
                rows.set_users(inner, place, users);
            }
            Cell::Files => {
                let files = Option::<Vec<FileAbout<'_>>>::deserialize(deserializer)?.unwrap_or_default();
                let json = match files.is_empty() {
                    true => None,
                    false => Some(serde_json::to_string(&files).map_err(D::Error::custom)?),
                };
                rows.set(inner, place, json.as_deref());
            }
            _ => return deserializer.deserialize_any(TextVisitor { rows, inner, place }),
        }
        Ok(())
    }
}

/// A value of any shape under a type we do not know, or in a page where some value has not the shape of its type.
fn set_raw(rows: &mut Rows<'_, '_>, inner: bool, place: usize, cell: Cell, raw: &RawValue) -> serde_json::Result<()> {
    let json = raw.get();
    match cell {
        Cell::Set => {
            if let Ok(texts) = serde_json::from_str::<Vec<Cow<'_, str>>>(json) {
                rows.set_set(inner, place, texts);
                return Ok(());
            }
        }
        Cell::Users => {
            if let Ok(users) = serde_json::from_str::<Vec<Person<'_>>>(json) {
                rows.set_users(inner, place, users);
                return Ok(());
            }
        }
        Cell::User => {
            if let Ok(user) = serde_json::from_str::<Person<'_>>(json) {
                rows.set_users(inner, place, vec![user]);
                return Ok(());
            }
        }
        Cell::Files => {
            if let Ok(files) = serde_json::from_str::<Vec<FileAbout<'_>>>(json)
                && !files.is_empty()
            {
                rows.set(inner, place, Some(&serde_json::to_string(&files)?));
                return Ok(());
            }
        }
        _ => {}
    }
    rows.set(inner, place, text(raw)?.as_deref().filter(|text| *text != "[]"));
    Ok(())
}

/// Puts a text or null into its column.
struct TextVisitor<'r, 'p, 'de> {
    rows: &'r mut Rows<'p, 'de>,
    inner: bool,
    place: usize,
}

impl Visitor<'_> for TextVisitor<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.rows.set(self.inner, self.place, Some(text));
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.rows.set(self.inner, self.place, None);
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::connect::kintone::plan::offer_of;
    use crate::connect::kintone::plan::tests::{app, field, form};

    fn plan_of(fields: Value, table: Option<&str>) -> Plan {
        Plan::new(&offer_of(&form(fields), &app(|_| ()), table).unwrap(), &HashSet::new())
    }

    fn system(id: &str, revision: &str) -> Value {
        json!({
            "$id": { "type": "__ID__", "value": id }, "$revision": { "type": "__REVISION__", "value": revision },
            "レコード番号": { "type": "RECORD_NUMBER", "value": id },
            "作成日時": { "type": "CREATED_TIME", "value": "2026-01-10T05:22:00Z" },
            "更新日時": { "type": "UPDATED_TIME", "value": "2026-02-11T01:03:00Z" },
        })
    }

    fn record(id: &str, fields: Value) -> Value {
        let mut record = system(id, "5");
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        record
    }

    fn page(records: &[Value]) -> Vec<u8> {
        json!({ "records": records, "totalCount": null }).to_string().into_bytes()
    }

    fn values(found: &RecordPage, row: usize) -> Vec<(String, Option<String>)> {
        let fields = found.records.fields().iter().enumerate();
        fields.map(|(at, name)| (name.clone(), found.records.value(row, at).map(str::to_owned))).collect()
    }

    #[test]
    fn values_of_every_type_arrive_canonical() {
        let plan = plan_of(
            json!({
                "会社名": field("SINGLE_LINE_TEXT"), "備考": field("MULTI_LINE_TEXT"), "本文": field("RICH_TEXT"),
                "Web": field("LINK"), "単価": field("NUMBER"), "小計": { "type": "CALC", "format": "NUMBER_DIGIT" },
                "工数": { "type": "CALC", "format": "DAY_HOUR_MINUTE" }, "契約種別": field("RADIO_BUTTON"),
                "対応項目": field("CHECK_BOX"), "担当者": field("USER_SELECT"), "作成者": field("CREATOR"),
                "更新者": field("MODIFIER"), "部署": field("ORGANIZATION_SELECT"), "契約開始日": field("DATE"),
                "受付時刻": field("TIME"), "次回面談": field("DATETIME"), "添付": field("FILE"),
                "カテゴリー": field("CATEGORY"), "ステータス": field("STATUS"), "未来": field("HOLOGRAM"),
            }),
            None,
        );
        let user = |code: &str, name: &str| json!({ "code": code, "name": name });
        let body = page(&[record(
            "7",
            json!({
                "会社名": { "type": "SINGLE_LINE_TEXT", "value": "株式会社\"アクメ\"" },
                "備考": { "value": "line1\nline2", "type": "MULTI_LINE_TEXT" },
                "本文": { "type": "RICH_TEXT", "value": "<div>text</div>" },
                "Web": { "type": "LINK", "value": "https://example.com" },
                "単価": { "type": "NUMBER", "value": "12000.50" }, "小計": { "type": "CALC", "value": "024001" },
                "工数": { "type": "CALC", "value": "49:30" }, "契約種別": { "type": "RADIO_BUTTON", "value": "年額" },
                "対応項目": { "type": "CHECK_BOX", "value": ["訪問", "電話"] },
                "担当者": { "type": "USER_SELECT", "value": [user("sato", "佐藤"), user("kato", "加藤")] },
                "作成者": { "type": "CREATOR", "value": user("sato", "佐藤 昇") },
                "更新者": { "type": "MODIFIER", "value": user("Administrator", "Administrator") },
                "部署": { "type": "ORGANIZATION_SELECT", "value": [user("sales", "営業部")] },
                "契約開始日": { "type": "DATE", "value": "2026-04-01" }, "受付時刻": { "type": "TIME", "value": "09:30" },
                "次回面談": { "type": "DATETIME", "value": "2026-03-01T01:00:00Z" },
                "添付": { "type": "FILE", "value": [{ "contentType": "text/plain", "fileKey": "2019…", "name": "a.txt", "size": "1000" }] },
                "カテゴリー": { "type": "CATEGORY", "value": ["既存"] }, "ステータス": { "type": "STATUS", "value": "未処理" },
                "未来": { "type": "HOLOGRAM", "value": { "z": 1.0, "a": [true] } },
            }),
        )]);
        let found = parse(&body, &plan).unwrap();
        let values = values(&found, 0);
        let value = |name: &str| values.iter().find(|(known, _)| known == name).unwrap().1.as_deref();
        for (name, expected) in [
            ("$id", "7"),
            ("$revision", "5"),
            ("会社名", "株式会社\"アクメ\""),
            ("備考", "line1\nline2"),
            ("本文", "<div>text</div>"),
            ("Web", "https://example.com"),
            ("単価", "12000.5"),
            ("小計", "24001"),
            ("工数", "49:30"),
            ("契約種別", "年額"),
            ("対応項目", "訪問\n電話"),
            ("担当者", "kato\nsato"),
            ("担当者.name", "加藤\n佐藤"),
            ("作成者", "sato"),
            ("作成者.name", "佐藤 昇"),
            ("更新者", "Administrator"),
            ("部署.name", "営業部"),
            ("契約開始日", "2026-04-01"),
            ("受付時刻", "09:30"),
            ("次回面談", "2026-03-01T01:00:00Z"),
            ("添付", r#"[{"contentType":"text/plain","name":"a.txt","size":"1000"}]"#),
            ("カテゴリー", "既存"),
            ("ステータス", "未処理"),
            ("未来", r#"{"a":[true],"z":1}"#),
        ] {
            assert_eq!(value(name), Some(expected), "{name}");
        }
        let head = &found.records.heads()[0];
        assert_eq!((head.key.as_str(), head.revision), ("7", Some(5)));
        assert_eq!(head.stamp.unwrap().to_string(), "2026-02-11T01:03:00Z");
        assert_eq!(head.created_at.unwrap().to_string(), "2026-01-10T05:22:00Z");
        assert!(found.missing.is_empty(), "{:?}", found.missing);
    }

    #[test]
    fn lesson_10_and_17_null_and_empty_are_nothing_and_absent_is_told_apart() {
        let kinds = [
            "SINGLE_LINE_TEXT",
            "NUMBER",
            "DATE",
            "DATETIME",
            "DROP_DOWN",
            "CHECK_BOX",
            "USER_SELECT",
            "FILE",
            "CREATOR",
        ];
        for kind in kinds {
            let plan = plan_of(json!({ "欄": field(kind) }), None);
            for empty in [json!(null), json!(""), json!([])] {
                let body = page(&[record("1", json!({ "欄": { "type": kind, "value": empty } }))]);
                let found = parse(&body, &plan).unwrap_or_else(|error| panic!("{kind} {empty}: {error}"));
                assert_eq!(values(&found, 0).iter().find(|(name, _)| name == "欄").unwrap().1, None, "{kind} {empty}");
                assert!(found.missing.is_empty());
            }
            let found = parse(&page(&[record("1", json!({}))]), &plan).unwrap();
            assert_eq!(found.missing, ["欄"], "{kind}");
        }
        let plan = plan_of(json!({ "式": field("CALC"), "ステータス": field("STATUS") }), None);
        assert!(parse(&page(&[record("1", json!({}))]), &plan).unwrap().missing.is_empty());
    }

    #[test]
    fn lesson_13_users_have_one_shape_whoever_is_asked_for() {
        let plan = plan_of(json!({ "担当者": field("USER_SELECT") }), None);
        let read = |users: Value| {
            let found = parse(&page(&[record("1", json!({ "担当者": { "value": users } }))]), &plan).unwrap();
            let values = values(&found, 0);
            values
                .into_iter()
                .filter(|(name, _)| name.starts_with("担当者"))
                .map(|(_, value)| value)
                .collect::<Vec<_>>()
        };
        let (a, b) = (json!({ "code": "a", "name": "α" }), json!({ "name": "β", "code": "b", "extra": 1 }));
        assert_eq!(read(json!([a.clone()])), [Some("a".to_owned()), Some("α".to_owned())]);
        assert_eq!(read(json!([b.clone(), a.clone()])), read(json!([a, b])));
    }

    #[test]
    fn fields_are_found_in_any_order_and_strangers_are_skipped() {
        let plan = plan_of(json!({ "甲": field("SINGLE_LINE_TEXT"), "乙": field("SINGLE_LINE_TEXT") }), None);
        let text = |value: &str| json!({ "type": "SINGLE_LINE_TEXT", "value": value, "stranger": [1] });
        let one = record("1", json!({ "甲": text("1甲"), "乙": text("1乙"), "丙": { "value": [1, { "a": 2 }] } }));
        let mut two = json!({ "乙": text("2乙"), "甲": text("2甲") });
        two.as_object_mut().unwrap().extend(system("2", "1").as_object().unwrap().clone());
        let found = parse(&page(&[one, two]), &plan).unwrap();
        for row in 0..2 {
            let shown: Vec<Option<String>> =
                values(&found, row).into_iter().rev().take(2).map(|(_, value)| value).collect();
            let id = row + 1;
            assert_eq!(shown, [Some(format!("{id}乙")), Some(format!("{id}甲"))]);
        }
        assert_eq!((found.count, found.last, found.rising), (2, Some(2), true));
    }

    #[test]
    fn a_value_of_another_shape_than_its_type_loses_nothing() {
        let plan = plan_of(json!({ "欄": field("SINGLE_LINE_TEXT"), "組": field("CHECK_BOX") }), None);
        let body = page(&[
            record("1", json!({ "欄": { "value": [1.0, "x"] }, "組": { "value": ["b", "a"] } })),
            record("2", json!({ "欄": { "value": 12.50 }, "組": { "value": "one" } })),
        ]);
        let found = parse(&body, &plan).unwrap();
        let last =
            |row| values(&found, row).into_iter().rev().take(2).map(|(_, value)| value.unwrap()).collect::<Vec<_>>();
        assert_eq!(last(0), ["a\nb", "[1,\"x\"]"]);
        assert_eq!(last(1), ["one", "12.5"]);
    }

    #[test]
    fn lesson_12_rows_of_a_table_know_their_record_wherever_it_says_its_id() {
        let table = json!({ "明細": { "type": "SUBTABLE", "fields": { "品名": field("SINGLE_LINE_TEXT"), "数量": field("NUMBER") } } });
        let plan = plan_of(table, Some("明細"));
        let row = |id: Value, name: &str, count: &str| json!({ "id": id, "value": { "品名": { "value": name }, "数量": { "value": count } } });
        let mut one = json!({ "明細": { "type": "SUBTABLE", "value": [row(json!("368"), "A", "3.0"), row(json!(369), "B", "")] } });
        one.as_object_mut().unwrap().extend(system("12", "4").as_object().unwrap().clone());
        let mut three = system("14", "1");
        three["明細"] = json!({ "type": "SUBTABLE", "value": [{ "value": { "品名": { "value": "C" }, "数量": { "value": "1" } } }] });
        let mut empty = system("13", "1");
        empty["明細"] = json!({ "type": "SUBTABLE", "value": [] });
        let found = parse(&page(&[one, empty, three]), &plan).unwrap();
        assert_eq!((found.count, found.last, found.records.len()), (3, Some(14), 3));
        let shown: Vec<Vec<Option<String>>> =
            (0..2).map(|row| values(&found, row).into_iter().map(|(_, value)| value).collect()).collect();
        let row = |texts: [&str; 5]| texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty())).to_vec();
        assert_eq!(shown, [row(["12", "368", "0", "A", "3"]), row(["12", "369", "1", "B", ""])]);
        let heads = found.records.heads();
        assert_eq!((heads[0].key.as_str(), heads[0].revision), (r#"["12","368"]"#, Some(4)));
        assert_eq!(heads[0].stamp.unwrap().to_string(), "2026-02-11T01:03:00Z");
        assert_eq!((heads[2].key.as_str(), heads[2].place.as_str()), ("", "record 14 row 1"));
        assert_eq!(parent_of(&heads[1].key).as_deref(), Some("12"));
        assert!(found.missing.is_empty());
    }

    #[test]
    fn ids_that_do_not_rise_are_noticed() {
        let plan = Plan::keys();
        let record = |id: &str| json!({ "$id": { "value": id }, "$revision": { "value": "1" } });
        let rising = |ids: &[&str]| {
            let records: Vec<Value> = ids.iter().map(|id| record(id)).collect();
            parse(&page(&records), &plan).unwrap().rising
        };
        assert!(rising(&[]) && rising(&["9", "10"]));
        assert!(!rising(&["10", "9"]) && !rising(&["9", "9"]) && !rising(&["x"]));
    }

    #[test]
    fn the_total_is_a_text_or_nothing() {
        let plan = Plan::keys();
        let total =
            |total: &str| parse(format!(r#"{{"records":[],"totalCount":{total}}}"#).as_bytes(), &plan).unwrap().total;
        assert_eq!([total("\"123\""), total("null"), total("7")], [Some(123), None, Some(7)]);
    }

    #[test]
    fn a_page_that_is_cut_or_no_page_is_refused() {
        let plan = plan_of(json!({ "会社名": field("SINGLE_LINE_TEXT") }), None);
        let whole = page(&[record("1", json!({ "会社名": { "type": "SINGLE_LINE_TEXT", "value": "アクメ" } }))]);
        for end in 0..whole.len() {
            assert!(parse(&whole[..end], &plan).is_err(), "cut at {end}");
        }
        for body in
            [r#"{"totalCount":null}"#, r#"{"records":{}}"#, r#"{"records":[7]}"#, r#"{"records":[]} tail"#, "[]"]
        {
            assert!(parse(body.as_bytes(), &plan).is_err(), "{body}");
        }
    }

    #[test]
    fn instants_are_read_with_every_suffix() {
        for text in ["2026-01-01T00:00:00Z", "2026-01-01T09:00:00+09:00", "2026-01-01T00:00:00.000Z"] {
            assert_eq!(parse_datetime(text).unwrap().to_string(), "2026-01-01T00:00:00Z", "{text}");
        }
        for text in ["", "2026-01-01", "2026-13-01T00:00:00Z", "+026-01-01T00:00:00Z"] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }
}
