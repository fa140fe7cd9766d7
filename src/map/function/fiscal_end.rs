//! `fiscal_end('year', date)`: the last day of a part of the fiscal year.

use super::FunctionDoc;
use super::on_fiscal::{Fiscal, Of};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "fiscal_end",
    syntax: "fiscal_end('year', date)",
    does: "the last day of the fiscal `year`, `half` or `quarter` that the day lies in",
    example: "fiscal_end('year', date('2026-02-14'))",
    gives: "2026-03-31",
};

pub(super) const FISCAL: Fiscal =
    Fiscal { doc: &DOC, of: Of::Day(|fiscal, day, part| Some(part.around(fiscal, day)?.1)) };
