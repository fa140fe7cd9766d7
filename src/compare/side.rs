//! One of the two states, opened for comparing: typed columns, rows in order of customer id, and what a
//! missing row means.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt8Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType, UInt8Type,
};

use super::model::Value;
use super::number::Decimal;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{VariableConfig, VariableType};
use crate::snapshot::{Cell, Coverage, State};

/// Whether a customer is there at an instant (semantics G1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// There is a row, and we know how it was.
    Present,
    /// Known not to be there.
    Absent,
    /// We cannot say, and why.
    Unknown(Cell),
}

/// What one cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// There is a value, in that row of the column.
    Value(usize),
    /// There is a customer, known to have none.
    Empty,
    /// There is no customer.
    Absent,
    /// We cannot say, and why.
    Unknown(Cell),
}

/// The customers of a state.
#[derive(Debug)]
pub(super) struct Side<'a> {
    state: &'a State,
    /// Customer ids, strictly rising.
    pub(super) ids: StringArray,
    coverage: Vec<Coverage>,
    /// Whether each row's customer is there.
    presence: Vec<Presence>,
    /// A column per compared variable, in their order.
    pub(super) columns: Vec<Column>,
    /// `source/stream#` of each stream of customers, and whether it was ever read completely.
    streams: Vec<(String, bool)>,
}

/// A variable's column with what is known of each cell and where each value comes from.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) values: Values,
    pub(super) cells: Vec<Cell>,
    pub(super) sources: StringArray,
    /// For an enum: its values in order.
    pub(super) choices: Vec<String>,
}

/// A typed column.
#[derive(Debug)]
pub(super) enum Values {
    Text(StringArray),
    Integer(Int64Array),
    Decimal(Decimal128Array, u8),
    Boolean(BooleanArray),
    Date(Date32Array),
    Instant(TimestampMicrosecondArray),
}

/// Opens the customers of two states with a column for each of `variables`.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when neither state has customers, [`ErrorKind::Corrupt`] when one is not as
/// [`State`] promises (a column is missing or of another type than on the other side, ids are not sorted or
/// occur twice, a cell's number has no meaning).
pub(super) fn open_both<'a>(a: &'a State, b: &'a State, variables: &[VariableConfig]) -> Result<(Side<'a>, Side<'a>)> {
    let rows = |state: &'a State| state.entities.get("customer");
    let Some(schema) = rows(a).or(rows(b)).map(RecordBatch::schema) else {
        return Err(Error::new(ErrorKind::NotFound, "there are no customers to compare")
            .help("write a mapping with `entity: customer`, and run `nenrin sync`"));
    };
    let none = RecordBatch::new_empty(schema);
    let a = Side::open(a, rows(a).unwrap_or(&none), variables)?;
    let b = Side::open(b, rows(b).unwrap_or(&none), variables)?;
    for (variable, (before, after)) in variables.iter().zip(a.columns.iter().zip(&b.columns)) {
        if !before.values.same_type(&after.values) {
            return Err(Error::new(ErrorKind::Corrupt, "the two states hold a variable in different types")
                .with("variable", &variable.name)
                .help("delete the kept snapshots; they are computed again from the log"));
        }
    }
    Ok((a, b))
}

impl<'a> Side<'a> {
    fn open(state: &'a State, batch: &RecordBatch, variables: &[VariableConfig]) -> Result<Self> {
        let streams = state.streams.iter().filter(|stream| stream.entity == "customer");
        let streams = streams.map(|known| {
            let read = known.first_complete_at.is_some() && known.complete_through.is_some();
            (format!("{}#", known.stream), read)
        });
        let streams = streams.collect();
        let ids = text_column(batch, "customer_id")?;
        let sorted = (1..ids.len()).all(|row| ids.value(row - 1) < ids.value(row));
        if ids.null_count() > 0 || !sorted {
            return Err(corrupt("customer ids are not sorted, or one is missing or doubled", state));
        }
        let numbers = number_column(batch, "_coverage")?;
        let coverage: Option<Vec<Coverage>> =
            numbers.values().iter().map(|number| Coverage::from_u8(*number)).collect();
        let coverage = coverage.ok_or_else(|| corrupt("a coverage number has no meaning", state))?;
        let columns: Vec<Column> =
            variables.iter().map(|variable| Column::open(batch, variable, state)).collect::<Result<_>>()?;
        let presence = coverage.iter().enumerate().map(|(row, coverage)| presence(*coverage, &columns, row)).collect();
        Ok(Side { state, ids, coverage, presence, columns, streams })
    }

    /// The state this shows.
    pub(super) fn state(&self) -> &'a State {
        self.state
    }

    /// How each row is known.
    pub(super) fn coverage(&self) -> &[Coverage] {
        &self.coverage
    }

    /// Whether each row's customer is there.
    pub(super) fn presence(&self) -> &[Presence] {
        &self.presence
    }

    /// What it means that this side has no row for the customer of `row` on the other side.
    ///
    /// A state has a row for every customer that may have been there, of unknown coverage if need be; so a
    /// missing row means absence, where its streams were read at all: every stream that the other side's row
    /// takes a value from (all streams of customers, where it takes none) must have been read completely at
    /// least once. Otherwise nobody looked, and the customer is unknown (semantics G1, J1).
    pub(super) fn missing(&self, other: &Side<'_>, row: usize) -> Presence {
        let mut named = false;
        for column in &other.columns {
            if column.sources.is_null(row) {
                continue;
            }
            named = true;
            let source = column.sources.value(row);
            let read = self.streams.iter().any(|(stream, read)| *read && source.starts_with(stream.as_str()));
            if !read {
                return Presence::Unknown(Cell::NotRead);
            }
        }
        if !named && self.streams.iter().any(|(_, read)| !read) {
            return Presence::Unknown(Cell::NotRead);
        }
        Presence::Absent
    }

    /// What the column says of a customer: `row` is there where the state has one.
    pub(super) fn known(&self, column: usize, row: Option<usize>, presence: Presence) -> Known {
        match (presence, row) {
            (Presence::Absent, _) => Known::Absent,
            (Presence::Present, Some(row)) => match self.columns[column].cells[row] {
                Cell::Value => Known::Value(row),
                Cell::Empty | Cell::NoSource => Known::Empty,
                unknown => Known::Unknown(unknown),
            },
            (Presence::Unknown(reason), Some(row)) => match self.columns[column].cells[row] {
                cell if cell.is_unknown() => Known::Unknown(cell),
                _ => Known::Unknown(reason),
            },
            (Presence::Unknown(reason), None) => Known::Unknown(reason),
            (Presence::Present, None) => Known::Unknown(Cell::NotRead),
        }
    }
}

/// Whether the customer of `row` is there; a row of unknown coverage takes the reason of its first unknown cell.
fn presence(coverage: Coverage, columns: &[Column], row: usize) -> Presence {
    if coverage != Coverage::Unknown {
        return Presence::Present;
    }
    let mut cells = columns.iter().map(|column| column.cells[row]);
    Presence::Unknown(cells.find(|cell| cell.is_unknown()).unwrap_or(Cell::NotRead))
}

impl Column {
    fn open(batch: &RecordBatch, variable: &VariableConfig, state: &State) -> Result<Self> {
        let name = variable.name.as_str();
        let values = Values::of(find(batch, name)?, variable)?;
        let cells = number_column(batch, &format!("{name}$cell"))?;
        let sources = text_column(batch, &format!("{name}$source"))?;
        let cells: Option<Vec<Cell>> = cells.values().iter().map(|number| Cell::from_u8(*number)).collect();
        let array = values.array();
        let sound = |cells: &Vec<Cell>| {
            array.null_count() == 0
                || cells.iter().enumerate().all(|(row, cell)| *cell != Cell::Value || array.is_valid(row))
        };
        let cells = cells.filter(sound).ok_or_else(|| {
            corrupt("a cell says that it has a value and has none, or its number has no meaning", state)
                .with("variable", name)
        })?;
        let choices = if variable.r#type == VariableType::Enum { variable.values.clone() } else { Vec::new() };
        Ok(Column { values, cells, sources, choices })
    }

    /// `source/stream` of the record that the value comes from; a stream's name may itself hold a `#`, so the
    /// text is cut at the end of the longest `source/stream#` that the state knows.
    pub(super) fn stream<'s>(&'s self, side: &Side<'_>, row: usize) -> Option<&'s str> {
        if self.sources.is_null(row) {
            return None;
        }
        let source = self.sources.value(row);
        let known = side.streams.iter().filter(|(stream, _)| source.starts_with(stream.as_str()));
        let end = known.map(|(stream, _)| stream.len() - 1).max().or_else(|| source.find('#')).unwrap_or(source.len());
        source.get(..end)
    }
}

impl Values {
    fn of(array: &ArrayRef, variable: &VariableConfig) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8 => Values::Text(array.as_string::<i32>().clone()),
            DataType::Int64 => Values::Integer(array.as_primitive::<Int64Type>().clone()),
            DataType::Decimal128(_, scale) => Values::Decimal(
                array.as_primitive::<Decimal128Type>().clone(),
                u8::try_from(*scale).map_err(|error| wrong_type(&variable.name, array).caused_by(error))?,
            ),
            DataType::Boolean => Values::Boolean(array.as_boolean().clone()),
            DataType::Date32 => Values::Date(array.as_primitive::<Date32Type>().clone()),
            DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Microsecond, _) => {
                Values::Instant(array.as_primitive::<TimestampMicrosecondType>().clone())
            }
            // What a Parquet reader makes of text, depending on its settings.
            DataType::Utf8View | DataType::LargeUtf8 | DataType::Dictionary(_, _) => {
                Values::Text(as_text(array, &variable.name)?)
            }
            _ => return Err(wrong_type(&variable.name, array)),
        })
    }

    fn array(&self) -> &dyn Array {
        match self {
            Values::Text(array) => array,
            Values::Integer(array) => array,
            Values::Decimal(array, _) => array,
            Values::Boolean(array) => array,
            Values::Date(array) => array,
            Values::Instant(array) => array,
        }
    }

    /// The value in `row`, which has one.
    pub(super) fn get(&self, row: usize) -> Value {
        match self {
            Values::Text(array) => Value::Text(array.value(row).to_owned()),
            Values::Integer(array) => Value::Integer(array.value(row)),
            Values::Decimal(array, scale) => Value::Decimal(Decimal::new(array.value(row), *scale)),
            Values::Boolean(array) => Value::Boolean(array.value(row)),
            Values::Date(array) => Value::date(array.value(row)),
            Values::Instant(array) => Value::Instant(crate::clock::Timestamp::from_micros(array.value(row))),
        }
    }

    /// The number in `row`, at the column's scale; none for columns that are no numbers.
    pub(super) fn number(&self, row: usize) -> Option<i128> {
        match self {
            Values::Integer(array) => Some(i128::from(array.value(row))),
            Values::Decimal(array, _) => Some(array.value(row)),
            _ => None,
        }
    }

    /// How many places its numbers have; none for columns that are no numbers.
    pub(super) fn scale(&self) -> Option<u8> {
        match self {
            Values::Integer(_) => Some(0),
            Values::Decimal(_, scale) => Some(*scale),
            _ => None,
        }
    }

    /// Whether values of the two columns can be laid side by side.
    pub(super) fn same_type(&self, other: &Values) -> bool {
        self.scale() == other.scale() && std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

fn find<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, "the state of a period lacks a column")
            .with("column", name)
            .help("delete the kept snapshot; it is computed again from the log")
    })
}

fn text_column(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    as_text(find(batch, name)?, name)
}

fn as_text(array: &ArrayRef, name: &str) -> Result<StringArray> {
    if let Some(array) = array.as_string_opt::<i32>() {
        return Ok(array.clone());
    }
    let text = cast(array, &DataType::Utf8).map_err(|error| wrong_type(name, array).caused_by(error))?;
    Ok(text.as_string::<i32>().clone())
}

fn number_column(batch: &RecordBatch, name: &str) -> Result<UInt8Array> {
    let array = find(batch, name)?;
    let numbers = array.as_primitive_opt::<UInt8Type>().filter(|numbers| numbers.null_count() == 0);
    numbers.cloned().ok_or_else(|| wrong_type(name, array))
}

fn wrong_type(name: &str, array: &ArrayRef) -> Error {
    Error::new(ErrorKind::Corrupt, "a column of the state of a period has the wrong type")
        .with("column", name)
        .with("type", array.data_type())
        .help("delete the kept snapshot; it is computed again from the log")
}

fn corrupt(message: &str, state: &State) -> Error {
    Error::new(ErrorKind::Corrupt, message)
        .with("state", state.at)
        .help("delete the kept snapshot; it is computed again from the log")
}
