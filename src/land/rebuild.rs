//! Links read back from the log: the index built anew, and the links as they stood at an instant.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::decide::Link;
use super::hash;
use super::index::IndexEntry;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{KeyMap, LogTable, Wanted, key_hash, system};
use crate::record::DeleteKind;

/// Calls `visit` with every version of `log` as a link of its key.
async fn for_each_link(log: &LogTable, mut visit: impl FnMut(IndexEntry)) -> Result<()> {
    let wanted = Wanted {
        system: vec![
            system::KEY,
            system::VALID_FROM,
            system::STAMP,
            system::SEQ,
            system::OP,
            system::DELETE_KIND,
            system::HASH,
        ],
        fields: Vec::new(),
    };
    for file in log.files()? {
        let batch = log.read_file(&file, None, &wanted).await?;
        let keys = batch.column(0).as_string::<i32>();
        let valid_from = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let stamp = batch.column(2).as_primitive::<TimestampMicrosecondType>();
        let seq = batch.column(3).as_primitive::<Int64Type>();
        let op = batch.column(4).as_string::<i32>();
        let kind = batch.column(5).as_string::<i32>();
        let content = batch.column(6).as_binary::<i32>();
        for row in 0..batch.num_rows() {
            let corrupt = |what: &str| {
                Error::new(ErrorKind::Corrupt, format!("a version of the log has no readable {what}"))
                    .with("stream", log.stream())
                    .with("seq", seq.value(row))
            };
            let deleted = match op.value(row) {
                "upsert" => None,
                _ => Some(
                    kind.is_valid(row)
                        .then(|| DeleteKind::parse(kind.value(row)))
                        .flatten()
                        .ok_or_else(|| corrupt("delete kind"))?,
                ),
            };
            visit(IndexEntry {
                key: key_hash(keys.value(row)),
                link: Link {
                    hash: hash::from_bytes(content.value(row)).ok_or_else(|| corrupt("hash"))?,
                    seq: seq.value(row),
                    valid_from: Timestamp::from_micros(valid_from.value(row)),
                    stamp: stamp.is_valid(row).then(|| Timestamp::from_micros(stamp.value(row))),
                    // The record may have been read since under a higher one, without a new version.
                    revision: None,
                    deleted,
                },
            });
        }
    }
    Ok(())
}

/// The last link of every key in the log.
pub(crate) async fn last_links(log: &LogTable) -> Result<Vec<IndexEntry>> {
    let links = links_at(log, Timestamp::MAX).await?;
    Ok(links.into_iter().map(|(key, link)| IndexEntry { key, link }).collect())
}

/// The link of every key that counts at `at`: the greatest `(valid_from, seq)` with `valid_from <= at`.
pub(crate) async fn links_at(log: &LogTable, at: Timestamp) -> Result<KeyMap<Link>> {
    let mut links: KeyMap<Link> = KeyMap::default();
    for_each_link(log, |entry| {
        if entry.link.valid_from > at {
            return;
        }
        links
            .entry(entry.key)
            .and_modify(|best| {
                if (entry.link.valid_from, entry.link.seq) > (best.valid_from, best.seq) {
                    *best = entry.link;
                }
            })
            .or_insert(entry.link);
    })
    .await?;
    Ok(links)
}
