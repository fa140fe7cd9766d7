//! What rows look like in a file: one file per format, all of which give the same.

mod csv;
mod excel;
mod fixed;
mod jsonl;
mod parquet;
mod stored;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

pub(super) use csv::Csv;
pub(super) use excel::store_sheet;
pub(super) use fixed::{FixedColumn, FixedRows};
pub(super) use jsonl::{JsonRows, columns_of as json_columns};
pub(super) use parquet::ParquetRows;
pub(super) use stored::StoredRows;

use super::lines::Place;
use crate::error::{Error, ErrorKind, Result};

/// The formats of files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// By the ending of the file's name; `csv` when that says nothing.
    #[default]
    Auto,
    /// Cells between delimiters, with quotes where needed.
    Csv,
    /// The same with tabs.
    Tsv,
    /// Cells that begin at fixed places.
    Fixed,
    /// A JSON object per line.
    Jsonl,
    /// A sheet of a workbook: `.xlsx`, `.xlsm`, `.xlsb`, `.xls` or `.ods`.
    Excel,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// The format of a file called `name` (without what it is packed with).
    pub(super) fn of(self, name: &str) -> Format {
        if self != Format::Auto {
            return self;
        }
        let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
        match ending.as_str() {
            "tsv" | "tab" => Format::Tsv,
            "jsonl" | "ndjson" => Format::Jsonl,
            "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => Format::Excel,
            "parquet" => Format::Parquet,
            _ => Format::Csv,
        }
    }

    /// Whether it is text, with an encoding.
    pub(super) fn is_text(self) -> bool {
        !matches!(self, Format::Excel | Format::Parquet)
    }
}

/// What came next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A row; its cells can be asked for until the next step.
    Row,
    /// Cells that are no row.
    Bad(BadRow),
}

/// A row that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadRow {
    /// Where in the row it is wrong, behind the row's own place (`:C12`); may be empty.
    pub(super) place: String,
    pub(super) reason: String,
    /// As it stands in the file.
    pub(super) raw: String,
    /// Whether it is bytes that mean nothing in the encoding, and which.
    pub(super) misfit: Option<String>,
}

impl BadRow {
    fn new(reason: impl Into<String>, raw: impl Into<String>) -> Self {
        BadRow { place: String::new(), reason: reason.into(), raw: raw.into(), misfit: None }
    }
}

/// Gives row after row.
pub(super) trait Rows: Send {
    /// The next row; empty lines are no rows.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    fn next(&mut self) -> Result<Option<Step>>;

    /// How many cells the row has.
    fn len(&self) -> usize;

    /// A cell of the row; what is empty is nothing.
    fn cell(&self, index: usize) -> Option<&str>;

    /// The number of the row given last.
    fn number(&self) -> u64;

    /// Where the next row begins.
    fn position(&self) -> Place;

    /// How many bytes of the text have been read since the rows were opened, about; for other formats 0.
    fn passed_bytes(&self) -> u64;

    /// The row written out, for the person who mends it.
    fn to_line(&self) -> String {
        let cells: Vec<String> = (0..self.len()).map(|index| quoted(self.cell(index).unwrap_or_default())).collect();
        cells.join(",")
    }

    /// A hash of the cells of the key, the same for the same key in all files of one encoding.
    fn key_hash(&self, key: &[usize]) -> Option<u64> {
        match key {
            [only] => Some(xxh3_64(self.cell(*only)?.as_bytes())),
            parts => {
                let mut hash = Xxh3::new();
                for part in parts {
                    let cell = self.cell(*part)?;
                    hash.update(&(cell.len() as u64).to_le_bytes());
                    hash.update(cell.as_bytes());
                }
                Some(hash.digest())
            }
        }
    }

    /// Whether all cells are empty.
    fn is_blank(&self) -> bool {
        (0..self.len()).all(|index| self.cell(index).is_none())
    }
}

/// A cell as CSV writes it.
pub(super) fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// That a file cannot be read on.
pub(super) fn unreadable(error: std::io::Error) -> Error {
    let (kind, help) = match error.kind() {
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => {
            (ErrorKind::BadData, "the file is damaged, or not what its name says: export it again")
        }
        std::io::ErrorKind::UnexpectedEof => (ErrorKind::BadData, "the file breaks off: export it again"),
        _ => (ErrorKind::Unavailable, "run the sync again when the file can be read"),
    };
    Error::new(kind, "the file cannot be read").help(help).caused_by(error)
}
