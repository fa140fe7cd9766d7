//! The walk through a page's JSON: from the envelope down to the values, which the rows take.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::super::model::Missing;
use super::super::plan::{MERGED, Plan};
use super::value::instant;
use super::{Paging, Rows};

/// The envelope; gives where HubSpot goes on.
pub(super) struct PageSeed<'r, 'p, 'de>(pub(super) &'r mut Rows<'p, 'de>);

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
                    next = map.next_value::<Paging>()?.next();
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
                "createdAt" => {
                    rows.head.created_at = map.next_value::<Option<Cow<'_, str>>>()?.as_deref().and_then(instant)
                }
                "updatedAt" => rows.head.stamp = map.next_value::<Option<Cow<'_, str>>>()?.as_deref().and_then(instant),
                "archivedAt" => {
                    rows.archived_at = map.next_value::<Option<Cow<'_, str>>>()?.as_deref().and_then(instant)
                }
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
