//! `katakana(x)`: all kana as katakana.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, full_width, on_text};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "katakana",
    syntax: "katakana(text)",
    does: "hiragana and half-width kana as katakana; all else stays",
    example: "katakana('さくら ｻｸﾗ 桜')",
    gives: "サクラ サクラ 桜",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_text::function(DOC.name, |text| {
        if text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let shifted = |c| match c {
            'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
            other => other,
        };
        Cow::Owned(full_width::wide_kana(text).chars().map(shifted).collect())
    })
}
