//! `phone`: telephone numbers, in the forms that Japanese systems write.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::width::narrow;
use super::{Reason, VariableType};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Phone,
    ja: "電話番号",
    about: "One number. Without a country's number it is a Japanese one and begins with 0; full width, hyphens of all kinds, \
            parentheses and spaces do not matter, nor does TEL in front. An extension (内線) stays. Where the parts of a number \
            divide is not kept, since writers do not agree on it.",
    canonical: "the international form (E.164) with the extension behind it (RFC 3966): `+81312345678`, `+81312345678;ext=12`",
    order: "by the numbers of its characters in Unicode",
    cases: &[Cases {
        declared: "",
        options: plain_options,
        forms: &[
            is("03-1234-5678", "+81312345678"),
            is("0312345678", "+81312345678"),
            is("０３－１２３４－５６７８", "+81312345678"),
            is("０３（１２３４）５６７８", "+81312345678"),
            is("03ー1234ー5678", "+81312345678"),
            is("(03) 1234-5678", "+81312345678"),
            is("+81 3 1234 5678", "+81312345678"),
            is("+81-(0)3-1234-5678", "+81312345678"),
            is("TEL: 03-1234-5678", "+81312345678"),
            is("090-1234-5678", "+819012345678"),
            is("050 1234 5678", "+815012345678"),
            is("0120-123-456", "+81120123456"),
            is("0800-123-4567", "+818001234567"),
            is("03-1234-5678 内線12", "+81312345678;ext=12"),
            is("03-1234-5678（内線 12）", "+81312345678;ext=12"),
            is("03-1234-5678 ext. 12", "+81312345678;ext=12"),
            is("+1 (415) 555-2671", "+14155552671"),
            empty(""),
            held("1234-5678", "area_code_missing"),
            held("312345678", "leading_zero_lost"),
            held("9012345678", "leading_zero_lost"),
            held("03-1234-567", "wrong_length"),
            held("090-1234-567", "wrong_length"),
            held("0081-3-1234-5678", "international_prefix"),
            held("010-1-415-555-2671", "international_prefix"),
            held("03-1234-5678 / 03-1234-5679", "several_numbers"),
            held("03-1234-5678、090-1234-5678", "several_numbers"),
            held("03-1234-5678（代表）", "not_a_phone"),
            held("110", "not_a_phone"),
            held("なし", "not_a_phone"),
        ],
    }],
};

const FORMS: &str = "accepted: 03-1234-5678, 090-1234-5678, +81 3 1234 5678, 03-1234-5678 内線12";
/// Digits of the longest number of the world, its country's included.
const LONGEST: usize = 15;

/// Reads a telephone number.
pub(super) fn parse(text: &str) -> Result<String, Reason> {
    let folded: String = text.trim().chars().map(|c| hyphen(narrow(c))).collect();
    let (number, extension) = split_extension(without_word(&folded))?;
    if number.contains(['/', '、', ',', ';', '・', '\n']) {
        return Err(Reason::new("several_numbers", format!("more than one number: only one fits; {FORMS}")));
    }
    let mut digits = String::with_capacity(LONGEST + 1);
    let is_international = number.starts_with('+');
    for c in number.chars().skip(usize::from(is_international)) {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '(' | ')' | '.' => {}
            _ => return Err(not_a_phone()),
        }
        if digits.len() > LONGEST + 1 {
            return Err(wrong_length());
        }
    }
    let mut canonical = String::with_capacity(digits.len() + 12);
    canonical.push('+');
    match (is_international, digits.strip_prefix("81")) {
        // The 0 in front is dialled inside Japan only.
        (true, Some(rest)) => push_japanese(&mut canonical, rest.strip_prefix('0').unwrap_or(rest))?,
        (true, None) => {
            if digits.starts_with('0') || !(7..=LONGEST).contains(&digits.len()) {
                return Err(not_a_phone());
            }
            canonical.push_str(&digits);
        }
        (false, _) => match digits.strip_prefix('0') {
            Some(rest) if digits.starts_with("00") || digits.starts_with("010") => {
                let _ = rest;
                return Err(Reason::new(
                    "international_prefix",
                    "begins with the digits that are dialled to leave a country; write + and the country's number",
                ));
            }
            Some(rest) => push_japanese(&mut canonical, rest)?,
            None => return Err(without_zero(&digits)),
        },
    }
    if let Some(extension) = extension {
        canonical.push_str(";ext=");
        canonical.push_str(extension);
    }
    Ok(canonical)
}

/// A Japanese number without the 0 in front, if there can be such a one.
fn push_japanese(canonical: &mut String, number: &str) -> Result<(), Reason> {
    if number.starts_with('0') {
        return Err(not_a_phone());
    }
    if length_of(number) != number.len() {
        return Err(wrong_length());
    }
    canonical.push_str("81");
    canonical.push_str(number);
    Ok(())
}

/// How many digits a Japanese number has behind its 0, by how it begins.
fn length_of(number: &str) -> usize {
    let ten = ["20", "50", "60", "70", "80", "90"].iter().any(|start| number.starts_with(start));
    if ten { 10 } else { 9 }
}

fn without_zero(digits: &str) -> Reason {
    match digits.len() {
        9 | 10 if !digits.is_empty() && length_of(digits) == digits.len() => Reason::new(
            "leading_zero_lost",
            "does not begin with 0 but would be a number with one in front, as if a spreadsheet had cut it off; nothing is \
             added here: export the column as text, or write '0' || x",
        ),
        7 | 8 => Reason::new("area_code_missing", format!("the area code is missing; {FORMS}")),
        _ => not_a_phone(),
    }
}

/// `TEL: `, `電話` and the like in front of a number.
fn without_word(text: &str) -> &str {
    let lower = text.get(..3).map(str::to_ascii_lowercase);
    let rest = match lower.as_deref() {
        Some("tel") => &text[3..],
        _ => text.strip_prefix("電話番号").or_else(|| text.strip_prefix("電話")).unwrap_or(text),
    };
    if rest.len() == text.len() { text } else { rest.trim_start_matches([':', '.', ' ']) }
}

/// The number and the digits of its extension.
fn split_extension(text: &str) -> Result<(&str, Option<&str>), Reason> {
    const WORDS: [&str; 7] = [";ext=", "内線", "extension", "ext.", "ext", "x", "#"];
    let lower = text.to_ascii_lowercase();
    let found = WORDS
        .iter()
        .filter_map(|word| Some((lower.find(word)?, word.len())))
        .min_by_key(|(at, length)| (*at, std::cmp::Reverse(*length)));
    let Some((at, length)) = found else { return Ok((text, None)) };
    let rest = text[at + length..].trim_matches([' ', ':', '.', '-', '(', ')', '番']);
    if rest.is_empty() || rest.len() > 8 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::new("not_an_extension", format!("the extension is not one to eight digits; {FORMS}")));
    }
    Ok((text[..at].trim_end_matches([' ', '(', ',']), Some(rest)))
}

/// The signs that are typed for a hyphen, the long mark of kana among them.
fn hyphen(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' | 'ー' | 'ｰ' | '〜' | '~' => '-',
        other => other,
    }
}

fn wrong_length() -> Reason {
    Reason::new(
        "wrong_length",
        "too many or too few digits: Japanese numbers have 10, those that begin with 020, 050, 060, 070, 080 and 090 have 11",
    )
}

fn not_a_phone() -> Reason {
    Reason::new("not_a_phone", format!("not a telephone number; {FORMS}"))
}
