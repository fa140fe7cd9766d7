//! `company_name(x)`: a company's name in the form in which records are recognized as one customer.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, on_text};
use crate::unify::normalize;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "company_name",
    syntax: "company_name(text)",
    does: "the form in which `identity.yaml` compares names: without legal form, width, case, spaces, signs, old kanji; hiragana as katakana",
    example: "company_name('㈱ｱｸﾒ 東京支店')",
    gives: "アクメ東京支店",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_text::function(DOC.name, |text| Cow::Owned(normalize::company_name(text)))
}
