//! A log as a table: its data files, read as needed, under the names that the source uses.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use crate::clock::Timestamp;
use crate::log::{DataFile, LogTable, Wanted, system, system_fields};

/// All versions of a stream that were recorded by an instant.
pub(super) struct LogProvider {
    log: Arc<LogTable>,
    known_at: Timestamp,
    schema: SchemaRef,
}

impl LogProvider {
    pub(super) fn new(log: LogTable, known_at: Timestamp) -> Self {
        let mut fields = system_fields();
        fields.extend(log.columns().field_names().map(|name| Field::new(name, DataType::Utf8, true)));
        LogProvider { log: Arc::new(log), known_at, schema: Arc::new(Schema::new(fields)) }
    }
}

impl fmt::Debug for LogProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogProvider").field("stream", self.log.stream()).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for LogProvider {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema.clone(),
        };
        let files = self.log.files().map_err(|error| DataFusionError::External(Box::new(error)))?;
        let partitions: Vec<Arc<dyn PartitionStream>> = files
            .into_iter()
            .map(|file| {
                Arc::new(FileStream { log: self.log.clone(), file, schema: schema.clone(), known_at: self.known_at })
                    as Arc<dyn PartitionStream>
            })
            .collect();
        if partitions.is_empty() {
            return Ok(Arc::new(datafusion::physical_plan::empty::EmptyExec::new(schema)));
        }
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, Vec::new(), false, limit)?))
    }
}

/// One data file.
struct FileStream {
    log: Arc<LogTable>,
    file: DataFile,
    schema: SchemaRef,
    known_at: Timestamp,
}

impl fmt::Debug for FileStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStream").field("file", &self.file.path).finish_non_exhaustive()
    }
}

impl PartitionStream for FileStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (log, file, schema, known_at) = (self.log.clone(), self.file.clone(), self.schema.clone(), self.known_at);
        let read = async move {
            read(&log, &file, &schema, known_at).await.map_err(|error| DataFusionError::External(Box::new(error)))
        };
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), futures::stream::once(read)))
    }
}

async fn read(
    log: &LogTable,
    file: &DataFile,
    schema: &SchemaRef,
    known_at: Timestamp,
) -> crate::error::Result<RecordBatch> {
    let internal = |error: datafusion::arrow::error::ArrowError| {
        crate::error::Error::new(crate::error::ErrorKind::Internal, "could not show a log").caused_by(error)
    };
    let system_names: Vec<String> = system_fields().iter().map(|field| field.name().clone()).collect();
    // The recorded instant is always read, to leave out what was not known yet.
    let mut wanted = Wanted { system: vec![system::RECORDED_AT], fields: Vec::new() };
    let mut order = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = field.name();
        match system::ALL.iter().find(|known| **known == name.as_str() && system_names.contains(name)) {
            Some(known) => {
                wanted.system.push(known);
                order.push((true, wanted.system.len() - 1));
            }
            None => {
                wanted.fields.push(name.clone());
                order.push((false, wanted.fields.len() - 1));
            }
        }
    }
    let batch = log.read_file(file, None, &wanted).await?;
    let recorded_at = batch.column(0).as_primitive::<TimestampMicrosecondType>();
    let known: BooleanArray = recorded_at.iter().map(|at| at.map(|at| at <= known_at.micros())).collect();
    let batch = filter_record_batch(&batch, &known).map_err(internal)?;
    let columns = order
        .iter()
        .map(|(is_system, at)| batch.column(if *is_system { *at } else { wanted.system.len() + at }).clone())
        .collect();
    let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(internal)
}
