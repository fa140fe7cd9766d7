//! `fiscal_year(date)`: the fiscal year (年度) of a day.

use super::FunctionDoc;
use super::on_fiscal::{Fiscal, Of};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "fiscal_year",
    syntax: "fiscal_year(date)",
    does: "the year that names the day's fiscal year (年度), by the project's `fiscal` and `closing_day`",
    example: "fiscal_year(date('2026-03-31'))",
    gives: "2025",
};

pub(super) const FISCAL: Fiscal =
    Fiscal { doc: &DOC, of: Of::Whole(|fiscal, day| Some(i64::from(fiscal.year_and_month(day).0))) };
