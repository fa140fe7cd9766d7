//! What functions from text to text share: null stays null, each row by itself.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// Gives the text of one row another shape.
pub(super) type Rewrite = for<'a> fn(&'a str) -> Cow<'a, str>;

/// The function `name`.
pub(super) fn function(name: &'static str, rewrite: Rewrite) -> Arc<ScalarUDF> {
    let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
    Arc::new(ScalarUDF::from(OnText { name, rewrite, signature }))
}

/// Found and compared by its name.
struct OnText {
    name: &'static str,
    rewrite: Rewrite,
    signature: Signature,
}

impl PartialEq for OnText {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for OnText {}

impl Hash for OnText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for OnText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl ScalarUDFImpl for OnText {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [text] = arrays.as_slice() else {
            return Err(DataFusionError::Execution(format!("{} needs one text", self.name)));
        };
        let texts = as_string_array(text)?;
        let mut output = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
        for text in texts {
            output.append_option(text.map(self.rewrite));
        }
        Ok(ColumnarValue::Array(Arc::new(output.finish())))
    }
}
