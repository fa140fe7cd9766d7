//! Places in an answer, as JSON paths (RFC 9535).

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::connect::tree::Tree;
use crate::error::{Error, ErrorKind, Result};

/// A path that was read.
#[derive(Debug, Clone)]
pub(super) struct Path {
    text: String,
    path: JsonPath,
    /// The same path without the `[*]` at its end: what must be there even if it is empty.
    list: Option<JsonPath>,
}

impl Path {
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that shows the place.
    pub(super) fn parse(text: &str, setting: &'static str) -> Result<Path> {
        let read = |text: &str| {
            JsonPath::parse(text).map_err(|error| {
                Error::new(ErrorKind::Config, "not a JSON path")
                    .with("setting", setting)
                    .with("found", text)
                    .with("column", error.position() + 1)
                    .help("write it like `$.data.items`; names with other characters than letters as `$['顧客 名']`")
            })
        };
        let list = text.strip_suffix("[*]").or_else(|| text.strip_suffix(".*")).map(read).transpose()?;
        Ok(Path { text: text.to_owned(), path: read(text)?, list })
    }

    /// The path as it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The first value there.
    pub(super) fn first<'t>(&self, tree: &'t Tree) -> Option<&'t Tree> {
        self.path.query(tree).first()
    }

    /// The records there: the items of a list, or each value that the path finds; `None` when the place is not there.
    pub(super) fn records<'t>(&self, tree: &'t Tree) -> Option<Vec<&'t Tree>> {
        let found = self.path.query(tree).all();
        match found.as_slice() {
            [] => {
                let is_empty = |value: &Value| match value {
                    Value::Array(items) => items.is_empty(),
                    Value::Object(members) => members.is_empty(),
                    Value::Null => true,
                    _ => false,
                };
                let list = self.list.as_ref()?.query(tree).first()?;
                is_empty(list).then(Vec::new)
            }
            [Value::Array(items)] => Some(items.iter().collect()),
            [Value::Null] => Some(Vec::new()),
            _ => Some(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tree::parse;

    #[test]
    fn an_empty_list_is_told_from_a_place_that_is_not_there() {
        let count = |path: &str, body: &str| {
            Path::parse(path, "records").unwrap().records(&parse(body).unwrap()).map(|found| found.len())
        };
        assert_eq!(count("$.data", r#"{"data":[{},{}]}"#), Some(2));
        assert_eq!(count("$.data[*]", r#"{"data":[{},{}]}"#), Some(2));
        for (path, body) in
            [("$.data", r#"{"data":[]}"#), ("$.data[*]", r#"{"data":[]}"#), ("$.data", r#"{"data":null}"#)]
        {
            assert_eq!(count(path, body), Some(0), "{path} {body}");
        }
        assert_eq!(count("$.data", r#"{"rows":[]}"#), None);
        assert_eq!(count("$.data[*]", r#"{"rows":[]}"#), None);
        assert_eq!(count("$", r#"[1]"#), Some(1));
        // One element in place of a list of them, as XML has it.
        assert_eq!(count("$.plans.plan", r#"{"plans":{"plan":{"id":"1"}}}"#), Some(1));
        assert_eq!(count("$..lines[*]", r#"{"a":[{"lines":[{},{}]},{"lines":[{}]}]}"#), Some(3));
    }

    #[test]
    fn a_path_that_cannot_be_read_shows_where() {
        let error = Path::parse("$.data[", "records").unwrap_err();
        assert!(error.render().contains("records"), "{}", error.render());
    }
}
