//! Which keys a complete pass has seen so far, durable beside the checkpoint (semantics E2).
//!
//! A pass may go on in a later run, or after a crash. Its seen keys lie in a small folder of sorted runs; the
//! checkpoint remembers how many there must be, and when they disagree nothing is concluded from the pass.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// What the checkpoint keeps of a pass that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassProgress {
    /// The pass.
    pub id: String,
    /// The highest `_seq` when the pass began: only keys recorded before can be found absent by it.
    pub start_seq: i64,
    /// How many keys were seen, double sightings included.
    pub seen: u64,
    /// Whether every sighting was kept; if not, absence is not concluded.
    pub whole: bool,
    /// Whether a row was rejected of which nobody can tell the record: any key that was not seen may have
    /// been that row's, so absence is not concluded (F5).
    #[serde(default)]
    pub doubtful: bool,
}

/// The keys seen in the pass under way.
#[derive(Debug)]
pub(crate) struct Seen {
    folder: PathBuf,
    progress: PassProgress,
    keys: Vec<u128>,
    runs: u64,
}

fn failed(folder: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "the keys seen in a pass could not be kept")
        .code("E0531")
        .with("folder", folder.display())
        .help("free some disk, then run the sync again")
        .caused_by(error)
}

impl Seen {
    /// Begins the pass `id`, forgetting any other.
    pub(crate) fn begin(folder: &Path, id: &str, start_seq: i64) -> Result<Seen> {
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(|error| failed(folder, error))?;
        }
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let progress = PassProgress { id: id.to_owned(), start_seq, seen: 0, whole: true, doubtful: false };
        Ok(Seen { folder: folder.to_owned(), progress, keys: Vec::new(), runs: 0 })
    }

    /// Goes on with the pass of `progress`; what is missing on disk makes it less than whole.
    pub(crate) fn resume(folder: &Path, progress: PassProgress) -> Result<Seen> {
        let mut seen = Seen { folder: folder.to_owned(), progress, keys: Vec::new(), runs: 0 };
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let mut number = 0;
        while let Ok(bytes) = std::fs::read(seen.run_path(number)) {
            if seen.keys.len() as u64 >= seen.progress.seen {
                // Written for a batch that was never committed; its number is given again, so that no gap
                // hides the runs behind it from the next process.
                let _ = std::fs::remove_file(seen.run_path(number));
            } else {
                seen.keys.extend(bytes.chunks_exact(16).filter_map(|key| key.try_into().ok().map(u128::from_be_bytes)));
                seen.runs = number + 1;
            }
            number += 1;
        }
        if seen.keys.len() as u64 != seen.progress.seen {
            seen.progress.whole = false;
            seen.progress.seen = seen.keys.len() as u64;
        }
        Ok(seen)
    }

    fn run_path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:010}.seen"))
    }

    /// The pass these keys belong to.
    pub(crate) fn id(&self) -> &str {
        &self.progress.id
    }

    /// What the next checkpoint keeps.
    pub(crate) fn progress(&self) -> PassProgress {
        self.progress.clone()
    }

    /// Notes the keys of a batch, durably.
    pub(crate) fn add(&mut self, keys: &[u128]) -> Result<()> {
        let path = self.run_path(self.runs);
        let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).collect();
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|error| failed(&self.folder, error))?;
        self.runs += 1;
        self.keys.extend_from_slice(keys);
        self.progress.seen = self.keys.len() as u64;
        Ok(())
    }

    /// Takes note that a row was rejected whose key is not known.
    pub(crate) fn doubt(&mut self) {
        self.progress.doubtful = true;
    }

    /// The keys seen, rising and distinct; `None` when some sightings were lost.
    pub(crate) fn keys(&mut self) -> Option<&[u128]> {
        if !self.progress.whole {
            return None;
        }
        self.keys.sort_unstable();
        self.keys.dedup();
        Some(&self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e2_a_pass_that_lost_sightings_concludes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("seen");
        let mut seen = Seen::begin(&folder, "p", 7).unwrap();
        seen.add(&[3, 1]).unwrap();
        let kept = seen.progress();
        seen.add(&[2]).unwrap();
        let after = seen.progress();
        // The second batch was never committed: its sightings are read again.
        assert_eq!(Seen::resume(&folder, kept).unwrap().keys(), Some(&[1, 3][..]));
        // The file of a committed batch is gone.
        assert_eq!(Seen::resume(&folder, after).unwrap().keys(), None);
    }

    #[test]
    fn e2_a_pass_may_be_interrupted_more_than_once() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("seen");
        let mut seen = Seen::begin(&folder, "p", 7).unwrap();
        seen.add(&[1]).unwrap();
        let mut kept = seen.progress();
        for key in 2..5 {
            // Never committed.
            seen.add(&[99]).unwrap();
            seen = Seen::resume(&folder, kept).unwrap();
            seen.add(&[key]).unwrap();
            kept = seen.progress();
        }
        assert_eq!(Seen::resume(&folder, kept).unwrap().keys(), Some(&[1, 2, 3, 4][..]));
    }
}
