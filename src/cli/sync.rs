//! `nenrin sync`: reads what is new, maps it, publishes the current state, keeps closed months.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::output::{Cell, Column, Kind, Table, print_document, print_table};
use super::{Context, OutputFormat, open_with_sources};
use crate::connect::ReadMode;
use crate::control::RunOutcome;
use crate::error::{ErrorKind, Result};
use crate::land::Counts;
use crate::record::{SourceId, StreamId};
use crate::sync::{NoProgress, Progress, RunReport, SyncOptions, keep_due, sync};

/// Read what is new from the sources, map it, and publish the current state.
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// The sources to read; default all, one after the other.
    pub sources: Vec<String>,
    /// Only these streams.
    #[arg(long, value_name = "STREAM")]
    pub stream: Vec<String>,
    /// Read everything once more: finds changes that moved no stamp, and records that are gone.
    #[arg(long)]
    pub full: bool,
    /// Accept that more than half of a stream's records are missing.
    #[arg(long)]
    pub allow_deletes: bool,
}

/// Runs the command.
pub async fn run(args: SyncArgs, context: &Context) -> Result<ExitCode> {
    let (workspace, _simulated) = open_with_sources(context).await?;
    let ids: Vec<SourceId> = if args.sources.is_empty() {
        workspace.source_ids()
    } else {
        args.sources.iter().map(|name| SourceId(name.clone())).collect()
    };
    let cancel = CancellationToken::new();
    let _guard = cancel_on_signal(cancel.clone());
    let bars = context.progress.then(Bars::default);
    let options = SyncOptions {
        only: args.stream,
        mode: if args.full { ReadMode::Full } else { ReadMode::Incremental },
        allow_deletes: args.allow_deletes,
        trigger: "cli",
        progress: bars.as_ref().map_or(&NoProgress as &dyn Progress, |bars| bars),
        cancel: cancel.clone(),
        ..SyncOptions::default()
    };
    let mut reports = Vec::new();
    for id in &ids {
        reports.push(sync(&workspace, id, &options).await?);
        if cancel.is_cancelled() {
            break;
        }
    }
    if let Some(bars) = &bars {
        bars.clear();
    }
    print(&reports, context)?;
    let threshold = workspace.project.settings.held_threshold_percent;
    let above: Vec<_> = reports.iter().filter_map(|report| report.held_above(threshold)).collect();
    for told in reports.iter().flat_map(|report| report.warnings.iter().chain(report.errors())) {
        tell(&told.rendered);
    }
    for error in &above {
        tell(&error.render());
    }
    if !cancel.is_cancelled() {
        workspace.publish_current().await?;
        // A snapshot that cannot be kept now is computed when it is asked for.
        if let Err(error) = keep_due(&workspace).await {
            if error.kind() == ErrorKind::Config {
                return Err(error);
            }
            warn!(error = %error, "could not keep the snapshots of closed months");
        }
    }
    let worst = reports.iter().map(RunReport::exit_code).max().unwrap_or(0);
    Ok(ExitCode::from(if worst == 0 && !above.is_empty() { 1 } else { worst }))
}

fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints what the runs did: one JSON document (an object for one source, else an array), or a table.
fn print(reports: &[RunReport], context: &Context) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if matches!(context.output, OutputFormat::Json | OutputFormat::Jsonl) {
        for report in reports {
            let value = serde_json::to_value(report).unwrap_or_default();
            match context.output {
                OutputFormat::Jsonl => {
                    let _ = writeln!(out, "{value}");
                }
                _ => print_document(&value, &mut out)?,
            }
        }
        return Ok(());
    }
    print_table(&table_of(reports), context.output, context.color, &mut out)
}

/// One line per stream, with the counts that prove it.
pub(crate) fn table_of(reports: &[RunReport]) -> Table {
    let text = |name: &str, label: &str| Column::new(name, Kind::Text).label(label);
    let number = |name: &str, label: &str| Column::new(name, Kind::Integer).label(label);
    let columns = vec![
        text("source", "source"),
        text("stream", "stream"),
        text("mode", "mode"),
        number("read", "read"),
        number("new", "new"),
        number("changed", "changed"),
        number("unchanged", "unchanged"),
        number("deleted", "deleted"),
        number("rejected", "rejected"),
        number("deleted_by_absence", "absent"),
        number("requests", "requests"),
        text("outcome", "outcome"),
    ];
    let count = |number: u64| Cell::count(number);
    let mut table = Table::new(columns);
    for report in reports {
        for stream in &report.streams {
            let Counts { read, new, changed, unchanged, deleted, rejected, deleted_by_absence } = stream.counts;
            // What is held is a matter of the run; what another stream failed at is not this one's.
            let outcome = match (stream.outcome, report.outcome) {
                ("complete", RunOutcome::CompleteWithHolds) => RunOutcome::CompleteWithHolds.as_str(),
                (own, _) => own,
            };
            table.push(vec![
                Cell::Text(report.source.clone()),
                Cell::Text(stream.stream.clone()),
                Cell::Text(stream.mode.to_owned()),
                count(read),
                count(new),
                count(changed),
                count(unchanged),
                count(deleted),
                count(rejected),
                count(deleted_by_absence),
                count(stream.requests),
                Cell::Text(outcome.to_owned()),
            ]);
        }
    }
    table
}

/// Cancels `token` on SIGINT or SIGTERM while the guard lives.
pub(crate) fn cancel_on_signal(token: CancellationToken) -> impl Drop {
    struct Guard(tokio::task::JoinHandle<()>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    Guard(tokio::spawn(async move {
        let terminate = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminate => {}
        }
        token.cancel();
    }))
}

/// A progress bar per stream, on standard error.
#[derive(Default)]
struct Bars {
    current: Mutex<Option<(StreamId, ProgressBar)>>,
}

impl Bars {
    fn clear(&self) {
        if let Ok(mut current) = self.current.lock()
            && let Some((_, bar)) = current.take()
        {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn landed(&self, stream: &StreamId, counts: &Counts, source_total: Option<u64>) {
        let Ok(mut current) = self.current.lock() else { return };
        if current.as_ref().is_none_or(|(shown, _)| shown != stream) {
            if let Some((_, bar)) = current.take() {
                bar.finish_and_clear();
            }
            let bar = source_total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let template = if source_total.is_some() {
                "{prefix} [{bar:30}] {human_pos}/{human_len} {per_sec} {msg}"
            } else {
                "{prefix} {spinner} {human_pos} {per_sec} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(stream.to_string());
            *current = Some((stream.clone(), bar));
        }
        if let Some((_, bar)) = current.as_ref() {
            bar.set_position(counts.read);
            bar.set_message(format!("new {} changed {} unchanged {}", counts.new, counts.changed, counts.unchanged));
        }
    }
}
