//! Entries of a picklist beside the values of an enum.

use super::lines::Translated;
use super::synonyms::Words;
use super::words::Form;
use crate::record::Choice;

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
    pub(super) open: Vec<Choice>,
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

/// Finds the value of each entry: one of its words, or the only value of which a word stands within it; by what people
/// see first, then by what records hold. What is not clear stays open.
pub(super) fn translate(words: &Words<'_>, values: &[String], entries: &[Choice]) -> Choices {
    let mut choices = Choices::default();
    for entry in entries {
        if values.contains(&entry.value) {
            choices.same_count += 1;
            continue;
        }
        let label = entry.label.as_deref();
        let texts = label.into_iter().chain([entry.value.as_str()]);
        match texts.filter_map(|text| meaning(words, values, text)).next() {
            Some((value, within)) => {
                let how = label.map(str::to_owned).into_iter().chain(within).collect::<Vec<_>>().join(", ");
                choices.known.push(Translated { from: entry.value.clone(), to: value.to_owned(), how });
            }
            None => choices.open.push(entry.clone()),
        }
    }
    choices
}

/// The value that a text means; and where only a word within it says so, which.
fn meaning<'v>(words: &Words<'_>, values: &'v [String], text: &str) -> Option<(&'v str, Option<String>)> {
    let form = Form::of(text, 0);
    if let Some(value) = words.value_of(values, &form.text) {
        return Some((value, None));
    }
    match words.values_within(values, &form).as_slice() {
        [(value, word)] => Some((*value, Some(format!("has {word} in it")))),
        _ => None,
    }
}

/// The entries of a field: those that the source offers, else the different values seen, where they are few.
pub(super) fn entries(offered: &[Choice], seen: &[&str]) -> Vec<Choice> {
    if !offered.is_empty() {
        return offered.to_vec();
    }
    if seen.len() > MOST_ENTRIES { Vec::new() } else { seen.iter().map(|&value| value.to_owned().into()).collect() }
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
        let entries = entries.map(|entry| Choice::from(entry.to_owned()));
        let choices = translate(&words, &variable.values, &entries);
        let known: Vec<(&str, &str)> = choices.known.iter().map(|one| (one.from.as_str(), one.to.as_str())).collect();
        assert_eq!(known, [("New Customer", "new"), ("サブスク更新", "renewal")]);
        let open: Vec<&str> = choices.open.iter().map(|entry| entry.value.as_str()).collect();
        assert_eq!(open, ["Existing Customer - Downgrade", "更新と増額"]);
        assert_eq!((choices.count(), choices.known_count()), (5, 3));
    }

    #[test]
    fn an_entry_means_what_people_see() {
        let variable: VariableConfig = serde_json::from_value(serde_json::json!({
            "name": "stage", "type": "enum", "values": ["prospect", "negotiation", "lost", "won"],
        }))
        .unwrap();
        let words = Synonyms::shipped().unwrap().of("deal", &variable);
        let entry = |value: &str, label: &str| Choice::labelled(value, Some(label.to_owned()));
        let entries =
            [entry("98303", "受注"), entry("closedlost", "失注"), entry("98301", "その他"), entry("won", "勝ち")];
        let choices = translate(&words, &variable.values, &entries);
        let known: Vec<(&str, &str, &str)> =
            choices.known.iter().map(|one| (one.from.as_str(), one.to.as_str(), one.how.as_str())).collect();
        assert_eq!(known, [("98303", "won", "受注"), ("closedlost", "lost", "失注")]);
        assert_eq!((choices.open, choices.same_count), (vec![entry("98301", "その他")], 1));
    }
}
