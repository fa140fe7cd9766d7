//! `era_year(d)`: the year of a day in its era.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::FunctionDoc;
use super::on_date::{self, Of};
use crate::schema::types::era_of;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "era_year",
    syntax: "era_year(date)",
    does: "the day's year in its era; 1 is 元年",
    example: "era_year(date('2025-10-01'))",
    gives: "7",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_date::function(DOC.name, Of::Whole(|day| era_of(day).map(|(_, year)| i64::from(year))))
}
