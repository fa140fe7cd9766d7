//! The parameters of a URL, and how bodies are read.

use serde_json::{Map, Value as Json};

use crate::hubspot::refusal::{Answer, invalid};
use crate::wire::Request;
use crate::wire::request::form;

/// The parameters of a URL.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn of(request: &Request) -> Self {
        Params(request.query.as_deref().map(form).unwrap_or_default())
    }

    /// The first of that name.
    pub(crate) fn one(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// All of that name, each divided at its commas.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let of_name = self.0.iter().filter(|(known, _)| known == name);
        let parts = of_name.flat_map(|(_, value)| value.split(',').map(str::trim));
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// Whether it says `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.one(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `limit`, from 1 to `most`.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Answer<usize> {
        match self.one("limit") {
            None => Ok(default),
            Some(text) => {
                let limit = text.parse().map_err(|_| invalid(format!("Invalid integer for limit: {text}")))?;
                checked(limit, most)
            }
        }
    }
}

/// A limit that is not too large.
pub(crate) fn checked(limit: usize, most: usize) -> Answer<usize> {
    if limit == 0 {
        return Err(invalid("limit must be greater than or equal to 1"));
    }
    if limit > most {
        return Err(invalid(format!("limit must be less than or equal to {most}, but was {limit}")));
    }
    Ok(limit)
}

/// A body that is a JSON object.
pub(crate) fn body(request: &Request) -> Answer<Map<String, Json>> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(&request.body).map_err(|error| invalid(format!("Invalid input JSON: {error}")))
}

/// A text, or what stands for one.
pub(crate) fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A list of texts; empty where there is none.
pub(crate) fn texts(body: &Map<String, Json>, name: &str) -> Vec<String> {
    body.get(name).and_then(Json::as_array).map(|list| list.iter().filter_map(text).collect()).unwrap_or_default()
}
