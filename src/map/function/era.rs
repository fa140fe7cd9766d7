//! `era(d)`: the era of a day.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::FunctionDoc;
use super::on_date::{self, Of};
use crate::schema::types::era_of;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "era",
    syntax: "era(date)",
    does: "the name of the day's era (元号), 明治 to 令和; null before 1873",
    example: "era(date('2025-10-01'))",
    gives: "令和",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_date::function(DOC.name, Of::Text(|day| era_of(day).map(|(name, _)| name.to_owned())))
}
