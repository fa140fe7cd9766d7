//! `percent`: percentages; 75 % is the number 75.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options, reading};
use super::mark::Mark;
use super::{DECIMAL_SCALE, Reason, TypeOptions, VariableType, number};
use crate::schema::ReadAs;
use crate::schema::read_as::PercentWriting;

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Percent,
    ja: "割合",
    about: "A percentage. With a sign, `75%` is always 75 %. Without, sources differ: 12.5 may mean 12.5 % and so may 0.125; \
            as long as nothing is declared, a bare number is a number of percent. `read_as: { percent: fraction }` on the \
            variable or the mapping makes a bare 0.125 mean 12.5 %.",
    canonical: "the number of percent without the sign: `12.5`",
    order: "by value",
    cases: &[
        Cases {
            declared: "",
            options: plain_options,
            forms: &[
                is("75", "75"),
                is("75%", "75"),
                is("75.5％", "75.5"),
                is("▲3.2 %", "-3.2"),
                is("0.75", "0.75"),
                is("120%", "120"),
                empty(""),
                held("¥75", "not_a_percent"),
                held("七割", "not_a_number"),
            ],
        },
        Cases {
            declared: "read_as: { percent: fraction }",
            options: || reading(ReadAs { percent: Some(PercentWriting::Fraction), ..ReadAs::default() }),
            forms: &[
                is("0.125", "12.5"),
                is("1", "100"),
                is("▲0.032", "-3.2"),
                is("12.5%", "12.5"),
                is("0.123456789012", "12.3456789012"),
                empty(""),
                held("0.1234567890123", "too_many_decimals"),
                held("¥0.5", "not_a_percent"),
            ],
        },
    ],
};

/// A percentage × 10^10.
pub(super) fn parse(text: &str, options: &TypeOptions) -> Result<i128, Reason> {
    match number::read(text, None)? {
        (mut number, Mark::None) => {
            if options.read_as.percent == Some(PercentWriting::Fraction) {
                number.places = number.places.saturating_sub(2);
            }
            number.scaled(DECIMAL_SCALE)
        }
        (number, Mark::Percent) => number.scaled(DECIMAL_SCALE),
        _ => Err(Reason::new("not_a_percent", "a currency mark in a percentage; accepted: 75, 75%, 75.5％")),
    }
}
