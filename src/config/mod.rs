//! Project and config files: loaded and validated once, every problem with its place.

pub mod problem;

pub use problem::{Place, Problem};
