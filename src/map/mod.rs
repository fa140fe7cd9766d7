//! 3. Text to typed variables by declarative mappings.
//!
//! A mapping is compiled once ([`compile`]: everything that can be known without a record is checked, and
//! every problem told with its place), then run over batches ([`run`]). Its expressions are SQL: parsed by
//! sqlparser, typed by us, planned and evaluated by DataFusion. Nothing is coerced that was not asked for,
//! decimals never pass through floating point, and what does not convert is held with its reason.

mod compile;
mod derive;
pub mod diagnostic;
pub mod function;
mod held;
pub mod lookup;
mod lower;
pub mod model;
mod parse;
mod program;
mod run;
mod scope;
mod sql_type;
#[cfg(test)]
mod tests;

pub use compile::{
    CompiledMapping, CompiledRename, CompiledVariable, RefTarget, Settings, StreamFields, compile, compile_custom,
};
pub use derive::{CompiledDerive, DeriveInput, TypedVariable, compile_derives, run_derive};
pub use diagnostic::Places;
pub use held::HeldField;
pub use lookup::Lookups;
pub use model::{Effective, FullMapping, MappingConfig, Renamed, VariableMapping};
pub use run::{MappedBatch, run};
pub(crate) use scope::written;
