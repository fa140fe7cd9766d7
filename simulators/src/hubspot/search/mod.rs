//! Searches: filters in groups, one sort, pages by offset, over an index that lags behind.

mod matching;
mod parse;
mod run;

pub(crate) use run::search;
