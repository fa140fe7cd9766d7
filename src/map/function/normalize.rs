//! `normalize(x)`: one way of writing what people write in several.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, StringArray, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::FunctionDoc;

/// What people read.
pub(crate) const DOCS: &[FunctionDoc] = &[FunctionDoc {
    name: "normalize",
    syntax: "normalize(text)",
    does: "full-width letters and digits narrow, half-width kana wide (NFKC), runs of spaces one, none outside",
    example: "normalize('　ＡＣＭＥ　 ｱｸﾒ ')",
    gives: "ACME アクメ",
}];

static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::from(Normalize { signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable) }))
});

/// The function.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Normalize {
    signature: Signature,
}

impl ScalarUDFImpl for Normalize {
    fn name(&self) -> &str {
        "normalize"
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
            return Err(DataFusionError::Execution("normalize needs one text".to_owned()));
        };
        Ok(ColumnarValue::Array(Arc::new(normalized(as_string_array(text)?))))
    }
}

fn normalized(input: &StringArray) -> StringArray {
    let mut output = StringBuilder::with_capacity(input.len(), input.value_data().len());
    let mut buffer = String::new();
    for text in input {
        match text {
            None => output.append_null(),
            Some(text) if is_normal(text) => output.append_value(text),
            Some(text) => {
                buffer.clear();
                let narrow: String = text.nfkc().collect();
                for word in narrow.split_whitespace() {
                    if !buffer.is_empty() {
                        buffer.push(' ');
                    }
                    buffer.push_str(word);
                }
                output.append_value(&buffer);
            }
        }
    }
    output.finish()
}

fn is_normal(text: &str) -> bool {
    let plain_spaces = !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ");
    plain_spaces
        && text.chars().all(|c| c == ' ' || !c.is_whitespace())
        && is_nfkc_quick(text.chars()) == IsNormalized::Yes
}
