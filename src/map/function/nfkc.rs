//! `nfkc(x)`: one code for one sign.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::{FunctionDoc, on_text};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "nfkc",
    syntax: "nfkc(text)",
    does: "compatible signs as one (Unicode NFKC): full-width letters narrow, half-width kana wide, ㈱ as (株); spaces stay",
    example: "nfkc('㈱ＡＣＭＥ　ｱｸﾒ①')",
    gives: "(株)ACME アクメ1",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_text::function(DOC.name, |text| match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfkc().collect()),
    })
}
