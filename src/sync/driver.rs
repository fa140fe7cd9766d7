//! Drives a sync of a source through all stages, and what follows from it: holds, published tables, snapshots.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::run::{RunReport, sync_source};
use super::step::{NoSteps, Steps};
use super::stream::{BatchLimits, NoProgress, Progress, StreamError, Workbench};
use super::warnings;
use crate::connect::ReadMode;
use crate::control::{HeldField, HeldScope, LeaseKeeper, RunOutcome, StartRun};
use crate::error::{Error, Result};
use crate::record::SourceId;
use crate::snapshot::{HeldAt, Model, Origin, holds_of, period};
use crate::workspace::Workspace;

/// How long a lease on a source lasts without being renewed.
const LEASE_SECS: u32 = 60;

/// How a sync is wanted.
pub struct SyncOptions<'a> {
    /// Only these streams; empty: all.
    pub only: Vec<String>,
    /// What changed, or everything once more.
    pub mode: ReadMode,
    /// Whether the brake on absences is off.
    pub allow_deletes: bool,
    /// Who asked: `cli`, `schedule`, `demo`.
    pub trigger: &'a str,
    /// Is told of every landed batch.
    pub progress: &'a dyn Progress,
    /// Is told of every step.
    pub steps: &'a dyn Steps,
    /// Asks the run to land the batch in hand and stop.
    pub cancel: CancellationToken,
}

impl Default for SyncOptions<'_> {
    fn default() -> Self {
        SyncOptions {
            only: Vec::new(),
            mode: ReadMode::Incremental,
            allow_deletes: false,
            trigger: "cli",
            progress: &NoProgress,
            steps: &NoSteps,
            cancel: CancellationToken::new(),
        }
    }
}

/// Reads everything new of the source `id` into the lake and maps it, so that what cannot be converted is held.
///
/// # Errors
///
/// Conflict when another run of the source is going on, failures of the control database, config when the
/// source or its mappings cannot be used. What failed inside the source is in the report instead.
pub async fn sync(workspace: &Workspace, id: &SourceId, options: &SyncOptions<'_>) -> Result<RunReport> {
    let control = &workspace.control;
    let lease = control.leases().acquire(&format!("source:{id}"), "sync", LEASE_SECS).await?;
    let lost = options.cancel.child_token();
    let now = workspace.clock.now().to_datetime().format("%Y%m%dT%H%M%SZ");
    // The fencing number is given once, so that the id is unique whatever the clock says.
    let run_id = format!("{id}-{now}-{}", lease.token());
    control.runs().mark_interrupted().await?;
    control.runs().start(&StartRun { run_id: &run_id, source: &id.0, trigger: options.trigger }, &lease).await?;
    let keeper = LeaseKeeper::start(control, lease, LEASE_SECS, lost.clone());
    let result = run(workspace, id, options, &run_id, &keeper, lost).await;
    match &result {
        Ok(report) => {
            let counts = serde_json::to_value(report).map_err(|error| {
                Error::new(crate::error::ErrorKind::Internal, "a report is no JSON").caused_by(error)
            })?;
            let error = report.first_error().map(|error| error.message.as_str());
            control.runs().finish(&run_id, report.outcome, &counts, error).await?;
        }
        Err(error) => {
            let why = error.to_string();
            let runs = control.runs();
            let finished = runs.finish(&run_id, RunOutcome::Failed, &serde_json::Value::Null, Some(&why)).await;
            if let Err(second) = finished {
                warn!(run_id, error = %second, "could not store how the run ended");
            }
        }
    }
    keeper.stop().await?;
    result
}

async fn run(
    workspace: &Workspace,
    id: &SourceId,
    options: &SyncOptions<'_>,
    run_id: &str,
    keeper: &LeaseKeeper,
    cancel: CancellationToken,
) -> Result<RunReport> {
    let source = workspace.source(id, run_id).await?;
    let limits = &workspace.project.settings.sync;
    let bench = Workbench {
        control: &workspace.control,
        lake: &workspace.lake,
        cache: &workspace.cache(),
        clock: &*workspace.clock,
        lease: keeper.lease(),
        run_id,
        limits: BatchLimits {
            records: usize::try_from(limits.batch_records).unwrap_or(usize::MAX),
            size_bytes: usize::try_from(limits.batch_bytes).unwrap_or(usize::MAX),
            secs: i64::try_from(limits.batch_secs).unwrap_or(i64::MAX),
        },
        allow_deletes: options.allow_deletes,
        steps: options.steps,
        cancel,
        progress: options.progress,
    };
    let mut report = sync_source(&bench, source, id, &options.only, options.mode).await?;
    let model = workspace.model().await?;
    hold(workspace, &model, id, run_id, &mut report).await?;
    // Those of earlier runs too: a file that was read once is not read again, and what it lacks is still lacking.
    let warnings = warnings::of_source(&workspace.control, id).await?;
    if report.outcome == RunOutcome::Complete && !warnings.is_empty() {
        report.outcome = RunOutcome::CompleteWithHolds;
    }
    report.warnings.extend(warnings.iter().map(StreamError::warning));
    Ok(report)
}

/// Maps what the streams of a source say now, keeps what does not convert, and tells it in the report.
async fn hold(workspace: &Workspace, model: &Model, id: &SourceId, run_id: &str, report: &mut RunReport) -> Result<()> {
    let mut scopes = Vec::new();
    for stream in model.streams.iter().filter(|stream| stream.mapping.stream.source == *id) {
        let scope =
            HeldScope { stream: stream.mapping.stream.clone(), entity: stream.mapping.entity.clone(), mapping: None };
        scopes.push(scope.clone());
        let holds = holds_of(stream, workspace.clock.now()).await?;
        report.value_count += holds.value_count;
        if !holds.not_offered.is_empty() {
            report.warnings.push(StreamError::warning(&warnings::not_offered(&scope, &holds.not_offered)));
        }
        let held: Vec<HeldField> = holds.held.iter().map(to_row).collect();
        let mut distinct: BTreeMap<(String, String), HeldField> = BTreeMap::new();
        for field in held {
            distinct.insert((field.key.clone(), field.variable.clone()), field);
        }
        let held: Vec<HeldField> = distinct.into_values().collect();
        report.held += held.len() as u64;
        let change = workspace.control.held().replace(&scope, run_id, &held).await?;
        if change.opened + change.resolved > 0 {
            info!(stream = %scope.stream, opened = change.opened, resolved = change.resolved, "held values changed");
        }
    }
    let gone = workspace.control.held().resolve_others(id, &scopes).await?;
    if gone > 0 {
        info!(source_id = %id, resolved = gone, "values were held by mappings that are gone");
    }
    Ok(())
}

fn to_row(at: &HeldAt) -> HeldField {
    HeldField {
        stream: at.stream.clone(),
        key: at.key.clone(),
        entity: at.entity.clone(),
        variable: at.held.variable.clone(),
        field: at.held.field.clone(),
        raw: Some(at.held.raw.clone()),
        reason: at.held.reason.clone(),
        code: at.held.reason_code.to_owned(),
        mapping: at.held.place.file.clone(),
        mapping_place: at.held.place.to_string(),
    }
}

/// What followed from one or more syncs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// Closed periods that were kept now, by label.
    pub kept: Vec<String>,
    /// Closed periods whose kept state was restated.
    pub restated: Vec<String>,
}

/// How many closed months back a settling looks.
const MONTHS_BACK: i64 = 13;

/// Keeps the snapshots of closed months that are settled now.
///
/// # Errors
///
/// Failures of the lake or the control database.
pub async fn keep_due(workspace: &Workspace) -> Result<Settled> {
    let model = workspace.model().await?;
    let now = workspace.clock.now();
    let calendar = workspace.calendar();
    let mut settled = Settled::default();
    let earliest = now.plus_secs(-MONTHS_BACK * 31 * 86_400);
    let first_known =
        model.streams.iter().filter_map(|stream| stream.ledger.first_complete_at(crate::clock::Timestamp::MAX)).max();
    for month in period::month_ends_between(earliest, now, &calendar) {
        // Before every stream was read at all there is nothing to keep.
        if first_known.is_none_or(|first| month.end < first)
            && !model
                .streams
                .iter()
                .all(|stream| stream.ledger.statements(crate::clock::Timestamp::MAX).contains_key(&month.at()))
        {
            continue;
        }
        match workspace.state(&model, month.at(), None).await?.origin {
            Origin::Computed => settled.kept.push(month.label),
            Origin::Restated => settled.restated.push(month.label),
            Origin::Kept | Origin::Provisional => {}
        }
    }
    if !settled.kept.is_empty() || !settled.restated.is_empty() {
        info!(
            kept = settled.kept.join(", "),
            restated = settled.restated.join(", "),
            "kept the snapshots of closed months"
        );
    }
    Ok(settled)
}
