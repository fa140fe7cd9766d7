//! Records as the log has them now.

use datafusion::arrow::array::{AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take_record_batch};

use crate::clock::Timestamp;
use crate::connect::Few;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{LogTable, Pick, Wanted, system};
use crate::record::{Field, FieldClass};

/// Records of a log.
#[derive(Debug)]
pub struct Stored {
    /// The fields that the log has; their labels are known to the source only.
    pub fields: Vec<Field>,
    /// The keys, in their order.
    pub keys: Vec<String>,
    /// A text column per field; row `i` has the key `keys[i]`.
    pub batch: RecordBatch,
}

/// Reads the living records as of `now`: the first by key, or the one with a key.
///
/// # Errors
///
/// Storage or corrupt when the log cannot be read.
pub async fn read_stored(log: &LogTable, few: Few<'_>, now: Timestamp) -> Result<Stored> {
    let fields: Vec<Field> = log
        .columns()
        .field_names()
        .map(|name| Field::plain(name, "text", log.columns().class_of(name).unwrap_or(FieldClass::Business)))
        .collect();
    let pick = Pick::AsOf { as_of: now, known_at: Timestamp::MAX, first_complete_at: None };
    let winners = log.winners(pick).await?;
    let heads = Wanted { system: vec![system::KEY, system::OP], fields: Vec::new() };
    let mut living: Vec<(String, usize, u32)> = Vec::new();
    for file in 0..winners.file_count() {
        let Some(batch) = winners.read(log, file, &heads).await? else { continue };
        let (keys, ops) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
        for row in 0..batch.num_rows() {
            let key = keys.value(row);
            let is_wanted = !matches!(few, Few::Key(wanted) if wanted != key);
            if is_wanted && ops.value(row) == "upsert" {
                living.push((key.to_owned(), file, u32::try_from(row).unwrap_or(u32::MAX)));
            }
        }
        // Whichever file they lie in, the first by key are shown: only so many need be remembered.
        living.sort_unstable();
        living.truncate(match few {
            Few::First(count) => count.into(),
            Few::Key(_) => 1,
        });
    }
    let wanted = Wanted { system: Vec::new(), fields: fields.iter().map(|field| field.name.clone()).collect() };
    let broken = |error| Error::new(ErrorKind::Internal, "stored records do not make a batch").caused_by(error);
    let mut parts: Vec<RecordBatch> = Vec::new();
    for (_, file, row) in &living {
        if let Some(batch) = winners.read(log, *file, &wanted).await? {
            parts.push(take_record_batch(&batch, &UInt32Array::from(vec![*row])).map_err(broken)?);
        }
    }
    let batch = match parts.first() {
        Some(first) => concat_batches(&first.schema(), &parts).map_err(broken)?,
        None => super::batch_of(&no_stream(&fields), &crate::record::Records::default())?,
    };
    Ok(Stored { fields, keys: living.into_iter().map(|(key, _, _)| key).collect(), batch })
}

fn no_stream(fields: &[Field]) -> crate::record::Stream {
    crate::record::Stream {
        name: String::new(),
        label: None,
        key: Vec::new(),
        stamp: None,
        fields: fields.to_vec(),
        dated: false,
        tells_deletes: false,
    }
}
