//! `nenrin simulate`: an outside system on loopback, to try things on.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;
use simulators::salesforce::{Options, Server, parse_fault};
use tokio_util::sync::CancellationToken;

use super::Context;
use super::sync::cancel_on_signal;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// The systems there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum System {
    /// A Salesforce org.
    Salesforce,
}

/// Serve a simulated system on loopback until stopped
///
/// Prints one JSON line with its address and credentials as soon as it answers. `POST /_sim/…` changes what it
/// holds, `GET /_sim/calls` lists the requests it got; see simulators/README.md.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Which system
    pub system: System,
    /// The port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0, value_name = "P")]
    pub port: u16,
    /// Decides everything that is made up
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// How many records its main object has
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub records: u64,
    /// What its clock shows; default now. It moves only when told to
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<Timestamp>,
    /// Arms a fault, such as `503@query#3` (the third query is answered with 503); may be repeated
    #[arg(long = "fault", value_name = "SPEC")]
    pub faults: Vec<String>,
}

/// Runs the command until a signal stops it.
///
/// # Errors
///
/// Usage for a fault that cannot be understood or a port that is taken.
pub async fn run(args: SimulateArgs, context: &Context) -> Result<ExitCode> {
    let faults = args
        .faults
        .iter()
        .map(|spec| {
            parse_fault(spec).map_err(|why| {
                Error::new(ErrorKind::Usage, format!("cannot understand the fault `{spec}`"))
                    .help("see simulators/README.md for what there is")
                    .caused_by(why)
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let at = args.at.unwrap_or_else(|| context.clock.now()).to_datetime();
    let options = Options { seed: args.seed, records: args.records, at, port: args.port, ..Options::default() };
    let server = Server::start(options).await.map_err(|error| {
        Error::new(ErrorKind::Usage, "the port cannot be listened on")
            .with("port", args.port)
            .help("choose another with --port, or 0 for any free one")
            .caused_by(error)
    })?;
    for fault in faults {
        server.org().arm(fault);
    }
    let cancel = CancellationToken::new();
    let _guard = cancel_on_signal(cancel.clone());
    let line = json!({
        "system": "salesforce",
        "base_url": server.base_url(),
        "credentials": server.credentials(),
    });
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
    cancel.cancelled().await;
    server.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
