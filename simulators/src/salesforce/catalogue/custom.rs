//! Objects that an administrator adds.

use super::{ObjectSpec, currency, head, history, owner, stored, tail};
use crate::salesforce::Features;
use crate::salesforce::field::FieldSpec;

/// A custom object with a name field; its own fields are added like those of others.
pub(crate) fn custom(name: &'static str, label: &'static str, prefix: &'static str, features: &Features) -> ObjectSpec {
    let mut columns = head(label);
    columns.push(owner());
    columns.push(stored(FieldSpec::text("Name", &format!("{label}名"), 80).required()));
    if features.multi_currency {
        columns.push(stored(currency(label)));
    }
    columns.extend(tail());
    ObjectSpec { name, label, prefix, deletable: true, mergeable: false, history: None, columns }
}

/// What keeps the tracked fields of a custom object.
pub(crate) fn custom_history(
    name: &'static str,
    label: &'static str,
    prefix: &'static str,
    parent: &'static str,
) -> ObjectSpec {
    history::of_fields(name, label, prefix, parent, "ParentId", "親")
}
