//! `nenrin compare`: how a comparison is printed.
//!
//! People get a page of at most 80 columns; programs the JSON document of [`Comparison`], or, as CSV, JSON lines
//! and Parquet, one row per customer and variable that differs.

mod page;

use std::io::Write;
use std::process::ExitCode;

use chrono_tz::Tz;
use clap::Args;

use self::page::render;
use super::{Context, open};
use crate::cli::context::OutputFormat;
use crate::cli::output::{self, Cell, Column, Kind, Look, Table};
use crate::compare::{CompareRequest, Comparison, Value, compare};
use crate::error::{Error, ErrorKind, Result};
use crate::workspace::Workspace;

/// Lay two periods beside each other
///
/// Customers won and lost, money as a waterfall, the biggest movers; what is unknown stands apart.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The earlier period: 2025-10, 2025-Q3, FY2025-H1, 2025-10-31, -1y, or an instant
    #[arg(allow_hyphen_values = true)]
    pub a: String,
    /// The later period
    #[arg(allow_hyphen_values = true)]
    pub b: String,
    /// Only these variables; default all
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub variables: Option<Vec<String>>,
    /// Also the figures per value of this variable
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// How many of the customers whose money moved most are listed
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub top: usize,
    /// The money variable of the waterfall; default mrr
    #[arg(long, value_name = "NAME")]
    pub money: Option<String>,
    /// What had been recorded by when; default everything
    #[arg(long, value_name = "K", allow_hyphen_values = true)]
    pub known_at: Option<String>,
}

impl CompareArgs {
    /// Two periods, with everything else as it is when not said.
    pub(crate) fn of(a: &str, b: &str) -> CompareArgs {
        CompareArgs {
            a: a.to_owned(),
            b: b.to_owned(),
            variables: None,
            by: None,
            top: 10,
            money: None,
            known_at: None,
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// Usage for a period or variable that does not exist, and whatever keeps the states from being computed.
pub async fn run(args: CompareArgs, context: &Context) -> Result<ExitCode> {
    output::check_destination(context.output)?;
    let workspace = open(context).await?;
    let comparison = compare_periods(&workspace, &args, context.output != OutputFormat::Table).await?;
    let zone = workspace.project.settings.timezone;
    print(&comparison, zone, context.output, context.color, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Computes what the command prints; with what differs per customer, where asked for.
pub(crate) async fn compare_periods(workspace: &Workspace, args: &CompareArgs, changes: bool) -> Result<Comparison> {
    let (a, b) = (workspace.instant(&args.a)?, workspace.instant(&args.b)?);
    let known_at = args.known_at.as_deref().map(|text| workspace.instant(text)).transpose()?;
    let model = workspace.model().await?;
    let (left, right) = tokio::try_join!(workspace.state(&model, a, known_at), workspace.state(&model, b, known_at))?;
    let variables = model.entity("customer").map(|entity| entity.variables.clone()).unwrap_or_default();
    let request = CompareRequest {
        variables: args.variables.clone(),
        group_by: args.by.clone(),
        top: args.top,
        money: args.money.clone(),
        changes,
    };
    compare(&left.state, &args.a, &right.state, &args.b, &variables, &request)
}

/// Prints a comparison in the given format; people see days in the project's time zone.
pub fn print(comparison: &Comparison, zone: Tz, format: OutputFormat, color: bool, out: &mut dyn Write) -> Result<()> {
    match format {
        OutputFormat::Table => {
            let look = Look { color, width: output::terminal_width() };
            output::write(out, render(comparison, zone, look).as_bytes())
        }
        OutputFormat::Json => {
            let document = serde_json::to_string_pretty(comparison)
                .map_err(|error| Error::new(ErrorKind::Internal, "could not write a comparison").caused_by(error))?;
            output::write(out, format!("{document}\n").as_bytes())
        }
        OutputFormat::Jsonl | OutputFormat::Csv | OutputFormat::Parquet => {
            output::print_table(&differences(comparison), format, color, out)
        }
    }
}

/// One row per customer and variable that differs, sorted by customer and in the order of the variables; won
/// and lost customers have a row per value, unknown ones a single row without a variable. Values are text, since
/// variables of all types share the column.
fn differences(comparison: &Comparison) -> Table {
    let names = ["customer_id", "name", "status", "variable", "before", "after", "reason"];
    let mut table = Table::new(names.map(|name| Column::new(name, Kind::Text)).into());
    for customer in &comparison.customers {
        let mut push = |variable: Option<&str>, before: Option<&Value>, after: Option<&Value>, reason| {
            table.push(vec![
                Cell::Text(customer.customer_id.clone()),
                Cell::text(customer.name.as_deref()),
                Cell::Text(customer.status.as_str().into()),
                Cell::text(variable),
                Cell::text(before.map(Value::to_string)),
                Cell::text(after.map(Value::to_string)),
                Cell::text(reason),
            ]);
        };
        if customer.changes.is_empty() {
            push(None, None, None, customer.unknown_in_a.or(customer.unknown_in_b));
        }
        for change in &customer.changes {
            let reason = change.source_changed.then_some("source_changed");
            push(Some(&change.variable), change.before.as_ref(), change.after.as_ref(), reason);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::page::tests::comparison;
    use super::*;

    #[test]
    fn programs_get_one_row_per_value_that_differs() {
        let mut out = Vec::new();
        let request = CompareRequest { variables: Some(vec!["mrr".into()]), ..CompareRequest::default() };
        print(&comparison(&request), Tz::Asia__Tokyo, OutputFormat::Csv, false, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap().replace('\r', ""), @r"
        customer_id,name,status,variable,before,after,reason
        c02,みどり食品,changed,mrr,50000,65000,
        c03,北斗電機,changed,mrr,30000,25000,
        c04,Kanda Labs,lost,mrr,20000,,
        c06,東都保険,changed,mrr,60000,66000,source_changed
        c07,新星サービス,won,mrr,,40000,
        c08,八重洲商事,unknown,,,,not_read
        c10,無料株式会社,changed,mrr,5000,0,
        ");
    }

    #[test]
    fn the_json_document_has_the_agreed_keys() {
        let mut out = Vec::new();
        print(&comparison(&CompareRequest::default()), Tz::Asia__Tokyo, OutputFormat::Json, false, &mut out).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
        for key in ["a", "b", "coverage", "metrics", "customers"] {
            assert!(document.get(key).is_some(), "{key}");
        }
    }
}
