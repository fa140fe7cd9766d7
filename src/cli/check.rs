//! `nenrin check`: everything that can be wrong with a project, told before it costs anything.
//!
//! First without asking anybody: every file, the names they use of each other, the SQL they hold, and the
//! lake's folder. Then, where that is sound, each source is asked for its credentials and permissions, and
//! every mapping is compiled against the fields that the source offers now.

mod lake;
mod mappings;
mod sources;

use std::io::Write;
use std::process::ExitCode;

use async_trait::async_trait;
use serde_json::json;

use super::context::{Context, OutputFormat};
use super::demo::Revived;
use super::schema::print;
use super::shipped::shipped;
use crate::config::{Place, Problem, Project, render};
use crate::connect::{Finding, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::record::SourceId;

/// Looks for everything that is wrong with the project
///
/// Reads every file, then asks each source whether the credentials work and whether every mapped field
/// exists. Ends with 78 when something is to be mended.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Asks no source: only what can be told from the files
    #[arg(long)]
    pub offline: bool,
}

/// Opens the sources of a project, so that they can be asked.
#[async_trait]
pub trait OpenSources: Send + Sync {
    /// Every source with what opening it gave, in the project's order.
    async fn open(&self, project: &Project, context: &Context) -> Vec<(SourceId, Result<Box<dyn Source>>)>;
}

/// What was found out about one source.
#[derive(Debug)]
pub struct SourceReport {
    /// The source.
    pub source: SourceId,
    /// What it was asked and said.
    pub findings: Vec<Finding>,
    /// Mappings and variables that do not fit what it offers.
    pub problems: Vec<Problem>,
}

/// Checks the project, and asks its sources.
///
/// # Errors
///
/// What kept the answer from being printed; a project that is wrong is no error but exit code 78.
pub async fn run(args: CheckArgs, context: &Context) -> Result<ExitCode> {
    // In a demo folder the simulated Salesforce must be there to be asked.
    let _simulated = if args.offline { None } else { Revived::of(&context.project_dir, &*context.clock).await? };
    run_with(args, context, Some(&sources::AsConfigured)).await
}

/// Checks the project; `open` gives the sources that are to be asked, unless `args` says to ask none.
///
/// # Errors
///
/// As [`run`].
pub async fn run_with(args: CheckArgs, context: &Context, open: Option<&dyn OpenSources>) -> Result<ExitCode> {
    let mut problems = Vec::new();
    let mut reports = Vec::new();
    match Project::load(&context.project_dir, &context.environment(), &shipped()) {
        Err(found) => problems = found,
        Ok(project) => {
            problems.extend(project.warnings.iter().cloned());
            problems.extend(mappings::offline(&project));
            problems.extend(lake::check(&project));
            let sound = problems.iter().all(Problem::is_warning);
            match open {
                Some(open) if sound && !args.offline => {
                    for (id, source) in open.open(&project, context).await {
                        reports.push(check_source(&project, id, source).await);
                    }
                }
                None if !args.offline => talk("the sources were not asked"),
                Some(_) if !args.offline => talk("the sources were not asked: mend the files first"),
                _ => {}
            }
        }
    }
    show(&problems, &reports, context)?;
    let sound = problems.iter().chain(reports.iter().flat_map(|report| &report.problems)).all(Problem::is_warning);
    let reached = reports.iter().flat_map(|report| &report.findings).all(|finding| finding.ok);
    let code = if sound && reached { 0 } else { ErrorKind::Config.exit_code() };
    Ok(ExitCode::from(code))
}

/// Asks one source, and compiles every mapping of it against what it offers.
async fn check_source(project: &Project, id: SourceId, source: Result<Box<dyn Source>>) -> SourceReport {
    let failed = |what: &str, error: &Error| Finding { ok: false, what: what.to_owned(), detail: error.render() };
    let mut report = SourceReport { source: id, findings: Vec::new(), problems: Vec::new() };
    let source = match source {
        Ok(source) => source,
        Err(error) => {
            report.findings.push(failed("settings", &error));
            return report;
        }
    };
    report.findings = source.check().await;
    if report.findings.iter().all(|finding| finding.ok) {
        let names = source.streams();
        let mut streams = Vec::new();
        for name in &names {
            match source.describe_other(name).await {
                Ok(stream) => streams.push(stream),
                Err(error) => report.findings.push(failed(&format!("stream {name}"), &error)),
            }
        }
        report.problems = mappings::online(project, &report.source, &names, &streams);
    }
    report
}

fn show(problems: &[Problem], reports: &[SourceReport], context: &Context) -> Result<()> {
    if !matches!(context.output, OutputFormat::Table) {
        let all = problems.iter().chain(reports.iter().flat_map(|report| &report.problems));
        let all: Vec<_> = all
            .map(|problem| {
                let mut value = json!(problem);
                value["warning"] = problem.is_warning().into();
                value
            })
            .collect();
        let findings: Vec<_> = reports
            .iter()
            .flat_map(|report| report.findings.iter().map(move |finding| (report, finding)))
            .map(|(report, finding)| {
                json!({"source": report.source, "ok": finding.ok, "what": finding.what, "detail": finding.detail})
            })
            .collect();
        return print(&format!("{:#}\n", json!({"problems": all, "findings": findings})));
    }
    let mut text = render(problems, context.color);
    for report in reports {
        for finding in &report.findings {
            let mark = if finding.ok { "ok    " } else { "FAILED" };
            let detail = finding.detail.replace('\n', "\n          ");
            text.push_str(&format!("{}  {mark}  {}: {detail}\n", report.source, finding.what));
        }
        text.push_str(&render(&report.problems, context.color));
    }
    print(&text)?;
    let all = || problems.iter().chain(reports.iter().flat_map(|report| &report.problems));
    let warnings = all().filter(|problem| problem.is_warning()).count();
    let faults = all().count() - warnings;
    let failed = reports.iter().flat_map(|report| &report.findings).filter(|finding| !finding.ok).count();
    talk(&summary(faults + failed, warnings));
    Ok(())
}

fn summary(faults: usize, warnings: usize) -> String {
    let count = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    match (faults, warnings) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("all is well, with {}", count(warnings, "warning")),
        (faults, 0) => format!("{} to mend", count(faults, "problem")),
        (faults, warnings) => format!("{} to mend, and {}", count(faults, "problem"), count(warnings, "warning")),
    }
}

/// A problem with a setting: at its place in `nenrin.yaml`, or of the file where the setting is the default.
pub(super) fn setting_problem(code: &'static str, setting: &str, message: String, advice: &str) -> Problem {
    let place = Place { file: format!("nenrin.yaml ({setting})"), line: 0, column: 0, width: 0 };
    Problem { code, place, message, source_line: String::new(), suggestion: Some(advice.to_owned()) }
}

fn talk(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests;
