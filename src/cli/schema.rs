//! `nenrin schema`: what project files may say, for editors.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use super::context::Context;
use super::shipped::connectors;
use crate::config::kind::json_schemas;
use crate::error::{Error, ErrorKind, Result};

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
}

/// Prints or writes the schemas.
///
/// # Errors
///
/// [`ErrorKind::Storage`] when they cannot be written.
pub async fn run(args: SchemaArgs, _context: &Context) -> Result<ExitCode> {
    let SchemaForm::Json { dir } = args.form;
    match dir {
        Some(dir) => {
            for file in write(&dir)? {
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
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Storage, "the schemas could not be written")
            .with("folder", dir.display())
            .caused_by(error)
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let files = files();
    for (name, text) in &files {
        std::fs::write(dir.join(name), text).map_err(failed)?;
    }
    Ok(files.into_keys().collect())
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
