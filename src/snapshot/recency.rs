//! Since when a record's value has been what it is (semantics K3).
//!
//! A record's version changes with any of its fields. Whose value of a variable is the more recent one is asked of
//! the value: a telephone number that was corrected yesterday makes no one's plan more recent. Only records that
//! compete for a variable are looked at, and their histories are read in one go.

use std::collections::{BTreeMap, HashMap, HashSet};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::model::StreamModel;
use super::renamed::{fields_to_read, under_new_names};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::log::{Wanted, key_hash, system};
use crate::map::run;
use crate::schema::types::format_cell;

/// Key → per variable of the mapping, since when its value has been what it is.
pub(crate) type Since = HashMap<String, Vec<Timestamp>>;

/// A version of a record, as far as it matters here.
#[derive(Debug, Clone)]
struct Link {
    valid_from: i64,
    seq: i64,
    alive: bool,
    /// The values of the mapping's variables, as texts.
    values: Vec<Option<String>>,
}

/// Follows the values of `keys` up to the instant `at`, as known at `known_at`.
pub(crate) async fn since_when(
    model: &StreamModel,
    keys: &HashSet<&str>,
    at: Timestamp,
    known_at: Timestamp,
) -> Result<Since> {
    const SYSTEM: usize = 4;
    let hashes: HashSet<u128> = keys.iter().map(|key| key_hash(key)).collect();
    let wanted = Wanted {
        system: vec![system::KEY, system::VALID_FROM, system::SEQ, system::OP],
        fields: fields_to_read(model),
    };
    let versions = model.log.versions_of(&hashes, at, known_at).await?;
    let mut chains: BTreeMap<String, Vec<Link>> = BTreeMap::new();
    for file in 0..versions.file_count() {
        let Some(batch) = versions.read(&model.log, file, &wanted).await? else { continue };
        let batch = under_new_names(model, batch, 1)?;
        let fields: Vec<usize> = (SYSTEM..batch.num_columns()).collect();
        let values = batch.project(&fields).map_err(|error| {
            crate::error::Error::new(crate::error::ErrorKind::Internal, "could not project fields").caused_by(error)
        })?;
        let mapped = run(&model.mapping, &values, at)?;
        let key = batch.column(0).as_string::<i32>();
        let valid_from = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let seq = batch.column(2).as_primitive::<Int64Type>();
        let op = batch.column(3).as_string::<i32>();
        for row in 0..batch.num_rows() {
            let values = mapped
                .columns
                .iter()
                .map(|column| column.is_valid(row).then(|| format_cell(&**column, row)).flatten())
                .collect();
            let link = Link {
                valid_from: valid_from.value(row),
                seq: seq.value(row),
                alive: op.value(row) == "upsert",
                values,
            };
            chains.entry(key.value(row).to_owned()).or_default().push(link);
        }
    }
    Ok(chains.into_iter().map(|(key, chain)| (key, follow(chain, model.mapping.variables.len()))).collect())
}

/// Walks a chain in its order: a value begins anew when it differs from the one before, or the record returns.
fn follow(mut chain: Vec<Link>, width: usize) -> Vec<Timestamp> {
    chain.sort_by_key(|link| (link.valid_from, link.seq));
    let mut since = vec![Timestamp::MIN; width];
    let mut before: Option<Vec<Option<String>>> = None;
    for Link { valid_from, alive, values, .. } in chain {
        if !alive {
            before = None;
            continue;
        }
        for (column, value) in values.iter().enumerate() {
            if before.as_ref().is_none_or(|before| before[column] != *value) {
                since[column] = Timestamp::from_micros(valid_from);
            }
        }
        before = Some(values);
    }
    since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k3_a_value_is_as_recent_as_its_own_last_change() {
        let link = |valid_from, alive, values: [&str; 2]| Link {
            valid_from,
            seq: valid_from,
            alive,
            values: values.map(|value| Some(value.to_owned())).to_vec(),
        };
        let follow = |chain: &[Link]| follow(chain.to_vec(), 2).into_iter().map(Timestamp::micros).collect::<Vec<_>>();
        let chain = vec![link(5, true, ["b", "x"]), link(1, true, ["a", "x"]), link(9, true, ["b", "x"])];
        assert_eq!(follow(&chain), [5, 1]);
        let returned = [chain, vec![link(10, false, ["b", "x"]), link(11, true, ["b", "x"])]].concat();
        assert_eq!(follow(&returned), [11, 11]);
    }
}
