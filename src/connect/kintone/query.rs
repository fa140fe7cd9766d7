//! The queries we ask, as text: condition, `order by`, `limit`, in the only order that kintone takes.

use crate::clock::Timestamp;

/// A read of one app, before it is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Select<'a> {
    /// The configured condition.
    pub(super) filter: Option<&'a str>,
    pub(super) range: Range<'a>,
    /// Only records with a higher id.
    pub(super) after: u64,
    pub(super) limit: u16,
}

/// Which records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Range<'a> {
    /// All.
    All,
    /// Those with these ids.
    Ids(&'a [String]),
    /// Those changed at `from` or later by the field `stamp`, and those with ids above `above`: a record may be added
    /// with any time of change. There is no upper end: what changes later is read the sooner.
    Since { stamp: &'a str, from: Timestamp, above: u64 },
}

impl Select<'_> {
    /// The query. Every condition stands in its own parentheses: `and` binds tighter than `or`, and without them a
    /// filter with a bare `or` would give the first page for ever. Always `asc`: without a word kintone sorts down.
    pub(super) fn to_text(&self) -> String {
        let after = if matches!(self.range, Range::Ids(_)) { None } else { Some(self.after) };
        self.conditions().after(after)
    }

    /// What stays the same from page to page.
    pub(super) fn conditions(&self) -> Conditions {
        let mut conditions = Vec::new();
        if let Some(filter) = self.filter {
            conditions.push(format!("({filter})"));
        }
        match &self.range {
            Range::All => {}
            Range::Ids(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| format!("\"{}\"", escaped(id))).collect();
                conditions.push(format!("$id in ({})", ids.join(", ")));
            }
            Range::Since { stamp, from, above } => {
                conditions.push(format!("({stamp} >= \"{}\" or $id > {above})", minute(*from)));
            }
        }
        Conditions { texts: conditions, limit: self.limit }
    }
}

/// The conditions of a read, whatever page of it.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    texts: Vec<String>,
    limit: u16,
}

impl Conditions {
    /// The query for the page behind the id `after`.
    pub(super) fn after(mut self, after: Option<u64>) -> String {
        self.texts.extend(after.map(|after| format!("$id > {after}")));
        format!("{} order by $id asc limit {}", self.texts.join(" and "), self.limit)
    }
}

/// The instant without its seconds, as kintone keeps times of change.
fn minute(at: Timestamp) -> String {
    floor_minute(at).to_datetime().format("%Y-%m-%dT%H:%M:00Z").to_string()
}

/// The beginning of the minute of `at`.
pub(super) fn floor_minute(at: Timestamp) -> Timestamp {
    at.plus_micros(-at.micros().rem_euclid(60_000_000))
}

/// Backslash first: the other order would escape what was just put in.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(filter: Option<&str>, range: Range<'_>, after: u64) -> String {
        Select { filter, range, after, limit: 500 }.to_text()
    }

    #[test]
    fn queries_read_as_intended() {
        let from = "2026-07-01T00:05:59.5Z".parse().unwrap();
        assert_eq!(query(None, Range::All, 0), "$id > 0 order by $id asc limit 500");
        assert_eq!(
            query(None, Range::Ids(&["3".into(), "9\\\"".into()]), 7),
            "$id in (\"3\", \"9\\\\\\\"\") order by $id asc limit 500"
        );
        assert_eq!(
            query(None, Range::Since { stamp: "更新日時", from, above: 900 }, 17),
            "(更新日時 >= \"2026-07-01T00:05:00Z\" or $id > 900) and $id > 17 order by $id asc limit 500"
        );
    }

    #[test]
    fn lesson_1_conditions_are_parenthesised_since_and_binds_tighter_than_or() {
        assert_eq!(
            query(Some("確度 in (\"A\") or 単価 > 3"), Range::All, 17),
            "(確度 in (\"A\") or 単価 > 3) and $id > 17 order by $id asc limit 500"
        );
    }

    #[test]
    fn lesson_3_no_query_pages_by_offset_and_lesson_24_every_order_names_its_direction() {
        let from = Timestamp::from_micros(0);
        for range in [Range::All, Range::Ids(&[]), Range::Since { stamp: "U", from, above: 1 }] {
            let text = query(Some("a = 1"), range, 1);
            assert!(!text.contains("offset") && text.ends_with(" order by $id asc limit 500"), "{text}");
        }
    }
}
