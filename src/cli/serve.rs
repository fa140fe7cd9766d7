//! `nenrin serve`: the daemon, until it is told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Context, open_with_sources};
use crate::config::Project;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::ProjectRunner;
use crate::sync::queue::Queue;
use crate::sync::worker::{Daemon, Schedules, SnapshotKeeper, SyncRunner};
use crate::web::{Metrics, Web, router};
use crate::workspace::Workspace;

/// Run the daemon: read sources when they are due, publish, keep snapshots, answer over HTTP.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8700")]
    pub listen: SocketAddr,

    /// How many sources may be read at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub slots: u16,
}

/// Runs the command until a signal stops it.
///
/// # Errors
///
/// What keeps the project from being opened, and those of [`serve`].
pub async fn run(args: ServeArgs, context: &Context) -> Result<ExitCode> {
    let cancel = cancelled_by_signal()?;
    let (workspace, _simulated) = open_with_sources(context).await?;
    let runner = Arc::new(ProjectRunner::new(workspace.clone(), context.environment()));
    serve(&workspace, &args, runner.clone(), runner, cancel).await?;
    Ok(ExitCode::SUCCESS)
}

/// Does the work of the daemon until `cancel`: runs what is due, keeps snapshots, answers over HTTP. Returns when
/// the batches in hand are landed.
///
/// # Errors
///
/// [`ErrorKind::Usage`] when the address cannot be listened on; failures of the control database and the queue
/// at the start.
pub async fn serve(
    workspace: &Workspace,
    args: &ServeArgs,
    runner: Arc<dyn SyncRunner>,
    keeper: Arc<dyn SnapshotKeeper>,
    cancel: CancellationToken,
) -> Result<()> {
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        Error::new(ErrorKind::Usage, "cannot listen on this address")
            .with("address", args.listen)
            .help("name another one with --listen ADDR:PORT; port 0 takes any that is free")
            .caused_by(error)
    })?;
    let address = listener.local_addr().unwrap_or(args.listen);
    let schedules = Arc::new(schedules(&workspace.project));
    let metrics = Arc::new(Metrics::new()?);
    let web = Web {
        control: workspace.control.clone(),
        schedules: schedules.clone(),
        metrics: metrics.clone(),
        probes: Arc::new(vec![("lake", Arc::new(workspace.lake.clone()))]),
        stopping: cancel.clone(),
    };
    let daemon = Daemon {
        control: workspace.control.clone(),
        queue: Queue::open(&workspace.control).await?,
        schedules: schedules.clone(),
        runner,
        keeper,
        watch: metrics,
        worker: format!("{}-{}", workspace.control.process_label(), workspace.clock.now().micros()),
        slot_count: usize::from(args.slots),
    };
    info!(address = %address, source_count = schedules.len(), "the daemon is up");
    if schedules.is_empty() {
        warn!("no source has a schedule: add `schedule: {{ every: 15m }}` to a file in sources/");
    }
    // HTTP goes on while batches are landed, so that a watcher sees the daemon alive but not ready.
    let landed = CancellationToken::new();
    let http = axum::serve(listener, router(web)).with_graceful_shutdown(landed.clone().cancelled_owned());
    let (worked, served) = tokio::join!(
        async {
            let worked = daemon.run(cancel).await;
            landed.cancel();
            worked
        },
        async { http.await }
    );
    worked?;
    served.map_err(|error| Error::new(ErrorKind::Unavailable, "could not serve over HTTP").caused_by(error))?;
    info!("the daemon stopped cleanly");
    Ok(())
}

/// The schedules of a project's sources; those without one are left out.
pub fn schedules(project: &Project) -> Schedules {
    let sources = project.sources.iter().map(|source| &source.value);
    sources.filter_map(|source| Some((source.id.clone(), source.schedule.clone()?))).collect()
}

/// A token that is cancelled by the first SIGTERM or SIGINT (Ctrl-C); the second ends the process at once, which
/// loses nothing either: what was not landed is read again.
///
/// # Errors
///
/// [`ErrorKind::Internal`] when signals cannot be listened for.
pub fn cancelled_by_signal() -> Result<CancellationToken> {
    let mut signals = Signals::listen()
        .map_err(|error| Error::new(ErrorKind::Internal, "could not listen for signals").caused_by(error))?;
    let cancel = CancellationToken::new();
    let cancelled = cancel.clone();
    tokio::spawn(async move {
        signals.next().await;
        info!("stopping: the batches in hand are landed first; a second signal stops at once");
        cancelled.cancel();
        signals.next().await;
        warn!("stopped at once");
        std::process::exit(i32::from(ErrorKind::Cancelled.exit_code()));
    });
    Ok(cancel)
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
