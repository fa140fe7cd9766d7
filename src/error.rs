//! What can fail, for which thing, and what happens next.
//!
//! Kinds are few: they differ only where someone would act differently. The message says what failed,
//! the context for which thing, the help what to do now, and the cause why.

use std::fmt;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is; decides the exit code and whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The command line or an argument makes no sense.
    Usage,
    /// A project file is wrong or missing something.
    Config,
    /// The credential was refused; a person must renew it.
    Auth,
    /// The credential is valid but may not do this.
    Permission,
    /// The named thing does not exist.
    NotFound,
    /// The outside system or the network did not answer properly; worth trying again.
    Unavailable,
    /// Told to slow down; worth trying again after a pause.
    RateLimited,
    /// A daily or monthly allowance is used up; try again much later.
    Quota,
    /// The outside system refused the request itself; trying again will not help.
    Rejected,
    /// Data that came from outside cannot be read as what it should be.
    BadData,
    /// Our own files disagree with each other.
    Corrupt,
    /// Reading or writing our storage failed (disk full, not writable, …).
    Storage,
    /// Someone else changed the same thing first, or holds it.
    Conflict,
    /// We were asked to stop.
    Cancelled,
    /// A bug in nenrin.
    Internal,
}

/// Whether a failed step is worth repeating, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Repeating gives the same failure.
    Never,
    /// Repeat after a growing pause.
    Backoff,
    /// Not in this run; a later one can continue.
    NextRun,
}

impl ErrorKind {
    /// The one place that decides whether to try again.
    pub fn retry(self) -> Retry {
        match self {
            ErrorKind::Unavailable | ErrorKind::RateLimited => Retry::Backoff,
            ErrorKind::Quota | ErrorKind::Cancelled | ErrorKind::Conflict => Retry::NextRun,
            ErrorKind::Usage
            | ErrorKind::Config
            | ErrorKind::Auth
            | ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::Rejected
            | ErrorKind::BadData
            | ErrorKind::Corrupt
            | ErrorKind::Storage
            | ErrorKind::Internal => Retry::Never,
        }
    }

    /// The process exit code a command ends with (see the README's table).
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Usage | ErrorKind::NotFound => 2,
            ErrorKind::BadData | ErrorKind::Corrupt => 65,
            ErrorKind::Unavailable | ErrorKind::Rejected => 69,
            ErrorKind::RateLimited | ErrorKind::Quota | ErrorKind::Conflict | ErrorKind::Cancelled => 75,
            ErrorKind::Auth | ErrorKind::Permission => 77,
            ErrorKind::Config => 78,
            ErrorKind::Storage | ErrorKind::Internal => 1,
        }
    }

    /// The code shown to people when the error carries none of its own.
    fn default_code(self) -> &'static str {
        match self {
            ErrorKind::Usage => "E0002",
            ErrorKind::NotFound => "E0003",
            ErrorKind::Config => "E0100",
            ErrorKind::Auth => "E0201",
            ErrorKind::Permission => "E0202",
            ErrorKind::Unavailable => "E0301",
            ErrorKind::RateLimited => "E0302",
            ErrorKind::Quota => "E0303",
            ErrorKind::Rejected => "E0304",
            ErrorKind::BadData => "E0401",
            ErrorKind::Corrupt => "E0501",
            ErrorKind::Storage => "E0502",
            ErrorKind::Conflict => "E0503",
            ErrorKind::Cancelled => "E0601",
            ErrorKind::Internal => "E0900",
        }
    }
}

/// A failure: what, for which thing, why, and the next step.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    context: Vec<(&'static str, String)>,
    help: Option<String>,
    cause: Option<Box<dyn std::error::Error + Send + Sync + 'static>>,
}

impl Error {
    /// A failure of `kind`; `message` is lower case without a full stop and holds no values of records.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            code: kind.default_code(),
            message: message.into(),
            context: Vec::new(),
            help: None,
            cause: None,
        }))
    }

    /// Gives the failure a code of its own from the catalogue (`E1203`).
    pub fn code(mut self, code: &'static str) -> Self {
        self.0.code = code;
        self
    }

    /// Adds a name, id or count: never a record's values, a token or a response body.
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((name, value.to_string()));
        self
    }

    /// Says what the reader can do now.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Keeps the underlying failure as the cause.
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The code from the catalogue.
    pub fn code_str(&self) -> &'static str {
        self.0.code
    }

    /// The message alone, without context or cause.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The next step for the reader, if one is known.
    pub fn help_text(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The named ids and counts, in the order they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// Whether the context says `name`.
    pub fn names(&self, name: &str) -> bool {
        self.0.context.iter().any(|(known, _)| *known == name)
    }

    /// The whole story for a terminal: what, where, why and the next step, one line each.
    pub fn render(&self) -> String {
        self.render_as("error")
    }

    /// The same for something that was coped with.
    pub fn render_warning(&self) -> String {
        self.render_as("warning")
    }

    fn render_as(&self, word: &str) -> String {
        use std::fmt::Write;
        let mut text = format!("{word}[{}]: {}", self.0.code, self.0.message);
        for (name, value) in &self.0.context {
            let _ = write!(text, "\n  {name}: {value}");
        }
        let mut cause = std::error::Error::source(self);
        let mut told = String::new();
        while let Some(error) = cause {
            let why = error.to_string();
            // Many libraries print their cause in their own message.
            if !told.contains(&why) {
                let _ = write!(text, "\n  why: {why}");
                told = why;
            }
            cause = error.source();
        }
        if let Some(help) = &self.0.help {
            let _ = write!(text, "\n  next: {help}");
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for (i, (name, value)) in self.0.context.iter().enumerate() {
            let (open, close) = if i == 0 { (" (", "") } else { (", ", "") };
            write!(f, "{open}{name}: {value}{close}")?;
        }
        if !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause.as_ref() as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_what_where_why_and_the_next_step() {
        let error = Error::new(ErrorKind::Unavailable, "could not read a page")
            .with("source", "sf")
            .with("stream", "Account")
            .help("run the sync again")
            .caused_by(std::io::Error::other("connection reset"));
        assert_eq!(
            error.render(),
            "error[E0301]: could not read a page\n  source: sf\n  stream: Account\n  why: connection reset\n  next: run the sync again"
        );
        assert_eq!(error.to_string(), "could not read a page (source: sf, stream: Account)");
        assert!(error.names("stream") && !error.names("table"));
        assert!(error.render_warning().starts_with("warning[E0301]: could not read a page\n"));
    }

    #[test]
    fn a_cause_that_the_one_above_it_has_quoted_is_not_told_twice() {
        let inner = Error::new(ErrorKind::Storage, "disk full");
        let middle = Error::new(ErrorKind::Storage, "query error: disk full").caused_by(inner);
        let outer = Error::new(ErrorKind::Storage, "could not store it").caused_by(middle);
        assert_eq!(outer.render(), "error[E0502]: could not store it\n  why: query error: disk full");
    }
}
