//! `json_count(x, '$.path')`: how many values the path finds.

use super::FunctionDoc;
use super::on_json::{Json, Of};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "json_count",
    syntax: "json_count(text, '$.path')",
    does: "how many values the path finds: `$.items[*]` counts the elements of a list",
    example: "json_count('{\"items\": [1, 2, 3]}', '$.items[*]')",
    gives: "3",
};

pub(super) const JSON: Json = Json { doc: &DOC, of: Of::Whole(|found| i64::try_from(found.len()).unwrap_or(i64::MAX)) };
