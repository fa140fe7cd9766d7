//! What a run did to a stream, in numbers that must add up (semantics F5).

use serde::{Deserialize, Serialize};

/// `read = new + changed + unchanged + deleted + rejected`; `deleted_by_absence` is apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records and rows that the source sent.
    pub read: u64,
    /// Keys never seen before.
    pub new: u64,
    /// Keys with another content, undeleted ones included.
    pub changed: u64,
    /// Nothing new.
    pub unchanged: u64,
    /// Records that the source says are gone.
    pub deleted: u64,
    /// Rows that are no records.
    pub rejected: u64,
    /// Keys missing from a complete pass or statement.
    pub deleted_by_absence: u64,
}

impl Counts {
    /// Whether every row read is accounted for.
    pub fn add_up(&self) -> bool {
        self.read == self.new + self.changed + self.unchanged + self.deleted + self.rejected
    }

    /// Adds another batch's counts.
    pub fn add(&mut self, other: &Counts) {
        self.read += other.read;
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.rejected += other.rejected;
        self.deleted_by_absence += other.deleted_by_absence;
    }
}
