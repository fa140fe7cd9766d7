//! What `integer`, `decimal`, `money` and `percent` share: exact numbers, however they are written.
//!
//! Accepted around the digits: one sign (`-`, `+`, `▲`, `△`, or the whole in parentheses, as accountants
//! write negatives), groups of three with commas, a currency mark where the type allows it, and an
//! exponent as Java prints it. Everything in full width, too. All arithmetic is on integers.

use std::borrow::Cow;

use super::mark::{self, Mark};
use super::width::fold;
use super::{DECIMAL_PRECISION, Reason, magnitude};
use crate::schema::read_as::Units;

const NUMBER_FORMS: &str = "accepted: 1200, 1,200, -500, ▲500, (500), 12.5, 1.25E7";
const LIMIT: u128 = 10u128.pow(DECIMAL_PRECISION as u32);

/// An exact number: `digits` × 10^-`places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) negative: bool,
    pub(super) digits: u128,
    pub(super) places: i32,
}

/// The scale as Arrow wants it; scales are at most 10.
pub(super) fn arrow_scale(scale: u8) -> i8 {
    i8::try_from(scale).unwrap_or(i8::MAX)
}

impl Number {
    /// The number × 10^`scale`, exactly.
    pub(super) fn scaled(self, scale: u8) -> Result<i128, Reason> {
        let shift = i32::from(scale).saturating_sub(self.places);
        let magnitude = if self.digits == 0 {
            0
        } else if shift >= 0 {
            power(shift.unsigned_abs())
                .and_then(|factor| self.digits.checked_mul(factor))
                .filter(|magnitude| *magnitude < LIMIT)
                .ok_or_else(|| out_of_range(scale))?
        } else {
            match power(shift.unsigned_abs()) {
                Some(divisor) if self.digits.is_multiple_of(divisor) => self.digits / divisor,
                _ => return Err(too_many_decimals(scale)),
            }
        };
        // Below 10^38, so it fits.
        let value = i128::try_from(magnitude).map_err(|_| out_of_range(scale))?;
        Ok(if self.negative { -value } else { value })
    }

    /// The number with at most `scale` decimal places, halves away from zero.
    pub(super) fn rounded(self, scale: u8) -> Self {
        let surplus = self.places.saturating_sub(i32::from(scale));
        if surplus <= 0 {
            return self;
        }
        let digits = match power(surplus.unsigned_abs()) {
            Some(divisor) => {
                let rest = self.digits % divisor;
                self.digits / divisor + u128::from(rest >= divisor - rest)
            }
            None => 0,
        };
        Number { digits, places: i32::from(scale), ..self }
    }
}

fn power(exponent: u32) -> Option<u128> {
    10u128.checked_pow(exponent)
}

/// Reads a number with what stands around it; with units (120万) only where they are declared.
pub(super) fn read(text: &str, units: Option<Units>) -> Result<(Number, Mark), Reason> {
    let text = text.trim();
    if let Some(number) = read_plain(text.as_bytes()) {
        return Ok((number, Mark::None));
    }
    let folded: Cow<'_, str> = fold(text);
    read_marked(&folded, units)
}

/// The form that nearly every value has: digits, perhaps a minus and a point; `None` for any other.
fn read_plain(bytes: &[u8]) -> Option<Number> {
    let (negative, bytes) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if bytes.len() > 30 || !bytes.first()?.is_ascii_digit() || !bytes.last()?.is_ascii_digit() {
        return None;
    }
    let mut digits = 0u128;
    let mut places = None;
    for &byte in bytes {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u128::from(byte - b'0'),
            b'.' if places.is_none() => places = Some(0),
            _ => return None,
        }
        if byte != b'.' {
            places = places.map(|count| count + 1);
        }
    }
    Some(Number { negative, digits, places: places.unwrap_or(0) })
}

fn read_marked(text: &str, units: Option<Units>) -> Result<(Number, Mark), Reason> {
    let mut mark = Mark::None;
    let mut rest = text;
    let in_parentheses = match rest.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => {
            rest = inner.trim();
            true
        }
        None => false,
    };
    let mut sign = None;
    // Before the digits: a sign and a currency mark, in any order, once each.
    while let Some(first) = rest.chars().next() {
        if matches!(first, '-' | '+' | '▲' | '△') {
            if sign.replace(first).is_some() || in_parentheses {
                return Err(not_a_number("more than one sign"));
            }
            rest = &rest[first.len_utf8()..];
        } else if let Some((found, length)) = mark::leading(rest) {
            set(&mut mark, found)?;
            rest = &rest[length..];
        } else {
            break;
        }
        rest = rest.trim_start();
    }
    if let Some((found, length)) = mark::trailing(rest) {
        set(&mut mark, found)?;
        rest = rest[..rest.len() - length].trim_end();
    }
    let with_units = if units.is_some() && !rest.is_ascii() { magnitude::read(rest) } else { None };
    let (digits, places) = match with_units {
        Some(number) => number,
        None => read_digits(rest.as_bytes()).map_err(|reason| explain(text, rest, units, reason))?,
    };
    let negative = in_parentheses || matches!(sign, Some('-' | '▲' | '△'));
    Ok((Number { negative, digits, places }, mark))
}

fn set(mark: &mut Mark, found: Mark) -> Result<(), Reason> {
    if *mark != Mark::None {
        return Err(not_a_number("more than one mark"));
    }
    *mark = found;
    Ok(())
}

/// Reads `1,234.50` or `1.25E7` into digits and decimal places.
fn read_digits(bytes: &[u8]) -> Result<(u128, i32), Reason> {
    let split = bytes.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (body, exponent) = match split {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    };
    let (integer, fraction) = match body.iter().position(|byte| *byte == b'.') {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    if fraction.is_some_and(|fraction| fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit)) {
        return Err(not_a_number("not a number"));
    }
    if integer.is_empty() && fraction.is_none() {
        return Err(not_a_number("not a number"));
    }
    let grouped = integer.contains(&b',');
    if !integer.iter().all(|byte| byte.is_ascii_digit() || *byte == b',') || (grouped && exponent.is_some()) {
        return Err(not_a_number("not a number"));
    }
    if grouped && !groups_are_right(integer) {
        return Err(Reason::new("bad_grouping", format!("the commas do not separate groups of three; {NUMBER_FORMS}")));
    }
    let mut sum = Sum::default();
    integer.iter().filter(|byte| **byte != b',').try_for_each(|byte| sum.push(*byte, false))?;
    fraction.unwrap_or_default().iter().try_for_each(|byte| sum.push(*byte, true))?;
    let exponent = exponent.map_or(Ok(0), read_exponent)?;
    Ok((sum.digits, sum.places - exponent))
}

/// Digits read so far; zeros at the end of the fraction wait until another digit follows them.
#[derive(Default)]
struct Sum {
    digits: u128,
    places: i32,
    zeros: u32,
}

impl Sum {
    fn push(&mut self, byte: u8, in_fraction: bool) -> Result<(), Reason> {
        let digit = u128::from(byte - b'0');
        if in_fraction && digit == 0 {
            self.zeros = self.zeros.saturating_add(1);
            return Ok(());
        }
        let places = self.zeros.saturating_add(1);
        self.zeros = 0;
        // More than 38 digits can only be a number out of range, or one with too many decimals.
        let pushed = if self.digits == 0 { Some(0) } else { power(places).and_then(|by| self.digits.checked_mul(by)) };
        self.digits = pushed.and_then(|digits| digits.checked_add(digit)).ok_or_else(too_many_digits)?;
        if in_fraction {
            self.places = self.places.saturating_add(i32::try_from(places).unwrap_or(i32::MAX / 2));
        }
        Ok(())
    }
}

/// One to three digits, then groups of exactly three.
fn groups_are_right(integer: &[u8]) -> bool {
    let mut groups = integer.split(|byte| *byte == b',');
    groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
}

fn read_exponent(bytes: &[u8]) -> Result<i32, Reason> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || digits.len() > 4 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(not_a_number("not a number"));
    }
    let value = digits.iter().fold(0, |sum, byte| sum * 10 + i32::from(byte - b'0'));
    Ok(if negative { -value } else { value })
}

/// A better reason than "not a number" for the forms that are refused on purpose.
fn explain(text: &str, number: &str, units: Option<Units>, reason: Reason) -> Reason {
    if reason.code != "not_a_number" {
        return reason;
    }
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if text.starts_with('#') {
        Reason::new("spreadsheet_error", "the error value of a spreadsheet formula; correct it in the source")
    } else if units.is_none() && !number.is_ascii() && magnitude::read(number).is_some() {
        Reason::new(
            "magnitude_suffix",
            "a number with 万 or 億, or in kanji, is read where that is declared: `read_as: { units: japanese }` on the \
             variable or in the mapping",
        )
    } else if has_digit && text.ends_with('-') {
        Reason::new("trailing_minus", format!("the minus stands behind the number; {NUMBER_FORMS}"))
    } else {
        reason
    }
}

fn not_a_number(what: &str) -> Reason {
    Reason::new("not_a_number", format!("{what}; {NUMBER_FORMS}"))
}

pub(super) fn no_foreign_mark(mark: Mark) -> Result<(), Reason> {
    match mark {
        Mark::None | Mark::Yen => Ok(()),
        Mark::Percent => Err(percent_sign()),
        Mark::Dollar | Mark::Euro | Mark::Pound | Mark::Code(_) => Err(Reason::new(
            "other_currency",
            "marked with a currency; make the variable `type: money` with that `currency:`",
        )),
    }
}

pub(super) fn percent_sign() -> Reason {
    Reason::new("percent_sign", "a percentage; make the variable `type: percent`, or remove the sign in the mapping")
}

fn too_many_decimals(scale: u8) -> Reason {
    Reason::new(
        "too_many_decimals",
        format!("more than {scale} decimal places; round in the mapping, such as round(decimal(x), {scale})"),
    )
}

fn out_of_range(scale: u8) -> Reason {
    Reason::new(
        "out_of_range",
        format!("too large: at most {} digits before the point", DECIMAL_PRECISION.saturating_sub(scale)),
    )
}

fn too_many_digits() -> Reason {
    Reason::new("out_of_range", format!("too many digits: at most {DECIMAL_PRECISION} in all"))
}
