//! Rows through an ODBC driver.
//!
//! Where all columns have a length that is not too long, rows come many at a time through arrow-odbc. It cannot tell a
//! character that it had to replace from one that is in the database, and a driver may cut off what is longer than it said; when
//! either is seen the page is asked for again and read value by value, in parts as long as each value is. So are pages with
//! columns that have no length.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow_odbc::arrow::array::{Array, AsArray};
use arrow_odbc::arrow::datatypes::{DataType as ArrowType, Field, Schema};
use arrow_odbc::arrow::error::ArrowError;
use arrow_odbc::arrow::record_batch::RecordBatch;
use arrow_odbc::odbc_api::{Connection, Cursor, DataType, Error as OdbcError, ResultSetMetadata};
use arrow_odbc::{OdbcReaderBuilder, TextEncoding};
use tokio::sync::mpsc;

use super::{Gather, Kind, Line, Span, within};
use crate::connect::canonical;
use crate::connect::sql::config::Engine;
use crate::connect::sql::form::{Form, base64, unhex};
use crate::connect::sql::link::Failure;
use crate::connect::sql::odbc::{Bridge, begin, broken, run};

/// Columns of more characters, or bytes, than this are read value by value.
const LONGEST: usize = 4_000;
/// Rows that come at a time, at the most.
const ROWS: usize = 1_000;
/// The memory in which they come.
const BYTES: usize = 32 << 20;
/// How much is handed on at a time.
const BATCH_BYTES: usize = 256 << 10;
/// What stands for a character that could not be converted.
const REPLACED: char = '\u{fffd}';

/// How a cell comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Text,
    Bytes,
    /// As a literal of SQLite's, which tells the value's type.
    Literal,
}

fn cell_of(engine: Engine, form: Form) -> Cell {
    match (engine, form) {
        (Engine::Sqlite, Form::Dynamic) => Cell::Literal,
        // PostgreSQL writes its bytes as text.
        (engine, Form::Bytes) if engine != Engine::Postgresql => Cell::Bytes,
        _ => Cell::Text,
    }
}

/// Rows on their way to who waits for them.
#[derive(Debug, Default)]
struct Batch {
    rows: Gather,
    /// Where the text of each row begins.
    starts: Vec<usize>,
}

/// What the connection's thread sends.
type Message = Result<Option<Batch>, Failure>;

pub(super) async fn rows(
    bridge: &Bridge,
    statement: &str,
    forms: &[Form],
    patience: Duration,
    take: &mut (dyn FnMut(Line<'_>) + Send),
) -> Result<u64, Failure> {
    let (sender, mut inbox) = mpsc::channel::<Message>(2);
    let job = Job {
        engine: bridge.engine,
        statement: statement.to_owned(),
        cells: forms.iter().map(|form| cell_of(bridge.engine, *form)).collect(),
        secs: bridge.timeout.as_secs(),
        is_by_value: bridge.is_by_value(),
    };
    let by_value = bridge.by_value();
    bridge.submit(Box::new(move |connection| {
        let end = job.send_all(connection, &sender).map(|()| None);
        if matches!(end, Err(Failure::AnotherWay)) {
            by_value.store(true, Ordering::Relaxed);
        }
        let _ = sender.blocking_send(end);
    }))?;
    let (mut bytes, cells) = (0u64, forms.len());
    loop {
        let batch = match within(patience, inbox.recv()).await?.ok_or_else(broken)?? {
            Some(batch) => batch,
            None => return Ok(bytes),
        };
        bytes += batch.rows.data.len() as u64;
        for (row, start) in batch.starts.iter().enumerate() {
            let end = batch.starts.get(row + 1).copied().unwrap_or(batch.rows.data.len());
            take(Line {
                data: &batch.rows.data[*start..end],
                spans: &batch.rows.spans[row * cells..(row + 1) * cells],
            });
        }
    }
}

/// A statement whose rows are wanted.
struct Job {
    engine: Engine,
    statement: String,
    cells: Vec<Cell>,
    secs: u64,
    is_by_value: bool,
}

impl Job {
    fn send_all(&self, connection: &Connection<'static>, sender: &mpsc::Sender<Message>) -> Result<(), Failure> {
        if let Some(begin) = begin(self.engine) {
            // What was asked of the catalogue may have begun one.
            connection.rollback()?;
            run(connection, begin, self.secs)?;
        }
        if let Some(mut cursor) = run(connection, &self.statement, self.secs)? {
            let columns = usize::try_from(cursor.num_result_cols()?).unwrap_or_default();
            if columns != self.cells.len() {
                return Err(Failure::Protocol(format!("a row has {columns} cells instead of {}", self.cells.len())));
            }
            if !self.is_by_value && is_short(&mut cursor, columns)? {
                self.send_many(cursor, sender)?;
            } else {
                self.send_each(cursor, sender)?;
            }
        }
        if begin(self.engine).is_some() {
            connection.commit()?;
        }
        Ok(())
    }

    /// Many rows at a time.
    fn send_many(&self, cursor: impl Cursor, sender: &mpsc::Sender<Message>) -> Result<(), Failure> {
        let field = |(at, cell): (usize, &Cell)| {
            let kind = if *cell == Cell::Bytes { ArrowType::Binary } else { ArrowType::Utf8 };
            Field::new(format!("c{at}"), kind, true)
        };
        let schema = Schema::new(self.cells.iter().enumerate().map(field).collect::<Vec<_>>());
        let reader = OdbcReaderBuilder::new()
            .with_schema(Arc::new(schema))
            .with_payload_text_encoding(TextEncoding::Utf16)
            .with_max_num_rows_per_batch(ROWS)
            .with_max_bytes_per_batch(BYTES)
            .with_fallibale_allocations(true)
            .build(cursor);
        // A row that is too wide to come in one piece.
        let Ok(reader) = reader else { return Err(Failure::AnotherWay) };
        for records in reader {
            let batch = self.batch_of(&records.map_err(failure_of)?)?;
            if sender.blocking_send(Ok(Some(batch))).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn batch_of(&self, records: &RecordBatch) -> Result<Batch, Failure> {
        let mut batch = Batch::default();
        for row in 0..records.num_rows() {
            batch.starts.push(batch.rows.data.len());
            let start = batch.rows.data.len();
            for (cell, column) in self.cells.iter().zip(records.columns()) {
                if column.is_null(row) {
                    batch.push(start, Kind::Null, &[]);
                } else if *cell == Cell::Bytes {
                    batch.push(start, Kind::Bytes, base64(column.as_binary::<i32>().value(row)).as_bytes());
                } else {
                    let text = column.as_string::<i32>().value(row);
                    if text.contains(REPLACED) {
                        return Err(Failure::AnotherWay);
                    }
                    batch.push_text(start, *cell, text);
                }
            }
        }
        Ok(batch)
    }

    /// One value after the other.
    fn send_each(&self, mut cursor: impl Cursor, sender: &mpsc::Sender<Message>) -> Result<(), Failure> {
        let (mut batch, mut wide, mut bytes, mut text) = (Batch::default(), Vec::new(), Vec::new(), Vec::new());
        while let Some(mut row) = cursor.next_row()? {
            let start = batch.rows.data.len();
            batch.starts.push(start);
            for (at, cell) in (1u16..).zip(&self.cells) {
                if *cell == Cell::Bytes {
                    match row.get_binary(at, &mut bytes)? {
                        true => batch.push(start, Kind::Bytes, base64(&bytes).as_bytes()),
                        false => batch.push(start, Kind::Null, &[]),
                    }
                } else if row.get_wide_text(at, &mut wide)? {
                    text.clear();
                    utf8_of(&wide, &mut text);
                    match std::str::from_utf8(&text) {
                        Ok(text) => batch.push_text(start, *cell, text),
                        Err(_) => batch.push(start, Kind::Text, &text),
                    }
                } else {
                    batch.push(start, Kind::Null, &[]);
                }
            }
            if batch.rows.data.len() >= BATCH_BYTES
                && sender.blocking_send(Ok(Some(std::mem::take(&mut batch)))).is_err()
            {
                return Ok(());
            }
        }
        let _ = sender.blocking_send(Ok(Some(batch)));
        Ok(())
    }
}

impl Batch {
    /// Puts a cell into the row whose text begins at `start`.
    fn push(&mut self, start: usize, kind: Kind, text: &[u8]) {
        let from = self.rows.data.len() - start;
        self.rows.data.extend_from_slice(text);
        self.rows.spans.push(Span { start: from, end: self.rows.data.len() - start, kind });
    }

    fn push_text(&mut self, start: usize, cell: Cell, text: &str) {
        if cell != Cell::Literal {
            return self.push(start, Kind::Text, text.as_bytes());
        }
        match value_of(text) {
            (kind, Some(value)) => self.push(start, kind, value.as_bytes()),
            (kind, None) => self.push(start, kind, text.as_bytes()),
        }
    }
}

/// The value of a literal as SQLite's `quote` writes it; `None` where it is the literal itself.
fn value_of(literal: &str) -> (Kind, Option<String>) {
    if literal == "NULL" {
        return (Kind::Null, Some(String::new()));
    }
    if let Some(text) = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return (Kind::Text, Some(text.replace("''", "'")));
    }
    if let Some(hex) = literal.strip_prefix("X'").and_then(|rest| rest.strip_suffix('\'')) {
        return (Kind::Bytes, unhex(hex).map(|bytes| base64(&bytes)));
    }
    let is_integer = literal.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match literal.parse::<f64>() {
        Ok(number) if !is_integer => (Kind::Number, Some(canonical::number(&format!("{number:?}")).into_owned())),
        _ => (Kind::Number, None),
    }
}

/// Whether all columns have a length, and none is long.
fn is_short(cursor: &mut impl Cursor, columns: usize) -> Result<bool, Failure> {
    for column in 1..=u16::try_from(columns).unwrap_or(u16::MAX) {
        let is_short = match cursor.col_data_type(column)? {
            DataType::Char { length }
            | DataType::WChar { length }
            | DataType::Varchar { length }
            | DataType::WVarchar { length }
            | DataType::Varbinary { length }
            | DataType::Binary { length } => length.is_some_and(|length| length.get() <= LONGEST),
            DataType::Unknown
            | DataType::LongVarchar { .. }
            | DataType::WLongVarchar { .. }
            | DataType::LongVarbinary { .. }
            | DataType::Other { .. } => false,
            _ => true,
        };
        if !is_short {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What arrow-odbc stumbled over.
fn failure_of(error: ArrowError) -> Failure {
    match error {
        ArrowError::ExternalError(cause) => match cause.downcast::<OdbcError>() {
            Ok(error) => match *error {
                OdbcError::TooLargeValueForBuffer { .. } => Failure::AnotherWay,
                error => error.into(),
            },
            Err(_) => Failure::AnotherWay,
        },
        _ => Failure::AnotherWay,
    }
}

/// The text in UTF-8. Half of a pair, which is no character, gives bytes that are no UTF-8.
fn utf8_of(wide: &[u16], text: &mut Vec<u8>) {
    let mut memory = [0; 4];
    for unit in char::decode_utf16(wide.iter().copied()) {
        match unit {
            Ok(character) => text.extend_from_slice(character.encode_utf8(&mut memory).as_bytes()),
            Err(half) => {
                let unit = half.unpaired_surrogate();
                let low = |bits: u16| u8::try_from(bits & 0x3f).unwrap_or_default() | 0x80;
                text.extend([0xed, low(unit >> 6), low(unit)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_sqlite_tell_the_type_of_their_value() {
        for (literal, kind, value) in [
            ("NULL", Kind::Null, ""),
            ("'it''s 東京'", Kind::Text, "it's 東京"),
            ("''", Kind::Text, ""),
            ("X'00FF68'", Kind::Bytes, "AP9o"),
            ("-7", Kind::Number, "-7"),
            ("0.1", Kind::Number, "0.1"),
            ("1.0e+20", Kind::Number, "100000000000000000000"),
        ] {
            let (found, text) = value_of(literal);
            assert_eq!((found, text.as_deref().unwrap_or(literal)), (kind, value), "{literal}");
        }
    }

    #[test]
    fn half_a_pair_is_no_text() {
        let mut text = Vec::new();
        utf8_of(&"樹𠮷".encode_utf16().collect::<Vec<_>>(), &mut text);
        assert_eq!(std::str::from_utf8(&text).unwrap(), "樹𠮷");
        text.clear();
        utf8_of(&[0x6a39, 0xd842], &mut text);
        assert!(std::str::from_utf8(&text).is_err());
        assert_eq!(&text[3..], [0xed, 0xa1, 0x82]);
    }
}
