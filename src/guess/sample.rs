//! What sampled records hold, field by field.

use crate::record::{Records, Stream};

/// The values of a stream's fields in some records.
#[derive(Debug)]
pub(super) struct Samples {
    record_count: usize,
    /// Per field of the stream, the values that are not blank, in the order of the records.
    values: Vec<Vec<String>>,
}

impl Samples {
    /// The values of `records` by the stream's fields.
    pub(super) fn of(stream: &Stream, records: &Records) -> Samples {
        let column = |name: &String| records.fields().iter().position(|delivered| delivered == name);
        let values_of = |at: usize| {
            let values = (0..records.len()).filter_map(|row| records.value(row, at));
            values.filter(|value| !value.trim().is_empty()).map(str::to_owned).collect()
        };
        let values = stream.fields.iter().map(|field| column(&field.name).map(values_of).unwrap_or_default());
        Samples { record_count: records.len(), values: values.collect() }
    }

    /// The values of the field at that place in the stream.
    pub(super) fn values(&self, field: usize) -> &[String] {
        self.values.get(field).map_or(&[], Vec::as_slice)
    }

    /// Whether there were records, and none had a value.
    pub(super) fn is_blank(&self, field: usize) -> bool {
        self.record_count > 0 && self.values(field).is_empty()
    }

    /// The different values, in the order in which they first came.
    pub(super) fn distinct(&self, field: usize) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        self.values(field).iter().map(String::as_str).filter(|value| seen.insert(*value)).collect()
    }
}
