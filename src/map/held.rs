//! Values that could not be converted, kept with all that is needed to mend and replay them.

use crate::config::Place;

/// One value of one record that could not be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldField {
    /// The record's row in the batch.
    pub row: usize,
    /// The variable it was for; `where`, `effective.from` or `effective.to` for those parts of a mapping.
    pub variable: String,
    /// The field, or the fields that the expression reads with commas between.
    pub field: String,
    /// The field's value; of an expression, `name=value` of all its fields with semicolons between. It is
    /// data of a customer: kept in the held table, never logged.
    pub raw: String,
    /// A stable word to count and filter by.
    pub reason_code: &'static str,
    /// What is wrong and what is accepted; does not repeat the value.
    pub reason: String,
    /// Where the mapping says it.
    pub place: Place,
}
