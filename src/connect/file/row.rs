//! Rows of a CSV file, good and bad.
//!
//! A quote may open a cell of several lines. When it is never closed, or what follows makes no sense, only
//! the line in which the row began is rejected and reading goes on with the next one: one forgotten quote
//! must not swallow the rest of the file.

use std::collections::VecDeque;
use std::io::BufRead;

use super::encoding::Encoding;
use super::lines::{Line, Lines};
use crate::error::{Error, ErrorKind, Result};

/// A row of several lines may be this long altogether.
const MAX_ROW_BYTES: usize = 1 << 20;

/// The cells of one row.
#[derive(Debug, Default)]
pub(super) struct Cells {
    text: String,
    ends: Vec<usize>,
    state: CellState,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum CellState {
    #[default]
    Start,
    Unquoted,
    Quoted,
    AfterQuote,
}

#[derive(Debug, PartialEq, Eq)]
enum Fed {
    Complete,
    Open,
    Malformed,
}

impl Cells {
    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at `index`; empty cells are nothing.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        (start < end).then(|| &self.text[start..end])
    }

    /// All cells in one, with their borders: what two rows of the same content share.
    pub(super) fn content(&self) -> (&str, &[usize]) {
        (&self.text, &self.ends)
    }

    /// The row written out again, for the person who mends it.
    pub(super) fn to_line(&self, delimiter: char) -> String {
        let mut line = String::new();
        for index in 0..self.len() {
            if index > 0 {
                line.push(delimiter);
            }
            let cell = self.get(index).unwrap_or_default();
            if cell.contains([delimiter, '"', '\n', '\r']) {
                line.push('"');
                line.push_str(&cell.replace('"', "\"\""));
                line.push('"');
            } else {
                line.push_str(cell);
            }
        }
        line
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.state = CellState::Start;
    }

    /// Takes a line in, with its line break.
    fn feed(&mut self, line: &str, delimiter: char) -> Fed {
        let mut rest = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
        let line_break = &line[rest.len()..];
        loop {
            match self.state {
                CellState::Start => {
                    self.state = match rest.strip_prefix('"') {
                        Some(after) => {
                            rest = after;
                            CellState::Quoted
                        }
                        None => CellState::Unquoted,
                    }
                }
                CellState::Unquoted => match rest.split_once(delimiter) {
                    Some((cell, after)) => {
                        self.text.push_str(cell);
                        self.end_cell();
                        rest = after;
                    }
                    None => {
                        self.text.push_str(rest);
                        self.end_cell();
                        return Fed::Complete;
                    }
                },
                CellState::Quoted => match rest.split_once('"') {
                    Some((part, after)) => {
                        self.text.push_str(part);
                        self.state = CellState::AfterQuote;
                        rest = after;
                    }
                    None => {
                        self.text.push_str(rest);
                        self.text.push_str(line_break);
                        return Fed::Open;
                    }
                },
                CellState::AfterQuote => {
                    if let Some(after) = rest.strip_prefix('"') {
                        self.text.push('"');
                        self.state = CellState::Quoted;
                        rest = after;
                    } else if let Some(after) = rest.strip_prefix(delimiter) {
                        self.end_cell();
                        rest = after;
                    } else if rest.is_empty() {
                        self.end_cell();
                        return Fed::Complete;
                    } else {
                        return Fed::Malformed;
                    }
                }
            }
        }
    }

    fn end_cell(&mut self) {
        self.ends.push(self.text.len());
        self.state = CellState::Start;
    }
}

/// A row that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadRow {
    /// The line it begins in.
    pub(super) line: u64,
    pub(super) reason: String,
    /// As it stands in the file.
    pub(super) raw: String,
}

/// What came next.
#[derive(Debug)]
pub(super) enum Row {
    /// A row that begins in this line; its cells are in [`Rows::cells`].
    Good {
        line: u64,
    },
    Bad(BadRow),
}

/// Gives row after row. Empty lines are no rows.
pub(super) struct Rows<R> {
    lines: Lines<R>,
    encoding: Encoding,
    delimiter: char,
    /// Cells that a row must have.
    width: Option<usize>,
    cells: Cells,
    /// Lines that were looked at and given back.
    ahead: VecDeque<Line>,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(lines: Lines<R>, encoding: Encoding, delimiter: char, width: Option<usize>) -> Self {
        Rows { lines, encoding, delimiter, width, cells: Cells::default(), ahead: VecDeque::new() }
    }

    /// The cells of the row given last, if it was good.
    pub(super) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Where the next row begins: offset and line number.
    pub(super) fn position(&self) -> (u64, u64) {
        self.ahead.front().map_or_else(|| self.lines.position(), |line| (line.offset, line.number))
    }

    /// Leaves out the next `count` lines.
    pub(super) fn skip_lines(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            self.line()?;
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<Line>> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next().map_err(unreadable),
        }
    }

    /// The next row.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        loop {
            let Some(first) = self.line()? else { return Ok(None) };
            let Some(text) = self.encoding.decode(&first.bytes) else {
                let raw = self.encoding.decode_lossy(&first.bytes).trim_end().to_owned();
                let reason = format!("the line holds bytes that are not {}", self.encoding);
                return Ok(Some(Row::Bad(BadRow { line: first.number, reason, raw })));
            };
            // Old systems end a file with the control character of CP/M.
            let text = text.strip_suffix('\u{1a}').unwrap_or(&text);
            let trimmed = text.trim_end_matches(['\r', '\n']);
            if trimmed.is_empty() {
                continue;
            }
            let bad = |reason: String| BadRow { line: first.number, reason, raw: trimmed.to_owned() };
            if text.contains('\0') {
                return Ok(Some(Row::Bad(bad(
                    "the line holds a NUL character: it is damaged, or in another encoding".into(),
                ))));
            }
            self.cells.clear();
            let fed = self.cells.feed(text, self.delimiter);
            let row = match fed {
                Fed::Complete => match self.wrong_width() {
                    Some(reason) => Row::Bad(bad(reason)),
                    None => Row::Good { line: first.number },
                },
                Fed::Malformed => {
                    Row::Bad(bad("text follows a closing quote; a quote inside a cell is written twice".into()))
                }
                Fed::Open => {
                    let number = first.number;
                    if self.close(first.bytes.len())? {
                        Row::Good { line: number }
                    } else {
                        Row::Bad(bad("a quote is opened in this line and not closed properly".into()))
                    }
                }
            };
            return Ok(Some(row));
        }
    }

    /// Takes in further lines until the row is complete. When that does not lead to a good row, all of
    /// them are given back.
    fn close(&mut self, first_bytes: usize) -> Result<bool> {
        let mut taken = Vec::new();
        let mut bytes = first_bytes;
        let is_good = loop {
            let Some(line) = self.line()? else { break false };
            bytes += line.bytes.len();
            let fed = match self.encoding.decode(&line.bytes) {
                Some(text) if !text.contains('\0') && bytes <= MAX_ROW_BYTES => self.cells.feed(&text, self.delimiter),
                _ => Fed::Malformed,
            };
            taken.push(line);
            match fed {
                Fed::Open => {}
                Fed::Malformed => break false,
                Fed::Complete => break self.wrong_width().is_none(),
            }
        };
        if !is_good {
            for line in taken.into_iter().rev() {
                self.ahead.push_front(line);
            }
        }
        Ok(is_good)
    }

    fn wrong_width(&self) -> Option<String> {
        let (found, wanted) = (self.cells.len(), self.width?);
        (found != wanted).then(|| format!("the row has {found} cells, the header {wanted}"))
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the file cannot be read").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, width: usize) -> Vec<String> {
        let lines = Lines::new(text.as_bytes(), Encoding::Utf8, 0, 1);
        let mut rows = Rows::new(lines, Encoding::Utf8, ',', Some(width));
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            found.push(match row {
                Row::Bad(bad) => format!("{}! {} | {}", bad.line, bad.reason, bad.raw),
                Row::Good { line } => {
                    let cells: Vec<String> = (0..width).map(|i| format!("{:?}", rows.cells().get(i))).collect();
                    format!("{line}: {}", cells.join(" ").replace("None", "-").replace("Some", ""))
                }
            });
        }
        found
    }

    #[test]
    fn cells_are_read_as_written() {
        assert_eq!(
            read("1,\"a,b\",\"say \"\"hi\"\"\"\r\n\r\n2,,\"\"\n3,\"two\r\nlines\",5\" pipe\n4,x,y\u{1a}", 3),
            [
                r#"1: ("1") ("a,b") ("say \"hi\"")"#,
                r#"3: ("2") - -"#,
                r#"4: ("3") ("two\r\nlines") ("5\" pipe")"#,
                r#"6: ("4") ("x") ("y")"#,
            ]
        );
        assert_eq!(read("1,2\n\u{1a}", 2), [r#"1: ("1") ("2")"#]);
    }

    #[test]
    fn a_forgotten_quote_costs_one_line_and_not_the_rest_of_the_file() {
        assert_eq!(
            read("1,\"a\n2,b\n3,\"c\"\n4,d\n", 2),
            [
                "1! a quote is opened in this line and not closed properly | 1,\"a",
                r#"2: ("2") ("b")"#,
                r#"3: ("3") ("c")"#,
                r#"4: ("4") ("d")"#,
            ]
        );
        assert_eq!(
            read("1,\"a\n2,b\n", 2),
            ["1! a quote is opened in this line and not closed properly | 1,\"a", r#"2: ("2") ("b")"#]
        );
    }

    #[test]
    fn rows_of_another_width_and_damaged_lines_are_bad_with_their_line() {
        assert_eq!(
            read("1,a,b\n2\n3,\"x\"y\n4,n\0l\n5,ok\n", 2),
            [
                "1! the row has 3 cells, the header 2 | 1,a,b",
                "2! the row has 1 cells, the header 2 | 2",
                "3! text follows a closing quote; a quote inside a cell is written twice | 3,\"x\"y",
                "4! the line holds a NUL character: it is damaged, or in another encoding | 4,n\0l",
                r#"5: ("5") ("ok")"#,
            ]
        );
    }
}
