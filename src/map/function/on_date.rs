//! What functions of one date share: null stays null, each row by itself.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// What a function makes of a day.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// A text.
    Text(fn(NaiveDate) -> Option<String>),
    /// A whole number.
    Whole(fn(NaiveDate) -> Option<i64>),
}

/// The function `name`.
pub(super) fn function(name: &'static str, of: Of) -> Arc<ScalarUDF> {
    let signature = Signature::exact(vec![DataType::Date32], Volatility::Immutable);
    Arc::new(ScalarUDF::from(OnDate { name, of, signature }))
}

/// Found and compared by its name.
struct OnDate {
    name: &'static str,
    of: Of,
    signature: Signature,
}

impl PartialEq for OnDate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for OnDate {}

impl Hash for OnDate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for OnDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl ScalarUDFImpl for OnDate {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match self.of {
            Of::Text(_) => DataType::Utf8,
            Of::Whole(_) => DataType::Int64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [dates] = arrays.as_slice() else {
            return Err(DataFusionError::Execution(format!("{} needs one date", self.name)));
        };
        let days = dates.as_primitive::<Date32Type>().iter().map(|day| day.and_then(Date32Type::to_naive_date_opt));
        let result: ArrayRef = match self.of {
            Of::Text(text) => {
                let mut output = StringBuilder::new();
                days.for_each(|day| output.append_option(day.and_then(text)));
                Arc::new(output.finish())
            }
            Of::Whole(whole) => Arc::new(days.map(|day| day.and_then(whole)).collect::<Int64Array>()),
        };
        Ok(ColumnarValue::Array(result))
    }
}
