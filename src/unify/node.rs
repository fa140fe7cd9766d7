//! Nodes: every record that ever was a customer somewhere (semantics I1, I2).

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::clock::Timestamp;
use crate::record::StreamId;

/// A record, through all its versions, as identity sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its key there.
    pub key: String,
    /// Its incarnation: 0, and one more each time the key returned as another record (B9).
    pub incarnation: u32,
    /// Since when the key stands for it; `None`: from the beginning.
    pub since: Option<Timestamp>,
    /// When the source says it was born.
    pub created_at: Option<Timestamp>,
    /// The key of the record of the same stream that it was merged into, while its last version says so.
    pub merged_into: Option<String>,
    /// Per rule of `identity.yaml`, what the record says that could link it; `None`: nothing.
    pub evidence: Vec<Option<String>>,
}

impl Node {
    /// Its id: 20 hexadecimal digits, a hash of stream, key and incarnation.
    pub fn id(&self) -> NodeId {
        node_id(&self.stream, &self.key, self.incarnation)
    }

    /// What nodes are ordered by: the first of a cluster gives the customer its id.
    pub(super) fn order(&self) -> (i64, &str, &str, &str, u32) {
        let born = self.created_at.map_or(i64::MAX, Timestamp::micros);
        (born, &self.stream.source.0, &self.stream.stream, &self.key, self.incarnation)
    }
}

/// The id of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub String);

/// The id of the record `key` of `stream` in its incarnation.
pub fn node_id(stream: &StreamId, key: &str, incarnation: u32) -> NodeId {
    let mut bytes = Vec::with_capacity(64 + key.len());
    for part in [&stream.source.0, &stream.stream, key] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(&incarnation.to_le_bytes());
    NodeId(format!("{:032x}", xxh3_128(&bytes))[..20].to_owned())
}
