//! Fields that had another name before (semantics B8): the old name's values count for versions from before the
//! change, and everybody reads them under the new one.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use super::model::StreamModel;
use crate::error::{Error, ErrorKind, Result};

/// What to read of the log for the fields that the mapping of `model` uses: these, and their old names.
pub(crate) fn fields_to_read(model: &StreamModel) -> Vec<String> {
    let used = &model.mapping.fields_used;
    let old = model.mapping.renamed.iter().filter(|rename| used.contains(&rename.field)).map(|rename| &rename.was);
    let mut fields = used.clone();
    for name in old {
        if !fields.contains(name) {
            fields.push(name.clone());
        }
    }
    fields
}

/// Puts the values of old names under the new ones, in the versions from before the change. The batch has
/// `_valid_from` at position `valid_from`.
pub(crate) fn under_new_names(model: &StreamModel, batch: RecordBatch, valid_from: usize) -> Result<RecordBatch> {
    if model.mapping.renamed.is_empty() {
        return Ok(batch);
    }
    let schema = batch.schema();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    let dates = batch.column(valid_from).as_primitive::<TimestampMicrosecondType>();
    for rename in &model.mapping.renamed {
        let (Ok(new), Ok(old)) = (schema.index_of(&rename.field), schema.index_of(&rename.was)) else { continue };
        let before: BooleanArray =
            dates.values().iter().map(|valid_from| Some(*valid_from < rename.since.micros())).collect();
        columns[new] = zip(&before, batch.column(old), batch.column(new)).map_err(|error| {
            Error::new(ErrorKind::Internal, "a renamed field does not line up")
                .with("field", &rename.field)
                .caused_by(error)
        })?;
    }
    RecordBatch::try_new(Arc::clone(&schema), columns)
        .map_err(|error| Error::new(ErrorKind::Internal, "renamed fields do not line up").caused_by(error))
}
