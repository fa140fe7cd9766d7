//! Lines whose cells begin at fixed places: what host computers (汎用機) export.
//!
//! Places are counted in bytes of the file's own encoding, as hosts do, or in characters where that is declared. Blanks
//! around a cell, full-width ones too, are padding and no part of it.

use std::borrow::Cow;

use super::{BadRow, Rows, Step, unreadable};
use crate::connect::file::encoding::{Encoding, hex};
use crate::connect::file::lines::{Lines, Place, first_line};
use crate::error::Result;

/// Where a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::connect::file) struct FixedColumn {
    pub(in crate::connect::file) name: String,
    /// From 0.
    pub(in crate::connect::file) start: usize,
    pub(in crate::connect::file) width: usize,
}

/// Gives the rows of lines with fixed places. `lines` gives bytes.
pub(in crate::connect::file) struct FixedRows {
    lines: Lines,
    encoding: Encoding,
    columns: Vec<FixedColumn>,
    by_characters: bool,
    text: String,
    ends: Vec<usize>,
    line: String,
    number: u64,
    passed_bytes: u64,
}

impl FixedRows {
    pub(in crate::connect::file) fn new(
        lines: Lines,
        encoding: Encoding,
        columns: Vec<FixedColumn>,
        by_characters: bool,
    ) -> Self {
        FixedRows {
            lines,
            encoding,
            columns,
            by_characters,
            text: String::new(),
            ends: Vec::new(),
            line: String::new(),
            number: 0,
            passed_bytes: 0,
        }
    }

    /// Reads the cells of a line; what is wrong with it.
    fn read(&mut self, line: &[u8]) -> Option<BadRow> {
        self.text.clear();
        self.ends.clear();
        self.line.clear();
        let (shown, misfits) = self.encoding.decode_marked(line);
        self.line = shown;
        if let Some((from, to)) = misfits.first() {
            let bytes = hex(&line[*from..*to]);
            let misfit = Some(format!("{bytes} at byte {}", from + 1));
            let place = self.column_at(*from).map_or(String::new(), |column| format!(", cell {}", column + 1));
            return Some(BadRow { place, misfit, ..BadRow::new("bytes that the encoding does not have", &self.line) });
        }
        if line.contains(&0) {
            let reason = "the line holds a NUL character: it is damaged, or in another encoding";
            return Some(BadRow::new(reason, &self.line));
        }
        let starts: Vec<usize> = match self.by_characters {
            true => self.line.char_indices().map(|(at, _)| at).chain([self.line.len()]).collect(),
            false => Vec::new(),
        };
        let (unit, length) = if self.by_characters { ("characters", starts.len() - 1) } else { ("bytes", line.len()) };
        let last = self.columns.last().map_or(0, |column| column.start);
        let end = self.columns.iter().map(|column| column.start + column.width).max().unwrap_or(0);
        // Editors cut the blanks at the end of a line.
        if length <= last && end > 0 {
            let reason = format!("the line is too short: {length} {unit}, the last column begins behind {last}");
            return Some(BadRow::new(reason, &self.line));
        }
        for (index, column) in self.columns.iter().enumerate() {
            let (from, to) = (column.start.min(length), (column.start + column.width).min(length));
            let cell = match self.by_characters {
                true => Some(Cow::Borrowed(&self.line[starts[from]..starts[to]])),
                false => self.encoding.decode(&line[from..to]),
            };
            let Some(cell) = cell else {
                let place = format!(", cell {}", index + 1);
                let reason = "a column ends in the middle of a character: `start` and `width` do not fit this line";
                return Some(BadRow { place, ..BadRow::new(reason, &self.line) });
            };
            self.text.push_str(trimmed(&cell));
            self.ends.push(self.text.len());
        }
        let beyond = match self.by_characters {
            true => self.line.get(starts[end.min(length)]..).is_some_and(|rest| !trimmed(rest).is_empty()),
            false => line.len() > end && !line[end..].iter().all(|byte| matches!(byte, b' ' | b'\x1a')),
        };
        beyond.then(|| {
            BadRow::new(format!("the line is too long: text stands behind the last column ({end} {unit})"), &self.line)
        })
    }

    fn column_at(&self, byte: usize) -> Option<usize> {
        self.columns.iter().position(|column| (column.start..column.start + column.width).contains(&byte))
    }
}

/// Without the blanks around it.
fn trimmed(cell: &str) -> &str {
    cell.trim_matches([' ', '\u{3000}', '\t', '\u{1a}'])
}

impl Rows for FixedRows {
    fn next(&mut self) -> Result<Option<Step>> {
        loop {
            if self.lines.rest().is_empty() && !self.lines.more().map_err(unreadable)? {
                return Ok(None);
            }
            self.number = self.lines.number();
            let (line, length) = first_line(self.lines.rest());
            let line = line.to_vec();
            self.lines.advance(length, 1);
            self.passed_bytes += length as u64;
            if line.iter().all(|byte| matches!(byte, b'\r' | b'\x1a')) {
                continue;
            }
            return Ok(Some(self.read(&line).map_or(Step::Row, Step::Bad)));
        }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn cell(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        (start < end).then(|| &self.text[start..end])
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn position(&self) -> Place {
        self.lines.position()
    }

    fn passed_bytes(&self) -> u64 {
        self.passed_bytes
    }

    fn to_line(&self) -> String {
        self.line.clone()
    }
}
