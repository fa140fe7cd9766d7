//! The walk through a page's JSON: from the envelope down to the values, which the rows take.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::super::plan::{Cell, Wires};
use super::{FileAbout, Person, Rows, text};
use crate::record::RecordHead;

/// The envelope; gives the total.
pub(super) struct PageSeed<'r, 'p, 'de>(pub(super) &'r mut Rows<'p, 'de>);

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
pub(super) struct TableSeed<'r, 'p, 'de, 'h> {
    pub(super) rows: &'r mut Rows<'p, 'de>,
    pub(super) parent: &'h RecordHead,
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
