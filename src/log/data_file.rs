//! A data file: versions as Parquet, and what Delta is told of it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::{iter, thread};

use datafusion::arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::{max, min};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;

use super::columns::{STATISTICS, system};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// Columns are encoded at the same time by so many threads at most.
const THREADS: usize = 4;
/// Fewer rows are not worth a thread.
const ROWS_FOR_THREADS: usize = 2_000;

/// Encodes versions as one Parquet file, with one row group. Takes long: not for the threads that others wait for.
pub(super) fn encode(batch: &RecordBatch) -> Result<Vec<u8>> {
    write(batch)
        .map_err(|error| Error::new(ErrorKind::Internal, "could not encode a data file").caused_by(Box::new(error)))
}

fn write(batch: &RecordBatch) -> std::result::Result<Vec<u8>, ParquetError> {
    let bytes = Vec::with_capacity(batch.get_array_memory_size() / 4);
    let writer = ArrowWriter::try_new(bytes, batch.schema(), Some(properties(batch)))?;
    let (mut file, groups) = writer.into_serialized_writer()?;
    let columns = encode_columns(batch, groups.create_column_writers(0)?)?;
    let mut group = file.next_row_group()?;
    for column in columns {
        column.append_to_row_group(&mut group)?;
    }
    group.close()?;
    file.into_inner()
}

/// The columns in their order. The file is the same however many threads there are.
fn encode_columns(
    batch: &RecordBatch,
    writers: Vec<ArrowColumnWriter>,
) -> std::result::Result<Vec<ArrowColumnChunk>, ParquetError> {
    let count = writers.len();
    let open = Mutex::new(writers.into_iter().enumerate());
    let take = || open.lock().unwrap_or_else(PoisonError::into_inner).next();
    let schema = batch.schema();
    let encode_some = || {
        let encode_one = |(at, mut writer): (usize, ArrowColumnWriter)| {
            for leaf in compute_leaves(schema.field(at), batch.column(at))? {
                writer.write(&leaf)?;
            }
            Ok((at, writer.close()?))
        };
        iter::from_fn(take).map(encode_one).collect::<std::result::Result<Vec<_>, ParquetError>>()
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let others = if batch.num_rows() < ROWS_FOR_THREADS { 0 } else { cores - 1 };
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..others).map(|_| scope.spawn(encode_some)).collect();
        let own = encode_some();
        let joined = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(ParquetError::General("a thread that encodes has died".to_owned())))
        });
        iter::once(own).chain(joined).collect::<std::result::Result<Vec<_>, _>>()
    })?;
    let mut columns: Vec<(usize, ArrowColumnChunk)> = parts.into_iter().flatten().collect();
    columns.sort_by_key(|(at, _)| *at);
    debug_assert_eq!(columns.len(), count);
    Ok(columns.into_iter().map(|(_, column)| column).collect())
}

fn properties(batch: &RecordBatch) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None);
    for name in [system::VALID_FROM, system::RECORDED_AT, system::SEQ] {
        properties = properties.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Chunk);
    }
    for name in [system::KEY, system::SEQ, system::HASH] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    for (field, values) in batch.schema().fields().iter().zip(batch.columns()) {
        if values.as_string_opt::<i32>().is_some_and(is_mostly_distinct) {
            let column = ColumnPath::new(vec![field.name().clone()]);
            properties = properties.set_column_dictionary_enabled(column, false);
        }
    }
    properties.build()
}

/// How many values tell whether a column repeats itself.
const SAMPLED: usize = 2_048;

/// Whether nearly every value of a column is another one, so that a dictionary would cost time and save nothing.
fn is_mostly_distinct(values: &StringArray) -> bool {
    let step = values.len().div_ceil(SAMPLED).max(1);
    let sample: Vec<&str> =
        (0..values.len()).step_by(step).filter(|row| values.is_valid(*row)).map(|row| values.value(row)).collect();
    let distinct = sample.iter().collect::<HashSet<_>>().len();
    sample.len() >= SAMPLED / 8 && distinct * 20 >= sample.len() * 19
}

/// Delta statistics of the system columns only: counts, and bounds rounded outwards to milliseconds.
pub(super) fn statistics(batch: &RecordBatch) -> String {
    let mut lowest = serde_json::Map::new();
    let mut highest = serde_json::Map::new();
    let mut nulls = serde_json::Map::new();
    for name in STATISTICS.split(',') {
        let Some(column) = batch.column_by_name(name) else { continue };
        nulls.insert(name.into(), column.null_count().into());
        if let Some(instants) = column.as_any().downcast_ref::<TimestampMicrosecondArray>() {
            if let (Some(low), Some(high)) = (min(instants), max(instants)) {
                let text = |millis: i64| {
                    Timestamp::from_micros(millis.saturating_mul(1_000))
                        .to_datetime()
                        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
                };
                lowest.insert(name.into(), text(low.div_euclid(1_000)).into());
                highest
                    .insert(name.into(), text(high.div_euclid(1_000) + i64::from(high.rem_euclid(1_000) > 0)).into());
            }
        } else if let Some(numbers) = column.as_any().downcast_ref::<Int64Array>()
            && let (Some(low), Some(high)) = (min(numbers), max(numbers))
        {
            lowest.insert(name.into(), low.into());
            highest.insert(name.into(), high.into());
        }
    }
    serde_json::json!({
        "numRecords": batch.num_rows(),
        "minValues": lowest,
        "maxValues": highest,
        "nullCount": nulls,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use datafusion::arrow::array::ArrayRef;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    /// Columns of texts, some with few values, some with a value of its own in every row, some mostly null.
    fn batch(rows: usize) -> RecordBatch {
        let column = |at: usize| -> ArrayRef {
            let value = |row: usize| match at % 3 {
                0 => Some(format!("値{}", row % 7)),
                1 => Some(format!("{at}-{row}")),
                _ => row.is_multiple_of(11).then(|| "🌳".repeat(row % 5)),
            };
            Arc::new((0..rows).map(value).collect::<StringArray>())
        };
        let fields: Vec<Field> = (0..40).map(|at| Field::new(format!("列{at}"), DataType::Utf8, true)).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), (0..40).map(column).collect()).unwrap()
    }

    #[test]
    fn what_several_threads_encode_is_read_as_it_was_and_has_the_same_bytes_each_time() {
        for rows in [1, ROWS_FOR_THREADS - 1, ROWS_FOR_THREADS, 9_001] {
            let batch = batch(rows);
            let file = encode(&batch).unwrap();
            assert_eq!(file, encode(&batch).unwrap(), "{rows}");
            let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
            assert_eq!(reader.metadata().num_row_groups(), 1);
            let read = reader.with_batch_size(rows).build().unwrap().next().unwrap().unwrap();
            assert_eq!(read, batch, "{rows}");
        }
    }
}
