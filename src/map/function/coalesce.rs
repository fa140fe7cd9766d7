//! `coalesce(a, b, …)`: the first value that is not null.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::Array;
use datafusion::arrow::compute::is_not_null;
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::FunctionDoc;

/// Its name in plans; DataFusion's own of the same name can only run after its optimizer rewrote it.
pub(crate) const NAME: &str = "first_value_of";

/// What people read.
pub(crate) const DOCS: &[FunctionDoc] = &[FunctionDoc {
    name: "coalesce",
    syntax: "coalesce(a, b, …)",
    does: "the first that is not empty; a value that does not convert is held, not skipped",
    example: "coalesce(decimal(''), 5)",
    gives: "5",
}];

static FUNCTION: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Coalesce { signature: Signature::variadic_any(Volatility::Immutable) })));

/// The function; all its arguments must have one type.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Coalesce {
    signature: Signature,
}

impl ScalarUDFImpl for Coalesce {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        arg_types.first().cloned().ok_or_else(|| DataFusionError::Plan(format!("{NAME} needs an argument")))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let mut arguments = args.args.into_iter();
        let first = arguments.next().ok_or_else(|| DataFusionError::Execution(format!("{NAME} needs an argument")))?;
        let mut result = first.into_array(rows)?;
        for next in arguments {
            if result.logical_null_count() == 0 {
                break;
            }
            let mask = is_not_null(&result)?;
            result = match next {
                ColumnarValue::Scalar(value) => zip(&mask, &result, &value.to_scalar()?)?,
                ColumnarValue::Array(values) => zip(&mask, &result, &values)?,
            };
        }
        Ok(ColumnarValue::Array(result))
    }
}
