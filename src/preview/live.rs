//! Records as the source sent them, as a batch that a mapping runs on.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field as ArrowField, Schema};

use crate::error::{Error, ErrorKind, Result};
use crate::record::{Records, Stream};

/// One text column per field of the stream, in its order; a field that was not delivered is null throughout.
///
/// # Errors
///
/// Internal when the parts do not fit together.
pub fn batch_of(stream: &Stream, records: &Records) -> Result<RecordBatch> {
    let column = |name: &String| -> ArrayRef {
        match records.fields().iter().position(|delivered| delivered == name) {
            Some(at) => Arc::new(records.columns()[at].clone()),
            None => new_null_array(&DataType::Utf8, records.len()),
        }
    };
    let fields: Vec<ArrowField> =
        stream.fields.iter().map(|field| ArrowField::new(&field.name, DataType::Utf8, true)).collect();
    let columns = stream.fields.iter().map(|field| column(&field.name)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(|error| Error::new(ErrorKind::Internal, "records do not make a batch").caused_by(error))
}
