//! `full_width(x)`: letters, digits, signs and kana in full width (全角).

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use unicode_normalization::UnicodeNormalization;

use super::{FunctionDoc, on_text};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "full_width",
    syntax: "full_width(text)",
    does: "letters, digits, signs, spaces and kana in full width (全角)",
    example: "full_width('ABC-12 ｱｸﾒ')",
    gives: "ＡＢＣ－１２　アクメ",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_text::function(DOC.name, |text| {
        let wide = |c| match c {
            ' ' => '\u{3000}',
            '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c),
            '¥' => '￥',
            other => other,
        };
        Cow::Owned(wide_kana(text).chars().map(wide).collect())
    })
}

/// The text with half-width kana and their signs in full width.
pub(super) fn wide_kana(text: &str) -> Cow<'_, str> {
    let is_half = |c: char| matches!(c, '\u{ff61}'..='\u{ff9f}');
    if !text.contains(is_half) {
        return Cow::Borrowed(text);
    }
    // Runs of them together, since a sound mark is a sign of its own there; all else as it is.
    let mut wide = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_half) {
        let run = &rest[start..];
        let end = run.find(|c| !is_half(c)).unwrap_or(run.len());
        wide.push_str(&rest[..start]);
        wide.extend(run[..end].nfkc());
        rest = &run[end..];
    }
    wide.push_str(rest);
    Cow::Owned(wide)
}
