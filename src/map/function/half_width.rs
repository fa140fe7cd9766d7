//! `half_width(x)`: letters, digits, signs and spaces in half width (半角); kana stay wide.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, on_text};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "half_width",
    syntax: "half_width(text)",
    does: "full-width letters, digits, signs and spaces in half width (半角); kana stay as they are",
    example: "half_width('ＡＢＣ－１２　アクメ')",
    gives: "ABC-12 アクメ",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_text::function(DOC.name, narrow)
}

/// The text with full-width forms of ASCII in half width.
pub(super) fn narrow(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let narrow = |c| match c {
        '\u{3000}' => ' ',
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '￥' => '¥',
        other => other,
    };
    Cow::Owned(text.chars().map(narrow).collect())
}
