//! The parameters of a call, however they were sent.

use serde_json::{Map, Value as Json};

use crate::kintone::refusal::{Answer, at_least_one, illegal_request, invalid_at, message, not_json, required};
use crate::wire::Request;
use crate::wire::request::form;

/// The longest URL, in bytes.
pub(crate) const LONGEST_URL: usize = 8_192;

/// The parameters of a call: those of the URL, or those of a JSON body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(pub(crate) Map<String, Json>);

impl Params {
    /// Reads them from wherever they are.
    pub(crate) fn read(request: &Request) -> Answer<Params> {
        let kind = request.header("content-type").unwrap_or_default();
        if kind.starts_with("application/json") {
            return match serde_json::from_slice(&request.body) {
                Ok(Json::Object(map)) => Ok(Params(map)),
                Ok(_) | Err(_) => Err(not_json()),
            };
        }
        if !request.body.is_empty() && !kind.starts_with("multipart/form-data") {
            return Err(illegal_request());
        }
        Ok(Params::of_url(request.query.as_deref().unwrap_or_default()))
    }

    /// `fields[0]=a&fields[1]=b` is a list.
    fn of_url(query: &str) -> Params {
        let mut map = Map::new();
        for (name, value) in form(query) {
            match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
                Some((name, _)) => {
                    let list = map.entry(name).or_insert_with(|| Json::Array(Vec::new()));
                    if let Json::Array(list) = list {
                        list.push(value.into());
                    }
                }
                None => {
                    map.insert(name, value.into());
                }
            }
        }
        Params(map)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Json::as_str)
    }

    pub(crate) fn needed(&self, name: &str) -> Answer<&str> {
        self.text(name).ok_or_else(|| invalid_at(name, required()))
    }

    /// A whole number, sent as number or text.
    pub(crate) fn number(&self, name: &str) -> Answer<Option<i64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match whole(value) {
            Some(number) => Ok(Some(number)),
            None => Err(invalid_at(name, message("整数でなければなりません。", "must be an integer"))),
        }
    }

    /// An id, which must be there and at least one.
    pub(crate) fn id(&self, name: &str) -> Answer<u64> {
        let number = self.number(name)?.ok_or_else(|| invalid_at(name, required()))?;
        u64::try_from(number).ok().filter(|&id| id > 0).ok_or_else(|| invalid_at(name, at_least_one()))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Json::Bool(flag)) => *flag,
            Some(Json::String(text)) => text == "true",
            _ => false,
        }
    }

    /// A list; a single value counts as a list of one.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<Json>> {
        self.get(name).map(|value| match value {
            Json::Array(list) => list.clone(),
            other => vec![other.clone()],
        })
    }

    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let text = |value: Json| match value {
            Json::String(text) => text,
            other => other.to_string(),
        };
        self.list(name).map(|list| list.into_iter().map(text).collect())
    }

    /// A list of ids of at most `most`.
    pub(crate) fn ids(&self, name: &str, most: usize) -> Answer<Option<Vec<u64>>> {
        let Some(list) = self.list(name) else { return Ok(None) };
        if list.len() > most {
            return Err(too_long(name, most));
        }
        let id = |value: &Json| whole(value).and_then(|id| u64::try_from(id).ok()).filter(|&id| id > 0);
        let ids: Option<Vec<u64>> = list.iter().map(id).collect();
        ids.map(Some).ok_or_else(|| invalid_at(format!("{name}[0]"), at_least_one()))
    }
}

/// The complaint about a list with too many items.
pub(crate) fn too_long(name: &str, most: usize) -> crate::kintone::refusal::Refusal {
    invalid_at(name, message(format!("一度に{most}件までです。"), format!("size must be between 0 and {most}")))
}

/// A whole number, as number or text.
pub(crate) fn whole(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_and_body_give_the_same() {
        let url = Request {
            query: Some("app=8&fields%5B0%5D=%24id&fields[1]=x&totalCount=true".into()),
            ..Request::default()
        };
        let body = Request {
            headers: vec![("content-type".into(), "application/json".into())],
            body: br#"{"app":8,"fields":["$id","x"],"totalCount":true}"#.to_vec(),
            ..Request::default()
        };
        for request in [url, body] {
            let params = Params::read(&request).unwrap();
            assert_eq!((params.id("app").unwrap(), params.flag("totalCount")), (8, true));
            assert_eq!(params.texts("fields").unwrap(), ["$id", "x"]);
        }
    }
}
