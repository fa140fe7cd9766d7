//! Rows of a Parquet file: every type as its exact text.

use std::fs::File;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::arrow::util::display::FormatOptions;
use datafusion::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::value::RawValue;

use super::{Rows, Step};
use crate::connect::canonical;
use crate::connect::file::lines::Place;
use crate::error::{Error, ErrorKind, Result};

/// Rows that are taken at a time.
const BATCH_ROWS: usize = 4_096;

/// Gives the rows of a Parquet file.
pub(in crate::connect::file) struct ParquetRows {
    reader: ParquetRecordBatchReader,
    columns: Vec<String>,
    batch: Vec<StringArray>,
    batch_rows: usize,
    /// The row given last within the batch, from 1.
    at: usize,
    /// Rows before this batch, in the file.
    before: u64,
}

impl ParquetRows {
    /// Rows from the one behind the first `offset` on.
    ///
    /// # Errors
    ///
    /// Bad data when it is no Parquet.
    pub(in crate::connect::file) fn open(file: File, offset: u64) -> Result<ParquetRows> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
        let columns = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        let reader = builder.with_batch_size(BATCH_ROWS).with_offset(skipped).build().map_err(damaged)?;
        Ok(ParquetRows { reader, columns, batch: Vec::new(), batch_rows: 0, at: 0, before: offset })
    }

    /// The names of the columns.
    pub(in crate::connect::file) fn columns(&self) -> &[String] {
        &self.columns
    }
}

fn damaged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::BadData, "the file cannot be read as Parquet")
        .help("export it again; if it is another format, say so in `format` of the stream")
        .caused_by(error)
}

/// A column as text.
fn texts(column: &ArrayRef) -> Result<StringArray> {
    let plain = match column.data_type() {
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => return nested(column),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            return binary(column);
        }
        // To text by way of the values, not of the keys.
        DataType::Dictionary(_, values) => cast(column, values)?,
        _ => column.clone(),
    };
    let is_float = plain.data_type().is_floating();
    let text = cast(&plain, &DataType::Utf8)?;
    let text = text.as_string::<i32>();
    if is_float {
        // No `1e20` and no `1.0`: the same number is the same text, whichever type the column has.
        return Ok(text.iter().map(|value| value.map(|value| canonical::number(value).into_owned())).collect());
    }
    Ok(text.clone())
}

fn cast(column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, format_options: FormatOptions::default() };
    cast_with_options(column, to, &options).map_err(damaged)
}

/// Bytes as hexadecimal digits.
fn binary(column: &ArrayRef) -> Result<StringArray> {
    let bytes = cast(column, &DataType::Binary)?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(bytes.as_binary::<i32>().iter().map(|value| value.map(hex)).collect())
}

/// Lists and structures as JSON text.
fn nested(column: &ArrayRef) -> Result<StringArray> {
    let batch = RecordBatch::try_from_iter([("v", column.clone())]).map_err(damaged)?;
    let mut json = LineDelimitedWriter::new(Vec::new());
    json.write(&batch).and_then(|()| json.finish()).map_err(damaged)?;
    let json = String::from_utf8(json.into_inner()).map_err(damaged)?;
    let mut values = Vec::with_capacity(column.len());
    for line in json.lines() {
        let members: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).map_err(damaged)?;
        values.push(members.get("v").map(|value| canonical::json(value)).transpose().map_err(damaged)?);
    }
    Ok(values.into_iter().collect())
}

impl Rows for ParquetRows {
    fn next(&mut self) -> Result<Option<Step>> {
        if self.at < self.batch_rows {
            self.at += 1;
            return Ok(Some(Step::Row));
        }
        self.before += self.batch_rows as u64;
        self.batch_rows = 0;
        self.at = 0;
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(damaged)?;
        self.batch = batch.columns().iter().map(texts).collect::<Result<_>>()?;
        self.batch_rows = batch.num_rows();
        self.next()
    }

    fn len(&self) -> usize {
        self.columns.len()
    }

    fn cell(&self, index: usize) -> Option<&str> {
        let column = self.batch.get(index)?;
        let row = self.at.checked_sub(1)?;
        (column.is_valid(row) && !column.value(row).is_empty()).then(|| column.value(row))
    }

    fn number(&self) -> u64 {
        self.before + self.at as u64
    }

    fn position(&self) -> Place {
        let passed = self.before + self.at as u64;
        Place { offset: passed, number: passed + 1 }
    }

    fn passed_bytes(&self) -> u64 {
        0
    }
}
