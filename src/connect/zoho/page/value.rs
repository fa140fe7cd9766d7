//! One text for a value, whichever interface printed it.

use std::borrow::Cow;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Cell;
use crate::clock::Timestamp;
use crate::connect::canonical;

/// What may stand between the choices in a cell of a file; the documents do not say.
const SEPARATORS: [char; 3] = [';', '|', ','];

/// What an empty picklist holds at times.
const NONE: &str = "-None-";

/// The instant that a text tells, with whatever offset.
pub(in super::super) fn instant(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| Timestamp::from(at.to_utc()))
}

/// A value of a list or a query.
///
/// # Errors
///
/// When it is nested too deep.
pub(super) fn of_json<'a>(cell: &Cell, raw: &'a RawValue) -> serde_json::Result<Option<Cow<'a, str>>> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') => of_text(cell, string(raw)?),
        Some(b'{') if *cell == Cell::Reference => {
            let named: Named<'a> = serde_json::from_str(text)?;
            match named.id {
                Some(Text(id)) => Some(id).filter(|id| !id.is_empty()),
                None => Some(Cow::Owned(canonical::json(raw)?)),
            }
        }
        Some(b'[') => match cell {
            Cell::Choices(_) => lines(serde_json::from_str::<Vec<Option<String>>>(text)?.into_iter().flatten()),
            Cell::Tags => {
                let tags: Vec<Named<'_>> = serde_json::from_str(text)?;
                lines(tags.into_iter().filter_map(|tag| tag.name.map(|Text(name)| name.into_owned())))
            }
            _ => Some(Cow::Owned(canonical::json(raw)?)).filter(|text| text != "[]"),
        },
        Some(b'{') => Some(Cow::Owned(canonical::json(raw)?)).filter(|text| text != "{}"),
        Some(b'-' | b'0'..=b'9') if *cell == Cell::Number => Some(canonical::number(text)),
        _ => Some(Cow::Borrowed(text)),
    })
}

/// A value of a cell in a file: everything is text there, and nothing is null but what is empty.
pub(super) fn of_cell<'a>(cell: &Cell, text: &'a str) -> Option<Cow<'a, str>> {
    match cell {
        Cell::Choices(known) if !text.is_empty() => lines(choices(text, known).into_iter().map(str::to_owned)),
        Cell::Tags if !text.is_empty() => lines(text.split(',').map(|name| name.trim().to_owned())),
        _ => of_text(cell, Cow::Borrowed(text)),
    }
}

fn of_text<'a>(cell: &Cell, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
    if text.is_empty() || (*cell == Cell::Choice && text == NONE) {
        return None;
    }
    Some(match cell {
        Cell::Number if is_number(&text) => match text {
            Cow::Borrowed(text) => canonical::number(text),
            Cow::Owned(text) => Cow::Owned(canonical::number(&text).into_owned()),
        },
        Cell::Datetime => instant(&text).map_or(text, |at| Cow::Owned(at.to_string())),
        Cell::Choices(_) | Cell::Tags => lines(std::iter::once(text.into_owned())).unwrap_or_default(),
        _ => text,
    })
}

/// The choices in a cell: cut where that gives known ones, else where the first document says.
fn choices<'a>(text: &'a str, known: &[String]) -> Vec<&'a str> {
    let is_known = |pieces: &Vec<&str>| pieces.iter().all(|piece| known.iter().any(|choice| choice == piece));
    let cut = |separator: char| text.split(separator).map(str::trim).collect::<Vec<_>>();
    let whole = vec![text];
    if is_known(&whole) {
        return whole;
    }
    SEPARATORS.into_iter().map(cut).find(is_known).unwrap_or_else(|| cut(SEPARATORS[0]))
}

/// The texts of a set: sorted, one a line.
fn lines<'a>(items: impl Iterator<Item = String>) -> Option<Cow<'a, str>> {
    let mut items: Vec<String> = items.filter(|item| !item.is_empty() && item != NONE).collect();
    items.sort_unstable();
    items.dedup();
    (!items.is_empty()).then(|| Cow::Owned(items.join("\n")))
}

/// Whether a text has the form of a JSON number: other texts stay as they are, also in a column of numbers.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
}

fn string(raw: &RawValue) -> serde_json::Result<Cow<'_, str>> {
    let text = raw.get();
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match inner.filter(|inner| !inner.contains('\\')) {
        Some(inner) => Ok(Cow::Borrowed(inner)),
        None => serde_json::from_str(text).map(Cow::Owned),
    }
}

/// A record, a user, a tag.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    id: Option<Text<'a>>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
}

/// A text that is copied only where it has escapes; in an `Option` it always would be.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
