//! Reading data files of a log: chosen columns, chosen rows, under the names that sources use.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, new_null_array};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use datafusion::parquet::file::reader::ChunkReader;

use super::columns::system_fields;
use super::table::{DataFile, FileBytes, LogTable};
use crate::error::{Error, ErrorKind, Result};

/// Rows decoded at a time.
const BATCH_ROWS: usize = 65_536;

/// Which columns to read: system columns by name, and fields by the source's names.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// System columns, such as `_key`.
    pub system: Vec<&'static str>,
    /// Fields; one that the log has no column for reads as null.
    pub fields: Vec<String>,
}

impl Wanted {
    fn schema(&self) -> SchemaRef {
        let system = system_fields();
        let mut fields: Vec<ArrowField> =
            self.system.iter().filter_map(|name| system.iter().find(|field| field.name() == name).cloned()).collect();
        fields.extend(self.fields.iter().map(|name| ArrowField::new(name, DataType::Utf8, true)));
        Arc::new(Schema::new(fields))
    }
}

impl LogTable {
    /// Reads `wanted` of one data file as one batch: all rows in file order, or just those of `rows` (rising).
    ///
    /// # Errors
    ///
    /// Storage when the file cannot be read, corrupt when it is no log file.
    pub async fn read_file(&self, file: &DataFile, rows: Option<Vec<u32>>, wanted: &Wanted) -> Result<RecordBatch> {
        let bytes = self.file_bytes(file).await?;
        let schema = wanted.schema();
        let names: Vec<String> = wanted
            .system
            .iter()
            .map(|name| (*name).to_owned())
            .chain(wanted.fields.iter().map(|field| {
                // A field without a column is read as one that no file has.
                self.columns().column_of(field).unwrap_or("").to_owned()
            }))
            .collect();
        let path = file.path.clone();
        let decoded = tokio::task::spawn_blocking(move || match bytes {
            FileBytes::Local(local) => {
                let opened = std::fs::File::open(&local).map_err(|error| {
                    Error::new(ErrorKind::Storage, "a data file of the log cannot be opened")
                        .with("file", local.display())
                        .caused_by(error)
                })?;
                decode(opened, rows, &names, &schema)
            }
            FileBytes::Remote(bytes) => decode(bytes, rows, &names, &schema),
        })
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, "decoding was interrupted").caused_by(error))?;
        decoded.map_err(|error| error.with("file", path))
    }
}

fn decode<T: ChunkReader + 'static>(
    input: T,
    rows: Option<Vec<u32>>,
    names: &[String],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let corrupt = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(ErrorKind::Corrupt, "a data file of the log cannot be decoded")
            .code("E0522")
            .help("restore the file from a backup of the lake")
            .caused_by(error)
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(input).map_err(|error| corrupt(error.into()))?;
    let held = builder.schema().clone();
    let positions: Vec<Option<usize>> = names.iter().map(|name| held.index_of(name).ok()).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), positions.iter().flatten().copied());
    let row_count = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
    let mut builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
    let expected = rows.as_ref().map_or(row_count, Vec::len);
    if let Some(rows) = rows {
        builder = builder.with_row_selection(selection(&rows, row_count));
    }
    let reader = builder.build().map_err(|error| corrupt(error.into()))?;
    let mut parts = Vec::new();
    for part in reader {
        let part = part.map_err(|error| corrupt(error.into()))?;
        let arrays: Vec<ArrayRef> = positions
            .iter()
            .zip(schema.fields())
            .map(|(position, field)| {
                let name = position.map(|position| held.field(position).name());
                name.and_then(|name| part.column_by_name(name).cloned())
                    .unwrap_or_else(|| new_null_array(field.data_type(), part.num_rows()))
            })
            .collect();
        let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(part.num_rows()));
        parts.push(
            RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
                .map_err(|error| corrupt(error.into()))?,
        );
    }
    let batch = concat_batches(schema, &parts).map_err(|error| corrupt(error.into()))?;
    if batch.num_rows() != expected {
        return Err(corrupt(format!("{} rows where {expected} were expected", batch.num_rows()).into()));
    }
    Ok(batch)
}

fn selection(rows: &[u32], row_count: usize) -> RowSelection {
    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut at = 0usize;
    let mut i = 0;
    while i < rows.len() {
        let start = rows[i] as usize;
        let mut end = start + 1;
        while i + 1 < rows.len() && rows[i + 1] as usize == end {
            i += 1;
            end += 1;
        }
        i += 1;
        if start > at {
            selectors.push(RowSelector::skip(start - at));
        }
        selectors.push(RowSelector::select(end - start));
        at = end;
    }
    if at < row_count {
        selectors.push(RowSelector::skip(row_count - at));
    }
    RowSelection::from(selectors)
}
