//! `postal_code` (郵便番号): the seven digits of Japan Post.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::width::narrow;
use super::{Reason, VariableType};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::PostalCode,
    ja: "郵便番号",
    about: "Seven digits, with or without 〒 and hyphen, in any width. Whether the code is in use is not looked up.",
    canonical: "three digits, a hyphen, four digits: `100-0001`",
    order: "by its digits",
    cases: &[Cases {
        declared: "",
        options: plain_options,
        forms: &[
            is("100-0001", "100-0001"),
            is("1000001", "100-0001"),
            is("〒100-0001", "100-0001"),
            is("〒 １００－０００１", "100-0001"),
            is("100ー0001", "100-0001"),
            is("0600001", "060-0001"),
            empty(""),
            held("600001", "leading_zero_lost"),
            held("100-001", "leading_zero_lost"),
            held("100", "not_a_postal_code"),
            held("10-00001", "not_a_postal_code"),
            held("SW1A 1AA", "not_a_postal_code"),
            held("〒100-0001 東京都千代田区", "not_a_postal_code"),
        ],
    }],
};

/// Reads a postal code.
pub(super) fn parse(text: &str) -> Result<String, Reason> {
    let text = text.trim().trim_start_matches(['〒', '〶']).trim();
    let mut code = String::with_capacity(8);
    let mut hyphen_at = None;
    for c in text.chars().map(narrow) {
        match c {
            '0'..='9' if code.len() < 8 => code.push(c),
            '-' | '\u{2010}'..='\u{2015}' | 'ー' | 'ｰ' | ' ' if hyphen_at.is_none() => hyphen_at = Some(code.len()),
            _ => return Err(not_a_postal_code()),
        }
    }
    match (code.len(), hyphen_at) {
        (7, None | Some(3)) => {
            code.insert(3, '-');
            Ok(code)
        }
        (6, _) => Err(Reason::new(
            "leading_zero_lost",
            "6 digits: with a 0 in front it would be a postal code, but nothing is added here; export the column as text, or \
             write '0' || x",
        )),
        _ => Err(not_a_postal_code()),
    }
}

fn not_a_postal_code() -> Reason {
    Reason::new("not_a_postal_code", "not a postal code of Japan; accepted: 100-0001, 1000001, 〒100-0001")
}
