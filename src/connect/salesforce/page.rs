//! One page of a query, from bytes straight into columns.
//!
//! No tree of values is built: strings are copied once, numbers are never more than text (semantics B7:
//! plain decimals, nested values as JSON with sorted keys, `""` as null, since the bulk interface cannot
//! tell it from null; datetimes with `Z`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::plan::Plan;
use super::rows::Rows;
use crate::clock::Timestamp;
use crate::connect::http::Answer;
use crate::connect::{canonical, json};
use crate::record::Records;

/// What a page of a query says.
#[derive(Debug)]
pub(super) struct QueryPage {
    /// Rows of the whole result.
    pub(super) total: u64,
    /// Where the rest is; `None` on the last page.
    pub(super) next: Option<String>,
    /// A row without an id has an empty key.
    pub(super) records: Records,
    /// Stamp and id of the last row.
    pub(super) last: Option<(Option<Timestamp>, String)>,
}

/// Reads a page.
///
/// # Errors
///
/// When it is not JSON of this form, is cut, or says that there is more without saying where.
pub(super) fn parse(body: &[u8], plan: &Plan) -> serde_json::Result<QueryPage> {
    json::read(body, |text, trust_types| parse_as(text, plan, trust_types))
}

/// Where the next page is, without reading the page: it stands before the records.
pub(super) fn next_url(answer: &Answer) -> Option<String> {
    let (name, records) = (b"\"nextRecordsUrl\":", b"\"records\":");
    let head = &answer.body[..answer.body.len().min(1_000)];
    let place = |part: &[u8]| head.windows(part.len()).position(|window| window == part);
    let at = place(name).filter(|at| place(records).is_none_or(|records| *at < records))? + name.len();
    serde_json::Deserializer::from_slice(&head[at..]).into_iter::<String>().next()?.ok()
}

fn parse_as(text: &str, plan: &Plan, trust_types: bool) -> serde_json::Result<QueryPage> {
    let mut reader = Reader { rows: Rows::new(plan, 2_000), trust_types };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let envelope = PageSeed(&mut reader).deserialize(&mut deserializer)?;
    deserializer.end()?;
    let (records, last) = reader.rows.finish();
    Ok(QueryPage { total: envelope.total, next: envelope.next, records, last })
}

/// A page being read.
struct Reader<'p> {
    rows: Rows<'p>,
    /// Whether columns described as text are read as text at once, which is faster than looking first.
    trust_types: bool,
}

struct Envelope {
    total: u64,
    next: Option<String>,
}

struct PageSeed<'r, 'p>(&'r mut Reader<'p>);

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_> {
    type Value = Envelope;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Envelope, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_> {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of a query")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let (mut total, mut done, mut next, mut has_records) = (None, None, None, false);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "totalSize" => total = Some(map.next_value::<u64>()?),
                "done" => done = Some(map.next_value::<bool>()?),
                "nextRecordsUrl" => next = map.next_value::<Option<String>>()?,
                "records" => {
                    map.next_value_seed(RecordsSeed(&mut *self.0))?;
                    has_records = true;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let (Some(total), Some(done), true) = (total, done, has_records) else {
            return Err(A::Error::custom("a page without totalSize, done or records"));
        };
        if done != next.is_none() {
            return Err(A::Error::custom("done and nextRecordsUrl disagree"));
        }
        Ok(Envelope { total, next })
    }
}

struct RecordsSeed<'r, 'p>(&'r mut Reader<'p>);

impl<'de> DeserializeSeed<'de> for RecordsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RecordsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(RecordSeed(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct RecordSeed<'r, 'p>(&'r mut Reader<'p>);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(place) = map.next_key_seed(PlaceSeed { plan: self.0.rows.plan, expected })? {
            let Some(column) = place else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            expected = column + 1;
            if self.0.trust_types && self.0.rows.plan.is_text[column] {
                map.next_value_seed(TextSeed { rows: &mut self.0.rows, column })?;
            } else {
                let raw = map.next_value::<&RawValue>()?;
                self.0.rows.set(column, text(raw).map_err(A::Error::custom)?.as_deref());
            }
        }
        self.0.rows.finish_row();
        Ok(())
    }
}

/// Puts a value that is a string, a truth value or null into its column.
struct TextSeed<'r, 'p> {
    rows: &'r mut Rows<'p>,
    column: usize,
}

impl<'de> DeserializeSeed<'de> for TextSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for TextSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.rows.set(self.column, Some(text));
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.rows.set(self.column, Some(if value { "true" } else { "false" }));
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.rows.set(self.column, None);
        Ok(())
    }
}

/// Turns a key into its column without keeping the key.
struct PlaceSeed<'p> {
    plan: &'p Plan,
    expected: usize,
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
        f.write_str("a field's name")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.plan.place(key, self.expected))
    }
}

/// The canonical text of a value; null is nothing.
fn text<'v>(raw: &'v RawValue) -> serde_json::Result<Option<Cow<'v, str>>> {
    let json = raw.get();
    Ok(match json.as_bytes() {
        [b'n', ..] => None,
        [b'"', inner @ .., b'"'] => Some(if inner.contains(&b'\\') {
            Cow::Owned(serde_json::from_str(json)?)
        } else {
            Cow::Borrowed(&json[1..json.len() - 1])
        }),
        [b'{' | b'[', ..] => Some(Cow::Owned(canonical::json(raw)?)),
        [b'-' | b'0'..=b'9', ..] => Some(canonical::number(json)),
        _ => Some(Cow::Borrowed(json)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plan::tests::plan_of;
    use super::*;
    use crate::record::DeleteKind;

    fn page(records: &str) -> String {
        format!(r#"{{"totalSize":1,"done":true,"records":[{records}]}}"#)
    }

    #[test]
    fn lesson_27_values_arrive_canonical() {
        let plan = plan_of(&[
            ("Id", "id"),
            ("Name", "string"),
            ("Amount", "currency"),
            ("Big", "currency"),
            ("Open", "boolean"),
            ("Fax", "string"),
            ("Loc", "location"),
            ("Due", "datetime"),
            ("Code", "string"),
        ]);
        let record = r#"{"attributes":{"type":"Account","url":"/x"},"Id":"001A","Name":"株式会社\"アクメ\"\n\u0041",
            "Amount":3.0,"Big":9.9213206E7,"Open":false,"Fax":"","Loc":{"longitude":139.70,"latitude":null},
            "Due":"2026-01-01T00:00:00.000+0000","Code":"1.0E8"}"#;
        let found = parse(page(record).as_bytes(), &plan).unwrap();
        let values: Vec<Option<&str>> = (0..9).map(|column| found.records.value(0, column)).collect();
        assert_eq!(
            values,
            [
                Some("001A"),
                Some("株式会社\"アクメ\"\nA"),
                Some("3"),
                Some("99213206"),
                Some("false"),
                None,
                Some(r#"{"latitude":null,"longitude":139.7}"#),
                Some("2026-01-01T00:00:00.000Z"),
                Some("1.0E8"),
            ]
        );
    }

    #[test]
    fn lesson_19_values_of_any_type_are_read_and_never_asked_for_as_csv() {
        let plan = plan_of(&[("Id", "id"), ("OldValue", "anytype"), ("NewValue", "anytype")]);
        let rows = r#"{"Id":"a","OldValue":null,"NewValue":"1.0"},{"Id":"b","OldValue":1.50,"NewValue":true}"#;
        let found = parse(page(rows).as_bytes(), &plan).unwrap();
        let value = |row| (found.records.value(row, 1), found.records.value(row, 2));
        assert_eq!((value(0), value(1)), ((None, Some("1.0")), (Some("1.5"), Some("true"))));
        assert!(!plan.fits_csv && plan_of(&[("Id", "id"), ("Name", "string")]).fits_csv);
    }

    #[test]
    fn fields_are_found_in_any_order_and_spelling_and_strangers_are_skipped() {
        let plan = plan_of(&[("Id", "id"), ("Name", "string"), ("Fax", "string")]);
        let found = parse(page(r#"{"FAX":"3","stranger":[1,{"a":2}],"Name":"n","Id":"i"}"#).as_bytes(), &plan).unwrap();
        assert_eq!([0, 1, 2].map(|column| found.records.value(0, column)), [Some("i"), Some("n"), Some("3")]);
    }

    #[test]
    fn a_value_of_another_type_than_described_loses_nothing() {
        let plan = plan_of(&[("Id", "id"), ("Name", "string"), ("Fax", "string")]);
        let found = parse(page(r#"{"Id":"i","Name":12345678901234567890.10,"Fax":{"b":1,"a":"x"}}"#).as_bytes(), &plan)
            .unwrap();
        assert_eq!(found.records.value(0, 1), Some("12345678901234567890.1"));
        assert_eq!(found.records.value(0, 2), Some(r#"{"a":"x","b":1}"#));
    }

    #[test]
    fn heads_say_what_happened_to_the_record() {
        let plan = plan_of(&[
            ("Id", "id"),
            ("IsDeleted", "boolean"),
            ("MasterRecordId", "reference"),
            ("CreatedDate", "datetime"),
            ("SystemModstamp", "datetime"),
        ]);
        let record = |id: &str, deleted: bool, master: serde_json::Value| {
            json!({ "Id": id, "IsDeleted": deleted, "MasterRecordId": master, "CreatedDate": "2026-01-01T00:00:00.000+0000",
                    "SystemModstamp": "2026-02-01T09:30:15.000Z" }).to_string()
        };
        let rows = [
            record("a", false, json!(null)),
            record("b", true, json!(null)),
            record("c", true, json!("a")),
            record("d", false, json!("a")),
            r#"{"Id":null}"#.to_owned(),
        ];
        let found = parse(page(&rows.join(",")).as_bytes(), &plan).unwrap();
        let heads = found.records.heads();
        let gone: Vec<_> = heads.iter().map(|head| (head.deleted, head.winner.as_deref())).collect();
        assert_eq!(
            gone,
            [
                (None, None),
                (Some(DeleteKind::Deleted), None),
                (Some(DeleteKind::Merged), Some("a")),
                (None, None),
                (None, None)
            ]
        );
        assert_eq!(heads[0].created_at.unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(heads[4].key, "");
        assert_eq!(found.last, Some(("2026-02-01T09:30:15Z".parse().ok(), "d".into())));
    }

    #[test]
    fn a_page_that_is_cut_or_contradicts_itself_is_refused() {
        let plan = plan_of(&[("Id", "id")]);
        let whole = page(r#"{"Id":"001A"}"#);
        for end in 0..whole.len() {
            assert!(parse(&whole.as_bytes()[..end], &plan).is_err(), "cut at {end}");
        }
        for body in [
            r#"{"totalSize":1,"done":false,"records":[]}"#,
            r#"{"totalSize":1,"done":true,"nextRecordsUrl":"/x","records":[]}"#,
            r#"{"totalSize":1,"done":true}"#,
            r#"[{"errorCode":"X","message":"m"}]"#,
            r#"{"totalSize":0,"done":true,"records":[]} tail"#,
        ] {
            assert!(parse(body.as_bytes(), &plan).is_err(), "{body}");
        }
    }
}
