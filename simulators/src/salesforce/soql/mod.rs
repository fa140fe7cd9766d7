//! SOQL: as much of the query language as a reading client needs, with the service's own complaints.
//!
//! [`parse`] turns the text into a [`ast::Query`], [`bind`] resolves its names against the org, and
//! [`select`] finds the rows. Not understood: `GROUP BY`, date functions and the relative
//! date literals beyond `TODAY`, `YESTERDAY` and `LAST_N_DAYS:n`.

pub(crate) mod ast;
pub(crate) mod bind;
mod filter;
pub(crate) mod kin;
pub(crate) mod lex;
pub(crate) mod matching;
pub(crate) mod parse;
pub(crate) mod plan;
pub(crate) mod rows;
pub(crate) mod select;
mod several;

/// A complaint about a query, with the service's code and its message of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Complaint {
    /// A complaint without a place.
    pub(crate) fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Complaint { code, message: message.into() }
    }

    /// A complaint about the character at `at` of `soql`: the line, a caret under the place, the place in
    /// words, and what is wrong.
    pub(crate) fn at(code: &'static str, soql: &str, at: usize, message: &str) -> Self {
        let characters: Vec<char> = soql.chars().collect();
        let at = at.min(characters.len());
        let line_start = characters[..at].iter().rposition(|&c| c == '\n').map_or(0, |newline| newline + 1);
        let line_end = characters[at..].iter().position(|&c| c == '\n').map_or(characters.len(), |offset| at + offset);
        let row = characters[..at].iter().filter(|&&c| c == '\n').count() + 1;
        let column = at - line_start + 1;
        let from = line_start.max(at.saturating_sub(WIDTH));
        let until = line_end.min(at + WIDTH);
        let shown: String = characters[from..until].iter().collect();
        let caret = " ".repeat(at - from);
        Complaint { code, message: format!("\n{shown}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{message}") }
    }
}

/// How much of a long line a complaint shows on either side.
const WIDTH: usize = 60;
