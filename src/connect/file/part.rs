//! A part of a reading: one text, sheet or table out of a file, and how it is laid out.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use super::encoding::{Decided, Detector, Encoding, Utf16, Why};
use super::format::{
    BadRow, Csv, FixedRows, Format, JsonRows, ParquetRows, Rows, Step, StoredRows, json_columns, store_sheet,
    unreadable,
};
use super::header;
use super::lines::{Given, Lines, Place, first_line};
use super::shape::Shape;
use super::store::{Local, open_file};
use super::unpack::{self, Member, Packing};
use crate::error::{Error, ErrorKind, Result};

/// How a part is laid out.
pub(super) struct Part {
    /// Which of the reading's files it is in.
    pub(super) file: usize,
    /// Its name in places: the file's, with member or sheet.
    pub(super) name: String,
    pub(super) format: Format,
    /// What was decided about its encoding; nothing for formats that are no text.
    pub(super) decided: Option<Decided>,
    pub(super) columns: Arc<[String]>,
    /// Where the key columns are.
    pub(super) key: Vec<usize>,
    /// Where the first row begins.
    pub(super) start: Place,
    /// The number of the row with which the footer begins.
    pub(super) end: Option<u64>,
    bytes: Bytes,
    /// The columns by the names that the file gives them.
    own_columns: Vec<String>,
    stored: Option<Arc<File>>,
}

/// Where the bytes of a part come from.
#[derive(Debug, Clone)]
pub(super) struct Bytes {
    pub(super) local: Local,
    pub(super) packing: Packing,
    pub(super) member: Option<Member>,
}

/// How much is looked at to find out the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As little as possible: columns that only late objects of JSON Lines have are missed.
    Brief,
    Whole,
}

/// How many lines of JSON are looked at for their names, briefly.
const BRIEF_LINES: u64 = 1_000;

impl Bytes {
    /// The parts of a file called `name`: itself, or the members of the archive that it is.
    ///
    /// # Errors
    ///
    /// Bad data when it is an archive that cannot be read.
    pub(super) fn of(shape: &Shape, name: &str, local: &Local) -> Result<Vec<(Bytes, String)>> {
        let packing = shape.packed.of(name);
        if packing != Packing::Zip {
            return Ok(vec![(Bytes { local: local.clone(), packing, member: None }, name.to_owned())]);
        }
        let members = unpack::members(local, &shape.members)?;
        Ok(members
            .into_iter()
            .map(|member| {
                let name = format!("{name}:{}", member.name);
                (Bytes { local: local.clone(), packing, member: Some(member) }, name)
            })
            .collect())
    }

    fn open(&self, offset: u64) -> Result<Box<dyn Read + Send>> {
        unpack::open(&self.local, self.packing, self.member.as_ref(), offset)
    }

    /// The name without what it is packed with.
    fn plain_name<'a>(&'a self, name: &'a str) -> &'a str {
        match (&self.member, self.packing) {
            (Some(member), _) => &member.name,
            (None, Packing::Gzip) => name.strip_suffix(".gz").unwrap_or(name),
            (None, _) => name,
        }
    }

    /// Declared, or found out from the first lines.
    fn decide(&self, declared: Option<Encoding>) -> Result<Decided> {
        if let Some(encoding) = declared {
            return Ok(Decided { encoding, why: Why::Declared });
        }
        let mut reader = BufReader::with_capacity(64 << 10, self.open(0)?);
        let mut detector = Detector::new(reader.fill_buf().map_err(unreadable)?);
        if !detector.is_sure() {
            let start = Place { offset: 0, number: 1 };
            let mut lines = Lines::new(Box::new(reader), Encoding::Utf8, Given::Bytes, start);
            while !detector.is_sure() && lines.more().map_err(unreadable)? {
                let mut passed = 0;
                for line in lines.rest().split_inclusive(|byte| *byte == b'\n') {
                    detector.see(line);
                    passed += line.len();
                }
                lines.advance(passed, 0);
            }
        }
        Ok(detector.verdict())
    }

    fn lines(&self, encoding: Encoding, given: Given, at: Place) -> Result<Lines> {
        if !encoding.is_wide() {
            return Ok(Lines::new(self.open(at.offset)?, encoding, given, at));
        }
        let mut reader = BufReader::with_capacity(64 << 10, self.open(0)?);
        let mark = encoding.mark_len(reader.fill_buf().map_err(unreadable)?);
        reader.consume(mark);
        let mut utf8 = Utf16::new(reader, encoding == Encoding::Utf16Be);
        std::io::copy(&mut utf8.by_ref().take(at.offset), &mut std::io::sink()).map_err(unreadable)?;
        Ok(Lines::new(Box::new(utf8), Encoding::Utf8, given, at))
    }

    /// Where the text begins, behind its mark.
    fn text_start(&self, encoding: Encoding) -> Result<Place> {
        let mut reader = BufReader::new(self.open(0)?);
        let is_marked = !encoding.is_wide();
        let offset = if is_marked { encoding.mark_len(reader.fill_buf().map_err(unreadable)?) } else { 0 };
        Ok(Place { offset: offset as u64, number: 1 })
    }
}

fn delimiter(shape: &Shape, format: Format) -> u8 {
    shape.delimiter.unwrap_or(if format == Format::Tsv { b'\t' } else { b',' })
}

impl Part {
    /// Finds out how a part of a file is laid out.
    ///
    /// # Errors
    ///
    /// Bad data when it has no header, or its header lacks a key column.
    pub(super) fn lay_out(shape: &Shape, file: usize, bytes: Bytes, name: String, look: Look) -> Result<Part> {
        let format = shape.format.of(bytes.plain_name(&name));
        let decided = if format.is_text() { Some(bytes.decide(shape.encoding)?) } else { None };
        let mut part = Part {
            file,
            name,
            format,
            decided,
            columns: Arc::from([]),
            key: Vec::new(),
            start: Place { offset: 0, number: 1 },
            end: None,
            bytes,
            own_columns: Vec::new(),
            stored: None,
        };
        let rows = match format {
            Format::Csv | Format::Tsv | Format::Auto => part.text_header(shape)?,
            Format::Fixed => part.fixed_header(shape)?,
            Format::Excel => part.sheet_header(shape, look)?,
            Format::Jsonl => {
                let encoding = part.encoding();
                part.start = part.bytes.text_start(encoding)?;
                let lines = part.bytes.lines(encoding, Given::Text, part.start)?;
                let most = if look == Look::Brief { BRIEF_LINES } else { u64::MAX };
                vec![json_columns(lines, most)?.into_iter().map(Some).collect()]
            }
            Format::Parquet => {
                part.bytes.local = unpack::whole(&part.bytes.local, part.bytes.packing, part.bytes.member.as_ref())?;
                (part.bytes.packing, part.bytes.member) = (Packing::None, None);
                let rows = ParquetRows::open(open_file(part.bytes.local.path())?, 0)?;
                vec![rows.columns().iter().cloned().map(Some).collect()]
            }
        };
        part.own_columns = rows.first().into_iter().flatten().flatten().cloned().collect();
        part.columns = match &shape.columns {
            Some(columns) => columns.as_slice().into(),
            None => header::names(&rows, &shape.rename)?.into(),
        };
        part.key = shape.key.iter().map(|name| key_column(&part.columns, name)).collect::<Result<_>>()?;
        Ok(part)
    }

    fn encoding(&self) -> Encoding {
        self.decided.map_or(Encoding::Utf8, |decided| decided.encoding)
    }

    /// The header of CSV, and where the rows behind it begin.
    fn text_header(&mut self, shape: &Shape) -> Result<Vec<Vec<Option<String>>>> {
        let encoding = self.encoding();
        let start = self.bytes.text_start(encoding)?;
        let mut lines = self.bytes.lines(encoding, Given::Text, start)?;
        skip(&mut lines, shape.skip_rows)?;
        let mut csv = Csv::new(lines, Given::Text, delimiter(shape, self.format), None);
        let mut rows = Vec::new();
        while rows.len() < shape.header_rows as usize {
            match csv.next()? {
                Some(Step::Row) => rows.push((0..csv.len()).map(|at| csv.cell(at).map(str::to_owned)).collect()),
                Some(Step::Bad(bad)) => return Err(self.bad_header(&bad, csv.number())),
                None => return Err(no_header(shape)),
            }
        }
        if rows.iter().flatten().flatten().any(|name: &String| is_cr_only(name)) {
            return Err(Error::new(ErrorKind::BadData, "the lines of the file end with a carriage return alone")
                .help("save it with the line ends of Windows or Unix"));
        }
        self.start = csv.position();
        Ok(rows)
    }

    fn bad_header(&self, bad: &BadRow, line: u64) -> Error {
        let reason = match (&bad.misfit, self.decided) {
            (Some(misfit), Some(decided)) => {
                format!("the line holds bytes that are not {}: {misfit}", decided.encoding)
            }
            _ => bad.reason.clone(),
        };
        let error = Error::new(ErrorKind::BadData, "the header row cannot be read").with("line", line);
        let error = match self.decided {
            Some(decided) => error.with("encoding", decided.encoding),
            None => error,
        };
        error
            .help("check `encoding`, `delimiter` and `skip_rows` of the stream")
            .caused_by(std::io::Error::other(reason))
    }

    fn fixed_header(&mut self, shape: &Shape) -> Result<Vec<Vec<Option<String>>>> {
        let encoding = self.encoding();
        if encoding.is_wide() && !shape.by_characters {
            return Err(Error::new(ErrorKind::Config, "places in UTF-16 cannot be counted in bytes")
                .help("set `units: characters` in the stream"));
        }
        let start = self.bytes.text_start(encoding)?;
        let mut lines = self.bytes.lines(encoding, Given::Bytes, start)?;
        // A header of such a file names nothing that we need: it is a line more to leave out.
        skip(&mut lines, shape.skip_rows)?;
        self.start = lines.position();
        Ok(Vec::new())
    }

    fn sheet_header(&mut self, shape: &Shape, look: Look) -> Result<Vec<Vec<Option<String>>>> {
        let local = unpack::whole(&self.bytes.local, self.bytes.packing, self.bytes.member.as_ref())?;
        let name = self.bytes.plain_name(&self.name).to_owned();
        let (first, end) = (shape.skip_rows, shape.skip_rows + shape.header_rows);
        let most = (look == Look::Brief).then_some(end);
        let (file, sheet) = store_sheet(local.path(), &name, shape.sheet.as_deref(), first..end, most)?;
        self.name = format!("{}:{sheet}", self.name);
        let file = Arc::new(file);
        let mut rows = StoredRows::open(Arc::clone(&file), 0, None);
        let mut header = vec![Vec::new(); shape.header_rows as usize];
        self.start = rows.position();
        while let Some(step) = rows.next()? {
            let number = u32::try_from(rows.number()).unwrap_or(u32::MAX);
            if number > end {
                break;
            }
            if number > first {
                match step {
                    Step::Bad(bad) => return Err(self.bad_header(&bad, rows.number())),
                    Step::Row => {
                        header[(number - first - 1) as usize] =
                            (0..rows.len()).map(|at| rows.cell(at).map(str::to_owned)).collect();
                    }
                }
            }
            self.start = rows.position();
        }
        if shape.header_rows > 0 && header.iter().flatten().all(Option::is_none) {
            return Err(no_header(shape));
        }
        self.stored = Some(file);
        Ok(header)
    }

    /// The rows from `at` on. `Given::Bytes` asks for undecoded ones, where that makes no difference to where rows
    /// begin; see [`can_be_bytes`](Self::can_be_bytes).
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub(super) fn rows(&self, shape: &Shape, at: Place, given: Given) -> Result<Box<dyn Rows>> {
        let encoding = self.encoding();
        let lines = |given| self.bytes.lines(encoding, given, at);
        Ok(match self.format {
            Format::Csv | Format::Tsv | Format::Auto => {
                let width = Some(self.columns.len());
                Box::new(Csv::new(lines(given)?, given, delimiter(shape, self.format), width))
            }
            Format::Fixed => {
                let encoding = if encoding.is_wide() { Encoding::Utf8 } else { encoding };
                Box::new(FixedRows::new(lines(Given::Bytes)?, encoding, shape.fixed.clone(), shape.by_characters))
            }
            Format::Jsonl => Box::new(JsonRows::new(lines(Given::Text)?, &self.own_columns)),
            Format::Parquet => Box::new(ParquetRows::open(open_file(self.bytes.local.path())?, at.offset)?),
            Format::Excel => {
                let file = self.stored.as_ref().ok_or_else(|| {
                    Error::new(ErrorKind::Internal, "a sheet was not put aside").with("file", &self.name)
                })?;
                Box::new(StoredRows::open(Arc::clone(file), at.offset, Some(self.columns.len())))
            }
        })
    }

    /// Whether rows can be told apart without decoding them: a delimiter is one in bytes, too.
    pub(super) fn can_be_bytes(&self, shape: &Shape) -> bool {
        matches!(self.format, Format::Csv | Format::Tsv)
            && self.encoding().keeps_apart(delimiter(shape, self.format))
            && shape.total_rows.is_empty()
    }

    /// Where a row stands, for messages.
    pub(super) fn place(&self, number: u64, within: &str) -> String {
        use std::fmt::Write;
        let mut place = String::with_capacity(self.name.len() + 12);
        place.push_str(&self.name);
        let written = match (self.format, within) {
            (Format::Excel, "") => write!(place, "!{number}"),
            (Format::Excel, cell) => write!(place, "!{cell}"),
            (_, within) => write!(place, ":{number}{within}"),
        };
        written.map_or_else(|_| self.name.clone(), |()| place)
    }

    /// The text of the cell at row `row` (from 1) and `column` (from 0), outside of the rows of records.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or its format has no such cells.
    pub(super) fn title_cell(
        shape: &Shape,
        bytes: &Bytes,
        name: &str,
        row: u32,
        column: usize,
    ) -> Result<Option<String>> {
        let format = shape.format.of(bytes.plain_name(name));
        if format == Format::Excel {
            let local = unpack::whole(&bytes.local, bytes.packing, bytes.member.as_ref())?;
            let (file, _) = store_sheet(local.path(), bytes.plain_name(name), shape.sheet.as_deref(), 0..0, Some(row))?;
            let mut rows = StoredRows::open(Arc::new(file), 0, None);
            while let Some(step) = rows.next()? {
                if rows.number() >= u64::from(row) {
                    let is_it = rows.number() == u64::from(row) && step == Step::Row;
                    return Ok(rows.cell(column).filter(|_| is_it).map(str::to_owned));
                }
            }
            return Ok(None);
        }
        if matches!(format, Format::Parquet | Format::Jsonl) {
            return Err(Error::new(ErrorKind::Config, "files of this format have no title cells")
                .help("put the date into the names of the files, and into `files` of the stream"));
        }
        let encoding = bytes.decide(shape.encoding)?.encoding;
        let mut lines = bytes.lines(encoding, Given::Text, bytes.text_start(encoding)?)?;
        skip(&mut lines, row - 1)?;
        if format == Format::Fixed {
            let there = !lines.rest().is_empty() || lines.more().map_err(unreadable)?;
            let length = first_line(lines.rest()).0.len();
            return Ok((there && column == 0).then(|| lines.text()[..length].trim().to_owned()));
        }
        let mut csv = Csv::new(lines, Given::Text, delimiter(shape, format), None);
        let step = csv.next()?;
        let is_it = step == Some(Step::Row) && csv.number() == u64::from(row);
        Ok(csv.cell(column).filter(|_| is_it).map(str::to_owned))
    }
}

/// A first line of a file with carriage returns alone holds all of the file.
fn is_cr_only(name: &str) -> bool {
    name.contains('\r') && !name.contains("\r\n")
}

/// Leaves out so many lines.
fn skip(lines: &mut Lines, count: u32) -> Result<()> {
    for _ in 0..count {
        if lines.rest().is_empty() && !lines.more().map_err(unreadable)? {
            break;
        }
        let (_, length) = first_line(lines.rest());
        lines.advance(length, 1);
    }
    Ok(())
}

fn no_header(shape: &Shape) -> Error {
    Error::new(ErrorKind::BadData, "the file has no header row")
        .with("skip_rows", shape.skip_rows)
        .help("an empty export is not taken for 'no customers': mend or remove the file")
}

fn key_column(columns: &[String], name: &str) -> Result<usize> {
    columns.iter().position(|column| column == name).ok_or_else(|| {
        let shown: Vec<String> = columns.iter().take(40).map(|column| format!("`{column}`")).collect();
        Error::new(ErrorKind::BadData, "the header lacks a key column")
            .with("key", name)
            .with("columns", shown.join(", "))
            .help(
                "mend `key` of the stream; if the columns above look wrong, its `encoding`, `delimiter` or `skip_rows`",
            )
    })
}
