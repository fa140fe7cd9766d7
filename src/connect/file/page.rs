//! One page of the files of a stream.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::info;
use xxhash_rust::xxh3::xxh3_128;

use super::format::{Rows, Step};
use super::lines::{Given, Place};
use super::part::Part;
use super::pattern::FileDate;
use super::position::{InFile, Known, Position};
use super::scan::{Scan, ScannedFile, Sort, key_of, look, scan, sort_of};
use super::shape::Shape;
use super::store::{Found, Store, changed};
use super::tally::{PageTally, Tally, looks_total};
use crate::clock::Timestamp;
use crate::connect::registry::Calendar;
use crate::connect::source::Note;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, DeleteKind, Next, Page, Reading, RecordHead, Records, RecordsBuilder, Rejected};

/// A page ends at this many rows,
const PAGE_ROWS: usize = 5_000;
/// or after about this much of the file.
const PAGE_BYTES: u64 = 8 << 20;

/// Reads pages; keeps the last look at each stream's files, and the rows that were opened, so that neither is repeated
/// for every page.
#[derive(Default)]
pub(super) struct Reader {
    streams: Mutex<HashMap<String, OfStream>>,
}

/// What is kept of a stream between pages.
#[derive(Default)]
struct OfStream {
    scan: Option<Arc<Scan>>,
    /// The rows of the part with this index, which stand at this place.
    open: Option<(usize, Place, Box<dyn Rows>)>,
    tally: Tally,
    notes: Vec<Note>,
}

/// What pages are read of, and under which circumstances.
pub(super) struct Asked<'a> {
    pub(super) store: &'a Store,
    pub(super) shape: &'a Shape,
    pub(super) found: Vec<Found>,
    pub(super) now: Timestamp,
    pub(super) calendar: &'a dyn Calendar,
}

impl Reader {
    /// Reads the page at `position` of the files that were asked for.
    pub(super) fn page(&self, asked: &Asked<'_>, position: Position) -> Result<Page> {
        let Asked { shape, found, now, .. } = asked;
        let mut position = position;
        position.reading = position.reading.filter(|reading| Position::can_go_on(reading, found));
        let (scan, reading) = match position.reading.take() {
            Some(reading) => (self.scan_again(asked, &reading)?, reading),
            None => match self.begin(asked, &mut position)? {
                Some(begun) => begun,
                None => return nothing(shape, &position, *now),
            },
        };
        let what = self.reading(asked, &scan, &position)?;
        let read = self.read_rows(asked, &scan, &reading)?;
        let ends_reading = read.next.is_none();
        if ends_reading {
            if !shape.is_dated() {
                position.files.clear();
            }
            position.files.extend(reading.files);
            match &what {
                Reading::Statement { at, .. } => position.stated_through = position.stated_through.max(Some(*at)),
                Reading::Pass { started_at, .. } => position.pass_started_at = Some(*started_at),
                Reading::Sweep { .. } | Reading::Window { .. } => {}
            }
            self.end(&shape.name);
        }
        position.reading = read.next;
        let is_done = ends_reading && position.next_group(found, shape.is_dated()).is_empty();
        let observed_at = scan.files.iter().map(|file| file.found.modified_at).max().map_or(*now, |at| at.min(*now));
        Ok(Page {
            records: read.records,
            rejected: read.rejected,
            reading: Some(what),
            ends_reading,
            next: next(shape, &position, is_done, *now)?,
            waits: false,
            observed_at,
            source_total: Some(scan.row_count),
            requests: 0,
            bytes: read.bytes,
        })
    }

    /// What is to be told of the stream; told once.
    pub(super) fn notes(&self, stream: &str) -> Vec<Note> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of) = streams.get_mut(stream) else { return Vec::new() };
        let tally = std::mem::take(&mut of.tally);
        std::mem::take(&mut of.notes).into_iter().chain(tally.notes(stream)).collect()
    }

    /// Takes note of something to tell, once a run.
    pub(super) fn note(&self, stream: &str, note: Note) {
        self.with(stream, |of| {
            if !of.notes.contains(&note) {
                of.notes.push(note);
            }
        });
    }

    fn with<T>(&self, stream: &str, work: impl FnOnce(&mut OfStream) -> T) -> T {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        work(streams.entry(stream.to_owned()).or_default())
    }

    /// The next files whose content is new. Files that were only touched are noted as they are now.
    fn begin(&self, asked: &Asked<'_>, position: &mut Position) -> Result<Option<(Arc<Scan>, InFile)>> {
        let Asked { shape, found, .. } = asked;
        loop {
            let group = position.next_group(found, shape.is_dated());
            if group.is_empty() {
                return Ok(None);
            }
            let looked = look(asked.store, group)?;
            let files = known(&looked);
            let is_same = |(name, now): &(String, Known)| {
                position.files.get(name).is_some_and(|before| before.fingerprint == now.fingerprint)
            };
            let is_whole = shape.is_dated() || files.len() == position.files.len();
            if is_whole && files.iter().all(is_same) {
                position.files.extend(files);
                continue;
            }
            let scan = Arc::new(scan(looked, shape)?);
            for part in &scan.parts {
                let decided = part.decided.map_or(String::new(), |it| format!("{} ({})", it.encoding, it.why));
                info!(stream = shape.name, file = part.name, encoding = decided, "reading a file");
            }
            if shape.is_delta {
                self.read_later_ones_again(asked, position, &scan);
            }
            let start = scan.parts.first().map_or(Place { offset: 0, number: 1 }, |part| part.start);
            self.with(&shape.name, |of| of.scan = Some(Arc::clone(&scan)));
            let reading = InFile { files, index: 0, offset: start.offset, line: start.number };
            return Ok(Some((scan, reading)));
        }
    }

    /// A delta that comes late may change what later ones meant by saying the same as before: they are read again.
    fn read_later_ones_again(&self, asked: &Asked<'_>, position: &mut Position, scan: &Scan) {
        let Some(date) = scan.files.iter().filter_map(|file| file.found.date).max() else { return };
        let later = |known: &Known| known.date.is_some_and(|known| known > date);
        let gone: Vec<String> = position
            .files
            .iter()
            .filter(|(name, known)| later(known) && !asked.found.iter().any(|found| found.name == **name))
            .map(|(name, _)| name.clone())
            .collect();
        if !gone.is_empty() {
            let warned = Error::new(ErrorKind::BadData, "a late delta was read, and later ones are gone")
                .code("E0408")
                .with("stream", &asked.shape.name)
                .with("gone", gone.join(", "))
                .help("put them back and run the sync again: where they repeated a value that the late one changes, that value is needed");
            self.note(&asked.shape.name, Note::warned(warned));
        }
        position.files.retain(|name, known| gone.contains(name) || !later(known));
    }

    /// The look at the files of a reading in progress; repeated when another process began it.
    fn scan_again(&self, asked: &Asked<'_>, reading: &InFile) -> Result<Arc<Scan>> {
        let name = &asked.shape.name;
        let kept = self.with(name, |of| of.scan.clone());
        if let Some(kept) = kept.filter(|kept| known(&kept.files) == reading.files) {
            return Ok(kept);
        }
        let group =
            reading.files.iter().filter_map(|(name, _)| asked.found.iter().find(|found| found.name == *name)).cloned();
        let looked = look(asked.store, group.collect())?;
        if known(&looked) != reading.files {
            return Err(changed(name));
        }
        let scan = Arc::new(scan(looked, asked.shape)?);
        self.with(name, |of| {
            of.scan = Some(Arc::clone(&scan));
            of.open = None;
        });
        Ok(scan)
    }

    fn end(&self, stream: &str) {
        self.with(stream, |of| {
            of.scan = None;
            of.open = None;
        });
    }

    /// What the files state.
    fn reading(&self, asked: &Asked<'_>, scan: &Scan, position: &Position) -> Result<Reading> {
        if let [ScannedFile { found: Found { name, date: Some(date), .. }, fingerprint, .. }] = scan.files.as_slice() {
            let at = end_of(*date, asked.calendar).ok_or_else(|| {
                Error::new(ErrorKind::BadData, "the date of the file is not in the calendar").with("file", name)
            })?;
            return Ok(Reading::Statement {
                at: at.plus_micros(-1),
                name: name.clone(),
                fingerprint: fingerprint.clone(),
                is_delta: asked.shape.is_delta,
            });
        }
        let written_at = scan.files.iter().map(|file| file.found.modified_at).max().unwrap_or(asked.now);
        // A file restored from an older copy still is a later pass than the one before it.
        let started_at =
            position.pass_started_at.map_or(written_at, |last| written_at.max(last.plus_micros(1))).min(asked.now);
        let prints: Vec<&str> = scan.files.iter().map(|file| file.fingerprint.as_str()).collect();
        Ok(Reading::Pass {
            id: format!("{:032x}@{started_at}", xxh3_128(prints.concat().as_bytes())),
            started_at,
            scope: format!("files {}", asked.shape.pattern.as_str()),
        })
    }

    fn read_rows(&self, asked: &Asked<'_>, scan: &Scan, reading: &InFile) -> Result<ReadRows> {
        let shape = asked.shape;
        let Some(part) = scan.parts.get(reading.index) else {
            return Err(Error::new(ErrorKind::Corrupt, "the stored cursor names a file that is not there")
                .help("read the stream again with `nenrin sync --full`"));
        };
        let file = &scan.files[part.file];
        let at = reading.place();
        let kept = self.with(&shape.name, |of| of.open.take());
        let mut rows = match kept {
            Some((index, place, rows)) if (index, place) == (reading.index, at) => rows,
            _ => part.rows(shape, at, Given::Text).map_err(|error| error.with("file", &part.name))?,
        };
        let mut taken = Taking::of(shape, part);
        let is_end = taken.fill(&mut *rows, scan).map_err(|error| error.with("file", &part.name))?;
        asked.store.check_unchanged(&file.found, &file.local)?;
        let place = rows.position();
        let next = match (is_end, scan.parts.get(reading.index + 1)) {
            (false, _) => Some(InFile { offset: place.offset, line: place.number, ..reading.clone() }),
            (true, Some(following)) => {
                let Place { offset, number } = following.start;
                Some(InFile { files: reading.files.clone(), index: reading.index + 1, offset, line: number })
            }
            (true, None) => None,
        };
        self.with(&shape.name, |of| {
            of.tally.add(&part.name, part.decided, &taken.tally);
            of.open = (!is_end).then_some((reading.index, place, rows));
        });
        let Taking { builder, rejected, .. } = taken;
        let bytes = if part.format.is_text() { place.offset.saturating_sub(reading.offset) } else { 0 };
        Ok(ReadRows { records: builder.finish(), rejected, next, bytes })
    }
}

/// The rows of one page on their way.
struct Taking<'a> {
    shape: &'a Shape,
    part: &'a Part,
    deletes: Option<usize>,
    builder: RecordsBuilder,
    rejected: Vec<Rejected>,
    tally: PageTally,
}

impl<'a> Taking<'a> {
    fn of(shape: &'a Shape, part: &'a Part) -> Self {
        let deletes = shape.deletes.as_ref();
        let deletes = deletes.and_then(|(name, _)| part.columns.iter().position(|column| column == name));
        let builder = RecordsBuilder::new(Arc::clone(&part.columns), PAGE_ROWS);
        Taking { shape, part, deletes, builder, rejected: Vec::new(), tally: PageTally::default() }
    }

    /// Takes rows until the page is full; whether the part ended first.
    fn fill(&mut self, rows: &mut dyn Rows, scan: &Scan) -> Result<bool> {
        if let (Some((name, _)), None) = (&self.shape.deletes, self.deletes) {
            return Err(Error::new(ErrorKind::BadData, "the header lacks the column that tells of deletions")
                .with("column", name)
                .help("mend `deletes.column` of the stream"));
        }
        let passed = rows.passed_bytes();
        while self.builder.len() + self.rejected.len() < PAGE_ROWS && rows.passed_bytes() - passed < PAGE_BYTES {
            let Some(step) = rows.next()? else { return Ok(true) };
            if self.part.end.is_some_and(|end| rows.number() >= end) {
                return Ok(true);
            }
            match step {
                Step::Bad(bad) => {
                    self.tally.rows += 1;
                    let place = self.part.place(rows.number(), &bad.place);
                    let reason = match (bad.misfit, self.part.decided) {
                        (Some(misfit), Some(decided)) => {
                            self.tally.misfits.push(format!("{place}: {misfit}"));
                            format!("the line holds bytes that are not {}", decided.encoding)
                        }
                        _ => bad.reason,
                    };
                    self.rejected.push(Rejected { place, key: None, reason, raw: bad.raw });
                }
                Step::Row => match sort_of(rows, self.shape) {
                    Sort::Blank => self.tally.blank += 1,
                    Sort::Total => self.tally.totals += 1,
                    Sort::Record => self.record(rows, scan),
                },
            }
        }
        Ok(false)
    }

    fn record(&mut self, rows: &dyn Rows, scan: &Scan) {
        self.tally.rows += 1;
        let place = self.part.place(rows.number(), "");
        let Some(key) = key_of(rows, &self.part.key) else {
            let reason = format!("the key is empty ({})", self.shape.key.join(", "));
            self.rejected.push(Rejected { place, key: None, reason, raw: rows.to_line() });
            return;
        };
        let places = if scan.conflicts.is_empty() { None } else { scan.conflicts.get(&xxh3_128(key.as_bytes())) };
        if let Some(places) = places {
            let reason = format!("the key stands there more than once with different content: {}", places.join(", "));
            self.rejected.push(Rejected { place, key: Some(key), reason, raw: rows.to_line() });
            return;
        }
        if looks_total(&key) {
            self.tally.looks_total.push(place.clone());
        }
        for column in 0..self.part.columns.len() {
            self.builder.set(column, rows.cell(column));
        }
        let says_gone = self.deletes.and_then(|column| rows.cell(column)).is_some_and(|value| {
            self.shape.deletes.as_ref().is_some_and(|(_, values)| values.iter().any(|gone| gone == value))
        });
        let deleted = says_gone.then_some(DeleteKind::Deleted);
        self.builder.finish_row(RecordHead { key, place, deleted, ..RecordHead::default() });
    }
}

struct ReadRows {
    records: Records,
    rejected: Vec<Rejected>,
    /// Where to go on; `None` when all parts have been read.
    next: Option<InFile>,
    bytes: u64,
}

/// The first instant after what a file states.
pub(super) fn end_of(date: FileDate, calendar: &dyn Calendar) -> Option<Timestamp> {
    match date.day {
        Some(day) => calendar.day_end(date.year, date.month, day),
        None => calendar.month_end(date.year, date.month),
    }
}

fn known(files: &[ScannedFile]) -> Vec<(String, Known)> {
    let known = |file: &ScannedFile| {
        (file.found.name.clone(), Known::of(&file.found, file.fingerprint.clone(), file.found.date))
    };
    files.iter().map(known).collect()
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
    let cursor: Cursor = position.to_cursor()?;
    if !is_done {
        return Ok(Next::More(cursor));
    }
    let complete_through = if shape.is_dated() {
        position.stated_through.map(|at| at.plus_micros(1))
    } else {
        (!position.files.is_empty()).then_some(now)
    };
    Ok(Next::Done { cursor, complete_through })
}
