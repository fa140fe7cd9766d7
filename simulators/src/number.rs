//! Decimal numbers: exact, and printed plainly or the way Java prints doubles.

use std::cmp::Ordering;

/// An exact decimal: `units / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    units: i128,
    scale: u32,
}

/// No number of the service has more digits after the point.
const MAX_SCALE: u32 = 18;

impl Decimal {
    pub(crate) const fn new(units: i128, scale: u32) -> Self {
        Decimal { units, scale }
    }

    /// Reads `-12.50` and `1.25E3`; `None` when it is no number or has too many digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut all = String::with_capacity(whole.len() + fraction.len());
        all.push_str(whole);
        all.push_str(fraction);
        if all.is_empty() || all.len() > 36 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut units: i128 = all.parse().ok()?;
        let mut scale = i32::try_from(fraction.len()).ok()? - exponent;
        while scale < 0 {
            units = units.checked_mul(10)?;
            scale += 1;
        }
        let scale = u32::try_from(scale).ok()?;
        if scale > 2 * MAX_SCALE {
            return None;
        }
        Some(Decimal { units: if negative { -units } else { units }, scale })
    }

    /// The nearest value with that many digits after the point, halves away from zero.
    pub(crate) fn rounded(self, scale: u32) -> Self {
        if self.scale <= scale {
            return self;
        }
        let divisor = 10i128.pow(self.scale - scale);
        let half = if self.units < 0 { -divisor / 2 } else { divisor / 2 };
        Decimal { units: (self.units + half) / divisor, scale }
    }

    /// The product, rounded to `scale` digits; saturates nowhere, `None` on overflow.
    pub(crate) fn times(self, other: Decimal, scale: u32) -> Option<Self> {
        let units = self.units.checked_mul(other.units)?;
        Some(Decimal { units, scale: self.scale + other.scale }.rounded(scale))
    }

    /// The sum; `None` on overflow.
    pub(crate) fn plus(self, other: Decimal) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let raise = |value: Decimal| value.units.checked_mul(10i128.checked_pow(scale - value.scale)?);
        Some(Decimal { units: raise(self)?.checked_add(raise(other)?)?, scale })
    }

    /// The value with the other sign.
    pub(crate) fn negated(self) -> Self {
        Decimal { units: -self.units, ..self }
    }

    /// The quotient, cut after 12 digits; `None` when dividing by zero and on overflow.
    pub(crate) fn over(self, other: Decimal) -> Option<Self> {
        const DIGITS: u32 = 12;
        let units = self.units.checked_mul(10i128.checked_pow(DIGITS + other.scale)?)?;
        Some(Decimal { units: units.checked_div(other.units)?, scale: self.scale + DIGITS }.rounded(DIGITS))
    }

    /// The same value without zeros at the end of its fraction.
    pub(crate) fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.scale -= 1;
        }
        self
    }

    /// All digits, `-12.50`: never an exponent, zeros at the end kept.
    pub(crate) fn plain(self) -> String {
        let digits = self.units.unsigned_abs().to_string();
        let scale = self.scale as usize;
        let padded =
            if digits.len() <= scale { format!("{}{digits}", "0".repeat(scale + 1 - digits.len())) } else { digits };
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let sign = if self.units < 0 { "-" } else { "" };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// How many digits stand before the point.
    pub(crate) fn whole_digits(self) -> usize {
        let whole = (self.units / 10i128.pow(self.scale)).unsigned_abs();
        if whole == 0 { 0 } else { whole.to_string().len() }
    }

    /// The whole number, if it is one.
    pub(crate) fn to_int(self) -> Option<i64> {
        let divisor = 10i128.pow(self.scale);
        (self.units % divisor == 0).then(|| i64::try_from(self.units / divisor).ok()).flatten()
    }

    /// Appends it as the JSON of the REST API has it: always with a fraction digit, and with
    /// `exponents` in the form `9.9213206E7` from 10^7 on and `1.0E-4` below 10^-3.
    pub(crate) fn print(self, exponents: bool, out: &mut String) {
        if self.units == 0 {
            out.push_str("0.0");
            return;
        }
        if self.units < 0 {
            out.push('-');
        }
        let mut units = self.units.unsigned_abs();
        let mut scale = self.scale as i32;
        while units.is_multiple_of(10) {
            units /= 10;
            scale -= 1;
        }
        let mut buffer = [0u8; 40];
        let mut start = buffer.len();
        while units > 0 {
            start -= 1;
            buffer[start] = b'0' + (units % 10) as u8;
            units /= 10;
        }
        let digits = std::str::from_utf8(&buffer[start..]).unwrap_or("0");
        let magnitude = digits.len() as i32 - scale - 1;
        if exponents && !(-3..7).contains(&magnitude) {
            out.push_str(&digits[..1]);
            out.push('.');
            out.push_str(if digits.len() > 1 { &digits[1..] } else { "0" });
            out.push('E');
            out.push_str(&magnitude.to_string());
            return;
        }
        if magnitude < 0 {
            out.push_str("0.");
            for _ in 1..-magnitude {
                out.push('0');
            }
            out.push_str(digits);
            return;
        }
        let whole = magnitude as usize + 1;
        if digits.len() > whole {
            out.push_str(&digits[..whole]);
            out.push('.');
            out.push_str(&digits[whole..]);
        } else {
            out.push_str(digits);
            for _ in digits.len()..whole {
                out.push('0');
            }
            out.push_str(".0");
        }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let raise = |value: &Decimal| value.units.saturating_mul(10i128.pow(scale - value.scale));
        raise(self).cmp(&raise(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str, exponents: bool) -> String {
        let mut out = String::new();
        Decimal::parse(text).unwrap().print(exponents, &mut out);
        out
    }

    #[test]
    fn numbers_are_printed_like_java_doubles() {
        assert_eq!(printed("3", true), "3.0");
        assert_eq!(printed("98000.50", true), "98000.5");
        assert_eq!(printed("9999999.99", true), "9999999.99");
        assert_eq!(printed("99213206", true), "9.9213206E7");
        assert_eq!(printed("100000000", true), "1.0E8");
        assert_eq!(printed("-0.001", true), "-0.001");
        assert_eq!(printed("0.00012", true), "1.2E-4");
        assert_eq!(printed("0.00", true), "0.0");
    }

    #[test]
    fn eighteen_digits_stay_exact() {
        assert_eq!(printed("1234567890123456.78", true), "1.23456789012345678E15");
        assert_eq!(printed("1234567890123456.78", false), "1234567890123456.78");
    }

    #[test]
    fn plain_form_never_uses_an_exponent() {
        assert_eq!(printed("99213206", false), "99213206.0");
        assert_eq!(printed("0.00012", false), "0.00012");
    }

    #[test]
    fn sums_and_quotients_are_exact_as_far_as_they_go() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert_eq!(number("0.10").plus(number("-2")).unwrap().plain(), "-1.90");
        assert_eq!(number("10").over(number("3")).unwrap().rounded(4).plain(), "3.3333");
        assert_eq!(number("7").over(number("0.5")).unwrap().trimmed().plain(), "14");
        assert_eq!(number("1").over(number("0")), None);
        assert_eq!(number("-0.05").plain(), "-0.05");
    }

    #[test]
    fn values_of_different_scale_compare() {
        assert_eq!(Decimal::parse("1.50"), Decimal::parse("1.5"));
        assert!(Decimal::parse("1e3") > Decimal::parse("999.99"));
        assert_eq!(Decimal::new(25, 1).rounded(0), Decimal::new(3, 0));
    }
}
