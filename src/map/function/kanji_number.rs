//! `kanji_number(x)`: a number in kanji, or with 万 and 億, in digits.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, half_width, on_text};
use crate::schema::types::magnitude;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "kanji_number",
    syntax: "kanji_number(text)",
    does: "a number in kanji, or with 万 and 億, in digits, to be converted; any other text stays, and `decimal` holds it then",
    example: "integer(kanji_number('三百二十万'))",
    gives: "3200000",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_text::function(DOC.name, |text| {
        let narrow = half_width::narrow(text.trim());
        match magnitude::read(&narrow) {
            Some((digits, 0)) => Cow::Owned(digits.to_string()),
            // A number of so many places has a point before the last of them.
            Some((digits, places)) => Cow::Owned(format!("{digits}E-{places}")),
            None => Cow::Borrowed(text),
        }
    })
}
