//! Rows put aside in a temporary file, for formats that can only be read from beginning to end.
//!
//! A row is its number, how many cells it has, and each cell's length and text. Rows that are no records are kept with
//! their reason, so that they are told where they stand.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::{BadRow, Rows, Step, unreadable};
use crate::connect::file::lines::Place;
use crate::error::Result;

/// Cells of a row that say it is bad begin with this length.
const BAD: u32 = u32::MAX;
const EMPTY: u32 = u32::MAX - 1;

/// Writes rows.
pub(in crate::connect::file) struct Stored {
    file: BufWriter<File>,
}

impl Stored {
    /// Begins in a file that vanishes with the process.
    pub(in crate::connect::file) fn begin() -> io::Result<Stored> {
        Ok(Stored { file: BufWriter::new(tempfile::tempfile()?) })
    }

    fn number(&mut self, number: u32) -> io::Result<()> {
        self.file.write_all(&number.to_le_bytes())
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.number(u32::try_from(text.len()).map_err(io::Error::other)?)?;
        self.file.write_all(text.as_bytes())
    }

    /// Adds a row with its number from 1.
    pub(in crate::connect::file) fn row(&mut self, number: u32, cells: &[Option<String>]) -> io::Result<()> {
        self.number(number)?;
        self.number(u32::try_from(cells.len()).map_err(io::Error::other)?)?;
        for cell in cells {
            match cell {
                Some(text) => self.text(text)?,
                None => self.number(EMPTY)?,
            }
        }
        Ok(())
    }

    /// Adds a row that is no record.
    pub(in crate::connect::file) fn bad(
        &mut self,
        number: u32,
        place: &str,
        reason: &str,
        raw: &str,
    ) -> io::Result<()> {
        self.number(number)?;
        self.number(BAD)?;
        self.text(place)?;
        self.text(reason)?;
        self.text(raw)
    }

    /// All rows are added.
    pub(in crate::connect::file) fn finish(self) -> io::Result<File> {
        self.file.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// Reads a file from a place of its own, so that several may read it at once.
struct Positioned {
    file: Arc<File>,
    offset: u64,
}

impl Read for Positioned {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(out, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Gives stored rows.
pub(in crate::connect::file) struct StoredRows {
    file: BufReader<Positioned>,
    offset: u64,
    width: Option<usize>,
    number: u32,
    cells: Vec<Option<String>>,
    read_bytes: u64,
}

impl StoredRows {
    /// Rows of `file` from `offset` on. Rows have `width` cells: what a row lacks at its end is empty.
    pub(in crate::connect::file) fn open(file: Arc<File>, offset: u64, width: Option<usize>) -> StoredRows {
        let file = BufReader::new(Positioned { file, offset });
        StoredRows { file, offset, width, number: 0, cells: Vec::new(), read_bytes: 0 }
    }

    fn word(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.file.read_exact(&mut bytes)?;
        self.offset += 4;
        self.read_bytes += 4;
        Ok(u32::from_le_bytes(bytes))
    }

    fn text_of(&mut self, length: u32) -> io::Result<String> {
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        self.offset += u64::from(length);
        self.read_bytes += u64::from(length);
        String::from_utf8(bytes).map_err(io::Error::other)
    }

    fn text(&mut self) -> io::Result<String> {
        let length = self.word()?;
        self.text_of(length)
    }

    fn read(&mut self) -> io::Result<Option<Step>> {
        let before = (self.offset, self.read_bytes);
        self.number = match self.word() {
            Ok(number) => number,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                (self.offset, self.read_bytes) = before;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.cells.clear();
        let count = self.word()?;
        if count == BAD {
            let (place, reason, raw) = (self.text()?, self.text()?, self.text()?);
            return Ok(Some(Step::Bad(BadRow { place, ..BadRow::new(reason, raw) })));
        }
        for _ in 0..count {
            let cell = match self.word()? {
                EMPTY => None,
                length => Some(self.text_of(length)?),
            };
            self.cells.push(cell);
        }
        if let Some(width) = self.width {
            let filled = self.cells.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
            if filled > width {
                let reason = format!("the row has {filled} cells, the header {width}");
                let raw = self.to_line();
                return Ok(Some(Step::Bad(BadRow::new(reason, raw))));
            }
            self.cells.resize(width, None);
        }
        Ok(Some(Step::Row))
    }
}

impl Rows for StoredRows {
    fn next(&mut self) -> Result<Option<Step>> {
        self.read().map_err(unreadable)
    }

    fn len(&self) -> usize {
        self.cells.len()
    }

    fn cell(&self, index: usize) -> Option<&str> {
        self.cells.get(index)?.as_deref().filter(|cell| !cell.is_empty())
    }

    fn number(&self) -> u64 {
        u64::from(self.number)
    }

    fn position(&self) -> Place {
        Place { offset: self.offset, number: u64::from(self.number) + 1 }
    }

    fn passed_bytes(&self) -> u64 {
        self.read_bytes
    }
}
