//! `with_check_digit(x)`: a 会社法人等番号 of 12 digits as the 法人番号 that it becomes.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, half_width, on_text};
use crate::schema::types::check_digit;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "with_check_digit",
    syntax: "with_check_digit(text)",
    does: "12 digits (会社法人等番号) with the check digit in front that makes them a corporate number; any other text stays",
    example: "with_check_digit('000012050002')",
    gives: "7000012050002",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_text::function(DOC.name, |text| {
        let digits: String = half_width::narrow(text).chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        match check_digit(&digits) {
            Some(digit) => Cow::Owned(format!("{digit}{digits}")),
            None => Cow::Borrowed(text),
        }
    })
}
