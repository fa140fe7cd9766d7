//! `json_values(x, '$.path')`: all values that a path finds, as a list.

use super::FunctionDoc;
use super::on_json::{Json, Of};
use crate::connect::tree;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "json_values",
    syntax: "json_values(text, '$.path')",
    does: "all values that a JSON path finds, as a JSON array: what a variable of type `set` reads",
    example: "json_values('[{\"名称\": \"電話\"}, {\"名称\": \"チャット\"}]', '$[*].名称')",
    gives: "[\"電話\",\"チャット\"]",
};

pub(super) const JSON: Json = Json {
    doc: &DOC,
    of: Of::Text(|found| {
        let list = serde_json::Value::Array(found.all().into_iter().cloned().collect());
        Ok(tree::text_of(&list).map(|text| text.into_owned()))
    }),
};
