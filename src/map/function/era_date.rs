//! `era_date(d)`: a day as it is written in its era.

use std::sync::Arc;

use chrono::Datelike;
use datafusion::logical_expr::ScalarUDF;

use super::FunctionDoc;
use super::on_date::{self, Of};
use crate::schema::types::era_of;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "era_date",
    syntax: "era_date(date)",
    does: "the day as it is written in its era (和暦); null before 1873",
    example: "era_date(date('2019-05-01'))",
    gives: "令和元年5月1日",
};

pub(crate) fn function() -> Arc<ScalarUDF> {
    on_date::function(
        DOC.name,
        Of::Text(|day| {
            let (name, year) = era_of(day)?;
            let year = if year == 1 { "元".to_owned() } else { year.to_string() };
            Some(format!("{name}{year}年{}月{}日", day.month(), day.day()))
        }),
    )
}
