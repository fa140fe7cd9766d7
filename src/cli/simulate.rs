//! `nenrin simulate`: an outside system on loopback, to try things on.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;
use simulators::{core as core_systems, hubspot, kintone, salesforce, zoho};
use tokio_util::sync::CancellationToken;

use super::Context;
use super::sync::cancel_on_signal;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// The systems there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum System {
    /// A HubSpot portal.
    Hubspot,
    /// A Salesforce org.
    Salesforce,
    /// A kintone domain.
    Kintone,
    /// A Zoho CRM org.
    Zoho,
    /// Three HTTP APIs of core systems: contracts, accounting, usage.
    Core,
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
    let at = args.at.unwrap_or_else(|| context.clock.now()).to_datetime();
    let (seed, records, port) = (args.seed, args.records, args.port);
    match args.system {
        System::Salesforce => {
            let faults = parsed(&args.faults, salesforce::parse_fault)?;
            let options = salesforce::Options { seed, records, at, port, ..salesforce::Options::default() };
            let server = salesforce::Server::start(options).await.map_err(|error| taken(port, error))?;
            faults.into_iter().for_each(|fault| server.org().arm(fault));
            announce_until_stopped("salesforce", &server.base_url(), &server.credentials()).await;
            server.shutdown().await;
        }
        System::Hubspot => {
            let faults = parsed(&args.faults, hubspot::parse_fault)?;
            let options = hubspot::Options {
                seed,
                records,
                contacts: records * 2,
                deals: records / 2,
                tickets: records / 10,
                at,
                port,
                ..hubspot::Options::default()
            };
            let server = hubspot::Server::start(options).await.map_err(|error| taken(port, error))?;
            faults.into_iter().for_each(|fault| server.portal().arm(fault));
            announce_until_stopped("hubspot", &server.base_url(), &server.credentials()).await;
            server.shutdown().await;
        }
        System::Kintone => {
            let faults = parsed(&args.faults, kintone::parse_fault)?;
            let options =
                kintone::Options { seed, records, deals: records / 2, at, port, ..kintone::Options::default() };
            let server = kintone::Server::start(options).await.map_err(|error| taken(port, error))?;
            faults.into_iter().for_each(|fault| server.domain().arm(fault));
            announce_until_stopped("kintone", &server.base_url(), &server.credentials()).await;
            server.shutdown().await;
        }
        System::Zoho => {
            let faults = parsed(&args.faults, zoho::parse_fault)?;
            let options = zoho::Options {
                seed,
                records,
                contacts: records * 2,
                deals: records * 2,
                leads: records / 2,
                subscriptions: records / 2,
                at,
                port,
                ..zoho::Options::default()
            };
            let server = zoho::Server::start(options).await.map_err(|error| taken(port, error))?;
            faults.into_iter().for_each(|fault| server.org().arm(fault));
            announce_until_stopped("zoho", &server.base_url(), &server.credentials()).await;
            server.shutdown().await;
        }
        System::Core => {
            let faults = parsed(&args.faults, core_systems::parse_fault)?;
            let options = core_systems::Options { seed, records, at, port, ..core_systems::Options::default() };
            let server = core_systems::Server::start(options).await.map_err(|error| taken(port, error))?;
            faults.into_iter().for_each(|fault| server.core().arm(fault));
            announce_until_stopped("core", &server.base_url(), &server.credentials()).await;
            server.shutdown().await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The faults that these texts describe, in the words of one system.
fn parsed<F>(specs: &[String], parse: impl Fn(&str) -> std::result::Result<F, String>) -> Result<Vec<F>> {
    let fault = |spec: &String| {
        parse(spec).map_err(|why| {
            Error::new(ErrorKind::Usage, format!("cannot understand the fault `{spec}`"))
                .help("see simulators/README.md for what there is")
                .caused_by(why)
        })
    };
    specs.iter().map(fault).collect()
}

fn taken(port: u16, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Usage, "the port cannot be listened on")
        .with("port", port)
        .help("choose another with --port, or 0 for any free one")
        .caused_by(error)
}

/// Prints where the system is and how to come in, then waits for a signal.
async fn announce_until_stopped(system: &str, base_url: &str, credentials: &serde_json::Value) {
    let cancel = CancellationToken::new();
    let _guard = cancel_on_signal(cancel.clone());
    let line = json!({"system": system, "base_url": base_url, "credentials": credentials});
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
    cancel.cancelled().await;
}
