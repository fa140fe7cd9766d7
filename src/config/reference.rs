//! References in settings: `${env:NAME}` and `${file:path}`, resolved after parsing.
//!
//! A reference may stand alone or inside a text (`postgres://nenrin:${env:PGPASSWORD}@db/nenrin`).
//! `$${` writes a literal `${`. What a reference gave is never read for references again.

use std::path::Path;

use serde_json::Value;

use super::validate::Fault;
use super::walk::{SECRET_KEYWORD, typed, walk};

/// Gives an environment variable's value by its name.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces the references in `value` by what they refer to; text becomes a number or truth value where
/// `schema` wants one. Files are read relative to `dir`, without the line end that closes them. A
/// reference that cannot be resolved is a fault, and stays as it is written.
pub(crate) fn resolve(schema: &Value, value: &mut Value, dir: &Path, env: Lookup<'_>) -> Resolved {
    let mut resolved = Resolved::default();
    walk(schema, value, &mut |pointer, schemas, value| {
        let secret = schemas.iter().any(|schema| schema.get(SECRET_KEYWORD).is_some());
        if secret && !value.is_null() {
            resolved.secrets.push(pointer.to_owned());
        }
        let Value::String(text) = &*value else { return };
        if !text.contains("${") {
            if secret && !text.is_empty() {
                resolved.literals.push(pointer.to_owned());
            }
            return;
        }
        match expand(text, dir, env) {
            Ok(expanded) => {
                *value = typed(schemas, &expanded);
                resolved.replaced.push(pointer.to_owned());
            }
            Err((code, message, suggestion)) => {
                let suggestion = Some(suggestion);
                let fault = Fault { code, pointer: pointer.to_owned(), at_key: false, message, suggestion };
                resolved.faults.push(fault);
            }
        }
    });
    resolved
}

/// What [`resolve`] saw, by JSON pointer.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Values that hold something referred to: not to be shown.
    pub(crate) replaced: Vec<String>,
    /// Values in secret fields.
    pub(crate) secrets: Vec<String>,
    /// Secret fields whose value is written in the file.
    pub(crate) literals: Vec<String>,
    /// References that lead nowhere.
    pub(crate) faults: Vec<Fault>,
}

type Failure = (&'static str, String, String);

fn expand(text: &str, dir: &Path, env: Lookup<'_>) -> Result<String, Failure> {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let escaped = rest[..at].ends_with('$');
        result.push_str(&rest[..at]);
        rest = &rest[at + 2..];
        if escaped {
            result.push('{');
            continue;
        }
        let Some(end) = rest.find('}') else {
            return Err(malformed("the reference is not closed"));
        };
        result.push_str(&lookup(&rest[..end], dir, env)?);
        rest = &rest[end + 1..];
    }
    result.push_str(rest);
    Ok(result)
}

fn lookup(reference: &str, dir: &Path, env: Lookup<'_>) -> Result<String, Failure> {
    match reference.split_once(':') {
        Some(("env", name)) if !name.is_empty() => match env(name) {
            Some(value) if !value.is_empty() => Ok(value),
            found => {
                let state = if found.is_some() { "is empty" } else { "is not set" };
                let message = format!("the environment variable `{name}` {state}");
                Err(("C020", message, format!("set it before starting nenrin: export {name}=…")))
            }
        },
        Some(("file", path)) if !path.is_empty() => match std::fs::read_to_string(dir.join(path)) {
            Ok(text) => Ok(text
                .strip_suffix('\n')
                .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text))
                .to_owned()),
            Err(error) => {
                let shown = dir.join(path);
                let message = format!("the file `{path}` cannot be read: {}", reason(&error));
                Err(("C021", message, format!("it was looked for at {}", shown.display())))
            }
        },
        _ => Err(malformed(&format!("`${{{reference}}}` is no reference"))),
    }
}

fn malformed(message: &str) -> Failure {
    ("C022", message.to_owned(), "write `${env:NAME}`, `${file:path}`, or `$${` for a plain `${`".to_owned())
}

/// An i/o failure without the number of the operating system.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "PW" => Some("geheim".to_owned()),
            "N" => Some("42".to_owned()),
            "NESTED" => Some("${env:PW}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn references_stand_alone_or_inside_a_text_and_are_not_read_twice() {
        let expand = |text: &str| expand(text, Path::new("."), &env);
        assert_eq!(expand("${env:PW}").unwrap(), "geheim");
        assert_eq!(expand("a:${env:PW}@${env:N}!").unwrap(), "a:geheim@42!");
        assert_eq!(expand("${env:NESTED}").unwrap(), "${env:PW}");
        assert_eq!(expand("$${env:PW}").unwrap(), "${env:PW}");
        assert_eq!(expand("${env:NO}").unwrap_err().0, "C020");
        assert_eq!(expand("${env:EMPTY}").unwrap_err().0, "C020");
        assert_eq!(expand("${file:no/such}").unwrap_err().0, "C021");
        for text in ["${PW}", "${env:}", "${env:PW", "${vault:x}"] {
            assert_eq!(expand(text).unwrap_err().0, "C022", "{text}");
        }
    }

    #[test]
    fn a_file_reference_loses_the_line_end_that_closes_the_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("key"), "line 1\nline 2\r\n").unwrap();
        assert_eq!(expand("${file:key}", dir.path(), &env).unwrap(), "line 1\nline 2");
    }

    #[test]
    fn a_reference_becomes_a_number_only_where_one_is_wanted() {
        let schema = serde_json::json!({"properties": {"n": {"type": "integer"}, "t": {"type": "string"}}});
        let mut value = serde_json::json!({"n": "${env:N}", "t": "${env:N}"});
        resolve(&schema, &mut value, Path::new("."), &env);
        assert_eq!(value, serde_json::json!({"n": 42, "t": "42"}));
    }
}
