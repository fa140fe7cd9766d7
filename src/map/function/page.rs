//! The page `docs/guides/functions.md`, made from the examples that the tests run.

use std::fmt::Write;

use super::{FunctionDoc, groups};

const HEAD: &str = "\
# Functions of expressions

<!-- Made by `cargo run -- schema functions --dir docs/guides` from the examples that the tests run; a test fails when it is not. -->

What expressions of mappings and variables may call beside the functions of
[DataFusion](https://datafusion.apache.org/user-guide/sql/scalar_functions.html) that [mapping.md](mapping.md#expressions) names.
`nenrin schema functions` lists them. Null gives null, if nothing else is said. Every example is run as a test; those of
`lookup` with a table `lookups/industries.csv` that has the columns コード, 名称 and 分類.
";

/// The whole page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for group in groups() {
        let _ = write!(page, "\n## {}\n\n| call | gives | example | result |\n|---|---|---|---|\n", group.title);
        for FunctionDoc { syntax, does, example, gives, .. } in group.functions {
            let _ = writeln!(page, "| `{syntax}` | {does} | `{example}` | `{gives}` |");
        }
    }
    page
}
