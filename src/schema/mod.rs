//! The unified schema: entities, their variables, and the types that text is converted to.

pub mod model;
pub mod types;

pub use model::{Aggregate, Better, EntityConfig, FromConfig, Label, VariableConfig, VariableType};
