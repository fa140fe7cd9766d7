//! `hiragana(x)`: all kana as hiragana.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, full_width, on_text};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "hiragana",
    syntax: "hiragana(text)",
    does: "katakana, half-width ones too, as hiragana; all else stays",
    example: "hiragana('サクラ ｻｸﾗ 桜')",
    gives: "さくら さくら 桜",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_text::function(DOC.name, |text| {
        if text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let shifted = |c| match c {
            'ァ'..='ヶ' | 'ヽ' | 'ヾ' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
            other => other,
        };
        Cow::Owned(full_width::wide_kana(text).chars().map(shifted).collect())
    })
}
