//! Conversion of whole columns of text.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanBuilder, PrimitiveBuilder, StringArray, StringBuilder, new_null_array,
};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType,
};

use super::{Reason, TypeOptions, VariableType, boolean, choice, corporate_number, data_type, date, datetime, decimal};
use super::{email, integer, money, percent, phone, postal_code, reference, set, text, url};

/// A converted column: one row per row of the input, in its order.
#[derive(Debug, Clone)]
pub struct Converted {
    /// Of the type that [`data_type`] gives; null where there is no value or it was refused.
    pub values: ArrayRef,
    /// The refused rows, rising, with the reason of each.
    pub failures: Vec<(usize, Reason)>,
}

impl Converted {
    /// Null everywhere; every row that has a value fails with `reason`.
    pub(super) fn refuse(kind: VariableType, options: &TypeOptions, input: &dyn Array, reason: &Reason) -> Self {
        let nulls = input.logical_nulls();
        let has_value = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
        Converted {
            values: new_null_array(&data_type(kind, options), input.len()),
            failures: (0..input.len()).filter(has_value).map(|row| (row, reason.clone())).collect(),
        }
    }
}

/// Converts a column of text; each row as [`parse`](super::parse) does.
pub fn convert_text(kind: VariableType, options: &TypeOptions, input: &StringArray) -> Converted {
    if kind == VariableType::Text && input.iter().flatten().all(is_clean) {
        return Converted { values: Arc::new(input.clone()), failures: Vec::new() };
    }
    convert_texts(kind, options, input.iter())
}

/// Whether the text type would leave it as it is.
fn is_clean(text: &str) -> bool {
    !text.is_empty() && text.trim().len() == text.len() && !text.as_bytes().contains(&0)
}

/// Converts texts one by one; the types that are numbers in memory allocate nothing per value.
pub(super) fn convert_texts<'a>(
    kind: VariableType,
    options: &TypeOptions,
    input: impl ExactSizeIterator<Item = Option<&'a str>>,
) -> Converted {
    match kind {
        VariableType::Text => texts(input, |cell, out| text::parse(cell).map(|text| out.append_value(text))),
        VariableType::Ref => texts(input, |cell, out| reference::parse(cell).map(|text| out.append_value(text))),
        VariableType::Enum => texts(input, |cell, out| choice::parse(cell, options).map(|text| out.append_value(text))),
        VariableType::Set => texts(input, |cell, out| set::parse(cell, options).map(|text| out.append_option(text))),
        VariableType::Url => texts(input, |cell, out| url::parse(cell).map(|text| out.append_value(text))),
        VariableType::Email => texts(input, |cell, out| email::parse(cell).map(|text| out.append_value(text))),
        VariableType::Phone => texts(input, |cell, out| phone::parse(cell).map(|text| out.append_value(text))),
        VariableType::PostalCode => {
            texts(input, |cell, out| postal_code::parse(cell).map(|text| out.append_value(text)))
        }
        VariableType::CorporateNumber => {
            texts(input, |cell, out| corporate_number::parse(cell).map(|text| out.append_value(text)))
        }
        VariableType::Boolean => {
            let mut out = BooleanBuilder::with_capacity(input.len());
            let failures = each(input, |cell| {
                let value = cell.map(boolean::parse).transpose();
                out.append_option(*value.as_ref().unwrap_or(&None));
                value.err()
            });
            Converted { values: Arc::new(out.finish()), failures }
        }
        VariableType::Integer => primitives::<Int64Type>(kind, options, input, |text| integer::parse(text, options)),
        VariableType::Decimal => {
            primitives::<Decimal128Type>(kind, options, input, |text| decimal::parse(text, options))
        }
        VariableType::Percent => {
            primitives::<Decimal128Type>(kind, options, input, |text| percent::parse(text, options))
        }
        VariableType::Money => primitives::<Decimal128Type>(kind, options, input, |text| money::parse(text, options)),
        VariableType::Date => primitives::<Date32Type>(kind, options, input, |text| {
            date::parse(text, options).map(Date32Type::from_naive_date)
        }),
        VariableType::Datetime => {
            let timezone = options.zone();
            primitives::<TimestampMicrosecondType>(kind, options, input, |text| {
                datetime::parse(text, timezone).map(|instant| instant.micros())
            })
        }
    }
}

/// Calls `push` for every row, with `None` for null and blank ones, and collects the reasons it gives.
fn each<'a>(
    input: impl Iterator<Item = Option<&'a str>>,
    mut push: impl FnMut(Option<&'a str>) -> Option<Reason>,
) -> Vec<(usize, Reason)> {
    input
        .enumerate()
        .filter_map(|(row, text)| push(text.filter(|text| !text.trim().is_empty())).map(|reason| (row, reason)))
        .collect()
}

fn texts<'a>(
    input: impl ExactSizeIterator<Item = Option<&'a str>>,
    append: impl Fn(&'a str, &mut StringBuilder) -> Result<(), Reason>,
) -> Converted {
    let mut out = StringBuilder::with_capacity(input.len(), input.len() * 16);
    let failures = each(input, |cell| {
        let refused = match cell {
            Some(text) => append(text, &mut out).err(),
            None => {
                out.append_null();
                return None;
            }
        };
        if refused.is_some() {
            out.append_null();
        }
        refused
    });
    Converted { values: Arc::new(out.finish()), failures }
}

fn primitives<'a, T: ArrowPrimitiveType>(
    kind: VariableType,
    options: &TypeOptions,
    input: impl ExactSizeIterator<Item = Option<&'a str>>,
    read: impl Fn(&str) -> Result<T::Native, Reason>,
) -> Converted {
    let mut out = PrimitiveBuilder::<T>::with_capacity(input.len()).with_data_type(data_type(kind, options));
    let failures = each(input, |cell| {
        let value = cell.map(&read).transpose();
        out.append_option(*value.as_ref().unwrap_or(&None));
        value.err()
    });
    Converted { values: Arc::new(out.finish()), failures }
}
