//! What every command is given: where the project is, how to print, what time it is.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use super::shipped::shipped;
use crate::clock::{Clock, SystemClock};
use crate::config::{Environment, Project};
use crate::error::Result;

/// How results are printed on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OutputFormat {
    /// A table for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated, with a header line, UTF-8.
    Csv,
    /// A Parquet file (redirect it).
    Parquet,
}

/// What every command is given.
#[derive(Debug, Clone)]
pub struct Context {
    /// The project folder.
    pub project_dir: PathBuf,
    /// How to print results.
    pub output: OutputFormat,
    /// The clock that everything in this process asks.
    pub clock: Arc<dyn Clock>,
    /// Whether standard error is a terminal, so that progress may be drawn there.
    pub progress: bool,
    /// Whether standard output may be coloured.
    pub color: bool,
    /// Settings given on the command line (`--set`), as dotted key and value.
    pub settings: Vec<(String, String)>,
}

impl Context {
    /// A context for `project_dir` with the wall clock; looks at the terminal and at `NO_COLOR`.
    pub fn new(project_dir: PathBuf, output: OutputFormat) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Context {
            project_dir,
            output,
            clock: Arc::new(SystemClock),
            progress: std::io::stderr().is_terminal(),
            color: std::io::stdout().is_terminal() && !no_color,
            settings: Vec::new(),
        }
    }

    /// What this process was given beside files: its variables, and the settings of the command line.
    pub fn environment(&self) -> Environment {
        Environment::from_process().with_flags(self.settings.iter().cloned())
    }

    /// Loads the project.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::error::ErrorKind::Config) with every problem of its files as the cause.
    pub fn open_project(&self) -> Result<Project> {
        Project::open(&self.project_dir, &self.environment(), &shipped())
    }
}
