//! Conversion of text to typed values; one file per type.
//!
//! Nothing of a value is guessed: a text is either one of the forms that the type accepts (strict, but
//! at home with what Japanese systems send), or it is refused with a reason, to be held and replayed. A
//! blank text is no value. Decimals never pass through a float. A reason says what is accepted and never
//! repeats the text, so it can be logged.
//!
//! The accepted and refused forms of each type are the cases of its [`TypeDoc`]: tests run them, the docs print them.

mod boolean;
mod cell;
mod choice;
mod column;
mod corporate_number;
mod date;
mod datetime;
mod decimal;
mod doc;
mod email;
mod era;
mod fiscal;
mod integer;
pub(crate) mod magnitude;
mod mark;
mod money;
mod number;
mod order;
mod page;
mod percent;
mod phone;
mod postal_code;
mod reference;
mod set;
mod source;
mod text;
mod url;
mod width;

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::NaiveDate;
use chrono_tz::Tz;
use datafusion::arrow::datatypes::{DataType, TimeUnit};

use super::FiscalYear;
use super::model::{VariableConfig, VariableType};
use super::read_as::ReadAs;
use crate::clock::Timestamp;

pub use cell::{format_cell, format_value};
pub use column::{Converted, convert_text};
pub use corporate_number::check_digit;
pub use doc::{Case, Cases, Outcome, TypeDoc, documentation};
pub use era::{era_day, era_of};
pub use money::check_currency;
pub use order::{compare, compare_choices};
pub use page::page;
pub use source::convert;

/// Digits after the point that decimals and percents keep.
pub const DECIMAL_SCALE: u8 = 10;

/// Digits that a decimal, percent or money value can have in all.
pub(crate) const DECIMAL_PRECISION: u8 = 38;

/// What a variable says beyond its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeOptions {
    /// For `money`: digits after the point, 0 to 10.
    pub scale: u8,
    /// For `enum`: the accepted values, in order. For `set`: the accepted elements, all when there are none.
    pub values: Vec<String>,
    /// Labels that are read as a value, with the place of it.
    pub labels: Vec<(String, usize)>,
    /// For `money`: the ISO 4217 code; `None` takes yen marks and no other.
    pub currency: Option<String>,
    /// For `datetime`: the zone of texts that name none, where `read_as` does not say another.
    pub timezone: Tz,
    /// For `date`: the project's fiscal year.
    pub fiscal: FiscalYear,
    /// How texts are read that could be read in two ways.
    pub read_as: ReadAs,
}

impl Default for TypeOptions {
    /// Yen without decimals, no enum values, Asia/Tokyo.
    fn default() -> Self {
        TypeOptions {
            scale: 0,
            values: Vec::new(),
            labels: Vec::new(),
            currency: None,
            timezone: chrono_tz::Asia::Tokyo,
            fiscal: FiscalYear::default(),
            read_as: ReadAs::default(),
        }
    }
}

impl TypeOptions {
    /// The options of a variable in a project with that currency and time zone.
    pub fn of(variable: &VariableConfig, project_currency: &str, timezone: Tz) -> Self {
        let currency = variable.currency.clone().unwrap_or_else(|| project_currency.to_owned());
        TypeOptions {
            scale: variable.scale.unwrap_or_else(|| currency_scale(&currency)),
            values: variable.values.clone(),
            labels: labels_of(variable),
            currency: Some(currency),
            timezone,
            fiscal: FiscalYear::default(),
            read_as: variable.read_as.clone(),
        }
    }

    /// The same in a project with that fiscal year.
    #[must_use]
    pub fn with_fiscal(self, fiscal: FiscalYear) -> Self {
        TypeOptions { fiscal, ..self }
    }

    /// The same for the texts of a source that writes them so; what it does not say, the variable says.
    #[must_use]
    pub fn reading(self, read_as: &ReadAs) -> Self {
        TypeOptions { read_as: read_as.or(&self.read_as), ..self }
    }

    /// The same for canonical texts: how a source writes says nothing of them.
    #[must_use]
    pub fn canonical(self) -> Self {
        TypeOptions { read_as: ReadAs::default(), ..self }
    }

    /// The zone of texts that name none.
    pub(crate) fn zone(&self) -> Tz {
        self.read_as.zone().unwrap_or(self.timezone)
    }
}

/// The labels of a variable's values; those of no value and those of two are told by `nenrin check`.
fn labels_of(variable: &VariableConfig) -> Vec<(String, usize)> {
    let of_value = |(at, value): (usize, &String)| {
        let label = variable.value_labels.get(value)?;
        Some(
            [&label.ja, &label.en]
                .into_iter()
                .flatten()
                .map(move |label| (label.trim().to_owned(), at))
                .collect::<Vec<_>>(),
        )
    };
    variable.values.iter().enumerate().filter_map(of_value).flatten().collect()
}

/// The decimal places of a currency by ISO 4217: 0 for yen, 2 for most.
pub fn currency_scale(code: &str) -> u8 {
    match code.to_ascii_uppercase().as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// One converted value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Of text, enum, url, email, phone, postal_code, corporate_number and ref; of set, the JSON array of its elements.
    Text(String),
    /// Of integer.
    Integer(i64),
    /// Of decimal, × 10^10.
    Decimal(i128),
    /// Of money, × 10^scale.
    Money(i128),
    /// Of percent, × 10^10; 75 % is 75.
    Percent(i128),
    /// Of boolean.
    Boolean(bool),
    /// Of date.
    Date(NaiveDate),
    /// Of datetime.
    Datetime(Timestamp),
}

/// Why a value was refused, and what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reason {
    /// A stable word to count and filter by, such as `not_a_number`.
    pub code: &'static str,
    /// What is wrong and what is accepted; never repeats the value.
    pub message: String,
}

impl Reason {
    /// A reason; `message` must not repeat the value.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Reason { code, message: message.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Converts one text; `None` when it is blank (white space, full-width included).
///
/// # Errors
///
/// The reason, when the text is none of the forms that the type accepts.
pub fn parse(kind: VariableType, options: &TypeOptions, text: &str) -> Result<Option<Value>, Reason> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(match kind {
        VariableType::Text => Value::Text(text::parse(text)?.to_owned()),
        VariableType::Ref => Value::Text(reference::parse(text)?.to_owned()),
        VariableType::Enum => Value::Text(choice::parse(text, options)?.to_owned()),
        VariableType::Set => return Ok(set::parse(text, options)?.map(Value::Text)),
        VariableType::Url => Value::Text(url::parse(text)?),
        VariableType::Email => Value::Text(email::parse(text)?.into_owned()),
        VariableType::Phone => Value::Text(phone::parse(text)?),
        VariableType::PostalCode => Value::Text(postal_code::parse(text)?),
        VariableType::CorporateNumber => Value::Text(corporate_number::parse(text)?.into_owned()),
        VariableType::Integer => Value::Integer(integer::parse(text, options)?),
        VariableType::Decimal => Value::Decimal(decimal::parse(text, options)?),
        VariableType::Money => Value::Money(money::parse(text, options)?),
        VariableType::Percent => Value::Percent(percent::parse(text, options)?),
        VariableType::Boolean => Value::Boolean(boolean::parse(text)?),
        VariableType::Date => Value::Date(date::parse(text, options)?),
        VariableType::Datetime => Value::Datetime(datetime::parse(text, options.zone())?),
    }))
}

/// How values of a type lie in memory, as [`VariableType`] documents it.
pub fn data_type(kind: VariableType, options: &TypeOptions) -> DataType {
    match kind {
        VariableType::Text
        | VariableType::Enum
        | VariableType::Set
        | VariableType::Url
        | VariableType::Email
        | VariableType::Phone
        | VariableType::PostalCode
        | VariableType::CorporateNumber
        | VariableType::Ref => DataType::Utf8,
        VariableType::Integer => DataType::Int64,
        VariableType::Decimal | VariableType::Percent => {
            DataType::Decimal128(DECIMAL_PRECISION, number::arrow_scale(DECIMAL_SCALE))
        }
        VariableType::Money => DataType::Decimal128(DECIMAL_PRECISION, number::arrow_scale(options.scale)),
        VariableType::Boolean => DataType::Boolean,
        VariableType::Date => DataType::Date32,
        VariableType::Datetime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}
