//! `integer`: whole numbers of 64 bits.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options, reading};
use super::number::{self, Number};
use super::{Reason, TypeOptions, VariableType};
use crate::schema::ReadAs;
use crate::schema::read_as::Units;

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Integer,
    ja: "整数",
    about: "A whole number, at most 18 digits. Written as numbers are in Japan: full width, commas between groups of three, \
            `▲`, `△` or parentheses for negatives, 円 behind it.",
    canonical: "digits, with `-` in front of a negative",
    order: "by value",
    cases: &[
        Cases {
            declared: "",
            options: plain_options,
            forms: &[
                is("1200", "1200"),
                is("-7", "-7"),
                is("1,200,000", "1200000"),
                is("１，２００", "1200"),
                is("－３", "-3"),
                is("▲500", "-500"),
                is("△ 500", "-500"),
                is("(500)", "-500"),
                is("0012", "12"),
                is("12.0", "12"),
                is("1.0E8", "100000000"),
                is("3円", "3"),
                empty(" "),
                held("12.5", "not_whole"),
                held("9223372036854775808", "out_of_range"),
                held("120万", "magnitude_suffix"),
                held("50%", "percent_sign"),
                held("1,20", "bad_grouping"),
                held("500-", "trailing_minus"),
                held("#N/A", "spreadsheet_error"),
                held("なし", "not_a_number"),
            ],
        },
        Cases {
            declared: "read_as: { units: japanese }",
            options: || reading(ReadAs { units: Some(Units::Japanese), ..ReadAs::default() }),
            forms: &[
                is("120万", "1200000"),
                is("1.2億", "120000000"),
                is("三百二十", "320"),
                is("1200", "1200"),
                empty(""),
                held("1.5", "not_whole"),
                held("0.00001万", "not_whole"),
                held("約120万", "not_a_number"),
            ],
        },
    ],
};

/// Reads a whole number.
pub(super) fn parse(text: &str, options: &TypeOptions) -> Result<i64, Reason> {
    let (number, mark) = number::read(text, options.read_as.units)?;
    number::no_foreign_mark(mark)?;
    whole(number)
}

/// The number as an `i64`, if it has no fraction.
pub(super) fn whole(number: Number) -> Result<i64, Reason> {
    let value = number.scaled(0).map_err(|reason| match reason.code {
        "too_many_decimals" => Reason::new(
            "not_whole",
            "an integer cannot have decimals; make the variable a decimal, or round in the mapping: round(decimal(x))",
        ),
        _ => out_of_integers(),
    })?;
    i64::try_from(value).map_err(|_| out_of_integers())
}

fn out_of_integers() -> Reason {
    Reason::new("out_of_range", "too large for an integer: at most 18 digits; make the variable a decimal")
}
