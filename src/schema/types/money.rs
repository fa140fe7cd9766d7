//! `money`: an amount in the variable's currency.
//!
//! A variable has one currency, so that its amounts can be added. A sign in the text, or a currency that the record
//! names, must agree with it; an amount in another currency is held, never counted as if it were this one.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options, reading};
use super::mark::{self, Mark};
use super::{Reason, TypeOptions, VariableType, number};
use crate::schema::ReadAs;
use crate::schema::read_as::Units;

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Money,
    ja: "金額",
    about: "An amount in the variable's `currency` (default the project's), with as many decimal places as its `scale` \
            says (default those of the currency: JPY 0, most 2). Written like a decimal, with the currency's sign or code \
            before or behind it. Where records name their currency, the mapping says so by `currency:`; an amount in another \
            currency than the variable's is held, since amounts of two currencies cannot be added.",
    canonical: "plain notation without sign of the currency: `1200000`, `1200.5`",
    order: "by value",
    cases: &[
        Cases {
            declared: "currency: JPY",
            options: plain_options,
            forms: &[
                is("1200000", "1200000"),
                is("1,200,000", "1200000"),
                is("¥1,200,000", "1200000"),
                is("￥1,200,000", "1200000"),
                is("\\1,200,000", "1200000"),
                is("１，２３４円", "1234"),
                is("1,234 円", "1234"),
                is("▲¥500", "-500"),
                is("¥-500", "-500"),
                is("(¥500)", "-500"),
                is("JPY 1,200", "1200"),
                is("120000.00", "120000"),
                is("9.9213206E7", "99213206"),
                empty(""),
                held("1200.5", "too_many_decimals"),
                held("120万", "magnitude_suffix"),
                held("$1,200", "other_currency"),
                held("1,200 USD", "other_currency"),
                held("50%", "percent_sign"),
                held("-▲500", "not_a_number"),
            ],
        },
        Cases {
            declared: "currency: USD",
            options: || TypeOptions { scale: 2, currency: Some("USD".to_owned()), ..TypeOptions::default() },
            forms: &[
                is("$1,200.50", "1200.5"),
                is("1200.5 USD", "1200.5"),
                is("-$3", "-3"),
                empty(""),
                held("¥1,200", "other_currency"),
                held("1200円", "other_currency"),
                held("1200.505", "too_many_decimals"),
            ],
        },
        Cases {
            declared: "read_as: { units: japanese }",
            options: || reading(ReadAs { units: Some(Units::Japanese), ..ReadAs::default() }),
            forms: &[
                is("120万", "1200000"),
                is("120万円", "1200000"),
                is("１億２，０００万円", "120000000"),
                is("3百万円", "3000000"),
                is("▲500千円", "-500000"),
                is("¥1.5億", "150000000"),
                is("三百二十万円", "3200000"),
                is("1,200,000", "1200000"),
                empty(""),
                held("0.5円", "too_many_decimals"),
                held("万円", "not_a_number"),
                held("2,000万1億", "not_a_number"),
                held("$120万", "other_currency"),
            ],
        },
    ],
};

/// An amount × 10^scale; a currency mark must be that of the variable's currency.
pub(super) fn parse(text: &str, options: &TypeOptions) -> Result<i128, Reason> {
    let (number, mark) = number::read(text, options.read_as.units)?;
    if mark != Mark::None {
        let own = options.currency.as_deref().unwrap_or("JPY");
        if mark == Mark::Percent {
            return Err(number::percent_sign());
        }
        if !mark.fits(own) {
            return Err(Reason::new(
                "other_currency",
                format!("the amount is marked with another currency than the variable's, {own}"),
            ));
        }
    }
    number.scaled(options.scale)
}

/// Whether an amount whose record names its currency so is one of `own` (ISO 4217).
///
/// # Errors
///
/// `currency_missing` for a blank name, `not_a_currency` for what names none, `other_currency` for another one.
pub fn check_currency(named: Option<&str>, own: &str) -> Result<(), Reason> {
    let named = named.map(str::trim).unwrap_or_default();
    if named.as_bytes() == own.as_bytes() {
        return Ok(());
    }
    if named.is_empty() {
        return Err(Reason::new(
            "currency_missing",
            format!(
                "the record has an amount and names no currency; if it is always {own} then, write coalesce(nullif(x, ''), '{own}')"
            ),
        ));
    }
    let folded = super::width::fold(named).to_ascii_uppercase();
    match mark::of_currency(&folded) {
        Some(mark) if mark.fits(own) => Ok(()),
        Some(_) => Err(Reason::new(
            "other_currency",
            format!(
                "the record is in another currency than the variable's, {own}; amounts of two currencies cannot be added: make a variable for each, or convert it in the mapping"
            ),
        )),
        None => {
            Err(Reason::new("not_a_currency", "the record's currency is none of ISO 4217; accepted: JPY, USD, 円, $"))
        }
    }
}
