//! One page of records, from bytes straight into columns.
//!
//! No tree of values is built. Every value is text or null, and becomes canonical text (semantics B7): `""` is null;
//! plain decimals; days and instants in one form, whichever of HubSpot's they came in. A property that has no value
//! may be there as null or be left out: both are null, since every name asked for is one that the object has.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::model::Missing;
use super::plan::{Cell, HISTORY_FIELDS, MERGED, Plan};
use super::position::Merge;
use crate::clock::Timestamp;
use crate::connect::http::Answer;
use crate::connect::{canonical, json};
use crate::record::{DeleteKind, RecordHead, Records, RecordsBuilder};

/// With so many values of a property, there may have been more before: HubSpot keeps the last 20 of most objects.
const DEEP_HISTORY: usize = 20;

/// What a page says.
#[derive(Debug)]
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
    paging.ok()?.next.map(|next| next.after)
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    next: Option<NextPage>,
}

#[derive(Deserialize)]
struct NextPage {
    after: String,
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

struct PageSeed<'r, 'p, 'de>(&'r mut Rows<'p, 'de>);

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_, 'de> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_, 'de> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
        let (mut next, mut has_results) = (None, false);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match key.as_ref() {
                "results" => {
                    map.next_value_seed(ResultsSeed(&mut *self.0))?;
                    has_results = true;
                }
                "errors" => {
                    let errors = map.next_value::<Option<Vec<Missing>>>()?.unwrap_or_default();
                    self.0.missing.extend(errors.into_iter().flat_map(|error| error.context.ids));
                }
                "paging" => {
                    let paging = map.next_value::<Option<Paging>>()?;
                    next = paging.and_then(|paging| paging.next).map(|next| next.after);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if has_results { Ok(next) } else { Err(A::Error::custom("a page without results")) }
    }
}

struct ResultsSeed<'r, 'p, 'de>(&'r mut Rows<'p, 'de>);

impl<'de> DeserializeSeed<'de> for ResultsSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ResultsSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(RecordSeed(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct RecordSeed<'r, 'p, 'de>(&'r mut Rows<'p, 'de>);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let rows = self.0;
        let mut archived = false;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match key.as_ref() {
                "id" => rows.head.key = map.next_value::<String>()?,
                "properties" => map.next_value_seed(PropertiesSeed(&mut *rows))?,
                "propertiesWithHistory" => rows.history = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "createdAt" => rows.head.created_at = instant(map.next_value::<Option<Cow<'_, str>>>()?),
                "updatedAt" => rows.head.stamp = instant(map.next_value::<Option<Cow<'_, str>>>()?),
                "archivedAt" => rows.archived_at = instant(map.next_value::<Option<Cow<'_, str>>>()?),
                "archived" => archived = map.next_value::<Option<bool>>()?.unwrap_or_default(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if archived {
            rows.archived_at = rows.archived_at.or(rows.head.stamp);
        } else {
            rows.archived_at = None;
        }
        rows.finish_row();
        Ok(())
    }
}

struct PropertiesSeed<'r, 'p, 'de>(&'r mut Rows<'p, 'de>);

impl<'de> DeserializeSeed<'de> for PropertiesSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PropertiesSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let rows = self.0;
        let is_history = rows.plan.history.is_some();
        let mut at = 0;
        loop {
            let expected = rows.order.get(at).copied();
            let Some((place, is_merged)) = map.next_key_seed(PlaceSeed { plan: rows.plan, expected })? else {
                return Ok(());
            };
            match rows.order.get_mut(at) {
                Some(known) => *known = place,
                None => rows.order.push(place),
            }
            at += 1;
            match place {
                Some(column) if !is_history => {
                    map.next_value_seed(ValueSeed { rows: &mut *rows, column, is_merged })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
    }
}

/// Turns a property's name into its place without keeping the name; also tells whether it is the one with merges.
struct PlaceSeed<'p> {
    plan: &'p Plan,
    expected: Option<Option<usize>>,
}

impl<'de> DeserializeSeed<'de> for PlaceSeed<'_> {
    type Value = (Option<usize>, bool);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for PlaceSeed<'_> {
    type Value = (Option<usize>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok((self.plan.place(name, self.expected.flatten()), name == MERGED))
    }
}

/// Puts a text or null into its column. What is neither, which HubSpot does not send, is kept as its JSON.
struct ValueSeed<'r, 'p, 'de> {
    rows: &'r mut Rows<'p, 'de>,
    column: usize,
    is_merged: bool,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let text = match raw.as_bytes() {
            [b'n', ..] => None,
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Some(Cow::Borrowed(&raw[1..raw.len() - 1])),
            [b'"', ..] => Some(Cow::Owned(serde_json::from_str(raw).map_err(D::Error::custom)?)),
            _ => Some(Cow::Borrowed(raw)),
        };
        if self.is_merged {
            self.rows.merged = text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        }
        self.rows.set(self.column, text.as_deref());
        Ok(())
    }
}

fn instant(text: Option<Cow<'_, str>>) -> Option<Timestamp> {
    text.and_then(|text| datetime(&text).parse().ok())
}

/// Milliseconds since 1970, as some values arrive.
fn millis(text: &str) -> Option<DateTime<chrono::Utc>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_count = (9..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_count.then(|| text.parse().ok()).flatten().and_then(DateTime::from_timestamp_millis)
}

/// A day as `2026-04-30`.
fn date(text: &str) -> Cow<'_, str> {
    match millis(text) {
        Some(at) => Cow::Owned(at.format("%Y-%m-%d").to_string()),
        None => Cow::Borrowed(text),
    }
}

/// An instant as `2026-04-30T01:02:03.004Z`.
fn datetime(text: &str) -> Cow<'_, str> {
    if text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.' {
        return Cow::Borrowed(text);
    }
    let parsed = millis(text).or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()));
    match parsed {
        Some(at) if at.timestamp_subsec_micros() % 1_000 == 0 => {
            Cow::Owned(at.to_rfc3339_opts(SecondsFormat::Millis, true))
        }
        Some(at) => Cow::Owned(at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::StreamConfig;
    use super::super::plan::stream_of;
    use super::super::plan::tests::property;
    use super::*;

    fn plan() -> Plan {
        let properties = [
            property("hs_object_id", "number"),
            property("name", "string"),
            property("amount", "number"),
            property("due", "date"),
            property("seen", "datetime"),
            property("hs_merged_object_ids", "enumeration"),
            property("hs_lastmodifieddate", "datetime"),
        ];
        Plan::new(&stream_of(&properties, &StreamConfig::all_of("companies"), true).unwrap())
    }

    #[test]
    fn lesson_10_to_12_values_keep_what_they_say_in_one_form() {
        let body = r#"{"results":[
          {"id":"1","properties":{"name":"株式会社🌳\n","amount":"1E7","due":"1653696000000","seen":"2026-04-30T01:02:03Z",
             "hs_object_id":"1","extra":"x"},"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-02-01T00:00:00.005Z","archived":false},
          {"id":"2","properties":{"name":"","amount":"123;456","due":"2022-05-28","seen":"1777510923004","hs_object_id":"2"},
             "updatedAt":"2026-02-01T00:00:00.005Z","archived":true,"archivedAt":"2026-03-01T00:00:00.000Z"}],
          "paging":{"next":{"after":"3","link":"https://elsewhere"}}}"#;
        let page = parse(body.as_bytes(), &plan()).unwrap();
        let values = |row| (0..5).map(|at| page.records.value(row, at)).collect::<Vec<_>>();
        let name = Some("株式会社🌳\n");
        assert_eq!(
            values(0),
            [Some("1"), name, Some("10000000"), Some("2022-05-28"), Some("2026-04-30T01:02:03.000Z")]
        );
        assert_eq!(values(1), [Some("2"), None, Some("123;456"), Some("2022-05-28"), Some("2026-04-30T01:02:03.004Z")]);
        let [first, second] = page.records.heads() else { panic!() };
        assert_eq!((first.deleted, first.stamp.unwrap().to_string().as_str()), (None, "2026-02-01T00:00:00.005Z"));
        assert_eq!(second.deleted, Some(DeleteKind::Archived));
        assert_eq!(second.stamp.unwrap().to_string(), "2026-03-01T00:00:00Z");
        assert_eq!((page.next.as_deref(), page.ids.len()), (Some("3"), 2));
    }

    #[test]
    fn lesson_13_a_survivor_names_what_was_merged_into_it() {
        let body = r#"{"results":[{"id":"9","properties":{"hs_merged_object_ids":"7;8"},"updatedAt":"2026-02-01T00:00:00.005Z"}]}"#;
        let page = parse(body.as_bytes(), &plan()).unwrap();
        let gone: Vec<(&str, &str)> =
            page.merges.iter().map(|merge| (merge.gone.as_str(), merge.winner.as_str())).collect();
        assert_eq!(gone, [("7", "9"), ("8", "9")]);
        assert_eq!(page.next, None);
    }

    #[test]
    fn c2_a_history_tells_each_value_with_the_one_before() {
        let config = StreamConfig { history: vec!["dealstage".into()], ..StreamConfig::all_of("deals") };
        let body = r#"{"results":[{"id":"7","properties":{"dealstage":"won"},"updatedAt":"2026-02-01T00:00:00.005Z",
          "propertiesWithHistory":{"dealstage":[
            {"value":"won","timestamp":"2026-06-30T08:00:00.000Z","sourceType":"CRM_UI"},
            {"value":"","timestamp":"2026-05-01T00:00:00Z","sourceType":"API"},
            {"value":"new","timestamp":"2026-04-02T01:00:00.000Z","sourceType":"API"}]}}]}"#;
        let page = parse(body.as_bytes(), &Plan::history(&config)).unwrap();
        let row = |row| (2..5).map(|at| page.records.value(row, at)).collect::<Vec<_>>();
        assert_eq!(page.records.len(), 3);
        assert_eq!(row(0), [Some("2026-06-30T08:00:00.000Z"), None, Some("won")]);
        assert_eq!(row(1), [Some("2026-05-01T00:00:00.000Z"), Some("new"), None]);
        assert_eq!(row(2), [Some("2026-04-02T01:00:00.000Z"), None, Some("new")]);
        assert_eq!(page.records.heads()[0].key, r#"["7","dealstage","2026-06-30T08:00:00.000Z"]"#);
        assert_eq!(page.ids, ["7"]);
        // Where the oldest values may be forgotten, nothing is said of what was before.
        let entry = |n: u32| format!(r#"{{"value":"{n}","timestamp":"2026-06-30T08:{:02}:00.000Z"}}"#, 59 - n);
        let entries: Vec<String> = (0..20).map(entry).collect();
        let body =
            format!(r#"{{"results":[{{"id":"7","propertiesWithHistory":{{"dealstage":[{}]}}}}]}}"#, entries.join(","));
        let page = parse(body.as_bytes(), &Plan::history(&config)).unwrap();
        assert_eq!(page.records.len(), 21);
        assert_eq!(
            (2..5).map(|at| page.records.value(20, at)).collect::<Vec<_>>(),
            [Some("2026-06-30T08:39:59.999999Z"), None, None]
        );
    }

    #[test]
    fn a_page_that_is_cut_is_refused_and_the_place_of_the_next_is_seen_without_reading() {
        let whole = r#"{"results":[{"id":"1","properties":{"name":"x"}}],"paging":{"next":{"after":"3"}}}"#;
        for cut in [10, 30, whole.len() - 1] {
            assert!(parse(&whole.as_bytes()[..cut], &plan()).is_err());
        }
        assert!(parse(b"{}", &plan()).is_err());
        let answer = |body: &str| Answer {
            status: reqwest::StatusCode::OK,
            headers: reqwest::header::HeaderMap::new(),
            body: bytes::Bytes::from(body.to_owned()),
            transferred_bytes: 0,
        };
        assert_eq!(next_after(&answer(whole)).as_deref(), Some("3"));
        assert_eq!(next_after(&answer(r#"{"results":[]}"#)), None);
    }
}
