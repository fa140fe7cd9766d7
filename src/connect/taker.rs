//! Picks a few records out of pages.

use super::source::Few;
use crate::record::{Records, RecordsBuilder, Stream};

/// Collects the living records that are wanted, in the order sent; other fields than those of the stream are left out.
#[derive(Debug)]
pub(super) struct Taker<'a> {
    few: Few<'a>,
    builder: RecordsBuilder,
}

impl<'a> Taker<'a> {
    /// Wants `few` of the records of `stream`.
    pub(super) fn new(stream: &Stream, few: Few<'a>) -> Self {
        let fields = stream.fields.iter().map(|field| field.name.clone()).collect();
        Taker { few, builder: RecordsBuilder::new(fields, 1) }
    }

    /// Takes what is wanted of `records`; gives whether that is enough.
    pub(super) fn take(&mut self, records: &Records) -> bool {
        let places: Vec<Option<usize>> = self
            .builder
            .fields()
            .iter()
            .map(|name| records.fields().iter().position(|delivered| delivered == name))
            .collect();
        for (row, head) in records.heads().iter().enumerate() {
            if self.is_enough() {
                break;
            }
            let is_wanted = match self.few {
                Few::First(_) => !head.key.is_empty(),
                Few::Key(key) => head.key == key,
            };
            if !is_wanted || head.deleted.is_some() {
                continue;
            }
            for (field, place) in places.iter().enumerate() {
                self.builder.set(field, place.and_then(|place| records.value(row, place)));
            }
            self.builder.finish_row(head.clone());
        }
        self.is_enough()
    }

    /// What was taken.
    pub(super) fn finish(self) -> Records {
        self.builder.finish()
    }

    fn is_enough(&self) -> bool {
        let wanted = match self.few {
            Few::First(count) => usize::from(count),
            Few::Key(_) => 1,
        };
        self.builder.len() >= wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{DeleteKind, Field, FieldClass, RecordHead};

    fn stream() -> Stream {
        let field = |name: &str| Field::plain(name, "text", FieldClass::Business);
        Stream {
            name: "customers".to_owned(),
            label: None,
            key: vec!["code".to_owned()],
            stamp: None,
            fields: vec![field("code"), field("name")],
            dated: false,
            tells_deletes: false,
        }
    }

    /// Records by key and name, of which those without a name are deleted.
    fn page(rows: &[(&str, &str)]) -> Records {
        let mut builder = RecordsBuilder::new(vec!["name".to_owned(), "code".to_owned()].into(), rows.len());
        for (key, name) in rows {
            builder.set(0, Some(name));
            builder.set(1, Some(key));
            let deleted = name.is_empty().then_some(DeleteKind::Deleted);
            builder.finish_row(RecordHead { key: (*key).to_owned(), deleted, ..RecordHead::default() });
        }
        builder.finish()
    }

    fn taken(few: Few<'_>, pages: &[Records]) -> (Vec<String>, bool) {
        let stream = stream();
        let mut taker = Taker::new(&stream, few);
        let mut enough = false;
        for page in pages {
            enough = taker.take(page);
        }
        let records = taker.finish();
        let row = |row| format!("{} {}", records.value(row, 0).unwrap(), records.value(row, 1).unwrap());
        ((0..records.len()).map(row).collect(), enough)
    }

    #[test]
    fn living_records_are_taken_from_page_to_page_until_there_are_enough() {
        let pages = [page(&[("1", "a"), ("2", "")]), page(&[("3", "c"), ("4", "d")])];
        assert_eq!(taken(Few::First(2), &pages), (vec!["1 a".to_owned(), "3 c".to_owned()], true));
        assert!(!taken(Few::First(9), &pages).1);
    }

    #[test]
    fn one_is_found_by_its_key_unless_it_is_deleted() {
        let pages = [page(&[("1", "a"), ("2", "")]), page(&[("3", "c")])];
        assert_eq!(taken(Few::Key("3"), &pages), (vec!["3 c".to_owned()], true));
        assert_eq!(taken(Few::Key("2"), &pages), (vec![], false));
    }
}
