//! Bad input gets a clear error, and nothing is lost: the real program on a project in a temporary folder.
//!
//! Each test shows what a person reads on standard error with the exit code, and what the log and the published
//! tables hold afterwards.

mod apis;
mod catalogue;
mod cells;
mod definitions;
mod files;
mod salesforce;
mod storage;

use std::path::{Path, PathBuf};
use std::process::Command;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use nenrin::log::{Lake, LogTable, Wanted, system};
use nenrin::record::StreamId;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tempfile::TempDir;

/// The settings of every project here: pauses that take no time, and a limit on what is tolerated.
const SETTINGS: &str = "\
apiVersion: nenrin/v1
kind: Project
http: { retries: 2, first_pause_ms: 1, longest_pause_ms: 2 }
held_threshold_percent: 5
";

/// A project in a folder of its own.
pub(crate) struct TestProject {
    folder: TempDir,
    vars: Vec<(String, String)>,
    /// What differs from run to run, and what is shown instead.
    shown: Vec<(String, &'static str)>,
}

impl TestProject {
    /// A project of these files and the settings.
    pub(crate) fn new(files: &[(&str, &str)]) -> TestProject {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let shown = vec![(real.display().to_string(), "[project]"), (folder.path().display().to_string(), "[project]")];
        let project = TestProject { folder, vars: Vec::new(), shown };
        project.write("nenrin.yaml", SETTINGS);
        for (file, text) in files {
            project.write(file, text);
        }
        project
    }

    /// The same with an environment variable of the program.
    pub(crate) fn with_var(mut self, name: &str, value: &str) -> TestProject {
        self.set_var(name, value);
        self
    }

    pub(crate) fn set_var(&mut self, name: &str, value: &str) {
        self.vars.push((name.to_owned(), value.to_owned()));
    }

    /// The same, showing `instead` where `text` is printed.
    pub(crate) fn showing(mut self, text: String, instead: &'static str) -> TestProject {
        self.shown.push((text, instead));
        self
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Replaces `from`, which must stand there, in a file.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{file} lacks {from}");
        self.write(file, text.replace(from, to));
    }

    /// Runs `nenrin ARGS` on the project.
    pub(crate) async fn nenrin(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nenrin"));
        command.args(args);
        self.run(command).await
    }

    /// The same where no file may grow beyond `limit` bytes: what a full disk does, for whoever runs the tests.
    pub(crate) async fn nenrin_with_files_up_to(&self, limit: u64, args: &[&str]) -> Ran {
        let mut command = Command::new("sh");
        // Ignored, the signal becomes an error of the write; the unit of `ulimit -f` is 512 bytes.
        let limited = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", limit / 512);
        command.args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_nenrin")]).args(args);
        self.run(command).await
    }

    async fn run(&self, mut command: Command) -> Ran {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("NENRIN_") {
                command.env_remove(name);
            }
        }
        command.env_remove("RUST_LOG").env("NO_COLOR", "1").current_dir(self.folder.path());
        command.envs(self.vars.iter().map(|(name, value)| (name, value)));
        // The simulated service answers from this runtime, which must not stand still.
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran {
            code: output.status.code(),
            stdout: self.without_chance(&text(output.stdout)),
            stderr: self.without_chance(&text(output.stderr)),
        }
    }

    /// What is printed, without what differs from run to run.
    fn without_chance(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.shown {
            text = text.replace(from, to);
        }
        for (shape, instead) in [
            ("dddd-dd-ddTdd:dd:dd.ddddddZ", "[time]"),
            // Once in a thousand times there are no microseconds to show.
            ("dddd-dd-ddTdd:dd:dd.dddZ", "[time]"),
            ("ddddddddTddddddZ", "[time]"),
            ("pause_ms=dddd", "pause_ms=[n]"),
            ("pause_ms=ddd", "pause_ms=[n]"),
            ("pause_ms=dd", "pause_ms=[n]"),
            ("pause_ms=d", "pause_ms=[n]"),
        ] {
            text = masked(&text, shape, instead);
        }
        text
    }

    /// The versions in the log of `stream` in the order they were recorded: what happened, and these fields.
    pub(crate) async fn log(&self, stream: &str, fields: &[&str]) -> Vec<String> {
        let (source, name) = stream.split_once('/').unwrap();
        if !self.path("lake").is_dir() {
            return Vec::new();
        }
        let lake = Lake::open("lake", self.folder.path()).unwrap();
        let Some(log) = LogTable::open(&lake, &StreamId::new(source, name)).await.unwrap() else { return Vec::new() };
        let wanted = Wanted {
            system: vec![system::SEQ, system::OP],
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        let mut versions = Vec::new();
        for file in log.files().unwrap() {
            let batch = log.read_file(&file, None, &wanted).await.unwrap();
            for row in 0..batch.num_rows() {
                let value = |column: usize| {
                    let values = batch.column(column).as_string::<i32>();
                    if values.is_valid(row) { values.value(row) } else { "-" }
                };
                let shown: Vec<&str> = (1..batch.num_columns()).map(value).collect();
                versions.push((batch.column(0).as_primitive::<Int64Type>().value(row), shown.join(" ")));
            }
        }
        versions.sort();
        versions.into_iter().map(|(_, shown)| shown).collect()
    }

    /// What the published table `customer` says of name and monthly money, by name; nothing where there is none.
    pub(crate) async fn published(&self) -> Vec<String> {
        if !self.path("nenrin.db").is_file() {
            return Vec::new();
        }
        let url = format!("sqlite://{}", self.path("nenrin.db").display());
        let database = Database::connect(url).await.unwrap();
        let sql = "SELECT coalesce(name, '-') || ' ' || coalesce(CAST(mrr AS TEXT), '-') FROM customer ORDER BY 1";
        let found = database.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await;
        let rows = found.unwrap_or_default().iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect();
        database.close().await.unwrap();
        rows
    }
}

/// What a run of the program showed.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// What a person reads on standard error, and the exit code.
    pub(crate) fn told(&self) -> String {
        match self.code {
            Some(code) => format!("{}exit {code}", self.stderr),
            None => format!("{}killed", self.stderr),
        }
    }

    /// What a person reads on standard output and standard error, and the exit code.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.told())
    }

    /// How `sync -o json` says that it ended, as a whole and per stream.
    pub(crate) fn outcome(&self) -> String {
        let report: serde_json::Value = serde_json::from_str(&self.stdout).expect("run with -o json");
        let word = |value: &serde_json::Value| value["outcome"].as_str().unwrap().to_owned();
        let streams = report["streams"].as_array().unwrap().iter();
        let streams: Vec<String> =
            streams.map(|stream| format!("{} {}", stream["stream"].as_str().unwrap(), word(stream))).collect();
        format!("{}: {}", word(&report), streams.join(", "))
    }

    /// Asserts that it went well, without a word of talk.
    pub(crate) fn assert_well(&self) {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
    }
}

/// `text` with `instead` for everything of the form of `shape`, in which `d` is any digit.
fn masked(text: &str, shape: &str, instead: &str) -> String {
    let shape: Vec<char> = shape.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let fits = |at: usize| {
        let rest = &text[at..];
        rest.len() >= shape.len()
            && (0..shape.len()).all(|i| if shape[i] == 'd' { rest[i].is_ascii_digit() } else { rest[i] == shape[i] })
    };
    let mut masked = String::new();
    let mut at = 0;
    while at < text.len() {
        if fits(at) {
            masked.push_str(instead);
            at += shape.len();
        } else {
            masked.push(text[at]);
            at += 1;
        }
    }
    masked
}

/// All files under `folder`, with their content.
pub(crate) fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
