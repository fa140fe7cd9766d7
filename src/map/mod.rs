//! 3. Text to typed variables by declarative mappings.

pub mod model;

pub use model::{Effective, FullMapping, MappingConfig, VariableMapping};
