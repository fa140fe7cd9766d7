//! The demo's project folder.

use std::path::Path;

use super::project::{FILES, LATER};
use crate::error::{Error, ErrorKind, Result};

/// Writes the folder.
pub(super) fn write(folder: &Path) -> Result<()> {
    for (path, text) in FILES {
        write_file(&folder.join(path), text.as_bytes())?;
    }
    // What is made by running stays out of version control.
    write_file(&folder.join(".gitignore"), b"/.nenrin\n/lake\n/secrets\n/nenrin*.db*\n")
}

/// Adds the later variable.
pub(super) fn write_later(folder: &Path) -> Result<()> {
    write_file(&folder.join(LATER.0), LATER.1.as_bytes())
}

/// Writes one file with the folders above it.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = match path.parent() {
        Some(parent) => std::fs::create_dir_all(parent).and_then(|()| std::fs::write(path, bytes)),
        None => std::fs::write(path, bytes),
    };
    written.map_err(|error| {
        Error::new(ErrorKind::Storage, "the demo's folder cannot be written")
            .with("file", path.display())
            .help("choose another folder with --dir")
            .caused_by(error)
    })
}
