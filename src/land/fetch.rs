//! Versions fetched back from the log by their `_seq`.

use std::collections::{BTreeSet, HashMap};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;

use crate::error::Result;
use crate::log::{LogTable, Wanted, system};

/// Fetched versions: where each lies among the batches.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// The versions, in no order; columns as asked for.
    pub batches: Vec<RecordBatch>,
    /// `_seq` → batch and row.
    pub at: HashMap<i64, (usize, usize)>,
}

/// Reads the versions `seqs` of `log`: the system column `_key`, then `fields` by the source's names.
pub(crate) async fn fetch(log: &LogTable, seqs: &BTreeSet<i64>, fields: &[String]) -> Result<Fetched> {
    let mut fetched = Fetched::default();
    if seqs.is_empty() {
        return Ok(fetched);
    }
    let narrow = Wanted { system: vec![system::SEQ], fields: Vec::new() };
    let wide = Wanted { system: vec![system::KEY], fields: fields.to_vec() };
    for file in log.files()? {
        let numbers = log.read_file(&file, None, &narrow).await?;
        let numbers = numbers.column(0).as_primitive::<Int64Type>();
        let mut rows = Vec::new();
        for row in 0..numbers.len() {
            if seqs.contains(&numbers.value(row)) {
                fetched.at.insert(numbers.value(row), (fetched.batches.len(), rows.len()));
                rows.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
        }
        if !rows.is_empty() {
            fetched.batches.push(log.read_file(&file, Some(rows), &wide).await?);
        }
        if fetched.at.len() == seqs.len() {
            break;
        }
    }
    Ok(fetched)
}
