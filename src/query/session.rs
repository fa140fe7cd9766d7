//! A session over one state and the logs.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt8Type};
use datafusion::catalog::{MemTable, SchemaProvider};
use datafusion::common::TableReference;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::logs::Logs;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::log::Lake;
use crate::snapshot::{Cell, Coverage, State};

/// The rows of an answer.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// The columns, also when there are no rows.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

/// Answers `sql` over `state` (one table per entity, and `<entity>_cells` with what is known of each cell and
/// where it comes from) and the logs of `lake` (`log."source/stream"`: every version recorded by `known_at`).
///
/// Names are taken as they are written; names with other than letters, digits and `_` need double quotes.
///
/// # Errors
///
/// Usage when the SQL cannot be understood or would write, bad data when it fails on the rows.
pub async fn query(sql: &str, state: &State, lake: &Lake, known_at: Timestamp) -> Result<QueryResult> {
    let mut config = SessionConfig::new().with_information_schema(true);
    config.options_mut().sql_parser.enable_ident_normalization = false;
    config.options_mut().sql_parser.parse_float_as_decimal = true;
    // Who asks for the largest first does not ask for those of whom nothing is known.
    config.options_mut().sql_parser.default_null_ordering = "nulls_last".to_owned();
    let session = SessionContext::new_with_config(config);
    for (entity, batch) in &state.entities {
        register(&session, entity, plain(batch)?)?;
        register(&session, &format!("{entity}_cells"), explained(batch)?)?;
    }
    let logs = Arc::new(Logs::of(lake, known_at).await?);
    let catalog = session.catalog("datafusion").ok_or_else(|| internal("the session has no catalog".into()))?;
    catalog.register_schema("log", logs.clone()).map_err(|error| internal(error.into()))?;
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let frame = session.sql_with_options(sql, read_only).await.map_err(|error| {
        let mut names: Vec<String> = state.entities.keys().cloned().collect();
        names.sort();
        names.extend(logs.table_names().iter().map(|name| format!("log.\"{name}\"")));
        Error::new(ErrorKind::Usage, "the query cannot be run")
            .code("E0701")
            .help(format!("tables: {}; names with other signs than letters need double quotes", names.join(", ")))
            .caused_by(error.strip_backtrace())
    })?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await.map_err(|error| {
        Error::new(ErrorKind::BadData, "the query failed on the rows").code("E0702").caused_by(error.strip_backtrace())
    })?;
    Ok(QueryResult { schema, batches })
}

fn internal(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::new(ErrorKind::Internal, "could not set up the query session").caused_by(error)
}

fn register(session: &SessionContext, name: &str, batch: RecordBatch) -> Result<()> {
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).map_err(|error| internal(error.into()))?;
    session
        .register_table(TableReference::bare(name), Arc::new(table))
        .map(|_| ())
        .map_err(|error| internal(error.into()))
}

/// The entity as people think of it: ids and variables, with how the row is known in words.
fn plain(batch: &RecordBatch) -> Result<RecordBatch> {
    pick(batch, |name| !name.contains('$'))
}

/// The same with what is known of every cell, in words, and the record it comes from.
fn explained(batch: &RecordBatch) -> Result<RecordBatch> {
    pick(batch, |_| true)
}

fn pick(batch: &RecordBatch, keep: impl Fn(&str) -> bool) -> Result<RecordBatch> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !keep(field.name()) {
            continue;
        }
        let word: Option<fn(u8) -> Option<&'static str>> = if field.name() == "_coverage" {
            Some(|number| Coverage::from_u8(number).map(Coverage::as_str))
        } else if field.name().ends_with("$cell") {
            Some(|number| Cell::from_u8(number).map(Cell::as_str))
        } else {
            None
        };
        match (word, column.as_primitive_opt::<UInt8Type>()) {
            (Some(word), Some(numbers)) => {
                let words: StringArray = (0..numbers.len())
                    .map(|row| numbers.is_valid(row).then(|| word(numbers.value(row))).flatten())
                    .collect();
                fields.push(Field::new(field.name(), DataType::Utf8, true));
                columns.push(Arc::new(words));
            }
            _ => {
                fields.push(field.as_ref().clone());
                columns.push(column.clone());
            }
        }
    }
    let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(|error| internal(error.into()))
}
