//! Corporate numbers (法人番号): twelve digits with a check digit in front.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The check digit of twelve digits: 9 - (the sum of digits, every second one from the right doubled, mod 9).
fn check_digit(base: &[u8; 12]) -> u8 {
    let sum: u32 =
        base.iter().rev().zip([1, 2].into_iter().cycle()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    9 - (sum % 9) as u8
}

/// An invented number with a right check digit.
///
/// Companies have numbers whose base starts with a registry office (`0100` to `6000`) and `01`.
pub(super) fn invent(dice: &mut ChaCha8Rng) -> String {
    let mut base = [0_u8; 12];
    base[0] = dice.random_range(0..6);
    base[1] = dice.random_range(1..9);
    base[5] = 1;
    base[6..].fill_with(|| dice.random_range(0..10));
    write(check_digit(&base), &base)
}

/// The same number with its last digit mistyped, so that the check digit is wrong.
pub(super) fn mistype(number: &str) -> String {
    let (head, last) = number.split_at(number.len() - 1);
    let last = last.parse().unwrap_or(0_u8);
    // Not 9 for 0: the check digit cannot tell these two apart.
    let wrong = if last == 9 { 8 } else { last + 1 };
    format!("{head}{wrong}")
}

/// Whether the text is thirteen digits with a right check digit.
#[cfg(test)]
pub(super) fn is_valid(number: &str) -> bool {
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
    let Ok(base) = <[u8; 12]>::try_from(digits.get(1..).unwrap_or_default()) else { return false };
    number.len() == 13 && digits[0] == check_digit(&base)
}

fn write(check: u8, base: &[u8; 12]) -> String {
    std::iter::once(&check).chain(base).map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_number_of_the_tax_agency_is_valid() {
        assert!(is_valid("7000012050002"));
        assert!(!is_valid("8000012050002"));
        assert!(!is_valid("700001205000"));
    }

    #[test]
    fn invented_numbers_are_valid_and_mistyped_ones_are_not() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..500 {
            let number = invent(&mut dice);
            assert!(is_valid(&number), "{number}");
            assert!(!is_valid(&mistype(&number)), "{number}");
        }
    }
}
