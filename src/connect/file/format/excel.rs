//! A sheet of a workbook, put aside as rows.
//!
//! Numbers are the shortest text of what the workbook stores (integers without `.0`), dates by the format of their
//! cells as `2025-10-01` or `2025-10-01 09:30:00`, durations as `26:30:00`. Formulas count with the value that was
//! stored with them, hidden rows and columns like others. A row with an error cell (`#N/A`) is no record: what belongs
//! there is not known.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use calamine::{Data, DataRef, Dimensions, ExcelDateTime, Reader, Sheets, Xlsb, Xlsx};

use super::stored::Stored;
use super::{quoted, unreadable};
use crate::connect::canonical;
use crate::error::{Error, ErrorKind, Result};

/// Puts the sheet `wanted` (a name, or a number from 1) of a workbook aside; the first rows, `header_rows` behind
/// `skip_rows`, have their merged cells filled. Only the first `rows` rows, where so many are enough.
///
/// # Errors
///
/// Bad data when it is no workbook or has no such sheet.
pub(in crate::connect::file) fn store_sheet(
    path: &Path,
    name: &str,
    wanted: Option<&str>,
    header: std::ops::Range<u32>,
    rows: Option<u32>,
) -> Result<(File, String)> {
    let mut book = open(path, name)?;
    let sheet = named(&book.sheet_names(), wanted)?;
    let merged: Vec<Dimensions> = match &mut book {
        Sheets::Xlsx(book) => book.merge_cells_by_sheet_name(&sheet).unwrap_or_default(),
        Sheets::Xls(book) => book.merge_cells_by_sheet_name(&sheet).unwrap_or_default(),
        Sheets::Xlsb(_) | Sheets::Ods(_) => Vec::new(),
    };
    let merged = merged.into_iter().filter(|area| header.contains(&area.start.0)).collect();
    let stored = Stored::begin().map_err(unreadable)?;
    let mut writer = Writer { stored, header, merged, rows, row: None, cells: Vec::new(), error: None };
    match &mut book {
        Sheets::Xlsx(book) => read_xlsx(book, &sheet, &mut writer)?,
        Sheets::Xlsb(book) => read_xlsb(book, &sheet, &mut writer)?,
        other => {
            let range = other.worksheet_range(&sheet).map_err(damaged)?;
            let (row, column) = range.start().unwrap_or_default();
            for (at_row, at_column, value) in range.used_cells() {
                let place = (row + short(at_row), column + short(at_column));
                if !writer.cell(place, value.clone()).map_err(unreadable)? {
                    break;
                }
            }
        }
    }
    let file = writer.finish().map_err(unreadable)?;
    Ok((file, sheet))
}

type Book = Sheets<BufReader<File>>;

/// Opens a workbook by what its name says.
fn open(path: &Path, name: &str) -> Result<Book> {
    let file = || File::open(path).map(BufReader::new).map_err(unreadable);
    let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    let opened = match ending.as_str() {
        "xls" => calamine::Xls::new(file()?).map(Sheets::Xls).map_err(calamine::Error::Xls),
        "xlsb" => Xlsb::new(file()?).map(Sheets::Xlsb).map_err(calamine::Error::Xlsb),
        "ods" => calamine::Ods::new(file()?).map(Sheets::Ods).map_err(calamine::Error::Ods),
        _ => Xlsx::new(file()?).map(Sheets::Xlsx).map_err(calamine::Error::Xlsx),
    };
    opened.map_err(|error| {
        let mut start = [0; 512];
        let read = file().ok().and_then(|mut file| io::Read::read(&mut file, &mut start).ok()).unwrap_or(0);
        let start = &start[..read];
        let help = if start.starts_with(b"\xD0\xCF\x11\xE0") && ending != "xls" {
            "it has a password: save it without one"
        } else if start.trim_ascii_start().starts_with(b"<") {
            "it is a web page or XML under the name of a workbook, as some systems export it: save it as .xlsx, or export CSV"
        } else if start.starts_with(b"PK") && ending == "xls" {
            "it is an .xlsx under another name: rename it"
        } else if !start.contains(&0) {
            "it is text under the name of a workbook: say `format: csv` or `format: tsv` in the stream"
        } else {
            "open it in a spreadsheet and save it again"
        };
        damaged(error).help(help)
    })
}

fn damaged(error: calamine::Error) -> Error {
    Error::new(ErrorKind::BadData, "the workbook cannot be read")
        .help("open it in a spreadsheet and save it again")
        .caused_by(error)
}

/// The name of the wanted sheet; the first where none is.
fn named(sheets: &[String], wanted: Option<&str>) -> Result<String> {
    let found = match wanted {
        None => sheets.first(),
        Some(wanted) => sheets.iter().find(|name| *name == wanted).or_else(|| {
            wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).and_then(|at| sheets.get(at))
        }),
    };
    found.cloned().ok_or_else(|| {
        let names: Vec<String> = sheets.iter().map(|name| format!("`{name}`")).collect();
        Error::new(ErrorKind::BadData, "the workbook has no such sheet")
            .with("sheet", wanted.unwrap_or("the first"))
            .with("sheets", names.join(", "))
            .help("mend `sheet` of the stream: a name, or a number from 1")
    })
}

fn read_xlsx(book: &mut Xlsx<BufReader<File>>, sheet: &str, writer: &mut Writer) -> Result<()> {
    let failed = |error| damaged(calamine::Error::Xlsx(error));
    let mut cells = book.worksheet_cells_reader(sheet).map_err(failed)?;
    while let Some(cell) = cells.next_cell().map_err(failed)? {
        if !writer.cell(cell.get_position(), owned(cell.get_value())).map_err(unreadable)? {
            break;
        }
    }
    Ok(())
}

fn read_xlsb(book: &mut Xlsb<BufReader<File>>, sheet: &str, writer: &mut Writer) -> Result<()> {
    let failed = |error| damaged(calamine::Error::Xlsb(error));
    let mut cells = book.worksheet_cells_reader(sheet).map_err(failed)?;
    while let Some(cell) = cells.next_cell().map_err(failed)? {
        if !writer.cell(cell.get_position(), owned(cell.get_value())).map_err(unreadable)? {
            break;
        }
    }
    Ok(())
}

fn owned(value: &DataRef<'_>) -> Data {
    Data::from(value.clone())
}

fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Puts cells together to rows.
struct Writer {
    stored: Stored,
    header: std::ops::Range<u32>,
    merged: Vec<Dimensions>,
    /// How many rows are enough.
    rows: Option<u32>,
    /// The row in hand, from 0.
    row: Option<u32>,
    cells: Vec<Option<String>>,
    /// The first error cell of the row: its column, and what it says.
    error: Option<(u32, String)>,
}

impl Writer {
    /// Takes the next cell in; whether more are wanted.
    fn cell(&mut self, (row, column): (u32, u32), value: Data) -> io::Result<bool> {
        if self.rows.is_some_and(|rows| row >= rows) {
            return Ok(false);
        }
        if self.row != Some(row) {
            self.end_row()?;
            self.row = Some(row);
        }
        let text = match value {
            Data::Error(error) => {
                self.error.get_or_insert((column, error.to_string()));
                Some(error.to_string())
            }
            other => text_of(&other),
        };
        let at = column as usize;
        if self.cells.len() <= at {
            self.cells.resize(at + 1, None);
        }
        self.cells[at] = text;
        Ok(true)
    }

    fn end_row(&mut self) -> io::Result<()> {
        let Some(row) = self.row.take() else { return Ok(()) };
        if self.header.contains(&row) {
            self.fill(row);
        }
        let cells = std::mem::take(&mut self.cells);
        let number = row.saturating_add(1);
        match self.error.take() {
            Some((column, error)) => {
                let raw: Vec<String> = cells.iter().map(|cell| quoted(cell.as_deref().unwrap_or_default())).collect();
                let place = format!("{}{number}", letters(column));
                self.stored.bad(number, &place, &format!("an error cell: {error}"), &raw.join(","))
            }
            None => self.stored.row(number, &cells),
        }
    }

    /// Fills cells of a header that are merged with others from the left one of them.
    fn fill(&mut self, row: u32) {
        for area in &self.merged {
            let (first, last) = (area.start.1 as usize, area.end.1 as usize);
            if area.start.0 != row {
                continue;
            }
            let text = self.cells.get(first).cloned().flatten();
            if self.cells.len() <= last {
                self.cells.resize(last + 1, None);
            }
            self.cells[first..=last].fill(text);
        }
    }

    fn finish(mut self) -> io::Result<File> {
        self.end_row()?;
        self.stored.finish()
    }
}

/// `A` for 0, `AA` for 26.
pub(in crate::connect::file) fn letters(column: u32) -> String {
    let mut text = String::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = (rest - 1) % 26;
        text.insert(0, char::from(b'A' + u8::try_from(digit).unwrap_or(0)));
        rest = (rest - 1) / 26;
    }
    text
}

/// The text of a cell; what is empty is nothing.
fn text_of(value: &Data) -> Option<String> {
    let text = match value {
        Data::Empty | Data::Error(_) => return None,
        Data::String(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => canonical::number(&number.to_string()).into_owned(),
        Data::Bool(value) => value.to_string(),
        Data::DateTime(at) => date_text(at),
        Data::DateTimeIso(text) => text.strip_suffix("T00:00:00").unwrap_or(text).to_owned(),
        Data::DurationIso(text) => text.clone(),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Milliseconds of a day.
const DAY_MS: f64 = 86_400_000.0;

fn date_text(at: &ExcelDateTime) -> String {
    let time = |hours: u64, minutes, seconds, millis| match millis {
        0 => format!("{hours:02}:{minutes:02}:{seconds:02}"),
        millis => format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}"),
    };
    let serial = at.as_f64();
    if !serial.is_finite() || serial < 0.0 {
        return canonical::number(&serial.to_string()).into_owned();
    }
    // A time of day alone, or so much time.
    if at.is_duration() || serial < 1.0 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative, and far below 2^53
        let ms = (serial * DAY_MS).round() as u64;
        return time(ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000);
    }
    let (year, month, day, hour, minute, second, millis) = at.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second, millis) {
        (0, 0, 0, 0) => date,
        _ => format!("{date} {}", time(u64::from(hour), minute.into(), second.into(), millis.into())),
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn values_are_written_as_people_see_them() {
        let at = |serial, kind| Data::DateTime(ExcelDateTime::new(serial, kind, false));
        let (date, duration) = (ExcelDateTimeType::DateTime, ExcelDateTimeType::TimeDelta);
        for (value, text) in [
            (Data::Float(1200.0), "1200"),
            (Data::Float(1.1), "1.1"),
            (Data::Float(-0.000001), "-0.000001"),
            (Data::Float(123_456_789_012_345.0), "123456789012345"),
            (Data::Bool(true), "true"),
            (at(45931.0, date), "2025-10-01"),
            (at(45931.5, date), "2025-10-01 12:00:00"),
            (at(0.395_833_333_333_333_3, date), "09:30:00"),
            (at(1.104_166_666_666_666_7, duration), "26:30:00"),
            (Data::DateTimeIso("2025-10-01T00:00:00".into()), "2025-10-01"),
        ] {
            assert_eq!(text_of(&value).as_deref(), Some(text), "{value:?}");
        }
        assert_eq!((text_of(&Data::Empty), text_of(&Data::String(String::new()))), (None, None));
    }

    #[test]
    fn columns_are_called_as_in_the_sheet() {
        assert_eq!([0, 25, 26, 701, 702].map(letters), ["A", "Z", "AA", "ZZ", "AAA"]);
    }

    #[test]
    fn a_sheet_is_found_by_name_or_number() {
        let sheets = ["売上".to_owned(), "2".to_owned(), "顧客".to_owned()];
        for (wanted, name) in [(None, "売上"), (Some("顧客"), "顧客"), (Some("2"), "2"), (Some("3"), "顧客")] {
            assert_eq!(named(&sheets, wanted).unwrap(), name);
        }
        let error = named(&sheets, Some("受注")).unwrap_err();
        assert!(error.render().contains("sheets: `売上`, `2`, `顧客`"));
    }
}
