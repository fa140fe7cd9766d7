//! `fiscal_half(date)`: the half of its fiscal year (上期, 下期) that a day lies in.

use super::FunctionDoc;
use super::on_fiscal::{Fiscal, Of};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "fiscal_half",
    syntax: "fiscal_half(date)",
    does: "1 in the first half of the fiscal year (上期), 2 in the second (下期)",
    example: "fiscal_half(date('2025-10-01'))",
    gives: "2",
};

pub(super) const FISCAL: Fiscal =
    Fiscal { doc: &DOC, of: Of::Whole(|fiscal, day| Some(i64::from(fiscal.year_and_month(day).1 / 6 + 1))) };
