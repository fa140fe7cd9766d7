//! Entries of a picklist beside the values of an enum.

use super::lines::Translated;
use super::synonyms::Words;
use super::words::Form;

/// More different values than this are no picklist.
const MOST_ENTRIES: usize = 30;

/// What was found for the entries of a picklist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// Entries with their value.
    pub(super) known: Vec<Translated>,
    /// Entries that are values as they stand.
    pub(super) same_count: usize,
    /// Entries without a clear counterpart.
    pub(super) open: Vec<String>,
}

impl Choices {
    /// How many entries there are.
    pub(super) fn count(&self) -> usize {
        self.known.len() + self.same_count + self.open.len()
    }

    /// How many of them have a value.
    pub(super) fn known_count(&self) -> usize {
        self.known.len() + self.same_count
    }
}

/// Finds the value of each entry: one of its words, or the only value of which a word stands within it. What is not
/// clear stays open.
pub(super) fn translate(words: &Words<'_>, values: &[String], entries: &[String]) -> Choices {
    let mut choices = Choices::default();
    for entry in entries {
        if values.contains(entry) {
            choices.same_count += 1;
            continue;
        }
        let form = Form::of(entry, 0);
        let translated = |to: &str, how: String| Translated { from: entry.clone(), to: to.to_owned(), how };
        if let Some(value) = words.value_of(values, &form.text) {
            choices.known.push(translated(value, String::new()));
            continue;
        }
        match words.values_within(values, &form).as_slice() {
            [(value, word)] => choices.known.push(translated(value, format!("has {word} in it"))),
            _ => choices.open.push(entry.clone()),
        }
    }
    choices
}

/// The entries of a field: those that the source offers, else the different values seen, where they are few.
pub(super) fn entries(offered: &[String], seen: &[&str]) -> Vec<String> {
    if !offered.is_empty() {
        return offered.to_vec();
    }
    if seen.len() > MOST_ENTRIES { Vec::new() } else { seen.iter().map(|&value| value.to_owned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::synonyms::Synonyms;
    use super::*;
    use crate::schema::{VariableConfig, VariableType};

    #[test]
    fn an_entry_without_a_clear_counterpart_stays_open() {
        let variable: VariableConfig = serde_json::from_value(serde_json::json!({
            "name": "type", "type": "enum", "values": ["new", "renewal", "upsell", "cross_sell"],
        }))
        .unwrap();
        assert_eq!(variable.r#type, VariableType::Enum);
        let words = Synonyms::shipped().unwrap().of("deal", &variable);
        let entries = ["New Customer", "new", "サブスク更新", "Existing Customer - Downgrade", "更新と増額"];
        let entries = entries.map(str::to_owned);
        let choices = translate(&words, &variable.values, &entries);
        let known: Vec<(&str, &str)> = choices.known.iter().map(|one| (one.from.as_str(), one.to.as_str())).collect();
        assert_eq!(known, [("New Customer", "new"), ("サブスク更新", "renewal")]);
        assert_eq!(choices.open, ["Existing Customer - Downgrade", "更新と増額"]);
        assert_eq!((choices.count(), choices.known_count()), (5, 3));
    }
}
