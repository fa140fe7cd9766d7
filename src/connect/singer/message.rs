//! What a tap says, line by line (Singer specification 0.3).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::connect::tree::{Tree, parse};

/// A line that was understood.
#[derive(Debug)]
pub(super) enum Message {
    Record {
        stream: String,
        record: Tree,
    },
    State(serde_json::Value),
    /// All records of a full table were sent: those of earlier versions are gone.
    ActivateVersion {
        stream: String,
    },
    /// Something else, such as a SCHEMA: what tells records apart, the catalog has said.
    Other,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    stream: Option<String>,
    #[serde(borrow, default)]
    record: Option<&'a RawValue>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

/// Reads a line.
///
/// # Errors
///
/// Why it is no message; values are not told.
pub(super) fn read(line: &str) -> Result<Message, String> {
    let line: Line<'_> =
        serde_json::from_str(line).map_err(|error| format!("not a message, column {}", error.column()))?;
    let stream = || line.stream.clone().ok_or_else(|| format!("a {} without `stream`", line.kind));
    let tree = |raw: Option<&RawValue>, name: &str| {
        let raw = raw.ok_or_else(|| format!("a {} without `{name}`", line.kind))?;
        parse(raw.get())
            .map_err(|error| format!("a {} with `{name}` that cannot be read, column {}", line.kind, error.column()))
    };
    Ok(match line.kind.as_str() {
        "RECORD" => Message::Record { stream: stream()?, record: tree(line.record, "record")? },
        "STATE" => {
            let raw = line.value.ok_or("a STATE without `value`")?;
            Message::State(serde_json::from_str(raw.get()).map_err(|_| "a STATE that cannot be read".to_owned())?)
        }
        "ACTIVATE_VERSION" => Message::ActivateVersion { stream: stream()? },
        "BATCH" => return Err("a BATCH, which is not read: turn batches off in the tap's settings".to_owned()),
        _ => Message::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tree::text_of;

    #[test]
    fn messages_are_read_with_all_digits() {
        let line =
            r#"{"type":"RECORD","stream":"s","record":{"id":1,"amount":12345678901234567890.10},"time_extracted":"x"}"#;
        let Message::Record { stream, record } = read(line).unwrap() else { panic!() };
        assert_eq!((stream.as_str(), text_of(&record["amount"]).unwrap().as_ref()), ("s", "12345678901234567890.1"));
        let state = read(r#"{"type":"STATE","value":{"bookmarks":{"s":{"at":"2026"}}}}"#).unwrap();
        assert!(matches!(state, Message::State(value) if value["bookmarks"]["s"]["at"] == "2026"));
        assert!(matches!(
            read(r#"{"type":"ACTIVATE_VERSION","stream":"s","version":1}"#),
            Ok(Message::ActivateVersion { .. })
        ));
        assert!(matches!(read(r#"{"type":"METRIC"}"#), Ok(Message::Other)));
    }

    #[test]
    fn rubbish_is_told_without_its_values() {
        for line in [
            "INFO starting",
            "{\"type\":\"RECORD\"",
            r#"{"type":"RECORD","stream":"s"}"#,
            r#"{"type":"BATCH","stream":"s"}"#,
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
