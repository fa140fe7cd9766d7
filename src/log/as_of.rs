//! Which version of each key counted at an instant (semantics A2, B4).
//!
//! Two passes: the winners are picked on the narrow system columns, then only their rows are read. Keys are
//! told apart by a 128-bit hash, so that picking takes a fixed few bytes a key whatever the keys look like.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use xxhash_rust::xxh3::xxh3_128;

use super::columns::system;
use super::read::Wanted;
use super::table::{DataFile, LogTable};
use crate::clock::Timestamp;
use crate::error::Result;

/// Keys are hashed already; hashing them once more would be waste.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
    fn write_u128(&mut self, value: u128) {
        #[allow(clippy::cast_possible_truncation)] // any 64 of the 128 bits serve
        {
            self.0 = value as u64;
        }
    }
}

/// A map by key hash.
pub(crate) type KeyMap<V> = HashMap<u128, V, BuildHasherDefault<KeyHasher>>;

/// The hash that stands for a key wherever keys are compared in bulk.
pub(crate) fn key_hash(key: &str) -> u128 {
    xxh3_128(key.as_bytes())
}

/// Which versions are looked at, and which of a key's wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The state at an instant, as known at another: the greatest `(_valid_from, _seq)` with
    /// `_valid_from <= as_of` and `_recorded_at <= known_at` (B4).
    AsOf {
        /// When it was true.
        as_of: Timestamp,
        /// What we had recorded by then.
        known_at: Timestamp,
        /// When the stream was first read completely, if that was after `as_of`: keys found then that tell no
        /// birth may have existed at `as_of` (G1).
        first_complete_at: Option<Timestamp>,
    },
    /// The last version in which the key was alive, as known at an instant; a key that was only ever seen
    /// deleted gives that delete, which holds its last values (I1, E3).
    LastLiving {
        /// What we had recorded by then.
        known_at: Timestamp,
    },
    /// The earliest version known at an instant (H3).
    First {
        /// What we had recorded by then.
        known_at: Timestamp,
    },
}

/// Where a version lies: data file and row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    file: u32,
    row: u32,
}

impl At {
    pub(super) fn new(file: usize, row: usize) -> At {
        At { file: u32::try_from(file).unwrap_or(u32::MAX), row: u32::try_from(row).unwrap_or(u32::MAX) }
    }
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The winner so far, by rank; `None` while the key has no version that counts.
    winner: Option<((i64, i64, i64), At)>,
    /// The earliest version known, for keys without a winner.
    first: ((i64, i64), At),
    /// The earliest birth that any version known tells; `i64::MAX`: none does.
    created_at: i64,
}

/// The winners of a log, ready to be read.
#[derive(Debug, Clone)]
pub struct Winners {
    files: Vec<DataFile>,
    /// Per file, the rows of winners, rising.
    rows: Vec<Vec<u32>>,
    /// Per file, the earliest rows of keys that were born by then but have no version that old (G1).
    born: Vec<Vec<u32>>,
}

impl Winners {
    /// These versions of a log with these data files.
    pub(super) fn of(files: Vec<DataFile>, versions: impl Iterator<Item = At>) -> Winners {
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); files.len()];
        versions.for_each(|at| rows[at.file as usize].push(at.row));
        rows.iter_mut().for_each(|list| list.sort_unstable());
        Winners { born: vec![Vec::new(); files.len()], files, rows }
    }

    /// How many keys have a winner, dead ones included.
    pub fn len(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// Whether no key has one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many data files there are; the argument of [`Winners::read`] and [`Winners::read_born`] is below it.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Reads the winners that lie in the data file at `index`.
    pub async fn read(&self, log: &LogTable, index: usize, wanted: &Wanted) -> Result<Option<RecordBatch>> {
        read_some(log, &self.files[index], &self.rows[index], wanted).await
    }

    /// Reads, of the data file at `index`, the earliest version of every key that the source says was born
    /// by the instant asked about although no version is that old: it existed, but we cannot say how it was.
    pub async fn read_born(&self, log: &LogTable, index: usize, wanted: &Wanted) -> Result<Option<RecordBatch>> {
        read_some(log, &self.files[index], &self.born[index], wanted).await
    }
}

async fn read_some(log: &LogTable, file: &DataFile, rows: &[u32], wanted: &Wanted) -> Result<Option<RecordBatch>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let rows = (rows.len() as u64 != file.rows).then(|| rows.to_vec());
    Ok(Some(log.read_file(file, rows, wanted).await?))
}

/// How many versions are picked from at a time; above it, keys are taken in groups by their hash, so that
/// memory stays bounded whatever the size of the log.
const VERSIONS_AT_A_TIME: u64 = 4_000_000;

impl LogTable {
    /// Picks one version per key from the snapshot in hand.
    pub async fn winners(&self, pick: Pick) -> Result<Winners> {
        let files = self.files()?;
        let versions: u64 = files.iter().map(|file| file.rows).sum();
        let groups = u32::try_from(versions.div_ceil(VERSIONS_AT_A_TIME).max(1)).unwrap_or(u32::MAX);
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); files.len()];
        let mut born: Vec<Vec<u32>> = vec![Vec::new(); files.len()];
        for group in 0..groups {
            let slots = self.pick_group(&files, pick, group, groups).await?;
            let (as_of, first_complete_at) = match pick {
                Pick::AsOf { as_of, first_complete_at, .. } => (as_of.micros(), first_complete_at),
                Pick::LastLiving { .. } | Pick::First { .. } => (i64::MIN, None),
            };
            let may_have_been = |slot: &Slot| match slot.created_at {
                i64::MAX => first_complete_at.is_some_and(|first| slot.first.0.0 <= first.micros()),
                born => born <= as_of,
            };
            for slot in slots.values() {
                match slot.winner {
                    Some((_, at)) => rows[at.file as usize].push(at.row),
                    None if may_have_been(slot) => {
                        let at = slot.first.1;
                        born[at.file as usize].push(at.row);
                    }
                    None => {}
                }
            }
        }
        for list in rows.iter_mut().chain(born.iter_mut()) {
            list.sort_unstable();
        }
        Ok(Winners { files, rows, born })
    }

    /// All versions of the keys with these hashes that had come true by `as_of`, as known at `known_at`.
    pub async fn versions_of(&self, keys: &HashSet<u128>, as_of: Timestamp, known_at: Timestamp) -> Result<Winners> {
        let wanted = Wanted { system: vec![system::KEY, system::VALID_FROM, system::RECORDED_AT], fields: Vec::new() };
        let files = self.files()?;
        let mut found = Vec::new();
        for (file, data) in files.iter().enumerate() {
            let batch = self.read_file(data, None, &wanted).await?;
            let names = batch.column(0).as_string::<i32>();
            let valid_from = batch.column(1).as_primitive::<TimestampMicrosecondType>();
            let recorded_at = batch.column(2).as_primitive::<TimestampMicrosecondType>();
            for row in 0..batch.num_rows() {
                if valid_from.value(row) <= as_of.micros()
                    && recorded_at.value(row) <= known_at.micros()
                    && keys.contains(&key_hash(names.value(row)))
                {
                    found.push(At::new(file, row));
                }
            }
        }
        Ok(Winners::of(files, found.into_iter()))
    }

    async fn pick_group(&self, files: &[DataFile], pick: Pick, group: u32, groups: u32) -> Result<KeyMap<Slot>> {
        let wanted = Wanted {
            system: vec![
                system::KEY,
                system::VALID_FROM,
                system::RECORDED_AT,
                system::CREATED_AT,
                system::SEQ,
                system::OP,
            ],
            fields: Vec::new(),
        };
        let mut slots: KeyMap<Slot> = KeyMap::default();
        for (file, data) in files.iter().enumerate() {
            let batch = self.read_file(data, None, &wanted).await?;
            let keys = batch.column(0).as_string::<i32>();
            let valid_from = batch.column(1).as_primitive::<TimestampMicrosecondType>();
            let recorded_at = batch.column(2).as_primitive::<TimestampMicrosecondType>();
            let created_at = batch.column(3).as_primitive::<TimestampMicrosecondType>();
            let seq = batch.column(4).as_primitive::<Int64Type>();
            let op = batch.column(5).as_string::<i32>();
            for row in 0..batch.num_rows() {
                let (known_at, as_of) = match pick {
                    Pick::AsOf { as_of, known_at, .. } => (known_at, as_of),
                    Pick::LastLiving { known_at } | Pick::First { known_at } => (known_at, Timestamp::MAX),
                };
                if recorded_at.value(row) > known_at.micros() {
                    continue;
                }
                let hash = key_hash(keys.value(row));
                #[allow(clippy::cast_possible_truncation)] // the high bits choose the group
                if groups > 1 && ((hash >> 96) as u32) % groups != group {
                    continue;
                }
                let at = At::new(file, row);
                let (from, seq) = (valid_from.value(row), seq.value(row));
                let alive = i64::from(op.value(row) == "upsert");
                let rank = match pick {
                    Pick::AsOf { .. } => (0, from, seq),
                    Pick::LastLiving { .. } => (alive, from, seq),
                    Pick::First { .. } => (0, -from, -seq),
                };
                let counts = from <= as_of.micros();
                let birth = if created_at.is_valid(row) { created_at.value(row) } else { i64::MAX };
                slots
                    .entry(hash)
                    .and_modify(|slot| {
                        if counts && slot.winner.is_none_or(|(best, _)| rank > best) {
                            slot.winner = Some((rank, at));
                        }
                        if (from, seq) < slot.first.0 {
                            slot.first = ((from, seq), at);
                        }
                        slot.created_at = slot.created_at.min(birth);
                    })
                    .or_insert_with(|| Slot {
                        winner: counts.then_some((rank, at)),
                        first: ((from, seq), at),
                        created_at: birth,
                    });
            }
        }
        Ok(slots)
    }
}
