//! COQL: the query language.

mod ast;
mod bind;
mod group;
mod lex;
mod parse;
mod run;

use serde_json::Value as Json;

use crate::wire::Reply;
use crate::zoho::refusal::{Answer, missing, require};
use crate::zoho::visit::Visit;

/// How many records a query gives.
pub(crate) const MOST: u64 = 2_000;
const DEFAULT: u64 = 200;

/// The statement in the body of a call.
pub(crate) fn statement(body: &[u8]) -> Option<String> {
    let body: Json = serde_json::from_slice(body).ok()?;
    Some(body.get("select_query")?.as_str()?.to_owned())
}

/// How many records a statement asks for, as far as that can be seen: what it costs depends on it.
pub(crate) fn limit(statement: &str) -> u64 {
    parse::parse(statement).map_or(DEFAULT, |select| select.limit.unwrap_or(DEFAULT))
}

/// `POST /coql`.
pub(crate) fn query(visit: &mut Visit<'_>) -> Answer<Reply> {
    visit.needs("coql")?;
    let text = require(statement(&visit.request.body), || missing("select_query"))?;
    let select = parse::parse(&text)?;
    let plan = bind::bind(visit, &select)?;
    run::run(visit, &plan)
}
