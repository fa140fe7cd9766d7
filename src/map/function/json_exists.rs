//! `json_exists(x, '$.path')`: whether the path finds anything.

use super::FunctionDoc;
use super::on_json::{Json, Of};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "json_exists",
    syntax: "json_exists(text, '$.path')",
    does: "true when the path finds something, also null",
    example: "json_exists('{\"a\": null}', '$.a')",
    gives: "true",
};

pub(super) const JSON: Json = Json { doc: &DOC, of: Of::Truth(|found| !found.is_empty()) };
