//! The command line: one file per command.
//!
//! Standard output is data, standard error is talk. A command returns the exit code that scripts may
//! rely on; an error is printed by [`report`] and gives the code of its kind.

mod ask;
pub mod check;
pub mod compare;
pub mod context;
pub mod demo;
pub mod discover;
pub mod explain_error;
pub mod guess;
pub mod held;
pub mod init;
pub mod logging;
mod open;
pub mod output;
pub mod preview;
pub mod publish;
pub mod query;
pub mod runs;
pub mod schema;
pub mod serve;
pub mod shipped;
pub mod simulate;
pub mod sync;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use context::{Context, OutputFormat};
pub(crate) use open::{open, open_with_sources};
pub use shipped::shipped;

use crate::config::{LogConfig, LogFormat, Problems, Project, render};
use crate::error::{Error, Result};

/// Pulls customer records out of CRMs and core systems, keeps every change, and lays any past period beside
/// any other.
#[derive(Debug, Parser)]
#[command(name = "nenrin", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// The project folder; default the nearest one upwards with a nenrin.yaml
    #[arg(long, global = true, value_name = "DIR", env = "NENRIN_PROJECT")]
    pub project: Option<PathBuf>,

    /// How results are printed
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: OutputFormat,

    /// Lays a setting over nenrin.yaml and the environment (sync.batch_secs=10); may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub settings: Vec<(String, String)>,

    /// Logs more to standard error (-v, -vv); RUST_LOG says it exactly
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Logs JSON, one object a line
    #[arg(long, global = true)]
    pub log_json: bool,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 something failed or is held above the threshold, 2 usage, 65 bad data,
69 source unavailable, 75 temporary (try again), 77 permission, 78 configuration";

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // each is documented at its arguments
pub enum Command {
    Demo(demo::DemoArgs),
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Discover(discover::DiscoverArgs),
    Guess(guess::GuessArgs),
    Preview(preview::PreviewArgs),
    Sync(sync::SyncArgs),
    Serve(serve::ServeArgs),
    Runs(runs::RunsArgs),
    Held(held::HeldArgs),
    Compare(compare::CompareArgs),
    Query(query::QueryArgs),
    Publish(publish::PublishArgs),
    Simulate(simulate::SimulateArgs),
    Schema(schema::SchemaArgs),
    ExplainError(explain_error::ExplainErrorArgs),
}

impl Command {
    /// What is logged when nobody says otherwise: a daemon tells its story, a command only what it coped with.
    fn default_log(&self) -> &'static str {
        match self {
            Command::Serve(_) => "info",
            Command::Demo(_)
            | Command::Init(_)
            | Command::Check(_)
            | Command::Discover(_)
            | Command::Guess(_)
            | Command::Preview(_)
            | Command::Sync(_)
            | Command::Runs(_)
            | Command::Held(_)
            | Command::Compare(_)
            | Command::Query(_)
            | Command::Publish(_)
            | Command::Simulate(_)
            | Command::Schema(_)
            | Command::ExplainError(_) => "warn",
        }
    }
}

impl Cli {
    /// What every command is given.
    pub fn context(&self) -> Context {
        let here = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        let project = self.project.clone().unwrap_or_else(|| Project::find(&here()).unwrap_or_else(here));
        Context { settings: self.settings.clone(), ..Context::new(project, self.output) }
    }

    /// Starts logging as flags, environment and project say.
    pub fn start_logging(&self, context: &Context) {
        let mut config = LogConfig::peek(&context.project_dir, &context.environment());
        if self.log_json {
            config.format = LogFormat::Json;
        }
        logging::start(&config, self.command.default_log(), self.verbose, stderr_color());
    }
}

/// Runs one command.
///
/// # Errors
///
/// What kept it from running; [`report`] prints it.
pub async fn run(command: Command, context: &Context) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args, context).await,
        Command::Init(args) => init::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
        Command::Discover(args) => discover::run(args, context).await,
        Command::Guess(args) => guess::run(args, context).await,
        Command::Preview(args) => preview::run(args, context).await,
        Command::Sync(args) => sync::run(args, context).await,
        Command::Serve(args) => serve::run(args, context).await,
        Command::Runs(args) => runs::run(args, context).await,
        Command::Held(args) => held::run(args, context).await,
        Command::Compare(args) => compare::run(args, context).await,
        Command::Query(args) => query::run(args, context).await,
        Command::Publish(args) => publish::run(args, context).await,
        Command::Simulate(args) => simulate::run(args, context).await,
        Command::Schema(args) => schema::run(args, context).await,
        Command::ExplainError(args) => explain_error::run(args, context).await,
    }
}

/// Prints an error on standard error, problems of project files in full, and gives the exit code of its kind.
pub fn report(error: &Error) -> ExitCode {
    let problems = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Problems>());
    let text = match problems {
        Some(Problems(problems)) => {
            let mut text = render(problems, stderr_color());
            text.push_str(&format!("\nerror[{}]: {}", error.code_str(), error.message()));
            if let Some(help) = error.help_text() {
                text.push_str(&format!("\n  next: {help}"));
            }
            text
        }
        None => error.render(),
    };
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(error.kind().exit_code())
}

fn stderr_color() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !no_color
}

fn parse_setting(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE, such as sync.batch_secs=10".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        let cli = Cli::try_parse_from(["nenrin", "check", "--project", "p", "-o", "json", "--set", "a.b=c=d"]).unwrap();
        assert_eq!(cli.project, Some(PathBuf::from("p")));
        assert_eq!(cli.output, OutputFormat::Json);
        assert_eq!(cli.settings, [("a.b".to_owned(), "c=d".to_owned())]);
        assert_eq!(Cli::try_parse_from(["nenrin", "check", "--set", "a"]).unwrap_err().exit_code(), 2);
    }
}
