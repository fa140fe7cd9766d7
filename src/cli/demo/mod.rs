//! `nenrin demo`: thirteen months of a believable company, lived through in a minute.
//!
//! The outside systems are simulated (Salesforce over real HTTP on loopback, the core system as files); all
//! that nenrin does with them is real, and the project folder that is left behind is an ordinary one.

mod files;
mod org;
pub mod project;
mod story;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::compare::{CompareArgs, compare_periods, print as print_comparison};
use super::held::{self, HeldArgs};
use super::output::{Cell, Column, Kind, Table, print_rows, print_table};
use super::{Context, OutputFormat};
use crate::clock::{ManualClock, Timestamp};
use crate::connect::ReadMode;
use crate::error::{Error, ErrorKind, Result};
use crate::query::query;
use crate::sync::{RunReport, SyncOptions, keep_due, sync};
use crate::workspace::Workspace;

pub(crate) use org::Revived;

/// See nenrin at work: a made-up company's customers through thirteen months
///
/// Starts a simulated Salesforce and a core system that writes month-end files, lives through October 2025 to
/// October 2026 with a real sync at each month's end, and lays the two Octobers beside each other. Leaves an
/// ordinary project folder behind.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where the project folder is made; default `nenrin-demo`, or the next free name
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Decides everything that is made up
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// Runs the command.
///
/// # Errors
///
/// Usage when the folder is not empty, and whatever a sync or a comparison can fail with.
pub async fn run(args: DemoArgs, context: &Context) -> Result<ExitCode> {
    let folder = choose_folder(args.dir.as_deref())?;
    let mut out = std::io::stdout().lock();
    let say = |out: &mut dyn Write, text: &str| {
        let _ = writeln!(out, "{text}");
    };
    say(&mut out, &format!("年輪 nenrin demo: a project in {}\n", folder.display()));
    files::write(&folder)?;
    let mut life = story::Life::begin(&folder, args.seed).await?;
    let clock = ManualClock::at(life.now());
    let environment = context.environment();
    let mut runs = Table::new(vec![
        Column::new("month", Kind::Text),
        Column::new("source", Kind::Text),
        Column::new("read", Kind::Integer),
        Column::new("new", Kind::Integer),
        Column::new("changed", Kind::Integer),
        Column::new("unchanged", Kind::Integer),
        Column::new("deleted", Kind::Integer),
        Column::new("absent", Kind::Integer),
        Column::new("held", Kind::Integer),
        Column::new("requests", Kind::Integer),
        Column::new("outcome", Kind::Text),
    ]);
    let workspace = Workspace::open(&folder, &environment, Arc::new(clock.clone())).await?;
    for (year, month) in story::months() {
        life.live(year, month)?;
        clock.set(life.now());
        if context.progress {
            let _ = write!(std::io::stderr(), "\rliving {year}-{month:02} …");
        }
        for id in workspace.source_ids() {
            // Salesforce does not tell of what was deleted for good; a full read at the quarter's end does.
            let mode = if id.0 == "salesforce" && month % 3 == 0 { ReadMode::Full } else { ReadMode::Incremental };
            let options = SyncOptions { trigger: "demo", mode, ..SyncOptions::default() };
            let report = sync(&workspace, &id, &options).await?;
            if let Some(error) = report.first_error() {
                return Err(Error::new(error.kind.unwrap_or(ErrorKind::Internal), "a sync of the demo failed")
                    .with("source", &id)
                    .caused_by(error.rendered.clone()));
            }
            runs.push(row_of(&format!("{year}-{month:02}"), &report));
        }
        keep_due(&workspace).await?;
    }
    if context.progress {
        let _ = write!(std::io::stderr(), "\r                    \r");
    }
    say(&mut out, "1. Thirteen months, a sync at the end of each: what every run read and what became of it\n");
    print_table(&runs, OutputFormat::Table, context.color, &mut out)?;

    say(&mut out, "\n2. October 2025 beside October 2026\n");
    let wanted = CompareArgs::of("2025-10", "2026-10");
    let comparison = compare_periods(&workspace, &wanted, false).await?;
    let zone = workspace.project.settings.timezone;
    print_comparison(&comparison, zone, OutputFormat::Table, context.color, &mut out)?;

    say(&mut out, "\n3. What could not be converted is held, with the reason; nothing is dropped or guessed\n");
    let all = HeldArgs { limit: 100, ..HeldArgs::default() };
    let for_people = Context { output: OutputFormat::Table, ..context.clone() };
    held::print(&held::read(&workspace.control, &all).await?, &for_people, &mut out)?;

    workspace.publish_current().await?;
    say(&mut out, "\n4. A variable defined this morning: schemas/variables/health_score.yaml is added now\n");
    say(&mut out, project::LATER.1);
    files::write_later(&folder)?;
    let workspace = Workspace::open(&folder, &environment, Arc::new(clock.clone())).await?;
    say(&mut out, "It has values in every past month at once, without a sync:\n");
    print_health(&workspace, context.color, &mut out).await?;
    let published = workspace.publish_current().await?;
    say(
        &mut out,
        &format!(
            "\nand is a typed column of the published table customer ({} column(s) added).\n",
            published.columns_added
        ),
    );
    life.end(&folder).await?;
    say(&mut out, "Try next:\n");
    let at = folder.display();
    say(&mut out, &format!("  cd {at}"));
    say(&mut out, "  nenrin compare 2026-Q2 2026-Q3 --by plan");
    say(
        &mut out,
        "  nenrin query \"SELECT name, mrr, health_score FROM customer ORDER BY mrr DESC LIMIT 5\" --as-of 2025-12",
    );
    say(&mut out, "  nenrin sync        # the simulated Salesforce comes back by itself in this folder");
    say(&mut out, "\n(with `cargo run -q -- ` for `nenrin `, or put the binary on your PATH)");
    Ok(ExitCode::SUCCESS)
}

fn choose_folder(wanted: Option<&Path>) -> Result<PathBuf> {
    let is_free = |folder: &Path| std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    match wanted {
        Some(folder) if is_free(folder) => Ok(folder.to_path_buf()),
        Some(folder) => Err(Error::new(ErrorKind::Usage, "the folder is not empty")
            .with("folder", folder.display())
            .help("choose another with --dir, or remove it")),
        None => Ok((1..)
            .map(|n| PathBuf::from(if n == 1 { "nenrin-demo".to_owned() } else { format!("nenrin-demo-{n}") }))
            .find(|folder| is_free(folder))
            .unwrap_or_else(|| PathBuf::from("nenrin-demo"))),
    }
}

fn row_of(month: &str, report: &RunReport) -> Vec<Cell> {
    let mut counts = crate::land::Counts::default();
    let mut requests = 0;
    for stream in &report.streams {
        counts.add(&stream.counts);
        requests += stream.requests;
    }
    vec![
        Cell::Text(month.to_owned()),
        Cell::Text(report.source.clone()),
        Cell::count(counts.read),
        Cell::count(counts.new),
        Cell::count(counts.changed),
        Cell::count(counts.unchanged),
        Cell::count(counts.deleted),
        Cell::count(counts.deleted_by_absence),
        Cell::count(report.held),
        Cell::count(requests),
        Cell::Text(report.outcome.as_str().to_owned()),
    ]
}

/// The average health score at each quarter's end.
async fn print_health(workspace: &Workspace, color: bool, out: &mut dyn Write) -> Result<()> {
    let model = workspace.model().await?;
    let mut batches = Vec::new();
    let mut schema = None;
    for month in ["2025-10", "2026-01", "2026-04", "2026-07", "2026-10"] {
        let at = workspace.instant(month)?;
        let kept = workspace.state(&model, at, None).await?;
        let sql = format!(
            "SELECT '{month}' AS month, count(*) AS customers, count(health_score) AS scored, \
             round(avg(health_score), 1) AS health_score FROM customer"
        );
        let answer = query(&sql, &kept.state, &workspace.lake, Timestamp::MAX).await?;
        schema.get_or_insert(answer.schema);
        batches.extend(answer.batches);
    }
    match schema {
        Some(schema) => print_rows(&schema, &batches, OutputFormat::Table, color, out),
        None => Ok(()),
    }
}
