//! `nenrin publish`: brings the published tables to the current state.

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use super::output::{Cell, Column, Kind, Table, check_destination, print_document, print_table};
use super::{Context, OutputFormat, open};
use crate::error::Result;
use crate::publish::PublishReport;

/// Bring the SQL tables (customer, contact, …) in the control database to the current state.
#[derive(Debug, Clone, clap::Args)]
pub struct PublishArgs {}

/// Runs the command.
///
/// # Errors
///
/// What keeps the state from being computed, and those of [`publish`](crate::publish::publish).
pub async fn run(_args: PublishArgs, context: &Context) -> Result<ExitCode> {
    check_destination(context.output)?;
    let workspace = open(context).await?;
    let report = workspace.publish_current().await?;
    print(&report, context, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what was written.
fn print(report: &PublishReport, context: &Context, out: &mut dyn Write) -> Result<()> {
    let figures = [
        ("inserted", report.inserted),
        ("updated", report.updated),
        ("deleted", report.deleted),
        ("unchanged", report.unchanged),
        ("columns_added", report.columns_added),
        ("columns_dropped", report.columns_dropped),
        ("columns_rebuilt", report.columns_rebuilt),
    ];
    if context.output == OutputFormat::Json {
        let document: serde_json::Map<_, _> =
            figures.into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
        return print_document(&document.into(), out);
    }
    let label = |name: &str| name.replace('_', " ").to_uppercase();
    let columns = figures.iter().map(|(name, _)| Column::new(*name, Kind::Integer).label(label(name)));
    let mut table = Table::new(columns.collect());
    table.push(figures.iter().map(|(_, count)| Cell::count(*count)).collect());
    print_table(&table, context.output, context.color, out)
}
