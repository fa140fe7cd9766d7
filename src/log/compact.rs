//! Compaction: many small data files made one, sorted by key.
//!
//! A log that is synced every few minutes for years would otherwise have a file per batch. A compaction changes
//! where versions lie and nothing else: not a value, not a `_seq`, not the batch number, not the ledger. So no
//! answer changes, at any instant, as known at any other (semantics J4, M).

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Field as ArrowField, Schema};
use deltalake::kernel::Action;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::protocol::DeltaOperation;
use tracing::info;

use super::columns::{system, system_fields};
use super::lake::storage;
use super::read::Wanted;
use super::table::{DataFile, LogTable};
use crate::error::{Error, ErrorKind, Result};

/// Files with fewer versions than this are small, unless they have more bytes than the next line says.
const SMALL_ROWS: u64 = 50_000;
/// Files with fewer bytes than this, as they lie compressed, are small. A full batch of wide rows is larger.
const SMALL_BYTES: u64 = 2 << 20;
/// So many small files are worth a compaction.
const WORTH_IT: usize = 32;
/// The most versions that are brought together in one file.
const MOST_ROWS: u64 = 250_000;
/// The most bytes, as they lie compressed, that are brought together. In memory they are five to ten times as many,
/// and there three times over: as read, in one piece, and sorted.
const MOST_BYTES: u64 = 8 << 20;

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Files that were taken together.
    pub files_before: usize,
    /// Files that they became.
    pub files_after: usize,
}

impl LogTable {
    /// Brings small data files together when there are many of them. The caller holds the lease on the source,
    /// so that nobody appends meanwhile; if somebody does, nothing is changed.
    ///
    /// # Errors
    ///
    /// Storage when reading or writing fails; the log is then as it was.
    pub async fn compact_if_worth_it(&mut self) -> Result<Compacted> {
        let small = self.files()?.iter().filter(|file| is_small(file)).count();
        if small < WORTH_IT { Ok(Compacted::default()) } else { self.compact().await }
    }

    /// Brings all small data files together.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn compact(&mut self) -> Result<Compacted> {
        self.refresh().await?;
        let mut done = Compacted::default();
        let mut group: Vec<DataFile> = Vec::new();
        let mut groups: Vec<Vec<DataFile>> = Vec::new();
        for file in self.files()?.into_iter().filter(is_small) {
            let rows: u64 = group.iter().map(|file| file.rows).sum();
            let bytes: u64 = group.iter().map(|file| file.size_bytes).sum();
            if rows + file.rows > MOST_ROWS || bytes + file.size_bytes > MOST_BYTES {
                groups.push(std::mem::take(&mut group));
            }
            group.push(file);
        }
        groups.push(group);
        for group in groups.into_iter().filter(|group| group.len() > 1) {
            self.compact_group(&group).await?;
            done.files_before += group.len();
            done.files_after += 1;
        }
        if done.files_before > 0 {
            info!(stream = %self.stream(), files_before = done.files_before, files_after = done.files_after, "compacted the log");
        }
        Ok(done)
    }

    async fn compact_group(&mut self, files: &[DataFile]) -> Result<()> {
        let system_names = system::ALL.to_vec();
        let fields: Vec<String> = self.columns().field_names().map(str::to_owned).collect();
        let wanted = Wanted { system: system_names, fields: fields.clone() };
        let mut parts = Vec::with_capacity(files.len());
        for file in files {
            parts.push(self.read_file(file, None, &wanted).await?);
        }
        let internal = |error| Error::new(ErrorKind::Internal, "could not sort a log").caused_by(error);
        let first = parts.first().map(RecordBatch::schema).unwrap_or_else(|| Arc::new(Schema::empty()));
        let all = concat_batches(&first, &parts).map_err(|error| internal(Box::new(error)))?;
        drop(parts);
        let sorted = sort(&all).map_err(|error| internal(Box::new(error)))?;
        // From the source's names back to the columns'.
        let mut physical = system_fields();
        physical.extend(fields.iter().map(|name| {
            let column = self.columns().column_of(name).expect("the fields are those of the registry");
            ArrowField::new(column, DataType::Utf8, true)
        }));
        let sorted = RecordBatch::try_new(Arc::new(Schema::new(physical)), sorted.columns().to_vec())
            .map_err(|error| internal(Box::new(error)))?;
        let rows = sorted.num_rows();
        if rows as u64 != files.iter().map(|file| file.rows).sum::<u64>() {
            return Err(Error::new(ErrorKind::Corrupt, "a compaction would lose versions, it is not done")
                .with("stream", self.stream()));
        }
        // The commit that it is made against names it: unique, and the same again after a crash.
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let name = format!("compact-{:020}-{:032x}.parquet", self.version() + 1, super::key_hash(&paths.join("\n")));
        let add = self.put_file(&name, sorted, false).await?;
        let mut actions = self.remove_actions(files)?;
        actions.push(Action::Add(add));
        let properties = CommitProperties::default().with_max_retries(0).with_cleanup_expired_logs(Some(false));
        let operation = DeltaOperation::Optimize { predicate: None, target_size: 0 };
        let commit = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(self.snapshot()?), self.log_store(), operation)
            .await;
        match commit {
            Ok(_) => self.refresh().await,
            Err(error) => Err(storage(&self.stream().to_string(), error)),
        }
    }
}

fn is_small(file: &DataFile) -> bool {
    file.rows < SMALL_ROWS && file.size_bytes < SMALL_BYTES
}

/// Sorts by key, then chain order.
fn sort(batch: &RecordBatch) -> std::result::Result<RecordBatch, datafusion::arrow::error::ArrowError> {
    let by = |name: &str| {
        let values = batch.column_by_name(name).cloned();
        values.map(|values| SortColumn { values, options: None })
    };
    let columns: Vec<SortColumn> =
        [system::KEY, system::VALID_FROM, system::SEQ].iter().filter_map(|name| by(name)).collect();
    let order = lexsort_to_indices(&columns, None)?;
    take_record_batch(batch, &order)
}
