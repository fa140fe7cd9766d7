//! YAML with places: one file read into JSON values, with the place of every key and value kept.
//!
//! The subset is deliberate. One document a file, YAML 1.2 scalars (`yes` is text, quotes always make
//! text), keys are always text. Anchors, aliases and tags are refused, so that what a reader sees in a
//! line is all that it says. All problems but a syntax error are collected; after a syntax error there
//! is nothing to go on with.

use std::borrow::Cow;

use saphyr::Scalar;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use serde_json::{Map, Value};

use super::document::{Document, Extent, Node};
use super::problem::Problem;

/// Deeper nesting than this is refused, so that no file can exhaust the stack.
const MAX_DEPTH: usize = 64;

/// A YAML file as read: its value, its places, and what is wrong with it as YAML.
#[derive(Debug)]
pub struct Parsed {
    /// The file with its places.
    pub doc: Document,
    /// The value; `None` for an empty file and after a syntax error.
    pub value: Option<Value>,
    /// Syntax errors, duplicate keys and refused features, in file order.
    pub problems: Vec<Problem>,
}

/// Reads the YAML `text` of `file` (the name that places show).
pub fn parse(file: &str, text: &str) -> Parsed {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut loader =
        Loader { parser: Parser::new_from_str(text), doc: Document::new(file, text), problems: Vec::new(), muted: 0 };
    let value = match loader.document() {
        Ok(value) => value,
        Err(stop) => {
            loader.problems.push(stop.0);
            None
        }
    };
    let Loader { doc, mut problems, .. } = loader;
    if value.is_none() && problems.is_empty() {
        problems.push(Problem {
            code: "C005",
            place: doc.whole_file(),
            message: "the file is empty".into(),
            source_line: String::new(),
            suggestion: Some("begin with `apiVersion: nenrin/v1` and `kind: …`, or remove the file".into()),
        });
    }
    Parsed { doc, value, problems }
}

/// The JSON pointer of the member `key` of `parent`.
pub fn child_pointer(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The problem that ends reading.
struct Stop(Problem);

struct Loader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    doc: Document,
    problems: Vec<Problem>,
    /// Above zero while a value is read whose places are not kept (the second of a duplicate key).
    muted: usize,
}

impl<'t> Loader<'t> {
    fn document(&mut self) -> Result<Option<Value>, Stop> {
        let mut value = None;
        let mut documents = 0;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let extent = Extent::from(span);
                        self.problem("C004", extent, "a second document begins here", "put it into a file of its own");
                        return Ok(value);
                    }
                }
                event => {
                    let read = self.node(event, span, "", None, 0)?;
                    // A file of nothing but comments is one null that is written nowhere.
                    let written = !(read.is_null() && span.start == span.end);
                    value = written.then_some(read);
                }
            }
        }
        Ok(value)
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Stop> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => {
                let marker = error.marker();
                Err(Stop(syntax_problem(&self.doc, marker.line(), marker.col() + 1, error.info())))
            }
        }
    }

    /// The event after `opened`, which the parser owes us.
    fn inside(&mut self, opened: Span) -> Result<(Event<'t>, Span), Stop> {
        match self.next()? {
            Some(event) => Ok(event),
            None => Err(Stop(syntax_problem(&self.doc, opened.start.line(), opened.start.col() + 1, "it never ends"))),
        }
    }

    fn node(
        &mut self,
        event: Event<'t>,
        span: Span,
        pointer: &str,
        key: Option<Extent>,
        depth: usize,
    ) -> Result<Value, Stop> {
        let extent = Extent::from(span);
        if depth > MAX_DEPTH {
            return Err(Stop(self.doc.problem("C004", &extent, "the nesting is too deep", None)));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &extent);
                self.keep(pointer, Node { key, value: extent, style: Some(style), text: Some(text.to_string()) });
                Ok(scalar(text, style))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &extent);
                self.keep(pointer, Node { key, value: extent, style: None, text: None });
                self.sequence(span, pointer, depth)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &extent);
                self.keep(pointer, Node { key, value: extent, style: None, text: None });
                self.mapping(span, pointer, depth)
            }
            Event::Alias(_) => {
                self.problem("C004", extent.clone(), "aliases (`*name`) are not supported", "write the value out");
                self.keep(pointer, Node { key, value: extent, style: None, text: None });
                Ok(Value::Null)
            }
            _ => Err(Stop(syntax_problem(&self.doc, extent.line, extent.column, "a value is missing"))),
        }
    }

    fn sequence(&mut self, opened: Span, pointer: &str, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            match self.inside(opened)? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => {
                    let pointer = format!("{pointer}/{}", items.len());
                    items.push(self.node(event, span, &pointer, None, depth + 1)?);
                }
            }
        }
    }

    fn mapping(&mut self, opened: Span, pointer: &str, depth: usize) -> Result<Value, Stop> {
        let mut members = Map::new();
        loop {
            let (event, span) = self.inside(opened)?;
            let extent = Extent::from(span);
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(members)),
                Event::Scalar(text, _, anchor, tag) => {
                    self.refuse(anchor, tag.is_some(), &extent);
                    text.to_string()
                }
                event => {
                    self.problem("C004", extent.clone(), "a key must be text", "write a plain word before the `:`");
                    self.muted += 1;
                    self.node(event, span, pointer, None, depth + 1)?;
                    self.muted -= 1;
                    String::new()
                }
            };
            let (event, span) = self.inside(opened)?;
            let child = child_pointer(pointer, &key);
            if members.contains_key(&key) {
                let first = self.doc.key_place(&child).line;
                let advice = format!("it is already in line {first}; keep one");
                self.problem("C003", extent, &format!("duplicate key `{key}`"), &advice);
                self.muted += 1;
                self.node(event, span, &child, None, depth + 1)?;
                self.muted -= 1;
            } else {
                let value = self.node(event, span, &child, Some(extent), depth + 1)?;
                members.insert(key, value);
            }
        }
    }

    fn keep(&mut self, pointer: &str, node: Node) {
        if self.muted == 0 {
            self.doc.insert(pointer, node);
        }
    }

    fn refuse(&mut self, anchor: usize, tagged: bool, extent: &Extent) {
        if anchor > 0 {
            self.problem(
                "C004",
                extent.clone(),
                "anchors (`&name`) are not supported",
                "write the value out each time",
            );
        }
        if tagged {
            self.problem("C004", extent.clone(), "tags (`!name`) are not supported", "quote the value to make it text");
        }
    }

    fn problem(&mut self, code: &'static str, extent: Extent, message: &str, suggestion: &str) {
        let problem = self.doc.problem(code, &extent, message, Some(suggestion.to_owned()));
        self.problems.push(problem);
    }
}

/// The value of a scalar by YAML 1.2's core schema; what JSON cannot hold (`.inf`) stays text.
fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.into_owned());
    }
    if text.is_empty() {
        return Value::Null;
    }
    match Scalar::parse_from_cow(text.clone()) {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(value),
        Scalar::Integer(value) => Value::from(value),
        Scalar::FloatingPoint(value) => serde_json::Number::from_f64(value.into_inner())
            .map_or_else(|| Value::String(text.into_owned()), Value::Number),
        Scalar::String(value) => Value::String(value.into_owned()),
    }
}

/// A syntax error, with the parser's words and, for the usual slips, what to do.
fn syntax_problem(doc: &Document, line: usize, column: usize, info: &str) -> Problem {
    // The parser often notices at the start of the next line or at the end of the file.
    let lines = doc.line_count().max(1);
    let (line, column) =
        if line > lines { (lines, doc.source_line(lines).chars().count().max(1)) } else { (line, column) };
    let indented_by_tab = |line: usize| {
        let text = doc.source_line(line);
        text.len() > text.trim_start().len() && text[..text.len() - text.trim_start().len()].contains('\t')
    };
    let extent = |line: usize, column: usize| Extent { line, column, end_line: line, end_column: column + 1 };
    // A tab below a plain value is told at the value.
    let below = if info.contains("found a tab") { (line + 1).min(lines) } else { line };
    if let Some(line) = (line.saturating_sub(1).max(1)..=below).find(|line| indented_by_tab(*line)) {
        let column = doc.source_line(line).chars().position(|c| c == '\t').map_or(1, |at| at + 1);
        let advice = Some("indent with spaces".to_owned());
        return doc.problem("C002", &extent(line, column), "a tab indents this line", advice);
    }
    let text = doc.source_line(line);
    let advice = if info.contains("mapping values are not allowed") {
        Some("quote a value that holds `: `, or check the indentation".to_owned())
    } else if text.contains('"') || text.contains('\'') {
        Some("check that every quote is closed".to_owned())
    } else {
        None
    };
    doc.problem("C002", &extent(line, column.max(1)), &format!("not valid YAML: {info}"), advice)
}
