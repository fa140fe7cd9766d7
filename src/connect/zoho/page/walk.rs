//! The walk through a page's JSON: from the envelope down to the values, which the rows take.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{PageInfo, Rows, value};
use crate::connect::zoho::plan::Columns;

/// The envelope; gives what the page says of itself.
pub(super) struct PageSeed<'r, 'c>(pub(super) &'r mut Rows<'c>);

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_> {
    type Value = PageInfo;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PageInfo, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_> {
    type Value = PageInfo;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PageInfo, A::Error> {
        let (mut info, mut has_data) = (None, false);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match key.as_ref() {
                "data" => {
                    map.next_value_seed(RecordsSeed(&mut *self.0))?;
                    has_data = true;
                }
                "info" => info = map.next_value::<Option<PageInfo>>()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if has_data { Ok(info.unwrap_or_default()) } else { Err(A::Error::custom("a page without data")) }
    }
}

/// Records, or the rows of a sub-form.
pub(super) struct RecordsSeed<'r, 'c>(pub(super) &'r mut Rows<'c>);

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

/// One record. Records of a page have their members in the same order, so the place of a name is mostly known.
struct RecordSeed<'r, 'c>(&'r mut Rows<'c>);

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
        let rows = self.0;
        for at in 0.. {
            let expected = rows.order.get(at).copied().flatten();
            let Some(place) = map.next_key_seed(PlaceSeed { columns: rows.columns, expected })? else { break };
            match rows.order.get_mut(at) {
                Some(known) => *known = place,
                None => rows.order.push(place),
            }
            let Some(column) = place else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let raw = map.next_value::<&RawValue>()?;
            let value = value::of_json(&rows.columns.cells[column], raw).map_err(A::Error::custom)?;
            rows.set(column, value.as_deref());
        }
        rows.finish_row();
        Ok(())
    }
}

/// Turns a name into its column without keeping the name.
struct PlaceSeed<'c> {
    columns: &'c Columns,
    expected: Option<usize>,
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

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        match self.expected {
            Some(column) if self.columns.names[column] == name => Ok(Some(column)),
            _ => Ok(self.columns.place(name)),
        }
    }
}
