//! Problems of mappings: their codes, their places inside an expression, and what was probably meant.
//!
//! The codes are listed with an example each in `docs/guides/mapping.md`.

use datafusion::sql::sqlparser::tokenizer::Span;
use unicode_normalization::UnicodeNormalization;

use crate::config::{Place, Problem};

/// The codes of the problems that a mapping or a variable can have.
pub mod code {
    /// The expression is not valid SQL.
    pub const SYNTAX: &str = "M001";
    /// The expression is empty.
    pub const EMPTY: &str = "M002";
    /// The construct is SQL, but not for one record.
    pub const NOT_SUPPORTED: &str = "M003";
    /// The entity has no such variable.
    pub const UNKNOWN_VARIABLE: &str = "M010";
    /// The variable says itself where it comes from.
    pub const NOT_MAPPED_HERE: &str = "M011";
    /// The stream has no such field (or the entity no such variable, in `derive`).
    pub const UNKNOWN_FIELD: &str = "M012";
    /// The field only tells that something changed.
    pub const BOOKKEEPING: &str = "M013";
    /// The field depends on the day it is read.
    pub const TICKING: &str = "M014";
    /// There is no such function.
    pub const UNKNOWN_FUNCTION: &str = "M020";
    /// A function over many records.
    pub const AGGREGATE: &str = "M021";
    /// A window function.
    pub const WINDOW: &str = "M022";
    /// A query inside the expression.
    pub const SUBQUERY: &str = "M023";
    /// A function that mappings do without.
    pub const REFUSED_FUNCTION: &str = "M024";
    /// The function takes other arguments.
    pub const ARGUMENTS: &str = "M025";
    /// The expression fails whatever the record.
    pub const ALWAYS_FAILS: &str = "M026";
    /// Two types meet that do not go together.
    pub const TYPES: &str = "M030";
    /// The expression's type is not the variable's.
    pub const RESULT_TYPE: &str = "M031";
    /// A condition is not true or false.
    pub const CONDITION: &str = "M032";
    /// A constant does not convert.
    pub const CONSTANT: &str = "M033";
    /// `values` gives something that the enum does not have.
    pub const NOT_IN_ENUM: &str = "M040";
    /// The default of `on_error` does not convert.
    pub const DEFAULT: &str = "M041";
    /// `values` on something that is no text.
    pub const VALUES_OF_NO_TEXT: &str = "M042";
    /// `stream` on a variable that is no ref.
    pub const STREAM_OF_NO_REF: &str = "M043";
    /// `read_as` says what the variable's type does not read.
    pub const READ_AS: &str = "M044";
    /// `currency` on a variable that is no money, or not given as text.
    pub const CURRENCY: &str = "M045";
    /// Variables derive from each other in a circle.
    pub const CYCLE: &str = "M050";
    /// The variable has no `from` and no `derive`, or both.
    pub const ORIGIN: &str = "M051";
    /// The project has no such look-up table.
    pub const LOOKUP_TABLE: &str = "M060";
    /// The look-up table has no such column, or which one is meant is not said.
    pub const LOOKUP_COLUMN: &str = "M061";
    /// A constant is no JSON path.
    pub const JSON_PATH: &str = "M062";
}

/// Where the parts of a project file stand.
///
/// Pointers are JSON pointers (`/variables/mrr`); a pointer to nothing means the nearest thing that holds it.
pub trait Places {
    /// The place of the value at `pointer`.
    fn place(&self, pointer: &str) -> Place;

    /// The place of the key at `pointer`.
    fn key_place(&self, pointer: &str) -> Place;

    /// The place of `width` characters of the text at `pointer`, from a line and column of that text, both
    /// from 1, columns in characters; of the whole text where the file does not show it as it is.
    fn place_within(&self, pointer: &str, line: usize, column: usize, width: usize) -> Place;

    /// A line of the file by its number from 1; empty when there is none.
    fn source_line(&self, line: usize) -> String;
}

impl Places for crate::config::Document {
    fn place(&self, pointer: &str) -> Place {
        self.place(pointer)
    }

    fn key_place(&self, pointer: &str) -> Place {
        self.key_place(pointer)
    }

    fn place_within(&self, pointer: &str, line: usize, column: usize, width: usize) -> Place {
        self.place_within(pointer, line, column, width)
    }

    fn source_line(&self, line: usize) -> String {
        self.source_line(line)
    }
}

/// Collects the problems of one file.
pub(crate) struct Problems<'a> {
    places: &'a dyn Places,
    found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// No problems yet.
    pub(crate) fn of(places: &'a dyn Places) -> Self {
        Problems { places, found: Vec::new() }
    }

    /// Adds a problem with the value at `pointer`.
    pub(crate) fn at(&mut self, code: &'static str, pointer: &str, message: String, suggestion: Option<String>) {
        self.push(code, self.places.place(pointer), message, suggestion);
    }

    /// Adds a problem with the key at `pointer`.
    pub(crate) fn at_key(&mut self, code: &'static str, pointer: &str, message: String, suggestion: Option<String>) {
        self.push(code, self.places.key_place(pointer), message, suggestion);
    }

    /// Adds a problem with a part of the expression at `pointer`; an empty span means all of it.
    pub(crate) fn within(
        &mut self,
        code: &'static str,
        pointer: &str,
        span: Span,
        message: String,
        suggestion: Option<String>,
    ) {
        self.push(code, self.place_of(pointer, span), message, suggestion);
    }

    /// The place of the value at `pointer`.
    pub(crate) fn place(&self, pointer: &str) -> Place {
        self.places.place(pointer)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// The problems in the order of their places; the same one is told once.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.found.sort_by(|a, b| a.place.cmp(&b.place).then(a.code.cmp(b.code)));
        self.found.dedup();
        self.found
    }

    fn place_of(&self, pointer: &str, span: Span) -> Place {
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let (line, column) = (number(span.start.line), number(span.start.column));
        if line == 0 || column == 0 {
            return self.places.place(pointer);
        }
        let one_line = span.end.line == span.start.line;
        let width = if one_line { number(span.end.column).saturating_sub(column) } else { 1 };
        self.places.place_within(pointer, line, column, width.max(1))
    }

    fn push(&mut self, code: &'static str, place: Place, message: String, suggestion: Option<String>) {
        let source_line = self.places.source_line(place.line);
        self.found.push(Problem { code, place, message, source_line, suggestion });
    }
}

/// The candidate that `name` was probably meant to be.
///
/// A name that is equal but for case, width (`（` and `(`) or outer spaces is closest; then one that is few
/// edits away.
pub(crate) fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let folded = fold(name);
    let allowed = (folded.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// "did you mean `…`?"
pub(crate) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// A text with the differences removed that people do not see.
pub(crate) fn fold(text: &str) -> String {
    text.trim().nfkc().collect::<String>().to_lowercase()
}

/// The JSON pointer of the member `key` of `parent`.
pub(crate) fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_differs_by_case_or_width_is_nearest() {
        assert_eq!(nearest("mrr__C", ["MRR__d", "MRR__c"]), Some("MRR__c"));
        assert_eq!(nearest("売上(円)", ["売上（円）", "売上"]), Some("売上（円）"));
        assert_eq!(nearest("emial", ["name", "email"]), Some("email"));
    }

    #[test]
    fn a_name_that_shares_nothing_is_not_suggested() {
        assert_eq!(nearest("x", ["y", "name"]), None);
        assert_eq!(nearest("revenue", ["Name", "Stage__c"]), None);
    }
}
