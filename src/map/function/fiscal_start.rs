//! `fiscal_start('year', date)`: the first day of a part of the fiscal year.

use super::FunctionDoc;
use super::on_fiscal::{Fiscal, Of};

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "fiscal_start",
    syntax: "fiscal_start('year', date)",
    does: "the first day of the fiscal `year`, `half` or `quarter` that the day lies in",
    example: "fiscal_start('half', date('2026-02-14'))",
    gives: "2025-10-01",
};

pub(super) const FISCAL: Fiscal =
    Fiscal { doc: &DOC, of: Of::Day(|fiscal, day, part| Some(part.around(fiscal, day)?.0)) };
