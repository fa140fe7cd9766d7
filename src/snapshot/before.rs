//! What facts are needed for: records that existed at an instant and have no version that old, and calculated fields of
//! records that were first read after it (semantics C2).

use std::collections::{HashMap, HashSet};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use super::facts::FactTable;
use super::model::StreamModel;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::log::{Pick, Wanted, Winners, system};
use crate::record::FieldClass;

/// What is known of records from before they were read.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) facts: FactTable,
    /// When the records were first read that were not yet at the instant asked about; none where no fact could tell of a
    /// calculated field.
    pub(super) first_read: HashMap<String, i64>,
}

impl Before {
    /// What there is for `winners`, of the state at `as_of` where that is asked for, as known at an instant.
    pub(super) async fn of(
        model: &StreamModel,
        winners: &Winners,
        as_of: Option<Timestamp>,
        known_at: Timestamp,
    ) -> Result<Before> {
        if model.facts.is_empty() {
            return Ok(Before::default());
        }
        let first_read = match as_of {
            Some(as_of) => first_readings_after(model, as_of, known_at).await?,
            None => HashMap::new(),
        };
        let mut keys: HashSet<String> = first_read.keys().cloned().collect();
        let wanted = Wanted { system: vec![system::KEY], fields: Vec::new() };
        for file in 0..winners.file_count() {
            if let Some(born) = winners.read_born(&model.log, file, &wanted).await? {
                keys.extend(born.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
            }
        }
        let facts = FactTable::load(model, &keys, &model.mapping.fields_used, known_at).await?;
        Ok(Before { facts, first_read })
    }
}

async fn first_readings_after(
    model: &StreamModel,
    as_of: Timestamp,
    known_at: Timestamp,
) -> Result<HashMap<String, i64>> {
    let is_calculated = |field: &String| model.log.columns().class_of(field) == Some(FieldClass::Calculated);
    let mut first_read = HashMap::new();
    if !model.mapping.fields_used.iter().any(is_calculated) {
        return Ok(first_read);
    }
    let wanted = Wanted { system: vec![system::KEY, system::OBSERVED_AT], fields: Vec::new() };
    let first = model.log.winners(Pick::First { known_at }).await?;
    for file in 0..first.file_count() {
        let Some(batch) = first.read(&model.log, file, &wanted).await? else { continue };
        let observed_at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let read = batch.column(0).as_string::<i32>().iter().flatten().zip(observed_at.iter().flatten());
        first_read.extend(read.filter(|(_, at)| *at > as_of.micros()).map(|(key, at)| (key.to_owned(), at)));
    }
    Ok(first_read)
}
