//! One log: a Delta table that is only ever appended to, and the protocol by which it is.

use std::collections::HashMap;
use std::path::PathBuf;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use datafusion::arrow::compute::max;
use datafusion::arrow::datatypes::{Field as ArrowField, Schema};
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, MetadataExt, Transaction};
use deltalake::logstore::LogStoreRef;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::table::state::DeltaTableState;
use deltalake::{DeltaTable, DeltaTableError};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use std::sync::Arc;
use tracing::{info, warn};

use super::columns::{Columns, STATISTICS, system, system_fields};
use super::data_file::{encode, statistics};
use super::lake::{Lake, storage};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{FieldClass, StreamId};

/// The application id of our transactions in every log.
const APP_ID: &str = "nenrin";
/// The key of the attempt id in a commit's metadata.
const ATTEMPT_KEY: &str = "nenrinAttempt";
/// How many commits back an attempt is looked for; a prepared checkpoint is never older than its run.
const ATTEMPT_DEPTH: usize = 1_000;

/// New versions to append: the system columns, and one text column per delivered field.
#[derive(Debug, Clone)]
pub struct NewVersions {
    /// The system columns, in the order of [`system::ALL`](super::system::ALL), all of one length.
    pub system: Vec<ArrayRef>,
    /// Field name, how it changes, and values; fields not named are null.
    pub fields: Vec<(String, FieldClass, ArrayRef)>,
}

impl NewVersions {
    /// How many versions there are.
    pub fn len(&self) -> usize {
        self.system.first().map_or(0, |column| column.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A data file of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its path below the table.
    pub path: String,
    /// Its size as stored.
    pub size_bytes: u64,
    /// How many versions it holds.
    pub rows: u64,
}

/// The bytes of a data file: a local file that is read where it lies, or what an object store sent.
pub(super) enum FileBytes {
    Local(PathBuf),
    Remote(Bytes),
}

/// An open log.
#[derive(Debug, Clone)]
pub struct LogTable {
    stream: StreamId,
    path: String,
    store: LogStoreRef,
    local: Option<PathBuf>,
    table: DeltaTable,
    columns: Columns,
}

impl LogTable {
    /// The log of `stream` at its newest commit; `None` when nothing was ever landed.
    pub async fn open(lake: &Lake, stream: &StreamId) -> Result<Option<LogTable>> {
        let path = Lake::log_path(stream);
        let store = lake.log_store(&path)?;
        if !store.is_delta_table_location().await.map_err(|error| storage(&path, error))? {
            return Ok(None);
        }
        let mut table = DeltaTable::new(store.clone());
        table.load().await.map_err(|error| storage(&path, error))?;
        let local =
            lake.local_folder().map(|folder| path.split('/').fold(folder.to_path_buf(), |at, part| at.join(part)));
        let columns = read_columns(&table, &path)?;
        Ok(Some(LogTable { stream: stream.clone(), path, store, local, table, columns }))
    }

    /// The log of `stream`, made empty first when there is none, so that two creators cannot both succeed
    /// with data (the first append is checked against a snapshot like any other).
    pub async fn open_or_create(lake: &Lake, stream: &StreamId) -> Result<LogTable> {
        if let Some(log) = Self::open(lake, stream).await? {
            return Ok(log);
        }
        let path = Lake::log_path(stream);
        if let Some(folder) = lake.local_folder() {
            let folder = folder.join(&path);
            std::fs::create_dir_all(&folder).map_err(|error| storage(&path, error))?;
        }
        let store = lake.log_store(&path)?;
        let schema = Columns::default().to_schema()?;
        let created = deltalake::operations::create::CreateBuilder::new()
            .with_log_store(store)
            .with_table_name(stream.to_string())
            .with_columns(schema.fields().cloned())
            .with_configuration([("delta.dataSkippingStatsColumns", Some(STATISTICS))])
            .await;
        if let Err(error) = created {
            // Someone else may have made it at the same moment; then theirs is as good.
            if Self::open(lake, stream).await?.is_none() {
                return Err(storage(&path, error));
            }
        }
        Self::open(lake, stream).await?.ok_or_else(|| {
            Error::new(ErrorKind::Storage, "a log that was just made cannot be opened").with("stream", stream)
        })
    }

    /// The stream whose log this is.
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The registry of its fields, as of the snapshot in hand.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The number of the commit in hand.
    pub fn version(&self) -> u64 {
        self.table.version().unwrap_or_default()
    }

    /// The identity of the table: another one after a re-creation.
    pub fn table_id(&self) -> Result<String> {
        Ok(self.table.snapshot().map_err(|error| storage(&self.path, error))?.metadata().id().to_owned())
    }

    /// Takes the newest commit in hand.
    pub async fn refresh(&mut self) -> Result<()> {
        self.table.update_state().await.map_err(|error| storage(&self.path, error))?;
        self.columns = read_columns(&self.table, &self.path)?;
        Ok(())
    }

    /// The number of the last batch that was committed here; 0 when none was.
    pub async fn txn(&self) -> Result<i64> {
        let state = self.table.snapshot().map_err(|error| storage(&self.path, error))?;
        let version =
            state.transaction_version(&*self.store, APP_ID).await.map_err(|error| storage(&self.path, error))?;
        Ok(version.unwrap_or(0))
    }

    /// The data files of the snapshot in hand, sorted by path.
    pub fn files(&self) -> Result<Vec<DataFile>> {
        let state = self.table.snapshot().map_err(|error| storage(&self.path, error))?;
        let mut files: Vec<DataFile> = state
            .log_data()
            .iter()
            .map(|view| DataFile {
                path: view.path().into_owned(),
                size_bytes: u64::try_from(view.size()).unwrap_or_default(),
                rows: view.num_records().unwrap_or_default() as u64,
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    pub(super) async fn file_bytes(&self, file: &DataFile) -> Result<FileBytes> {
        match &self.local {
            Some(folder) => Ok(FileBytes::Local(folder.join(&file.path))),
            None => {
                let answer = self
                    .store
                    .object_store(None)
                    .get(&Path::from(file.path.as_str()))
                    .await
                    .map_err(|error| storage(&file.path, error))?;
                Ok(FileBytes::Remote(answer.bytes().await.map_err(|error| storage(&file.path, error))?))
            }
        }
    }

    /// Whether a commit of the attempt `attempt` exists (semantics F4).
    pub async fn has_attempt(&self, attempt: &str) -> Result<bool> {
        let mut history = self.table.history(Some(ATTEMPT_DEPTH));
        while let Some(info) = history.try_next().await.map_err(|error| storage(&self.path, error))? {
            if info.info.get(ATTEMPT_KEY).and_then(|value| value.as_str()) == Some(attempt) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Appends `versions` as batch `n` of the attempt `attempt`, in one commit.
    ///
    /// The commit is made against the very snapshot on which the number was checked: when somebody else
    /// commits in between (a compaction), it is checked again on the new one. When this returns an error the
    /// commit does not exist, unless the storage could not even tell; then the checkpoint stays prepared, and
    /// the next start looks.
    ///
    /// # Errors
    ///
    /// Conflict when batch `n` or a later one is already there, storage when writing failed.
    pub async fn append(&mut self, n: i64, attempt: &str, versions: NewVersions) -> Result<()> {
        let wanted: Vec<(String, FieldClass)> =
            versions.fields.iter().map(|(field, class, _)| (field.clone(), *class)).collect();
        let rows = versions.len();
        let mut file: Option<(Add, Columns)> = None;
        for _ in 0..5 {
            self.refresh().await?;
            let txn = self.txn().await?;
            if txn >= n {
                return Err(Error::new(ErrorKind::Conflict, "this batch of the log was already written")
                    .code("E0520")
                    .with("stream", &self.stream)
                    .with("batch", n)
                    .with("newest", txn)
                    .help("another nenrin works on the same lake: stop one of them, then run the sync again"));
            }
            let extended = self.columns.extended(wanted.iter().map(|(field, class)| (field.as_str(), *class)));
            let columns = extended.as_ref().unwrap_or(&self.columns).clone();
            // Written once; again only if somebody else gave a new field its column in between.
            let add = match file.take() {
                Some((add, written_as)) if written_as == columns => add,
                _ => self.write_file(n, attempt, &versions, &columns).await?,
            };
            let mut actions = Vec::with_capacity(2);
            let state = self.table.snapshot().map_err(|error| storage(&self.path, error))?;
            if extended.is_some() {
                let metadata = state
                    .metadata()
                    .clone()
                    .with_schema(&columns.to_schema()?)
                    .map_err(|error| storage(&self.path, error))?;
                actions.push(Action::Metadata(metadata));
            }
            actions.push(Action::Add(add.clone()));
            let properties = CommitProperties::default()
                .with_max_retries(0)
                .with_cleanup_expired_logs(Some(false))
                .with_application_transaction(Transaction::new(APP_ID, n))
                .with_metadata([(ATTEMPT_KEY.to_owned(), serde_json::Value::from(attempt))]);
            let commit = CommitBuilder::from(properties)
                .with_actions(actions)
                .build(
                    Some(state),
                    self.store.clone(),
                    DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None },
                )
                .await;
            match commit {
                Ok(done) => {
                    self.table.state = Some(done.snapshot());
                    self.columns = columns;
                    info!(stream = %self.stream, batch = n, version_count = rows, commit = done.version(), "appended to the log");
                    return Ok(());
                }
                Err(error) => {
                    // A failing step after the commit looks like a failed commit: look before deciding.
                    self.refresh().await?;
                    if self.has_attempt(attempt).await? {
                        warn!(stream = %self.stream, batch = n, error = %error, "the commit stands although a step after it failed");
                        return Ok(());
                    }
                    if !is_race(&error) {
                        return Err(storage(&self.path, error));
                    }
                    file = Some((add, columns));
                }
            }
        }
        Err(Error::new(ErrorKind::Conflict, "others kept committing to this log")
            .with("stream", &self.stream)
            .help("run the sync again"))
    }

    /// The snapshot in hand.
    pub(super) fn snapshot(&self) -> Result<&DeltaTableState> {
        self.table.snapshot().map_err(|error| storage(&self.path, error))
    }

    pub(super) fn log_store(&self) -> LogStoreRef {
        self.store.clone()
    }

    /// What takes `files` out of the log without taking their versions out.
    pub(super) fn remove_actions(&self, files: &[DataFile]) -> Result<Vec<Action>> {
        let state = self.snapshot()?;
        let views = state.log_data();
        let taken = views.iter().filter(|view| files.iter().any(|file| file.path == view.path()));
        Ok(taken.map(|view| Action::Remove(view.remove_action(false))).collect())
    }

    async fn write_file(&self, n: i64, attempt: &str, versions: &NewVersions, columns: &Columns) -> Result<Add> {
        let mut fields: Vec<ArrowField> = system_fields();
        let mut arrays = versions.system.clone();
        for (field, _, values) in &versions.fields {
            let column = columns.column_of(field).expect("every field was given a column before");
            fields.push(ArrowField::new(column, values.data_type().clone(), true));
            arrays.push(values.clone());
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|error| Error::new(ErrorKind::Internal, "new versions do not line up").caused_by(error))?;
        self.put_file(&format!("part-{n:020}-{attempt}.parquet"), batch, true).await
    }

    /// Writes a data file of physical columns; it is part of the log only once a commit adds it.
    pub(super) async fn put_file(&self, name: &str, batch: RecordBatch, data_change: bool) -> Result<Add> {
        let stats = statistics(&batch);
        let rows = batch.num_rows();
        let recorded_at = last_recorded_at(&batch);
        let bytes = tokio::task::spawn_blocking(move || encode(&batch))
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "encoding was interrupted").caused_by(error))??;
        let size = bytes.len();
        self.store
            .object_store(None)
            .put(&Path::from(name), bytes.into())
            .await
            .map_err(|error| storage(&format!("{}/{name}", self.path), error))?;
        info!(stream = %self.stream, version_count = rows, size_bytes = size, "wrote a data file");
        Ok(Add {
            path: name.to_owned(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            partition_values: HashMap::new(),
            modification_time: recorded_at.micros() / 1_000,
            data_change,
            stats: Some(stats),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        })
    }
}

fn is_race(error: &DeltaTableError) -> bool {
    let text = format!("{error:?}");
    text.contains("VersionAlreadyExists") || text.contains("MaxCommitAttempts") || text.contains("CommitConflict")
}

fn read_columns(table: &DeltaTable, path: &str) -> Result<Columns> {
    let state = table.snapshot().map_err(|error| storage(path, error))?;
    Ok(Columns::of_schema(&state.schema()))
}

fn last_recorded_at(batch: &RecordBatch) -> Timestamp {
    batch
        .column_by_name(system::RECORDED_AT)
        .and_then(|column| column.as_any().downcast_ref::<TimestampMicrosecondArray>())
        .and_then(max)
        .map_or(Timestamp::from_micros(0), Timestamp::from_micros)
}
