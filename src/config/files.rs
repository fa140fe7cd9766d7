//! Project files, found and read one by one: from bytes to a value that its schema accepts.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::document::Document;
use super::kind::Kind;
use super::problem::{Place, Problem};
use super::reference::{Lookup, reason, resolve};
use super::suggest::quoted_list;
use super::validate::Shape;
use super::walk::{accepts_type, accepts_word, walk};
use super::yaml;

/// A file that was read, whether or not all of it is as it should be.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) doc: Document,
    /// The value with references resolved; `None` when the file is no YAML or of another kind.
    pub(crate) value: Option<Value>,
    pub(crate) problems: Vec<Problem>,
    /// JSON pointers of values that came from references, and are not to be shown.
    pub(crate) replaced: Vec<String>,
}

/// How references in a file are resolved: from which folder, and from which environment.
pub(crate) struct References<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) env: Lookup<'a>,
}

/// The YAML files below a folder of the project, by path; none when the folder does not exist.
pub(crate) fn find_yaml(root: &Path, folder: &str, deep: bool) -> Result<Vec<String>, Problem> {
    find(root, folder, deep, &["yaml", "yml"])
}

/// The files with one of these endings below a folder of the project, by path; none when the folder does not exist.
pub(crate) fn find(root: &Path, folder: &str, deep: bool, endings: &[&str]) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(&shown(&folder), &reason(&error))),
        };
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&shown(&folder), &reason(&error)))?;
            let path = folder.join(entry.file_name());
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if root.join(&path).is_dir() {
                if deep {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| endings.iter().any(|ending| extension == *ending)) {
                found.push(shown(&path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a file's text.
pub(crate) fn read_text(root: &Path, file: &str) -> Result<String, Problem> {
    std::fs::read_to_string(root.join(file)).map_err(|error| {
        let mut problem = unreadable(file, &reason(&error));
        if error.kind() == std::io::ErrorKind::InvalidData {
            problem.suggestion = Some("save it as UTF-8".into());
        }
        problem
    })
}

/// Gives the schema of a value, or what keeps the file from having one.
pub(crate) type Choose<'a, 's> = dyn Fn(&Value, &Document) -> (&'s Shape, Option<Problem>) + 'a;

/// Reads YAML of one kind: syntax, header, references, then everything the schema says. `choose` gives
/// the schema once the value is known, or what keeps the file from having one.
pub(crate) fn read<'s>(
    file: &str,
    text: &str,
    kind: Kind,
    references: Option<References<'_>>,
    choose: &Choose<'_, 's>,
) -> Reading {
    let parsed = yaml::parse(file, text);
    let mut reading = Reading { doc: parsed.doc, value: None, problems: parsed.problems, replaced: Vec::new() };
    let Some(mut value) = parsed.value else { return reading };
    if let Some(problem) = wrong_kind(&value, kind, &reading.doc) {
        reading.problems.push(problem);
        return reading;
    }
    let (shape, problem) = choose(&value, &reading.doc);
    reading.problems.extend(problem);
    let mut unresolved = Vec::new();
    let mut hidden = Vec::new();
    if let Some(References { dir, env }) = references {
        let resolved = resolve(&shape.schema, &mut value, dir, env);
        for pointer in &resolved.secrets {
            // A reference is no secret, and what it says is what has to be mended.
            if !reading.doc.written(pointer).is_some_and(|text| text.contains("${")) {
                reading.doc.mask(pointer);
            }
        }
        for pointer in &resolved.literals {
            let advice = "keep it out of the file: `${env:NAME}` or `${file:path}`".to_owned();
            let place = reading.doc.key_place(pointer);
            let problem = reading.doc.problem_at("C901", place, "a secret is written into the file", Some(advice));
            reading.problems.push(problem);
        }
        for fault in resolved.faults {
            unresolved.push(fault.pointer.clone());
            reading.problems.push(fault.problem(&reading.doc));
        }
        hidden.extend(resolved.secrets);
        hidden.extend(resolved.replaced.iter().cloned());
        reading.replaced = resolved.replaced;
    }
    keep_words(&shape.schema, &mut value, &reading.doc);
    let doc = &reading.doc;
    let shown = |pointer: &str| if hidden.iter().any(|other| other == pointer) { None } else { doc.written(pointer) };
    let faults = shape.faults(&value, &shown);
    let faults = faults.into_iter().filter(|fault| !unresolved.contains(&fault.pointer));
    let problems: Vec<Problem> = faults.map(|fault| fault.problem(doc)).collect();
    reading.problems.extend(problems);
    reading.value = Some(value);
    reading
}

/// A problem when the file says that it is of another kind: everything else about it would be noise.
fn wrong_kind(value: &Value, kind: Kind, doc: &Document) -> Option<Problem> {
    let word = value.get("kind")?.as_str()?;
    let found = Kind::parse(word).filter(|found| *found != kind)?;
    let message = format!("expected `kind: {}`, found `kind: {word}`", kind.as_str());
    let advice =
        format!("{} holds {}; a {word} belongs in {}", kind.home(), quoted_list(&[kind.as_str()]), found.home());
    Some(doc.problem_at("C007", doc.place("/kind"), message, Some(advice)))
}

/// Where a schema accepts the word `null` as such (`on_error: null`), keeps it a word.
fn keep_words(schema: &Value, value: &mut Value, doc: &Document) {
    walk(schema, value, &mut |pointer, schemas, value| {
        if value.is_null()
            && doc.written(pointer) == Some("null")
            && accepts_word(schemas, "null")
            && !accepts_type(schemas, "null")
        {
            *value = Value::String("null".to_owned());
        }
    });
}

fn unreadable(file: &str, reason: &str) -> Problem {
    Problem {
        code: "C001",
        place: Place { file: file.to_owned(), line: 0, column: 0, width: 0 },
        message: format!("cannot be read: {reason}"),
        source_line: String::new(),
        suggestion: None,
    }
}

/// A path inside the project with `/` between its parts.
fn shown(path: &Path) -> String {
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("/")
}
