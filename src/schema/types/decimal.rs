//! `decimal`: exact numbers with up to ten decimal places.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options, reading};
use super::{DECIMAL_SCALE, Reason, TypeOptions, VariableType, number};
use crate::schema::ReadAs;
use crate::schema::read_as::Units;

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Decimal,
    ja: "小数",
    about: "A number with up to ten decimal places and 28 digits before the point, exactly; it never passes through \
            floating point. Written like an integer, with a point or an exponent.",
    canonical: "plain notation without zeros at the end: `1234.5`",
    order: "by value",
    cases: &[
        Cases {
            declared: "",
            options: plain_options,
            forms: &[
                is("12.50", "12.5"),
                is("1,234.5", "1234.5"),
                is(".5", "0.5"),
                is("+3.14", "3.14"),
                is("-0", "0"),
                is("９８．５", "98.5"),
                is("▲1,234.5", "-1234.5"),
                is("（1.5）", "-1.5"),
                is("9.9213206E7", "99213206"),
                is("1.0E8", "100000000"),
                is("2.5e-3", "0.0025"),
                is("0.12345678900000", "0.123456789"),
                is("¥980", "980"),
                empty(""),
                held("0.12345678901", "too_many_decimals"),
                held("1E30", "out_of_range"),
                held("1.2億", "magnitude_suffix"),
                held("三百二十", "magnitude_suffix"),
                held("1.200.000", "not_a_number"),
                held("1 200", "not_a_number"),
                held("5.", "not_a_number"),
                held("75%", "percent_sign"),
                held("-(5)", "not_a_number"),
            ],
        },
        Cases {
            declared: "read_as: { units: japanese }",
            options: || reading(ReadAs { units: Some(Units::Japanese), ..ReadAs::default() }),
            forms: &[
                is("1.2億", "120000000"),
                is("▲1.25万", "-12500"),
                is("一兆二千億", "1200000000000"),
                is("二〇二五", "2025"),
                is("12.5", "12.5"),
                empty(" "),
                held("1.5億2000万", "not_a_number"),
                held("1万2億", "not_a_number"),
            ],
        },
    ],
};

/// A decimal × 10^10.
pub(super) fn parse(text: &str, options: &TypeOptions) -> Result<i128, Reason> {
    let (number, mark) = number::read(text, options.read_as.units)?;
    number::no_foreign_mark(mark)?;
    number.scaled(DECIMAL_SCALE)
}
