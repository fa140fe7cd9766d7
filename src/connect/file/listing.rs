//! Which files there are.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::pattern::{FileDate, Pattern};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// A file that fits a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Relative to the source's folder, with `/`.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) date: Option<FileDate>,
    pub(super) size_bytes: u64,
    /// When it was last written.
    pub(super) modified_at: Timestamp,
}

/// The files in `folder` that fit, by date and name.
///
/// # Errors
///
/// [`ErrorKind::Config`] when the folder is not there, [`ErrorKind::Unavailable`] when it cannot be read.
pub(super) fn list(folder: &Path, pattern: &Pattern) -> Result<Vec<Found>> {
    if !folder.is_dir() {
        return Err(Error::new(ErrorKind::Config, "the folder of the files is not there")
            .with("path", folder.display())
            .help("check `path` in the source's file, and that the folder is mounted"));
    }
    let mut found = Vec::new();
    walk(folder, "", pattern, &mut found)?;
    found.sort_by(|a, b| (a.date, &a.name).cmp(&(b.date, &b.name)));
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, pattern: &Pattern, found: &mut Vec<Found>) -> Result<()> {
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::Unavailable, "the folder cannot be read").with("path", folder.display()).caused_by(error)
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Ok(part) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{part}");
        // Follows links, unlike the entry's own metadata; what vanished meanwhile is not there.
        let Ok(metadata) = std::fs::metadata(entry.path()) else { continue };
        if metadata.is_dir() {
            if prefix.matches('/').count() < pattern.depth() {
                walk(&entry.path(), &format!("{name}/"), pattern, found)?;
            }
        } else if let Some(date) = pattern.matches(&name) {
            let (size_bytes, modified_at) = stamp(&metadata);
            found.push(Found { name, path: entry.path(), date, size_bytes, modified_at });
        }
    }
    Ok(())
}

/// Size and time of last writing.
pub(super) fn stamp(metadata: &Metadata) -> (u64, Timestamp) {
    let since = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    (metadata.len(), Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
}
