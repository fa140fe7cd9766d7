//! From records as trees to columns, for sources that do not describe their fields.
//!
//! They leave out what is empty, so a record that lacks a field which others have, or had, is told with it as empty. The
//! fields that were ever seen are in the cursor.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::Deserialize;
use tracing::warn;

use super::instant::InstantField;
use super::tree::{Tree, text_of};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{DeleteKind, RecordHead, Records, RecordsBuilder, Rejected};

/// Records with more different fields than this are not what was meant: their names are values.
const MOST_FIELDS: usize = 2_000;

/// How a record says that it was deleted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletedConfig {
    /// The field.
    pub field: String,
    /// Its values for a deleted record, as text; default any but null, an empty text, `false` and `0`.
    #[serde(default)]
    pub is: Vec<String>,
}

/// How the records of a stream are told.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) key: Vec<String>,
    pub(crate) stamp: Option<InstantField>,
    pub(crate) created: Option<InstantField>,
    pub(crate) deleted: Option<DeletedConfig>,
    pub(crate) allow: HashSet<String>,
    pub(crate) deny: HashSet<String>,
}

/// What a page gave.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) records: Records,
    pub(crate) rejected: Vec<Rejected>,
}

/// A record as it came, with what its parent adds.
#[derive(Debug, Clone)]
pub(crate) struct Item<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) kept: &'t [(String, Tree)],
    /// Where it stood, for people.
    pub(crate) place: String,
}

impl Item<'_> {
    fn get(&self, name: &str) -> Option<&Tree> {
        let kept = || self.kept.iter().find(|(kept, _)| kept == name).map(|(_, value)| value);
        self.tree.get(name).or_else(kept)
    }
}

impl Shape {
    /// Nothing is left out.
    pub(crate) fn all(key: Vec<String>) -> Shape {
        Shape { key, stamp: None, created: None, deleted: None, allow: HashSet::new(), deny: HashSet::new() }
    }

    /// Only the fields in `allow`, if there are any, and none of those in `deny`.
    pub(crate) fn of(self, allow: &[String], deny: &[String]) -> Shape {
        Shape { allow: allow.iter().cloned().collect(), deny: deny.iter().cloned().collect(), ..self }
    }

    /// Whether a field of that name is kept.
    pub(crate) fn is_kept(&self, name: &str) -> bool {
        let is_needed = self.key.iter().any(|key| key == name)
            || [&self.stamp, &self.created].into_iter().flatten().any(|field| field.name == name)
            || self.deleted.as_ref().is_some_and(|deleted| deleted.field == name);
        is_needed || ((self.allow.is_empty() || self.allow.contains(name)) && !self.deny.contains(name))
    }

    /// The key of a record; `None` when it lacks a part of it.
    pub(crate) fn key_of(&self, item: &Item<'_>) -> Option<String> {
        let parts = self.key.iter().map(|name| item.get(name).and_then(text_of).filter(|text| !text.is_empty()));
        let parts = parts.collect::<Option<Vec<_>>>()?;
        match parts.as_slice() {
            [one] => Some(one.clone().into_owned()),
            _ => serde_json::to_string(&parts).ok(),
        }
    }

    /// Puts records into columns. `fields` grows by those that were never seen before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadData`] when names of fields have no end.
    pub(crate) fn rows(&self, items: &[Item<'_>], fields: &mut Vec<String>, stream: &str) -> Result<Rows> {
        let mut places: HashMap<String, usize> =
            fields.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        for item in items {
            let own = item.tree.as_object().into_iter().flat_map(|members| members.keys());
            for name in item.kept.iter().map(|(name, _)| name).chain(own) {
                if !places.contains_key(name) && self.is_kept(name) {
                    places.insert(name.clone(), fields.len());
                    fields.push(name.clone());
                }
            }
        }
        if fields.len() > MOST_FIELDS {
            return Err(Error::new(ErrorKind::BadData, "the records have no end of different fields")
                .with("fields", fields.len())
                .help("their names seem to be values: let `records` lead to the records themselves, or name those to keep in `allow`"));
        }
        let keys: Vec<Option<String>> = items.iter().map(|item| self.key_of(item)).collect();
        let doubled = doubled(items, &keys);
        let mut builder = RecordsBuilder::new(fields.as_slice().into(), items.len());
        let (mut rejected, mut odd_stamps) = (Vec::new(), 0_usize);
        for ((item, key), doubled) in items.iter().zip(keys).zip(doubled) {
            let reason = match (&key, item.tree) {
                (_, tree) if !tree.is_object() => Some("not an object with fields".to_owned()),
                (None, _) => Some(format!("the key is empty: {}", self.key.join(", "))),
                _ => doubled,
            };
            if let Some(reason) = reason {
                let raw = text_of(item.tree).unwrap_or_default().into_owned();
                rejected.push(Rejected { place: item.place.clone(), key, reason, raw });
                continue;
            }
            for (name, column) in &places {
                let text = item.get(name).and_then(text_of).filter(|text| !text.is_empty());
                builder.set(*column, text.as_deref());
            }
            let mut instant = |field: &Option<InstantField>| {
                let field = field.as_ref()?;
                let text = item.get(&field.name).and_then(text_of)?;
                let at = field.read(&text);
                odd_stamps += usize::from(at.is_none());
                at
            };
            let (stamp, created_at) = (instant(&self.stamp), instant(&self.created));
            builder.finish_row(RecordHead {
                key: key.unwrap_or_default(),
                stamp,
                created_at,
                deleted: self
                    .deleted
                    .as_ref()
                    .is_some_and(|deleted| is_deleted(deleted, item))
                    .then_some(DeleteKind::Deleted),
                place: item.place.clone(),
                ..RecordHead::default()
            });
        }
        if odd_stamps > 0 {
            warn!(
                stream,
                values = odd_stamps,
                "instants in another form than `stamp` or `created` say: such changes count from when they were read"
            );
        }
        Ok(Rows { records: builder.finish(), rejected })
    }
}

fn is_deleted(deleted: &DeletedConfig, item: &Item<'_>) -> bool {
    let Some(text) = item.get(&deleted.field).and_then(text_of) else { return false };
    match deleted.is.as_slice() {
        [] => !matches!(text.as_ref(), "" | "false" | "0"),
        is => is.iter().any(|value| *value == text),
    }
}

/// For each record, why it cannot be told from another one of the page.
fn doubled(items: &[Item<'_>], keys: &[Option<String>]) -> Vec<Option<String>> {
    let mut by_key: HashMap<&str, Vec<usize>> = HashMap::new();
    for (nth, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            by_key.entry(key).or_default().push(nth);
        }
    }
    let mut reasons = vec![None; items.len()];
    for places in by_key.values().filter(|places| places.len() > 1) {
        let is_same = places.iter().all(|nth| items[*nth].tree == items[places[0]].tree);
        if !is_same {
            let told: Vec<String> = places.iter().map(|nth| items[*nth].place.clone()).collect();
            let reason = format!("the key stands there more than once with different content: {}", told.join("; "));
            places.iter().for_each(|nth| reasons[*nth] = Some(reason.clone()));
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::super::instant::InstantEntry;
    use super::super::tree::parse;
    use super::*;

    fn shape(key: &[&str]) -> Shape {
        Shape::all(key.iter().map(|name| (*name).to_owned()).collect())
    }

    fn rows(shape: &Shape, body: &str, fields: &mut Vec<String>) -> Rows {
        let tree = parse(body).unwrap();
        let kept = [("契約番号".to_owned(), parse("\"K1\"").unwrap())];
        let items: Vec<Item<'_>> = tree
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(nth, tree)| Item { tree, kept: &kept, place: format!("record {}", nth + 1) })
            .collect();
        shape.rows(&items, fields, "lines").unwrap()
    }

    #[test]
    fn what_a_record_leaves_out_is_empty_once_others_had_it() {
        let stamp = InstantField::new(&InstantEntry::Field("at".into()), None, "stamp").unwrap();
        let deleted = Some(DeletedConfig { field: "gone".into(), is: Vec::new() });
        let shape = Shape { stamp: Some(stamp), deleted, ..shape(&["契約番号", "行"]) }.of(&[], &["secret".into()]);
        let mut fields = Vec::new();
        let first = rows(
            &shape,
            r#"[{"行":1,"a":"x","secret":1,"at":"2026-10-01T00:00:00Z"},{"行":2,"gone":true}]"#,
            &mut fields,
        );
        assert_eq!(fields, ["契約番号", "行", "a", "at", "gone"]);
        let heads = first.records.heads();
        assert_eq!((heads[0].key.as_str(), heads[1].key.as_str()), (r#"["K1","1"]"#, r#"["K1","2"]"#));
        assert_eq!((heads[0].deleted, heads[1].deleted), (None, Some(DeleteKind::Deleted)));
        assert_eq!(heads[0].stamp.unwrap().to_string(), "2026-10-01T00:00:00Z");
        let second = rows(&shape, r#"[{"行":3}]"#, &mut fields);
        assert_eq!((second.records.fields().len(), second.records.value(0, 2)), (5, None));
    }

    #[test]
    fn what_is_no_record_is_rejected_with_its_place() {
        let shape = shape(&["id"]);
        let told = rows(&shape, r#"[{"id":1,"a":1},7,{"a":2},{"id":"1","a":3},{"id":2},{"id":2}]"#, &mut Vec::new());
        let places: Vec<&str> = told.rejected.iter().map(|rejected| rejected.place.as_str()).collect();
        assert_eq!(places, ["record 1", "record 2", "record 3", "record 4"]);
        assert_eq!(told.records.len(), 2, "equal ones are no contradiction");
    }
}
