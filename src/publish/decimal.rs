//! Decimals as text and as numbers of a database, without loss.

use sea_orm::Value;

/// Decimal digits that a double holds exactly, there and back.
const DOUBLE_DIGITS: usize = 15;

/// `unscaled / 10^scale` in plain notation, with `scale` digits after the point.
pub(super) fn plain(unscaled: i128, scale: u8) -> String {
    let digits = unscaled.unsigned_abs().to_string();
    let sign = if unscaled < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// The number as SQLite can hold it exactly: an integer or a double where that loses nothing, else its text
/// as a blob, which is the one thing that SQLite does not turn into a double by itself. `CAST(… AS TEXT)`
/// shows every digit of all three.
pub(super) fn for_sqlite(unscaled: i128, scale: u8) -> Value {
    let (mut short, mut short_scale) = (unscaled, scale);
    while short_scale > 0 && short % 10 == 0 {
        short /= 10;
        short_scale -= 1;
    }
    if short_scale == 0
        && let Ok(integer) = i64::try_from(short)
    {
        return Value::BigInt(Some(integer));
    }
    let text = plain(short, short_scale);
    if short.unsigned_abs().to_string().len() <= DOUBLE_DIGITS
        && let Ok(double) = text.parse()
    {
        return Value::Double(Some(double));
    }
    Value::Bytes(Some(text.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_written_with_all_its_places() {
        assert_eq!(plain(0, 2), "0.00");
        assert_eq!(plain(-5, 2), "-0.05");
        assert_eq!(plain(1_234_500, 2), "12345.00");
        assert_eq!(plain(1_200_000, 0), "1200000");
        assert_eq!(plain(i128::MIN, 10).len(), 41);
    }

    #[test]
    fn sqlite_is_given_what_it_holds_exactly() {
        assert_eq!(for_sqlite(1_200_000_000, 3), Value::BigInt(Some(1_200_000)));
        assert_eq!(for_sqlite(12_345, 2), Value::Double(Some(123.45)));
        assert_eq!(for_sqlite(-1, 10), Value::Double(Some(-0.000_000_000_1)));
        let long = for_sqlite(1_234_567_890_123_456_789, 9);
        assert_eq!(long, Value::Bytes(Some(b"1234567890.123456789".to_vec())));
        let huge = for_sqlite(123_456_789_012_345_678_901, 0);
        assert_eq!(huge, Value::Bytes(Some(b"123456789012345678901".to_vec())));
    }

    proptest::proptest! {
        #[test]
        fn what_sqlite_is_given_is_the_same_number(unscaled: i64, scale in 0_u8..=10) {
            let value = for_sqlite(i128::from(unscaled), scale);
            let exact = rust_decimal::Decimal::from_i128_with_scale(i128::from(unscaled), scale.into());
            let given: rust_decimal::Decimal = match value {
                Value::BigInt(Some(integer)) => integer.into(),
                // SQLite, too, shows a double by its shortest text within 15 digits.
                Value::Double(Some(double)) => double.to_string().parse().unwrap(),
                Value::Bytes(Some(text)) => String::from_utf8(text).unwrap().parse().unwrap(),
                other => panic!("{other:?}"),
            };
            proptest::prop_assert_eq!(given, exact);
        }
    }
}
