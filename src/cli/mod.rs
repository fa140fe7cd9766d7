//! The command line: one file per command.

pub mod compare;
pub mod context;
pub mod demo;
pub mod output;

pub use context::{Context, OutputFormat};
