//! The columns of a log: the system columns and the registry of its fields.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType as ArrowType, Field as ArrowField, TimeUnit};
use deltalake::kernel::{DataType, PrimitiveType, StructField, StructType};

use super::names::{FIELD_NAME_KEY, column_name, fold, unescape};
use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// The key under which a column's metadata keeps how the field changes, as it was when first seen.
const FIELD_CLASS_KEY: &str = "nenrin.class";

/// The names of the system columns, in table order.
pub mod system {
    #![allow(missing_docs)]
    pub const KEY: &str = "_key";
    pub const VALID_FROM: &str = "_valid_from";
    pub const STAMP: &str = "_stamp";
    pub const OBSERVED_AT: &str = "_observed_at";
    pub const RECORDED_AT: &str = "_recorded_at";
    pub const CREATED_AT: &str = "_created_at";
    pub const SEQ: &str = "_seq";
    pub const OP: &str = "_op";
    pub const DELETE_KIND: &str = "_delete_kind";
    pub const WINNER: &str = "_winner";
    pub const HASH: &str = "_hash";
    pub const RUN_ID: &str = "_run_id";
    /// All of them, in table order.
    pub const ALL: [&str; 12] =
        [KEY, VALID_FROM, STAMP, OBSERVED_AT, RECORDED_AT, CREATED_AT, SEQ, OP, DELETE_KIND, WINNER, HASH, RUN_ID];
}

const SYSTEM: [(&str, PrimitiveType, bool); 12] = [
    (system::KEY, PrimitiveType::String, false),
    (system::VALID_FROM, PrimitiveType::Timestamp, false),
    (system::STAMP, PrimitiveType::Timestamp, true),
    (system::OBSERVED_AT, PrimitiveType::Timestamp, false),
    (system::RECORDED_AT, PrimitiveType::Timestamp, false),
    (system::CREATED_AT, PrimitiveType::Timestamp, true),
    (system::SEQ, PrimitiveType::Long, false),
    (system::OP, PrimitiveType::String, false),
    (system::DELETE_KIND, PrimitiveType::String, true),
    (system::WINNER, PrimitiveType::String, true),
    (system::HASH, PrimitiveType::Binary, false),
    (system::RUN_ID, PrimitiveType::String, false),
];

/// The system columns whose statistics are kept in the Delta log; never the key, never a field, so that no
/// value of a person lies in the clear in `_delta_log`.
pub(super) const STATISTICS: &str = "_valid_from,_stamp,_observed_at,_recorded_at,_created_at,_seq";

/// The Arrow type of a timestamp column: microseconds, UTC.
pub fn timestamp_type() -> ArrowType {
    ArrowType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// The system columns as Arrow fields, in table order.
pub(crate) fn system_fields() -> Vec<ArrowField> {
    SYSTEM
        .iter()
        .map(|(name, kind, nullable)| {
            let kind = match kind {
                PrimitiveType::Timestamp => timestamp_type(),
                PrimitiveType::Long => ArrowType::Int64,
                PrimitiveType::Binary => ArrowType::Binary,
                _ => ArrowType::Utf8,
            };
            ArrowField::new(*name, kind, *nullable)
        })
        .collect()
}

/// The fields a log has columns for, in the order they were first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// `(field as the source names it, column, class)`.
    fields: Vec<(String, String, FieldClass)>,
    by_field: HashMap<String, usize>,
}

impl Columns {
    /// The registry as it stands in a table's schema.
    pub(super) fn of_schema(schema: &StructType) -> Columns {
        let mut columns = Columns::default();
        for field in schema.fields() {
            if SYSTEM.iter().any(|(name, ..)| *name == field.name()) {
                continue;
            }
            let own_name = match field.metadata().get(FIELD_NAME_KEY) {
                Some(value) => match serde_json::to_value(value) {
                    Ok(serde_json::Value::String(name)) => name,
                    _ => field.name().clone(),
                },
                None => unescape(field.name()).unwrap_or_else(|| field.name().clone()),
            };
            let class = field
                .metadata()
                .get(FIELD_CLASS_KEY)
                .and_then(|value| serde_json::to_value(value).ok())
                .and_then(|value| serde_json::from_value(value).ok())
                .unwrap_or(FieldClass::Business);
            columns.push(own_name, field.name().clone(), class);
        }
        columns
    }

    fn push(&mut self, field: String, column: String, class: FieldClass) {
        self.by_field.insert(field.clone(), self.fields.len());
        self.fields.push((field, column, class));
    }

    /// How `field` changes, as it was when it was first seen.
    pub fn class_of(&self, field: &str) -> Option<FieldClass> {
        self.by_field.get(field).map(|index| self.fields[*index].2)
    }

    /// The fields as the source names them, in column order.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(field, ..)| field.as_str())
    }

    /// The column that holds `field`.
    pub fn column_of(&self, field: &str) -> Option<&str> {
        self.by_field.get(field).map(|index| self.fields[*index].1.as_str())
    }

    /// Whether there is a column for `field`.
    pub fn contains(&self, field: &str) -> bool {
        self.by_field.contains_key(field)
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// This registry with columns for those of `fields` that it lacks; `None` when it lacks none.
    pub(super) fn extended<'a>(&self, fields: impl Iterator<Item = (&'a str, FieldClass)>) -> Option<Columns> {
        let mut columns = self.clone();
        let mut taken: HashSet<String> = SYSTEM
            .iter()
            .map(|(name, ..)| fold(name))
            .chain(self.fields.iter().map(|(_, column, _)| fold(column)))
            .collect();
        for (field, class) in fields {
            if !columns.contains(field) {
                columns.push(field.to_owned(), column_name(field, &mut taken), class);
            }
        }
        (columns.len() > self.len()).then_some(columns)
    }

    /// The table schema with these columns.
    pub(super) fn to_schema(&self) -> Result<StructType> {
        let system = SYSTEM
            .iter()
            .map(|(name, kind, nullable)| StructField::new(*name, DataType::Primitive(kind.clone()), *nullable));
        let fields = self.fields.iter().map(|(field, column, class)| {
            let class = serde_json::to_value(class).ok().and_then(|value| value.as_str().map(str::to_owned));
            StructField::new(column.clone(), DataType::STRING, true).with_metadata([
                (FIELD_NAME_KEY.to_owned(), field.clone()),
                (FIELD_CLASS_KEY.to_owned(), class.unwrap_or_default()),
            ])
        });
        StructType::try_new(system.chain(fields)).map_err(|error| {
            Error::new(ErrorKind::Internal, "the columns of a log do not make a schema").caused_by(error)
        })
    }
}
