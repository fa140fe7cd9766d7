//! Problems as people read them on a terminal.

use std::fmt;
use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::problem::Problem;

/// How far the source line is set in.
const INDENT: &str = "  ";

/// The problems in the order given: place, code and message, the line of the file, and under it a caret
/// as wide as the terminal shows what is meant (a Japanese character takes two columns), with the advice.
pub fn render(problems: &[Problem], color: bool) -> String {
    let mut text = String::new();
    for problem in problems {
        one(&mut text, problem, color);
    }
    text
}

fn one(text: &mut String, problem: &Problem, color: bool) {
    let (bold, tint, reset) = match (color, problem.is_warning()) {
        (false, _) => ("", "", ""),
        (true, false) => ("\x1b[1m", "\x1b[31m", "\x1b[0m"),
        (true, true) => ("\x1b[1m", "\x1b[33m", "\x1b[0m"),
    };
    let warning = if problem.is_warning() { "warning: " } else { "" };
    let Problem { code, place, message, .. } = problem;
    let _ = writeln!(text, "{bold}{place}{reset}  {tint}{code}{reset}  {warning}{message}");
    let advice = problem.suggestion.as_deref().unwrap_or_default();
    if problem.place.line == 0 || problem.source_line.trim().is_empty() {
        if !advice.is_empty() {
            let _ = writeln!(text, "{INDENT}{advice}");
        }
        return;
    }
    let (line, caret_at, caret_width) = lay_out(problem);
    let gap = if advice.is_empty() { "" } else { "  " };
    let _ = writeln!(text, "{INDENT}{line}");
    let (spaces, carets) = (" ".repeat(caret_at), "^".repeat(caret_width));
    let _ = writeln!(text, "{INDENT}{spaces}{tint}{carets}{reset}{gap}{advice}");
}

/// The source line without its indentation, and where under it the caret goes, in display columns.
fn lay_out(problem: &Problem) -> (String, usize, usize) {
    let indent = problem.source_line.chars().take_while(|c| c.is_whitespace()).count();
    let indent = indent.min(problem.place.column.saturating_sub(1));
    let shown = |c: char| if c == '\t' { ' ' } else { c };
    let line: String = problem.source_line.trim_end().chars().skip(indent).map(shown).collect();
    let start = problem.place.column.saturating_sub(1) - indent;
    let caret_at = line.chars().take(start).map(|c| c.width().unwrap_or(0)).sum();
    let meant: String = line.chars().skip(start).take(problem.place.width).collect();
    (line, caret_at, meant.width().max(1))
}

/// Several problems as one cause of an [`Error`](crate::error::Error); the command line prints them in full.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(render(&self.0, false).trim_end())
    }
}

impl std::error::Error for Problems {}
