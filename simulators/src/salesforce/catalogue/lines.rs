//! Objects written as lines, one a field: for those that need nothing but storage.

use super::{ObjectSpec, Origin, head, owner, stored, tail, viewed};
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::table::Column;

/// What a field of a line holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A text of at most that many characters.
    Text(u32),
    /// A text of several lines.
    Long(u32),
    Pick(&'static [&'static str]),
    /// A text for which some choices are offered.
    Combo(&'static [&'static str]),
    Ref(&'static [&'static str]),
    /// An amount with two digits after the point.
    Money,
    /// A number with so many digits, and so many of them after the point.
    Number(u32, u32),
    Percent,
    Plain(FieldType),
}

/// A field: API name, label, what it holds.
pub(super) type Line = (&'static str, &'static str, Kind);

/// How an object differs from most.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traits {
    /// Fields that every row has.
    pub(super) required: &'static [&'static str],
    /// Fields that only the platform writes.
    pub(super) read_only: &'static [&'static str],
    pub(super) mergeable: bool,
    /// Whether it has neither an owner nor a last activity.
    pub(super) plain: bool,
}

/// The object of these lines, between the fields that nearly all objects begin and end with.
pub(super) fn object(
    (name, label, prefix): (&'static str, &'static str, &'static str),
    traits: Traits,
    lines: &[Line],
    more: Vec<Column>,
) -> ObjectSpec {
    let mut columns = head(label);
    if traits.mergeable {
        let master = FieldSpec::lookup("MasterRecordId", "マスタレコード ID", &[name]).read_only();
        columns.push(Column::new(master, Origin::Master));
    }
    columns.extend(lines.iter().map(|line| column(line, &traits)));
    columns.extend(more);
    if !traits.plain {
        columns.push(owner());
    }
    columns.extend(tail());
    if !traits.plain {
        columns.extend(viewed());
    }
    ObjectSpec { name, label, prefix, deletable: true, mergeable: traits.mergeable, history: None, columns }
}

fn column(&(name, label, kind): &Line, traits: &Traits) -> Column {
    let spec = match kind {
        Kind::Text(length) => FieldSpec::text(name, label, length),
        Kind::Long(length) => FieldSpec::textarea(name, label, length),
        Kind::Pick(values) => FieldSpec::picklist(name, label, values),
        Kind::Combo(values) => {
            FieldSpec { field_type: FieldType::Combobox, ..FieldSpec::picklist(name, label, values) }
        }
        Kind::Ref(targets) => FieldSpec::lookup(name, label, targets),
        Kind::Money => FieldSpec::number(name, label, FieldType::Currency, 18, 2),
        Kind::Number(precision, scale) => FieldSpec::number(name, label, FieldType::Double, precision, scale),
        Kind::Percent => FieldSpec::number(name, label, FieldType::Percent, 5, 2),
        Kind::Plain(field_type) => FieldSpec::new(name, label, field_type),
    };
    let nillable = spec.nillable && !traits.required.contains(&name);
    let read_only = spec.read_only || traits.read_only.contains(&name);
    stored(FieldSpec { nillable, read_only, ..spec })
}
