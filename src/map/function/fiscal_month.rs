//! `fiscal_month(date)`: the month of its fiscal year that a day lies in.

use super::FunctionDoc;
use super::on_fiscal::{Fiscal, Of};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "fiscal_month",
    syntax: "fiscal_month(date)",
    does: "the month of the fiscal year, 1 to 12",
    example: "fiscal_month(date('2025-10-01'))",
    gives: "7",
};

pub(super) const FISCAL: Fiscal =
    Fiscal { doc: &DOC, of: Of::Whole(|fiscal, day| Some(i64::from(fiscal.year_and_month(day).1 + 1))) };
