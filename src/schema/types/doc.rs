//! What people read about each type: its canonical form, its order, and the forms that are accepted and refused.
//!
//! The forms are the cases that the tests run, so the page cannot say what is not so.

use super::{TypeOptions, VariableType};
use crate::schema::ReadAs;

/// A type, as people read about it.
#[derive(Debug, Clone, Copy)]
pub struct TypeDoc {
    /// The type.
    pub kind: VariableType,
    /// What it is called in Japanese.
    pub ja: &'static str,
    /// What its values are and how they are read.
    pub about: &'static str,
    /// The canonical text of a value, in which every output shows it.
    pub canonical: &'static str,
    /// What comes before what.
    pub order: &'static str,
    /// Its cases, by what is declared.
    pub cases: &'static [Cases],
}

/// The cases under one declaration.
#[derive(Debug, Clone, Copy)]
pub struct Cases {
    /// What the variable or its mapping declares, as YAML; empty for nothing.
    pub declared: &'static str,
    /// The same as options.
    pub options: fn() -> TypeOptions,
    /// The cases: accepted forms, then blank, then refused ones.
    pub forms: &'static [Case],
}

/// One text, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// What a source sends.
    pub text: &'static str,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A value, in its canonical text.
    Is(&'static str),
    /// No value.
    Empty,
    /// Held, for the reason with this code.
    Held(&'static str),
}

pub(super) const fn is(text: &'static str, value: &'static str) -> Case {
    Case { text, outcome: Outcome::Is(value) }
}

pub(super) const fn empty(text: &'static str) -> Case {
    Case { text, outcome: Outcome::Empty }
}

pub(super) const fn held(text: &'static str, code: &'static str) -> Case {
    Case { text, outcome: Outcome::Held(code) }
}

/// Nothing declared: yen, Asia/Tokyo, the fiscal year from April.
pub(super) fn plain_options() -> TypeOptions {
    TypeOptions { currency: Some("JPY".to_owned()), ..TypeOptions::default() }
}

/// The same with texts that are read in a declared way.
pub(super) fn reading(read_as: ReadAs) -> TypeOptions {
    TypeOptions { read_as, ..plain_options() }
}

/// What people read about every type, in the order of [`VariableType::ALL`].
pub fn documentation() -> Vec<&'static TypeDoc> {
    VariableType::ALL.into_iter().map(of).collect()
}

fn of(kind: VariableType) -> &'static TypeDoc {
    match kind {
        VariableType::Text => &super::text::DOC,
        VariableType::Integer => &super::integer::DOC,
        VariableType::Decimal => &super::decimal::DOC,
        VariableType::Money => &super::money::DOC,
        VariableType::Percent => &super::percent::DOC,
        VariableType::Boolean => &super::boolean::DOC,
        VariableType::Date => &super::date::DOC,
        VariableType::Datetime => &super::datetime::DOC,
        VariableType::Enum => &super::choice::DOC,
        VariableType::Set => &super::set::DOC,
        VariableType::Url => &super::url::DOC,
        VariableType::Email => &super::email::DOC,
        VariableType::Phone => &super::phone::DOC,
        VariableType::PostalCode => &super::postal_code::DOC,
        VariableType::CorporateNumber => &super::corporate_number::DOC,
        VariableType::Ref => &super::reference::DOC,
    }
}
