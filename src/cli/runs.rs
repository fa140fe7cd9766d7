//! `nenrin runs`: past runs, and when sources are due next.

use std::io::Write;
use std::process::ExitCode;

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::output::{Cell, Column, Kind, Table, check_destination, print_document, print_table, write};
use super::serve::schedules;
use super::{Context, OutputFormat, open};
use crate::clock::Timestamp;
use crate::control::{Run, RunFilter};
use crate::error::Result;
use crate::record::SourceId;
use crate::sync::schedule::next_due;
use crate::workspace::Workspace;

/// List past runs, and when sources are due next.
#[derive(Debug, Clone, clap::Args)]
pub struct RunsArgs {
    /// Only runs of this source.
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,

    /// At most so many past runs, newest first.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u64,
}

/// Runs the command.
///
/// # Errors
///
/// What keeps the project from being opened, failures of the control database or the output.
pub async fn run(args: RunsArgs, context: &Context) -> Result<ExitCode> {
    check_destination(context.output)?;
    let workspace = open(context).await?;
    let (past, next) = read(&workspace, &args).await?;
    print(&past, &next, workspace.project.settings.timezone, context, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Past runs, newest first, and the next due run of every scheduled source, soonest first.
async fn read(workspace: &Workspace, args: &RunsArgs) -> Result<(Vec<Run>, Vec<(SourceId, Timestamp)>)> {
    let control = &workspace.control;
    control.runs().mark_interrupted().await?;
    let source = args.source.as_deref();
    let past = control.runs().list(&RunFilter { source, limit: Some(args.limit), ..Default::default() }).await?;
    let mut next: Vec<(SourceId, Timestamp)> = schedules(&workspace.project)
        .iter()
        .filter(|(id, _)| source.is_none_or(|source| id.0 == source))
        .filter_map(|(id, schedule)| Some((id.clone(), next_due(schedule, id, workspace.clock.now())?)))
        .collect();
    next.sort_by_key(|(id, due)| (*due, id.clone()));
    Ok((past, next))
}

/// Prints runs and what is due next. People see the project's time; CSV, JSON lines and Parquet hold the past runs
/// only.
fn print(past: &[Run], next: &[(SourceId, Timestamp)], zone: Tz, context: &Context, out: &mut dyn Write) -> Result<()> {
    match context.output {
        OutputFormat::Json => print_document(&document(past, next), out),
        OutputFormat::Table => {
            print_table(&past_for_people(past, zone), context.output, context.color, out)?;
            for run in past {
                if let Some(error) = &run.error {
                    write(out, format!("{}: {error}\n", run.run_id).as_bytes())?;
                }
            }
            if !next.is_empty() {
                write(out, b"\n")?;
                print_table(&next_for_people(next, zone), context.output, context.color, out)?;
            }
            Ok(())
        }
        format => print_table(&past_for_programs(past), format, context.color, out),
    }
}

/// The counts that are shown, as `sync` names them.
const COUNTS: [&str; 6] = ["read", "new", "changed", "unchanged", "deleted", "rejected"];

/// A count of a run over all its streams; `None` where it has none (yet).
fn total(counts: &Value, name: &str) -> Option<u64> {
    match counts.get("streams").and_then(Value::as_array) {
        Some(streams) => streams.iter().map(|stream| stream.get(name)?.as_u64()).sum(),
        None => counts.get(name)?.as_u64(),
    }
}

fn document(past: &[Run], next: &[(SourceId, Timestamp)]) -> Value {
    let past: Vec<Value> = past
        .iter()
        .map(|run| {
            json!({
                "run_id": run.run_id,
                "source": run.source,
                "trigger": run.trigger,
                "outcome": run.outcome.as_str(),
                "started_at": run.started_at,
                "ended_at": run.ended_at,
                "counts": run.counts,
                "error": run.error,
            })
        })
        .collect();
    let next: Vec<Value> = next.iter().map(|(source, due)| json!({ "source": source, "due": due })).collect();
    json!({ "runs": past, "next": next })
}

fn past_for_people(past: &[Run], zone: Tz) -> Table {
    let mut columns = vec![
        Column::new("started", Kind::Text).label("STARTED"),
        Column::new("source", Kind::Text).label("SOURCE"),
        Column::new("trigger", Kind::Text).label("BY"),
        Column::new("outcome", Kind::Text).label("OUTCOME"),
        Column::new("took", Kind::Text).label("TOOK"),
    ];
    columns.extend(COUNTS.map(|name| Column::new(name, Kind::Integer).label(name.to_uppercase())));
    let mut table = Table::new(columns);
    for run in past {
        let took = run.ended_at.map(|ended_at| duration(run.started_at, ended_at));
        let mut row = vec![
            Cell::Text(local(run.started_at, zone)),
            Cell::Text(run.source.clone()),
            Cell::Text(run.trigger.clone()),
            Cell::Text(run.outcome.as_str().to_owned()),
            Cell::text(took),
        ];
        row.extend(counts(run));
        table.push(row);
    }
    table
}

fn past_for_programs(past: &[Run]) -> Table {
    let mut columns = ["run_id", "source", "trigger", "outcome"].map(|name| Column::new(name, Kind::Text)).to_vec();
    columns.extend(["started_at", "ended_at"].map(|name| Column::new(name, Kind::Instant)));
    columns.extend(COUNTS.map(|name| Column::new(name, Kind::Integer)));
    columns.push(Column::new("error", Kind::Text));
    let mut table = Table::new(columns);
    for run in past {
        let mut row = vec![
            Cell::Text(run.run_id.clone()),
            Cell::Text(run.source.clone()),
            Cell::Text(run.trigger.clone()),
            Cell::Text(run.outcome.as_str().to_owned()),
            Cell::Instant(run.started_at),
            run.ended_at.map_or(Cell::Null, Cell::Instant),
        ];
        row.extend(counts(run));
        row.push(Cell::text(run.error.clone()));
        table.push(row);
    }
    table
}

fn counts(run: &Run) -> impl Iterator<Item = Cell> {
    COUNTS.map(|name| total(&run.counts, name).map_or(Cell::Null, Cell::count)).into_iter()
}

fn next_for_people(next: &[(SourceId, Timestamp)], zone: Tz) -> Table {
    let mut table = Table::new(vec![
        Column::new("next", Kind::Text).label("NEXT RUN"),
        Column::new("source", Kind::Text).label("SOURCE"),
    ]);
    for (source, due) in next {
        table.push(vec![Cell::Text(local(*due, zone)), Cell::Text(source.0.clone())]);
    }
    table
}

fn local(at: Timestamp, zone: Tz) -> String {
    at.to_datetime().with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `7s`, `3m05s`, `2h10m`.
fn duration(from: Timestamp, to: Timestamp) -> String {
    let secs = to.micros().saturating_sub(from.micros()).max(0) / 1_000_000;
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m{:02}s", secs / 60, secs % 60),
        _ => format!("{}h{:02}m", secs / 3600, secs / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::RunOutcome;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn past() -> Vec<Run> {
        let run = Run {
            run_id: "r2".to_owned(),
            source: "sf".to_owned(),
            trigger: "schedule".to_owned(),
            started_at: at("2026-10-31T14:00:00Z"),
            ended_at: Some(at("2026-10-31T14:03:05Z")),
            outcome: RunOutcome::Complete,
            counts: json!({ "streams": [
                { "stream": "Account", "read": 1200, "new": 3, "changed": 7, "unchanged": 1190, "deleted": 0, "rejected": 0 },
                { "stream": "Contact", "read": 10, "new": 0, "changed": 1, "unchanged": 8, "deleted": 1, "rejected": 0 },
            ]}),
            error: None,
        };
        let dead = Run {
            run_id: "r1".to_owned(),
            outcome: RunOutcome::Interrupted,
            counts: Value::Null,
            error: Some("its process ended before it did".to_owned()),
            ..run.clone()
        };
        vec![run, dead]
    }

    fn printed(output: OutputFormat) -> String {
        let context = Context { color: false, progress: false, ..Context::new(".".into(), output) };
        let mut out = Vec::new();
        let next = [(SourceId("sf".to_owned()), at("2026-11-01T17:00:00Z"))];
        print(&past(), &next, Tz::Asia__Tokyo, &context, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn people_see_their_own_time_totals_and_what_is_next() {
        insta::assert_snapshot!(printed(OutputFormat::Table), @r"
        STARTED              SOURCE  BY        OUTCOME      TOOK    READ  NEW  CHANGED  UNCHANGED  DELETED  REJECTED
        ───────────────────  ──────  ────────  ───────────  ─────  ─────  ───  ───────  ─────────  ───────  ────────
        2026-10-31 23:00:00  sf      schedule  complete     3m05s  1,210    3        8      1,198        1         0
        2026-10-31 23:00:00  sf      schedule  interrupted  3m05s
        r1: its process ended before it did

        NEXT RUN             SOURCE
        ───────────────────  ──────
        2026-11-02 02:00:00  sf
        ");
    }

    #[test]
    fn programs_see_every_stream_and_utc() {
        let document: Value = serde_json::from_str(&printed(OutputFormat::Json)).unwrap();
        assert_eq!(document["runs"][0]["counts"]["streams"][1]["deleted"], 1);
        assert_eq!(document["runs"][0]["started_at"], "2026-10-31T14:00:00Z");
        assert_eq!(document["next"][0], json!({ "source": "sf", "due": "2026-11-01T17:00:00Z" }));
        assert!(printed(OutputFormat::Csv).starts_with("run_id,source,trigger,outcome,started_at,ended_at,read,"));
    }

    #[test]
    fn a_duration_is_as_exact_as_people_need() {
        let took = |secs| duration(Timestamp::from_micros(0), Timestamp::from_micros(0).plus_secs(secs));
        assert_eq!([took(7), took(185), took(7_800)], ["7s", "3m05s", "2h10m"]);
    }
}
