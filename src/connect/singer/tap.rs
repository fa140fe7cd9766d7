//! The tap as a process: started, listened to, stopped.
//!
//! It is read only as fast as its records are landed: the pipe holds it back. What it says beside messages is kept in
//! part, without the secrets of its settings, to be told when it fails.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tracing::debug;

use super::config::SingerConfig;
use crate::error::{Error, ErrorKind, Result};

/// The longest line that is read: a record with some files in it.
const MAX_LINE_BYTES: usize = 64 << 20;
/// How much is kept of what it says beside messages.
const KEPT_LINES: usize = 20;
const KEPT_LINE_BYTES: u64 = 4_096;
/// Settings shorter than this are no secrets: leaving them out of messages would make those unreadable.
const SHORTEST_SECRET: usize = 6;

/// What a tap is started for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task<'a> {
    /// To say which streams it has.
    Discover,
    /// To send records.
    Read { catalog: Option<&'a Value>, state: Option<&'a Value> },
}

/// A tap that runs.
#[derive(Debug)]
pub(super) struct Tap {
    child: Child,
    stdout: BufReader<ChildStdout>,
    said: Arc<Mutex<VecDeque<String>>>,
    listener: tokio::task::JoinHandle<()>,
    idle: Duration,
    program: String,
    /// Lines read.
    pub(super) lines: u64,
    /// Bytes read.
    pub(super) bytes: u64,
    /// Its files, which go with it.
    _files: TempDir,
}

impl Tap {
    /// Starts the tap.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there is no such program.
    pub(super) fn start(config: &SingerConfig, root: &Path, task: Task<'_>) -> Result<Tap> {
        let storage = |error: std::io::Error| {
            Error::new(ErrorKind::Storage, "the tap's files cannot be written").caused_by(error)
        };
        let files = tempfile::Builder::new().prefix("nenrin-tap-").tempdir().map_err(storage)?;
        let write = |name: &str, value: Option<&Value>| -> Result<Option<String>> {
            let Some(value) = value else { return Ok(None) };
            let path = files.path().join(name);
            fs::write(&path, value.to_string()).map_err(storage)?;
            Ok(Some(path.to_string_lossy().into_owned()))
        };
        let (catalog, state) = match task {
            Task::Discover => (None, None),
            Task::Read { catalog, state } => (catalog, state),
        };
        let settings =
            if config.config.is_null() { Value::Object(serde_json::Map::new()) } else { config.config.clone() };
        let places = [
            ("{config}", write("config.json", Some(&settings))?),
            ("{catalog}", write("catalog.json", catalog)?),
            ("{state}", write("state.json", state)?),
        ];
        let (program, mut arguments) = arguments(&config.command, &places)?;
        if matches!(task, Task::Discover) {
            arguments.push("--discover".to_owned());
        }
        let mut child = Command::new(&program)
            .args(&arguments)
            .envs(config.env.iter().map(|(name, value)| (name, value.expose_secret())))
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Error::new(ErrorKind::Config, "the tap cannot be started")
                    .with("program", &program)
                    .help("install it (`pipx install …`), and set `command` to its name or its whole path")
                    .caused_by(error)
            })?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Error::new(ErrorKind::Internal, "the tap has no output"));
        };
        let said = Arc::new(Mutex::new(VecDeque::new()));
        let listener = tokio::spawn(listen(stderr, Arc::clone(&said), secrets(config)));
        Ok(Tap {
            child,
            stdout: BufReader::with_capacity(1 << 16, stdout),
            said,
            listener,
            idle: Duration::from_secs(u64::from(config.idle_minutes) * 60),
            program,
            lines: 0,
            bytes: 0,
            _files: files,
        })
    }

    /// The next line; `None` when it has ended well.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when it died, or says nothing for too long; [`ErrorKind::BadData`] for a line that has
    /// no end.
    pub(super) async fn line(&mut self) -> Result<Option<String>> {
        let mut bytes = Vec::new();
        let limit = MAX_LINE_BYTES as u64 + 1;
        let mut limited = (&mut self.stdout).take(limit);
        let read = tokio::time::timeout(self.idle, limited.read_until(b'\n', &mut bytes)).await;
        let count = match read {
            Err(_) => {
                return Err(self
                    .failed("the tap says nothing any more", "raise `idle_minutes` if it needs that long")
                    .await);
            }
            Ok(Err(error)) => {
                return Err(self.failed("the tap's output broke off", "run the sync again").await.caused_by(error));
            }
            Ok(Ok(count)) => count,
        };
        if count == 0 {
            return self.end().await.map(|()| None);
        }
        if bytes.len() > MAX_LINE_BYTES {
            return Err(Error::new(ErrorKind::BadData, "a line of the tap has no end")
                .with("line", self.lines + 1)
                .with("max_bytes", MAX_LINE_BYTES)
                .help("let the tap leave out the large field, or write messages in lines"));
        }
        self.lines += 1;
        self.bytes += count as u64;
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        String::from_utf8(bytes).map(Some).or_else(|error| {
            // Told as a line that is no message.
            Ok(Some(String::from_utf8_lossy(error.as_bytes()).into_owned()))
        })
    }

    /// All of its output.
    ///
    /// # Errors
    ///
    /// As for a line.
    pub(super) async fn output(mut self) -> Result<String> {
        let mut all = String::new();
        while let Some(line) = self.line().await? {
            all.push_str(&line);
            all.push('\n');
            if all.len() > MAX_LINE_BYTES {
                return Err(
                    Error::new(ErrorKind::BadData, "the tap's catalog has no end").with("max_bytes", MAX_LINE_BYTES)
                );
            }
        }
        Ok(all)
    }

    /// Waits for its end, which is good when it says so.
    async fn end(&mut self) -> Result<()> {
        let status = tokio::time::timeout(self.idle, self.child.wait()).await;
        match status {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => {
                let how = status.code().map_or("by a signal".to_owned(), |code| format!("with {code}"));
                let help =
                    "see what it said; what was read is kept, and the next run goes on from the tap's last state";
                Err(self.failed("the tap died", help).await.with("ended", how))
            }
            _ => Err(self.failed("the tap does not end", "see what it said").await),
        }
    }

    async fn failed(&mut self, message: &str, help: &str) -> Error {
        let _ = self.child.start_kill();
        // What it said last may still be on the way; it ends with the process.
        let _ = tokio::time::timeout(Duration::from_secs(5), &mut self.listener).await;
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let last = said.iter().rev().take(5).rev().cloned().collect::<Vec<_>>().join(" / ");
        Error::new(ErrorKind::Unavailable, message).with("program", &self.program).with("said", last).help(help)
    }
}

/// The program, and its arguments with the files in their places; an option without a file is left out.
fn arguments(command: &[String], places: &[(&str, Option<String>)]) -> Result<(String, Vec<String>)> {
    let (program, given) = command.split_first().ok_or_else(|| {
        Error::new(ErrorKind::Config, "no program is named")
            .with("setting", "command")
            .help("write it like `command: [tap-x]`")
    })?;
    let usual = ["--config", "{config}", "--catalog", "{catalog}", "--state", "{state}"].map(str::to_owned);
    let given: &[String] = if given.is_empty() { &usual } else { given };
    let mut arguments: Vec<String> = Vec::new();
    for argument in given {
        match places.iter().find(|(name, _)| argument.contains(name)) {
            None => arguments.push(argument.clone()),
            Some((name, Some(path))) => arguments.push(argument.replace(name, path)),
            Some((_, None)) => {
                // `--state {state}`: the option goes with its file; `--state={state}` is one argument.
                if argument.starts_with('{') && arguments.last().is_some_and(|last| last.starts_with('-')) {
                    arguments.pop();
                }
            }
        }
    }
    Ok((program.clone(), arguments))
}

/// Texts of the settings that no message may show.
fn secrets(config: &SingerConfig) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text.len() >= SHORTEST_SECRET => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(members) => members.values().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&config.config, &mut found);
    found.extend(
        config.env.values().map(|value| value.expose_secret().to_owned()).filter(|text| text.len() >= SHORTEST_SECRET),
    );
    found.sort_by_key(|text| std::cmp::Reverse(text.len()));
    found
}

/// Keeps the last lines of what it says beside messages.
async fn listen(stderr: impl AsyncRead + Unpin, said: Arc<Mutex<VecDeque<String>>>, secrets: Vec<String>) {
    let mut reader = BufReader::new(stderr);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        // A longer line is taken in pieces: nothing it says is held in memory as a whole.
        match (&mut reader).take(KEPT_LINE_BYTES).read_until(b'\n', &mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let mut line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        for secret in &secrets {
            line = line.replace(secret.as_str(), "***");
        }
        debug!(line, "the tap says");
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() == KEPT_LINES {
            said.pop_front();
        }
        said.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stand_in_their_places_and_an_option_without_one_is_left_out() {
        let places = [("{config}", Some("c".to_owned())), ("{catalog}", None), ("{state}", None)];
        let told = |command: &[&str]| {
            let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            arguments(&command, &places).unwrap().1
        };
        assert_eq!(told(&["tap"]), ["--config", "c"]);
        assert_eq!(told(&["tap", "-c", "{config}", "--state={state}", "-s", "{state}", "-v"]), ["-c", "c", "-v"]);
        assert!(arguments(&[], &places).is_err());
    }
}
