//! Mistakes in mappings, a file each in `tests/mappings/mistakes`: what was written, and what a person is told.

use std::path::Path;

use super::told;
use crate::explain::{Language, explanation};

const HEAD: &str = "source: salesforce\nstream: Account\nentity: customer\n";
const LINE: &str = "---\n";

/// The codes at the ends of the places in what is told.
fn codes(told: &str) -> Vec<&str> {
    let lines = told.lines().filter(|line| line.starts_with("mappings/"));
    lines.map(|line| line.split_whitespace().nth(1).expect("a place and a code")).collect()
}

#[test]
fn every_mistake_is_told_as_its_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mappings/mistakes");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 40, "only {} files", files.len());
    let mut differences = String::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy();
        let text = std::fs::read_to_string(&file).unwrap();
        let (mapping, expected) = text.split_once(LINE).unwrap_or_else(|| panic!("{name} has no `---`"));
        let found = told(mapping.strip_prefix(HEAD).unwrap_or_else(|| panic!("{name} begins otherwise")));
        let found = format!("{}\n", found.trim_end());
        assert!(!codes(&found).is_empty(), "{name}: {found}");
        for code in codes(&found) {
            for language in [Language::En, Language::Ja] {
                assert!(explanation(code, language).is_some(), "{name}: {code} is not explained");
            }
        }
        if found == expected {
            continue;
        }
        if std::env::var_os("UPDATE_CASES").is_some() {
            std::fs::write(&file, format!("{mapping}{LINE}{found}")).unwrap();
        } else {
            differences.push_str(&format!("{name} says\n{expected}\nand is told\n{found}\n"));
        }
    }
    assert!(differences.is_empty(), "{differences}UPDATE_CASES=1 writes what is told now");
}
