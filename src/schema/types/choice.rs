//! `enum`: one of a variable's values, by itself or by its label.

use std::cmp::Ordering;

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::{Reason, TypeOptions, VariableType};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Enum,
    ja: "選択肢",
    about: "One of `values`, or the Japanese or English label that `value_labels` gives one; spelled exactly so, but for \
            white space around it. Other spellings are translated by `values:` in the mapping. A label belongs to one \
            value only.",
    canonical: "the value",
    order: "as `values` lists them",
    cases: &[Cases {
        declared: "values: [onboarding, adoption, expansion]\nvalue_labels: { onboarding: { ja: 導入, en: Onboarding }, adoption: { ja: 利用 } }",
        options: phases,
        forms: &[
            is("adoption", "adoption"),
            is("利用", "adoption"),
            is("導入", "onboarding"),
            is("Onboarding", "onboarding"),
            is(" 利用\u{3000}", "adoption"),
            empty(""),
            held("拡大", "not_in_values"),
            held("導入済", "not_in_values"),
            held("ADOPTION", "not_in_values"),
        ],
    }],
};

fn phases() -> TypeOptions {
    let label = |label: &str, value| (label.to_owned(), value);
    TypeOptions {
        values: ["onboarding", "adoption", "expansion"].map(str::to_owned).to_vec(),
        labels: vec![label("導入", 0), label("Onboarding", 0), label("利用", 1)],
        ..plain_options()
    }
}

/// One of the values, spelled like it or like its label.
pub(super) fn parse<'a>(text: &'a str, options: &'a TypeOptions) -> Result<&'a str, Reason> {
    let text = text.trim();
    find(text, options).ok_or_else(|| not_in_values(&options.values))
}

/// The value that `text` is or is the label of.
pub(super) fn find<'a>(text: &'a str, options: &'a TypeOptions) -> Option<&'a str> {
    if options.values.iter().any(|value| value == text) {
        return Some(text);
    }
    let (_, at) = options.labels.iter().find(|(label, _)| label == text)?;
    options.values.get(*at).map(String::as_str)
}

/// As the variable lists them; a value that it does not list comes after those it does.
pub(super) fn order(a: &str, b: &str, values: &[String]) -> Ordering {
    let place = |value: &str| values.iter().position(|known| known == value).unwrap_or(values.len());
    place(a).cmp(&place(b)).then_with(|| a.cmp(b))
}

pub(super) fn not_in_values(values: &[String]) -> Reason {
    if values.is_empty() {
        return Reason::new("not_in_values", "the variable lists no values; add them under `values:`");
    }
    const SHOWN: usize = 20;
    let mut list = values.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if values.len() > SHOWN {
        list.push_str(&format!(" and {} more", values.len() - SHOWN));
    }
    Reason::new("not_in_values", format!("not one of the variable's values: {list}"))
}
