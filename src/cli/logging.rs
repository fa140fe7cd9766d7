//! Logs on standard error: for people by default, JSON for machines.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::clock::{Clock, SystemClock};
use crate::config::{LogConfig, LogFormat};

/// Starts logging; called once, before anything is logged. `RUST_LOG` says what is logged, else the
/// project's setting, else `default` with `verbose` steps more.
pub fn start(config: &LogConfig, default: &str, verbose: u8, color: bool) {
    let steps = ["warn", "info", "debug", "trace"];
    let base = steps.iter().position(|step| *step == default).unwrap_or(0);
    let level = steps[(base + usize::from(verbose)).min(steps.len() - 1)];
    let chosen = std::env::var("RUST_LOG").ok().or_else(|| config.filter.clone());
    // Dependencies tell their own stories; only warnings of theirs concern us.
    // Delta's kernel logs an error for every table that is not there yet, which it also returns.
    let fallback = || EnvFilter::new(format!("warn,buoyant_kernel=off,nenrin={level}"));
    let filter = chosen.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(fallback);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_timer(OurClock);
    // A second start in one process (a test) keeps the first.
    let _ = match config.format {
        LogFormat::Text => builder.with_ansi(color).with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Stamps log lines with the one clock there is.
struct OurClock;

impl FormatTime for OurClock {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{}", SystemClock.now())
    }
}
