//! Records in another shape: fewer of them, with other fields, put together from parts.

use std::collections::HashMap;
use std::sync::Arc;

use crate::connect::zoho::plan::{Cell, Columns};
use crate::record::{RecordHead, Records, RecordsBuilder};

/// What lists cut formatted text to, in characters.
const CUT: usize = 500;

/// Of some records those that are wanted, with these fields, as far as they have them.
pub(in super::super) fn only(records: Records, names: &Arc<[String]>, wanted: impl Fn(&RecordHead) -> bool) -> Records {
    if records.fields() == names && records.heads().iter().all(&wanted) {
        return records;
    }
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
pub(in super::super) fn none(names: &Arc<[String]>) -> Records {
    RecordsBuilder::new(names.clone(), 0).finish()
}

/// The records with that value in the field `name`, which they have from now on.
pub(in super::super) fn with(records: &Records, name: &str, value: &str) -> Records {
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
pub(in super::super) fn renamed(records: &Records, from: &str, to: &str) -> Records {
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
pub(in super::super) fn join(names: &Arc<[String]>, parts: &[Records]) -> (Records, Vec<String>) {
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
pub(in super::super) fn cut_texts(records: &Records, columns: &[Arc<Columns>]) -> (Vec<String>, Vec<String>) {
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
pub(in super::super) fn completed(records: &Records, whole: &Records) -> Records {
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
