//! `nenrin schema`: what project files may say: JSON Schemas for editors, the types of variables, the functions of
//! expressions.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use super::context::Context;
use super::output::{Cell, Column, Kind, Table, print_table};
use super::shipped::connectors;
use crate::config::kind::json_schemas;
use crate::error::{Error, ErrorKind, Result};
use crate::map::function;
use crate::schema::types::{self, Outcome};

/// Shows what project files may say
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// In which form
    #[command(subcommand)]
    pub form: SchemaForm,
}

/// The forms a schema is shown in.
#[derive(Debug, clap::Subcommand)]
pub enum SchemaForm {
    /// JSON Schemas, with which an editor completes and checks the YAML
    Json {
        /// Writes a file for each kind into this folder, instead of all of them to standard output
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// The types of variables, with the forms of texts that each accepts and refuses
    Types {
        /// Writes the page `types.md` into this folder instead
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// The functions that expressions may call beside those of SQL, each with an example and its result
    Functions {
        /// Writes the page `functions.md` into this folder instead
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Prints or writes the schemas.
///
/// # Errors
///
/// [`ErrorKind::Storage`] when they cannot be written.
pub async fn run(args: SchemaArgs, context: &Context) -> Result<ExitCode> {
    let (dir, name, page): (_, _, fn() -> String) = match &args.form {
        SchemaForm::Json { dir } => return json(dir.as_deref()),
        SchemaForm::Types { dir } => (dir, "types.md", types::page),
        SchemaForm::Functions { dir } => (dir, "functions.md", function::page),
    };
    if let Some(dir) = dir {
        let path = dir.join(name);
        std::fs::write(&path, page()).map_err(|error| unwritable(dir, error))?;
        let _ = writeln!(std::io::stderr(), "wrote {}", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    let table = if name == "types.md" { types_table() } else { functions_table() };
    print_table(&table, context.output, context.color, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn types_table() -> Table {
    let text = |name: &str| Column::new(name, Kind::Text);
    let mut table = Table::new(["type", "declared", "text", "becomes", "value"].map(text).to_vec());
    for doc in types::documentation() {
        for cases in doc.cases {
            for case in cases.forms {
                let (becomes, value) = match case.outcome {
                    Outcome::Is(value) => ("value", Cell::Text(value.to_owned())),
                    Outcome::Empty => ("empty", Cell::Null),
                    Outcome::Held(code) => ("held", Cell::Text(code.to_owned())),
                };
                let declared = cases.declared.replace('\n', "; ");
                let cells = [doc.kind.word().to_owned(), declared, case.text.to_owned(), becomes.to_owned()];
                table.push(cells.map(Cell::Text).into_iter().chain([value]).collect());
            }
        }
    }
    table
}

fn functions_table() -> Table {
    let text = |(name, label): (&str, &str)| Column::new(name, Kind::Text).label(label);
    let names = [("name", "NAME"), ("call", "CALL"), ("example", "EXAMPLE"), ("result", "RESULT"), ("about", "GIVES")];
    let mut table = Table::new(names.map(text).to_vec());
    for doc in function::documentation() {
        let cells = [doc.name, doc.syntax, doc.example, doc.gives, doc.does];
        table.push(cells.map(|cell| Cell::Text(cell.to_owned())).to_vec());
    }
    table
}

fn json(dir: Option<&Path>) -> Result<ExitCode> {
    match dir {
        Some(dir) => {
            for file in write(dir)? {
                let _ = writeln!(std::io::stderr(), "wrote {}", dir.join(file).display());
            }
        }
        None => {
            let all: Value = json_schemas(&connectors()).into_iter().collect::<serde_json::Map<_, _>>().into();
            print(&format!("{all:#}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes every schema into `dir`; gives the files' names.
///
/// # Errors
///
/// [`ErrorKind::Storage`].
pub(crate) fn write(dir: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| unwritable(dir, error);
    std::fs::create_dir_all(dir).map_err(failed)?;
    let files = files();
    for (name, text) in &files {
        std::fs::write(dir.join(name), text).map_err(failed)?;
    }
    Ok(files.into_keys().collect())
}

fn unwritable(dir: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "the schemas could not be written").with("folder", dir.display()).caused_by(error)
}

/// The schema files, by name.
fn files() -> BTreeMap<String, String> {
    json_schemas(&connectors()).into_iter().map(|(name, schema)| (name, format!("{schema:#}\n"))).collect()
}

/// Writes to standard output; a reader that went away is no error.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Storage, "the result could not be written").caused_by(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_in_the_repository_are_those_of_the_types() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/json");
        let mend = "run `cargo run -- schema json --dir schemas/json`";
        let generated = files();
        for (name, text) in &generated {
            let stored = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
            assert!(stored == *text, "schemas/json/{name} is not what the types say: {mend}");
        }
        let stored = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<String> = stored.filter(|name| !generated.contains_key(name)).collect();
        assert!(left.is_empty(), "no type makes {left:?}");
    }
}
