//! What reading files found out beside their records, told when the reading is over.

use std::collections::BTreeMap;

use super::encoding::Decided;
use crate::connect::source::Note;
use crate::error::{Error, ErrorKind};

/// How many places are told of each thing.
const PLACES: usize = 5;

/// What was found out about the part of a reading that was read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    files: BTreeMap<String, OfFile>,
}

#[derive(Debug, Default)]
struct OfFile {
    decided: Option<Decided>,
    rows: u64,
    blank: u64,
    totals: u64,
    misfit_rows: u64,
    misfits: Vec<String>,
    looks_total: u64,
    totals_at: Vec<String>,
}

impl Tally {
    fn of(&mut self, file: &str) -> &mut OfFile {
        if !self.files.contains_key(file) {
            self.files.insert(file.to_owned(), OfFile::default());
        }
        self.files.entry(file.to_owned()).or_default()
    }

    /// Takes note of what a page found in a file.
    pub(super) fn add(&mut self, file: &str, decided: Option<Decided>, page: &PageTally) {
        let of = self.of(file);
        of.decided = decided;
        of.rows += page.rows;
        of.blank += page.blank;
        of.totals += page.totals;
        of.misfit_rows += page.misfits.len() as u64;
        of.looks_total += page.looks_total.len() as u64;
        let room = PLACES.saturating_sub(of.misfits.len());
        of.misfits.extend(page.misfits.iter().take(room).cloned());
        let room = PLACES.saturating_sub(of.totals_at.len());
        of.totals_at.extend(page.looks_total.iter().take(room).cloned());
    }

    /// What is to be told of the stream `stream`.
    pub(super) fn notes(&self, stream: &str) -> Vec<Note> {
        let mut notes = Vec::new();
        for (file, of) in &self.files {
            let about =
                |message: &str| Error::new(ErrorKind::BadData, message).with("stream", stream).with("file", file);
            let mut told = about("read a file").with("rows", of.rows);
            if let Some(decided) = of.decided {
                told = told.with("encoding", decided.encoding).with("decided", decided.why);
            }
            for (name, count) in [("blank_rows", of.blank), ("total_rows", of.totals)] {
                if count > 0 {
                    told = told.with(name, count);
                }
            }
            notes.push(Note::told(told));
            if let (Some(decided), false) = (of.decided, of.misfits.is_empty()) {
                let message = format!("lines hold bytes that are not {}", decided.encoding);
                let warned = about(&message)
                    .code("E0405")
                    .with("decided", decided.why)
                    .with("lines", format!("{} of {} rows", of.misfit_rows, of.rows))
                    .with("bytes", of.misfits.join("; "));
                notes.push(Note::warned(warned.help(
                    "those lines are kept aside; set `encoding` of the stream if another one was meant, or mend them in the source",
                )));
            }
            if of.looks_total > 0 {
                let warned = about("records look like totals")
                    .code("E0406")
                    .with("rows", format!("{}: {}", of.looks_total, of.totals_at.join(", ")));
                notes.push(Note::warned(warned.help(
                    "if they are totals, name them in `total_rows` of the stream, such as [合計, 小計]; they are read as records until then",
                )));
            }
        }
        notes
    }
}

/// What one page found out.
#[derive(Debug, Default)]
pub(super) struct PageTally {
    pub(super) rows: u64,
    pub(super) blank: u64,
    pub(super) totals: u64,
    /// Where bytes do not fit, and which.
    pub(super) misfits: Vec<String>,
    /// Places of records that look like totals.
    pub(super) looks_total: Vec<String>,
}

/// Whether a key is a word for a total.
pub(super) fn looks_total(key: &str) -> bool {
    // Most keys are no such words by their length or a digit already.
    if key.len() > 30 || key.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let word: String = key.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    matches!(word.as_str(), "合計" | "小計" | "総計" | "総合計" | "計" | "total" | "grandtotal" | "subtotal")
}
