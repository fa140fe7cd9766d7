//! `nenrin check`: everything that can be wrong with a project, told before it costs anything.
//!
//! First without asking anybody: every file, the names they use of each other, the SQL they hold, and the
//! lake's folder. Then, where that is sound, each source is asked for its credentials and permissions, and
//! every mapping is compiled against the fields that the source offers now.

mod lake;
mod mappings;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;

use super::context::{Context, OutputFormat};
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

/// What was found out about one source.
#[derive(Debug)]
pub struct SourceReport {
    /// The source.
    pub source: SourceId,
    /// What it was asked and said.
    pub findings: Vec<Finding>,
    /// Mappings and variables that do not fit what it offers.
    pub problems: Vec<Problem>,
    /// What sort of failure kept it from answering, if one did.
    pub failure: Option<ErrorKind>,
}

/// Checks the project: its files, and where those are sound its sources.
///
/// Ends with 78 when something in the files is to be mended; else with the code of what a source failed with.
///
/// # Errors
///
/// What kept the sources from being asked at all, or the answer from being printed.
pub async fn run(args: CheckArgs, context: &Context) -> Result<ExitCode> {
    let project = Project::load(&context.project_dir, &context.environment(), &shipped());
    let problems = match &project {
        Err(found) => found.clone(),
        Ok(project) => offline(project),
    };
    let mut reports = Vec::new();
    if let Ok(project) = &project
        && !args.offline
    {
        if problems.iter().all(Problem::is_warning) {
            match online(project, context).await {
                Ok(found) => reports = found,
                Err(error) => {
                    show(&problems, &[], context)?;
                    return Err(error);
                }
            }
        } else {
            talk("the sources were not asked: mend the files first");
        }
    }
    show(&problems, &reports, context)?;
    Ok(ExitCode::from(exit_code(&problems, &reports)))
}

/// What can be told from the files and the lake's folder.
fn offline(project: &Project) -> Vec<Problem> {
    let mut problems = project.warnings.clone();
    problems.extend(mappings::offline(project));
    problems.extend(lake::check(project));
    problems
}

/// Asks every source.
async fn online(project: &Project, context: &Context) -> Result<Vec<SourceReport>> {
    let (workspace, _revived) = super::open::open_with_sources(context).await?;
    let mut reports = Vec::new();
    for id in workspace.source_ids() {
        let source = workspace.source(&id, "check").await;
        reports.push(check_source(project, id, source).await);
    }
    Ok(reports)
}

fn exit_code(problems: &[Problem], reports: &[SourceReport]) -> u8 {
    let mut all = problems.iter().chain(reports.iter().flat_map(|report| &report.problems));
    if !all.all(Problem::is_warning) {
        return ErrorKind::Config.exit_code();
    }
    let failed = reports.iter().find(|report| report.failure.is_some() || report.findings.iter().any(|f| !f.ok));
    let kind = |report: &SourceReport| match report.failure {
        // What the files name and the source lacks is to be mended in the files.
        None | Some(ErrorKind::NotFound | ErrorKind::Usage) => ErrorKind::Config,
        Some(kind) => kind,
    };
    failed.map_or(0, |report| kind(report).exit_code())
}

/// Asks one source, and compiles every mapping of it against what it offers.
async fn check_source(project: &Project, id: SourceId, source: Result<Arc<dyn Source>>) -> SourceReport {
    let failed = |what: &str, error: &Error| Finding { ok: false, what: what.to_owned(), detail: error.render() };
    let mut report = SourceReport { source: id, findings: Vec::new(), problems: Vec::new(), failure: None };
    let source = match source {
        Ok(source) => source,
        Err(error) => {
            report.findings.push(failed("settings", &error));
            report.failure = Some(error.kind());
            return report;
        }
    };
    // The streams come first: where nobody answers or the credential is refused, asking again for every
    // single thing would only repeat the waiting.
    let streams = source.streams().await;
    if let Err(error) = &streams {
        report.failure = Some(error.kind());
        report.findings.push(failed("streams", error));
        if !answers(error.kind()) {
            return report;
        }
    }
    let findings = source.check().await;
    match streams {
        Ok(streams) => report.problems = mappings::online(project, &report.source, &streams),
        // The source tells more exactly what it lacks than the first failure did.
        Err(_) if findings.iter().any(|finding| !finding.ok) => report.findings.clear(),
        Err(_) => {}
    }
    report.findings.extend(findings);
    report
}

/// Whether a source that fails so can be asked for more.
fn answers(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Auth
        | ErrorKind::Unavailable
        | ErrorKind::RateLimited
        | ErrorKind::Quota
        | ErrorKind::Cancelled
        | ErrorKind::Conflict => false,
        ErrorKind::Usage
        | ErrorKind::Config
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::Rejected
        | ErrorKind::BadData
        | ErrorKind::Corrupt
        | ErrorKind::Storage
        | ErrorKind::Internal => true,
    }
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
