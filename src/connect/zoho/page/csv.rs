//! The file of a bulk job, read piece by piece.
//!
//! The same record gives the same values and the same hash as by query or list (semantics B7).

use std::fmt;
use std::io::Read;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::{Rows, value};
use crate::connect::zoho::plan::{Columns, ID};
use crate::record::Records;

/// What is wrong with a file; no value is told.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Problem(pub(in super::super) String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file that is being read.
pub(in super::super) struct Table<R> {
    reader: Reader<R>,
    /// For each cell the name of its column.
    header: Vec<String>,
    /// How many rows were read.
    pub(in super::super) at: u64,
}

impl<R: Read> Table<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(in super::super) fn open(source: R) -> Result<Table<R>, Problem> {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(source);
        let mut record = StringRecord::new();
        if !reader.read_record(&mut record).map_err(|error| not_csv(&error))? {
            return Err(Problem("no header".into()));
        }
        // The key is headed with a capital letter here alone.
        let name = |name: &str| if name == "Id" { ID.to_owned() } else { name.to_owned() };
        let header: Vec<String> = record.iter().map(|cell| name(cell.trim_start_matches('\u{feff}'))).collect();
        if !header.iter().any(|name| name == ID) {
            return Err(Problem("no column `Id`".into()));
        }
        Ok(Table { reader, header, at: 0 })
    }

    /// Goes on to the row that so many come before.
    ///
    /// # Errors
    ///
    /// When there are fewer.
    pub(in super::super) fn skip_to(&mut self, row: u64) -> Result<(), Problem> {
        let mut record = StringRecord::new();
        while self.at < row {
            if !self.reader.read_record(&mut record).map_err(|error| not_csv(&error))? {
                return Err(Problem("fewer rows than were read before".into()));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Reads at most so many rows; the second tells whether that was the end. The order of columns is the file's own.
    ///
    /// # Errors
    ///
    /// When a line has another number of cells, or is no CSV.
    pub(in super::super) fn read(&mut self, columns: &Columns, most: usize) -> Result<(Records, bool), Problem> {
        let places: Vec<Option<usize>> = self.header.iter().map(|name| columns.place(name)).collect();
        let mut rows = Rows::new(columns, most.min(4_096));
        let mut record = StringRecord::new();
        for _ in 0..most {
            if !self.reader.read_record(&mut record).map_err(|error| not_csv(&error))? {
                return Ok((rows.finish(), true));
            }
            if record.len() != places.len() {
                return Err(Problem(format!("{} cells in place of {} in row {}", record.len(), places.len(), self.at)));
            }
            for (cell, column) in record.iter().zip(&places) {
                let Some(column) = *column else { continue };
                rows.set(column, value::of_cell(&columns.cells[column], cell).as_deref());
            }
            rows.finish_row();
            self.at += 1;
        }
        Ok((rows.finish(), false))
    }
}

/// The parser's own message may quote values: only the place is kept.
fn not_csv(error: &csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    Problem(format!("what is not CSV near line {line}"))
}
