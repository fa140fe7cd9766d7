//! The catalogue of codes in docs/guides/errors.md is whole: every code that the program can print, and no other.

use std::collections::BTreeSet;
use std::path::Path;

use super::content;

fn is_code(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(['C', 'E', 'M']) else { return false };
    (3..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The codes that stand as whole texts in the program's sources.
fn used() -> BTreeSet<String> {
    let sources = content(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut codes = BTreeSet::new();
    for (path, bytes) in sources {
        let is_test = path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
        if is_test || path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let (program, _) = text.split_once("#[cfg(test)]\nmod tests {").unwrap_or((&text, ""));
        codes.extend(program.split('"').filter(|part| is_code(part)).map(str::to_owned));
    }
    codes
}

/// The codes that begin a line of a table of the catalogue.
fn listed() -> Vec<String> {
    let catalogue = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/errors.md"));
    let catalogue = catalogue.unwrap();
    let first_cells = catalogue.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    first_cells.filter(|cell| is_code(cell)).map(str::to_owned).collect()
}

#[test]
fn every_code_is_explained_once_and_no_other_is() {
    let listed = listed();
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), once.len(), "a code is listed twice");
    assert_eq!(once, used());
    assert!(once.len() > 80, "the sources were not found");
}

#[test]
fn every_explanation_says_what_why_and_the_next_step() {
    let catalogue = include_str!("../../docs/guides/errors.md");
    for line in catalogue.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if !is_code(cells[0]) {
            continue;
        }
        assert_eq!(cells.len(), 4, "{line}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{line}");
    }
}
