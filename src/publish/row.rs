//! The rows of a state, as a published table holds them.

use datafusion::arrow::array::{
    Array, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt8Array,
};
use datafusion::arrow::datatypes::DataType;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{DbBackend, Value};
use xxhash_rust::xxh3::Xxh3;

use super::column::{CUSTOMER_ID, Column, Layout, RECORD_ID, SqlType};
use super::decimal;
use crate::clock::Timestamp;
use crate::control::text::storable;
use crate::error::{Error, ErrorKind, Result};
use crate::snapshot::{Cell, Coverage};

/// The rows of one entity, column by column.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    count: usize,
    key: Option<&'a StringArray>,
    customer: Option<&'a StringArray>,
    coverage: Option<&'a UInt8Array>,
    variables: Vec<Variable<'a>>,
}

/// The values of one variable and what is known of them.
#[derive(Debug)]
struct Variable<'a> {
    column: &'a Column,
    values: Values<'a>,
    cells: &'a UInt8Array,
}

#[derive(Debug)]
enum Values<'a> {
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8),
    Boolean(&'a BooleanArray),
    Date(&'a Date32Array),
    Datetime(&'a TimestampMicrosecondArray),
}

impl<'a> Rows<'a> {
    /// The rows of `batch` for the columns of `layout`; none without a batch.
    pub(super) fn of(layout: &'a Layout, batch: Option<&'a RecordBatch>) -> Result<Self> {
        let Some(batch) = batch else {
            return Ok(Rows { count: 0, key: None, customer: None, coverage: None, variables: Vec::new() });
        };
        let mut variables = Vec::with_capacity(layout.columns.len());
        for column in &layout.columns {
            variables.push(Variable {
                column,
                values: Values::of(column, batch)?,
                cells: array(batch, &format!("{}$cell", column.name))?,
            });
        }
        Ok(Rows {
            count: batch.num_rows(),
            key: Some(array(batch, if layout.has_customer_column() { RECORD_ID } else { CUSTOMER_ID })?),
            customer: layout.has_customer_column().then(|| array(batch, CUSTOMER_ID)).transpose()?,
            coverage: Some(array(batch, super::column::COVERAGE)?),
            variables,
        })
    }

    /// How many rows there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The primary key of a row.
    pub(super) fn key(&self, row: usize) -> Result<&'a str> {
        let key = self.key.filter(|key| key.is_valid(row)).map(|key| key.value(row));
        key.ok_or_else(|| Error::new(ErrorKind::Internal, "a row of the state has no key").with("row", row))
    }

    /// A digest of all that the row holds. Nulls count for nothing, so that a new column without a value
    /// leaves the row as it is.
    pub(super) fn hash(&self, row: usize) -> Result<String> {
        let mut hasher = Xxh3::new();
        let mut add = |name: &str, text: &str| {
            for part in [name, text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        };
        add("key", self.key(row)?);
        add("customer", self.customer(row).unwrap_or_default());
        add("coverage", self.coverage(row)?.as_str());
        add("unknown", &self.unknown(row)?.unwrap_or_default());
        for variable in &self.variables {
            if let Some(text) = variable.values.text(row) {
                add(&variable.column.name, &text);
            }
        }
        Ok(format!("{:032x}", hasher.digest128()))
    }

    /// All values of a row, in the order of [`super::write::column_names`].
    pub(super) fn values(&self, row: usize, hash: &str, backend: DbBackend) -> Result<Vec<Expr>> {
        let mut values = vec![text_value(Some(self.key(row)?))];
        if self.customer.is_some() {
            values.push(text_value(self.customer(row)));
        }
        for variable in &self.variables {
            values.push(variable.values.expr(row, backend)?);
        }
        values.push(text_value(Some(self.coverage(row)?.as_str())));
        values.push(text_value(self.unknown(row)?.as_deref()));
        values.push(text_value(Some(hash)));
        Ok(values)
    }

    fn customer(&self, row: usize) -> Option<&'a str> {
        self.customer.filter(|customer| customer.is_valid(row)).map(|customer| customer.value(row))
    }

    fn coverage(&self, row: usize) -> Result<Coverage> {
        let coverage = self.coverage.and_then(|coverage| Coverage::from_u8(coverage.value(row)));
        coverage.ok_or_else(|| Error::new(ErrorKind::Corrupt, "a row of the state has no coverage").with("row", row))
    }

    /// The variables whose value is not known, comma-separated.
    fn unknown(&self, row: usize) -> Result<Option<String>> {
        let mut names = Vec::new();
        for variable in &self.variables {
            let cell = Cell::from_u8(variable.cells.value(row)).ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "a cell of the state cannot be read")
                    .with("variable", &variable.column.name)
                    .with("row", row)
            })?;
            if cell.is_unknown() {
                names.push(variable.column.name.as_str());
            }
        }
        Ok((!names.is_empty()).then(|| names.join(",")))
    }
}

impl<'a> Values<'a> {
    fn of(column: &Column, batch: &'a RecordBatch) -> Result<Self> {
        let name = &column.name;
        Ok(match column.sql_type {
            SqlType::Text => Values::Text(array(batch, name)?),
            SqlType::Integer => Values::Integer(array(batch, name)?),
            SqlType::Decimal(scale) => Values::Decimal(array(batch, name)?, scale),
            SqlType::Boolean => Values::Boolean(array(batch, name)?),
            SqlType::Date => Values::Date(array(batch, name)?),
            SqlType::Datetime => Values::Datetime(array(batch, name)?),
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Values::Text(values) => values.is_null(row),
            Values::Integer(values) => values.is_null(row),
            Values::Decimal(values, _) => values.is_null(row),
            Values::Boolean(values) => values.is_null(row),
            Values::Date(values) => values.is_null(row),
            Values::Datetime(values) => values.is_null(row),
        }
    }

    /// The value in one way only, with its type in front; `None` when it is null.
    fn text(&self, row: usize) -> Option<String> {
        if self.is_null(row) {
            return None;
        }
        Some(match self {
            Values::Text(values) => format!("s{}", values.value(row)),
            Values::Integer(values) => format!("i{}", values.value(row)),
            Values::Decimal(values, scale) => format!("n{scale}:{}", decimal::plain(values.value(row), *scale)),
            Values::Boolean(values) => format!("b{}", values.value(row)),
            Values::Date(values) => format!("d{}", values.value(row)),
            Values::Datetime(values) => format!("t{}", values.value(row)),
        })
    }

    /// The value as the database takes it.
    fn expr(&self, row: usize, backend: DbBackend) -> Result<Expr> {
        let on_sqlite = backend == DbBackend::Sqlite;
        let null = self.is_null(row);
        Ok(match self {
            Values::Text(values) => text_value((!null).then(|| values.value(row))),
            Values::Integer(values) => Expr::val((!null).then(|| values.value(row))),
            Values::Boolean(values) => Expr::val((!null).then(|| values.value(row))),
            Values::Decimal(values, scale) if on_sqlite => {
                Expr::val(if null { Value::BigInt(None) } else { decimal::for_sqlite(values.value(row), *scale) })
            }
            Values::Decimal(values, scale) => {
                Expr::val((!null).then(|| decimal::plain(values.value(row), *scale))).cast_as("numeric")
            }
            Values::Date(values) => {
                let date = if null { None } else { Some(date(values.value(row))?) };
                if on_sqlite { Expr::val(date.map(|date| date.to_string())) } else { Expr::val(date) }
            }
            Values::Datetime(values) => {
                let instant = (!null).then(|| Timestamp::from_micros(values.value(row)).to_datetime());
                if on_sqlite {
                    Expr::val(instant.map(|instant| instant.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()))
                } else {
                    Expr::val(instant)
                }
            }
        })
    }
}

fn text_value(text: Option<&str>) -> Expr {
    Expr::val(text.map(|text| storable(text).into_owned()))
}

fn date(days: i32) -> Result<chrono::NaiveDate> {
    chrono::NaiveDate::from_epoch_days(days)
        .ok_or_else(|| Error::new(ErrorKind::BadData, "a date lies outside the calendar").with("days", days))
}

/// The column of that name, of the type that the state's layout promises.
fn array<'a, A: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a A> {
    let column = batch.column_by_name(name).ok_or_else(|| {
        Error::new(ErrorKind::Internal, "the state lacks a column of a variable").with("column", name)
    })?;
    column.as_any().downcast_ref::<A>().ok_or_else(|| {
        let found: &DataType = column.data_type();
        Error::new(ErrorKind::Internal, "a column of the state has another type than its variable")
            .with("column", name)
            .with("found", found)
    })
}
