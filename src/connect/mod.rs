//! 1. Read an outside system, page by page.

pub mod source;

pub use source::{Finding, ReadMode, Source};
