//! `nenrin init`: a project folder that works at once and explains itself.
//!
//! The files are templates beside this module. They read a small sample, so that `check`, `sync` and
//! `compare` can be tried before anything is connected.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::context::Context;
use super::schema;
use crate::error::{Error, ErrorKind, Result};

/// Makes a project folder with a small sample in it
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The folder to make; one that is there already must be empty
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// The files of a new project; the JSON Schemas for editors are written beside them.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    ("nenrin.yaml", include_str!("init/nenrin.yaml")),
    ("sources/core.yaml", include_str!("init/sources/core.yaml")),
    ("sources/hubspot.yaml.example", include_str!("init/sources/hubspot.yaml.example")),
    ("sources/kaikei.yaml.example", include_str!("init/sources/kaikei.yaml.example")),
    ("sources/keiyaku.yaml.example", include_str!("init/sources/keiyaku.yaml.example")),
    ("sources/kintone.yaml.example", include_str!("init/sources/kintone.yaml.example")),
    ("sources/salesforce.yaml.example", include_str!("init/sources/salesforce.yaml.example")),
    ("sources/sql.yaml.example", include_str!("init/sources/sql.yaml.example")),
    ("sources/usage.yaml.example", include_str!("init/sources/usage.yaml.example")),
    ("sources/zoho.yaml.example", include_str!("init/sources/zoho.yaml.example")),
    ("mappings/core/customers.yaml", include_str!("init/mappings/core/customers.yaml")),
    ("schemas/variables/usage_rate.yaml", include_str!("init/schemas/variables/usage_rate.yaml")),
    ("identity.yaml", include_str!("init/identity.yaml")),
    ("data/customers_202509.csv", include_str!("init/data/customers_202509.csv")),
    ("data/customers_202510.csv", include_str!("init/data/customers_202510.csv")),
    ("README.md", include_str!("init/README.md")),
    (".gitignore", include_str!("init/gitignore")),
];

/// Writes the folder, and tells the next three commands.
///
/// # Errors
///
/// [`ErrorKind::Usage`] when the folder holds something already (nothing is written then),
/// [`ErrorKind::Storage`] when it cannot be written.
pub async fn run(args: InitArgs, _context: &Context) -> Result<ExitCode> {
    refuse_used(&args.dir)?;
    write(&args.dir)?;
    let dir = args.dir.display();
    schema::print(&format!(
        "{dir} is a project now. Next:\n\n  cd {dir} && nenrin check\n  nenrin sync\n  nenrin compare 2025-09 2025-10\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the files of a new project into `dir`, over what is there.
pub(crate) fn write(dir: &Path) -> Result<()> {
    for (file, text) in TEMPLATES {
        let path = dir.join(file);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, text)).map_err(|error| {
            Error::new(ErrorKind::Storage, "the project could not be written")
                .with("file", path.display())
                .caused_by(error)
        })?;
    }
    schema::write(&dir.join("schemas/json"))?;
    Ok(())
}

/// Nothing of anybody's is written over.
fn refuse_used(dir: &Path) -> Result<()> {
    let refuse = |message: &str| {
        Error::new(ErrorKind::Usage, message).with("folder", dir.display()).help("name a folder that is not there yet")
    };
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(refuse("the folder is not empty")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Err(refuse("this is a file, not a folder")),
        Err(error) => Err(refuse("the folder cannot be read").caused_by(error)),
    }
}

#[cfg(test)]
mod tests;
