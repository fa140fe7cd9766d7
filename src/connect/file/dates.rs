//! Which files there are, and what day each states: by its name, or by a cell in it.

use tracing::info;

use super::page::{Reader, end_of};
use super::part::{Bytes, Part};
use super::pattern::{FileDate, Fit};
use super::position::Position;
use super::shape::{DateCell, Shape};
use super::store::{Found, Store, sort};
use crate::clock::Timestamp;
use crate::connect::registry::Calendar;
use crate::connect::source::Note;
use crate::error::{Error, ErrorKind, Result};

/// A file may be written this long before the day ends that it states: the month under way.
const AHEAD_SECS: i64 = 32 * 86_400;

/// Lists the files of a stream with what each states. Files whose date makes no sense are left out and told.
///
/// # Errors
///
/// When the folder, or a file whose date stands in it, cannot be read.
pub(super) fn list(
    store: &Store,
    shape: &Shape,
    known: &Position,
    reader: &Reader,
    now: Timestamp,
    calendar: &dyn Calendar,
) -> Result<Vec<Found>> {
    let mut listing = store.list(&shape.pattern)?;
    if let Some(cell) = &shape.date_cell {
        let mut found = Vec::with_capacity(listing.found.len());
        for file in listing.found {
            let before = known.files.get(&file.name).filter(|known| known.is_as(&file)).and_then(|known| known.date);
            let under_way = known.reading.iter().flat_map(|reading| &reading.files);
            let before = before.or_else(|| {
                let mut same = under_way.filter(|(name, known)| *name == file.name && known.is_as(&file));
                same.next().and_then(|(_, known)| known.date)
            });
            match before.map_or_else(|| in_cell(store, shape, cell, &file), |date| Ok(Ok(date)))? {
                Ok(date) => found.push(Found { date: Some(date), ..file }),
                Err(reason) => listing.undated.push((file.name, reason)),
            }
        }
        sort(&mut found);
        listing.found = found;
    }
    let is_past = |found: &Found| {
        // Our own clock may be wrong; when the file was written is as good.
        let latest = now.max(found.modified_at).plus_secs(AHEAD_SECS);
        found.date.and_then(|date| end_of(date, calendar)).is_none_or(|end| end <= latest)
    };
    let (found, future): (Vec<Found>, Vec<Found>) = listing.found.into_iter().partition(is_past);
    for file in future {
        let shown = file.date.map_or(String::new(), |date| format!("{}-{:02}", date.year, date.month));
        listing.undated.push((file.name, format!("{shown} lies in the future")));
    }
    for (file, reason) in listing.undated {
        info!(stream = shape.name, file, reason, "a file has no date that makes sense");
        let warned = Error::new(ErrorKind::BadData, "a file is not read: its date makes no sense")
            .code("E0407")
            .with("stream", &shape.name)
            .with("file", file)
            .with("why", reason)
            .help("mend the date in its name or cell, or take the file away");
        reader.note(&shape.name, Note::warned(warned));
    }
    Ok(found)
}

/// What the cell says, or why it says no date.
fn in_cell(store: &Store, shape: &Shape, cell: &DateCell, file: &Found) -> Result<Result<FileDate, String>> {
    let place = |error: Error| error.with("file", &file.name);
    let local = store.bring(file).map_err(place)?;
    let parts = Bytes::of(shape, &file.name, &local).map_err(place)?;
    let Some((bytes, name)) = parts.first() else { return Ok(Err("the file is empty".to_owned())) };
    let text = Part::title_cell(shape, bytes, name, cell.row, cell.column).map_err(place)?;
    let Some(text) = text else { return Ok(Err(format!("the cell {} is empty", cell.cell))) };
    let mut reason = format!("the cell {} does not look like {}", cell.cell, cell.like[0].as_str());
    for like in &cell.like {
        match like.matches(text.trim()) {
            Fit::Dated(date) => return Ok(Ok(date)),
            Fit::NoDate(why) => reason = format!("the cell {}: {why}", cell.cell),
            Fit::No | Fit::Undated => {}
        }
    }
    Ok(Err(reason))
}
