//! `set`: several texts at once, as multi-select fields and check boxes give them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options, reading};
use super::{Reason, TypeOptions, VariableType, choice};
use crate::schema::ReadAs;

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Set,
    ja: "集合",
    about: "Several texts, each once, without order: `a;b` (Salesforce, HubSpot), `a、b`, or a JSON array (kintone, Zoho). Other \
            signs between elements are declared: `read_as: { separators: \",/\" }`. With `values`, each element is one of them \
            or one of their labels; one that is not holds the whole value. A set without elements is empty.",
    canonical: "a JSON array of the elements, in the order of `values`, else of their characters: `[\"チャット\",\"電話\"]`",
    order: "a set comes before those that contain it (`min`, `max`); others have no order, and `<` in an expression compares their texts",
    cases: &[
        Cases {
            declared: "",
            options: plain_options,
            forms: &[
                is("電話;チャット", r#"["チャット","電話"]"#),
                is("電話、チャット、電話", r#"["チャット","電話"]"#),
                is("メール；電話", r#"["メール","電話"]"#),
                is(" a ; b ;", r#"["a","b"]"#),
                is("電話", r#"["電話"]"#),
                is("a,b", r#"["a,b"]"#),
                is(r#"["電話","チャット"]"#, r#"["チャット","電話"]"#),
                is(r#"["a;b", 3]"#, r#"["3","a;b"]"#),
                empty(""),
                empty("[]"),
                empty(";;"),
                held("[電話", "not_a_json_array"),
                held(r#"["a", ["b"]]"#, "not_texts"),
                held(r#"["a", null]"#, "not_texts"),
            ],
        },
        Cases {
            declared: "values: [phone, chat]\nvalue_labels: { phone: { ja: 電話 }, chat: { ja: チャット } }",
            options: channels,
            forms: &[
                is("チャット;電話", r#"["phone","chat"]"#),
                is(r#"["chat","phone"]"#, r#"["phone","chat"]"#),
                empty(" "),
                held("電話;FAX", "not_in_values"),
            ],
        },
        Cases {
            declared: "read_as: { separators: \",/\" }",
            options: || reading(ReadAs { separators: Some(",/".to_owned()), ..ReadAs::default() }),
            forms: &[
                is("a, b/c", r#"["a","b","c"]"#),
                is("a;b", r#"["a;b"]"#),
                is(r#"["b","a"]"#, r#"["a","b"]"#),
                empty(","),
            ],
        },
    ],
};

fn channels() -> TypeOptions {
    TypeOptions {
        values: ["phone", "chat"].map(str::to_owned).to_vec(),
        labels: vec![("電話".to_owned(), 0), ("チャット".to_owned(), 1)],
        ..plain_options()
    }
}

/// Reads a set, as its canonical text; `None` when it has no elements.
pub(super) fn parse(text: &str, options: &TypeOptions) -> Result<Option<String>, Reason> {
    let text = super::text::without_nul(text.trim())?;
    if text.starts_with('[') {
        let elements = json(text)?;
        return canonical(elements.iter().map(String::as_str), options);
    }
    match options.read_as.separators.as_deref() {
        Some(signs) => canonical(text.split(|c| signs.contains(c)), options),
        None => canonical(text.split([';', '；', '、']), options),
    }
}

fn json(text: &str) -> Result<Vec<String>, Reason> {
    let array: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| {
        Reason::new("not_a_json_array", "it begins with [ but is no JSON array; accepted: a;b, a、b, [\"a\",\"b\"]")
    })?;
    let refused = || Reason::new("not_texts", "an element of the JSON array is no text; accepted: [\"a\",\"b\"]");
    let text = |element: &RawValue| match element.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(element.get()).map_err(|_| refused()),
        // A number or a truth value as it is written: a number has no other text that is surely the same.
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => Ok(element.get().to_owned()),
        _ => Err(refused()),
    };
    array.into_iter().map(text).collect()
}

fn canonical<'a>(elements: impl Iterator<Item = &'a str>, options: &'a TypeOptions) -> Result<Option<String>, Reason> {
    let elements = elements.map(str::trim).filter(|element| !element.is_empty());
    let mut known: Vec<&str> = if options.values.is_empty() {
        elements.collect()
    } else {
        let find = |element| choice::find(element, options).ok_or_else(|| choice::not_in_values(&options.values));
        elements.map(find).collect::<Result<_, _>>()?
    };
    if known.iter().any(|element| element.contains('\0')) {
        return Err(Reason::new("nul_character", "an element contains the character NUL; remove it in the source"));
    }
    known.sort_by(|a, b| choice::order(a, b, &options.values));
    known.dedup();
    if known.is_empty() {
        return Ok(None);
    }
    Ok(serde_json::to_string(&known).ok())
}

/// A set comes before those that contain it; both texts are canonical.
pub(super) fn order(a: &str, b: &str) -> Option<Ordering> {
    let elements = |text: &str| serde_json::from_str::<BTreeSet<String>>(text).ok();
    let (a, b) = (elements(a)?, elements(b)?);
    match (a.is_subset(&b), b.is_subset(&a)) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => None,
    }
}
