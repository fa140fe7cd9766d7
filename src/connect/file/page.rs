//! One page of the files of a stream.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::info;
use xxhash_rust::xxh3::xxh3_128;

use super::config::Shape;
use super::listing::{Found, stamp};
use super::pattern::FileDate;
use super::position::{InFile, Known, Position};
use super::row::Row;
use super::scan::{Scan, ScannedFile, key_of, rows_from, scan};
use crate::clock::Timestamp;
use crate::connect::registry::Calendar;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Next, Page, Reading, RecordHead, Records, RecordsBuilder, Rejected};

/// A page ends at this many rows,
const PAGE_ROWS: usize = 5_000;
/// or after this much of the file.
const PAGE_BYTES: u64 = 8 << 20;

/// Reads pages; keeps the last look at each stream's files, so that it is not repeated for every page.
#[derive(Debug, Default)]
pub(super) struct Reader {
    scans: Mutex<HashMap<String, Arc<Scan>>>,
}

impl Reader {
    /// Reads the page at `cursor` of the files `found`. `wants_all`: also of files that are as they were.
    pub(super) fn page(
        &self,
        shape: &Shape,
        found: Vec<Found>,
        cursor: Option<&Cursor>,
        wants_all: bool,
        now: Timestamp,
        calendar: &dyn Calendar,
    ) -> Result<Page> {
        let mut position = cursor.map(Position::parse).transpose()?.unwrap_or_default();
        if wants_all {
            position.files.clear();
            position.reading = None;
        }
        position.reading = position.reading.filter(|reading| Position::can_go_on(reading, &found));
        let (scan, reading) = match position.reading.take() {
            Some(reading) => (self.scan_again(shape, &reading, &found)?, reading),
            None => match self.begin(shape, &mut position, &found)? {
                Some(begun) => begun,
                None => return nothing(shape, &position, now),
            },
        };
        let what = self.reading(shape, &scan, &position, now, calendar)?;
        let read = read_rows(shape, &scan, &reading)?;
        let ends_reading = read.next.is_none();
        if ends_reading {
            if !shape.pattern.is_dated() {
                position.files.clear();
            }
            position.files.extend(reading.files);
            match &what {
                Reading::Statement { at, .. } => position.stated_through = position.stated_through.max(Some(*at)),
                Reading::Pass { started_at, .. } => position.pass_started_at = Some(*started_at),
                Reading::Sweep { .. } | Reading::Window { .. } => {}
            }
            self.forget(&shape.name);
        }
        position.reading = read.next;
        let is_done = ends_reading && position.next_group(&found, shape.pattern.is_dated()).is_empty();
        let observed_at = scan.files.iter().map(|file| file.found.modified_at).max().map_or(now, |at| at.min(now));
        Ok(Page {
            records: read.records,
            rejected: read.rejected,
            reading: Some(what),
            ends_reading,
            next: next(shape, &position, is_done, now)?,
            waits: false,
            observed_at,
            source_total: Some(scan.row_count),
            requests: 0,
            bytes: read.bytes,
        })
    }

    /// The next files whose content is new. Files that were only touched are noted as they are now.
    fn begin(&self, shape: &Shape, position: &mut Position, found: &[Found]) -> Result<Option<(Arc<Scan>, InFile)>> {
        loop {
            let group = position.next_group(found, shape.pattern.is_dated());
            if group.is_empty() {
                return Ok(None);
            }
            let scan = Arc::new(scan(group, shape)?);
            let files: Vec<(String, Known)> = known(&scan);
            let is_same = |(name, now): &(String, Known)| {
                position.files.get(name).is_some_and(|before| before.fingerprint == now.fingerprint)
            };
            let is_whole = shape.pattern.is_dated() || files.len() == position.files.len();
            if is_whole && files.iter().all(is_same) {
                position.files.extend(files);
                continue;
            }
            for file in &scan.files {
                info!(stream = shape.name, file = file.found.name, encoding = %file.layout.encoding, "reading a file");
            }
            let (offset, line) = scan.files.first().map_or((0, 1), |file| file.layout.start);
            self.remember(&shape.name, &scan);
            return Ok(Some((scan, InFile { files, index: 0, offset, line })));
        }
    }

    /// The look at the files of a reading in progress; repeated when another process began it.
    fn scan_again(&self, shape: &Shape, reading: &InFile, found: &[Found]) -> Result<Arc<Scan>> {
        let kept = self.scans.lock().unwrap_or_else(PoisonError::into_inner).get(&shape.name).cloned();
        if let Some(kept) = kept.filter(|kept| known(kept) == reading.files) {
            return Ok(kept);
        }
        let group =
            reading.files.iter().filter_map(|(name, _)| found.iter().find(|found| found.name == *name)).cloned();
        let scan = Arc::new(scan(group.collect(), shape)?);
        if known(&scan) != reading.files {
            return Err(changed(&shape.name));
        }
        self.remember(&shape.name, &scan);
        Ok(scan)
    }

    fn remember(&self, stream: &str, scan: &Arc<Scan>) {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).insert(stream.to_owned(), Arc::clone(scan));
    }

    fn forget(&self, stream: &str) {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
    }

    /// What the files state.
    fn reading(
        &self,
        shape: &Shape,
        scan: &Scan,
        position: &Position,
        now: Timestamp,
        calendar: &dyn Calendar,
    ) -> Result<Reading> {
        if let [ScannedFile { found: Found { name, date: Some(date), .. }, fingerprint, .. }] = scan.files.as_slice() {
            let at = end_of(*date, calendar).ok_or_else(|| {
                Error::new(ErrorKind::BadData, "the date in the file's name is not in the calendar").with("file", name)
            })?;
            return Ok(Reading::Statement {
                at: at.plus_micros(-1),
                name: name.clone(),
                fingerprint: fingerprint.clone(),
            });
        }
        let written_at = scan.files.iter().map(|file| file.found.modified_at).max().unwrap_or(now);
        // A file restored from an older copy still is a later pass than the one before it.
        let started_at =
            position.pass_started_at.map_or(written_at, |last| written_at.max(last.plus_micros(1))).min(now);
        let prints: Vec<&str> = scan.files.iter().map(|file| file.fingerprint.as_str()).collect();
        Ok(Reading::Pass {
            id: format!("{:032x}@{started_at}", xxh3_128(prints.concat().as_bytes())),
            started_at,
            scope: format!("files {}", shape.pattern.as_str()),
        })
    }
}

fn end_of(date: FileDate, calendar: &dyn Calendar) -> Option<Timestamp> {
    match date.day {
        Some(day) => calendar.day_end(date.year, date.month, day),
        None => calendar.month_end(date.year, date.month),
    }
}

fn known(scan: &Scan) -> Vec<(String, Known)> {
    let known = |file: &ScannedFile| (file.found.name.clone(), Known::of(&file.found, file.fingerprint.clone()));
    scan.files.iter().map(known).collect()
}

fn changed(file: &str) -> Error {
    Error::new(ErrorKind::Unavailable, "a file changed while it was read")
        .with("file", file)
        .help("run the sync again when the export has finished; write to another name and rename to avoid this")
}

fn nothing(shape: &Shape, position: &Position, now: Timestamp) -> Result<Page> {
    Ok(Page {
        records: Records::default(),
        rejected: Vec::new(),
        reading: None,
        ends_reading: false,
        next: next(shape, position, true, now)?,
        waits: false,
        observed_at: now,
        source_total: None,
        requests: 0,
        bytes: 0,
    })
}

/// An undated file says what is so until it is written again, so all that it knew until now has been
/// read. Dated files say nothing about the time after the last of them.
fn next(shape: &Shape, position: &Position, is_done: bool, now: Timestamp) -> Result<Next> {
    let cursor = position.to_cursor()?;
    if !is_done {
        return Ok(Next::More(cursor));
    }
    let complete_through = if shape.pattern.is_dated() {
        position.stated_through.map(|at| at.plus_micros(1))
    } else {
        (!position.files.is_empty()).then_some(now)
    };
    Ok(Next::Done { cursor, complete_through })
}

struct ReadRows {
    records: Records,
    rejected: Vec<Rejected>,
    /// Where to go on; `None` when all files have been read.
    next: Option<InFile>,
    bytes: u64,
}

fn read_rows(shape: &Shape, scan: &Scan, reading: &InFile) -> Result<ReadRows> {
    let Some(file) = scan.files.get(reading.index) else {
        return Err(Error::new(ErrorKind::Corrupt, "the stored cursor names a file that is not there"));
    };
    let name = &file.found.name;
    let layout = &file.layout;
    let mut rows = rows_from(&file.found.path, shape, layout, (reading.offset, reading.line))?;
    let mut builder = RecordsBuilder::new(layout.columns.clone().into(), PAGE_ROWS);
    let mut rejected = Vec::new();
    let mut is_end = false;
    while builder.len() + rejected.len() < PAGE_ROWS && rows.position().0 - reading.offset < PAGE_BYTES {
        match rows.next()? {
            None => {
                is_end = true;
                break;
            }
            Some(Row::Bad(bad)) => {
                let place = format!("{name}:{}", bad.line);
                rejected.push(Rejected { place, key: None, reason: bad.reason, raw: bad.raw });
            }
            Some(Row::Good { line }) => {
                let cells = rows.cells();
                let place = format!("{name}:{line}");
                let refuse =
                    |key, reason| Rejected { place: place.clone(), key, reason, raw: cells.to_line(shape.delimiter) };
                let Some(key) = key_of(cells, &layout.key) else {
                    rejected.push(refuse(None, format!("the key is empty ({})", shape.key.join(", "))));
                    continue;
                };
                if let Some(places) = scan.conflicts.get(&xxh3_128(key.as_bytes())) {
                    let reason =
                        format!("the key stands there more than once with different content: {}", places.join(", "));
                    rejected.push(refuse(Some(key), reason));
                    continue;
                }
                for column in 0..layout.columns.len() {
                    builder.set(column, cells.get(column));
                }
                builder.finish_row(RecordHead { key, place, ..RecordHead::default() });
            }
        }
    }
    let (offset, line) = rows.position();
    check_unchanged(&file.found.path, file)?;
    let is_end = is_end || offset >= file.found.size_bytes;
    let next = match (is_end, scan.files.get(reading.index + 1)) {
        (false, _) => Some(InFile { offset, line, ..reading.clone() }),
        (true, Some(following)) => {
            let (offset, line) = following.layout.start;
            Some(InFile { files: reading.files.clone(), index: reading.index + 1, offset, line })
        }
        (true, None) => None,
    };
    Ok(ReadRows { records: builder.finish(), rejected, next, bytes: offset - reading.offset })
}

/// What was read is what was looked at, unless the file was written to in between.
fn check_unchanged(path: &PathBuf, file: &ScannedFile) -> Result<()> {
    let now = std::fs::metadata(path).map(|metadata| stamp(&metadata)).ok();
    if now == Some((file.found.size_bytes, file.found.modified_at)) { Ok(()) } else { Err(changed(&file.found.name)) }
}
