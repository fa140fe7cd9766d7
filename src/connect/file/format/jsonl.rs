//! JSON Lines: an object per line.
//!
//! Numbers keep the text they are written with (`1.10`); what is nested is JSON text with its keys in order, so that
//! the same content is the same text. A key that stands twice in an object makes it no record: which of the two counts?

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{BadRow, Rows, Step, unreadable};
use crate::connect::canonical;
use crate::connect::file::lines::{Lines, Place, first_line};
use crate::error::Result;

/// The members of an object as written.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

struct Wanted;

impl<'de> Visitor<'de> for Wanted {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            members.push((name.0, map.next_value()?));
        }
        Ok(Members(members))
    }
}

/// A name, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn members(line: &str) -> std::result::Result<Members<'_>, String> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let read = reader.deserialize_map(Wanted).and_then(|members| reader.end().map(|()| members));
    let members = read.map_err(|error| {
        // What serde_json says holds no value of the line, but its own count of lines.
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default().to_owned();
        format!("the line is no JSON object: {what}")
    })?;
    for (at, (name, _)) in members.0.iter().enumerate() {
        if members.0[..at].iter().any(|(earlier, _)| earlier == name) {
            return Err(format!("`{name}` stands there twice"));
        }
    }
    Ok(members)
}

/// The names in the first `lines` lines, as they appear.
pub(in crate::connect::file) fn columns_of(mut lines: Lines, most: u64) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    let first = lines.number();
    while lines.number() - first < most {
        if lines.rest().is_empty() && !lines.more().map_err(unreadable)? {
            break;
        }
        let (line, length) = first_line(lines.rest());
        let line = &lines.text()[..line.len()];
        if let Ok(members) = members(line) {
            for (name, _) in members.0 {
                if known.insert(name.to_string()) {
                    names.push(name.into_owned());
                }
            }
        }
        lines.advance(length, 1);
    }
    Ok(names)
}

/// Gives the objects of a text as rows of these columns. `lines` gives text.
pub(in crate::connect::file) struct JsonRows {
    lines: Lines,
    columns: HashMap<String, usize>,
    cells: Vec<Option<String>>,
    number: u64,
    line: String,
    passed_bytes: u64,
}

impl JsonRows {
    pub(in crate::connect::file) fn new(lines: Lines, columns: &[String]) -> Self {
        let columns: HashMap<String, usize> =
            columns.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let cells = vec![None; columns.len()];
        JsonRows { lines, columns, cells, number: 0, line: String::new(), passed_bytes: 0 }
    }

    fn read(&mut self) -> Option<BadRow> {
        self.cells.iter_mut().for_each(|cell| *cell = None);
        if self.line.contains('\0') {
            let reason = "the line holds a NUL character: it is damaged, or in another encoding";
            return Some(BadRow::new(reason, self.line.trim()));
        }
        let members = match members(&self.line) {
            Ok(members) => members,
            Err(reason) => return Some(BadRow::new(reason, self.line.trim())),
        };
        for (name, value) in members.0 {
            let Some(index) = self.columns.get(name.as_ref()) else {
                return Some(BadRow::new(
                    format!("`{name}` was not there when the file was looked at"),
                    self.line.trim(),
                ));
            };
            match text_of(value) {
                Ok(text) => self.cells[*index] = text,
                Err(reason) => return Some(BadRow::new(format!("`{name}`: {reason}"), self.line.trim())),
            }
        }
        None
    }
}

/// The text of a value; `null` is nothing, as is a text without a character.
fn text_of(value: &RawValue) -> std::result::Result<Option<String>, &'static str> {
    match value.get().as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => {
            let text: String = serde_json::from_str(value.get()).map_err(|_| "the text holds half of a character")?;
            Ok(Some(text).filter(|text| !text.is_empty()))
        }
        Some(b'{' | b'[') => canonical::json(value).map(Some).map_err(|_| "it is nested too deeply"),
        _ => Ok(Some(value.get().to_owned())),
    }
}

impl Rows for JsonRows {
    fn next(&mut self) -> Result<Option<Step>> {
        loop {
            if self.lines.rest().is_empty() && !self.lines.more().map_err(unreadable)? {
                return Ok(None);
            }
            self.number = self.lines.number();
            let misfit = self.lines.misfit(self.number);
            let (line, length) = first_line(self.lines.rest());
            let length_of_line = line.len();
            self.line.clear();
            self.line.push_str(&self.lines.text()[..length_of_line]);
            self.lines.advance(length, 1);
            self.passed_bytes += length as u64;
            if self.line.trim_matches([' ', '\t', '\r', '\u{1a}']).is_empty() {
                continue;
            }
            if let Some(misfit) = misfit {
                let misfit = Some(format!("{} at byte {}", misfit.bytes, misfit.at));
                let bad = BadRow::new("bytes that the encoding does not have", self.line.trim());
                return Ok(Some(Step::Bad(BadRow { misfit, ..bad })));
            }
            return Ok(Some(self.read().map_or(Step::Row, Step::Bad)));
        }
    }

    fn len(&self) -> usize {
        self.cells.len()
    }

    fn cell(&self, index: usize) -> Option<&str> {
        self.cells.get(index)?.as_deref()
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn position(&self) -> Place {
        self.lines.position()
    }

    fn passed_bytes(&self) -> u64 {
        self.passed_bytes
    }

    fn to_line(&self) -> String {
        self.line.trim().to_owned()
    }
}
