//! Whether the lake's folder can hold a lake.

use std::fs;
use std::path::Path;

use super::setting_problem;
use crate::config::{Problem, Project};

/// What keeps a local lake from working: it must be writable, and its file system must know hard links,
/// with which commits are made. Nothing is left behind, and a lake that is not there yet is not made.
pub(super) fn check(project: &Project) -> Option<Problem> {
    let folder = project.settings.lake.folder.as_deref()?;
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    let problem = |message: String, advice: &str| Some(setting_problem("C070", "lake.url", message, advice));
    if !existing.is_dir() {
        let advice = "choose another place, or move the file away";
        return problem(format!("{} is a file, not a folder", existing.display()), advice);
    }
    match try_links(existing) {
        Ok(()) => None,
        Err((step, error)) => {
            let message = format!("{} cannot hold the lake: {step} failed: {error}", existing.display());
            problem(message, "choose a folder that you may write to, on a file system with hard links")
        }
    }
}

fn try_links(folder: &Path) -> Result<(), (&'static str, std::io::Error)> {
    let probe = tempfile::Builder::new().prefix(".nenrin-check-").tempdir_in(folder);
    // The kind alone: the rest of the message names the probe's own path.
    let probe = probe.map_err(|error| ("writing", error.kind().into()))?;
    let (one, other) = (probe.path().join("one"), probe.path().join("other"));
    fs::write(&one, b"nenrin").map_err(|error| ("writing", error))?;
    fs::hard_link(&one, &other).map_err(|error| ("a hard link", error))?;
    match fs::hard_link(&one, &other) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(("a hard link", error)),
        Ok(()) => Err(("a hard link", std::io::Error::other("it replaced a file that was there"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_ours_passes_and_is_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        try_links(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(try_links(&dir.path().join("none")).unwrap_err().0, "writing");
    }
}
