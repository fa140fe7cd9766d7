//! `nenrin held`: values that did not convert and rows that are no records, with why and how many.

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use super::output::{Cell, Column, Kind, Table, check_destination, print_document, print_table, write};
use super::{Context, OutputFormat, open};
use crate::control::{Control, HeldFilter, HeldGroup, HeldRow, RejectedGroup, RejectedRow};
use crate::error::Result;

/// List values that do not convert and rows that are no records, with why and how many.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct HeldArgs {
    /// Only of this source.
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,

    /// Only of this stream.
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<String>,

    /// Only for this variable.
    #[arg(long, value_name = "VARIABLE")]
    pub variable: Option<String>,

    /// One line per value instead of one per reason.
    #[arg(long)]
    pub list: bool,

    /// At most so many lines.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u64,
}

/// What is held and what was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// Grouped by reason, with counts.
    Groups(Vec<HeldGroup>, Vec<RejectedGroup>),
    /// One by one.
    Each(Vec<HeldRow>, Vec<RejectedRow>),
}

/// Runs the command.
///
/// # Errors
///
/// What keeps the project from being opened, failures of the control database or the output.
pub async fn run(args: HeldArgs, context: &Context) -> Result<ExitCode> {
    check_destination(context.output)?;
    let workspace = open(context).await?;
    print(&read(&workspace.control, &args).await?, context, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Reads what `args` ask for. Rejected rows belong to no variable: with one named there are none.
pub(crate) async fn read(control: &Control, args: &HeldArgs) -> Result<Report> {
    let filter = HeldFilter {
        source: args.source.as_deref(),
        stream: args.stream.as_deref(),
        variable: args.variable.as_deref(),
        limit: Some(args.limit),
        ..Default::default()
    };
    let wanted = |stream: &str| args.variable.is_none() && args.stream.as_deref().is_none_or(|only| only == stream);
    let source = args.source.as_deref();
    if args.list {
        let mut rejected = control.rejected().list(source, None).await?;
        rejected.retain(|row| wanted(&row.stream.stream));
        rejected.truncate(usize::try_from(args.limit).unwrap_or(usize::MAX));
        return Ok(Report::Each(control.held().list(&filter).await?, rejected));
    }
    let mut rejected = control.rejected().groups(source).await?;
    rejected.retain(|group| wanted(&group.stream.stream));
    Ok(Report::Groups(control.held().groups(&filter).await?, rejected))
}

/// Prints a report: people see two tables, JSON has both; CSV, JSON lines and Parquet hold the held values only.
pub(crate) fn print(report: &Report, context: &Context, out: &mut dyn Write) -> Result<()> {
    let (held, rejected) = match report {
        Report::Groups(held, rejected) => (held_groups(held), rejected_groups(rejected)),
        Report::Each(held, rejected) => (held_rows(held), rejected_rows(rejected)),
    };
    match context.output {
        OutputFormat::Json => {
            let document = match report {
                Report::Groups(held, rejected) => json!({ "held": held, "rejected": rejected }),
                Report::Each(held, rejected) => json!({ "held": held, "rejected": rejected }),
            };
            print_document(&document, out)
        }
        OutputFormat::Table if held.rows.is_empty() && rejected.rows.is_empty() => {
            write(out, "Nothing is held, nothing was rejected.\n".as_bytes())
        }
        OutputFormat::Table => {
            for (title, table) in
                [("Held: values that do not convert", held), ("Rejected: rows that are no records", rejected)]
            {
                if !table.rows.is_empty() {
                    write(out, format!("{title}\n").as_bytes())?;
                    print_table(&table, context.output, context.color, out)?;
                }
            }
            Ok(())
        }
        format => print_table(&held, format, context.color, out),
    }
}

fn held_groups(groups: &[HeldGroup]) -> Table {
    let mut table = Table::new(vec![
        Column::new("count", Kind::Integer).label("COUNT"),
        Column::new("stream", Kind::Text).label("STREAM"),
        Column::new("variable", Kind::Text).label("VARIABLE"),
        Column::new("reason", Kind::Text).label("REASON"),
        Column::new("example", Kind::Text).label("EXAMPLE"),
        Column::new("mapping", Kind::Text).label("MAPPING"),
    ]);
    for group in groups {
        table.push(vec![
            Cell::count(group.count),
            Cell::Text(group.stream.to_string()),
            Cell::Text(format!("{}.{}", group.entity, group.variable)),
            Cell::Text(group.reason.clone()),
            Cell::text(group.example.clone()),
            Cell::Text(group.mapping_place.clone()),
        ]);
    }
    table
}

fn rejected_groups(groups: &[RejectedGroup]) -> Table {
    let mut table = Table::new(vec![
        Column::new("count", Kind::Integer).label("COUNT"),
        Column::new("stream", Kind::Text).label("STREAM"),
        Column::new("reason", Kind::Text).label("REASON"),
        Column::new("place", Kind::Text).label("FOR EXAMPLE AT"),
    ]);
    for group in groups {
        table.push(vec![
            Cell::count(group.count),
            Cell::Text(group.stream.to_string()),
            Cell::Text(group.reason.clone()),
            Cell::Text(group.example_place.clone()),
        ]);
    }
    table
}

fn held_rows(rows: &[HeldRow]) -> Table {
    let names = ["stream", "key", "variable", "field", "value", "reason", "mapping", "first_seen_run"];
    let mut table = Table::new(names.map(|name| Column::new(name, Kind::Text).label(name.to_uppercase())).to_vec());
    for row in rows {
        let held = &row.held;
        table.push(vec![
            Cell::Text(held.stream.to_string()),
            Cell::Text(held.key.clone()),
            Cell::Text(format!("{}.{}", held.entity, held.variable)),
            Cell::Text(held.field.clone()),
            Cell::text(held.raw.clone()),
            Cell::Text(held.reason.clone()),
            Cell::Text(held.mapping_place.clone()),
            Cell::Text(row.first_seen_run.clone()),
        ]);
    }
    table
}

fn rejected_rows(rows: &[RejectedRow]) -> Table {
    let names = ["stream", "place", "key", "reason", "row", "run"];
    let mut table = Table::new(names.map(|name| Column::new(name, Kind::Text).label(name.to_uppercase())).to_vec());
    for row in rows {
        table.push(vec![
            Cell::Text(row.stream.to_string()),
            Cell::Text(row.rejected.place.clone()),
            Cell::text(row.rejected.key.clone()),
            Cell::Text(row.rejected.reason.clone()),
            Cell::Text(row.rejected.raw.clone()),
            Cell::Text(row.run_id.clone()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::record::StreamId;

    fn report() -> Report {
        Report::Groups(
            vec![HeldGroup {
                stream: StreamId::new("sf", "Account"),
                entity: "customer".to_owned(),
                variable: "mrr".to_owned(),
                field: "MRR__c".to_owned(),
                code: "V101".to_owned(),
                reason: "not a number".to_owned(),
                mapping_place: "mappings/sf/Account.yaml:8:8".to_owned(),
                count: 12,
                example: Some("約120万".to_owned()),
                first_seen_at: Timestamp::from_micros(0),
            }],
            vec![RejectedGroup {
                stream: StreamId::new("core", "customers"),
                reason: "the row has no key".to_owned(),
                count: 2,
                example_place: "customers_202510.csv:17".to_owned(),
            }],
        )
    }

    fn printed(report: &Report, output: OutputFormat) -> String {
        let context = Context { color: false, progress: false, ..Context::new(".".into(), output) };
        let mut out = Vec::new();
        print(report, &context, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn people_see_how_many_why_and_where_to_mend_it() {
        insta::assert_snapshot!(printed(&report(), OutputFormat::Table), @r"
        Held: values that do not convert
        COUNT  STREAM      VARIABLE      REASON        EXAMPLE  MAPPING
        ─────  ──────────  ────────────  ────────────  ───────  ────────────────────────────
           12  sf/Account  customer.mrr  not a number  約120万  mappings/sf/Account.yaml:8:8
        Rejected: rows that are no records
        COUNT  STREAM          REASON              FOR EXAMPLE AT
        ─────  ──────────────  ──────────────────  ───────────────────────
            2  core/customers  the row has no key  customers_202510.csv:17
        ");
    }

    #[test]
    fn nothing_held_is_said_in_words_and_as_empty_lists() {
        let nothing = Report::Groups(Vec::new(), Vec::new());
        assert_eq!(printed(&nothing, OutputFormat::Table), "Nothing is held, nothing was rejected.\n");
        let document: serde_json::Value = serde_json::from_str(&printed(&nothing, OutputFormat::Json)).unwrap();
        assert_eq!(document, json!({ "held": [], "rejected": [] }));
    }
}
