//! `fiscal_quarter(date)`: the quarter (四半期) of its fiscal year that a day lies in.

use super::FunctionDoc;
use super::on_fiscal::{Fiscal, Of};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "fiscal_quarter",
    syntax: "fiscal_quarter(date)",
    does: "the quarter of the fiscal year, 1 to 4",
    example: "fiscal_quarter(date('2025-10-01'))",
    gives: "3",
};

pub(super) const FISCAL: Fiscal =
    Fiscal { doc: &DOC, of: Of::Whole(|fiscal, day| Some(i64::from(fiscal.year_and_month(day).1 / 3 + 1))) };
