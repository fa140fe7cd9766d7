//! `corporate_number` (法人番号): 13 digits, the first of which checks the others.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::{Reason, VariableType};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::CorporateNumber,
    ja: "法人番号",
    about: "13 digits, the first of which checks the others; in any width, with hyphens or spaces. A number of 12 digits (会社法人等番号) \
            becomes one by its check digit, but a mistyped 13-digit number may look the same: so it is held, and the reason names the \
            digit. If all numbers of a source are such, the mapping says so: `with_check_digit(x)`.",
    canonical: "the 13 digits",
    order: "by its digits",
    cases: &[Cases {
        declared: "",
        options: plain_options,
        forms: &[
            is("7000012050002", "7000012050002"),
            is("７００００１２０５０００２", "7000012050002"),
            is("7-0000-1205-0002", "7000012050002"),
            is("7 0000 1205 0002", "7000012050002"),
            empty(""),
            held("8000012050002", "wrong_check_digit"),
            held("000012050002", "check_digit_missing"),
            held("70000120500", "not_a_corporate_number"),
            held("T7000012050002", "invoice_number"),
            held("7.00001E+12", "spreadsheet_exponent"),
            held("7000012050002.0", "not_a_corporate_number"),
            held("調査中", "not_a_corporate_number"),
        ],
    }],
};

/// Reads a corporate number in any width, with hyphens or spaces between its digits.
pub(super) fn parse(text: &str) -> Result<Cow<'_, str>, Reason> {
    let text = text.trim();
    let number: Cow<'_, str> = if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfkc().filter(|c| !c.is_whitespace() && !is_hyphen(*c)).collect())
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_digits(&number));
    }
    match number.len() {
        13 => {}
        12 => {
            let digit = check_digit(&number).unwrap_or_default();
            return Err(Reason::new(
                "check_digit_missing",
                format!(
                    "12 digits, as a 会社法人等番号 has: with its check digit {digit} in front it would be a corporate number, but \
                     nothing is added here; correct it in the source, or if all numbers of the field are such, write \
                     with_check_digit(x)"
                ),
            ));
        }
        length => {
            return Err(Reason::new("not_a_corporate_number", format!("{length} digits; a corporate number has 13")));
        }
    }
    if check_digit(&number[1..]).is_some_and(|digit| number.as_bytes().first() == Some(&(b'0' + digit))) {
        Ok(number)
    } else {
        Err(Reason::new(
            "wrong_check_digit",
            "the first digit does not fit the other 12, so that at least one of the 13 is wrong; see houjin-bangou.nta.go.jp",
        ))
    }
}

/// The check digit that belongs in front of 12 digits, 1 to 9; `None` for anything but 12 ASCII digits.
///
/// 9 − (Σ digit × weight mod 9), the weights being 1, 2, 1, 2, … from the last digit on
/// (法人番号の指定等に関する省令 第2条).
pub fn check_digit(number12: &str) -> Option<u8> {
    let bytes = number12.as_bytes();
    if bytes.len() != 12 || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum: u32 =
        bytes.iter().rev().zip([1, 2].into_iter().cycle()).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    u8::try_from(9 - sum % 9).ok()
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn not_digits(number: &str) -> Reason {
    let digits = number.strip_prefix(['T', 't']);
    if digits.is_some_and(|digits| digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit())) {
        Reason::new(
            "invoice_number",
            "an invoice registration number (T and 13 digits); those of persons are no corporate numbers, so say in the \
             mapping if all of them are companies: substr(x, 2)",
        )
    } else if number.contains(['E', 'e']) && number.bytes().all(|byte| byte.is_ascii_digit() || b".+Ee".contains(&byte))
    {
        Reason::new(
            "spreadsheet_exponent",
            "written by a spreadsheet as a rounded number, its last digits are lost; export the column as text",
        )
    } else {
        Reason::new("not_a_corporate_number", "a corporate number is 13 digits, with hyphens or spaces if need be")
    }
}
