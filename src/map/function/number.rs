//! `+ - * / %` on integers and decimals, exactly.
//!
//! Integers stay integers but for `/`, which always gives a decimal; decimals keep ten places, and what
//! `*` and `/` would have more is rounded, halves away from zero. Null gives null, and so does dividing by
//! zero. A result that does not fit is an error of its row, never a wrong number; floating point is nowhere.

use std::fmt;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, PrimitiveArray};
use datafusion::arrow::datatypes::{ArrowNativeTypeOp, ArrowPrimitiveType, DataType, Decimal128Type, Int64Type, i256};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::map::sql_type::{DECIMAL, SqlType};

/// What a decimal of value 1 is stored as.
const ONE: i128 = 10_i128.pow(10);
/// The first magnitude that 38 digits do not hold.
const LIMIT: i128 = 10_i128.pow(38);

/// One of the five operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl Arithmetic {
    const ALL: [Arithmetic; 5] =
        [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide, Arithmetic::Remainder];

    /// The type of both operands, given theirs, and of the result.
    pub(crate) fn types(self, left: SqlType, right: SqlType) -> (SqlType, SqlType) {
        let whole = left != SqlType::Decimal && right != SqlType::Decimal && self != Arithmetic::Divide;
        if whole { (SqlType::Integer, SqlType::Integer) } else { (SqlType::Decimal, SqlType::Decimal) }
    }

    /// The function; both arguments must have one of the types that [`Arithmetic::types`] gives.
    pub(crate) fn function(self) -> Arc<ScalarUDF> {
        Arc::clone(&FUNCTIONS[self as usize])
    }

    fn name(self) -> &'static str {
        match self {
            Arithmetic::Add => "exact_add",
            Arithmetic::Subtract => "exact_subtract",
            Arithmetic::Multiply => "exact_multiply",
            Arithmetic::Divide => "exact_divide",
            Arithmetic::Remainder => "exact_remainder",
        }
    }

    /// `Ok(None)` is null, `Err` a result that does not fit.
    fn decimals(self, a: i128, b: i128) -> Result<Option<i128>, TooLarge> {
        let result = match self {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            Arithmetic::Multiply => match a.checked_mul(b) {
                Some(product) => Some(divide_rounded(product, ONE)),
                None => divide_wide(a, b, ONE),
            },
            Arithmetic::Divide if b == 0 => return Ok(None),
            Arithmetic::Divide => match a.checked_mul(ONE) {
                Some(dividend) => Some(divide_rounded(dividend, b)),
                None => divide_wide(a, ONE, b),
            },
            Arithmetic::Remainder if b == 0 => return Ok(None),
            Arithmetic::Remainder => a.checked_rem(b),
        };
        match result {
            Some(value) if value.unsigned_abs() < LIMIT.unsigned_abs() => Ok(Some(value)),
            _ => Err(TooLarge),
        }
    }

    fn integers(self, a: i64, b: i64) -> Result<Option<i64>, TooLarge> {
        match self {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            Arithmetic::Multiply => a.checked_mul(b),
            Arithmetic::Divide | Arithmetic::Remainder if b == 0 => return Ok(None),
            Arithmetic::Divide => a.checked_div(b),
            Arithmetic::Remainder => Some(a.wrapping_rem(b)),
        }
        .map(Some)
        .ok_or(TooLarge)
    }
}

/// The result has more digits than there is room for.
#[derive(Debug)]
struct TooLarge;

impl From<TooLarge> for DataFusionError {
    fn from(_: TooLarge) -> Self {
        DataFusionError::Execution("the result of a calculation is too large".to_owned())
    }
}

/// `a / b` to the nearest whole number, halves away from zero; `b` is not zero.
fn divide_rounded(a: i128, b: i128) -> i128 {
    let (quotient, remainder) = (a / b, a % b);
    let twice_reaches = remainder.unsigned_abs() >= b.unsigned_abs() - remainder.unsigned_abs();
    if remainder == 0 || !twice_reaches {
        quotient
    } else if (a < 0) == (b < 0) {
        quotient + 1
    } else {
        quotient - 1
    }
}

/// `a * b / c` by way of 256 bits, rounded the same; `None` when the result does not fit.
fn divide_wide(a: i128, b: i128, c: i128) -> Option<i128> {
    let product = i256::from_i128(a).checked_mul(i256::from_i128(b))?;
    let divisor = i256::from_i128(c);
    let (quotient, remainder) = (product.checked_div(divisor)?, product.checked_rem(divisor)?);
    let quotient = quotient.to_i128()?;
    let (remainder, divisor) = (remainder.wrapping_abs(), divisor.wrapping_abs());
    if remainder == i256::ZERO || remainder < divisor.sub_checked(remainder).ok()? {
        Some(quotient)
    } else if (product < i256::ZERO) == (c < 0) {
        quotient.checked_add(1)
    } else {
        quotient.checked_sub(1)
    }
}

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let function = |operation| {
        ScalarUDF::from(ArithmeticFunction { operation, signature: Signature::any(2, Volatility::Immutable) })
    };
    Arithmetic::ALL.into_iter().map(function).map(Arc::new).collect()
});

/// All five.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    FUNCTIONS.clone()
}

#[derive(PartialEq, Eq, Hash)]
struct ArithmeticFunction {
    operation: Arithmetic,
    signature: Signature,
}

impl fmt::Debug for ArithmeticFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation.name())
    }
}

impl ScalarUDFImpl for ArithmeticFunction {
    fn name(&self) -> &str {
        self.operation.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        arg_types.first().cloned().ok_or_else(|| DataFusionError::Plan("two arguments are needed".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.into_iter().map(|arg| arg.into_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let [left, right] = arrays.as_slice() else {
            return Err(DataFusionError::Execution(format!("{} needs two numbers", self.name())));
        };
        let operation = self.operation;
        let result: ArrayRef = match (left.data_type(), right.data_type()) {
            (DataType::Int64, DataType::Int64) => {
                let values: Int64Array = combine::<Int64Type>(left, right, |a, b| operation.integers(a, b))?;
                Arc::new(values)
            }
            (DataType::Decimal128(_, _), DataType::Decimal128(_, _)) => {
                let values: Decimal128Array = combine::<Decimal128Type>(left, right, |a, b| operation.decimals(a, b))?;
                Arc::new(values.with_precision_and_scale(DECIMAL.0, DECIMAL.1)?)
            }
            (left, right) => {
                return Err(DataFusionError::Execution(format!("{} does not take {left} and {right}", self.name())));
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}

fn combine<T: ArrowPrimitiveType>(
    left: &ArrayRef,
    right: &ArrayRef,
    operation: impl Fn(T::Native, T::Native) -> Result<Option<T::Native>, TooLarge>,
) -> Result<PrimitiveArray<T>> {
    let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
    let mut values = PrimitiveArray::<T>::builder(left.len());
    for (a, b) in left.iter().zip(right) {
        match (a, b) {
            (Some(a), Some(b)) => values.append_option(operation(a, b)?),
            _ => values.append_null(),
        }
    }
    Ok(values.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> i128 {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let value = format!("{whole}{places:0<10}").parse::<i128>().unwrap();
        if negative { -value } else { value }
    }

    #[test]
    fn a_product_with_a_tenth_is_exact() {
        assert_eq!(Arithmetic::Multiply.decimals(decimal("3"), decimal("1.1")).unwrap(), Some(decimal("3.3")));
    }

    #[test]
    fn a_third_is_rounded_at_the_tenth_place_and_halves_go_away_from_zero() {
        let third = Arithmetic::Divide.decimals(decimal("-2"), decimal("3")).unwrap();
        assert_eq!(third, Some(decimal("-0.6666666667")));
        let half = Arithmetic::Multiply.decimals(-1, decimal("0.5")).unwrap();
        assert_eq!(half, Some(-1));
    }

    #[test]
    fn dividing_by_zero_is_null_and_a_result_without_room_is_an_error() {
        assert_eq!(Arithmetic::Divide.decimals(1, 0).unwrap(), None);
        assert_eq!(Arithmetic::Remainder.integers(1, 0).unwrap(), None);
        assert!(Arithmetic::Multiply.decimals(LIMIT - 1, LIMIT - 1).is_err());
        assert!(Arithmetic::Add.decimals(LIMIT - 1, 1).is_err());
        assert!(Arithmetic::Add.integers(i64::MAX, 1).is_err());
        assert_eq!(Arithmetic::Remainder.integers(i64::MIN, -1).unwrap(), Some(0));
    }

    proptest! {
        #[test]
        fn the_short_and_the_wide_way_agree(a in -10_i128.pow(17)..10_i128.pow(17), b in -10_i128.pow(17)..10_i128.pow(17)) {
            prop_assert_eq!(Some(divide_rounded(a * b, ONE)), divide_wide(a, b, ONE));
            if b != 0 {
                prop_assert_eq!(Some(divide_rounded(a * ONE, b)), divide_wide(a, ONE, b));
            }
        }

        #[test]
        fn what_is_multiplied_and_divided_again_is_back(a in -10_i128.pow(20)..10_i128.pow(20), b in 1_i128..1000) {
            let b = b * ONE;
            let product = Arithmetic::Multiply.decimals(a, b).unwrap().unwrap();
            prop_assert_eq!(Arithmetic::Divide.decimals(product, b).unwrap(), Some(a));
        }
    }
}
