//! The query language: `会社名 like "商事" and $id > 100 order by $id asc limit 500`.

mod ast;
mod bind;
mod dates;
mod lex;
mod matching;
mod parse;
mod run;

pub(crate) use ast::Query;
pub(crate) use bind::{Plan, bind};
pub(crate) use parse::parse;
pub(crate) use run::{Found, run};
