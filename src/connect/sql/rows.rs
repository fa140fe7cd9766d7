//! Rows to records: fields in columns, key, stamp, and what is no record with place and reason.

use std::collections::HashSet;

use super::form::Form;
use super::plan::{CLOCK, CursorSort, Layout, PRESENT, Plan};
use super::position::{Datum, Part};
use super::read::{Kind, Line};
use crate::clock::Timestamp;
use crate::record::{DeleteKind, RecordHead, Records, RecordsBuilder, Rejected};

/// How much of a rejected row is kept.
const RAW_BYTES: usize = 4_096;

/// Takes the rows of one page.
pub(super) struct Rows<'p> {
    plan: &'p Plan,
    layout: &'p Layout,
    part: Part,
    limit: usize,
    builder: RecordsBuilder,
    rejected: Vec<Rejected>,
    /// The database's clock, if it was told.
    pub(super) clock: Option<Timestamp>,
    /// Rows taken.
    pub(super) count: usize,
    /// Whether there is a row behind those that were taken.
    pub(super) has_more: bool,
    /// Cursor (if there is one) and key of the last row whose key could be read, as the database wrote them.
    last: Vec<(Kind, String)>,
    /// The highest number of the cursor column.
    pub(super) mark: Option<i64>,
}

/// A row whose cells are all text.
#[derive(Clone, Copy)]
struct Row<'a> {
    line: Line<'a>,
    whole: &'a str,
}

impl<'a> Row<'a> {
    fn text(&self, cell: usize) -> Option<&'a str> {
        self.line.text(self.whole, cell)
    }
}

/// What a page holds.
pub(super) struct Taken {
    pub(super) records: Records,
    pub(super) rejected: Vec<Rejected>,
    pub(super) last: Vec<Datum>,
}

impl<'p> Rows<'p> {
    /// Takes up to `limit` rows of a statement that gives `layout`.
    pub(super) fn new(plan: &'p Plan, layout: &'p Layout, part: Part, limit: usize) -> Rows<'p> {
        let fields: Vec<String> = layout.fields.iter().map(|(name, _)| name.clone()).collect();
        Rows {
            plan,
            layout,
            part,
            limit,
            builder: RecordsBuilder::new(fields.into(), limit.min(1_024)),
            rejected: Vec::new(),
            clock: None,
            count: 0,
            has_more: false,
            last: Vec::new(),
            mark: None,
        }
    }

    /// Takes one row.
    pub(super) fn take(&mut self, line: Line<'_>) {
        if let (None, Some(clock)) = (self.clock, line.bytes(CLOCK).and_then(|bytes| std::str::from_utf8(bytes).ok())) {
            self.clock = Form::Instant.instant(&Form::Instant.kept(clock), None);
        }
        let Ok(whole) = simdutf8::basic::from_utf8(line.data()) else {
            if self.is_wanted(line) {
                self.reject_undecodable(line);
            }
            return;
        };
        let row = Row { line, whole };
        if !self.is_wanted(line) {
            return;
        }
        if self.layout.key.iter().any(|cell| line.kind(*cell) == Kind::Null) {
            self.reject_keyless(row);
            return;
        }
        let Some(key) = self.key_of(row) else { return };
        let (stamp, mark) = self.cursor_of(row);
        self.remember(row);
        let layout = self.layout;
        for (field, (_, cell)) in layout.fields.iter().enumerate() {
            match row.text(*cell) {
                Some(raw) => self.builder.set(field, Some(&layout.forms[*cell].kept(raw))),
                None => self.builder.set(field, None),
            }
        }
        let created_at = layout.created.and_then(|cell| self.instant(row, cell));
        let deleted = layout.deleted.filter(|cell| line.kind(*cell) != Kind::Null).map(|_| DeleteKind::Deleted);
        let revision = stamp.map(Timestamp::micros).or(mark).filter(|revision| *revision >= 0);
        self.mark = self.mark.max(mark);
        self.builder.finish_row(RecordHead { key, stamp, revision, created_at, deleted, ..RecordHead::default() });
    }

    /// Whether there is a row, and it belongs to the page.
    fn is_wanted(&mut self, line: Line<'_>) -> bool {
        if line.kind(PRESENT) == Kind::Null {
            return false;
        }
        if self.count == self.limit {
            self.has_more = true;
            return false;
        }
        self.count += 1;
        true
    }

    /// The key's text.
    fn key_of(&self, row: Row<'_>) -> Option<String> {
        let part = |cell: &usize| row.text(*cell).map(|raw| self.layout.forms[*cell].kept(raw));
        if let [cell] = self.layout.key.as_slice() {
            return part(cell).map(|key| key.into_owned());
        }
        let parts: Option<Vec<_>> = self.layout.key.iter().map(part).collect();
        serde_json::to_string(&parts?).ok()
    }

    /// The stamp, or the number, of a row.
    fn cursor_of(&self, row: Row<'_>) -> (Option<Timestamp>, Option<i64>) {
        let (Some(cursor), Some(cell)) = (&self.plan.cursor, self.layout.cursor) else { return (None, None) };
        if cursor.sort == CursorSort::Number {
            return (None, row.text(cell).and_then(|raw| raw.parse().ok()));
        }
        (self.instant(row, cell), None)
    }

    fn instant(&self, row: Row<'_>, cell: usize) -> Option<Timestamp> {
        let form = self.layout.forms[cell];
        // SQLite writes its own times in UTC.
        let zone = self.plan.zone.or((form == Form::Dynamic).then_some(chrono_tz::UTC));
        form.instant(&form.kept(row.text(cell)?), zone)
    }

    /// Keeps cursor and key of the row, in the memory of the row before.
    fn remember(&mut self, row: Row<'_>) {
        let layout = self.layout;
        let cells = layout.cursor.iter().chain(&layout.key);
        for (at, cell) in cells.enumerate() {
            if self.last.len() == at {
                self.last.push((Kind::Null, String::new()));
            }
            let (kind, memory) = &mut self.last[at];
            *kind = row.line.kind(*cell);
            memory.clear();
            memory.push_str(row.text(*cell).unwrap_or_default());
        }
    }

    /// Cursor (if there is one) and key of the last row whose key could be read.
    pub(super) fn last(&self) -> Vec<Datum> {
        let cells = self.layout.cursor.iter().chain(&self.layout.key);
        let datum = |((kind, raw), cell): (&(Kind, String), &usize)| {
            let kept = self.layout.forms[*cell].kept(raw).into_owned();
            match kind {
                Kind::Number => Datum::Number(kept),
                Kind::Bytes => Datum::Bytes(kept),
                Kind::Text | Kind::Null => Datum::Text(kept),
            }
        };
        self.last.iter().zip(cells).map(datum).collect()
    }

    fn reject_undecodable(&mut self, line: Line<'_>) {
        // What is text is shown; the rest is what the row is rejected for.
        let is_bad = |cell: usize| line.bytes(cell).is_some_and(|bytes| std::str::from_utf8(bytes).is_err());
        let good = |cell: usize| line.bytes(cell).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let fields = self.layout.fields.iter().filter(|(_, cell)| is_bad(*cell));
        let names: Vec<&str> = fields.map(|(name, _)| name.as_str()).collect();
        let reason = format!(
            "bytes that are no UTF-8 in {}: store the text in the database's encoding, or leave the column out with `deny`",
            if names.is_empty() { self.plan.stream.key.join(", ") } else { names.join(", ") }
        );
        let parts: Option<Vec<_>> =
            self.layout.key.iter().map(|cell| good(*cell).map(|raw| self.layout.forms[*cell].kept(raw))).collect();
        let key = parts.and_then(|mut parts| match parts.len() {
            1 => parts.pop().map(|key| key.into_owned()),
            _ => serde_json::to_string(&parts).ok(),
        });
        if key.is_some() && !self.layout.cursor.is_some_and(is_bad) {
            let cells = self.layout.cursor.iter().chain(&self.layout.key);
            self.last = cells.map(|cell| (line.kind(*cell), good(*cell).unwrap_or_default().to_owned())).collect();
        }
        self.reject(line, key, reason);
    }

    fn reject_keyless(&mut self, row: Row<'_>) {
        // NULL is the key of no record, so it leaves no doubt about any other that it may be there.
        let parts: Vec<Option<&str>> = self.layout.key.iter().map(|cell| row.text(*cell)).collect();
        let names = self.plan.stream.key.iter().zip(&parts).filter(|(_, part)| part.is_none());
        let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
        let reason = format!(
            "the key is NULL ({}): give the row a key in the database, or leave it out with `where`",
            names.join(", ")
        );
        self.reject(row.line, serde_json::to_string(&parts).ok(), reason);
    }

    fn reject(&mut self, line: Line<'_>, key: Option<String>, reason: String) {
        let place = match &key {
            Some(key) => format!("{} {key}", self.plan.place),
            None => format!("{} row {} of a page", self.plan.place, self.count),
        };
        let fields = self.layout.fields.iter();
        let cells: Vec<String> = fields
            .map(|(name, cell)| match line.bytes(*cell) {
                Some(bytes) => format!("{name}={}", String::from_utf8_lossy(bytes)),
                None => format!("{name}="),
            })
            .collect();
        let mut raw = cells.join("\t");
        if raw.len() > RAW_BYTES {
            let end = (0..=RAW_BYTES).rev().find(|at| raw.is_char_boundary(*at)).unwrap_or_default();
            raw.truncate(end);
            raw.push('…');
        }
        self.rejected.push(Rejected { place, key, reason, raw });
    }

    /// The keys that were taken.
    pub(super) fn keys(&self) -> Vec<String> {
        self.builder.heads().iter().map(|head| head.key.clone()).collect()
    }

    /// What was taken, but for the records whose keys are `doubled`: these are rejected, all of them.
    pub(super) fn finish(self, doubled: &HashSet<String>) -> Taken {
        // Of rows without a key none stands in any order.
        let last = if self.part == Part::Keyless { Vec::new() } else { self.last() };
        let Rows { plan, builder, mut rejected, .. } = self;
        let records = builder.finish();
        if doubled.is_empty() {
            return Taken { records, rejected, last };
        }
        let mut kept = RecordsBuilder::new(records.fields().clone(), records.len());
        for (row, head) in records.heads().iter().enumerate() {
            if !doubled.contains(&head.key) {
                for field in 0..records.fields().len() {
                    kept.set(field, records.value(row, field));
                }
                kept.finish_row(head.clone());
                continue;
            }
            let cells: Vec<String> = (0..records.fields().len())
                .map(|field| format!("{}={}", records.fields()[field], records.value(row, field).unwrap_or_default()))
                .collect();
            rejected.push(Rejected {
                place: format!("{} {}", plan.place, head.key),
                key: Some(head.key.clone()),
                reason: format!(
                    "more than one row has this key ({}): name more columns under `key`, or mend the rows in the database",
                    plan.stream.key.join(", ")
                ),
                raw: cells.join("\t"),
            });
        }
        Taken { records: kept.finish(), rejected, last }
    }
}
