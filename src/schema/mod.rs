//! The unified schema: entities, their variables, and the types that text is converted to.

pub mod fiscal;
pub mod model;
pub mod read_as;
pub mod types;

pub use fiscal::{FirstOrLast, FiscalPart, FiscalYear};
pub use model::{Aggregate, Better, EntityConfig, FromConfig, Label, VariableConfig, VariableType};
pub use read_as::ReadAs;
