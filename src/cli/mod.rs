//! The command line: one file per command.

pub mod context;

pub use context::{Context, OutputFormat};
