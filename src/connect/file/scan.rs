//! A first look at a file, from beginning to end, before a row of it is given away.
//!
//! It tells what the file is (fingerprint, encoding, columns), how many rows it has, and which keys stand
//! in it twice with different content: neither of those rows can be believed, and the first would be gone
//! by the time the second is seen. Memory grows by about 40 bytes per record, not with their content.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use super::config::Shape;
use super::encoding::{Detector, Encoding};
use super::lines::Lines;
use super::listing::Found;
use super::row::{Cells, Row, Rows};
use crate::error::{Error, ErrorKind, Result};

const BUFFER_BYTES: usize = 256 << 10;

/// How a file is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) encoding: Encoding,
    pub(super) columns: Vec<String>,
    /// Where the key columns are.
    pub(super) key: Vec<usize>,
    /// Where the first row begins: offset and line number.
    pub(super) start: (u64, u64),
}

/// What a look at all files of one reading found out.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) files: Vec<ScannedFile>,
    /// Keys that stand there twice with different content, and where.
    pub(super) conflicts: HashMap<u128, Vec<String>>,
    /// Rows, good and bad.
    pub(super) row_count: u64,
}

/// What a look at one file found out.
#[derive(Debug)]
pub(super) struct ScannedFile {
    pub(super) found: Found,
    pub(super) layout: Layout,
    pub(super) fingerprint: String,
}

/// Where a key was first seen, and with what content.
struct Seen {
    content: u64,
    file: u32,
    line: u64,
}

/// Looks at the files of one reading.
///
/// # Errors
///
/// [`ErrorKind::BadData`] when a file has no header or its header lacks a key column,
/// [`ErrorKind::Unavailable`] when it cannot be read.
pub(super) fn scan(found: Vec<Found>, shape: &Shape) -> Result<Scan> {
    let mut scan = Scan::default();
    let mut seen: HashMap<u128, Seen> = HashMap::new();
    for (file, found) in found.into_iter().enumerate() {
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        let place = |error: Error| error.with("file", &found.name);
        let (fingerprint, detected) = fingerprint(&found.path, shape).map_err(place)?;
        let layout = layout(&found.path, shape, detected).map_err(place)?;
        let mut rows = rows_from(&found.path, shape, &layout, layout.start).map_err(place)?;
        while let Some(row) = rows.next().map_err(place)? {
            scan.row_count += 1;
            let Row::Good { line } = row else { continue };
            let Some(key) = key_of(rows.cells(), &layout.key) else { continue };
            let (key, content) = (xxh3_128(key.as_bytes()), content_hash(rows.cells()));
            let first = seen.entry(key).or_insert(Seen { content, file, line });
            if first.content != content {
                let name = |file: u32| match scan.files.get(file as usize) {
                    Some(scanned) => scanned.found.name.as_str(),
                    None => found.name.as_str(),
                };
                let first_place = format!("{}:{}", name(first.file), first.line);
                let places = scan.conflicts.entry(key).or_insert_with(|| vec![first_place]);
                places.push(format!("{}:{line}", found.name));
            }
        }
        scan.files.push(ScannedFile { found, layout, fingerprint });
    }
    Ok(scan)
}

/// A hash of the whole content, and the encoding.
pub(super) fn fingerprint(path: &Path, shape: &Shape) -> Result<(String, Encoding)> {
    let mut reader = open(path, 0)?;
    let mut detector = Detector::new(reader.fill_buf().map_err(unreadable)?);
    let mut hash = Xxh3::new();
    let is_known = shape.encoding.is_some() || detector.is_sure();
    if is_known {
        loop {
            let piece = reader.fill_buf().map_err(unreadable)?;
            if piece.is_empty() {
                break;
            }
            hash.update(piece);
            let length = piece.len();
            reader.consume(length);
        }
    } else {
        let mut lines = Lines::new(reader, Encoding::Utf8, 0, 1);
        while let Some(line) = lines.next().map_err(unreadable)? {
            hash.update(&line.bytes);
            detector.see(&line.bytes);
        }
    }
    let encoding = shape.encoding.unwrap_or_else(|| detector.verdict());
    Ok((format!("{:032x}", hash.digest128()), encoding))
}

/// Reads the header.
pub(super) fn layout(path: &Path, shape: &Shape, encoding: Encoding) -> Result<Layout> {
    let mut reader = open(path, 0)?;
    let mark = encoding.mark_len(reader.fill_buf().map_err(unreadable)?);
    reader.consume(mark);
    let lines = Lines::new(reader, encoding, mark as u64, 1);
    let mut rows = Rows::new(lines, encoding, shape.delimiter, None);
    rows.skip_lines(shape.skip_rows)?;
    let columns = match &shape.columns {
        Some(columns) => columns.clone(),
        None => match rows.next()? {
            Some(Row::Good { .. }) => header(rows.cells())?,
            Some(Row::Bad(bad)) => {
                return Err(Error::new(ErrorKind::BadData, "the header row cannot be read")
                    .with("line", bad.line)
                    .with("encoding", encoding)
                    .help("check `encoding`, `delimiter` and `skip_rows` of the stream")
                    .caused_by(std::io::Error::other(bad.reason)));
            }
            None => {
                return Err(Error::new(ErrorKind::BadData, "the file has no header row")
                    .with("skip_rows", shape.skip_rows)
                    .help("an empty export is not taken for 'no customers': mend or remove the file"));
            }
        },
    };
    let key = shape.key.iter().map(|name| key_column(&columns, name)).collect::<Result<_>>()?;
    Ok(Layout { encoding, columns, key, start: rows.position() })
}

fn header(cells: &Cells) -> Result<Vec<String>> {
    let names: Vec<String> =
        (0..cells.len()).map(|i| cells.get(i).map_or_else(|| format!("column_{}", i + 1), str::to_owned)).collect();
    if names.iter().any(|name| name.contains('\r')) {
        return Err(Error::new(ErrorKind::BadData, "the lines of the file end with a carriage return alone")
            .help("save it with the line ends of Windows or Unix"));
    }
    let mut seen = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, i) {
            return Err(Error::new(ErrorKind::BadData, "two columns have the same name")
                .with("name", name)
                .with("columns", format!("{} and {}", first + 1, i + 1))
                .help("give each column a name of its own"));
        }
    }
    Ok(names)
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

/// The rows of a file from a place on.
pub(super) fn rows_from(path: &Path, shape: &Shape, layout: &Layout, at: (u64, u64)) -> Result<Rows<BufReader<File>>> {
    let lines = Lines::new(open(path, at.0)?, layout.encoding, at.0, at.1);
    Ok(Rows::new(lines, layout.encoding, shape.delimiter, Some(layout.columns.len())))
}

/// The key of a row; `None` when a part of it is empty.
pub(super) fn key_of(cells: &Cells, key: &[usize]) -> Option<String> {
    match key {
        [only] => cells.get(*only).map(str::to_owned),
        parts => {
            let parts: Option<Vec<&str>> = parts.iter().map(|part| cells.get(*part)).collect();
            serde_json::to_string(&parts?).ok()
        }
    }
}

fn content_hash(cells: &Cells) -> u64 {
    let (text, ends) = cells.content();
    let borders: Vec<u8> = ends.iter().flat_map(|end| end.to_le_bytes()).collect();
    xxh3_64(text.as_bytes()) ^ xxh3_64(&borders).rotate_left(1)
}

fn open(path: &Path, offset: u64) -> Result<BufReader<File>> {
    let mut file = File::open(path).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::Permission,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, "the file cannot be opened").help("check that nenrin may read it").caused_by(error)
    })?;
    file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
    Ok(BufReader::with_capacity(BUFFER_BYTES, file))
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the file cannot be read").caused_by(error)
}
