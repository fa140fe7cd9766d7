//! A first look at the files of a reading, from beginning to end, before a row of them is given away.
//!
//! It tells what they are (fingerprint, encoding, columns), how many rows they have, and which keys stand there twice
//! with different content: neither of those rows can be believed, and the first would be gone by the time the second is
//! seen. Eight bytes per record are held, a hash of its key; only when two are alike all is looked at once more for what
//! stands there twice.

use std::collections::{HashMap, VecDeque};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::format::{Rows, Step};
use super::lines::Given;
use super::part::{Bytes, Look, Part};
use super::shape::Shape;
use super::store::{Found, Local, Store};
use super::unpack::fingerprint;
use crate::error::{Error, ErrorKind, Result};

/// What a look at all files of one reading found out.
pub(super) struct Scan {
    pub(super) files: Vec<ScannedFile>,
    pub(super) parts: Vec<Part>,
    /// Keys that stand there twice with different content, and where.
    pub(super) conflicts: HashMap<u128, Vec<String>>,
    /// Rows, good and bad; no blank ones, totals and footers.
    pub(super) row_count: u64,
}

/// A file that was looked at.
#[derive(Debug)]
pub(super) struct ScannedFile {
    pub(super) found: Found,
    pub(super) local: Local,
    pub(super) fingerprint: String,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Record,
    /// All its cells are empty.
    Blank,
    /// What the settings call a total.
    Total,
}

/// What the row in hand is.
pub(super) fn sort_of(rows: &dyn Rows, shape: &Shape) -> Sort {
    if rows.is_blank() {
        return Sort::Blank;
    }
    let is_total = || {
        let first = (0..rows.len()).find_map(|at| rows.cell(at)).unwrap_or_default();
        let first: String = first.chars().filter(|c| !c.is_whitespace()).collect();
        shape.total_rows.iter().any(|total| total.matches(&first) != super::pattern::Fit::No)
    };
    if !shape.total_rows.is_empty() && is_total() { Sort::Total } else { Sort::Record }
}

/// Looks at the fingerprints of files alone, bringing them here.
///
/// # Errors
///
/// When a file cannot be read.
pub(super) fn look(store: &Store, found: Vec<Found>) -> Result<Vec<ScannedFile>> {
    let look = |found: Found| {
        let place = |error: Error| error.with("file", &found.name);
        let local = store.bring(&found).map_err(place)?;
        let fingerprint = fingerprint(&local).map_err(place)?;
        Ok(ScannedFile { local, fingerprint, found })
    };
    found.into_iter().map(look).collect()
}

/// Looks at the rows of the files of one reading.
///
/// # Errors
///
/// [`ErrorKind::BadData`](crate::error::ErrorKind::BadData) when a file has no header or its header lacks a key column,
/// [`ErrorKind::Unavailable`](crate::error::ErrorKind::Unavailable) when it cannot be read.
pub(super) fn scan(files: Vec<ScannedFile>, shape: &Shape) -> Result<Scan> {
    let mut parts = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let place = |error: Error| error.with("file", &file.found.name);
        for (bytes, name) in Bytes::of(shape, &file.found.name, &file.local).map_err(place)? {
            parts.push(Part::lay_out(shape, index, bytes, name, Look::Whole).map_err(place)?);
        }
    }
    if shape.is_dated()
        && let Some(other) = parts.iter().find(|part| sorted(&part.columns) != sorted(&parts[0].columns))
    {
        return Err(Error::new(ErrorKind::BadData, "the files of one archive have different columns")
            .with("files", format!("{}, {}", parts[0].name, other.name))
            .help("together they state what was so at one date: make a stream of each kind, with `members`"));
    }
    let mut scan = Scan { files, parts, conflicts: HashMap::new(), row_count: 0 };
    let doubled = scan.count(shape)?;
    // A delta tells of changes in their order: the last one stands.
    if !doubled.is_empty() && !shape.is_delta {
        scan.compare(shape, &doubled)?;
    }
    Ok(scan)
}

fn sorted(columns: &[String]) -> Vec<&String> {
    let mut columns: Vec<&String> = columns.iter().collect();
    columns.sort();
    columns
}

impl Scan {
    /// Counts rows, finds where footers begin, and gives the hashes of keys that stand there more than once, rising.
    fn count(&mut self, shape: &Shape) -> Result<Vec<u64>> {
        let given = self.given(shape);
        let mut keys: Vec<u64> = Vec::new();
        let footer = shape.skip_footer as usize;
        for part in &mut self.parts {
            let place = |error: Error| error.with("file", &part.name);
            let mut rows = part.rows(shape, part.start, given).map_err(place)?;
            // Rows that may be of the footer: their numbers, and whether and under which key they count.
            let mut last: VecDeque<(u64, bool, Option<u64>)> = VecDeque::with_capacity(footer + 1);
            let mut take = |(_, counts, key): (u64, bool, Option<u64>)| {
                self.row_count += u64::from(counts);
                keys.extend(key);
            };
            while let Some(step) = rows.next().map_err(place)? {
                let row = match step {
                    Step::Bad(_) => (rows.number(), true, None),
                    Step::Row => match sort_of(&*rows, shape) {
                        Sort::Record => (rows.number(), true, rows.key_hash(&part.key)),
                        Sort::Total => (rows.number(), false, None),
                        Sort::Blank => continue,
                    },
                };
                if footer == 0 {
                    take(row);
                    continue;
                }
                last.push_back(row);
                if last.len() > footer
                    && let Some(row) = last.pop_front()
                {
                    take(row);
                }
            }
            part.end = last.front().map(|(number, ..)| *number);
        }
        keys.sort_unstable();
        let mut doubled: Vec<u64> = keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        doubled.dedup();
        Ok(doubled)
    }

    /// Undecoded where that is as good: all parts must write the same key alike.
    fn given(&self, shape: &Shape) -> Given {
        let encoding = |part: &Part| part.decided.map(|decided| decided.encoding);
        let is_one = self.parts.windows(2).all(|pair| encoding(&pair[0]) == encoding(&pair[1]));
        if is_one && self.parts.iter().all(|part| part.can_be_bytes(shape)) { Given::Bytes } else { Given::Text }
    }

    /// Compares the rows whose keys have one of these hashes.
    fn compare(&mut self, shape: &Shape, doubled: &[u64]) -> Result<()> {
        let given = self.given(shape);
        let mut seen: HashMap<u128, (u128, String)> = HashMap::new();
        for part in &self.parts {
            let place = |error: Error| error.with("file", &part.name);
            let mut rows = part.rows(shape, part.start, Given::Text).map_err(place)?;
            // The same rows as they were counted, for the hashes.
            let mut counted = part.rows(shape, part.start, given).map_err(place)?;
            while let (Some(step), Some(_)) = (rows.next().map_err(place)?, counted.next().map_err(place)?) {
                if part.end.is_some_and(|end| rows.number() >= end) {
                    break;
                }
                if step != Step::Row || sort_of(&*rows, shape) != Sort::Record {
                    continue;
                }
                let is_doubled = counted.key_hash(&part.key).is_some_and(|key| doubled.binary_search(&key).is_ok());
                let Some(key) = is_doubled.then(|| key_of(&*rows, &part.key)).flatten() else { continue };
                let (key, content) = (xxh3_128(key.as_bytes()), content_of(&*rows, part));
                let here = part.place(rows.number(), "");
                let first = seen.entry(key).or_insert_with(|| (content, here.clone()));
                if first.0 != content {
                    self.conflicts.entry(key).or_insert_with(|| vec![first.1.clone()]).push(here);
                }
            }
        }
        Ok(())
    }
}

/// The key of a row; `None` when a part of it is empty.
pub(super) fn key_of(rows: &dyn Rows, key: &[usize]) -> Option<String> {
    match key {
        [only] => rows.cell(*only).map(str::to_owned),
        parts => {
            let parts: Option<Vec<&str>> = parts.iter().map(|part| rows.cell(*part)).collect();
            serde_json::to_string(&parts?).ok()
        }
    }
}

/// What rows of the same content share, in whatever order their files have the columns.
fn content_of(rows: &dyn Rows, part: &Part) -> u128 {
    let mut sum = 0_u128;
    for (at, name) in part.columns.iter().enumerate() {
        if let Some(cell) = rows.cell(at) {
            let mut hash = Xxh3::new();
            hash.update(&(name.len() as u64).to_le_bytes());
            hash.update(name.as_bytes());
            hash.update(cell.as_bytes());
            sum = sum.wrapping_add(hash.digest128());
        }
    }
    sum
}
