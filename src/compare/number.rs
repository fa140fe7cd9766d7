//! Exact decimal numbers: sums, quotients and their text. Nothing here passes through a float.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// `unscaled × 10^-scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal {
    /// The number without its point.
    pub unscaled: i128,
    /// How many digits stand behind the point, up to 38.
    pub scale: u8,
}

impl Decimal {
    /// `unscaled × 10^-scale`.
    pub fn new(unscaled: i128, scale: u8) -> Self {
        Decimal { unscaled, scale }
    }

    /// The same number with fewer places, rounded half to even; with as many or more it is unchanged.
    pub fn rounded(self, scale: u8) -> Self {
        let Some(surplus) = self.scale.checked_sub(scale).filter(|surplus| *surplus > 0) else { return self };
        let unscaled = 10_i128.checked_pow(u32::from(surplus)).map_or(0, |unit| divide_half_even(self.unscaled, unit));
        Decimal { unscaled, scale }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal_text(self.unscaled, i8::try_from(self.scale).unwrap_or(i8::MAX)))
    }
}

impl Serialize for Decimal {
    /// In JSON a number token, digit by digit.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::value::RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// `value × 10^-scale` in plain notation, without trailing zeros beyond the sixth place.
pub fn decimal_text(value: i128, scale: i8) -> String {
    let mut text = value.unsigned_abs().to_string();
    match usize::try_from(scale) {
        Ok(0) => {}
        Ok(places) => {
            if text.len() <= places {
                text.insert_str(0, &"0".repeat(places + 1 - text.len()));
            }
            text.insert(text.len() - places, '.');
            if places > 6 {
                text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
            }
        }
        Err(_) if value != 0 => text.push_str(&"0".repeat(usize::from(scale.unsigned_abs()))),
        Err(_) => {}
    }
    if value < 0 {
        text.insert(0, '-');
    }
    text
}

/// An exact quotient, of two numbers of the same scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    /// `numerator / denominator`; none unless the denominator is positive: a share of nothing says nothing,
    /// a share of a debt says the opposite.
    pub fn of(numerator: i128, denominator: i128) -> Option<Ratio> {
        (denominator > 0).then_some(Ratio { numerator, denominator })
    }

    /// With `places` places, rounded half to even.
    pub fn rounded(self, places: u8) -> Decimal {
        let (mut numerator, mut denominator) = (self.numerator, self.denominator);
        let unit = 10_i128.pow(u32::from(places.min(18)));
        loop {
            match numerator.checked_mul(unit) {
                Some(scaled) => return Decimal::new(divide_half_even(scaled, denominator), places),
                // Beyond 10^20 units of account: the digits given up here are the thirtieth and later.
                None if denominator >= 10 => {
                    numerator /= 10;
                    denominator /= 10;
                }
                None => return Decimal::new(if numerator < 0 { i128::MIN } else { i128::MAX }, places),
            }
        }
    }

    /// As people read it: `104.3 %`, one place, rounded half to even.
    pub fn percent(self) -> String {
        let tenths = self.rounded(3);
        format!("{} %", Decimal::new(tenths.unscaled, 1))
    }
}

impl Serialize for Ratio {
    /// Text with six places, `"1.043210"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.rounded(6))
    }
}

/// `numerator / denominator`, rounded to the nearest whole number, halves to the even one.
///
/// `denominator` is positive.
pub(super) fn divide_half_even(numerator: i128, denominator: i128) -> i128 {
    let quotient = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator);
    // Compared with what is missing to the next, since twice the rest may overflow.
    match rest.cmp(&(denominator - rest)) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Equal if quotient % 2 == 0 => quotient,
        _ => quotient + 1,
    }
}

/// `a + b`, refusing to wrap.
pub(super) fn add(a: i128, b: i128) -> Result<i128> {
    a.checked_add(b).ok_or_else(too_large)
}

/// `a - b`, refusing to wrap.
pub(super) fn subtract(a: i128, b: i128) -> Result<i128> {
    a.checked_sub(b).ok_or_else(too_large)
}

fn too_large() -> Error {
    Error::new(ErrorKind::BadData, "a sum has more than 38 digits").help("look for a wrong amount among the largest")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour_on_both_sides_of_zero() {
        let rounded: Vec<_> = [25, 35, -25, -35, 26, -26, 24, -24].map(|n| divide_half_even(n, 10)).into();
        assert_eq!(rounded, [2, 4, -2, -4, 3, -3, 2, -2]);
    }

    #[test]
    fn percentages_have_one_place_and_ratios_six() {
        let ratio = Ratio::of(10_432, 10_000).unwrap();
        assert_eq!(ratio.percent(), "104.3 %");
        assert_eq!(serde_json::to_string(&ratio).unwrap(), r#""1.043200""#);
        assert_eq!(Ratio::of(1, 3).unwrap().rounded(6).to_string(), "0.333333");
        assert_eq!(Ratio::of(2_005, 20_000).unwrap().percent(), "10.0 %"); // 10.025
        assert_eq!(Ratio::of(-1, 8).unwrap().percent(), "-12.5 %");
        assert_eq!(Ratio::of(100, 0), None);
        assert_eq!(Ratio::of(100, -5), None);
    }

    #[test]
    fn a_ratio_of_the_largest_sums_does_not_overflow() {
        let ratio = Ratio::of(i128::MAX, i128::MAX - 1).unwrap();
        assert_eq!(ratio.rounded(6).to_string(), "1.000000");
    }

    #[test]
    fn a_sum_beyond_the_range_is_an_error_not_a_wrong_number() {
        assert_eq!(add(i128::MAX, 1).unwrap_err().kind(), ErrorKind::BadData);
    }

    #[test]
    fn a_decimal_is_a_number_token_in_json() {
        assert_eq!(serde_json::to_string(&Decimal::new(120_050, 2)).unwrap(), "1200.50");
        assert_eq!(serde_json::to_string(&Decimal::new(-10_i128.pow(37), 0)).unwrap().len(), 39);
    }

    proptest! {
        #[test]
        fn rounding_is_never_off_by_more_than_a_half(numerator in any::<i64>(), denominator in 1_i64..) {
            let quotient = divide_half_even(numerator.into(), denominator.into());
            let error = i128::from(numerator) - quotient * i128::from(denominator);
            prop_assert!(error.abs() * 2 <= i128::from(denominator));
        }
    }
}
