//! `json_value(x, '$.path')`: the one value at a path.

use std::borrow::Cow;

use super::FunctionDoc;
use super::on_json::{Json, Of, SEVERAL};
use crate::connect::tree;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "json_value",
    syntax: "json_value(text, '$.path')",
    does: "the value at a JSON path (RFC 9535) as text, numbers as plain decimals with all their digits, lists and objects as JSON; null where there is none; held where there are several",
    example: "json_value('{\"a\": {\"b\": 1200.50}}', '$.a.b')",
    gives: "1200.5",
};

pub(super) const JSON: Json = Json {
    doc: &DOC,
    of: Of::Text(|found| {
        if found.len() > 1 {
            return Err(SEVERAL);
        }
        Ok(found.first().and_then(tree::text_of).map(Cow::into_owned))
    }),
};
