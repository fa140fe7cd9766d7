//! Kept snapshots: closed periods as Parquet in the lake, reused while their fingerprint matches.
//!
//! `snapshot/<instant>/` holds one Parquet file per entity, the records' customers, and `manifest.json`, which is
//! written last: a folder without it is no snapshot.

use std::collections::BTreeMap;

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::build::{Built, build};
use super::fingerprint::Fingerprint;
use super::model::Model;
use super::state::{State, StreamCoverage};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::log::Lake;
use crate::unify::Identity;

/// What is written beside a kept state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    fingerprint: Fingerprint,
    /// Where every log stood when the assignment was last found to hold: equal, and it holds still.
    identity: Vec<(String, i64)>,
    streams: Vec<StreamCoverage>,
    entities: Vec<String>,
}

/// How a state was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Kept before and still good.
    Kept,
    /// Computed from the logs, and kept from now on.
    Computed,
    /// Kept before, but a definition or the past changed: computed anew.
    Restated,
    /// Computed; not kept, since the period is not settled.
    Provisional,
}

/// A state for a comparison or a query.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The state.
    pub state: State,
    /// How it was come by.
    pub origin: Origin,
    /// Its fingerprint as one word.
    pub fingerprint: String,
}

fn folder(at: Timestamp) -> String {
    format!("snapshot/{}", at.to_datetime().format("%Y%m%dT%H%M%S%6fZ"))
}

fn failed(what: &'static str) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> Error {
    move |error| Error::new(ErrorKind::Corrupt, what).caused_by(error)
}

/// The state at `at` by all that is known: the kept one while its fingerprint matches, else computed, and kept
/// when it is settled.
pub async fn state_at(lake: &Lake, model: &Model, at: Timestamp) -> Result<Kept> {
    let fingerprint = Fingerprint::of(model, at);
    let digest = fingerprint.digest();
    let found = read_manifest(lake, at).await?;
    if let Some(manifest) = &found
        && manifest.fingerprint == fingerprint
        && let Some(state) = read(lake, model, manifest, at).await?
    {
        return Ok(Kept { state, origin: Origin::Kept, fingerprint: digest });
    }
    let built = build(model, at, None).await?;
    let origin = match (built.state.settled, found) {
        (false, _) => Origin::Provisional,
        (true, Some(_)) => Origin::Restated,
        (true, None) => Origin::Computed,
    };
    if built.state.settled {
        keep(lake, model, &fingerprint, &built).await?;
    }
    Ok(Kept { state: built.state, origin, fingerprint: digest })
}

/// Where every log that identity reads stands.
fn identity_marks(model: &Model) -> Vec<(String, i64)> {
    let mut marks: Vec<(String, i64)> =
        model.streams.iter().map(|stream| (stream.mapping.stream.to_string(), stream.ledger.max_n())).collect();
    marks.sort();
    marks
}

async fn read_manifest(lake: &Lake, at: Timestamp) -> Result<Option<Manifest>> {
    let Some(bytes) = lake.get(&format!("{}/manifest.json", folder(at))).await? else { return Ok(None) };
    // One that cannot be read is as good as none: the snapshot comes back from the logs.
    Ok(serde_json::from_slice(&bytes).ok())
}

async fn read(lake: &Lake, model: &Model, manifest: &Manifest, at: Timestamp) -> Result<Option<State>> {
    let folder = folder(at);
    let marks = identity_marks(model);
    if manifest.identity != marks {
        let identity = model.identity(Timestamp::MAX).await?;
        let Some(assigned) = lake.get(&format!("{folder}/assignment.parquet")).await? else { return Ok(None) };
        if !holds(&decode(assigned)?, &identity) {
            return Ok(None);
        }
        write_manifest(lake, at, &Manifest { identity: marks, ..manifest.clone() }).await?;
    }
    let files = manifest.entities.iter().map(|entity| read_entity(lake, &folder, entity));
    let Some(entities) = try_join_all(files).await?.into_iter().collect::<Option<BTreeMap<_, _>>>() else {
        return Ok(None);
    };
    Ok(Some(State {
        at,
        known_at: None,
        settled: true,
        provisional_because: Vec::new(),
        streams: manifest.streams.iter().map(|coverage| refreshed(coverage, model, at)).collect(),
        entities,
    }))
}

/// The coverage of a stream with what later readings told about the instant without changing the state at it.
fn refreshed(coverage: &StreamCoverage, model: &Model, at: Timestamp) -> StreamCoverage {
    let stream = model.streams.iter().find(|stream| stream.mapping.stream == coverage.stream);
    let gone_around = stream.map_or(coverage.gone_around, |stream| stream.ledger.gone_around(at, Timestamp::MAX));
    StreamCoverage { gone_around, ..coverage.clone() }
}

/// Reads an entity's rows; decoded on a thread of its own, so that two states are read side by side.
async fn read_entity(lake: &Lake, folder: &str, entity: &str) -> Result<Option<(String, RecordBatch)>> {
    let Some(bytes) = lake.get(&format!("{folder}/{entity}.parquet")).await? else { return Ok(None) };
    let rows = tokio::task::spawn_blocking(move || decode(bytes))
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, "decoding was interrupted").caused_by(error))??;
    Ok(Some((entity.to_owned(), rows)))
}

/// Whether identity still assigns the records as the snapshot has them.
fn holds(assigned: &RecordBatch, identity: &Identity) -> bool {
    let (Some(nodes), Some(customers)) =
        (assigned.column(0).as_string_opt::<i32>(), assigned.column(1).as_string_opt::<i32>())
    else {
        return false;
    };
    let now: std::collections::HashMap<String, usize> =
        identity.nodes().iter().enumerate().map(|(at, node)| (node.id().0, at)).collect();
    (0..nodes.len())
        .all(|row| now.get(nodes.value(row)).is_some_and(|at| identity.customer_id(*at) == customers.value(row)))
}

async fn keep(lake: &Lake, model: &Model, fingerprint: &Fingerprint, built: &Built) -> Result<()> {
    let folder = folder(built.state.at);
    // Without its manifest the old one is gone before any of its files is.
    lake.delete(&format!("{folder}/manifest.json")).await?;
    for (entity, batch) in &built.state.entities {
        lake.put(&format!("{folder}/{entity}.parquet"), encode(batch)?).await?;
    }
    let nodes: StringArray = built.assignment.keys().map(Some).collect();
    let customers: StringArray = built.assignment.values().map(Some).collect();
    let schema =
        Schema::new(vec![Field::new("node", DataType::Utf8, false), Field::new("customer", DataType::Utf8, false)]);
    let assigned = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(nodes), Arc::new(customers)])
        .map_err(|error| failed("an assignment does not line up")(error.into()))?;
    lake.put(&format!("{folder}/assignment.parquet"), encode(&assigned)?).await?;
    let manifest = Manifest {
        fingerprint: fingerprint.clone(),
        identity: identity_marks(model),
        streams: built.state.streams.clone(),
        entities: built.state.entities.keys().cloned().collect(),
    };
    write_manifest(lake, built.state.at, &manifest).await
}

async fn write_manifest(lake: &Lake, at: Timestamp, manifest: &Manifest) -> Result<()> {
    let bytes = serde_json::to_vec(manifest)
        .map_err(|error| Error::new(ErrorKind::Internal, "a manifest is no JSON").caused_by(error))?;
    lake.put(&format!("{}/manifest.json", folder(at)), bytes).await
}

fn encode(batch: &RecordBatch) -> Result<Vec<u8>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let failed = failed("a snapshot cannot be encoded");
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).map_err(|error| failed(error.into()))?;
    writer.write(batch).map_err(|error| failed(error.into()))?;
    writer.into_inner().map_err(|error| failed(error.into()))
}

fn decode(bytes: Bytes) -> Result<RecordBatch> {
    let failed = failed("a kept snapshot cannot be read: delete the folder `snapshot` of the lake, it comes back");
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| failed(error.into()))?;
    let schema = builder.schema().clone();
    let reader = builder.with_batch_size(1 << 20).build().map_err(|error| failed(error.into()))?;
    let parts = reader.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| failed(error.into()))?;
    concat_batches(&schema, &parts).map_err(|error| failed(error.into()))
}
