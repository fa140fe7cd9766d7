//! Which columns a published table has.

use std::collections::BTreeSet;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use sea_orm::DbBackend;
use sea_orm::sea_query::{ColumnDef, ColumnType};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::published::PublishedTable;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{EntityConfig, Label, VariableConfig, VariableType};

/// The anchor's key, and in other tables the customer a row belongs to.
pub(super) const CUSTOMER_ID: &str = "customer_id";
/// The key of every other entity.
pub(super) const RECORD_ID: &str = "record_id";
/// How a row is known.
pub(super) const COVERAGE: &str = "_coverage";
/// Which variables are unknown in a row.
pub(super) const UNKNOWN: &str = "_unknown";
/// Tells whether a row changed.
pub(super) const ROW_HASH: &str = "_row_hash";

/// The longest name PostgreSQL keeps whole.
const NAME_SIZE_BYTES: usize = 63;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SqlType {
    Text,
    Integer,
    /// Up to 38 digits, so many of them after the point.
    Decimal(u8),
    Boolean,
    Date,
    Datetime,
}

/// A column of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    /// The variable's name.
    pub(super) name: String,
    /// What it holds.
    pub(super) sql_type: SqlType,
    /// What people call it.
    pub(super) label: Option<String>,
}

/// A published table as it should be.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Its name, which is the entity's.
    pub(super) table: String,
    /// What people call it.
    pub(super) label: Option<String>,
    /// The primary key.
    pub(super) key: &'static str,
    /// One column per variable, in order.
    pub(super) columns: Vec<Column>,
}

impl Layout {
    /// The table of `entity`; decimal places are those of `batch`, else of the definitions.
    pub(super) fn of(entity: &EntityConfig, variables: &[VariableConfig], batch: Option<&RecordBatch>) -> Result<Self> {
        let mut names = BTreeSet::from([CUSTOMER_ID, RECORD_ID, COVERAGE, UNKNOWN, ROW_HASH].map(str::to_owned));
        let mut columns = Vec::with_capacity(variables.len());
        for variable in variables {
            if !is_column_name(&variable.name) || !names.insert(variable.name.to_lowercase()) {
                return Err(Error::new(ErrorKind::Config, "a variable's name cannot be that of a column")
                    .with("variable", &variable.name)
                    .help("use another name, of at most 63 letters, digits and `_`, that no other column has"));
            }
            columns.push(Column {
                name: variable.name.clone(),
                sql_type: sql_type(variable, batch),
                label: label(&variable.label),
            });
        }
        if !is_column_name(&entity.name) {
            return Err(Error::new(ErrorKind::Config, "an entity's name cannot be that of a table")
                .help("use at most 63 letters, digits and `_`"));
        }
        let key = if entity.name == "customer" { CUSTOMER_ID } else { RECORD_ID };
        Ok(Layout { table: entity.name.clone(), label: label(&entity.label), key, columns })
    }

    /// Whether rows belong to a customer that is not their key.
    pub(super) fn has_customer_column(&self) -> bool {
        self.key != CUSTOMER_ID
    }
}

impl Column {
    /// The column as its definition says it to the database.
    pub(super) fn definition(&self, backend: DbBackend) -> ColumnDef {
        ColumnDef::new_with_type(self.name.clone(), self.sql_type.column_type(backend))
    }
}

impl SqlType {
    /// The database's own type. SQLite's are chosen for their affinity: numbers compare as numbers, dates and
    /// instants are text that sorts by time.
    pub(super) fn column_type(self, backend: DbBackend) -> ColumnType {
        let on_sqlite = backend == DbBackend::Sqlite;
        match self {
            SqlType::Text => ColumnType::Text,
            SqlType::Integer => ColumnType::BigInteger,
            SqlType::Decimal(scale) => ColumnType::custom(format!("numeric(38, {scale})")),
            SqlType::Boolean => ColumnType::Boolean,
            SqlType::Date => ColumnType::custom("date"),
            SqlType::Datetime if on_sqlite => ColumnType::custom("timestamp"),
            SqlType::Datetime => ColumnType::custom("timestamp with time zone"),
        }
    }
}

/// The columns as kept in the bookkeeping.
pub(super) fn to_json(layout: &Layout) -> Value {
    serde_json::to_value(&layout.columns).expect("columns are plain data")
}

/// Reads them back.
pub(super) fn from_json(table: &PublishedTable) -> Result<Vec<Column>> {
    serde_json::from_value(table.columns.clone()).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "the list of a published table's columns cannot be read")
            .help("drop the table and its row in `published`; it comes back")
            .caused_by(error)
    })
}

fn sql_type(variable: &VariableConfig, batch: Option<&RecordBatch>) -> SqlType {
    let column = batch.and_then(|batch| batch.column_by_name(&variable.name));
    let scale = match column.map(|column| column.data_type()) {
        Some(DataType::Decimal128(_, scale)) => u8::try_from(*scale).unwrap_or(0),
        _ if variable.r#type == VariableType::Money => variable.scale.unwrap_or(0),
        _ => 10,
    };
    match variable.r#type {
        VariableType::Text
        | VariableType::Enum
        | VariableType::Set
        | VariableType::Url
        | VariableType::Email
        | VariableType::Phone
        | VariableType::PostalCode
        | VariableType::CorporateNumber
        | VariableType::Ref => SqlType::Text,
        VariableType::Integer => SqlType::Integer,
        VariableType::Decimal | VariableType::Money | VariableType::Percent => SqlType::Decimal(scale),
        VariableType::Boolean => SqlType::Boolean,
        VariableType::Date => SqlType::Date,
        VariableType::Datetime => SqlType::Datetime,
    }
}

/// `ログイン率 (Login rate)`, or the one that there is.
fn label(label: &Label) -> Option<String> {
    match (&label.ja, &label.en) {
        (Some(ja), Some(en)) => Some(format!("{ja} ({en})")),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    }
}

fn is_column_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_SIZE_BYTES
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
