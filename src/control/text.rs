//! Small rules for what is stored, the same on both databases.

use std::borrow::Cow;

use xxhash_rust::xxh3::Xxh3;

/// How many values one statement may bind: SQLite takes 32,766, PostgreSQL 65,535.
const BIND_COUNT: usize = 30_000;

/// How many rows of `column_count` columns fit into one statement.
pub(crate) fn rows_per_statement(column_count: usize) -> usize {
    (BIND_COUNT / column_count.max(1)).clamp(1, 1_000)
}

/// Text as the database can hold it: PostgreSQL refuses the character NUL, so `␀` stands for it.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{2400}")) } else { Cow::Borrowed(text) }
}

/// A short name for a list of names of any length; different lists have different ones.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hasher = Xxh3::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    format!("{:032x}", hasher.digest128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_name_ends_and_the_next_begins_matters() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
    }

    #[test]
    fn a_nul_is_shown_instead_of_refused() {
        assert_eq!(storable("a\0b"), "a␀b");
        assert_eq!(storable("株式会社"), "株式会社");
    }
}
