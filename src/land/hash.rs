//! The content hash of a record: equal content, equal hash, whatever way it came (semantics B7).
//!
//! 128 bits of XXH3 over the hashed fields that have a value, ordered by field name; each as the name's own
//! hash, the value's length and the value. A null contributes nothing, so a field that a record never had a
//! value for, or that was not there yet, changes no hash.

use datafusion::arrow::array::{Array, StringArray};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// The number of this scheme; hashes of different schemes are never compared.
pub(crate) const SCHEME: u8 = 1;

/// The form in `_hash`: the scheme's number, then the hash, most significant byte first.
pub(crate) fn to_bytes(hash: u128) -> [u8; 17] {
    let mut bytes = [SCHEME; 17];
    bytes[1..].copy_from_slice(&hash.to_be_bytes());
    bytes
}

/// Reads `_hash`; `None` for another scheme.
pub(crate) fn from_bytes(bytes: &[u8]) -> Option<u128> {
    let (scheme, hash) = bytes.split_first()?;
    (*scheme == SCHEME).then(|| hash.try_into().ok().map(u128::from_be_bytes)).flatten()
}

/// Hashes rows of columns that are known once.
pub(crate) struct RowHasher {
    /// Name hash and position, by field name.
    fields: Vec<(u64, usize)>,
    buffer: Vec<u8>,
}

impl RowHasher {
    /// A hasher of the fields `names`, each with its position among the values given per row.
    pub(crate) fn new<'a>(names: impl Iterator<Item = (usize, &'a str)>) -> Self {
        let mut named: Vec<(&str, usize)> = names.map(|(position, name)| (name, position)).collect();
        named.sort_unstable();
        let fields = named.into_iter().map(|(name, position)| (xxh3_64(name.as_bytes()), position)).collect();
        RowHasher { fields, buffer: Vec::with_capacity(2_048) }
    }

    /// The hash of the row whose value at a position is `value(position)`.
    pub(crate) fn hash<'a>(&mut self, value: impl Fn(usize) -> Option<&'a str>) -> u128 {
        self.buffer.clear();
        for (name, position) in &self.fields {
            if let Some(text) = value(*position) {
                self.buffer.extend_from_slice(&name.to_le_bytes());
                self.buffer.extend_from_slice(&(text.len() as u64).to_le_bytes());
                self.buffer.extend_from_slice(text.as_bytes());
            }
        }
        xxh3_128(&self.buffer)
    }
}

/// The value of `column` at `row`.
pub(crate) fn cell(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn b7_the_order_of_fields_and_fields_without_a_value_change_no_hash() {
        let mut one = RowHasher::new([(0, "a"), (1, "b")].into_iter());
        let mut other = RowHasher::new([(0, "b"), (1, "c"), (2, "a")].into_iter());
        assert_eq!(one.hash(|i| [Some("1"), Some("2")][i]), other.hash(|i| [Some("2"), None, Some("1")][i]));
    }

    proptest! {
        #[test]
        fn different_content_has_a_different_hash(a in proptest::collection::vec(proptest::option::of("[a-c]{0,3}"), 4),
                                                  b in proptest::collection::vec(proptest::option::of("[a-c]{0,3}"), 4)) {
            let mut hasher = RowHasher::new([(0, "w"), (1, "x"), (2, "y"), (3, "z")].into_iter());
            let (left, right) = (hasher.hash(|i| a[i].as_deref()), hasher.hash(|i| b[i].as_deref()));
            prop_assert_eq!(left == right, a == b);
        }
    }
}
