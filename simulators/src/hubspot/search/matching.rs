//! Whether a record matches a filter.

use std::cmp::Ordering;

use crate::hubspot::links;
use crate::hubspot::property::{Origin, Property, PropertyType};
use crate::hubspot::records::View;
use crate::hubspot::search::parse::{Filter, Operator, Target};
use crate::hubspot::state::State;
use crate::hubspot::{time, value};
use crate::number::Decimal;

/// A value, as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Instants and ids.
    Whole(i64),
    Number(Decimal),
    /// In lower case, but for options of enumerations.
    Text(String),
}

/// What a text in a property is compared by.
pub(crate) fn key(property: &Property, text: &str) -> Key {
    let read = match property.spec.property_type {
        PropertyType::Date | PropertyType::DateTime => time::parse(text).map(Key::Whole),
        PropertyType::Number => Decimal::parse(text).map(Key::Number),
        PropertyType::Enumeration | PropertyType::Bool => Some(Key::Text(text.to_owned())),
        _ => None,
    };
    read.unwrap_or_else(|| Key::Text(text.to_lowercase()))
}

/// What a record is compared by in a property; `None` where it has no value.
pub(crate) fn key_of(state: &State, place: usize, view: &View<'_>, property: &Property) -> Option<Key> {
    match property.origin {
        Origin::Id => return Some(Key::Whole(i64::try_from(view.id).unwrap_or(i64::MAX))),
        Origin::Created => return Some(Key::Whole(view.created())),
        Origin::Modified => return Some(Key::Whole(view.modified())),
        _ => {}
    }
    let text = value::raw(state, place, view, property).filter(|text| !text.is_empty())?;
    Some(key(property, &text))
}

/// Whether the record matches.
pub(crate) fn matches(state: &State, place: usize, view: &View<'_>, filter: &Filter) -> bool {
    let property = match filter.target {
        Target::Linked(to) => return is_linked(state, (place, view.id), to, filter),
        Target::Property(at) => &state.objects[place].properties[at],
    };
    let held = key_of(state, place, view, property);
    let Some(held) = held else {
        // Who has no value is found only by those who ask for that.
        return matches!(filter.operator, Operator::HasNot | Operator::ContainsNot);
    };
    let against = |nth: usize| filter.keys.get(nth).map(|key| compared(&held, key));
    let is = |order: Ordering| against(0) == Some(Some(order));
    match filter.operator {
        Operator::Has => true,
        Operator::HasNot => false,
        Operator::Eq => filter.keys.iter().any(|key| equals(property, &held, key)),
        Operator::Neq => !filter.keys.iter().any(|key| equals(property, &held, key)),
        Operator::In => filter.keys.iter().any(|key| equals(property, &held, key)),
        Operator::NotIn => !filter.keys.iter().any(|key| equals(property, &held, key)),
        Operator::Lt => is(Ordering::Less),
        Operator::Lte => is(Ordering::Less) || is(Ordering::Equal),
        Operator::Gt => is(Ordering::Greater),
        Operator::Gte => is(Ordering::Greater) || is(Ordering::Equal),
        Operator::Between => {
            matches!(against(0), Some(Some(Ordering::Greater | Ordering::Equal)))
                && matches!(against(1), Some(Some(Ordering::Less | Ordering::Equal)))
        }
        Operator::Contains => has_token(&held, &filter.keys),
        Operator::ContainsNot => !has_token(&held, &filter.keys),
    }
}

/// Keys of different kinds cannot be compared.
fn compared(left: &Key, right: &Key) -> Option<Ordering> {
    (std::mem::discriminant(left) == std::mem::discriminant(right)).then(|| left.cmp(right))
}

/// Whether they are the same; of several choices, one is enough.
fn equals(property: &Property, held: &Key, wanted: &Key) -> bool {
    if compared(held, wanted) == Some(Ordering::Equal) {
        return true;
    }
    match (held, wanted) {
        (Key::Text(held), Key::Text(wanted)) if property.spec.property_type == PropertyType::Enumeration => {
            held.split(';').any(|part| part == wanted)
        }
        _ => false,
    }
}

fn is_linked(state: &State, from: (usize, u64), to: usize, filter: &Filter) -> bool {
    let linked = links::live(state, from, to);
    let any = || {
        filter.keys.iter().any(|key| match key {
            Key::Whole(id) => u64::try_from(*id).is_ok_and(|id| linked.contains_key(&id)),
            _ => false,
        })
    };
    match filter.operator {
        Operator::Eq | Operator::In => any(),
        Operator::Neq | Operator::NotIn => !any(),
        Operator::Has => !linked.is_empty(),
        Operator::HasNot => linked.is_empty(),
        _ => false,
    }
}

/// Whether a word of the value is one of the wanted, in which `*` stands for any text.
fn has_token(held: &Key, wanted: &[Key]) -> bool {
    let Key::Text(text) = held else { return false };
    let text = text.to_lowercase();
    let words = || text.split(|letter: char| !letter.is_alphanumeric()).chain([text.as_str()]);
    wanted.iter().any(|key| match key {
        Key::Text(pattern) => words().any(|word| !word.is_empty() && is_like(word, pattern)),
        _ => false,
    })
}

fn is_like(word: &str, pattern: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return word == pattern };
    let Some(rest) = word.strip_prefix(head) else { return false };
    if tail.is_empty() {
        return true;
    }
    (0..=rest.len()).filter(|&at| rest.is_char_boundary(at)).any(|at| is_like(&rest[at..], tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_patterns() {
        let held = Key::Text("株式会社青葉 sales@example.jp".to_owned());
        for (pattern, found) in
            [("example", true), ("exam*", true), ("*葉", true), ("青葉", false), ("*青*", true), ("jp2", false)]
        {
            assert_eq!(has_token(&held, &[Key::Text(pattern.to_owned())]), found, "{pattern}");
        }
    }
}
