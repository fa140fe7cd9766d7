//! Rows of CSV and TSV, good and bad.
//!
//! A quote may open a cell of several lines. When it is never closed, or what follows makes no sense, only
//! the line in which the row began is rejected and reading goes on with the next one: one forgotten quote
//! must not swallow the rest of the file. Cells are ranges of the lines in hand; nothing is copied but what
//! holds doubled quotes.

use memchr::{memchr, memchr_iter, memchr2};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{BadRow, Rows, Step, unreadable};
use crate::connect::file::lines::{Given, Lines, Place, first_line, without_break};
use crate::error::Result;

/// A row of several lines may be this long altogether.
const MAX_ROW_BYTES: usize = 1 << 20;
/// What old systems end a file with, from CP/M.
const CTRL_Z: u8 = 0x1A;

/// Gives the rows of a CSV text.
pub(in crate::connect::file) struct Csv {
    lines: Lines,
    given: Given,
    delimiter: u8,
    /// Cells that a row must have.
    width: Option<usize>,
    cells: Vec<Cell>,
    /// Cells that held doubled quotes.
    unescaped: String,
    unescaped_bytes: Vec<u8>,
    row: RowAt,
    passed_bytes: u64,
}

/// The row given last: its length, its lines and its number. It is passed by when the next one is asked for, so that
/// its cells stay where they are.
#[derive(Debug, Clone, Copy, Default)]
struct RowAt {
    bytes: usize,
    lines: u64,
    number: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    start: u32,
    end: u32,
    /// Whether it lies in what was unescaped, not in the lines.
    is_unescaped: bool,
}

enum Parsed {
    Complete {
        bytes: usize,
        lines: u64,
    },
    /// A quote is open where the lines in hand end.
    Open,
    /// Something stands behind a closing quote, so many lines below the first.
    Malformed {
        lines: u64,
    },
}

fn short(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Csv {
    /// Rows of `lines`, which give text or bytes as `given` says.
    pub(in crate::connect::file) fn new(lines: Lines, given: Given, delimiter: u8, width: Option<usize>) -> Self {
        Csv {
            lines,
            given,
            delimiter,
            width,
            cells: Vec::new(),
            unescaped: String::new(),
            unescaped_bytes: Vec::new(),
            row: RowAt::default(),
            passed_bytes: 0,
        }
    }

    fn pass_by(&mut self) {
        self.lines.advance(self.row.bytes, self.row.lines);
        self.passed_bytes += self.row.bytes as u64;
        self.row = RowAt { number: self.row.number, ..RowAt::default() };
    }

    fn clear(&mut self) {
        self.cells.clear();
        self.unescaped.clear();
        self.unescaped_bytes.clear();
    }

    fn bad(&mut self, reason: impl Into<String>) -> Step {
        let (line, _) = first_line(self.lines.rest());
        let raw = String::from_utf8_lossy(line).into_owned();
        Step::Bad(BadRow::new(reason, raw))
    }

    /// The row that begins here, unless only an empty line does.
    fn row(&mut self) -> Result<Option<Step>> {
        let number = self.lines.number();
        let delimiter = self.delimiter;
        let misfit = self.lines.misfit(number);
        self.clear();
        let (line, length) = first_line(self.lines.rest());
        let body = line.strip_suffix(&[CTRL_Z]).unwrap_or(line);
        self.row = RowAt { bytes: length, lines: 1, number };
        if body.iter().all(|byte| *byte == b'\r') {
            return Ok(None);
        }
        if let Some(misfit) = misfit {
            let place = self.cell_of(body, &misfit.bytes);
            let Step::Bad(bad) = self.bad("bytes that the encoding does not have") else { return Ok(None) };
            return Ok(Some(Step::Bad(BadRow {
                misfit: Some(format!("{} at byte {}", misfit.bytes, misfit.at)),
                place,
                ..bad
            })));
        }
        let special = if self.lines.has_special() { memchr2(b'"', 0, body) } else { None };
        let Some(special) = special else {
            let mut start = 0;
            for end in memchr_iter(delimiter, body) {
                self.cells.push(Cell { start: short(start), end: short(end), is_unescaped: false });
                start = end + 1;
            }
            self.cells.push(Cell { start: short(start), end: short(body.len()), is_unescaped: false });
            return Ok(Some(self.complete()));
        };
        if memchr(0, &body[special..]).is_some() {
            return Ok(Some(self.bad("the line holds a NUL character: it is damaged, or in another encoding")));
        }
        Ok(Some(self.quoted_row(length)?))
    }

    /// In which cell of a damaged line the damage is shown, for its place: only where no quote is in the way.
    fn cell_of(&self, line: &[u8], shown: &str) -> String {
        let before = memchr::memmem::find(line, shown.as_bytes()).map(|at| &line[..at]);
        match before {
            Some(before) if memchr(b'"', before).is_none() => {
                format!(", cell {}", memchr_iter(self.delimiter, before).count() + 1)
            }
            _ => String::new(),
        }
    }

    fn complete(&mut self) -> Step {
        match self.wrong_width() {
            Some(reason) => self.bad(reason),
            None => Step::Row,
        }
    }

    fn wrong_width(&self) -> Option<String> {
        let (found, wanted) = (self.cells.len(), self.width?);
        (found != wanted).then(|| format!("the row has {found} cells, the header {wanted}"))
    }

    /// A row with a quote in its first line, of `first` bytes.
    fn quoted_row(&mut self, first: usize) -> Result<Step> {
        const OPEN: &str = "a quote is opened in this line and not closed properly";
        let number = self.row.number;
        loop {
            self.clear();
            match self.parse() {
                Parsed::Complete { lines: 1, .. } => return Ok(self.complete()),
                Parsed::Complete { bytes, lines } => {
                    let further = &self.lines.rest()[first..bytes];
                    let is_sound = bytes <= MAX_ROW_BYTES
                        && memchr(0, further).is_none()
                        && match self.given {
                            Given::Text => !self.lines.has_misfit(number + 1, lines - 1),
                            Given::Bytes => self.lines.fits(&self.lines.rest()[..bytes]),
                        };
                    if !is_sound || self.wrong_width().is_some() {
                        return Ok(self.bad(OPEN));
                    }
                    self.row = RowAt { bytes, lines, number };
                    return Ok(Step::Row);
                }
                Parsed::Malformed { lines: 0 } => {
                    return Ok(self.bad("text follows a closing quote; a quote inside a cell is written twice"));
                }
                Parsed::Malformed { .. } => return Ok(self.bad(OPEN)),
                Parsed::Open => {
                    let is_too_long = self.lines.rest().len() > MAX_ROW_BYTES;
                    if is_too_long || !self.lines.more().map_err(unreadable)? {
                        return Ok(self.bad(OPEN));
                    }
                }
            }
        }
    }

    /// Parses the row that begins in hand.
    fn parse(&mut self) -> Parsed {
        let bytes = match self.given {
            Given::Text => self.lines.text().as_bytes(),
            Given::Bytes => self.lines.rest(),
        };
        let (mut at, mut lines) = (0, 0);
        loop {
            if bytes.get(at) == Some(&b'"') {
                let mut from = at + 1;
                let start = (from, self.unescaped.len().max(self.unescaped_bytes.len()));
                let mut is_unescaped = false;
                let end = loop {
                    let Some(quote) = memchr(b'"', &bytes[from..]).map(|found| from + found) else {
                        return Parsed::Open;
                    };
                    if bytes.get(quote + 1) != Some(&b'"') {
                        break quote;
                    }
                    // The first of two quotes belongs to the cell.
                    let piece_start = if is_unescaped { from } else { start.0 };
                    match self.given {
                        Given::Text => self.unescaped.push_str(&self.lines.text()[piece_start..=quote]),
                        Given::Bytes => self.unescaped_bytes.extend_from_slice(&bytes[piece_start..=quote]),
                    }
                    is_unescaped = true;
                    from = quote + 2;
                };
                lines += memchr_iter(b'\n', &bytes[at..end]).count() as u64;
                let cell = if is_unescaped {
                    match self.given {
                        Given::Text => self.unescaped.push_str(&self.lines.text()[from..end]),
                        Given::Bytes => self.unescaped_bytes.extend_from_slice(&bytes[from..end]),
                    }
                    let end = self.unescaped.len().max(self.unescaped_bytes.len());
                    Cell { start: short(start.1), end: short(end), is_unescaped }
                } else {
                    Cell { start: short(start.0), end: short(end), is_unescaped }
                };
                self.cells.push(cell);
                at = end + 1;
                match &bytes[at..] {
                    [byte, ..] if *byte == self.delimiter => at += 1,
                    [b'\n', ..] => return Parsed::Complete { bytes: at + 1, lines: lines + 1 },
                    [b'\r', b'\n', ..] => return Parsed::Complete { bytes: at + 2, lines: lines + 1 },
                    [] | [CTRL_Z] => return Parsed::Complete { bytes: bytes.len(), lines: lines + 1 },
                    _ => return Parsed::Malformed { lines },
                }
            } else {
                let end = memchr2(self.delimiter, b'\n', &bytes[at..]).map(|found| at + found);
                match end {
                    Some(end) if bytes[end] == self.delimiter => {
                        self.cells.push(Cell { start: short(at), end: short(end), is_unescaped: false });
                        at = end + 1;
                    }
                    end => {
                        let length = end.map_or(bytes.len(), |end| end + 1);
                        let line = without_break(&bytes[at..length]);
                        let line = line.strip_suffix(&[CTRL_Z]).unwrap_or(line);
                        self.cells.push(Cell { start: short(at), end: short(at + line.len()), is_unescaped: false });
                        return Parsed::Complete { bytes: length, lines: lines + 1 };
                    }
                }
            }
        }
    }

    /// The bytes of a cell.
    fn bytes_of(&self, index: usize) -> Option<&[u8]> {
        let Cell { start, end, is_unescaped } = *self.cells.get(index)?;
        let all = match (is_unescaped, self.given) {
            (false, _) => self.lines.rest(),
            (true, Given::Text) => self.unescaped.as_bytes(),
            (true, Given::Bytes) => &self.unescaped_bytes,
        };
        (start < end).then(|| &all[start as usize..end as usize])
    }
}

impl Rows for Csv {
    fn next(&mut self) -> Result<Option<Step>> {
        loop {
            self.pass_by();
            if self.lines.rest().is_empty() && !self.lines.more().map_err(unreadable)? {
                return Ok(None);
            }
            if let Some(step) = self.row()? {
                return Ok(Some(step));
            }
        }
    }

    fn len(&self) -> usize {
        self.cells.len()
    }

    fn cell(&self, index: usize) -> Option<&str> {
        let Cell { start, end, is_unescaped } = *self.cells.get(index)?;
        let all = if is_unescaped { &self.unescaped } else { self.lines.text() };
        (start < end).then(|| &all[start as usize..end as usize])
    }

    fn number(&self) -> u64 {
        self.row.number
    }

    fn position(&self) -> Place {
        self.lines.position_after(self.row.bytes, self.row.lines)
    }

    fn passed_bytes(&self) -> u64 {
        self.passed_bytes + self.row.bytes as u64
    }

    fn to_line(&self) -> String {
        let delimiter = char::from(self.delimiter);
        let cell = |index| {
            let cell = self.cell(index).unwrap_or_default();
            if cell.contains([delimiter, '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.to_owned()
            }
        };
        let cells: Vec<String> = (0..self.len()).map(cell).collect();
        cells.join(&delimiter.to_string())
    }

    fn key_hash(&self, key: &[usize]) -> Option<u64> {
        match key {
            [only] => Some(xxh3_64(self.bytes_of(*only)?)),
            parts => {
                let mut hash = Xxh3::new();
                for part in parts {
                    let cell = self.bytes_of(*part)?;
                    hash.update(&(cell.len() as u64).to_le_bytes());
                    hash.update(cell);
                }
                Some(hash.digest())
            }
        }
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.start == cell.end)
    }
}
