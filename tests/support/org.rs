//! What a simulated org says was true, beside what a log says.

use std::collections::BTreeMap;

use nenrin::clock::Timestamp;
use nenrin::connect::canonical;
use serde_json::Value;
use simulators::salesforce::Fields;

use super::app::{Record, TestApp, accounts};

/// Fields of a row, as edits take them.
pub(crate) fn fields(value: Value) -> Fields {
    value.as_object().unwrap().clone()
}

/// A value as a log keeps it.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.strip_suffix("+0000").map_or(text.clone(), |local| format!("{local}Z"))),
        Value::Number(number) => Some(canonical::number(&number.to_string()).into_owned()),
        other => Some(other.to_string()),
    }
}

impl TestApp {
    /// The ids of all accounts that are there, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let rows = self.org().truth("Account").unwrap();
        rows.iter().map(|row| row["Id"].as_str().unwrap().to_owned()).collect()
    }

    /// Fails unless the log of accounts at `instant` is what the org says of that instant, in all business fields
    /// but those in `but`.
    pub(crate) async fn assert_true_at(&self, instant: Timestamp, but: &[&str]) {
        let log = self.records(&accounts(), instant, Timestamp::MAX).await;
        let rows = self.org().truth_at("Account", instant.to_datetime()).unwrap();
        let truth: BTreeMap<&str, &Fields> = rows.iter().map(|row| (row["Id"].as_str().unwrap(), row)).collect();
        for key in truth.keys() {
            assert!(log.contains_key(*key), "at {instant} the log lacks {key}");
        }
        for (key, record) in &log {
            let expected: Record = match truth.get(key.as_str()) {
                Some(row) if row["IsDeleted"] != true => record
                    .as_ref()
                    .map(|record| record.keys().map(|name| (name.clone(), row.get(name).and_then(text))).collect()),
                _ => None,
            };
            let shown = |record: &Record| {
                record.clone().map(|mut record| {
                    record.retain(|name, _| !but.contains(&name.as_str()));
                    record
                })
            };
            let alive = truth.get(key.as_str()).is_some_and(|row| row["IsDeleted"] != true);
            assert_eq!(record.is_some(), alive, "at {instant}, whether {key} is there");
            assert_eq!(shown(record), shown(&expected), "at {instant}, {key}");
        }
    }
}
