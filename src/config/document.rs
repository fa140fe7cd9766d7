//! A project file with the place of every key and value in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{ScalarStyle, Span};

use super::problem::{Place, Problem};

/// From where to where something reaches; lines and columns from 1, columns in characters, end exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end_line: usize,
    pub(crate) end_column: usize,
}

impl From<Span> for Extent {
    fn from(span: Span) -> Self {
        Extent {
            line: span.start.line(),
            column: span.start.col() + 1,
            end_line: span.end.line(),
            end_column: span.end.col() + 1,
        }
    }
}

/// Where one value stands, and how a scalar was written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) key: Option<Extent>,
    pub(crate) value: Extent,
    pub(crate) style: Option<ScalarStyle>,
    /// A scalar's text before it was read as a number or the like.
    pub(crate) text: Option<String>,
}

/// A project file: its lines, and the places of its keys and values by JSON pointer.
#[derive(Debug)]
pub struct Document {
    file: String,
    lines: Vec<String>,
    nodes: BTreeMap<String, Node>,
    masked: Vec<Extent>,
}

impl Document {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Document {
            file: file.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            nodes: BTreeMap::new(),
            masked: Vec::new(),
        }
    }

    pub(crate) fn insert(&mut self, pointer: &str, mut node: Node) {
        // The parser counts the blanks after a quoted text in `[ … ]` and `{ … }` to it.
        if node.style.is_some() && node.value.line == node.value.end_line {
            let raw = self.raw_line(node.value.line).chars().take(node.value.end_column - 1).collect::<String>();
            node.value.end_column = (raw.trim_end().chars().count() + 1).max(node.value.column);
        }
        self.nodes.insert(pointer.to_owned(), node);
    }

    /// Hides the value at `pointer` in the source lines shown from now on.
    pub(crate) fn mask(&mut self, pointer: &str) {
        if let Some(node) = self.nodes.get(pointer) {
            self.masked.push(node.value.clone());
        }
    }

    /// The file's name, relative to the project folder.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// How many lines the file has.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// A line by its number from 1, with secrets hidden; empty when there is no such line.
    pub fn source_line(&self, line: usize) -> String {
        let Some(text) = line.checked_sub(1).and_then(|index| self.lines.get(index)) else { return String::new() };
        let mut text = text.clone();
        for extent in &self.masked {
            if !(extent.line..=extent.end_line).contains(&line) {
                continue;
            }
            let count = text.chars().count();
            let from = if line == extent.line { extent.column - 1 } else { 0 };
            let to = if line == extent.end_line { extent.end_column - 1 } else { count };
            if from < to {
                text = text.chars().take(from).chain("***".chars()).chain(text.chars().skip(to)).collect();
            }
        }
        text
    }

    /// Whether there is a value at this JSON pointer.
    pub fn contains(&self, pointer: &str) -> bool {
        self.nodes.contains_key(pointer)
    }

    /// A scalar as it was written, without quotes: `007` where the value is the number 7.
    pub fn written(&self, pointer: &str) -> Option<&str> {
        self.nodes.get(pointer)?.text.as_deref()
    }

    /// The place that means the file as a whole.
    pub fn whole_file(&self) -> Place {
        Place { file: self.file.clone(), line: 0, column: 0, width: 0 }
    }

    /// The place of the value at a JSON pointer: of a scalar itself, of a list's or mapping's key. For a
    /// pointer to nothing, the nearest thing that holds it.
    pub fn place(&self, pointer: &str) -> Place {
        match self.nearest(pointer) {
            Some(node) if node.style.is_some() && node.value.line > 0 => self.extent_place(&node.value),
            Some(node) => self.extent_place(node.key.as_ref().unwrap_or(&node.value)),
            None => self.whole_file(),
        }
    }

    /// The place of the key at a JSON pointer; of list items, which have none, the value's.
    pub fn key_place(&self, pointer: &str) -> Place {
        match self.nearest(pointer) {
            Some(node) => self.extent_place(node.key.as_ref().unwrap_or(&node.value)),
            None => self.whole_file(),
        }
    }

    /// The place of `width` characters inside the text at a JSON pointer, at a line and column of that
    /// text (both from 1, columns in characters); of the whole text where it was folded in the file.
    pub fn place_within(&self, pointer: &str, line: usize, column: usize, width: usize) -> Place {
        let found = self.nodes.get(pointer).and_then(|node| {
            let style = node.style?;
            let extent = &node.value;
            match style {
                ScalarStyle::Plain if extent.line == extent.end_line && line == 1 => {
                    Some((extent.line, extent.column + column - 1))
                }
                ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
                    if extent.line == extent.end_line && line == 1 =>
                {
                    let raw: Vec<char> = self.raw_line(extent.line).chars().collect();
                    let offset = quoted_offset(raw.get(extent.column - 1..)?, style, column - 1);
                    Some((extent.line, extent.column + offset))
                }
                ScalarStyle::Literal => {
                    let first = self.literal_first_line(node)?;
                    let indent = (first..=self.lines.len())
                        .map(|line| self.raw_line(line))
                        .find(|text| !text.trim().is_empty())
                        .map(|text| text.chars().take_while(|c| *c == ' ').count())?;
                    Some((first + line - 1, indent + column))
                }
                _ => None,
            }
        });
        match found {
            Some((line, column)) => Place { file: self.file.clone(), line, column, width: width.max(1) },
            None => self.place(pointer),
        }
    }

    /// A problem at `extent`, with the line it stands on.
    pub(crate) fn problem(
        &self,
        code: &'static str,
        extent: &Extent,
        message: &str,
        suggestion: Option<String>,
    ) -> Problem {
        self.problem_at(code, self.extent_place(extent), message, suggestion)
    }

    /// A problem at `place`, which is in this file.
    pub fn problem_at(
        &self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) -> Problem {
        let source_line = self.source_line(place.line);
        Problem { code, place, message: message.into(), source_line, suggestion }
    }

    fn raw_line(&self, line: usize) -> &str {
        line.checked_sub(1).and_then(|index| self.lines.get(index)).map_or("", String::as_str)
    }

    /// The line on which the text of a `|` block begins. The parser's place of it is its first line that is
    /// not blank; blank lines before that are part of the text.
    fn literal_first_line(&self, node: &Node) -> Option<usize> {
        let start = node.value.line;
        let mut before = self.raw_line(start).chars().take(node.value.column - 1);
        if !before.all(char::is_whitespace) {
            return Some(start + 1);
        }
        let blank = node.text.as_deref()?.chars().take_while(|c| *c == '\n').count();
        start.checked_sub(blank)
    }

    fn nearest(&self, pointer: &str) -> Option<&Node> {
        let mut pointer = pointer;
        loop {
            if let Some(node) = self.nodes.get(pointer) {
                return Some(node);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }

    fn extent_place(&self, extent: &Extent) -> Place {
        let line_length = self.raw_line(extent.line).trim_end().chars().count();
        let end = if extent.end_line == extent.line { extent.end_column } else { line_length + 1 };
        let width = end.saturating_sub(extent.column).max(1);
        Place { file: self.file.clone(), line: extent.line, column: extent.column, width }
    }
}

/// How many characters of a quoted scalar (from its opening quote) come before its `index`-th character.
fn quoted_offset(raw: &[char], style: ScalarStyle, index: usize) -> usize {
    let mut at = 1;
    for _ in 0..index {
        at += match (style, raw.get(at), raw.get(at + 1)) {
            (ScalarStyle::SingleQuoted, Some('\''), Some('\'')) => 2,
            (ScalarStyle::DoubleQuoted, Some('\\'), Some('x')) => 4,
            (ScalarStyle::DoubleQuoted, Some('\\'), Some('u')) => 6,
            (ScalarStyle::DoubleQuoted, Some('\\'), Some('U')) => 10,
            (ScalarStyle::DoubleQuoted, Some('\\'), Some(_)) => 2,
            _ => 1,
        };
    }
    at
}

/// A value together with the file it was read from, so that a later problem can still say where.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The file.
    pub doc: Arc<Document>,
}

impl<T> Located<T> {
    /// The place of the value at a JSON pointer (`/variables/mrr`); see [`Document::place`].
    pub fn place(&self, pointer: &str) -> Place {
        self.doc.place(pointer)
    }

    /// The place of the key at a JSON pointer.
    pub fn key_place(&self, pointer: &str) -> Place {
        self.doc.key_place(pointer)
    }

    /// The place of a part of the text at a JSON pointer; see [`Document::place_within`].
    pub fn place_within(&self, pointer: &str, line: usize, column: usize, width: usize) -> Place {
        self.doc.place_within(pointer, line, column, width)
    }

    /// A line of the file by its number from 1, with secrets hidden.
    pub fn source_line(&self, line: usize) -> String {
        self.doc.source_line(line)
    }

    /// A problem at a place in this file.
    pub fn problem(
        &self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) -> Problem {
        self.doc.problem_at(code, place, message, suggestion)
    }
}
