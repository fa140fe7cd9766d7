//! What tells pages from each other, and what children are asked for with.

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::connect::tree::{Tree, text_of};

/// Tells the records of one page from those of another.
pub(super) fn print_of(items: &[&Tree]) -> u64 {
    let mut text = String::new();
    for item in items {
        text.push_str(&text_of(item).unwrap_or_default());
        text.push('\n');
    }
    xxh3_64(text.as_bytes())
}

/// The values of a record that its children are asked for with.
pub(super) fn values_of(tree: &Tree) -> Value {
    let members = tree.as_object().into_iter().flatten();
    members
        .map(|(name, value)| (name.clone(), text_of(value).map_or(Value::Null, |text| text.into_owned().into())))
        .collect()
}
