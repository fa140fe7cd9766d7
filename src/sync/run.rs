//! One pass over a source, from connect to log.

use std::sync::Arc;

use serde::Serialize;
use tracing::info;

use super::stream::{StreamError, StreamReport, Workbench, sync_stream};
use crate::connect::{ReadMode, Source};
use crate::control::{EventLevel, RunEvent, RunOutcome};
use crate::error::{Error, ErrorKind, Result};
use crate::land::Counts;
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
    /// Values that could not be converted, open now.
    pub held: u64,
    /// Values of the source's mapped streams, those held included.
    #[serde(skip)]
    pub value_count: u64,
    /// What the run coped with, and somebody should look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<StreamError>,
    /// Why the source could not be read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StreamError>,
}

fn as_word<S: serde::Serializer>(outcome: &RunOutcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.as_str())
}

impl RunReport {
    /// That more is held or was rejected than the project tolerates, in percent of the values converted and of
    /// the rows read.
    pub fn held_above(&self, threshold_percent: f64) -> Option<Error> {
        #[allow(clippy::cast_precision_loss)] // a share in percent
        let is_above = |part: u64, whole: u64| part as f64 * 100.0 > threshold_percent * whole as f64;
        let sum = |count: fn(&Counts) -> u64| self.streams.iter().map(|stream| count(&stream.counts)).sum::<u64>();
        let (read, rejected) = (sum(|counts| counts.read), sum(|counts| counts.rejected));
        let error = Error::new(ErrorKind::BadData, "more is held or rejected than the project tolerates")
            .code("E0402")
            .with("source", &self.source);
        let error = match (is_above(self.held, self.value_count), is_above(rejected, read)) {
            (false, false) => return None,
            (true, false) => error.with("held", format!("{} of {} values", self.held, self.value_count)),
            (false, true) => error.with("rejected", format!("{rejected} of {read} rows")),
            (true, true) => error
                .with("held", format!("{} of {} values", self.held, self.value_count))
                .with("rejected", format!("{rejected} of {read} rows")),
        };
        let error = error.with("tolerated", format!("{threshold_percent} %"));
        Some(error.help("mend them in the source, or raise `held_threshold_percent` in nenrin.yaml"))
    }

    /// Everything that failed.
    pub fn errors(&self) -> impl Iterator<Item = &StreamError> {
        self.error.iter().chain(self.streams.iter().filter_map(|stream| stream.error.as_ref()))
    }

    /// The most telling failure of the run, if it had one.
    pub fn first_error(&self) -> Option<&StreamError> {
        self.errors().next()
    }

    /// The exit code a command ends with after this run: 0 when complete, 75 when it can simply be continued
    /// later, else that of what failed.
    pub fn exit_code(&self) -> u8 {
        match self.outcome {
            RunOutcome::Complete | RunOutcome::CompleteWithHolds => 0,
            RunOutcome::Partial if self.streams.iter().all(|stream| stream.outcome != "failed") => 75,
            _ => match self.first_error().and_then(|error| error.kind) {
                // The source's file names what the source does not have.
                Some(ErrorKind::NotFound) => ErrorKind::Config.exit_code(),
                Some(ErrorKind::Usage) | None => 1,
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
        value_count: 0,
        warnings: Vec::new(),
        error: None,
    };
    info!(source_id = %id, run_id = bench.run_id, "the run begins");
    let names = source.streams();
    if let Some(unknown) = only.iter().find(|wanted| !names.contains(wanted)) {
        let mut error = Error::new(ErrorKind::Usage, "the source has no such stream")
            .with("source", id)
            .with("stream", unknown)
            .with("streams", names.join(", "));
        if let Some(advice) = crate::config::suggest::advice(unknown, names.iter().map(String::as_str)) {
            error = error.help(advice);
        }
        return Err(error);
    }
    let names: Vec<&String> = names.iter().filter(|name| only.is_empty() || only.contains(name)).collect();
    let mut needs_a_look = false;
    for name in &names {
        let stream_id = StreamId { source: id.clone(), stream: (*name).clone() };
        let done = sync_stream(bench, source.clone(), &stream_id, mode).await;
        let warned = tell(bench, &*source, &stream_id, &mut report.warnings).await?;
        needs_a_look |= warned;
        let hopeless = done.error.as_ref().and_then(|error| error.kind).is_some_and(stops_the_run);
        report.streams.push(done);
        if hopeless || bench.cancel.is_cancelled() {
            break;
        }
    }
    report.outcome = match outcome(&report.streams, report.streams.len() < names.len()) {
        RunOutcome::Complete if needs_a_look => RunOutcome::CompleteWithHolds,
        outcome => outcome,
    };
    info!(source_id = %id, run_id = bench.run_id, outcome = report.outcome.as_str(), "the run ended");
    Ok(report)
}

/// Adds what reading a stream found out beside its records to the story of the run; what somebody should look at is
/// among the report's `warnings` too. Whether there was such.
async fn tell(
    bench: &Workbench<'_>,
    source: &dyn Source,
    id: &StreamId,
    warnings: &mut Vec<StreamError>,
) -> Result<bool> {
    let mut warned = false;
    for note in source.notes(&id.stream) {
        let mut fields = serde_json::Map::new();
        for (name, value) in note.about.context() {
            fields.insert((*name).to_owned(), value.as_str().into());
        }
        if let Some(help) = note.about.help_text() {
            fields.insert("next".to_owned(), help.into());
        }
        let event = RunEvent {
            at: bench.clock.now(),
            level: if note.is_warning { EventLevel::Warn } else { EventLevel::Info },
            stream: Some(id.stream.clone()),
            message: note.about.message().to_owned(),
            fields: fields.into(),
        };
        bench.control.runs().add_event(bench.run_id, &event).await?;
        if note.is_warning {
            warnings.push(StreamError::warning(&note.about));
            warned = true;
        }
    }
    Ok(warned)
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
