//! One pass over a source, from connect to log.

use std::sync::Arc;

use serde::Serialize;
use tracing::info;

use super::stream::{StreamError, StreamReport, Workbench, sync_stream};
use crate::connect::{ReadMode, Source};
use crate::control::RunOutcome;
use crate::error::{ErrorKind, Result};
use crate::record::{SourceId, StreamId};

/// What a run did, with the counts that prove it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// The run.
    pub run_id: String,
    /// The source.
    pub source: String,
    /// How it ended.
    #[serde(serialize_with = "as_word")]
    pub outcome: RunOutcome,
    /// A line per stream.
    pub streams: Vec<StreamReport>,
    /// Values that could not be converted and rows that are no records, open now.
    pub held: u64,
    /// Why the source could not be read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StreamError>,
}

fn as_word<S: serde::Serializer>(outcome: &RunOutcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.as_str())
}

impl RunReport {
    /// Whether more values are held than the project tolerates, in percent of the records read.
    pub fn held_above(&self, threshold_percent: f64) -> bool {
        let read: u64 = self.streams.iter().map(|stream| stream.counts.read).sum();
        #[allow(clippy::cast_precision_loss)] // a share in percent
        let percent = if read == 0 { 0.0 } else { self.held as f64 * 100.0 / read as f64 };
        percent > threshold_percent
    }

    /// The most telling failure of the run, if it had one.
    pub fn first_error(&self) -> Option<&StreamError> {
        self.error.iter().chain(self.streams.iter().filter_map(|stream| stream.error.as_ref())).next()
    }

    /// The exit code a command ends with after this run: 0 when complete, 75 when it can simply be continued
    /// later, else that of what failed.
    pub fn exit_code(&self) -> u8 {
        match self.outcome {
            RunOutcome::Complete | RunOutcome::CompleteWithHolds => 0,
            RunOutcome::Partial if self.streams.iter().all(|stream| stream.outcome != "failed") => 75,
            _ => match self.first_error().and_then(|error| error.kind) {
                // A failure of our own storage, or a source that is half there.
                Some(ErrorKind::Usage | ErrorKind::NotFound) | None => 1,
                Some(kind) => kind.exit_code(),
            },
        }
    }
}

/// Reads every stream of a source once. What failed is in the report; only a lost lease or a broken control
/// database is an error.
pub(super) async fn sync_source(
    bench: &Workbench<'_>,
    source: Arc<dyn Source>,
    id: &SourceId,
    only: &[String],
    mode: ReadMode,
) -> Result<RunReport> {
    let mut report = RunReport {
        run_id: bench.run_id.to_owned(),
        source: id.0.clone(),
        outcome: RunOutcome::Failed,
        streams: Vec::new(),
        held: 0,
        error: None,
    };
    info!(source_id = %id, run_id = bench.run_id, "the run begins");
    let streams = match source.streams().await {
        Ok(streams) => streams,
        Err(error) => {
            report.error = Some(StreamError::from(&error));
            report.outcome = match error.kind() {
                ErrorKind::Quota | ErrorKind::RateLimited | ErrorKind::Cancelled => RunOutcome::Partial,
                _ => RunOutcome::Failed,
            };
            return Ok(report);
        }
    };
    for stream in streams.iter().filter(|stream| only.is_empty() || only.contains(&stream.name)) {
        let stream_id = StreamId { source: id.clone(), stream: stream.name.clone() };
        let done = sync_stream(bench, source.clone(), &stream_id, stream, mode).await;
        let hopeless = done.error.as_ref().and_then(|error| error.kind).is_some_and(stops_the_run);
        report.streams.push(done);
        if hopeless || bench.cancel.is_cancelled() {
            break;
        }
    }
    let left_out =
        report.streams.len() < streams.iter().filter(|stream| only.is_empty() || only.contains(&stream.name)).count();
    report.outcome = outcome(&report.streams, left_out);
    info!(source_id = %id, run_id = bench.run_id, outcome = report.outcome.as_str(), "the run ended");
    Ok(report)
}

/// Whether a failure of one stream will be that of all others too.
fn stops_the_run(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Auth | ErrorKind::Quota | ErrorKind::Cancelled | ErrorKind::Conflict)
}

fn outcome(streams: &[StreamReport], left_out: bool) -> RunOutcome {
    let complete = streams.iter().filter(|stream| stream.outcome == "complete").count();
    let failed = streams.iter().filter(|stream| stream.outcome == "failed").count();
    if complete == streams.len() && !left_out {
        RunOutcome::Complete
    } else if failed > 0 && complete == 0 && streams.iter().all(|stream| stream.outcome == "failed") {
        RunOutcome::Failed
    } else {
        RunOutcome::Partial
    }
}
