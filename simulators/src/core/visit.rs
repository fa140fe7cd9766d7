//! A call while it is being answered: its parameters and its pages, faults included.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::core::fault::FaultKind;
use crate::core::refusal::{Answer, Refusal};
use crate::core::state::State;
use crate::core::value::{Object, Value};
use crate::wire::Request;

/// A call while it is being answered.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) request: &'a Request,
    pub(crate) faults: &'a [FaultKind],
    /// How many records the answer holds.
    pub(crate) rows: u64,
}

/// Where a page begins, and where the one before it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) at: u64,
    before: u64,
}

impl Place {
    /// Reads what [`Visit::next`] named.
    pub(crate) fn parse(token: &str) -> Answer<Place> {
        let read = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
            let (at, before) = text.strip_prefix("p:")?.split_once(':')?;
            Some(Place { at: at.parse().ok()?, before: before.parse().ok()? })
        };
        read().ok_or_else(|| Refusal::new(400, "invalid_cursor", "the page token is not one of ours"))
    }

    fn token(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("p:{}:{}", self.at, self.before))
    }
}

impl Visit<'_> {
    pub(crate) fn ignores(&self, name: &str) -> bool {
        self.faults.iter().any(|kind| matches!(kind, FaultKind::Ignore(known) if known == name))
    }

    /// The parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.request.parameter(name).filter(|_| !self.ignores(name))
    }

    /// A whole number from a parameter.
    pub(crate) fn whole(&self, name: &str, default: u64, range: RangeInclusive<u64>) -> Answer<u64> {
        let Some(text) = self.parameter(name) else { return Ok(default) };
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            Refusal::invalid(format!("{name}は{}から{}の整数で指定してください。", range.start(), range.end()))
        })
    }

    /// The same number as parsed by `read`, where the parameter is there.
    pub(crate) fn read<T>(&self, name: &str, form: &str, read: impl Fn(&str) -> Option<T>) -> Answer<Option<T>> {
        let Some(text) = self.parameter(name) else { return Ok(None) };
        read(&text).map(Some).ok_or_else(|| Refusal::invalid(format!("{name}は{form}の形式で指定してください。")))
    }

    fn cut(&mut self, mut rows: Vec<Object>) -> Value {
        let lost = self.faults.iter().find_map(|kind| match kind {
            FaultKind::Lose(records) => Some(*records),
            _ => None,
        });
        rows.truncate(rows.len().saturating_sub(lost.unwrap_or(0)));
        self.rows = rows.len() as u64;
        Value::List(rows.into_iter().map(Value::Object).collect())
    }

    /// A list under a name, and what stands beside it.
    pub(crate) fn page<const N: usize>(&mut self, name: &str, rows: Vec<Object>, rest: [(&str, Value); N]) -> Object {
        let mut page = Object::default();
        let list = self.cut(rows);
        match self.faults.contains(&FaultKind::Reshape) {
            true => page.set(&format!("{name}_v2"), list),
            false => page.set(name, list),
        }
        page.merge(&Object::new(rest));
        page
    }

    /// A list that is the whole document.
    pub(crate) fn list(&mut self, rows: Vec<Object>) -> Value {
        let list = self.cut(rows);
        match self.faults.contains(&FaultKind::Reshape) {
            true => Value::Object(Object::new([("data", list)])),
            false => list,
        }
    }

    /// The name of the page that follows, for a page at `place`; `at` is where it begins, if there is one.
    pub(crate) fn next(&self, place: Place, at: Option<u64>) -> Option<String> {
        let turned = self.faults.iter().find_map(|kind| match kind {
            FaultKind::Loop(1) => Some(place),
            FaultKind::Loop(_) => Some(Place { at: place.before, before: 0 }),
            _ => None,
        });
        turned.or(at.map(|at| Place { at, before: place.at })).map(Place::token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_token_alone() {
        let place = Place { at: 400, before: 200 };
        assert_eq!(Place::parse(&place.token()), Ok(place));
        assert_eq!(Place::parse("NDAw").unwrap_err().status, 400);
    }
}
