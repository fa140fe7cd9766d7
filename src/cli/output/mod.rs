//! The one place that prints results: as a table for people, JSON, JSON lines, CSV or Parquet.
//!
//! What every format guarantees:
//! - Numbers are exact. In JSON, integers and decimals are number tokens written digit by digit (never by way
//!   of a float), so `1200.50` stays `1200.50`; read them with a parser that keeps decimals where that matters.
//!   CSV holds the same text; Parquet the typed value; tables group digits by three.
//! - Days are `2025-10-31`, instants RFC 3339 in UTC, booleans `true` and `false`.
//! - No value is `null` in JSON, nothing at all in CSV (empty text is `""`), blank in a table.
//! - Columns keep their order and rows theirs. A column name that occurs twice gets a number (`name_2`),
//!   since most readers of JSON would keep only one.

mod grid;
mod table;
mod value;

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;

use crate::cli::context::OutputFormat;
use crate::error::{Error, ErrorKind, Result};

pub use grid::{Align, Look, cut, draw, pad, thousands};
pub use table::{Cell, Column, Kind, Table};

use value::Shown;

/// Prints a small table; people see labels, programs names.
pub fn print_table(table: &Table, format: OutputFormat, color: bool, out: &mut dyn Write) -> Result<()> {
    if format == OutputFormat::Table {
        let look = Look { color, width: terminal_width() };
        return write(out, table.draw(look)?.as_bytes());
    }
    let batch = table.to_batch()?;
    print_rows(&batch.schema(), std::slice::from_ref(&batch), format, color, out)
}

/// Prints batches of one schema; without any batch there are no columns to show, see [`print_rows`].
pub fn print_batches(batches: &[RecordBatch], format: OutputFormat, color: bool, out: &mut dyn Write) -> Result<()> {
    let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    print_rows(&schema, batches, format, color, out)
}

/// Prints batches of `schema`, which is shown (header of a table, CSV and Parquet) even when there are no rows.
///
/// # Errors
///
/// [`ErrorKind::Storage`] when `out` cannot be written; a reader that went away (`| head`) is no error.
pub fn print_rows(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    format: OutputFormat,
    color: bool,
    out: &mut dyn Write,
) -> Result<()> {
    match format {
        OutputFormat::Table => {
            write(out, draw_batches(schema, batches, Look { color, width: terminal_width() })?.as_bytes())
        }
        OutputFormat::Json => print_json(schema, batches, out),
        OutputFormat::Jsonl => print_jsonl(schema, batches, out),
        OutputFormat::Csv => print_csv(schema, batches, out),
        OutputFormat::Parquet => print_parquet(schema, batches, out),
    }
}

/// Prints one JSON document, indented, for commands whose answer is not a table.
pub fn print_document(document: &serde_json::Value, out: &mut dyn Write) -> Result<()> {
    write(out, format!("{document:#}\n").as_bytes())
}

/// Refuses to send bytes that no person can read to a terminal.
///
/// # Errors
///
/// [`ErrorKind::Usage`] for Parquet on a terminal.
pub fn check_destination(format: OutputFormat) -> Result<()> {
    if format == OutputFormat::Parquet && io::stdout().is_terminal() {
        return Err(Error::new(ErrorKind::Usage, "a parquet file is not for a terminal")
            .help("redirect it, for example: -o parquet > result.parquet"));
    }
    Ok(())
}

/// The display columns of the terminal on standard output; `None` when it is not one.
pub fn terminal_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// The table that people see.
fn draw_batches(schema: &Schema, batches: &[RecordBatch], look: Look) -> Result<String> {
    let align = |field: &Field| if is_number(field.data_type()) { Align::Right } else { Align::Left };
    let columns: Vec<_> = schema.fields().iter().map(|field| (field.name().clone(), align(field))).collect();
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| Ok(for_people(shown(column, row)?)));
            rows.push(cells.collect::<Result<Vec<_>>>()?);
        }
    }
    Ok(grid::draw(&columns, &rows, look))
}

fn for_people(value: Shown<'_>) -> String {
    match value {
        Shown::Null => String::new(),
        Shown::Boolean(value) => value.to_string(),
        Shown::Number(text) => thousands(&text),
        Shown::Text(text) => text.into_owned(),
        Shown::Json(text) => text,
    }
}

/// An array of objects, one a line, so that it can be read by people and cut by line tools too.
fn print_json(schema: &Schema, batches: &[RecordBatch], out: &mut dyn Write) -> Result<()> {
    let names = unique_names(schema);
    let mut text = String::from("[");
    let mut separator = "\n";
    for batch in batches {
        for row in 0..batch.num_rows() {
            text.push_str(separator);
            text.push_str(&json_object(&names, batch, row)?);
            separator = ",\n";
        }
        write(out, text.as_bytes())?;
        text.clear();
    }
    text.push_str(if separator == "\n" { "]\n" } else { "\n]\n" });
    write(out, text.as_bytes())
}

fn print_jsonl(schema: &Schema, batches: &[RecordBatch], out: &mut dyn Write) -> Result<()> {
    let names = unique_names(schema);
    for batch in batches {
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            text.push_str(&json_object(&names, batch, row)?);
            text.push('\n');
        }
        write(out, text.as_bytes())?;
    }
    Ok(())
}

fn json_object(names: &[String], batch: &RecordBatch, row: usize) -> Result<String> {
    let columns = batch.columns().iter().map(|column| column.as_ref() as &dyn Array);
    value::object(names.iter().map(String::as_str).zip(columns), row)
}

/// RFC 4180: comma, CRLF, quotes doubled; no value is an empty field, empty text a quoted one.
fn print_csv(schema: &Schema, batches: &[RecordBatch], out: &mut dyn Write) -> Result<()> {
    let names = unique_names(schema);
    if names.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    push_csv_line(&mut text, names.iter().map(|name| Some(name.clone())));
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| {
                Ok(match shown(column, row)? {
                    Shown::Null => None,
                    Shown::Boolean(value) => Some(value.to_string()),
                    Shown::Number(text) | Shown::Json(text) => Some(text),
                    Shown::Text(text) => Some(text.into_owned()),
                })
            });
            push_csv_line(&mut text, cells.collect::<Result<Vec<_>>>()?.into_iter());
        }
        write(out, text.as_bytes())?;
        text.clear();
    }
    write(out, text.as_bytes())
}

fn push_csv_line(text: &mut String, cells: impl Iterator<Item = Option<String>>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        match cell {
            None => {}
            Some(cell) if cell.is_empty() || cell.contains([',', '"', '\r', '\n']) => {
                text.push('"');
                text.push_str(&cell.replace('"', "\"\""));
                text.push('"');
            }
            Some(cell) => text.push_str(&cell),
        }
    }
    text.push_str("\r\n");
}

fn print_parquet(schema: &Schema, batches: &[RecordBatch], out: &mut dyn Write) -> Result<()> {
    let failed = |error| Error::new(ErrorKind::Internal, "could not write a parquet file").caused_by(error);
    let fields = schema.fields().iter().zip(unique_names(schema));
    let fields = fields.map(|(field, name)| field.as_ref().clone().with_name(name).with_nullable(true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, Arc::clone(&schema), None).map_err(failed)?;
    for batch in batches {
        let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())
            .map_err(|error| Error::new(ErrorKind::Internal, "batches of different schemas").caused_by(error))?;
        writer.write(&batch).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    write(out, &file)
}

fn shown(column: &Arc<dyn Array>, row: usize) -> Result<Shown<'_>> {
    value::shown(column.as_ref(), row)
}

fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        other => other.is_numeric(),
    }
}

fn unique_names(schema: &Schema) -> Vec<String> {
    let mut taken: HashSet<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut seen = HashSet::new();
    let names = schema.fields().iter().map(|field| {
        if seen.insert(field.name()) {
            return field.name().clone();
        }
        let mut number = 2;
        while !taken.insert(format!("{}_{number}", field.name())) {
            number += 1;
        }
        format!("{}_{number}", field.name())
    });
    names.collect()
}

pub(crate) fn write(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Error::new(ErrorKind::Storage, "could not write the result").caused_by(error)),
    }
}

#[cfg(test)]
mod tests;
