//! `nenrin query`: SQL over the state at an instant and over the logs.

use std::process::ExitCode;

use clap::Args;

use super::output::{check_destination, print_rows};
use super::{Context, open};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::query::query;

/// Ask the unified schema and the logs with SQL.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The query: tables `customer`, `contact`, `contract`, `deal`, and `log."source/stream"`.
    pub sql: String,
    /// When it was true: a period (its end), a day, or an instant; default now.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub as_of: Option<String>,
    /// What had been recorded by when; default everything.
    #[arg(long, value_name = "K", allow_hyphen_values = true)]
    pub known_at: Option<String>,
}

/// Runs the command.
pub async fn run(args: QueryArgs, context: &Context) -> Result<ExitCode> {
    check_destination(context.output)?;
    let workspace = open(context).await?;
    let at = match &args.as_of {
        Some(text) => workspace.instant(text)?,
        None => workspace.clock.now(),
    };
    let known_at = args.known_at.as_deref().map(|text| workspace.instant(text)).transpose()?;
    let model = workspace.model().await?;
    let kept = workspace.state(&model, at, known_at).await?;
    if args.as_of.is_some() {
        for why in &kept.state.provisional_because {
            eprintln!("provisional: {why}");
        }
        for what in kept.state.uncertain() {
            eprintln!("note: {what}");
        }
    }
    let answer = query(&args.sql, &kept.state, &workspace.lake, known_at.unwrap_or(Timestamp::MAX)).await?;
    let mut out = std::io::stdout().lock();
    print_rows(&answer.schema, &answer.batches, context.output, context.color, &mut out)?;
    Ok(ExitCode::SUCCESS)
}
