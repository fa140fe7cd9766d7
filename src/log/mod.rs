//! The change log on Delta: append, checkpoint, as-of; the only truth.
//!
//! A log is one Delta table per stream, append-only, one row per version. Beside it lies its [`Ledger`]. Both
//! live in the [`Lake`]; everything else nenrin shows is computed from them.

mod as_of;
mod columns;
mod compact;
mod data_file;
mod durable;
mod incarnations;
mod lake;
mod ledger;
mod names;
mod read;
mod table;

pub(crate) use as_of::{KeyMap, key_hash};
pub use as_of::{Pick, Winners};
pub(crate) use columns::system_fields;
pub use columns::{Columns, system, timestamp_type};
pub use compact::Compacted;
pub use incarnations::{Earlier, Incarnations};
pub use lake::Lake;
pub use ledger::{AbsenceNote, Entry, Ledger, Pass, Span, Statement};
pub use read::Wanted;
pub use table::{DataFile, LogTable, NewVersions};
