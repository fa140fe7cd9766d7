//! A problem in a project file: what, where, and what was probably meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a project file; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the project folder.
    pub file: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters are meant.
    pub width: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { f.write_str(&self.file) } else { write!(f, "{}:{}:{}", self.file, self.line, self.column) }
    }
}

/// One problem found in a project file; all problems are collected and shown together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The code from the catalogue: `C…` for files and settings, `M…` for mappings.
    pub code: &'static str,
    /// Where.
    pub place: Place,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The line of the file, shown with a caret under the place.
    pub source_line: String,
    /// What was probably meant, or what to do.
    pub suggestion: Option<String>,
}

impl Problem {
    /// Whether it is only advice: codes whose number is 900 or more (`C901`) do not fail a check.
    pub fn is_warning(&self) -> bool {
        self.code.get(1..).and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number >= 900)
    }
}
