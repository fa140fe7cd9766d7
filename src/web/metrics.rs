//! Figures for a monitoring system, as Prometheus reads them.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TEXT_FORMAT, TextEncoder};
use tracing::warn;

use super::router::Web;
use crate::control::RunOutcome;
use crate::error::{Error, ErrorKind, Result};
use crate::record::SourceId;
use crate::sync::RunReport;
use crate::sync::schedule::next_due;
use crate::sync::worker::Watch;

/// Seconds that a run takes, from a glance to a first load.
const DURATION_SECS: [f64; 9] = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 43_200.0];

/// What this process counted since it began, and gauges that are read when asked for.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    runs: IntCounterVec,
    skipped: IntCounterVec,
    records: IntCounterVec,
    duration: HistogramVec,
    next_due: IntGaugeVec,
    held: IntGaugeVec,
}

impl Metrics {
    /// Nothing counted yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when two figures have one name.
    pub fn new() -> Result<Metrics> {
        Metrics::register()
            .map_err(|error| Error::new(ErrorKind::Internal, "could not set up metrics").caused_by(error))
    }

    fn register() -> Result<Metrics, prometheus::Error> {
        let metrics = Metrics {
            registry: Registry::new(),
            runs: IntCounterVec::new(
                Opts::new("nenrin_runs_total", "Sync runs of this process by how they ended."),
                &["source", "outcome"],
            )?,
            skipped: IntCounterVec::new(
                Opts::new("nenrin_runs_skipped_total", "Due runs left out because another run was going on."),
                &["source"],
            )?,
            records: IntCounterVec::new(
                Opts::new("nenrin_records_total", "Records read by this process by what became of them."),
                &["source", "result"],
            )?,
            duration: HistogramVec::new(
                HistogramOpts::new("nenrin_run_duration_seconds", "How long sync runs took.")
                    .buckets(DURATION_SECS.to_vec()),
                &["source"],
            )?,
            next_due: IntGaugeVec::new(
                Opts::new("nenrin_next_due_timestamp_seconds", "When the source is due next, in Unix time."),
                &["source"],
            )?,
            held: IntGaugeVec::new(
                Opts::new("nenrin_held_open", "Values that could not be converted and wait for someone."),
                &["source"],
            )?,
        };
        metrics.registry.register(Box::new(metrics.runs.clone()))?;
        metrics.registry.register(Box::new(metrics.skipped.clone()))?;
        metrics.registry.register(Box::new(metrics.records.clone()))?;
        metrics.registry.register(Box::new(metrics.duration.clone()))?;
        metrics.registry.register(Box::new(metrics.next_due.clone()))?;
        metrics.registry.register(Box::new(metrics.held.clone()))?;
        Ok(metrics)
    }

    /// Reads the gauges anew: what is due next by the clock, and what the control database holds.
    async fn refresh(&self, web: &Web) {
        self.next_due.reset();
        for (source, schedule) in web.schedules.iter() {
            if let Some(due) = next_due(schedule, source, web.control.now()) {
                self.next_due.with_label_values(&[&source.0]).set(due.micros().div_euclid(1_000_000));
            }
        }
        match web.control.held().open_by_source().await {
            Ok(open) => {
                self.held.reset();
                for source in web.schedules.keys() {
                    self.held.with_label_values(&[&source.0]).set(0);
                }
                for (source, count) in open {
                    self.held.with_label_values(&[&source.0]).set(i64::try_from(count).unwrap_or(i64::MAX));
                }
            }
            Err(error) => warn!(error = %error, "could not count held values for metrics"),
        }
    }
}

impl Watch for Metrics {
    fn finished(&self, run: &RunReport, duration_secs: f64) {
        self.runs.with_label_values(&[run.source.as_str(), run.outcome.as_str()]).inc();
        self.duration.with_label_values(&[run.source.as_str()]).observe(duration_secs);
        for stream in &run.streams {
            let counts = &stream.counts;
            for (result, count) in [
                ("new", counts.new),
                ("changed", counts.changed),
                ("unchanged", counts.unchanged),
                ("deleted", counts.deleted),
                ("rejected", counts.rejected),
                ("deleted_by_absence", counts.deleted_by_absence),
            ] {
                self.records.with_label_values(&[run.source.as_str(), result]).inc_by(count);
            }
        }
    }

    fn skipped(&self, source: &SourceId) {
        self.skipped.with_label_values(&[&source.0]).inc();
    }

    fn broke(&self, source: &SourceId) {
        self.runs.with_label_values(&[source.0.as_str(), RunOutcome::Failed.as_str()]).inc();
    }
}

/// All figures as text.
pub(super) async fn metrics(State(web): State<Web>) -> Response {
    web.metrics.refresh(&web).await;
    match TextEncoder::new().encode_to_string(&web.metrics.registry.gather()) {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            warn!(error = %error, "could not write metrics");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
