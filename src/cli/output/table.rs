//! A small table that a command fills by hand.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema};

use super::grid::{self, Align, Look};
use crate::clock::Timestamp;
use crate::compare::decimal_text;
use crate::error::{Error, ErrorKind, Result};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// An exact number with that many decimal places.
    Decimal(u8),
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Instant,
}

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What programs call it.
    pub name: String,
    /// What people read above it.
    pub label: String,
    /// Where its values stand.
    pub align: Align,
    /// What its values are.
    pub kind: Kind,
}

impl Column {
    /// A column whose label is its name; numbers stand right.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        let name = name.into();
        let align = if matches!(kind, Kind::Integer | Kind::Decimal(_)) { Align::Right } else { Align::Left };
        Column { label: name.clone(), name, align, kind }
    }

    /// The same column with what people read above it.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
}

/// A value of a [`Table`]; it is of its column's kind or null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// No value.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// That number without its point; the column says how many places it has.
    Decimal(i128),
    /// True or false.
    Boolean(bool),
    /// A day.
    Date(NaiveDate),
    /// An instant.
    Instant(Timestamp),
}

impl Cell {
    /// Text, or null.
    pub fn text(value: Option<impl Into<String>>) -> Self {
        value.map_or(Cell::Null, |value| Cell::Text(value.into()))
    }

    /// A count.
    pub fn count(value: impl TryInto<i64>) -> Self {
        Cell::Integer(value.try_into().unwrap_or(i64::MAX))
    }
}

/// A small table: every row has a cell per column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The columns in the order shown.
    pub columns: Vec<Column>,
    /// The rows in the order shown.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table of these columns.
    pub fn new(columns: Vec<Column>) -> Self {
        Table { columns, rows: Vec::new() }
    }

    /// Adds a row, a cell per column.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// The table that people see.
    pub fn draw(&self, look: Look) -> Result<String> {
        let columns: Vec<_> = self.columns.iter().map(|column| (column.label.clone(), column.align)).collect();
        let rows = self.checked_rows()?.map(|row| {
            row.iter().zip(&self.columns).map(|(cell, column)| for_people(cell, column.kind)).collect::<Vec<_>>()
        });
        Ok(grid::draw(&columns, &rows.collect::<Vec<_>>(), look))
    }

    /// The same values in columns, named for programs.
    pub fn to_batch(&self) -> Result<RecordBatch> {
        let rows: Vec<&Vec<Cell>> = self.checked_rows()?.collect();
        let columns: Vec<ArrayRef> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| array(column, rows.iter().map(|row| &row[index])))
            .collect::<Result<_>>()?;
        let fields = self.columns.iter().zip(&columns);
        let fields = fields.map(|(column, array)| Field::new(&column.name, array.data_type().clone(), true));
        RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)
            .map_err(|error| Error::new(ErrorKind::Internal, "a table without columns").caused_by(error))
    }

    fn checked_rows(&self) -> Result<impl Iterator<Item = &Vec<Cell>>> {
        match self.rows.iter().position(|row| row.len() != self.columns.len()) {
            Some(row) => Err(Error::new(ErrorKind::Internal, "a row has not a cell per column").with("row", row)),
            None => Ok(self.rows.iter()),
        }
    }
}

fn for_people(cell: &Cell, kind: Kind) -> String {
    match (cell, kind) {
        (Cell::Null, _) => String::new(),
        (Cell::Text(text), _) => text.clone(),
        (Cell::Integer(number), _) => grid::thousands(&number.to_string()),
        (Cell::Decimal(number), Kind::Decimal(places)) => grid::thousands(&decimal_text(*number, scale(places))),
        (Cell::Decimal(number), _) => grid::thousands(&number.to_string()),
        (Cell::Boolean(value), _) => value.to_string(),
        (Cell::Date(date), _) => date.to_string(),
        (Cell::Instant(instant), _) => instant.to_string(),
    }
}

fn scale(places: u8) -> i8 {
    i8::try_from(places).unwrap_or(i8::MAX)
}

fn array<'a>(column: &Column, cells: impl Iterator<Item = &'a Cell>) -> Result<ArrayRef> {
    // A cell of another kind than its column's is a bug of the command that filled the table.
    macro_rules! values {
        ($variant:path, $value:ident => $convert:expr) => {
            cells
                .map(|cell| match cell {
                    Cell::Null => Ok(None),
                    $variant($value) => Ok(Some($convert)),
                    _ => Err(Error::new(ErrorKind::Internal, "a value of another kind than its column's")
                        .with("column", &column.name)),
                })
                .collect::<Result<Vec<_>>>()?
        };
    }
    Ok(match column.kind {
        Kind::Text => Arc::new(StringArray::from(values!(Cell::Text, text => text.as_str()))),
        Kind::Integer => Arc::new(Int64Array::from(values!(Cell::Integer, number => *number))),
        Kind::Decimal(places) => Arc::new(
            Decimal128Array::from(values!(Cell::Decimal, number => *number))
                .with_data_type(DataType::Decimal128(38, scale(places))),
        ),
        Kind::Boolean => Arc::new(BooleanArray::from(values!(Cell::Boolean, value => *value))),
        Kind::Date => Arc::new(Date32Array::from(values!(Cell::Date, date => date.to_epoch_days()))),
        Kind::Instant => Arc::new(
            TimestampMicrosecondArray::from(values!(Cell::Instant, instant => instant.micros())).with_timezone("UTC"),
        ),
    })
}
