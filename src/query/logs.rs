//! The schema `log`: a table for each log in the lake, opened when it is asked for.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::{DataFusionError, Result};

use super::log_table::LogProvider;
use crate::clock::Timestamp;
use crate::log::{Lake, LogTable};
use crate::record::StreamId;

/// All logs, also of streams that no mapping reads, and of sources that are gone.
#[derive(Debug)]
pub(super) struct Logs {
    lake: Lake,
    streams: Vec<StreamId>,
    known_at: Timestamp,
}

impl Logs {
    /// The logs of `lake`, as far as they were recorded by `known_at`.
    pub(super) async fn of(lake: &Lake, known_at: Timestamp) -> crate::error::Result<Logs> {
        Ok(Logs { lake: lake.clone(), streams: lake.streams().await?, known_at })
    }
}

#[async_trait]
impl SchemaProvider for Logs {
    fn table_names(&self) -> Vec<String> {
        self.streams.iter().map(StreamId::to_string).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(stream) = self.streams.iter().find(|stream| stream.to_string() == name) else { return Ok(None) };
        let log = LogTable::open(&self.lake, stream).await;
        let log = log.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(log.map(|log| Arc::new(LogProvider::new(log, self.known_at)) as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.streams.iter().any(|stream| stream.to_string() == name)
    }
}
