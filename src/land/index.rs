//! The last link of every key's chain, sorted by key hash: what change detection compares with.
//!
//! A cache: it can be deleted at any time and is built again from the log. It is a list of runs, each a file of
//! fixed-size entries sorted by key hash; a batch adds a run, and small runs are merged. A look-up of a batch
//! walks batch and runs side by side, so that it reads each block at most once and holds one block at a time.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::decide::Link;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::record::DeleteKind;

const ENTRY_BYTES: usize = 64;
const BLOCK_ENTRIES: usize = 4_096;
/// A run is merged with the one before when that is less than this many times larger.
const MERGE_RATIO: u64 = 4;

/// One key and the last link of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    /// The hash of the key.
    pub key: u128,
    /// The link.
    pub link: Link,
}

impl IndexEntry {
    fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0u8; ENTRY_BYTES];
        bytes[0..16].copy_from_slice(&self.key.to_be_bytes());
        bytes[16..32].copy_from_slice(&self.link.hash.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.link.seq.to_be_bytes());
        bytes[40..48].copy_from_slice(&self.link.valid_from.micros().to_be_bytes());
        bytes[48..56].copy_from_slice(&self.link.stamp.map_or(i64::MIN, Timestamp::micros).to_be_bytes());
        bytes[56] = match self.link.deleted {
            None => 0,
            Some(DeleteKind::Unreadable) => 1,
            Some(DeleteKind::Absent) => 2,
            Some(DeleteKind::Archived) => 3,
            Some(DeleteKind::Deleted) => 4,
            Some(DeleteKind::Merged) => 5,
        };
        // One more than the revision; 0 is none. What seven bytes cannot hold is not remembered.
        let revision = self.link.revision.and_then(|revision| u64::try_from(revision).ok()).map_or(0, |n| n + 1);
        if revision < 1 << 56 {
            bytes[57..64].copy_from_slice(&revision.to_be_bytes()[1..]);
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<IndexEntry> {
        let number = |from: usize| bytes.get(from..from + 8)?.try_into().ok().map(i64::from_be_bytes);
        let wide = |from: usize| bytes.get(from..from + 16)?.try_into().ok().map(u128::from_be_bytes);
        let stamp = number(48)?;
        let mut revision = [0; 8];
        revision[1..].copy_from_slice(bytes.get(57..64)?);
        Some(IndexEntry {
            key: wide(0)?,
            link: Link {
                hash: wide(16)?,
                seq: number(32)?,
                valid_from: Timestamp::from_micros(number(40)?),
                stamp: (stamp != i64::MIN).then(|| Timestamp::from_micros(stamp)),
                revision: i64::try_from(u64::from_be_bytes(revision)).ok()?.checked_sub(1).filter(|n| *n >= 0),
                deleted: match bytes.get(56)? {
                    0 => None,
                    1 => Some(DeleteKind::Unreadable),
                    2 => Some(DeleteKind::Absent),
                    3 => Some(DeleteKind::Archived),
                    4 => Some(DeleteKind::Deleted),
                    5 => Some(DeleteKind::Merged),
                    _ => return None,
                },
            },
        })
    }

    /// Whether this link comes after `other` in the chain: the greater `(valid_from, seq)`.
    fn supersedes(&self, other: &IndexEntry) -> bool {
        (self.link.valid_from, self.link.seq) >= (other.link.valid_from, other.link.seq)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RunFile {
    name: String,
    entries: u64,
}

/// What the folder holds and up to which batch of which table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    table_id: String,
    /// The last batch of the log that is in the index.
    n: i64,
    next_file: u64,
    runs: Vec<RunFile>,
}

#[derive(Debug)]
struct Run {
    about: RunFile,
    file: File,
    /// The first key of each block.
    fences: Vec<u128>,
}

/// The index of one stream.
#[derive(Debug)]
pub(crate) struct Index {
    folder: PathBuf,
    manifest: Manifest,
    /// Oldest first.
    runs: Vec<Run>,
}

fn failed(folder: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Storage, "the change index could not be read or written")
        .code("E0530")
        .with("folder", folder.display())
        .help("it is only a cache: free some disk or delete the folder, then run the sync again")
        .caused_by(error)
}

impl Index {
    /// The index in `folder` if it is whole and stands at batch `n` of the table `table_id`.
    pub(crate) fn open(folder: &Path, table_id: &str, n: i64) -> Option<Index> {
        let text = std::fs::read(folder.join("index.json")).ok()?;
        let manifest: Manifest = serde_json::from_slice(&text).ok()?;
        if manifest.table_id != table_id || manifest.n != n {
            return None;
        }
        let runs = manifest.runs.iter().map(|about| Run::open(folder, about)).collect::<Option<Vec<_>>>()?;
        Some(Index { folder: folder.to_owned(), manifest, runs })
    }

    /// An index of `entries` (any order, any number per key) at batch `n`, replacing whatever is in `folder`.
    pub(crate) fn build(folder: &Path, table_id: &str, n: i64, entries: Vec<IndexEntry>) -> Result<Index> {
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(|error| failed(folder, error))?;
        }
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let manifest = Manifest { table_id: table_id.to_owned(), n, next_file: 1, runs: Vec::new() };
        let mut index = Index { folder: folder.to_owned(), manifest, runs: Vec::new() };
        index.add(n, entries)?;
        Ok(index)
    }

    /// The links of `keys` (rising, distinct); `None` where a key is new.
    pub(crate) fn look_up(&self, keys: &[u128]) -> Result<Vec<Option<Link>>> {
        let mut found: Vec<Option<IndexEntry>> = vec![None; keys.len()];
        for run in &self.runs {
            run.look_up(keys, &mut found).map_err(|error| failed(&self.folder, error))?;
        }
        Ok(found.into_iter().map(|entry| entry.map(|entry| entry.link)).collect())
    }

    /// Adds the links of batch `n`, durably.
    pub(crate) fn add(&mut self, n: i64, mut entries: Vec<IndexEntry>) -> Result<()> {
        entries.sort_unstable_by_key(|entry| (entry.key, entry.link.valid_from, entry.link.seq, entry.link.revision));
        entries.dedup_by(|later, earlier| {
            let same = later.key == earlier.key;
            if same {
                *earlier = *later;
            }
            same
        });
        let mut retired = Vec::new();
        if !entries.is_empty() {
            let mut size = entries.len() as u64;
            let mut merged = 0;
            while let Some(run) = self.runs.iter().rev().nth(merged)
                && run.about.entries < size * MERGE_RATIO
            {
                size += run.about.entries;
                merged += 1;
            }
            let olds = self.runs.split_off(self.runs.len() - merged);
            let name = format!("{:010}.run", self.manifest.next_file);
            self.manifest.next_file += 1;
            let written = self.write_run(&name, &olds, &entries).map_err(|error| failed(&self.folder, error))?;
            retired = olds.into_iter().map(|run| run.about.name).collect();
            self.runs.push(written);
        }
        self.manifest.n = n;
        self.manifest.runs = self.runs.iter().map(|run| run.about.clone()).collect();
        self.save().map_err(|error| failed(&self.folder, error))?;
        for name in retired {
            let _ = std::fs::remove_file(self.folder.join(name)); // a leftover is harmless
        }
        Ok(())
    }

    /// Remembers what was learnt about links that are there: the log did not move with it.
    pub(crate) fn touch(&mut self, entries: Vec<IndexEntry>) -> Result<()> {
        if entries.is_empty() { Ok(()) } else { self.add(self.manifest.n, entries) }
    }

    fn write_run(&self, name: &str, olds: &[Run], new: &[IndexEntry]) -> std::io::Result<Run> {
        let path = self.folder.join(name);
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        let mut count = 0u64;
        let mut walkers: Vec<Walker<'_>> = olds.iter().map(Walker::of_run).collect();
        walkers.push(Walker::of_list(new));
        merge(&mut walkers, |entry| {
            count += 1;
            out.write_all(&entry.encode())
        })?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Run::open(&self.folder, &RunFile { name: name.to_owned(), entries: count })
            .ok_or_else(|| std::io::Error::other("a run that was just written cannot be read"))
    }

    fn save(&self) -> std::io::Result<()> {
        let staged = self.folder.join("index.json.new");
        let mut file = File::create(&staged)?;
        file.write_all(&serde_json::to_vec(&self.manifest)?)?;
        file.sync_all()?;
        std::fs::rename(&staged, self.folder.join("index.json"))?;
        File::open(&self.folder)?.sync_all()
    }

    /// Calls `visit` with the last link of every key, by rising key hash.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&IndexEntry)) -> Result<()> {
        let mut walkers: Vec<Walker<'_>> = self.runs.iter().map(Walker::of_run).collect();
        merge(&mut walkers, |entry| {
            visit(entry);
            Ok(())
        })
        .map_err(|error| failed(&self.folder, error))
    }
}

impl Run {
    fn open(folder: &Path, about: &RunFile) -> Option<Run> {
        let file = File::open(folder.join(&about.name)).ok()?;
        if file.metadata().ok()?.len() != about.entries * ENTRY_BYTES as u64 {
            return None;
        }
        let blocks = usize::try_from(about.entries).ok()?.div_ceil(BLOCK_ENTRIES);
        let mut fences = Vec::with_capacity(blocks);
        let mut key = [0u8; 16];
        for block in 0..blocks {
            file.read_exact_at(&mut key, (block * BLOCK_ENTRIES * ENTRY_BYTES) as u64).ok()?;
            fences.push(u128::from_be_bytes(key));
        }
        Some(Run { about: about.clone(), file, fences })
    }

    fn read_block(&self, block: usize, buffer: &mut Vec<u8>) -> std::io::Result<()> {
        let first = block * BLOCK_ENTRIES;
        let entries =
            usize::try_from(self.about.entries).unwrap_or(usize::MAX).saturating_sub(first).min(BLOCK_ENTRIES);
        buffer.resize(entries * ENTRY_BYTES, 0);
        self.file.read_exact_at(buffer, (first * ENTRY_BYTES) as u64)
    }

    fn look_up(&self, keys: &[u128], found: &mut [Option<IndexEntry>]) -> std::io::Result<()> {
        let mut buffer = Vec::new();
        let mut i = 0;
        while i < keys.len() {
            // The last block that begins at or before the key.
            let block = self.fences.partition_point(|fence| *fence <= keys[i]);
            let Some(block) = block.checked_sub(1) else {
                i += 1;
                continue;
            };
            self.read_block(block, &mut buffer)?;
            let limit = self.fences.get(block + 1).copied().unwrap_or(u128::MAX);
            let mut entries = buffer.chunks_exact(ENTRY_BYTES);
            let mut next = entries.next();
            while i < keys.len() && (keys[i] < limit || block + 1 == self.fences.len()) {
                while let Some(bytes) = next
                    && key_of(bytes) < keys[i]
                {
                    next = entries.next();
                }
                if let Some(bytes) = next
                    && key_of(bytes) == keys[i]
                {
                    let entry = IndexEntry::decode(bytes)
                        .ok_or_else(|| std::io::Error::other("an entry of the index cannot be read"))?;
                    if found[i].is_none_or(|best| entry.supersedes(&best)) {
                        found[i] = Some(entry);
                    }
                }
                i += 1;
            }
        }
        Ok(())
    }
}

fn key_of(bytes: &[u8]) -> u128 {
    bytes[..16].try_into().map_or(0, u128::from_be_bytes)
}

/// Walks sorted entries one by one.
struct Walker<'a> {
    source: Source<'a>,
    head: Option<IndexEntry>,
}

enum Source<'a> {
    List(std::slice::Iter<'a, IndexEntry>),
    Run { run: &'a Run, block: usize, buffer: Vec<u8>, at: usize },
}

impl<'a> Walker<'a> {
    fn of_list(entries: &'a [IndexEntry]) -> Self {
        Walker { source: Source::List(entries.iter()), head: None }
    }

    fn of_run(run: &'a Run) -> Self {
        Walker { source: Source::Run { run, block: 0, buffer: Vec::new(), at: 0 }, head: None }
    }

    fn advance(&mut self) -> std::io::Result<()> {
        self.head = match &mut self.source {
            Source::List(entries) => entries.next().copied(),
            Source::Run { run, block, buffer, at } => {
                if *at >= buffer.len() {
                    if *block >= run.fences.len() {
                        buffer.clear();
                        self.head = None;
                        return Ok(());
                    }
                    run.read_block(*block, buffer)?;
                    *block += 1;
                    *at = 0;
                }
                let entry = IndexEntry::decode(&buffer[*at..*at + ENTRY_BYTES])
                    .ok_or_else(|| std::io::Error::other("an entry of the index cannot be read"))?;
                *at += ENTRY_BYTES;
                Some(entry)
            }
        };
        Ok(())
    }
}

/// Visits the superseding entry of every key over all walkers, by rising key.
fn merge(walkers: &mut [Walker<'_>], mut visit: impl FnMut(&IndexEntry) -> std::io::Result<()>) -> std::io::Result<()> {
    for walker in walkers.iter_mut() {
        walker.advance()?;
    }
    while let Some(key) = walkers.iter().filter_map(|walker| walker.head.map(|head| head.key)).min() {
        let mut best: Option<IndexEntry> = None;
        for walker in walkers.iter_mut() {
            while let Some(head) = walker.head
                && head.key == key
            {
                if best.is_none_or(|best| head.supersedes(&best)) {
                    best = Some(head);
                }
                walker.advance()?;
            }
        }
        if let Some(best) = best {
            visit(&best)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn entry(key: u128, seq: i64) -> IndexEntry {
        let link = Link {
            hash: u128::from(seq.unsigned_abs()),
            seq,
            valid_from: Timestamp::from_micros(seq / 3),
            stamp: (seq % 2 == 0).then(|| Timestamp::from_micros(seq)),
            revision: (seq % 3 == 0).then_some(seq - 1),
            deleted: (seq % 5 == 0).then_some(DeleteKind::Merged),
        };
        IndexEntry { key, link }
    }

    #[test]
    fn an_index_of_another_batch_or_table_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("index");
        Index::build(&folder, "t", 3, vec![entry(1, 1)]).unwrap();
        assert!(Index::open(&folder, "t", 3).is_some());
        assert!(Index::open(&folder, "t", 4).is_none());
        assert!(Index::open(&folder, "u", 3).is_none());
        std::fs::write(folder.join("0000000001.run"), b"short").unwrap();
        assert!(Index::open(&folder, "t", 3).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn b1_the_index_gives_the_last_link_of_every_key(
            batches in proptest::collection::vec(proptest::collection::vec(0u128..40, 0..60), 1..12),
            spread in prop::bool::ANY,
        ) {
            let spread: u128 = if spread { u128::MAX / 41 } else { 1 };
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().join("index");
            let mut index = Index::build(&folder, "t", 0, Vec::new()).unwrap();
            let mut model: BTreeMap<u128, IndexEntry> = BTreeMap::new();
            let mut seq = 0;
            for (n, keys) in batches.iter().enumerate() {
                let entries: Vec<IndexEntry> = keys.iter().map(|key| { seq += 1; entry(*key * spread, seq) }).collect();
                for entry in &entries {
                    model.insert(entry.key, *entry);
                }
                index.add(n as i64 + 1, entries).unwrap();
            }
            let index = Index::open(&folder, "t", batches.len() as i64).unwrap();
            let keys: Vec<u128> = (0..41).map(|key| key * spread).collect();
            let found = index.look_up(&keys).unwrap();
            for (key, link) in keys.iter().zip(found) {
                prop_assert_eq!(link, model.get(key).map(|entry| entry.link));
            }
            let mut all = Vec::new();
            index.for_each(|entry| all.push(*entry)).unwrap();
            prop_assert_eq!(all, model.into_values().collect::<Vec<_>>());
        }
    }
}
